//! What the company did: when contents were published and what is in them. Pure: a seed and a time in, a plan out.
//!
//! It ends two minutes before now. The connector leaves the newest minute to its next run, as clocks differ, and a demo
//! that waits for that minute would be a dull one; the simulator's own history reaches up to now.

use fastrand::Rng;
use labelstream_simulator::ContentType;
use time::{Duration, OffsetDateTime, Weekday};

/// How long before now the newest content was published.
pub const NEWEST: Duration = Duration::minutes(2);
/// How far back the feed is sure to serve a content until it is fetched; it drops what is seven days old.
const OLDEST: Duration = Duration::minutes(7 * 24 * 60 - 90);
/// One record in so many is a label event.
const RECORDS_PER_LABEL_EVENT: u64 = 20;
/// One content in so many is delivered a second time, as the service does now and then.
const CONTENTS_PER_REPEAT: u32 = 50;
/// Contents that are fetched within the feed's quota of 2,000 requests a minute, listings and repeats apart.
const CONTENTS: u64 = 1_500;
/// Records in a content as long as there are no more contents than that.
const RECORDS_PER_CONTENT: u64 = 100;

/// A content to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    pub content_type: ContentType,
    pub created: OffsetDateTime,
    pub labels: u32,
    pub noise: u32,
    /// When its records are delivered again in another content, if they are.
    pub again: Option<OffsetDateTime>,
}

/// The contents of the `days` before `now` with `records` records in all, in the order of their publication by hours.
pub fn week(days: f64, records: u64, now: OffsetDateTime, seed: u64) -> Vec<Planned> {
    let mut rng = Rng::with_seed(seed);
    let end = now - NEWEST;
    let start = (end - Duration::seconds_f64(days * 86_400.0)).max(now - OLDEST);
    let hours = busy_hours(start, end);
    let whole: u64 = hours.iter().map(|hour| hour.weight).sum();
    let largest = records.div_ceil(CONTENTS).max(RECORDS_PER_CONTENT);
    let (mut upto, mut made, mut planned) = (0, 0, Vec::new());
    for hour in hours {
        upto += hour.weight;
        let due = (u128::from(records) * u128::from(upto) / u128::from(whole)) as u64;
        while made < due {
            let next = (made + largest).min(due);
            let labels = next / RECORDS_PER_LABEL_EVENT - made / RECORDS_PER_LABEL_EVENT;
            let created = hour.start + Duration::milliseconds(rng.i64(0..hour.milliseconds));
            let again = created + Duration::minutes(rng.i64(30..3 * 24 * 60));
            planned.push(Planned {
                content_type: content_type(&mut rng),
                created,
                labels: small(labels),
                noise: small(next - made - labels),
                again: (rng.u32(0..CONTENTS_PER_REPEAT) == 0 && again < end).then_some(again),
            });
            made = next;
        }
    }
    planned
}

/// One of those that hold label events, as often as they come in a company that works with files.
pub fn content_type(rng: &mut Rng) -> ContentType {
    match rng.u8(0..10) {
        0..3 => ContentType::General,
        3..7 => ContentType::SharePoint,
        _ => ContentType::Exchange,
    }
}

struct Hour {
    start: OffsetDateTime,
    milliseconds: i64,
    weight: u64,
}

/// The hours from `start` to `end`, the last of them cut off there, weighed by how busy the company is.
fn busy_hours(start: OffsetDateTime, end: OffsetDateTime) -> Vec<Hour> {
    let mut hours = Vec::new();
    let mut at = start;
    while at < end {
        let next = (at + Duration::HOUR).min(end);
        let milliseconds = i64::try_from((next - at).whole_milliseconds()).unwrap_or(1).max(1);
        hours.push(Hour { start: at, milliseconds, weight: busyness(at) * milliseconds.unsigned_abs() });
        at = next;
    }
    hours
}

/// How busy the hour that begins at `hour` is; the scanner's night is never quite still.
fn busyness(hour: OffsetDateTime) -> u64 {
    match (hour.weekday(), hour.hour()) {
        (_, 1..=5) => 3,
        (Weekday::Saturday | Weekday::Sunday, _) => 1,
        (_, 12) => 12,
        (_, 8..=16) => 20,
        (_, 6 | 7 | 17 | 18) => 8,
        _ => 1,
    }
}

fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    proptest! {
        #[test]
        fn a_week_has_its_records_within_reach_of_the_feed_and_of_the_next_run(
            days in 0.1_f64..=7.0, records in 20_u64..200_000, seed: u64, minutes in 0_i64..20_000,
        ) {
            let now = datetime!(2026-11-23 09:00 UTC) + Duration::minutes(minutes);
            let planned = week(days, records, now, seed);
            let sum = |part: fn(&Planned) -> u32| planned.iter().map(|content| u64::from(part(content))).sum::<u64>();
            prop_assert_eq!(sum(|content| content.labels), records / 20);
            prop_assert_eq!(sum(|content| content.labels) + sum(|content| content.noise), records);
            prop_assert!(planned.len() < 1_900, "{} contents", planned.len());
            let (oldest, newest) = (now - Duration::DAY * 7 + Duration::HOUR, now - NEWEST);
            prop_assert!(planned.iter().all(|content| (oldest..=newest).contains(&content.created)));
            prop_assert!(planned.iter().filter_map(|content| content.again).all(|again| again < newest));
            prop_assert_eq!(planned, week(days, records, now, seed));
        }
    }
}
