//! A week of backlog, in one run and in several.

use std::time::Duration;

use labelstream_simulator::{Bulk, Config, Endpoint, History};

use crate::world::{World, tick};

#[tokio::test(flavor = "multi_thread")]
async fn a_week_arrives_in_windows_that_the_feed_accepts() {
    let world = World::with_small_pages().await;
    world.simulator.publish_history(&History { records: 6_000, label_share: 0.3, ..History::default() });
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    // The simulator refuses a window over 24 hours or one that starts over 7 days ago.
    let requests = world.simulator.requests();
    assert_eq!(requests.answers[&Endpoint::List].keys().collect::<Vec<_>>(), [&200], "{requests:?}");
    assert!(requests.by_endpoint[&Endpoint::List] >= 3 * 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_that_outlasts_the_budget_arrives_over_several_runs() {
    let mut world = World::new(Config { latency: Duration::from_millis(150), ..Config::default() }).await;
    world.set("RUN_BUDGET_SECONDS", "10");
    let bulk = Bulk { contents: 1_800, records_per_content: 5, label_share: 0.4, age_seconds: 5 * 86_400 };
    world.simulator.publish_bulk(&bulk);
    let mut host = world.start().await;
    let mut runs = 0;
    loop {
        let (same, answered) = tick(host).await;
        assert_eq!(answered.status, 200, "a run that is not done has not failed: {answered:?}");
        host = same;
        runs += 1;
        let report = world.simulator.report();
        if report.missing == 0 {
            break;
        }
        assert!(runs < 10, "no end in sight: {report:?}");
        assert!(answered.logs().concat().contains("unfinished"), "{answered:?}");
    }
    assert!(runs > 1, "the budget was meant to be too short");
    world.assert_delivered();
}
