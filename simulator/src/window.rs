//! The feed's rules for `startTime` and `endTime`.

use time::{
    Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, format_description::BorrowedFormatItem,
    macros::format_description,
};

use crate::answer::Refusal;

/// Longest window, and the default one (Management Activity API reference, "List available content").
const LONGEST: Duration = Duration::hours(24);
/// How far back a window may start where the set-up says nothing else.
pub(crate) const FARTHEST: Duration = Duration::hours(7 * 24 + 1);

const TO_DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const TO_MINUTE: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");
const TO_SECOND: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second][optional [.[subsecond]]]");

/// Reads `YYYY-MM-DD`, `YYYY-MM-DDTHH:MM` or `YYYY-MM-DDTHH:MM:SS`; a fraction and a final `Z` are tolerated.
pub(crate) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let (day, clock) = match text.strip_suffix('Z').unwrap_or(text).split_once('T') {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let day = Date::parse(day, TO_DAY).ok()?;
    let clock = match clock {
        Some(clock) => Time::parse(clock, TO_SECOND).or_else(|_| Time::parse(clock, TO_MINUTE)).ok()?,
        None => Time::MIDNIGHT,
    };
    Some(PrimitiveDateTime::new(day, clock).assume_utc())
}

/// The window that a listing asks for: half-open, by the feed's rules.
///
/// # Errors
/// AF20002 for what is no time, AF20030 where one of the two is missing or they are more than 24 hours apart, AF20055
/// where the end is not after the start or the start is more than `reach` back.
pub(crate) fn window(
    start: Option<&str>,
    end: Option<&str>,
    now: OffsetDateTime,
    reach: Duration,
) -> Result<(OffsetDateTime, OffsetDateTime), Refusal> {
    let read = |name: &str, text: &str| {
        let refusal = || Refusal::new("AF20002", format!("Invalid parameter type: {name}. Expected type: datetime"));
        parse_time(text).ok_or_else(refusal)
    };
    let rules = "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 \
                 hours apart, with the start time prior to end time and start time no more than 7 days in the past.";
    let (start, end) = match (start, end) {
        (None, None) => return Ok((now - LONGEST, now)),
        (Some(start), Some(end)) => (read("startTime", start)?, read("endTime", end)?),
        _ => return Err(Refusal::new("AF20030", rules)),
    };
    if end - start > LONGEST {
        return Err(Refusal::new("AF20030", rules));
    }
    if end <= start || start < now - reach {
        return Err(Refusal::new("AF20055", rules));
    }
    Ok((start, end))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-18 12:00 UTC);

    fn code(start: Option<&str>, end: Option<&str>) -> String {
        window(start, end, NOW, FARTHEST).map_or_else(|refusal| refusal.code, |_| "OK".to_owned())
    }

    #[test]
    fn every_documented_form_is_read() {
        assert_eq!(parse_time("2026-11-18"), Some(datetime!(2026-11-18 0:00 UTC)));
        assert_eq!(parse_time("2026-11-18T10:30"), Some(datetime!(2026-11-18 10:30 UTC)));
        assert_eq!(parse_time("2026-11-18T10:30:05"), Some(datetime!(2026-11-18 10:30:05 UTC)));
        assert_eq!(parse_time("2026-11-18T10:30:05.250Z"), Some(datetime!(2026-11-18 10:30:05.250 UTC)));
        for text in ["", "yesterday", "2026-13-01", "2026-11-18T", "2026-11-18T25:00", "2026-11-18 10:30"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn the_rules_are_strict() {
        let day = Some("2026-11-18T00:00:00");
        assert_eq!(code(day, Some("2026-11-18T10:00:00")), "OK");
        assert_eq!(code(Some("2026-11-17T00:00:00"), day), "OK", "24 hours are allowed");
        assert_eq!(code(Some("2026-11-16T23:59:59"), day), "AF20030", "a second more is not");
        assert_eq!(code(day, None), "AF20030");
        assert_eq!(code(None, day), "AF20030");
        assert_eq!(code(day, day), "AF20055");
        assert_eq!(code(Some("2026-11-11T11:00:00"), Some("2026-11-11T12:00:00")), "OK", "the hour of grace");
        assert_eq!(code(Some("2026-11-11T10:59:59"), Some("2026-11-11T12:00:00")), "AF20055");
        assert_eq!(code(Some("tomorrow"), day), "AF20002");
        assert_eq!(window(None, None, NOW, FARTHEST), Ok((datetime!(2026-11-17 12:00 UTC), NOW)));
    }
}
