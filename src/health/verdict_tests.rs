//! What is a problem, what is a note, and what is neither.

use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::{
    content::Content,
    dead_letter::Number,
    feed::Subscription,
    health::{
        Ring,
        run_record::tests::{figures, record},
    },
    pull::Summary,
    watermark::{Document, Pending, Watermark},
};

const NOW: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);
const WANTED: [ContentType; 1] = [ContentType::General];

/// A watermark that was listed so many minutes ago.
fn watermark(minutes: i64) -> Watermark {
    let listed = NOW - Duration::minutes(minutes);
    Watermark { last_content: Some(listed), ..Watermark::starting_at(listed) }
}

fn document(watermark: Watermark) -> Document {
    Document {
        subscriptions_checked: Some(NOW - Duration::minutes(30)),
        last_accepted: Some(NOW - Duration::minutes(4)),
        content_types: [(ContentType::General, watermark)].into(),
        ..Document::default()
    }
}

/// Runs that ended so many minutes ago, the oldest first, each with the error that it failed with.
fn runs(ended: &[(i64, Option<&str>)]) -> Ring {
    let mut ring = Ring::default();
    for (minutes, error) in ended {
        let ended_at = NOW - Duration::minutes(*minutes);
        let run = record(figures(), *error);
        ring.push(RunRecord { run_id: minutes.to_string(), ended_at, ..run });
    }
    ring
}

fn judge(document: &Document, ring: Ring) -> Health {
    Health::of(Status::of("tenant", &WANTED, document, Number::default(), ring, NOW))
}

fn of_runs(ended: &[(i64, Option<&str>)]) -> Health {
    judge(&document(watermark(4)), runs(ended))
}

#[test]
fn a_connector_that_delivers_is_healthy() {
    let health = of_runs(&[(14, None), (9, None), (4, None)]);
    assert!(health.healthy && health.problems.is_empty() && health.notes.is_empty(), "{health:?}");
    assert_eq!((health.status.lag_seconds, health.status.runs.len()), (Some(240), 3));
    let kind = &health.status.content_types[&ContentType::General];
    assert_eq!((kind.subscription, kind.unfinished), (SubscriptionState::Enabled, Some(0)));
}

#[test]
fn one_failed_run_is_a_note_and_three_are_a_problem() {
    let health = of_runs(&[(14, None), (9, None), (4, Some("reset"))]);
    assert!(health.healthy && health.notes[0].contains("reset"), "{health:?}");
    let health = of_runs(&[(14, None), (9, Some("reset")), (4, Some("reset"))]);
    assert!(health.healthy, "{health:?}");
    let health = of_runs(&[(19, None), (14, Some("403")), (9, Some("403")), (4, Some("no role"))]);
    assert!(!health.healthy && health.problems[0].contains("The last 3 runs failed; the last one says: no role"));
    let health = of_runs(&[(4, Some("no role"))]);
    assert!(!health.healthy && health.problems[0].contains("The only run failed"), "a new deployment");
    let health = of_runs(&[(9, Some("403")), (4, None)]);
    assert!(health.healthy && health.notes.is_empty(), "it is over");
}

#[test]
fn silence_is_a_problem_but_not_between_the_runs_of_a_slow_schedule() {
    assert!(of_runs(&[(65, None), (59, None)]).healthy);
    let health = of_runs(&[(70, None), (61, None)]);
    assert!(!health.healthy && health.problems[0].contains("No run has ended for 1 h 1 min"), "{health:?}");
    let daily: Vec<_> = (0..5).rev().map(|day| (day * 24 * 60 + 600, None)).collect();
    assert!(judge(&document(watermark(600)), runs(&daily)).healthy, "a daily run, ten hours ago");
    let daily: Vec<_> = (3..8).rev().map(|day| (day * 24 * 60 + 600, None)).collect();
    assert!(!judge(&document(watermark(60)), runs(&daily)).healthy, "none for three days");
    assert!(of_runs(&[]).problems[0].contains("No run has ended yet"));
}

#[test]
fn a_lag_of_over_two_hours_is_a_problem_also_by_what_failed() {
    let ring = || runs(&[(9, None), (4, None)]);
    assert!(judge(&document(watermark(120)), ring()).healthy);
    let health = judge(&document(watermark(200)), ring());
    assert!(!health.healthy && health.problems[0].contains("Audit.General lags 3 h 20 min behind"), "{health:?}");
    let mut pending = watermark(4);
    pending.pending.push(Pending {
        content: Content {
            content_type: ContentType::General,
            id: "a".to_owned(),
            uri: "https://manage.office.com/a".to_owned(),
            created: NOW - Duration::hours(5),
            expires: None,
        },
        tries: 1,
        first_failed: NOW,
        reason: "reset".to_owned(),
    });
    let health = judge(&document(pending), ring());
    assert_eq!((health.healthy, health.status.lag_seconds), (false, Some(5 * 3_600)));
    assert!(health.notes[0].contains("1 content of Audit.General failed"), "{health:?}");
}

#[test]
fn dead_letters_and_what_is_not_listed_yet_are_notes() {
    let letters = Number { number: 3, or_more: false };
    let wanted = [ContentType::General, ContentType::Exchange];
    let of = |wanted: &[ContentType], listed| {
        Health::of(Status::of("t", wanted, &document(watermark(listed)), letters, runs(&[(4, None)]), NOW))
    };
    let health = of(&wanted, 4);
    assert!(health.healthy, "{health:?}");
    assert!(health.notes.iter().any(|note| note.starts_with("There are dead letters (3)")));
    assert!(health.notes.iter().any(|note| note.contains("Audit.Exchange has not been listed yet")));
    let other = of(&[ContentType::Exchange], 999);
    assert!(other.healthy && other.status.lag_seconds.is_none(), "what is read no more lags for ever");
}

#[test]
fn a_subscription_that_lists_nothing_is_a_problem_with_its_command() {
    for (entry, part) in [
        (Some(None), None),
        (Some(Some("enabled")), None),
        (Some(Some("disabled")), Some("is disabled: nothing is listed. `labelstream connect`")),
        (None, Some("has no subscription: nothing is listed. `labelstream connect`")),
    ] {
        let mut status = of_runs(&[(4, None)]).status;
        let entry = entry.map(|status: Option<&str>| Subscription {
            content_type: "Audit.General".to_owned(),
            status: status.map(str::to_owned),
        });
        status.take_subscriptions(entry.as_slice());
        let health = Health::of(status);
        assert_eq!(
            health.problems.iter().any(|problem| problem.contains(part.unwrap_or("subscription"))),
            part.is_some()
        );
        assert_eq!(health.healthy, part.is_none(), "{health:?}");
    }
}

proptest! {
    #[test]
    fn healthy_means_that_there_is_no_problem(
        listed in -100_i64..20_000,
        ended in prop::collection::vec((0_i64..20_000, any::<bool>()), 0..60),
    ) {
        let ended: Vec<_> = ended.iter().map(|(minutes, failed)| (*minutes, failed.then_some("no"))).collect();
        let health = judge(&document(watermark(listed)), runs(&ended));
        prop_assert_eq!(health.healthy, health.problems.is_empty());
        prop_assert!(health.status.lag_seconds >= Some(0));
        let json: serde_json::Value = serde_json::to_value(&health).unwrap();
        prop_assert_eq!(json["healthy"].as_bool(), Some(health.healthy));
    }
}

#[test]
fn a_run_that_failed_before_it_knew_its_watermarks_hides_none() {
    let mut ring = runs(&[(9, None)]);
    ring.push(record(Summary::default(), Some("state: away")));
    let health = judge(&document(watermark(4)), ring);
    assert_eq!(health.status.content_types[&ContentType::General].unfinished, None);
    assert_eq!(health.status.lag_seconds, Some(240));
}
