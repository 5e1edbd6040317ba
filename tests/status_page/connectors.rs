//! Two connectors to look at: their states, judged as the handler judges them.

use std::time::Duration as Span;

use labelstream::{
    content::{Content, ContentType},
    dead_letter::Number,
    health::{Health, Ring, RunRecord, Started},
    pull::{Summary, TypeSummary},
    status::Status,
    watermark::{Document, Pending, Watermark},
};
use time::{Duration, OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-11-23 09:17:12 UTC);
const TENANT: &str = "5a3c1f6e-8d20-4b7f-9c11-2e64d0a7b935";
const TYPES: [ContentType; 3] = [ContentType::General, ContentType::SharePoint, ContentType::Exchange];

fn ago(minutes: i64) -> OffsetDateTime {
    NOW - Duration::minutes(minutes)
}

/// Runs every five minutes, the last one two minutes ago; `left` contents of Exchange are left by each.
fn runs(left: usize, errors: &[(i64, &str)]) -> Ring {
    let mut ring = Ring::default();
    for number in (0..50_i64).rev() {
        let error = errors.iter().find(|(failed, _)| *failed == number).map(|(_, error)| *error);
        let took = Span::from_millis(if left > 0 { 231_400 } else { 2_300 + (number * 731 % 1_900).unsigned_abs() });
        let ended_at = ago(2 + 5 * number);
        let events = if error.is_some() { 0 } else { (number * 37 % 61).unsigned_abs() + 31 * left as u64 };
        let kind = |unfinished| TypeSummary {
            listed_through: ended_at,
            lag_seconds: 60,
            pending: 0,
            unfinished,
            last_content: Some(ended_at),
            range_through: None,
            range_stands_still: false,
        };
        let figures = Summary {
            contents_read: events / 3 + 1,
            label_events: events,
            rows: events,
            cut_short: left > 0,
            content_types: TYPES
                .iter()
                .map(|name| (*name, kind(if *name == ContentType::Exchange { left } else { 0 })))
                .collect(),
            ..Summary::default()
        };
        ring.push(RunRecord::new(
            format!("run-{number}"),
            Started::Timer,
            (ended_at - took, ended_at),
            "host".to_owned(),
            figures,
            error,
        ));
    }
    ring
}

fn document(watermarks: [Watermark; 3]) -> Document {
    Document {
        subscriptions_checked: Some(ago(41)),
        last_accepted: Some(ago(7)),
        content_types: TYPES.into_iter().zip(watermarks).collect(),
        ..Document::default()
    }
}

fn listed(minutes: i64, last_content: i64) -> Watermark {
    Watermark { last_content: Some(ago(last_content)), ..Watermark::starting_at(ago(minutes)) }
}

/// All is well.
pub fn healthy() -> Health {
    let document = document([listed(2, 9), listed(2, 4), listed(2, 26)]);
    Health::of(Status::of(TENANT, &TYPES, &document, Number::default(), runs(0, &[]), NOW))
}

/// Exchange comes late: more is published than the runs get through.
pub fn lagging() -> Health {
    let mut exchange = listed(200, 200);
    exchange.pending.push(Pending {
        content: Content {
            content_type: ContentType::Exchange,
            id: "content".to_owned(),
            uri: "https://manage.office.com/content".to_owned(),
            created: ago(170),
            expires: None,
        },
        tries: 2,
        first_failed: ago(160),
        reason: "reset".to_owned(),
    });
    let document = document([listed(3, 9), listed(3, 5), exchange]);
    let error = "Audit.Exchange: the feed answered HTTP 500, AF50000: An internal error occurred. Retry the request.";
    let letters = Number { number: 3, or_more: false };
    Health::of(Status::of(TENANT, &TYPES, &document, letters, runs(214, &[(1, error), (17, error)]), NOW))
}

/// One whose every text is `text`.
pub fn with_text(text: &str) -> Health {
    let mut health = healthy();
    health.status.tenant_id = Some(text.to_owned());
    health.notes.push(text.to_owned());
    health.status.runs.iter_mut().for_each(|run| run.error = Some(text.to_owned()));
    health.add_problem(text.to_owned());
    health
}
