//! Many runs at once in one process, each for a tenant of its own, and what they take together: processor time, wall time
//! and the most memory. The simulators are a process of their own.
//!
//! ```text
//! cargo run --release -p labelstream-benches --example many -- --tenants 24 --big 1 --records 200000 --small 2000
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that cannot go on ends by a panic"
)]

#[path = "../../tests/support/of_settings.rs"]
mod of_settings;

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use labelstream::{
    feed,
    pull::{Budget, Request},
    state::folder::FolderStore,
};
use labelstream_simulator::{Bulk, Config, Simulator};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Runs at once.
    tenants: u64,
    /// How many of them have `records`; the others have `small`.
    big: u64,
    records: u64,
    small: u64,
    per_content: u32,
    label_percent: u32,
    latency_ms: u64,
    threads: usize,
}

impl Plan {
    fn of(arguments: &[String]) -> Self {
        let number = |name: &str, default: u64| {
            let at = arguments.iter().position(|argument| argument == name);
            at.map_or(default, |at| arguments[at + 1].parse().unwrap())
        };
        Self {
            tenants: number("--tenants", 24),
            big: number("--big", 1),
            records: number("--records", 200_000),
            small: number("--small", 2_000),
            per_content: number("--per-content", 100) as u32,
            label_percent: number("--label-percent", 40) as u32,
            latency_ms: number("--latency-ms", 0),
            threads: number("--threads", 1) as usize,
        }
    }

    fn records_of(&self, tenant: u64) -> u64 {
        if tenant < self.big { self.records } else { self.small }
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let plan = Plan::of(&arguments);
    if arguments.first().is_some_and(|first| first == "simulators") {
        return simulate(plan);
    }
    let simulators = Simulators::start(&arguments);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(plan.threads).enable_all().build();
    let begun = Instant::now();
    let before = cpu_seconds();
    let mut seconds = runtime.unwrap().block_on(run_all(&simulators.environments));
    let (cpu, wall) = (cpu_seconds() - before, begun.elapsed().as_secs_f64());
    seconds.sort_by_key(|(tenant, _)| *tenant);
    let big: Vec<f64> = seconds.iter().filter(|(tenant, _)| *tenant < plan.big).map(|(_, took)| *took).collect();
    let mut small: Vec<f64> = seconds.iter().filter(|(tenant, _)| *tenant >= plan.big).map(|(_, took)| *took).collect();
    small.sort_by(f64::total_cmp);
    let report = simulators.report();
    println!(
        "{}",
        json!({
            "cpu_s": rounded(cpu), "wall_s": rounded(wall), "peak_mib": peak_kib() / 1024,
            "big_s": big.iter().copied().fold(0.0, f64::max),
            "small_median_s": small.get(small.len() / 2), "small_last_s": small.last(),
            "missing": report["missing"], "surplus": report["surplus"], "arrived": report["arrived"],
        })
    );
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}

/// One run of each tenant, all at once; how long each took.
async fn run_all(environments: &[BTreeMap<String, String>]) -> Vec<(u64, f64)> {
    let http = feed::http_client().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut runs = JoinSet::new();
    for (number, environment) in (0..).zip(environments) {
        let value = |name: &str| environment.get(name).cloned();
        let store = FolderStore::open(folder.path().join(number.to_string())).unwrap();
        let connector = Arc::new(of_settings::connector(&value, &http, Arc::new(store)));
        runs.spawn(async move {
            let begun = Instant::now();
            let request = Request::new(None, Budget::of(Duration::from_secs(600)));
            connector.run(request, CancellationToken::new()).await.unwrap();
            (number, rounded(begun.elapsed().as_secs_f64()))
        });
    }
    runs.join_all().await
}

/// The process of the simulators.
struct Simulators {
    process: Child,
    environments: Vec<BTreeMap<String, String>>,
}

impl Simulators {
    fn start(arguments: &[String]) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .arg("simulators")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { process, environments: serde_json::from_str(&line).unwrap() }
    }

    fn report(mut self) -> Value {
        self.process.stdin.take().unwrap().write_all(b"report\n").unwrap();
        serde_json::from_slice(&self.process.wait_with_output().unwrap().stdout).unwrap()
    }
}

/// Serves the tenants until a line comes in, and then tells what arrived.
#[tokio::main]
async fn simulate(plan: Plan) {
    let mut simulators = Vec::new();
    for tenant in 0..plan.tenants {
        let config = Config {
            seed: tenant + 1,
            latency: Duration::from_millis(plan.latency_ms),
            gzip_contents: false,
            hold_contents: true,
            keep_rows: false,
            judge_later: true,
            ..Config::default()
        };
        let simulator = Simulator::start(config).await.unwrap();
        let contents = plan.records_of(tenant).div_ceil(u64::from(plan.per_content));
        let (records_per_content, label_share) = (plan.per_content, f64::from(plan.label_percent) / 100.0);
        simulator.publish_bulk(&Bulk { contents, records_per_content, label_share, age_seconds: 6 * 86_400 });
        simulators.push(simulator);
    }
    let environment = |simulator: &Simulator| BTreeMap::from_iter(simulator.environment());
    println!("{}", serde_json::to_string(&simulators.iter().map(environment).collect::<Vec<_>>()).unwrap());
    tokio::task::spawn_blocking(|| std::io::stdin().lock().read_line(&mut String::new())).await.unwrap().unwrap();
    let reports: Vec<_> = simulators.iter().map(Simulator::report).collect();
    let sum = |figure: fn(&labelstream_simulator::Report) -> u64| reports.iter().map(figure).sum::<u64>();
    println!(
        "{}",
        json!({
            "missing": sum(|report| report.missing as u64), "surplus": sum(|report| report.surplus_rows as u64),
            "arrived": sum(|report| report.arrived as u64),
        })
    );
}

/// Processor time of this process so far, in seconds: user and system, as the system counts it, in hundredths.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let times = after_name.split_whitespace().skip(11).take(2);
    times.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// The most that was resident of this process.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
