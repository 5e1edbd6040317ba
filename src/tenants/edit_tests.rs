use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::state::folder::FolderStore;

fn entry(id: &str, name: &str) -> Map<String, Value> {
    json!({"tenantId": id, "name": name}).as_object().unwrap().clone()
}

fn id(number: u32) -> String {
    format!("4b0a6d34-6f8c-4f5e-9c1a-{number:012x}")
}

#[test]
fn a_list_is_made_added_to_and_taken_from() {
    let one = with(None, &entry(&id(1), "One")).unwrap();
    let two = with(Some(&one), &entry(&id(2), "Two")).unwrap();
    let text = String::from_utf8(two.clone()).unwrap();
    assert_eq!(text.lines().count(), 4, "one entry a line:\n{text}");
    assert!(matches!(with(Some(&two), &entry(&id(2).to_uppercase(), "Other")), Err(EditError::Known(_))));
    let (left, label) = without(Some(&two), "one").unwrap();
    assert_eq!(label, format!("One ({})", id(1)));
    assert_eq!(List::parse(&left).unwrap().entries().len(), 1);
    let (off, _) = with_enabled(Some(&left), "Two", false).unwrap();
    assert!(!List::parse(&off).unwrap().entries()[0].enabled);
    assert_eq!(without(Some(&off), "Two").unwrap().0, b"[]\n");
    assert!(matches!(without(None, "Two"), Err(EditError::Unknown(_))));
}

#[test]
fn what_is_no_list_is_left_as_it_is() {
    for stored in [&b"{}"[..], b"[", b"\xff"] {
        assert!(matches!(with(Some(stored), &entry(&id(1), "One")), Err(EditError::List(_))));
        assert!(matches!(without(Some(stored), "One"), Err(EditError::List(_))));
    }
}

#[test]
fn entries_that_are_bad_or_unknown_to_this_version_stay() {
    let stored = format!("[7, {{\"tenantId\":\"{}\",\"newer\":{{\"a\":[1]}}}}]", id(1));
    let more = with(Some(stored.as_bytes()), &entry(&id(2), "Two")).unwrap();
    let values: Value = serde_json::from_slice(&more).unwrap();
    assert_eq!(values[0], json!(7));
    assert_eq!(values[1]["newer"], json!({"a": [1]}));
}

#[tokio::test]
async fn people_who_change_it_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::open(folder.path()).unwrap();
    let add = |number: u32| {
        let store = &store;
        async move { change(store, |stored| Ok((with(stored, &entry(&id(number), "x"))?, ()))).await.unwrap() }
    };
    tokio::join!(add(1), add(2), add(3));
    let (text, _) = store.get(LIST_KEY).await.unwrap().unwrap();
    let list = List::parse(&text).unwrap();
    let ids: BTreeSet<_> = list.entries().iter().filter_map(|entry| entry.id.clone()).collect();
    assert_eq!(ids, BTreeSet::from([id(1), id(2), id(3)]));
}

proptest! {
    #[test]
    fn what_was_added_is_found_and_what_was_removed_is_gone(numbers in proptest::collection::btree_set(0_u32..50, 1..8)) {
        let mut stored = None;
        for number in &numbers {
            stored = Some(with(stored.as_deref(), &entry(&id(*number), &format!("n{number}"))).unwrap());
        }
        for number in &numbers {
            let list = List::parse(stored.as_ref().unwrap()).unwrap();
            let found = list.find(&format!("N{number}")).is_ok();
            prop_assert!(found);
            let (rest, _) = without(stored.as_deref(), &id(*number)).unwrap();
            prop_assert!(List::parse(&rest).unwrap().by_id(&id(*number)).is_none());
            stored = Some(rest);
        }
    }
}
