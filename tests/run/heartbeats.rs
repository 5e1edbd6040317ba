//! Each run leaves its row in the table of runs and a record in the state, and neither can fail it.

use labelstream::{
    health::{Outcome, Ring, RunRecord, Started, runs_key},
    state::Store as _,
    watermark::Memory,
};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, RetryAfter, When};
use serde_json::{Value, json};

use crate::{
    azurite::{Azurite, KEY, connection_string},
    front::Front,
    host::{Host, Stream},
    world::{World, minutes_ago, tick},
};

/// The invocation id of `timer-later.http`.
const INVOCATION: &str = "48a1b9e8-26bf-418b-835a-9ec11edac442";

/// The rows of runs that arrived, each as the stream declares it.
fn rows(world: &World) -> Vec<Value> {
    let heartbeats = world.simulator.heartbeats();
    for heartbeat in &heartbeats {
        assert!(heartbeat.flaws.is_empty(), "the stream does not take {:?} of {}", heartbeat.flaws, heartbeat.row);
    }
    heartbeats.iter().map(|heartbeat| serde_json::from_str(heartbeat.row.get()).unwrap()).collect()
}

/// The runs that the state remembers.
async fn remembered(world: &World) -> Vec<RunRecord> {
    let stored = world.store().get(&runs_key(&world.simulator.tenant().id)).await.unwrap();
    let (ring, note) = stored.map(|(body, _)| Ring::parse(&body)).unwrap_or_default();
    assert_eq!(note, None);
    ring.into_runs()
}

fn warnings(host: &Host) -> Vec<String> {
    host.lines().into_iter().filter(|(stream, _)| *stream == Stream::Err).map(|(_, line)| line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_sends_its_row_and_is_remembered_also_where_there_was_nothing_to_do() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(2);
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let delivered = world.assert_delivered();
    let (_host, _) = tick(host).await;

    let rows = rows(&world);
    assert_eq!(rows.len(), 2, "a quiet tenant is heard of");
    assert_eq!(rows[0]["RunId"], INVOCATION);
    assert_eq!(rows[0]["OrganizationId"], world.simulator.tenant().id.as_str());
    assert_eq!((&rows[0]["Outcome"], &rows[0]["Error"]), (&json!("Done"), &json!("")));
    assert_eq!(rows[0]["Rows"].as_u64(), Some(delivered.totals.rows));
    assert_eq!(rows[0]["LabelEvents"].as_u64(), Some(delivered.published));
    assert_eq!(rows[0]["ContentsRead"], 6);
    assert!(!rows[0]["Host"].as_str().unwrap().is_empty());
    assert!(rows[0]["ContentTypes"]["Audit.General"]["listedThrough"].is_string());
    assert_eq!((&rows[1]["Rows"], &rows[1]["Posts"]), (&json!(0), &json!(0)));
    assert_eq!(world.assert_delivered().totals, delivered.totals, "rows of runs are no label rows");

    let runs = remembered(&world).await;
    assert_eq!(runs.len(), 2, "the newest last");
    assert_eq!(
        (runs[0].outcome, runs[0].trigger, runs[0].run_id.as_str()),
        (Outcome::Done, Started::Timer, INVOCATION)
    );
    assert_eq!((runs[0].figures.rows, runs[1].figures.rows), (delivered.totals.rows, 0));
    assert!(runs[0].ended_at <= runs[1].started_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_sends_its_row_too() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(1);
    world.simulator.fault(Fault::new(Endpoint::Ingest, When::Always, Effect::not_granted())).unwrap();
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 500);
    let rows = rows(&world);
    assert_eq!((rows.len(), &rows[0]["Outcome"]), (1, &json!("Failed")));
    assert!(rows[0]["Error"].as_str().unwrap().contains("Monitoring Metrics Publisher"), "{}", rows[0]);
    assert!(rows[0]["LagSeconds"].as_i64().unwrap() > 0, "what is not delivered lags");
    let runs = remembered(&world).await;
    assert_eq!((runs.len(), runs[0].outcome), (1, Outcome::Failed));
    assert_eq!(runs[0].error.as_deref(), answered.body["error"].as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_its_state_sends_its_row_and_knows_no_lag() {
    let mut world = World::with_small_pages().await;
    let front = Front::before(Azurite::shared().port()).await;
    world.set("AzureWebJobsStorage", &connection_string(front.port(), KEY));
    front.refuse(&world.container, 403, "AuthorizationFailure");
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 500);
    let rows = rows(&world);
    assert_eq!((rows.len(), &rows[0]["Outcome"], &rows[0]["LagSeconds"]), (1, &json!("Failed"), &Value::Null));
    let lines = warnings(&host);
    assert_eq!(lines.len(), 1, "the failure is told once: {lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_without_the_stream_costs_one_warning_and_no_run() {
    let world = World::new(Config { has_runs_stream: false, ..Config::default() }).await;
    world.publish_an_hour(1);
    let mut host = world.start().await;
    for _ in 0..3 {
        let (same, answered) = tick(host).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        host = same;
    }
    world.assert_delivered();
    let lines = warnings(&host);
    assert_eq!(lines.len(), 1, "once a process: {lines:?}");
    assert!(lines[0].contains(" WARN ") && lines[0].contains("Custom-LabelstreamRuns_CL"), "{lines:?}");
    assert!(lines[0].contains("infra/main.bicep"), "and what to do: {lines:?}");
    assert_eq!(world.simulator.requests().by_endpoint[&Endpoint::Heartbeat], 3, "one POST each");
    assert_eq!(remembered(&world).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_runs_that_are_refused_cost_one_warning_and_no_run() {
    let world = World::with_small_pages().await;
    world.simulator.fault(Fault::new(Endpoint::Heartbeat, When::Always, Effect::not_granted())).unwrap();
    let mut host = world.start().await;
    for _ in 0..2 {
        world.simulator.publish(ContentType::General, minutes_ago(5.0), 3, 3);
        let (same, answered) = tick(host).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        host = same;
    }
    world.assert_delivered();
    let lines = warnings(&host);
    assert!(lines.len() == 1 && lines[0].contains("Monitoring Metrics Publisher"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_run_waits_to_be_heard_of_by_a_rule_that_is_throttled() {
    let mut world = World::with_small_pages().await;
    world.set("RUN_BUDGET_SECONDS", "60");
    world.publish_an_hour(1);
    let throttled = || Effect::throttled(RetryAfter::Seconds(600));
    world.simulator.fault(Fault::new(Endpoint::Ingest, When::First(1), throttled())).unwrap();
    let mut host = world.start().await;
    for _ in 0..2 {
        let (same, answered) = tick(host).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        host = same;
    }
    assert_eq!(
        world.simulator.requests().by_endpoint.get(&Endpoint::Heartbeat),
        None,
        "what asks to wait is not asked"
    );
    let lines: Vec<_> = warnings(&host).into_iter().filter(|line| line.contains("the row of this run")).collect();
    assert!(lines.len() == 1 && lines[0].contains("the data collection rule is throttled"), "{lines:?}");
    assert_eq!(remembered(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_the_last_save_and_the_row_does_not_matter() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(2);
    world.simulator.fault(Fault::new(Endpoint::Heartbeat, When::First(1), Effect::Delay(600_000))).unwrap();
    let host = world.start().await;
    let connection = host.begin(&crate::host::request("timer-later.http"));
    while !world.simulator.requests().by_endpoint.contains_key(&Endpoint::Heartbeat) {
        tokio::task::yield_now().await;
    }
    // The lock is given back beside it.
    while world.store().is_locked(&Memory::lock_key(&world.simulator.tenant().id)).await.unwrap() {
        tokio::task::yield_now().await;
    }
    host.kill();
    drop(connection);
    let delivered = world.assert_delivered();
    world.simulator.clear_faults();
    let (_host, answered) = tick(world.start().await).await;
    assert!(answered.logs()[0].starts_with("0 contents read"), "all was saved, and no lock is left: {answered:?}");
    assert_eq!(world.assert_delivered().totals, delivered.totals);
    assert_eq!(rows(&world).len(), 1, "the run that was killed is not heard of");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_not_taken_is_tried_once_more_and_never_again() {
    let world = World::with_small_pages().await;
    world.simulator.fault(Fault::new(Endpoint::Heartbeat, When::First(1), Effect::status(503))).unwrap();
    let (host, answered) = tick(world.start().await).await;
    assert_eq!((answered.status, rows(&world).len()), (200, 1));
    world.simulator.clear_faults();
    world.simulator.fault(Fault::new(Endpoint::Heartbeat, When::Always, Effect::status(503))).unwrap();
    let (host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(world.simulator.requests().by_endpoint[&Endpoint::Heartbeat], 2 + 2);
    assert_eq!(warnings(&host).len(), 1, "{:?}", warnings(&host));
    assert_eq!((rows(&world).len(), remembered(&world).await.len()), (1, 2));
    // Once one arrived, it is worth a word if the next does not.
    world.simulator.clear_faults();
    let (host, _) = tick(host).await;
    world.simulator.fault(Fault::new(Endpoint::Heartbeat, When::Always, Effect::status(503))).unwrap();
    let (host, _) = tick(tick(host).await.0).await;
    assert_eq!((rows(&world).len(), warnings(&host).len()), (2, 2), "{:?}", warnings(&host));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_finds_another_under_way_is_not_told_of() {
    let mut world = World::with_small_pages().await;
    let front = Front::before(Azurite::shared().port()).await;
    world.set("AzureWebJobsStorage", &connection_string(front.port(), KEY));
    let (host, _) = tick(world.start().await).await;
    drop(host);
    front.take_seen();
    let lock = world.store().lock(&Memory::lock_key(&world.simulator.tenant().id)).await.unwrap().unwrap();
    let (_host, answered) = tick(world.start().await).await;
    assert!(answered.logs()[0].starts_with("Another run is under way"), "{answered:?}");
    let seen = front.take_seen();
    assert!(seen.iter().all(|line| line.contains("comp=lease")), "nothing is read in vain: {seen:#?}");
    lock.release().await.unwrap();
    assert_eq!((rows(&world).len(), remembered(&world).await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_cannot_be_remembered_are_good_runs_with_a_warning() {
    let mut world = World::with_small_pages().await;
    let front = Front::before(Azurite::shared().port()).await;
    world.set("AzureWebJobsStorage", &connection_string(front.port(), KEY));
    world.simulator.publish(ContentType::General, minutes_ago(5.0), 3, 3);
    front.refuse("runs.json", 403, "AuthorizationFailure");
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    let lines = warnings(&host);
    assert!(lines.len() == 1 && lines[0].contains("last runs"), "{lines:?}");
    assert_eq!(rows(&world).len(), 1, "the row goes its own way");
}
