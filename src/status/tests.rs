use proptest::prelude::*;
use serde_json::{Value, json};
use time::{Duration, macros::datetime};

use super::{text::span, *};
use crate::{
    content::Content,
    state::{Expect, Store, overlay::Overlay},
    watermark::{Memory, Pending},
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
    read(&store, "t", wanted, None, NOW).await.unwrap()
}

fn document() -> Vec<u8> {
    let document = Document {
        last_accepted: Some(NOW - Duration::minutes(4)),
        content_types: [(GENERAL, watermark(5, &[120, 90]))].into(),
        ..Document::default()
    };
    document.to_json().unwrap()
}

#[tokio::test]
async fn the_lag_goes_by_the_oldest_that_is_left() {
    let runs = json!([{"endedAt": "x"}, {
        "endedAt": "2026-11-22T18:58:00Z", "outcome": "failed", "error": "the feed failed", "rows": 7, "contentsRead": "?",
        "contentTypes": {"Audit.General": {"unfinished": 3}},
    }]);
    let stored = [
        ("t/watermark.json", document()),
        ("t/runs.json", runs.to_string().into_bytes()),
        ("t/dead-letters/row-1.json", b"{}".to_vec()),
    ];
    let status = status(&stored, &[GENERAL, ContentType::Exchange]).await;
    let kind = &status.content_types[&GENERAL];
    assert_eq!((status.lag_seconds, kind.lag_seconds), (Some(7_200), Some(7_200)));
    assert_eq!((kind.pending, kind.oldest_pending), (2, Some(NOW - Duration::minutes(120))));
    assert_eq!((kind.unfinished, kind.subscription), (Some(3), None));
    assert_eq!(status.content_types[&ContentType::Exchange], TypeStatus::default());
    assert_eq!((status.dead_letters.number, status.run_under_way), (1, false));
    let text = status.to_string();
    for line in [
        "lag           2 h 0 min",
        "last accepted 2026-11-22T18:56:00Z (4 min 0 s ago)",
        "dead letters  1",
        "last run      failed 2026-11-22T18:58:00Z (2 min 0 s ago), 7 rows sent; the feed failed",
        "Audit.Exchange\n  subscription    not asked\n  listed through  never listed",
        "  left to do      2 to be tried again, the oldest of 2026-11-22T17:00:00Z (2 h 0 min ago), 3 listed and not finished",
    ] {
        assert!(text.contains(line), "{line}\n---\n{text}");
    }
    let json: Value = serde_json::from_str(&status.json().unwrap()).unwrap();
    assert_eq!(json["contentTypes"]["Audit.General"]["pending"], 2);
    assert_eq!((&json["lastRun"]["rows"], &json["lastRun"]["outcome"]), (&json!(7), &json!("failed")));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_left_as_it_is() {
    for body in [&b"\0"[..], br#"{"format":99}"#] {
        let status = status(&[("t/watermark.json", body.to_vec()), ("t/runs.json", b"{}".to_vec())], &[GENERAL]).await;
        assert_eq!((status.lag_seconds, status.last_run.as_ref(), status.problems.len()), (None, None, 2));
    }
    let nothing = status(&[], &[GENERAL]).await;
    assert!(nothing.to_string().contains("no run has saved anything yet"), "{nothing}");
}

#[tokio::test]
async fn a_lock_that_is_held_is_a_run_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::state::folder::FolderStore::open(folder.path()).unwrap();
    let lock = store.lock(&Memory::lock_key("t")).await.unwrap().unwrap();
    assert!(read(&store, "t", &[], None, NOW).await.unwrap().run_under_way);
    lock.renew().await.unwrap();
    lock.release().await.unwrap();
    assert!(!read(&store, "t", &[], None, NOW).await.unwrap().run_under_way);
}

#[test]
fn a_subscription_is_enabled_where_one_of_its_entries_is() {
    let listed = |states: &[Option<&str>]| -> Vec<Subscription> {
        let entry = |status: &Option<&str>| Subscription {
            content_type: "audit.general".to_owned(),
            status: status.map(str::to_owned),
        };
        states.iter().map(entry).collect()
    };
    assert_eq!(subscription(&listed(&[]), GENERAL), SubscriptionState::Missing);
    assert_eq!(subscription(&listed(&[Some("disabled")]), GENERAL), SubscriptionState::Disabled);
    assert_eq!(subscription(&listed(&[Some("disabled"), None]), GENERAL), SubscriptionState::Enabled);
    assert_eq!(subscription(&listed(&[None]), ContentType::Exchange), SubscriptionState::Missing);
}

#[test]
fn spans_are_told_in_two_units() {
    for (seconds, text) in [(0, "0 s"), (61, "1 min 1 s"), (3_600, "1 h 0 min"), (90_061, "1 d 1 h")] {
        assert_eq!(span(seconds), text);
    }
}

proptest! {
    #[test]
    fn no_record_of_runs_is_too_odd(record in any::<Vec<u8>>(), text in "[\\[\\]{}\":a-z0-9, ]{0,60}") {
        drop(LastRun::newest(&record));
        drop(LastRun::newest(text.as_bytes()));
    }
}
