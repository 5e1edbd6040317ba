//! The spans of time that a picture has a bar for.

use time::{Date, Duration};

use crate::report::{
    days::{Day, Days},
    sample::Sample,
};

/// With more days than this a bar stands for a week.
const DAYS_ONE_BY_ONE: i64 = 62;
/// A longer period than this has a bar only where something was: a single wrong date must not make a page of empty bars.
const FILLED: i64 = 400;
/// With no more days than this the timeline has a bar for each hour.
const DAYS_BY_HOUR: usize = 10;

/// As many as are kept of a day.
const PEOPLE_OF_SPAN: usize = 1_024;

/// A span and the days in it, also where they have no rows.
#[derive(Debug)]
pub(super) struct Bucket<'a> {
    /// What stands below its bar.
    pub name: String,
    days: Vec<Option<&'a Day>>,
}

impl Bucket<'_> {
    /// Hands over its days with rows.
    pub fn each(&self, seen: impl FnMut(&Day)) {
        self.days.iter().flatten().copied().for_each(seen);
    }

    /// How many people used a label.
    pub fn people(&self) -> u64 {
        let mut people = Sample::of(PEOPLE_OF_SPAN);
        self.each(|day| people.join(&day.people));
        people.number()
    }

    /// The sum of what `of` tells of its days.
    pub fn sum(&self, of: impl Fn(&Day) -> u64) -> u64 {
        self.days.iter().flatten().map(|day| of(day)).sum()
    }
}

/// The spans from the first to the last day: without a gap, unless that is longer than any period that is kept.
pub(super) fn buckets(days: &Days) -> Vec<Bucket<'_>> {
    let Some((first, last)) = days.span() else { return Vec::new() };
    let long = (last - first).whole_days();
    let dates: Vec<_> =
        if long > FILLED { days.iter().map(|(date, _)| date).collect() } else { dates(first, last).collect() };
    let begin = |date: Date| {
        if long < DAYS_ONE_BY_ONE {
            return date;
        }
        date.saturating_sub(Duration::days(date.weekday().number_days_from_monday().into()))
    };
    let mut buckets: Vec<Bucket<'_>> = Vec::new();
    let mut begun = None;
    for date in dates {
        if begun != Some(begin(date)) {
            begun = Some(begin(date));
            let of = if long < DAYS_ONE_BY_ONE { "" } else { "week of " };
            buckets.push(Bucket { name: format!("{of}{}", begin(date)), days: Vec::new() });
        }
        if let Some(bucket) = buckets.last_mut() {
            bucket.days.push(days.get(date));
        }
    }
    buckets
}

/// The hours of few days, each with its three figures; nothing where there are many.
pub(super) fn hours(days: &Days) -> Option<Vec<(String, [u64; 3])>> {
    let (first, last) = days.span()?;
    let dates: Vec<_> = dates(first, last).take(DAYS_BY_HOUR + 1).collect();
    if dates.len() > DAYS_BY_HOUR {
        return None;
    }
    let hours = dates.into_iter().flat_map(|date| {
        let of_day = days.get(date).map_or([[0; 3]; 24], |day| day.hours);
        of_day.into_iter().enumerate().map(move |(hour, figures)| (format!("{date} {hour:02}:00"), figures))
    });
    Some(hours.collect())
}

fn dates(first: Date, last: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), move |date| date.checked_add(Duration::DAY))
        .take_while(move |date| *date <= last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::read;

    fn names(dates: &[&str]) -> Vec<String> {
        let line = |date: &&str| json!({"TimeGenerated": format!("{date}T12:00:00Z")}).to_string();
        let lines: Vec<_> = dates.iter().map(line).collect();
        let reading = read(lines.join("\n").as_bytes(), &[], |_| ()).unwrap();
        let buckets = buckets(&reading.figures.days);
        assert_eq!(buckets.iter().map(|bucket| bucket.sum(|day| day.rows)).sum::<u64>(), dates.len() as u64);
        buckets.into_iter().map(|bucket| bucket.name).collect()
    }

    #[test]
    fn a_period_has_no_gap_and_a_long_one_has_weeks() {
        assert_eq!(names(&["2026-11-20", "2026-11-22"]), ["2026-11-20", "2026-11-21", "2026-11-22"]);
        let long = names(&["2026-01-01", "2026-04-01"]);
        assert_eq!((long.len(), long[0].as_str(), long[13].as_str()), (14, "week of 2025-12-29", "week of 2026-03-30"));
    }

    #[test]
    fn a_wrong_date_makes_no_page_of_empty_bars() {
        assert_eq!(names(&["0001-01-01", "2026-11-20", "2026-11-21", "9999-12-31"]).len(), 3);
    }
}
