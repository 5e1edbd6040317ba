//! The body of `POST /TimerPull`.
//!
//! Input: the body. Judged are:
//! - any body is a run, and what could not be used is told in one line that is not made of the body;
//! - lateness, a manual run and its range are what another reading of the JSON finds;
//! - the windows of a range lie in it, in order, and are few.

use labelstream::{
    feed::window,
    handler::{BINDING, Payload, Range},
};
use serde_json::Value;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};

use super::{Reached, shown::one_line};

/// What the corpus is to reach.
pub const REACHES: &[&str] =
    &["a normal run", "past due", "a retry", "a manual run", "a range", "a known range", "windows", "a note"];

const NOW: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);

/// Runs one input.
pub fn check(data: &[u8]) -> Reached {
    let mut reached = Reached::new();
    let payload = Payload::parse(data);
    for note in &payload.notes {
        // The one thing in a note that is not written in the code is a place in the body.
        one_line(note, 400);
        reached.push("a note");
    }
    let body = serde_json::from_slice::<Value>(data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data));
    let Some(body) = body.ok().filter(Value::is_object) else {
        assert_eq!(payload, Payload { notes: payload.notes.clone(), ..Payload::default() });
        assert_eq!(payload.notes.len(), 1);
        return reached;
    };
    assert_eq!(payload.past_due, body["Data"][BINDING]["IsPastDue"] == true);
    assert_eq!(payload.retry, body["Metadata"]["RetryContext"]["RetryCount"].as_u64());
    let input = body["Metadata"].as_object().and_then(|metadata| metadata.get(BINDING));
    assert_eq!(payload.manual, input.is_some());
    assert!(payload.manual || (payload.range.is_none() && payload.notes.is_empty()));
    for (is_so, what) in [
        (payload == Payload::default(), "a normal run"),
        (payload.past_due, "past due"),
        (payload.retry.is_some(), "a retry"),
        (payload.manual, "a manual run"),
    ] {
        if is_so {
            reached.push(what);
        }
    }
    if let Some(range) = input.and_then(|input| plain_range(input.clone())) {
        assert_eq!(payload.range, Some(range), "a range is asked for");
        reached.push("a known range");
    }
    if let Some(range) = &payload.range {
        assert!(payload.notes.is_empty());
        judge(range, &mut reached);
    }
    reached
}

/// The range in an input, where it is written in the plainest way: times to the second with `Z`.
fn plain_range(mut input: Value) -> Option<Range> {
    // As often as the portal, the host and a person quote it.
    for _ in 0..4 {
        let Some(text) = input.as_str() else { break };
        input = serde_json::from_str(text).ok()?;
    }
    let object = input.as_object()?;
    let plain = |text: &str| text.len() == "2026-11-15T00:00:00Z".len() && text.ends_with('Z') && text.contains('T');
    let mut ends = Vec::new();
    for key in ["since", "until"] {
        ends.push(match object.get(key) {
            None => None,
            Some(Value::String(text)) if plain(text) => Some(OffsetDateTime::parse(text, &Rfc3339).ok()?),
            Some(_) => return None,
        });
    }
    let known = ends.iter().flatten().count();
    let forwards = known == 1 || ends[0] < ends[1];
    (known > 0 && known == object.len() && forwards).then(|| Range { since: ends[0], until: ends[1] })
}

fn judge(range: &Range, reached: &mut Reached) {
    assert!(range.since.is_none() || range.until.is_none() || range.since < range.until, "{range} goes backwards");
    assert!(range.since.is_some() || range.until.is_some(), "a range has an end");
    one_line(&range.to_string(), 100);
    reached.push("a range");
    let mut before = None;
    let mut count = 0;
    for window in window::range(range.since, range.until, NOW) {
        assert!(window.start < window.end && window.end - window.start <= Duration::HOUR, "{window:?}");
        assert!(before.is_none_or(|end| end == window.start), "windows have no gap and no overlap");
        assert!(range.until.is_none_or(|until| window.end <= until), "{window:?} goes beyond {range}");
        assert!(range.since.is_none_or(|since| window.end > since), "{window:?} lies before {range}");
        before = Some(window.end);
        count += 1;
        // The first twelve double from a second to an hour.
        assert!(count <= 7 * 24 + 12, "more windows than the feed reaches back");
        reached.push("windows");
    }
}
