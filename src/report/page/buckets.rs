//! The spans of time that a picture has a bar for.

use time::{Date, Duration};

use crate::report::days::{Day, Days};

/// With more days than this a bar stands for a week.
const DAYS_ONE_BY_ONE: i64 = 62;
/// With no more days than this the timeline has a bar for each hour.
const DAYS_BY_HOUR: usize = 10;

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

    /// The sum of what `of` tells of its days.
    pub fn sum(&self, of: impl Fn(&Day) -> u64) -> u64 {
        self.days.iter().flatten().map(|day| of(day)).sum()
    }
}

/// The spans from the first to the last day, without a gap.
pub(super) fn buckets(days: &Days) -> Vec<Bucket<'_>> {
    let Some((first, last)) = days.span() else { return Vec::new() };
    let by_week = (last - first).whole_days() >= DAYS_ONE_BY_ONE;
    let mut buckets: Vec<Bucket<'_>> = Vec::new();
    for date in dates(first, last) {
        let begins = !by_week || date.weekday().number_days_from_monday() == 0 || buckets.is_empty();
        if begins {
            let name = if by_week { format!("week of {date}") } else { date.to_string() };
            buckets.push(Bucket { name, days: Vec::new() });
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
    std::iter::successors(Some(first), move |date| date.checked_add(Duration::DAY)).take_while(move |date| *date <= last)
}
