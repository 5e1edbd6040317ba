//! The range that the operator of a manual run may ask for.

use std::fmt;

use serde_json::{Map, Value};
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::BorrowedFormatItem,
    format_description::well_known::Rfc3339, macros::format_description,
};

/// An input that is a range, for messages.
pub(super) const EXAMPLE: &str = r#"{"since": "2026-11-15T00:00:00Z", "until": "2026-11-16T00:00:00Z"}"#;

/// A stretch of the feed, by the time at which content was published. At least one end is given, and `since` comes
/// before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Where it begins, in UTC; this instant belongs to it. `None` is as far back as the feed serves.
    pub since: Option<OffsetDateTime>,
    /// Where it ends, in UTC; this instant does not belong to it. `None` is now.
    pub until: Option<OffsetDateTime>,
}

/// `2026-11-15T00:00:00Z to now`, for log lines.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |end: Option<OffsetDateTime>, open: &str| {
            end.map_or_else(|| Ok(open.to_owned()), |at| at.format(&Rfc3339)).map_err(|_beyond_rfc_3339| fmt::Error)
        };
        write!(f, "{} to {}", text(self.since, "the oldest")?, text(self.until, "now")?)
    }
}

/// Why an input is not a range. The input itself is not repeated: it may hold anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotARange {
    #[error("it is not a JSON object")]
    NotAnObject,
    #[error("it has neither `since` nor `until`")]
    Empty,
    #[error("it has keys other than `since` and `until`")]
    UnknownKey,
    #[error("`{0}` is not a time")]
    NotATime(&'static str),
    #[error("`since` does not come before `until`")]
    Backwards,
}

/// Reads `{"since": "...", "until": "..."}`. Either may be absent or null. It is strict, for a range that is misread
/// would be a lot of work that nobody asked for.
pub(super) fn parse(input: &Value) -> Result<Range, NotARange> {
    let object = input.as_object().ok_or(NotARange::NotAnObject)?;
    if object.keys().any(|key| key != "since" && key != "until") {
        return Err(NotARange::UnknownKey);
    }
    match (end(object, "since")?, end(object, "until")?) {
        (None, None) => Err(NotARange::Empty),
        (Some(since), Some(until)) if since >= until => Err(NotARange::Backwards),
        (since, until) => Ok(Range { since, until }),
    }
}

fn end(object: &Map<String, Value>, key: &'static str) -> Result<Option<OffsetDateTime>, NotARange> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => instant(text.trim()).map(Some).ok_or(NotARange::NotATime(key)),
        Some(_) => Err(NotARange::NotATime(key)),
    }
}

/// Reads RFC 3339, the same without an offset (which is UTC, as in the feed's own times), or a date (its midnight).
fn instant(text: &str) -> Option<OffsetDateTime> {
    const SECONDS: &[BorrowedFormatItem<'_>] =
        format_description!(version = 2, "[year]-[month]-[day]T[hour]:[minute]:[second]");
    const DAY: &[BorrowedFormatItem<'_>] = format_description!(version = 2, "[year]-[month]-[day]");
    let read = OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| PrimitiveDateTime::parse(text, SECONDS).map(PrimitiveDateTime::assume_utc))
        .or_else(|_| Date::parse(text, DAY).map(|day| day.midnight().assume_utc()));
    // A time at the edge of the calendar may have no form in UTC, or none that can be written again.
    read.ok()?.checked_to_offset(UtcOffset::UTC).filter(|time| (0..=9999).contains(&time.year()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_example_is_a_range() {
        let range = parse(&serde_json::from_str(EXAMPLE).unwrap()).unwrap();
        assert_eq!(range.since, Some(datetime!(2026-11-15 0:00 UTC)));
        assert_eq!(range.until, Some(datetime!(2026-11-16 0:00 UTC)));
        assert_eq!(range.to_string(), "2026-11-15T00:00:00Z to 2026-11-16T00:00:00Z");
        assert_eq!(Range { since: None, until: None }.to_string(), "the oldest to now");
    }

    #[test]
    fn times_are_read_in_three_forms() {
        for text in
            ["2026-11-15T00:00:00Z", "2026-11-15T02:00:00+02:00", "2026-11-15T00:00:00", "2026-11-15", " 2026-11-15 "]
        {
            let range = parse(&json!({ "since": text })).unwrap();
            assert_eq!(range, Range { since: Some(datetime!(2026-11-15 0:00 UTC)), until: None }, "{text}");
            assert!(range.since.unwrap().offset().is_utc());
        }
        assert_eq!(parse(&json!({"since": null, "until": "2026-11-15"})).unwrap().since, None);
    }

    #[test]
    fn what_is_no_range_says_why() {
        for (input, why) in [
            (json!("hello"), NotARange::NotAnObject),
            (json!(["2026-11-15"]), NotARange::NotAnObject),
            (json!({}), NotARange::Empty),
            (json!({"since": null}), NotARange::Empty),
            (json!({"since": "2026-11-15", "untill": "2026-11-16"}), NotARange::UnknownKey),
            (json!({"since": 5}), NotARange::NotATime("since")),
            (json!({"since": ""}), NotARange::NotATime("since")),
            (json!({"until": "yesterday"}), NotARange::NotATime("until")),
            (json!({"until": "2026-02-30"}), NotARange::NotATime("until")),
            (json!({"since": "9999-12-31T23:59:59-23:00"}), NotARange::NotATime("since")),
            (json!({"since": "0000-01-01T00:00:00+01:00"}), NotARange::NotATime("since")),
            (json!({"until": "-0001-01-01"}), NotARange::NotATime("until")),
            (json!({"since": "2026-11-16", "until": "2026-11-15"}), NotARange::Backwards),
            (json!({"since": "2026-11-16", "until": "2026-11-16"}), NotARange::Backwards),
        ] {
            assert_eq!(parse(&input), Err(why), "{input}");
        }
    }

    proptest! {
        #[test]
        fn a_range_survives_being_written(since in 0_i64..2_000_000_000, length in 1_i64..1_000_000_000, hours in -12_i8..=12) {
            let at = |seconds| OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let offset = UtcOffset::from_hms(hours, 0, 0).unwrap();
            let text = |at: OffsetDateTime| at.to_offset(offset).format(&Rfc3339).unwrap();
            let (since, until) = (at(since), at(since + length));
            prop_assert_eq!(
                parse(&json!({"since": text(since), "until": text(until)})),
                Ok(Range { since: Some(since), until: Some(until) })
            );
            prop_assert_eq!(parse(&json!({"since": text(until), "until": text(since)})), Err(NotARange::Backwards));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let read = parse(&json!({ "since": text }));
            prop_assert!(matches!(read, Ok(_) | Err(NotARange::NotATime("since"))));
        }
    }
}
