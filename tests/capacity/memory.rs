//! What two dozen runs hold in memory at most, in a process of their own.

use std::{env, path::Path, process::Command};

use labelstream::{
    feed,
    pull::{Capacity, Request},
};
use labelstream_simulator::Config;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::provider::{Provider, connector, plenty};

/// This test, as the process that it starts runs it: with the app settings of all tenants in [`SETTINGS`].
const NAME: &str = "memory::two_dozen_runs_fit_into_128_mib";
const SETTINGS: &str = "TEST_SETTINGS_OF_TENANTS";
const STATE: &str = "TEST_STATE_OF_TENANTS";

const TENANTS: usize = 24;

#[tokio::test(flavor = "multi_thread")]
async fn two_dozen_runs_fit_into_128_mib() {
    if let Ok(settings) = env::var(SETTINGS) {
        return run_all(&settings).await;
    }
    let config = Config { gzip_contents: false, page_size: 1_000, hold_contents: true, ..Config::default() };
    let provider = Provider::new(TENANTS, config).await;
    provider.publish(0, 100, 200, 0.4);
    (1..TENANTS).for_each(|tenant| provider.publish(tenant, 20, 100, 0.6));
    let settings: Vec<_> = provider.simulators.iter().map(labelstream_simulator::Simulator::environment).collect();
    let state = tempfile::tempdir().unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", NAME, "--nocapture"]).env(STATE, state.path());
    child.env(SETTINGS, serde_json::to_string(&settings).unwrap());
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    (0..TENANTS).for_each(|tenant| provider.assert_delivered(tenant));
    let peak = said.lines().find_map(|line| line.strip_prefix("peak KiB: ")).unwrap().parse::<usize>().unwrap() / 1024;
    println!("the most memory was {peak} MiB");
    assert!(peak < 128, "{peak} MiB");
}

/// One run of each tenant, all at once.
async fn run_all(settings: &str) {
    let settings: Vec<Vec<(String, String)>> = serde_json::from_str(settings).unwrap();
    let (http, capacity) = (feed::http_client().unwrap(), Capacity::default());
    let state = env::var(STATE).unwrap();
    let mut runs = JoinSet::new();
    for (number, settings) in settings.iter().enumerate() {
        let connector = connector(settings, &http, &Path::new(&state).join(number.to_string()), &capacity);
        runs.spawn(async move { connector.run(Request::new(None, plenty()), CancellationToken::new()).await });
    }
    for run in runs.join_all().await {
        run.unwrap();
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("peak KiB: {}", peak.trim().trim_end_matches(" kB"));
}
