//! A tenant that hangs has taken all that there is to share: the others go on, and in the end it is all given back.

use std::time::Duration;

use labelstream::pull::{Budget, Limits};
use labelstream_simulator::{Config, Effect, Endpoint, Fault, When};

use crate::provider::{Provider, plenty};

/// The tenants beside the one that hangs.
const OTHERS: usize = 5;

/// A run that is given up after some seconds, and has time to save.
fn short() -> Budget {
    let seconds = Duration::from_secs;
    Budget {
        last_work: seconds(4),
        last_post: seconds(5),
        last_answer: seconds(1),
        last_wait: seconds(6),
        end: seconds(60),
    }
}

/// Begins a run of tenant 0 that hangs at `endpoint`, and once it has taken `hanging` places there, runs of the others.
async fn hang(endpoint: Endpoint, hanging: usize) {
    let config = Config { page_size: 1_000, ..Config::default() };
    let under_way = config.under_way.clone();
    let provider = Provider::new(1 + OTHERS, config).await;
    provider.simulators[0].fault(Fault::new(endpoint, When::Always, Effect::Delay(600_000))).unwrap();
    provider.publish(0, 120, 100, 1.0);
    (1..=OTHERS).for_each(|other| provider.publish(other, 12, 100, 1.0));
    let mut hung = provider.begin([0], short());
    while under_way.now(endpoint) < hanging {
        assert!(hung.try_join_next().is_none(), "it hangs");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let taken = provider.capacity.shared_in_use();
    assert!(taken > 0);
    let mut others = provider.begin(1..=OTHERS, plenty());
    while let Some(other) = others.join_next().await {
        let (tenant, run) = other.unwrap();
        run.unwrap();
        provider.assert_delivered(tenant);
        assert!(hung.try_join_next().is_none(), "nobody had to wait for its end");
    }
    let (_, ended) = hung.join_next().await.unwrap().unwrap();
    assert!(ended.is_err(), "a run that hung has failed");
    assert_eq!(provider.capacity.shared_in_use(), 0, "all is given back");

    provider.simulators[0].clear_faults();
    let (_, again) = provider.begin([0], plenty()).join_next().await.unwrap().unwrap();
    again.unwrap();
    let report = provider.simulators[0].report();
    assert_eq!(report.missing, 0, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_that_hang_hold_up_no_other_tenant() {
    hang(Endpoint::Retrieve, 36).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_that_hang_hold_up_no_other_tenant() {
    hang(Endpoint::Ingest, Limits::PROCESS.posts.alone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_dropped_leaves_nothing_taken() {
    let config = Config { page_size: 1_000, ..Config::default() };
    let under_way = config.under_way.clone();
    let provider = Provider::new(1, config).await;
    provider.simulators[0].fault(Fault::new(Endpoint::Ingest, When::Always, Effect::Delay(600_000))).unwrap();
    provider.publish(0, 120, 100, 1.0);
    let mut run = provider.begin([0], plenty());
    while under_way.now(Endpoint::Ingest) < Limits::PROCESS.posts.alone() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(provider.capacity.shared_in_use() > 0);
    run.shutdown().await;
    // Its tasks are told to end, and each does so at its next pause.
    while provider.capacity.shared_in_use() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
