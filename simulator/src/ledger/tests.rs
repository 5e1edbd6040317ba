use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-18 12:00 UTC);

fn keys(ids: &[u8]) -> Vec<Key> {
    ids.iter().map(|id| Key::Guid(u128::from(*id))).collect()
}

fn batch(ids: &[u8]) -> Batch {
    Batch { keys: keys(ids), json_bytes: ids.len() as u64 * 10, ..Batch::default() }
}

fn published(ids: &[u8]) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.publish(NOW, 10, keys(ids).into_iter().map(Some));
    ledger
}

#[test]
fn missing_unexpected_and_doubled_are_told_apart() {
    let mut ledger = published(&[1, 2, 3]);
    ledger.arrive(batch(&[1, 2, 2, 9]));
    let report = ledger.report(NOW);
    assert_eq!((report.published, report.arrived, report.missing), (3, 3, 1));
    assert_eq!(report.missing_ids, [guid::text(3)]);
    assert_eq!(report.unexpected_ids, [guid::text(9)]);
    assert_eq!(report.doubled_unexcused_ids, [guid::text(2)]);
    assert_eq!((report.totals.rows, report.totals.posts, report.totals.largest_json_bytes), (4, 1, 40));
    assert!(!report.is_clean());
}

#[test]
fn a_lost_answer_excuses_one_more_delivery_of_that_batch() {
    let mut ledger = published(&[1, 2]);
    ledger.arrive(batch(&[1, 2]));
    ledger.unanswered("", &keys(&[1, 2]));
    ledger.arrive(batch(&[1, 2]));
    let report = ledger.report(NOW);
    assert_eq!((report.doubled, report.doubled_unexcused), (2, 0));
    assert_eq!((report.surplus_rows, report.surplus_rows_excused), (2, 2));
    assert!(report.is_clean());
    ledger.arrive(batch(&[1]));
    assert_eq!(ledger.report(NOW).doubled_unexcused, 1);
}

#[test]
fn a_kill_excuses_the_last_four_batches_once() {
    let mut ledger = published(&[1, 2, 3, 4, 5]);
    for id in 1..=5 {
        ledger.arrive(batch(&[id]));
    }
    ledger.sender_killed("");
    ledger.sender_killed("");
    for id in 1..=5 {
        ledger.arrive(batch(&[id]));
    }
    let report = ledger.report(NOW);
    assert_eq!((report.doubled, report.doubled_unexcused_ids), (5, vec![guid::text(1)]));
    assert_eq!(report.totals.posts_at_kills, 4);
}

#[test]
fn a_kill_excuses_neither_what_was_saved_nor_what_others_sent() {
    let of = |rule: &str, id| Batch { rule: rule.to_owned(), ..batch(&[id]) };
    let mut ledger = published(&[1, 2, 3, 4]);
    ledger.arrive(of("a", 1));
    ledger.sender_saved("a");
    ledger.arrive(of("a", 2));
    ledger.arrive(of("b", 3));
    ledger.sender_gone("a");
    ledger.arrive(of("a", 4)); // it was on its way
    ledger.sender_back("a");
    for id in 1..=4 {
        ledger.arrive(of("b", id));
    }
    assert_eq!(ledger.report(NOW).doubled_unexcused_ids, [guid::text(1), guid::text(3)]);
}

#[test]
fn a_lost_state_excuses_what_had_arrived_once() {
    let mut ledger = published(&[1, 2]);
    ledger.arrive(batch(&[1]));
    ledger.state_lost();
    ledger.arrive(batch(&[1, 2]));
    assert_eq!(ledger.report(NOW).doubled_unexcused, 0);
    ledger.arrive(batch(&[1, 2]));
    assert_eq!(ledger.report(NOW).doubled_unexcused, 2);
}

#[test]
fn a_record_delivered_twice_is_one_and_the_future_is_not_missing() {
    let mut ledger = published(&[1]);
    ledger.publish(NOW, 1, keys(&[1]).into_iter().map(Some));
    ledger.publish(NOW + time::Duration::HOUR, 1, keys(&[5]).into_iter().map(Some));
    ledger.publish(NOW, 1, [None]);
    let report = ledger.report(NOW);
    assert_eq!((report.published, report.missing), (1, 1));
    assert_eq!((report.totals.published_deliveries, report.totals.published_without_id), (4, 1));
    assert_eq!(ledger.report(NOW + time::Duration::HOUR).missing, 2);
}

#[test]
fn a_guid_is_one_id_in_any_case_and_other_ids_keep_their_text() {
    let guid = "f28ab78a-d401-4060-8012-736e373933eb";
    for (id, text) in [("F28AB78A-D401-4060-8012-736E373933EB", guid), (guid, guid), ("Id-1", "Id-1"), (" a", " a")] {
        assert_eq!(Key::new(id).unwrap().text(), text);
    }
    for nothing in ["", " ", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(Key::new(nothing), None, "{nothing:?}");
    }
}

proptest! {
    #[test]
    fn the_sums_agree(
        published_ids in prop::collection::vec(0_u8..30, 0..40),
        batches in prop::collection::vec((prop::collection::vec(0_u8..40, 0..20), any::<bool>()), 0..8),
    ) {
        let mut ledger = published(&published_ids);
        for (ids, lost) in &batches {
            ledger.arrive(batch(ids));
            if *lost {
                ledger.unanswered("", &keys(ids));
            }
        }
        let report = ledger.report(NOW);
        prop_assert_eq!(report.arrived + report.missing, report.published + report.unexpected);
        prop_assert_eq!(report.totals.rows, report.arrived + report.surplus_rows);
        prop_assert!(report.surplus_rows_excused <= report.surplus_rows);
        prop_assert!(report.doubled_unexcused <= report.doubled);
        prop_assert_eq!(report.surplus_rows_excused == report.surplus_rows, report.doubled_unexcused == 0);
    }
}
