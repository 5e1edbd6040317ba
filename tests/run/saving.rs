//! Saves that fail, a storage that hangs, and what the next run then knows.

use std::time::Duration;

use bytes::Bytes;
use labelstream::state::{Expect, Store as _};
use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, When};
use tokio_util::sync::CancellationToken;

use crate::{
    inside::{Failing, Inside},
    world::minutes_ago,
};

/// Rows for several batches.
fn publish_batches(inside: &Inside) {
    for number in 0..20 {
        inside.simulator.publish(ContentType::General, minutes_ago(50.0 - f64::from(number)), 300, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_fails_costs_no_row_twice() {
    for (call, part, passing) in [
        ("append", "/records/", 0),
        ("append", "/contents/", 0),
        ("put", "/watermark.json", 0),
        ("put", "/watermark.json", 1),
    ] {
        for failing in [Failing::Refused, Failing::AnswerLost] {
            let inside = Inside::new().await;
            publish_batches(&inside);
            inside.store.fail(call, part, passing, failing);
            let failed = inside.run(60).await.unwrap_err();
            assert!(inside.store.all_failed() && failed.reasons() == [format!("state: {}: HTTP 503", key(&failed))]);
            inside.run(60).await.unwrap();
            inside.assert_delivered();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_write_of_an_earlier_run_ends_no_run_and_costs_no_row_twice() {
    for (call, part) in [("append", "/records/"), ("append", "/contents/"), ("put", "/watermark.json")] {
        let inside = Inside::new().await;
        publish_batches(&inside);
        inside.store.fail(call, part, 0, Failing::Overtaken);
        let first = inside.run(60).await;
        inside.run(60).await.unwrap();
        inside.assert_delivered();
        assert!(inside.store.all_failed() && first.is_ok(), "{part}: {first:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_contents_are_saved_at_once_and_one_that_fails_costs_no_other() {
    for fails in [false, true] {
        let inside = Inside::new().await;
        for days in 0..3 {
            inside.simulator.publish(ContentType::General, minutes_ago(10.0 + 1_440.0 * f64::from(days)), 3, 0);
        }
        if fails {
            inside.store.fail("append", "/contents/", 0, Failing::Refused);
        }
        for _ in 0..2 {
            inside.store.fail("append", "/contents/", 0, Failing::Together);
        }
        assert_eq!(inside.run(60).await.is_err(), fails);
        assert!(inside.store.all_failed());
        inside.run(60).await.unwrap();
        inside.assert_delivered();
        let fetched_again = inside.simulator.requests().retrieved_again.len();
        assert_eq!(fetched_again, usize::from(fails), "the others were saved");
    }
}

/// The key that a failed run names.
fn key(failed: &labelstream::pull::RunFailed) -> String {
    failed.reasons()[0].split(": ").nth(1).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_hangs_ends_with_the_budget_and_what_was_answered_is_saved() {
    let inside = Inside::new().await;
    publish_batches(&inside);
    inside.store.fail("append", "/records/", 0, Failing::Hangs);
    let failed = inside.run_that_hangs().await.unwrap_err();
    let said = failed.reasons().join("; ");
    assert!(said.contains("posting, saving did not end before the end of RUN_BUDGET_SECONDS"), "{said}");
    inside.run(60).await.unwrap();
    inside.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_hangs_is_named_and_the_run_is_saved_all_the_same() {
    let inside = Inside::new().await;
    inside.simulator.publish(ContentType::General, minutes_ago(20.0), 5, 5);
    inside.store.fail("get", "/contents/Audit.General/", 0, Failing::Hangs);
    let said = inside.run_that_hangs().await.unwrap_err().to_string();
    assert!(said.contains("listing Audit.General") && said.contains("did not end"), "{said}");
    let document = format!("{}/watermark.json", inside.simulator.tenant().id);
    assert!(inside.store.get(&document).await.unwrap().is_some(), "it was saved at the end");
    inside.run(60).await.unwrap();
    inside.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_hangs_or_fails_harms_its_own_listing_alone() {
    for failing in [Failing::Hangs, Failing::Refused] {
        let inside = Inside::new().await;
        inside.simulator.publish(ContentType::SharePoint, minutes_ago(20.0), 5, 5);
        // Several days, and several batches: the others read and write on while that one waits.
        for content_type in [ContentType::General, ContentType::Exchange] {
            for day in 0..6 {
                inside.simulator.publish(content_type, minutes_ago(f64::from(day) * 24.0 * 60.0 + 20.0), 300, 0);
            }
        }
        inside.store.fail("get", "/contents/Audit.SharePoint/", 0, failing);
        let said = inside.run_that_hangs().await.unwrap_err().to_string();
        let named = if failing == Failing::Hangs { "listing Audit.SharePoint" } else { "/contents/Audit.SharePoint/" };
        assert!(said.contains(named) && !said.contains("General") && !said.contains("Exchange"), "{said}");
        assert_eq!(inside.simulator.report().missing, 5, "{failing:?}: what the others list arrives");
        let summary = inside.run(60).await.unwrap();
        assert_eq!(summary.contents_read, 1, "{failing:?}: the others were saved");
        inside.assert_delivered();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_does_not_answer_ends_the_run_before_it_begins() {
    for (call, part) in [("lock", "/lock"), ("get", "/watermark.json")] {
        let inside = Inside::new().await;
        inside.simulator.publish(ContentType::General, minutes_ago(20.0), 5, 5);
        inside.store.fail(call, part, 0, Failing::Hangs);
        let said = inside.run(1).await.unwrap_err().to_string();
        assert!(said.contains(part) && said.contains("did not answer in time"), "{said}");
        inside.run(60).await.unwrap();
        inside.assert_delivered();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_under_way_when_the_run_ends_is_waited_for() {
    // A stop, and another batch that ends the run: in both cases the answer takes longer than any pause before it.
    for refused in [false, true] {
        let inside = Inside::new().await;
        publish_batches(&inside);
        let slow = Effect::DelayAnswer(7_000);
        inside.simulator.fault(Fault::new(Endpoint::Ingest, When::First(2), slow)).unwrap();
        if refused {
            inside.simulator.fault(Fault::new(Endpoint::Ingest, When::Nth(3), Effect::not_granted())).unwrap();
        }
        let stop = CancellationToken::new();
        let run = inside.run_until(240, stop.clone());
        tokio::pin!(run);
        let posted = async {
            while inside.simulator.requests().by_endpoint.get(&Endpoint::Ingest).is_none_or(|posts| *posts < 2) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let ended = tokio::select! {
            ended = &mut run => ended,
            () = posted => {
                if !refused {
                    stop.cancel();
                }
                run.await
            }
        };
        assert_eq!(ended.is_err(), refused, "{ended:?}");
        inside.simulator.clear_faults();
        inside.run(60).await.unwrap();
        inside.assert_delivered();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_set_aside_is_followed_by_all_that_the_feed_serves() {
    let inside = Inside::new().await;
    inside.simulator.publish(ContentType::General, minutes_ago(5.0 * 24.0 * 60.0), 5, 5);
    let document = format!("{}/watermark.json", inside.simulator.tenant().id);
    inside.store.put(&document, Bytes::from_static(b"{\"format\":1}"), &Expect::Absent).await.unwrap();
    let mut connector = inside.connector();
    connector.initial_lookback = Duration::from_secs(3600);
    inside.run_with(connector, 60).await.unwrap();
    inside.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn old_contents_are_forgotten_with_the_first_check_of_a_day() {
    let inside = Inside::new().await;
    let tenant = &inside.simulator.tenant().id;
    let old = format!("{tenant}/contents/Audit.General/2020-01-01.ids");
    inside.store.append(&old, 0, Bytes::from(vec![1; 16])).await.unwrap();
    inside.store.fail("delete", "/contents/", 0, Failing::Refused);
    inside.run(60).await.unwrap();
    assert!(inside.store.all_failed() && inside.store.get(&old).await.unwrap().is_some(), "a failure is no failed run");
    // As on another day.
    inside.store.delete(&format!("{tenant}/watermark.json")).await.unwrap();
    inside.run(60).await.unwrap();
    assert_eq!(inside.store.get(&old).await.unwrap(), None);
}
