//! A large backlog under a limit of memory.

use std::time::{Duration, Instant};

use labelstream_simulator::{Bulk, Config};

use crate::{
    host::Host,
    world::{World, tick},
};

/// The limit of the process.
const LIMIT: u64 = 256 * 1024 * 1024;

/// Records of one content.
const PER_CONTENT: u32 = 1_000;

/// A backlog of so many records over six days, 40 % label events, read by one process with 256 MiB of data at most,
/// which has the default settings. Prints the figures; whether all arrived, once.
pub async fn play(records: u64, seed: u64) -> bool {
    let config = Config { seed, page_size: 200, keep_rows: false, ..Config::default() };
    let world = World::new(config).await;
    let contents = records.div_ceil(PER_CONTENT.into());
    let bulk = Bulk { contents, records_per_content: PER_CONTENT, label_share: 0.4, ..Bulk::default() };
    let published = world.simulator.publish_bulk(&bulk);
    println!("{} contents with {} records, {} label events", contents, published.records, published.label_events);
    let settings = world.settings.clone();
    let mut host = tokio::task::spawn_blocking(move || Host::start_within(&settings, LIMIT)).await.unwrap();
    let (begun, mut runs) = (Instant::now(), 0);
    loop {
        let (same, answered) = tick(host).await;
        host = same;
        runs += 1;
        let report = world.simulator.report();
        println!("run {runs}: {}, {} missing; {}", answered.status, report.missing, memory(&host));
        if answered.status != 200 {
            println!("{}", answered.body);
            return false;
        }
        if report.missing == 0 || begun.elapsed() > Duration::from_secs(3_600) {
            break;
        }
    }
    let (report, time) = (world.simulator.report(), begun.elapsed().as_secs_f64());
    let totals = &report.totals;
    let (limit, peak) = (LIMIT / 1024 / 1024, host.peak_memory().unwrap_or(u64::MAX));
    println!(
        "\n| backlog | figure |\n|---|--:|\n| records | {} |\n| label events | {} |\n| arrived | {} |\n| missing | {} |\n\
         | unexpected | {} |\n| doubled | {} |\n| posts | {} |\n| runs | {runs} |\n| seconds | {time:.1} |\n\
         | peak memory of the process, MiB | {:.1} |\n| limit of its data, MiB | {limit} |",
        totals.published_records,
        report.published,
        report.arrived,
        report.missing,
        report.unexpected,
        report.doubled,
        totals.posts,
        peak as f64 / 1024.0 / 1024.0,
    );
    report.is_clean() && report.surplus_rows == 0 && peak < LIMIT
}

/// What the kernel counts of a process, in its own words.
fn memory(host: &Host) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.id())).unwrap_or_default();
    let lines = status.lines().filter(|line| ["VmHWM", "VmData", "VmPeak"].iter().any(|name| line.starts_with(name)));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}
