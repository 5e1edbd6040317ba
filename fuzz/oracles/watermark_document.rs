//! The watermark document as it lies in the storage.
//!
//! Input: the document. Judged are:
//! - garbage is told in one line;
//! - what is read is what another reading of the JSON finds, can be stored, and is read again as the same;
//! - a run can begin with it: what it asks for is bounded, and every content that waits is taken up once.

use std::collections::HashSet;

use labelstream::{
    content::ContentType,
    feed::window::windows,
    watermark::{Document, DocumentError, FORMAT, Failure, Listing, LookBack, Slot, Verdict, Watermark},
};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};

use super::{Reached, column, shown::one_line};

/// What the corpus is to reach.
pub const REACHES: &[&str] =
    &["unreadable", "newer", "a watermark", "an unknown content type", "a pending content", "windows"];

const NOW: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);

/// Runs one input.
pub fn check(data: &[u8]) -> Reached {
    let mut reached = Reached::new();
    let document = match Document::parse(data) {
        Ok(document) => document,
        Err(error) => {
            one_line(&error.to_string(), 500);
            reached.push(match error {
                DocumentError::Newer(format) => {
                    assert!(format > FORMAT);
                    "newer"
                }
                DocumentError::Unreadable(_) => "unreadable",
            });
            return reached;
        }
    };
    compare(&document, data);
    let stored = document.to_json().expect("what was read can be stored");
    let again = Document::parse(&stored).expect("what was stored can be read");
    assert_eq!(again, document, "a document survives being stored");
    assert_eq!(again.to_json().expect("and again"), stored);
    if !document.unknown_types.is_empty() {
        reached.push("an unknown content type");
    }
    for (&content_type, watermark) in &document.content_types {
        reached.push("a watermark");
        begin(content_type, watermark, &mut reached);
    }
    reached
}

/// The document against a tree of the same bytes, where a tree can hold them.
fn compare(document: &Document, data: &[u8]) {
    let Ok(tree) = serde_json::from_slice::<Value>(data) else { return };
    assert_eq!(u64::from(document.format), tree["format"]);
    assert_eq!(u64::from(document.refused_runs), tree["refusedRuns"].as_u64().unwrap_or(0));
    same_time(document.subscriptions_checked, &tree["subscriptionsChecked"]);
    same_time(document.last_accepted, &tree["lastAccepted"]);
    let types = tree["contentTypes"].as_object().expect("content types are an object");
    assert_eq!(document.content_types.len() + document.unknown_types.len(), types.len(), "no content type is lost");
    for (content_type, watermark) in &document.content_types {
        let stored = &types[content_type.as_str()];
        for (time, name) in [
            (Some(watermark.listed_through), "listedThrough"),
            (watermark.last_content, "lastContent"),
            (watermark.start_tried, "startTried"),
            (watermark.started, "started"),
            (watermark.begins, "begins"),
            (watermark.looked_day_back, "lookedDayBack"),
            (watermark.looked_week_back, "lookedWeekBack"),
        ] {
            same_time(time, &stored[name]);
        }
        let pending = stored["pending"].as_array().map_or(&[][..], Vec::as_slice);
        assert_eq!(watermark.pending.len(), pending.len(), "no content that waits is lost");
        for (read, stored) in watermark.pending.iter().zip(pending) {
            assert_eq!(
                (stored["content"]["id"].as_str(), stored["tries"].as_u64()),
                (Some(&*read.content.id), Some(read.tries.into()))
            );
            assert_eq!(stored["reason"], *read.reason);
            same_time(Some(read.content.created), &stored["content"]["created"]);
            same_time(Some(read.first_failed), &stored["firstFailed"]);
        }
    }
    for (name, text) in &document.unknown_types {
        assert_eq!(serde_json::from_str::<Value>(text).ok().as_ref(), Some(&types[name]));
    }
}

fn same_time(read: Option<OffsetDateTime>, stored: &Value) {
    let stored = stored.as_str().map(|text| OffsetDateTime::parse(text, &Rfc3339).expect("a time"));
    assert_eq!(read, stored);
}

/// What a run does first.
fn begin(content_type: ContentType, watermark: &Watermark, reached: &mut Reached) {
    let spans = LookBack::due(watermark, NOW).spans(watermark, NOW);
    let asked: Vec<_> = spans.into_iter().flat_map(|(from, to)| windows(from, to, NOW)).collect();
    assert!(asked.len() <= 9, "{} windows", asked.len());
    for window in &asked {
        assert!(window.start < window.end && window.end <= NOW, "{window:?}");
        reached.push("windows");
    }
    let mut listing = Listing::new(watermark.clone(), true, true);
    let mut number = 0;
    let resumed = listing.resume(|| {
        number += 1;
        Slot { content_type, number }
    });
    let ids: HashSet<_> = watermark.pending.iter().map(|pending| &pending.content.id).collect();
    assert_eq!(resumed.len(), ids.len(), "every content that waits is taken up once");
    for (slot, content) in resumed {
        column::checked_row_of(&content);
        let verdict = listing.content_failed(slot, &Failure::Feed("reset".to_owned()), NOW);
        assert!(matches!(verdict, Verdict::Later | Verdict::GiveUp { tries: 1.. }), "{verdict:?}");
        reached.push("a pending content");
    }
    assert_eq!(listing.watermark().listed_through, watermark.listed_through, "a failure moves no watermark");
}
