//! What a run holds in memory at most.

use labelstream::{state::Store as _, watermark::content_id};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, When};

use crate::{
    host::Host,
    world::{World, minutes_ago, tick},
};

const MIB: usize = 1024 * 1024;

/// The most memory that the process had so far, in MiB.
fn peak(host: &Host) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

/// A label event of so many bytes.
fn record(content: usize, number: usize, bytes: usize) -> String {
    let head = format!(
        r#"{{"Id":"6b9f9c3e-98a2-4f5f-8c0a-{content:04}{number:08}","RecordType":83,"CreationTime":"2026-11-20T10:00:00","Operation":"SensitivityLabelApplied","ObjectId":""#
    );
    let padding = "x".repeat(bytes - head.len() - 2);
    format!("{head}{padding}\"}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_full_of_large_records_read_at_once_fit_into_a_small_function() {
    let world = World::new(Config { gzip_contents: false, ..Config::default() }).await;
    for content in 0..16 {
        let records = (0..2).map(|number| record(content, number, (4 - number) * MIB));
        world.simulator.publish_records(ContentType::General, minutes_ago(50.0 - content as f64), records);
    }
    // All of them are on their way at the same time.
    let slow = Effect::SlowBody { piece: MIB / 2, pause_ms: 50 };
    world.simulator.fault(Fault::new(Endpoint::Retrieve, When::Always, slow)).unwrap();
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let report = world.simulator.report();
    assert_eq!((report.missing, report.surplus_rows, report.arrived), (0, 0, 32));
    println!("the most memory was {} MiB", peak(&host));
    assert!(peak(&host) < 100, "{} MiB, where a function may have 256", peak(&host));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_records_remembered_fit_beside_the_work() {
    const IDS: u32 = 1_000_000;
    let world = World::new(Config::default()).await;
    let (store, tenant) = (world.store(), world.simulator.tenant().id.clone());
    // Five days of them.
    for ago in 1..=5 {
        let key = format!("{tenant}/records/{}.ids", minutes_ago(f64::from(ago) * 24.0 * 60.0).date());
        let ids = (0..IDS / 5).flat_map(|number| content_id(&format!("{ago} {number}")));
        store.append(&key, 0, ids.collect::<Vec<u8>>().into()).await.unwrap();
    }
    world.simulator.publish(ContentType::General, minutes_ago(30.0), 100, 100);
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    println!("the most memory was {} MiB", peak(&host));
    assert!(peak(&host) < 48, "{} MiB, where ten bytes a record are ten of them", peak(&host));
}
