//! An endpoint that refuses rows: whether the rows are to blame, or the endpoint.

use labelstream::dead_letter::Kind;
use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, When};

use crate::{inside::Inside, world::minutes_ago};

/// Publishes a content of `records` label events whose rows the endpoint refuses once [`refuse_unfit`] is on. `content`
/// tells contents apart.
fn publish_unfit(inside: &Inside, content: u32, records: u32, minutes: f64, padding: usize) {
    let padding = "x".repeat(padding);
    let record = |number: u32| {
        format!(
            r#"{{"Id":"6b9f9c3e-98a2-4f5f-8c0a-{content:04}{number:08}","RecordType":83,"ObjectId":"unfit {padding}","CreationTime":"2026-11-20T10:00:00","Operation":"SensitivityLabelApplied"}}"#
        )
    };
    inside.simulator.publish_records(ContentType::General, minutes_ago(minutes), (0..records).map(record));
}

fn refuse_unfit(inside: &Inside) {
    let refused = Fault::new(Endpoint::Ingest, When::Always, Effect::status(400)).holding("unfit");
    inside.simulator.fault(refused).unwrap();
}

/// Asserts that all but `bad` rows arrived, each once, and that these are dead letters.
async fn assert_only_bad(inside: &Inside, bad: usize) {
    let report = inside.simulator.report();
    assert_eq!((report.missing, report.unexpected, report.surplus_rows), (bad as u64, 0, 0), "{report:#?}");
    let letters = inside.letters().await;
    assert_eq!(letters.iter().filter(|letter| letter.kind == Kind::Row).count(), bad);
    assert!(letters.iter().all(|letter| letter.body.as_ref().is_some_and(|row| row.contains("unfit"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_bad_rows_alone_is_set_aside_where_others_are_accepted_before_or_after_it() {
    for minutes in [50.0, 5.0] {
        let inside = Inside::new().await;
        refuse_unfit(&inside);
        // A megabyte and more, so that a batch holds nothing else, and as much beside it.
        publish_unfit(&inside, 1, 20, minutes, 60_000);
        inside.simulator.publish(ContentType::General, minutes_ago(20.0), 1_500, 0);
        let summary = inside.run(60).await.unwrap();
        assert_eq!((summary.dead_letters, summary.is_done()), (20, true), "{summary:?}");
        assert_only_bad(&inside, 20).await;
        let summary = inside.run(60).await.unwrap();
        assert_eq!((summary.contents_read, summary.dead_letters), (0, 0), "they are settled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_that_are_alone_wait_for_a_run_in_which_others_are_accepted() {
    let inside = Inside::new().await;
    refuse_unfit(&inside);
    publish_unfit(&inside, 1, 15, 50.0, 0);
    for _ in 0..9 {
        let said = inside.run(60).await.unwrap_err().to_string();
        assert!(said.contains("LOGS_DCR_STREAM_NAME"), "{said}");
        assert_eq!(inside.letters().await, []);
    }
    inside.simulator.publish(ContentType::General, minutes_ago(5.0), 3, 0);
    inside.run(60).await.unwrap();
    assert_only_bad(&inside, 15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_bad_rows_in_one_batch_cost_no_other_row_and_a_bounded_number_of_posts() {
    let inside = Inside::new().await;
    refuse_unfit(&inside);
    publish_unfit(&inside, 1, 600, 50.0, 0);
    let mut posts = 0;
    for run in 0.. {
        inside.simulator.publish(ContentType::General, minutes_ago(20.0), 1_500, 0);
        let summary = inside.run(240).await.unwrap();
        let made = inside.simulator.requests().by_endpoint[&Endpoint::Ingest] - posts;
        posts += made;
        assert!(made < 2_200, "{made} posts in one run");
        let report = inside.simulator.report();
        let (missing, surplus) = (report.missing, report.surplus_rows);
        // Some right between bad ones may wait for the next run.
        assert!(missing < 650 && surplus == 0, "the good rows arrive: {missing} missing, {surplus} twice");
        if summary.is_done() {
            assert!(run > 0, "it was meant to take several runs");
            break;
        }
        assert!(run < 6, "no end in sight: {summary:?}");
    }
    assert_only_bad(&inside, 600).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_refuses_every_row_fails_the_run_and_nothing_advances() {
    let inside = Inside::new().await;
    // One batch, and many.
    inside.simulator.publish(ContentType::General, minutes_ago(40.0), 5, 5);
    inside.simulator.fault(Fault::new(Endpoint::Ingest, When::Always, Effect::status(400))).unwrap();
    for _ in 0..2 {
        let said = inside.run(60).await.unwrap_err().to_string();
        assert!(said.contains("LOGS_DCR_STREAM_NAME") && said.contains("the table"), "{said}");
        assert_eq!(inside.letters().await, []);
        for number in 0..12 {
            inside.simulator.publish(ContentType::General, minutes_ago(20.0 - f64::from(number)), 600, 0);
        }
    }
    let posts = inside.simulator.requests().by_endpoint[&Endpoint::Ingest];
    assert!(posts < 1_000, "{posts} posts to an endpoint that takes none");
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
