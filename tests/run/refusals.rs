//! An endpoint that refuses rows: whether the rows are to blame, or the endpoint.

use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, When};

use crate::{inside::Inside, world::minutes_ago};

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_refuses_every_row_fails_the_run_and_nothing_advances() {
    let inside = Inside::new().await;
    inside.simulator.publish(ContentType::General, minutes_ago(20.0), 5, 5);
    inside.simulator.fault(Fault::new(Endpoint::Ingest, When::Always, Effect::status(400))).unwrap();
    for _ in 0..2 {
        let said = inside.run(60).await.unwrap_err().to_string();
        assert!(said.contains("LOGS_DCR_STREAM_NAME") && said.contains("the table"), "{said}");
        assert_eq!(inside.letters().await, []);
    }
    inside.simulator.clear_faults();
    inside.run(60).await.unwrap();
    inside.assert_delivered();
    assert_eq!(inside.letters().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_stay_behind_for_eight_runs_block_no_longer() {
    let inside = Inside::new().await;
    inside.simulator.publish(ContentType::General, minutes_ago(20.0), 2, 5);
    inside.simulator.fault(Fault::new(Endpoint::Ingest, When::Always, Effect::status(400))).unwrap();
    for run in 1..=7 {
        assert!(inside.run(60).await.is_err(), "run {run}");
    }
    assert_eq!(inside.letters().await, []);
    let summary = inside.run(60).await.unwrap();
    assert_eq!((summary.dead_letters, inside.letters().await.len()), (2, 2));
    let summary = inside.run(60).await.unwrap();
    assert_eq!(summary.contents_read, 0, "the content is settled");
    // Another bad row has its eight runs again.
    inside.simulator.publish(ContentType::General, minutes_ago(10.0), 1, 0);
    assert!(inside.run(60).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_while_another_is_accepted_is_set_aside() {
    let inside = Inside::new().await;
    inside.simulator.publish(ContentType::General, minutes_ago(20.0), 2, 5);
    // Both rows together, then the first one alone.
    inside.simulator.fault(Fault::new(Endpoint::Ingest, When::First(2), Effect::status(400))).unwrap();
    let summary = inside.run(60).await.unwrap();
    assert_eq!((summary.rows, summary.dead_letters, inside.letters().await.len()), (1, 1, 1));
}
