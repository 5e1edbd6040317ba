//! Under the Functions host, with the state in Azurite: one process for many runs.

use labelstream::{
    labels::Stored,
    state::{Expect, Store as _},
};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, When};
use serde_json::Value;

use crate::{
    host::{Stream, request},
    share::Share,
    shell::{A_DAY, changed},
    world::{World, minutes_ago, tick},
};

fn rows(world: &World) -> Vec<Value> {
    world.simulator.rows().iter().map(|row| serde_json::from_str(row.get()).unwrap()).collect()
}

fn asked(world: &World) -> u64 {
    world.simulator.requests().by_endpoint.get(&Endpoint::Labels).copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_asks_once_and_learns_of_a_new_label_in_the_run_that_meets_it() {
    let world = World::new(Config::default()).await;
    world.publish_an_hour(4);
    let mut host = world.start().await;
    for _ in 0..3 {
        let answered;
        (host, answered) = tick(host).await;
        let lines = answered.logs().join("\n");
        assert!(lines.contains("12 labels known by name, listed"), "{lines}");
    }
    assert_eq!(asked(&world), 1);
    let made = world.simulator.create_label("Made later", None);
    world.simulator.publish_records(ContentType::General, minutes_ago(2.0), [changed("late", &made, &made)]);
    (host, _) = tick(host).await;
    assert_eq!(asked(&world), 2);
    let rows = rows(&world);
    let late = rows.iter().find(|row| row["AuditRecordId"] == "late").unwrap();
    assert_eq!(late["SensitivityLabelName"], "Made later");
    // Another process knows it without asking.
    host.kill();
    (host, _) = tick(world.start().await).await;
    assert_eq!(asked(&world), 2);
    let known: Vec<_> = rows.iter().filter(|row| row["AuditRecordId"] != "late").cloned().collect();
    let share = Share::of(&world.simulator, &known);
    assert_eq!(share.named, share.rows);
    world.assert_delivered();
    drop(host);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_is_a_line_of_warning_once_and_told_by_each_run_until_it_ends() {
    let world = World::new(Config::default()).await;
    world.publish_an_hour(2);
    world.simulator.fault(Fault::new(Endpoint::Labels, When::Always, Effect::status(403))).unwrap();
    let mut host = world.start().await;
    for _ in 0..3 {
        let answered;
        (host, answered) = tick(host).await;
        let told =
            answered.logs().iter().filter(|line| line.starts_with("label names are missing: Microsoft Graph")).count();
        assert_eq!(told, 1, "{answered:?}");
    }
    let warned = |lines: &[(Stream, String)]| {
        lines.iter().filter(|(stream, line)| *stream == Stream::Err && line.contains("label names are missing")).count()
    };
    assert_eq!(warned(&host.lines()), 1, "{:?}", host.lines());
    let status = host.send(&request("status-get.http"));
    let body = status.body.to_string();
    assert!(body.contains("Label events arrive, but label names are missing"), "{body}");
    world.assert_delivered();
    assert_eq!(asked(&world), 1);

    // What another process does about it, `labelstream labels --refresh` for one, is known to the next run.
    world.simulator.clear_faults();
    let (store, key) = (world.store(), Stored::key(&world.simulator.tenant().id));
    let (body, _) = store.get(&key).await.unwrap().unwrap();
    let mut stored = Stored::parse(&body).unwrap();
    stored.failure.as_mut().unwrap().at -= A_DAY;
    store.put(&key, stored.to_json().unwrap().into(), &Expect::Any).await.unwrap();
    // The run's own memory of the failure is younger; it is kept, and the hour goes on.
    (host, _) = tick(host).await;
    assert_eq!(asked(&world), 1);
    let mut mended = stored.clone();
    mended.take(labelstream::labels::Listed::default(), time::OffsetDateTime::now_utc());
    store.put(&key, mended.to_json().unwrap().into(), &Expect::Any).await.unwrap();
    let answered;
    (host, answered) = tick(host).await;
    assert!(!answered.logs().concat().contains("label names are"), "{answered:?}");
    drop(host);
}

/// The budget of a run is not spent on Graph: it may take a tenth of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_graph_that_hangs_leaves_the_run_its_time() {
    let mut world = World::new(Config::default()).await;
    world.set("RUN_BUDGET_SECONDS", "30");
    world.publish_an_hour(6);
    world.simulator.fault(Fault::new(Endpoint::Labels, When::Always, Effect::Delay(600_000))).unwrap();
    let (_host, answered) = tick(world.start().await).await;
    assert!(answered.logs().concat().contains("gave no answer within 3 s"), "{answered:?}");
    world.assert_delivered();
}
