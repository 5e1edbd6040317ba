//! How far before the watermark a run looks again: contents are listed late, with an older time of publication.

use time::{Duration, OffsetDateTime};

use super::document::Watermark;

/// How far before the watermark each run looks.
const OVERLAP: Duration = Duration::hours(1);

/// How often a run looks back a day before the watermark: in between, an idle run asks for one window.
const DAY_EVERY: Duration = Duration::hours(1);

/// How often a run looks back as far as the feed lists.
const WEEK_EVERY: Duration = Duration::hours(24);

/// All that the feed lists (Management Activity API reference, "List available content").
const WEEK: Duration = Duration::days(7);

/// How long after the start of a subscription its back-fill is awaited: it holds about 22 hours and came within
/// minutes (management-api.md, 2.3); the reference allows 12 hours until the first content.
const BACK_FILL_WITHIN: Duration = Duration::hours(48);

/// How far a run looks back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LookBack {
    /// An hour before the watermark, as each run does.
    Overlap,
    /// 24 hours before the watermark.
    Day,
    /// Seven days before now, all that the feed lists.
    Week,
}

/// A span of publication time: from the first time (inclusive) to the second (exclusive).
pub type Span = (OffsetDateTime, OffsetDateTime);

impl LookBack {
    /// The look that is due at `now`: a week's once a day, a day's once an hour. After the start of a subscription a
    /// day's is due in each run until a content is seen, for the back-fill is published with older times. A time
    /// noted in the future (a clock was set) postpones a look by no more than its interval.
    #[must_use]
    pub fn due(watermark: &Watermark, now: OffsetDateTime) -> Self {
        let past = |last: Option<OffsetDateTime>, every| last.is_none_or(|last| (now - last).abs() >= every);
        let awaits_back_fill = watermark.last_content.is_none() && !past(watermark.started, BACK_FILL_WITHIN);
        if past(watermark.looked_week_back, WEEK_EVERY) {
            Self::Week
        } else if awaits_back_fill || past(watermark.looked_day_back, DAY_EVERY) {
            Self::Day
        } else {
            Self::Overlap
        }
    }

    /// The spans to list at `now`, in this order: what is new with its overlap, then what a deeper look adds before
    /// it. What is new comes first, so that a look that outlasts the run holds nothing up. Neither begins before the
    /// very first run did.
    #[must_use]
    pub fn spans(self, watermark: &Watermark, now: OffsetDateTime) -> [Span; 2] {
        let first = watermark.begins.unwrap_or(now.saturating_sub(WEEK));
        let begin = |from: OffsetDateTime| from.max(first);
        let through = watermark.listed_through;
        let new = begin(through.saturating_sub(OVERLAP));
        let again = match self {
            Self::Overlap => new,
            Self::Day => begin(through.saturating_sub(Duration::DAY)),
            Self::Week => begin(now.saturating_sub(WEEK)),
        };
        [(new, now), (again.min(new), new)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

    fn ago(minutes: i64) -> OffsetDateTime {
        NOW - Duration::minutes(minutes)
    }

    /// A watermark five minutes old of a connector that runs for a month, with the looks so many minutes ago.
    fn watermark(day: Option<i64>, week: Option<i64>) -> Watermark {
        Watermark {
            begins: Some(NOW - Duration::days(30)),
            last_content: Some(ago(30)),
            looked_day_back: day.map(ago),
            looked_week_back: week.map(ago),
            ..Watermark::starting_at(ago(5))
        }
    }

    #[test]
    fn the_deeper_the_rarer() {
        for (day, week, due) in [
            (None, None, LookBack::Week),
            (Some(5), None, LookBack::Week),
            (Some(5), Some(5), LookBack::Overlap),
            (Some(59), Some(24 * 60 - 1), LookBack::Overlap),
            (Some(60), Some(24 * 60 - 1), LookBack::Day),
            (None, Some(5), LookBack::Day),
            (Some(60), Some(24 * 60), LookBack::Week),
            (Some(-30), Some(-30), LookBack::Overlap),
            (Some(-90), Some(-90), LookBack::Day),
        ] {
            assert_eq!(LookBack::due(&watermark(day, week), NOW), due, "{day:?} {week:?}");
        }
    }

    #[test]
    fn after_a_start_every_run_looks_a_day_back_until_a_content_is_seen() {
        let started = |minutes, last_content| Watermark {
            started: Some(ago(minutes)),
            last_content,
            ..watermark(Some(5), Some(5))
        };
        assert_eq!(LookBack::due(&started(6, None), NOW), LookBack::Day);
        assert_eq!(LookBack::due(&started(47 * 60, None), NOW), LookBack::Day);
        assert_eq!(LookBack::due(&started(48 * 60, None), NOW), LookBack::Overlap);
        assert_eq!(LookBack::due(&started(6, Some(ago(60))), NOW), LookBack::Overlap);
    }

    #[test]
    fn an_idle_run_lists_one_span_and_a_deeper_look_what_lies_before() {
        let watermark = watermark(None, None);
        let new = (ago(65), NOW);
        let day = (ago(24 * 60 + 5), ago(65));
        let week = (NOW - WEEK, ago(65));
        assert_eq!(LookBack::Overlap.spans(&watermark, NOW), [new, (ago(65), ago(65))]);
        assert_eq!(LookBack::Day.spans(&watermark, NOW), [new, day]);
        assert_eq!(LookBack::Week.spans(&watermark, NOW), [new, week]);
    }

    #[test]
    fn nothing_is_listed_before_the_very_first_run_began() {
        let first = Watermark::starting_at(ago(24 * 60));
        for look in [LookBack::Overlap, LookBack::Day, LookBack::Week] {
            assert_eq!(look.spans(&first, NOW), [(ago(24 * 60), NOW), (ago(24 * 60), ago(24 * 60))]);
        }
    }

    proptest! {
        #[test]
        fn what_is_listed_late_is_listed_while_the_feed_serves_it(published in 0_i64..7 * 24 * 60, tick in 5_i64..60) {
            // A content that shows up at `NOW` with an older time, and a run every `tick` minutes, each of which is
            // listed to its end.
            let created = ago(published);
            let mut watermark = Watermark { begins: None, ..watermark(Some(tick), Some(tick)) };
            let mut now = NOW;
            loop {
                let look = LookBack::due(&watermark, now);
                let listed = look.spans(&watermark, now).into_iter().any(|(from, to)| (from..to).contains(&created));
                if listed {
                    break;
                }
                prop_assert!(now - NOW <= WEEK_EVERY, "{created} is not listed within a day");
                prop_assert!(published > 22 * 60 || now - NOW <= DAY_EVERY, "back-fill is not listed within an hour");
                watermark.looked_back(look, now);
                watermark.listed_through = now;
                now += Duration::minutes(tick);
                // In its last day in reach a content may fall out of it before the next look.
                prop_assume!(now - created < WEEK);
            }
        }
    }
}
