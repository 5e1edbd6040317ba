//! Windows of publication time: what one listing asks for.

use std::fmt;

use time::{Duration, OffsetDateTime};

/// The longest window. Beyond 24 hours the service may answer with a part of the contents and no error (Management
/// Activity API reference, "List available content").
pub const LONGEST: Duration = Duration::hours(24);

/// How far back a window may start: the service lists seven days (same source, AF20030). Five minutes are kept back,
/// so that a window that was made at the start of a run is still in reach when it is asked for at the end of it.
pub const REACH: Duration = Duration::days(7).saturating_sub(Duration::minutes(5));

/// How far behind this machine's clock the last window ends, so that a clock that runs ahead asks for no time that
/// the service has not seen yet: what is published in such a window after its listing would never be listed.
pub const SKEW: Duration = Duration::minutes(1);

/// How much later a window is begun that the feed refuses at the edge of its reach, and how near to the edge that is:
/// more than the clocks of two machines differ.
pub const EDGE_STEP: Duration = Duration::minutes(15);

/// The longest window of a range that is asked for again. They are settled one by one, and a range that does not fit into
/// a run is asked for from the first unsettled one on: the shorter they are, the less is read twice.
const RANGE_WINDOW: Duration = Duration::hours(1);

/// The first window of such a range, the shortest that the service can be asked for; each one after it is twice as
/// long, up to [`RANGE_WINDOW`]. So every run finishes some of them, however much was published in an hour.
const FIRST_RANGE_WINDOW: Duration = Duration::SECOND;

/// A half-open span of publication time in whole seconds of UTC: `start <= contentCreated < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// The first second of it.
    pub start: OffsetDateTime,
    /// The first second after it.
    pub end: OffsetDateTime,
}

impl Window {
    /// `startTime` as the service takes it, `2026-01-31T23:59:59`: UTC, seconds, no zone.
    #[must_use]
    pub fn start_time(&self) -> String {
        seconds(self.start)
    }

    /// `endTime` as the service takes it.
    #[must_use]
    pub fn end_time(&self) -> String {
        seconds(self.end)
    }

    /// What to ask for at `now` after the feed refused this window. At the edge of the reach, where the feed's clock may
    /// be ahead of this machine's, that is the window begun [`EDGE_STEP`] later, which is empty where nothing is left of
    /// it. Elsewhere it is the same window, for the feed serves it: a refusal is no reason to pass over a part of it.
    #[must_use]
    pub fn after_refusal(self, now: OffsetDateTime) -> Self {
        if self.start.saturating_sub(EDGE_STEP) > oldest(now) {
            return self;
        }
        Self { start: self.start.saturating_add(EDGE_STEP).min(self.end), end: self.end }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.start_time(), self.end_time())
    }
}

/// The windows that cover `from` (inclusive) to `to` (exclusive), oldest first, without gap or overlap, none over
/// [`LONGEST`]. The first starts no earlier than the feed reaches at `now` (see [`clamped`]), the last ends no later
/// than [`SKEW`] before `now`. Fractions of a second are cut off at both ends: at the start that asks for a little
/// more, at the end it leaves a little for the next run.
pub fn windows(from: OffsetDateTime, to: OffsetDateTime, now: OffsetDateTime) -> impl Iterator<Item = Window> + Clone {
    windows_of(LONGEST, LONGEST, from, to, now)
}

/// The windows of a range that is asked for again, as [`windows`] makes them, but short: from a second up to an hour. Without `since` they begin
/// where the feed's reach does, without `until` they end at `now`.
pub fn range(
    since: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> impl Iterator<Item = Window> + Clone {
    windows_of(FIRST_RANGE_WINDOW, RANGE_WINDOW, since.unwrap_or_else(|| oldest(now)), until.unwrap_or(now), now)
}

/// The first window has the length `first`, each other one twice that of the one before it, up to `longest`.
fn windows_of(
    first: Duration,
    longest: Duration,
    from: OffsetDateTime,
    to: OffsetDateTime,
    now: OffsetDateTime,
) -> impl Iterator<Item = Window> + Clone {
    let end = to.min(now.saturating_sub(SKEW)).truncate_to_second();
    // `from` is cut to its second first: the edge of the reach is a whole second, so the greater of both is one too.
    let mut next = from.truncate_to_second().max(oldest(now));
    let mut length = first;
    std::iter::from_fn(move || {
        let left = end - next;
        if !left.is_positive() {
            return None;
        }
        let window = Window { start: next, end: if left > length { next + length } else { end } };
        next = window.end;
        length = longest.min(length * 2);
        Some(window)
    })
}

/// Where listing can start when it should start at `from`, and how much of the time from `from` on the feed lists no
/// more (`None` where all of it is in reach): what was published in that span and was not listed before is lost.
#[must_use]
pub fn clamped(from: OffsetDateTime, now: OffsetDateTime) -> (OffsetDateTime, Option<std::time::Duration>) {
    let oldest = oldest(now);
    // A negative span does not convert, which is just the case of nothing lost.
    let lost = std::time::Duration::try_from(oldest - from).ok().filter(|span| !span.is_zero());
    (from.max(oldest), lost)
}

/// The first whole second in reach.
fn oldest(now: OffsetDateTime) -> OffsetDateTime {
    let edge = now.saturating_sub(REACH);
    let second = edge.truncate_to_second();
    if second < edge { second.saturating_add(Duration::SECOND) } else { second }
}

fn seconds(time: OffsetDateTime) -> String {
    let time = time.to_offset(time::UtcOffset::UTC);
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::{datetime, offset};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-08-20 12:00:00 UTC);

    fn list(from: OffsetDateTime, to: OffsetDateTime) -> Vec<Window> {
        windows(from, to, NOW).collect()
    }

    #[test]
    fn a_short_span_is_one_window() {
        let (start, end) = (NOW - Duration::HOUR, NOW - Duration::minutes(30));
        assert_eq!(list(start, end), [Window { start, end }]);
    }

    #[test]
    fn a_gap_of_eight_days_is_walked_from_the_edge_of_the_reach() {
        let listed = list(NOW - Duration::days(8), NOW);
        assert_eq!(listed.len(), 7);
        assert_eq!(listed[0].start, datetime!(2026-08-13 12:05:00 UTC));
        assert_eq!(listed[6].end, datetime!(2026-08-20 11:59:00 UTC));
    }

    #[test]
    fn nothing_is_listed_of_the_future_or_of_an_empty_span() {
        for (from, to) in
            [(NOW, NOW + Duration::DAY), (NOW - Duration::HOUR, NOW - Duration::HOUR), (NOW, NOW - LONGEST)]
        {
            assert_eq!(list(from, to), []);
        }
    }

    #[test]
    fn times_are_utc_seconds_without_a_zone() {
        let listed =
            list(datetime!(2026-08-20 09:00:00.75 +9), datetime!(2026-08-20 01:30:00.999 UTC).to_offset(offset!(-3)));
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].start_time(), "2026-08-20T00:00:00");
        assert_eq!(listed[0].end_time(), "2026-08-20T01:30:00");
        assert_eq!(listed[0].to_string(), "2026-08-20T00:00:00 to 2026-08-20T01:30:00");
    }

    #[test]
    fn what_lies_beyond_the_reach_is_told() {
        assert_eq!(clamped(NOW - REACH, NOW), (NOW - REACH, None));
        let (from, lost) = clamped(NOW - Duration::days(8), NOW);
        assert_eq!(from, NOW - REACH);
        assert_eq!(lost, Some(std::time::Duration::from_secs(24 * 3600 + 300)));
    }

    #[test]
    fn only_at_the_edge_a_refused_window_is_begun_later() {
        let edge = NOW - REACH;
        let window = |from: Duration, to: Duration| Window { start: edge + from, end: edge + to };
        let (hour, step) = (Duration::HOUR, EDGE_STEP);
        assert_eq!(window(Duration::ZERO, hour).after_refusal(NOW), window(step, hour));
        assert_eq!(window(step, hour).after_refusal(NOW), window(step * 2, hour));
        for inside in [window(step + Duration::SECOND, hour), window(hour * 50, hour * 70), window(hour, hour * 25)] {
            assert_eq!(inside.after_refusal(NOW), inside, "the feed serves all of it");
        }
        let short = window(Duration::ZERO, Duration::minutes(10)).after_refusal(NOW);
        assert!(short.is_empty() && short.end == edge + Duration::minutes(10));
    }

    #[test]
    fn a_range_without_an_end_goes_as_far_as_the_feed_lists() {
        let all: Vec<_> = range(None, None, NOW).collect();
        assert_eq!((all[0].start, all[all.len() - 1].end), (NOW - REACH, NOW - SKEW));
        let lengths: Vec<_> = all.iter().map(|window| (window.end - window.start).whole_seconds()).collect();
        assert_eq!(lengths[..14], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600]);
        assert!(lengths.iter().all(|length| *length <= 3600));
        let until = NOW - Duration::days(2);
        let old: Vec<_> = range(None, Some(until), NOW).collect();
        assert_eq!((old[0].start, old[old.len() - 1].end), (NOW - REACH, until));
        assert_eq!(range(Some(NOW + Duration::DAY), None, NOW).count(), 0);
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let (first, last) = (datetime!(-9999-01-01 00:00:00 UTC), datetime!(9999-12-31 23:59:59 UTC));
        assert_eq!(list(first, last).len(), 7);
        assert_eq!(windows(first, last, first).count(), 0);
        assert_eq!(windows(first, last, last).count(), 7);
        assert!(clamped(first, last).1.is_some());
    }

    prop_compose! {
        /// A time within ten days of `NOW`, to the millisecond.
        fn around()(milliseconds in -864_000_000_i64..864_000_000) -> OffsetDateTime {
            NOW + Duration::milliseconds(milliseconds)
        }
    }

    proptest! {
        #[test]
        fn windows_tile_their_span(from in around(), to in around(), skew in 0_i64..1000) {
            let now = NOW + Duration::milliseconds(skew);
            let listed: Vec<_> = windows(from, to, now).collect();
            for pair in listed.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].start);
            }
            for window in &listed {
                prop_assert!(window.start < window.end);
                prop_assert!(window.end - window.start <= LONGEST);
                prop_assert!(window.start >= now - REACH);
                prop_assert!(window.end <= now - SKEW);
                prop_assert_eq!((window.start.nanosecond(), window.end.nanosecond()), (0, 0));
            }
            let (start, _) = clamped(from, now);
            let end = to.min(now - SKEW);
            match (listed.first(), listed.last()) {
                (Some(first), Some(last)) => {
                    prop_assert!(first.start <= start && start - first.start < Duration::SECOND);
                    prop_assert!(last.end <= end && end - last.end < Duration::SECOND);
                }
                _ => prop_assert!(end - start < Duration::SECOND),
            }
        }

        #[test]
        fn a_range_is_what_its_windows_are_in_shorter_pieces(from in around(), to in around()) {
            let short: Vec<_> = range(Some(from), Some(to), NOW).collect();
            let long = list(from, to);
            let ends = |windows: &[Window]| windows.first().zip(windows.last()).map(|(a, b)| (a.start, b.end));
            prop_assert_eq!(ends(&short), ends(&long));
            prop_assert!(short.windows(2).all(|pair| pair[0].end == pair[1].start));
        }

        #[test]
        fn lost_and_kept_add_up(from in around()) {
            let (start, lost) = clamped(from, NOW);
            prop_assert_eq!(start - from, lost.map_or(Duration::ZERO, |lost| Duration::try_from(lost).unwrap()));
            prop_assert!(start >= NOW - REACH);
        }
    }
}
