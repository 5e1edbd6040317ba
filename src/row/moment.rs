//! Times: the records write them without a zone and mean UTC.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset, macros::datetime};

/// A `datetime` of the workspace counts in units of 100 ns: seven digits.
const FRACTION_DIGITS: usize = 7;

/// What a text says about time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Moment<'t> {
    /// A time.
    At(Stamp<'t>),
    /// The first days of year 1, by which services say "never".
    Never,
    /// No time that is understood.
    Unreadable,
}

/// A time in UTC as the rows have it, such as `2022-12-21T17:18:20.123Z`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp<'t> {
    /// Without fraction and zone: `2022-12-21T17:18:20`.
    seconds: [u8; SECONDS.len()],
    /// The digits of the fraction, at most [`FRACTION_DIGITS`].
    fraction: &'t str,
}

/// Where a time has its digits.
const SECONDS: &[u8; 19] = b"0000-00-00T00:00:00";

impl Stamp<'_> {
    /// Appends it to `out`, without quotes.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.seconds);
        if !self.fraction.is_empty() {
            out.push(b'.');
            out.extend_from_slice(self.fraction.as_bytes());
        }
        out.push(b'Z');
    }
}

/// Reads `2022-12-21T17:18:20`, with a fraction and a zone or without. No zone means UTC ("Common schema" of the
/// Management Activity API).
pub(super) fn read(text: &str) -> Moment<'_> {
    let text = text.trim();
    if text.starts_with("0001-01-0") {
        return Moment::Never;
    }
    usual(text).or_else(|| parse(text)).map_or(Moment::Unreadable, Moment::At)
}

/// The years that a row can tell in UTC. Another offset may put a time beyond them.
const FIRST: OffsetDateTime = datetime!(0001-01-01 0:00 UTC);
const LAST: OffsetDateTime = datetime!(9999-12-31 23:59:59.999_999_9 UTC);

/// A time as the rows have it.
pub(super) fn write(time: OffsetDateTime) -> String {
    let time = time.clamp(FIRST, LAST).to_offset(UtcOffset::UTC);
    let fraction = format!("{:09}", time.nanosecond());
    let fraction = fraction[..FRACTION_DIGITS].trim_end_matches('0');
    let stamp = Stamp { seconds: seconds_of(PrimitiveDateTime::new(time.date(), time.time())), fraction };
    let mut text = Vec::new();
    stamp.put(&mut text);
    text.into_iter().map(char::from).collect()
}

/// The text of a time between [`FIRST`] and [`LAST`].
fn seconds_of(time: PrimitiveDateTime) -> [u8; SECONDS.len()] {
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.as_hms();
    let year = year.unsigned_abs();
    let pairs = [year / 100, year % 100, u8::from(month).into(), day.into(), hour.into(), minute.into(), second.into()];
    let mut text = *SECONDS;
    for (at, pair) in [0, 2, 5, 8, 11, 14, 17].into_iter().zip(pairs) {
        text[at] += (pair / 10) as u8;
        text[at + 1] += (pair % 10) as u8;
    }
    text
}

/// A time in the form that nearly all have and that a row has as well, so that it is only looked at:
/// `2022-12-21T17:18:20` with a fraction of seven digits at most or none, and `Z` or nothing. `None` for any other text.
fn usual(text: &str) -> Option<Stamp<'_>> {
    let (seconds, rest) = text.as_bytes().split_first_chunk()?;
    let rest = rest.strip_suffix(b"Z").unwrap_or(rest);
    let fraction = match rest {
        [] => "",
        [b'.', digits @ ..]
            if (1..=FRACTION_DIGITS).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) =>
        {
            text.get(SECONDS.len() + 1..SECONDS.len() + 1 + digits.len())?
        }
        _ => return None,
    };
    let has_its_form = std::iter::zip(seconds, SECONDS)
        .all(|(own, form)| if *form == b'0' { own.is_ascii_digit() } else { own == form });
    if !has_its_form {
        return None;
    }
    let pair = |at: usize| (seconds[at] - b'0') * 10 + (seconds[at + 1] - b'0');
    let (year, month, day) = (i32::from(pair(0)) * 100 + i32::from(pair(2)), Month::try_from(pair(5)).ok()?, pair(8));
    let is_time =
        year > 0 && (1..=month.length(year)).contains(&day) && pair(11) < 24 && pair(14) < 60 && pair(17) < 60;
    is_time.then_some(Stamp { seconds: *seconds, fraction })
}

/// Reads any other form.
fn parse(text: &str) -> Option<Stamp<'_>> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-');
    let year = i32::from(digits::<u16>(parts.next()?, 4)?);
    let month = Month::try_from(digits::<u8>(parts.next()?, 2)?).ok()?;
    let date = Date::from_calendar_date(year, month, digits(parts.next()?, 2)?).ok()?;
    let (time, fraction, zone) = if rest.is_empty() { (Time::MIDNIGHT, "", "") } else { clock(rest)? };
    let local = PrimitiveDateTime::new(date, time);
    let offset = offset(zone)?;
    let utc = local.assume_offset(offset).checked_to_offset(UtcOffset::UTC)?;
    if !(1..=9999).contains(&utc.year()) {
        return None;
    }
    Some(Stamp { seconds: seconds_of(PrimitiveDateTime::new(utc.date(), utc.time())), fraction })
}

/// The time, its fraction and the zone of `T17:18[:20[.123]][zone]`.
fn clock(rest: &str) -> Option<(Time, &str, &str)> {
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let hour = digits(rest.get(..2)?, 2)?;
    let minute = digits(rest.get(2..5)?.strip_prefix(':')?, 2)?;
    let mut rest = &rest[5..];
    let mut second = 0;
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix(':') {
        second = digits(after.get(..2)?, 2)?;
        rest = &after[2..];
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            fraction = &after[..end.min(FRACTION_DIGITS)];
            rest = &after[end..];
        }
    }
    Some((Time::from_hms(hour, minute, second).ok()?, fraction, rest))
}

fn offset(zone: &str) -> Option<UtcOffset> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(UtcOffset::UTC);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = rest.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let minutes = if minutes.is_empty() { 0 } else { digits::<i8>(minutes, 2)? };
    UtcOffset::from_hms(sign * digits::<i8>(hours, 2)?, sign * minutes, 0).ok()
}

/// A number of exactly so many digits.
fn digits<T: std::str::FromStr>(text: &str, count: usize) -> Option<T> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::{format_description::well_known::Rfc3339, macros::datetime};

    use super::*;

    impl Stamp<'_> {
        fn text(&self) -> String {
            let mut out = Vec::new();
            self.put(&mut out);
            String::from_utf8(out).unwrap()
        }
    }

    /// The text of the time that is read.
    fn at(text: &str) -> Option<String> {
        if let Moment::At(stamp) = read(text) { Some(stamp.text()) } else { None }
    }

    /// A time written by format strings.
    fn formatted(time: OffsetDateTime) -> String {
        let (year, month, day) = time.to_calendar_date();
        let (hour, minute, second, nanos) = time.to_hms_nano();
        let fraction = format!(".{:07}", nanos / 100);
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z", u8::from(month))
    }

    #[test]
    fn times_are_read_as_utc_and_fractions_kept() {
        for (text, expected) in [
            ("2022-12-21T17:18:20", "2022-12-21T17:18:20Z"),
            ("2022-12-21T17:18:20Z", "2022-12-21T17:18:20Z"),
            ("2022-12-21t17:18:20.120z", "2022-12-21T17:18:20.120Z"),
            ("2022-12-21 17:18", "2022-12-21T17:18:00Z"),
            ("2022-12-21", "2022-12-21T00:00:00Z"),
            (" 2022-12-21T17:18:20.123456789 ", "2022-12-21T17:18:20.1234567Z"),
            ("2022-12-31T23:18:20.5-01:30", "2023-01-01T00:48:20.5Z"),
            ("2022-12-21T17:18:20+0000", "2022-12-21T17:18:20Z"),
            ("2022-12-21T17:18:20+02", "2022-12-21T15:18:20Z"),
        ] {
            assert_eq!(at(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_first_days_mean_never() {
        for text in ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0001-01-02T08:00:00", "0001-01-01"] {
            assert_eq!(read(text), Moment::Never, "{text}");
        }
    }

    #[test]
    fn other_texts_are_unreadable() {
        for text in [
            "",
            "yesterday",
            "2022-13-01T00:00:00",
            "2022-02-30T00:00:00",
            "2022-12-21T24:00:00",
            "2022-12-21T17:18:60",
            "2022-12-21T17:18:20.",
            "2022-12-21T17:18:20X",
            "2022-12-21T17:18:20+2",
            "2022-12-21T",
            "12/21/2022 5:18:20 PM",
            "0000-05-01T00:00:00",
            "+022-12-21T17:18:20",
            "2022-12-21T1\u{e9}:18:20",
        ] {
            assert_eq!(read(text), Moment::Unreadable, "{text}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(write(datetime!(2026-01-02 03:04:05 UTC)), "2026-01-02T03:04:05Z");
        assert_eq!(write(datetime!(2026-01-02 03:04:05.120 +02:00)), "2026-01-02T01:04:05.12Z");
        assert_eq!(write(datetime!(9999-12-31 23:59:59 -23:59)), "9999-12-31T23:59:59.9999999Z");
        assert_eq!(write(datetime!(0000-05-01 00:00 UTC)), "0001-01-01T00:00:00Z");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(seconds in -60_000_000_000_i64..250_000_000_000, nanos in 0_i64..1_000_000_000) {
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap() + time::Duration::nanoseconds(nanos / 100 * 100);
            let text = write(time);
            prop_assert_eq!(OffsetDateTime::parse(&text, &Rfc3339).unwrap(), time);
            prop_assert_eq!(at(&text), Some(text.clone()));
            prop_assert_eq!(text, formatted(time));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), time_like in "[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-9:.+Z-]{0,16}") {
            for text in [text, time_like] {
                if let Some(read) = at(&text) {
                    prop_assert!(OffsetDateTime::parse(&read, &Rfc3339).is_ok(), "{} from {}", read, text);
                }
            }
        }

        #[test]
        fn the_usual_form_is_read_as_any_other(
            time_like in "(0000|0004|2023|2024|9999)-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.][0-9]{0,9})?[Zz]?",
            at in 0_usize..30,
            other in any::<char>(),
        ) {
            let mut spoilt: Vec<char> = time_like.chars().collect();
            if let Some(place) = spoilt.get_mut(at) {
                *place = other;
            }
            for text in [time_like, spoilt.into_iter().collect()] {
                if let Some(stamp) = usual(&text) {
                    prop_assert_eq!(Some(stamp), parse(&text), "{}", text);
                }
            }
        }
    }

    #[test]
    fn what_the_feed_sends_has_the_usual_form() {
        for text in
            ["2026-11-16T09:17:09", "2026-11-16T09:17:09Z", "2026-11-16T09:17:09.1234567", "2024-02-29T23:59:59.5Z"]
        {
            assert_eq!(usual(text), parse(text), "{text}");
            assert!(usual(text).is_some(), "{text}");
        }
        assert_eq!(usual("2023-02-29T23:59:59"), None);
    }
}
