//! What a status says of a state.

use time::{Duration, macros::datetime};

use super::*;
use crate::{
    content::Content,
    state::{Expect, Store, overlay::Overlay},
    watermark::{LookBack, Memory, Pending},
};

const NOW: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);
const GENERAL: ContentType = ContentType::General;

fn watermark(minutes: i64, pending: &[i64]) -> Watermark {
    let ago = |minutes| NOW - Duration::minutes(minutes);
    let pending = pending.iter().map(|&minutes| Pending {
        content: Content {
            content_type: GENERAL,
            id: "c".to_owned(),
            uri: "https://manage.office.com/c".to_owned(),
            created: ago(minutes),
            expires: None,
        },
        tries: 1,
        first_failed: NOW,
        reason: "reset".to_owned(),
    });
    Watermark { pending: pending.collect(), last_content: Some(ago(30)), ..Watermark::starting_at(ago(minutes)) }
}

async fn status(stored: &[(&str, Vec<u8>)], wanted: &[ContentType]) -> Status {
    let store = Overlay::default();
    for (key, body) in stored {
        store.put(key, body.clone().into(), &Expect::Any).await.unwrap();
    }
    read(&store, "t", wanted, NOW).await.unwrap()
}

fn document() -> Vec<u8> {
    let document = Document { content_types: [(GENERAL, watermark(5, &[120, 90]))].into(), ..Document::default() };
    document.to_json().unwrap()
}

#[tokio::test]
async fn the_lag_goes_by_the_oldest_that_is_left() {
    let stored = [("t/watermark.json", document()), ("t/dead-letters/row-1.json", b"{}".to_vec())];
    let status = status(&stored, &[GENERAL, ContentType::Exchange]).await;
    let kind = &status.content_types[&GENERAL];
    assert_eq!((status.lag_seconds, kind.lag_seconds), (Some(7_200), Some(7_200)));
    assert_eq!((kind.pending, kind.oldest_pending), (2, Some(NOW - Duration::minutes(120))));
    assert_eq!((kind.unfinished, kind.subscription), (None, SubscriptionState::Unknown));
    assert_eq!(status.content_types[&ContentType::Exchange], TypeStatus::default());
    assert_eq!((status.dead_letters.map(|letters| letters.number), status.run_under_way), (Some(1), Some(false)));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_left_out() {
    for body in [&b"\0"[..], br#"{"format":99}"#] {
        let status = status(&[("t/watermark.json", body.to_vec()), ("t/runs.json", b"{}".to_vec())], &[GENERAL]).await;
        assert_eq!((status.lag_seconds, status.runs.len()), (None, 0));
        assert!(status.document_error.unwrap().starts_with("t/watermark.json: "));
        assert!(status.runs_error.unwrap().starts_with("t/runs.json: "));
    }
    let nothing = status(&[], &[GENERAL]).await;
    assert_eq!((nothing.document_error, nothing.runs_error), (None, None));
}

#[tokio::test]
async fn a_lock_that_is_held_is_a_run_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::state::folder::FolderStore::open(folder.path()).unwrap();
    let under_way = async || read(&store, "t", &[], NOW).await.unwrap().run_under_way;
    let lock = store.lock(&Memory::lock_key("t")).await.unwrap().unwrap();
    assert_eq!(under_way().await, Some(true));
    lock.renew().await.unwrap();
    lock.release().await.unwrap();
    assert_eq!(under_way().await, Some(false));
}

#[test]
fn subscriptions_are_told_as_runs_last_found_them() {
    let checked = NOW - Duration::minutes(30);
    let state = |change: fn(&mut Watermark), checked| {
        let mut watermark = watermark(4, &[]);
        change(&mut watermark);
        SubscriptionState::remembered(&watermark, checked)
    };
    assert_eq!(state(|_| {}, None), SubscriptionState::Unknown);
    assert_eq!(state(|_| {}, Some(checked)), SubscriptionState::Enabled);
    let tried: fn(&mut Watermark) = |watermark| watermark.start_tried = Some(NOW - Duration::minutes(31));
    assert_eq!(state(tried, Some(checked)), SubscriptionState::NotStarted);
    assert_eq!(state(tried, Some(NOW)), SubscriptionState::Enabled, "else it would have been tried again");
    let started: fn(&mut Watermark) = |watermark| {
        watermark.start_tried = Some(NOW - Duration::minutes(31));
        watermark.note_start(NOW - Duration::minutes(31));
    };
    assert_eq!(state(started, Some(checked)), SubscriptionState::Started);
    let listed: fn(&mut Watermark) = |watermark| {
        watermark.start_tried = Some(NOW - Duration::minutes(31));
        watermark.note_start(NOW - Duration::minutes(31));
        watermark.looked_back(LookBack::Day, NOW);
    };
    assert_eq!(state(listed, Some(checked)), SubscriptionState::Enabled);
}

#[test]
fn what_the_feed_lists_now_takes_the_place_of_what_runs_found() {
    use SubscriptionState::{Disabled, Enabled, Missing, NotStarted, Started, Unknown};
    let listed = |state: SubscriptionState, entries: &[Option<&str>]| {
        let entry = |status: &Option<&str>| Subscription {
            content_type: "audit.general".to_owned(),
            status: status.map(str::to_owned),
        };
        state.listed(&entries.iter().map(entry).collect::<Vec<_>>(), GENERAL)
    };
    for remembered in [Unknown, Enabled, NotStarted] {
        assert_eq!(listed(remembered, &[]), Missing);
        assert_eq!(listed(remembered, &[Some("disabled")]), Disabled);
        assert_eq!(listed(remembered, &[Some("disabled"), None]), Enabled);
    }
    assert_eq!((listed(Started, &[None]), listed(Started, &[Some("disabled")])), (Started, Disabled));
    let other = Subscription { content_type: "Audit.Exchange".to_owned(), status: None };
    assert_eq!(Unknown.listed(&[other], GENERAL), Missing);
}
