//! When contents are published: a company's hours, or an even stream for benchmarks. Pure: seeds and times in, recipes out.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, Weekday};

use crate::{
    contents::ContentType,
    events::{Choice, Mix, Recipe},
};

/// The past of a tenant: office hours busy, nights and weekends quiet, and some contents delivered a second time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct History {
    /// How far back it goes from now. The feed serves 7 days; contents at that edge expire before a client is there.
    pub days: f64,
    /// Records in all, the second deliveries apart.
    pub records: u64,
    /// Share of label events among them, 0 to 1.
    pub label_share: f64,
    /// Most records in one content.
    pub records_per_content: u32,
    /// Share of the contents that the service delivers again under a new id, 0 to 1.
    pub delivered_again: f64,
}

impl Default for History {
    fn default() -> Self {
        Self { days: 6.9, records: 20_000, label_share: 0.05, records_per_content: 100, delivered_again: 0.02 }
    }
}

/// An even stream of contents, for benchmarks: bodies are rendered at retrieval and never held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bulk {
    /// How many contents, in turn of the three content types that hold label events.
    pub contents: u64,
    /// Records in each.
    pub records_per_content: u32,
    /// Share of label events among the records, 0 to 1.
    pub label_share: f64,
    /// How far back the first is created, in seconds; the last is created two minutes before now, so that a reader who
    /// leaves the last minute alone finds it.
    pub age_seconds: i64,
}

impl Default for Bulk {
    fn default() -> Self {
        Self { contents: 3_000, records_per_content: 1_000, label_share: 0.02, age_seconds: 6 * 24 * 3_600 }
    }
}

/// A content to publish, and when its records are delivered again in another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scheduled {
    pub recipe: Recipe,
    pub again: Option<OffsetDateTime>,
}

/// How long before now the last content of a bulk is created, in seconds.
const LAST_OF_BULK: i64 = 120;

/// Makes label events an exact share of the records of these contents, in the content types in which the mix has any. Where
/// these contents have no room for so many, all of them come with such a content type.
fn spread(contents: &mut [&mut Recipe], share: f64, mix: Mix) {
    let size = |content: &Recipe| match content.choice {
        Choice::Weighted { records, .. } => records,
        Choice::EachKind => 0,
    };
    let sum = |sizes: &mut dyn Iterator<Item = u32>| sizes.map(u64::from).sum::<u64>() as f64;
    let share = share.clamp(0.0, 1.0);
    let all = sum(&mut contents.iter().map(|content| size(content)));
    let mut room =
        sum(&mut contents.iter().filter(|content| mix.labels_in(content.content_type)).map(|content| size(content)));
    if share * all > room {
        contents.iter_mut().for_each(|content| content.content_type = ContentType::General);
        room = all;
    }
    let share = share * (all / room);
    let mut owed = 0.0;
    for content in contents.iter_mut().filter(|content| mix.labels_in(content.content_type)) {
        let records = size(content);
        owed += share * f64::from(records);
        // The small number makes up for sums of fractions that fall just short of a whole.
        let labels = ((owed + 1e-6_f64).floor().max(0.0) as u32).min(records);
        owed -= f64::from(labels);
        content.choice = Choice::Weighted { records, labels };
    }
}

/// How busy the hour that begins at `hour` is; the scanner's night is never quite still.
fn busyness(hour: OffsetDateTime) -> f64 {
    let weekend = matches!(hour.weekday(), Weekday::Saturday | Weekday::Sunday);
    match hour.hour() {
        1..=5 => 1.5,
        _ if weekend => 0.5,
        12 => 6.0,
        8..17 => 10.0,
        6 | 7 | 17 | 18 => 4.0,
        _ => 0.5,
    }
}

/// The contents of a history before `now`, numbered from `first_number`, in the order of their creation within an hour.
pub(crate) fn history(
    history: &History,
    mix: Mix,
    now: OffsetDateTime,
    seed: u64,
    first_number: u64,
) -> Vec<Scheduled> {
    let mut rng = Rng::with_seed(seed ^ first_number.rotate_left(32));
    let hours = (history.days.clamp(0.0, 365.0) * 24.0).ceil().max(1.0) as i64;
    let start = now - Duration::hours(hours);
    let weights: Vec<f64> = (0..hours).map(|hour| busyness(start + Duration::hours(hour))).collect();
    let whole: f64 = weights.iter().sum();
    let (mut upto, mut made) = (0.0, 0_u64);
    let mut scheduled = Vec::new();
    for (hour, weight) in (0_i64..).zip(&weights) {
        upto += weight;
        let last = hour + 1 == hours;
        let due = if last { history.records } else { (upto / whole * history.records as f64) as u64 };
        while made < due {
            let records = u32::try_from(due - made).unwrap_or(u32::MAX).min(history.records_per_content.max(1));
            made += u64::from(records);
            let content_type = mix.in_ten()[usize::from(rng.u8(0..10))];
            let created = start + Duration::hours(hour) + Duration::milliseconds(rng.i64(0..3_600_000));
            let again = created + Duration::minutes(rng.i64(30..3 * 24 * 60));
            let again = (rng.f64() < history.delivered_again && again < now).then_some(again);
            let number = first_number + scheduled.len() as u64;
            let choice = Choice::Weighted { records, labels: 0 };
            scheduled.push(Scheduled { recipe: Recipe { seed, number, content_type, created, choice }, again });
        }
    }
    let mut recipes: Vec<&mut Recipe> = scheduled.iter_mut().map(|one| &mut one.recipe).collect();
    spread(&mut recipes, history.label_share, mix);
    scheduled
}

/// The contents of a bulk before `now`, numbered from `first_number`.
pub(crate) fn bulk(bulk: &Bulk, mix: Mix, now: OffsetDateTime, seed: u64, first_number: u64) -> Vec<Recipe> {
    let (contents, records) = (bulk.contents, bulk.records_per_content);
    let age = bulk.age_seconds.max(LAST_OF_BULK);
    let start = now - Duration::seconds(age);
    let whole = (age - LAST_OF_BULK) as f64 * 1_000.0;
    let types = mix.in_turn().iter().cycle();
    let recipe = |(nth, &content_type)| {
        let gone = whole * nth as f64 / contents.saturating_sub(1).max(1) as f64;
        let created = start + Duration::milliseconds(gone as i64);
        let choice = Choice::Weighted { records, labels: 0 };
        Recipe { seed, number: first_number + nth, content_type, created, choice }
    };
    let mut recipes: Vec<Recipe> = (0..contents).zip(types).map(recipe).collect();
    spread(&mut recipes.iter_mut().collect::<Vec<_>>(), bulk.label_share, mix);
    recipes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-20 18:00 UTC);

    fn mixes() -> impl Strategy<Value = Mix> {
        prop::sample::select(&[Mix::Company, Mix::Published][..])
    }

    fn sums(recipes: impl IntoIterator<Item = Recipe>) -> (u64, u64) {
        recipes.into_iter().fold((0, 0), |(all, events), recipe| match recipe.choice {
            Choice::Weighted { records, labels } => (all + u64::from(records), events + u64::from(labels)),
            Choice::EachKind => (all, events),
        })
    }

    /// Whether the generator has what the recipe asks for.
    fn is_possible(recipe: &Recipe, mix: Mix) -> bool {
        let Choice::Weighted { records, labels } = recipe.choice else { return false };
        labels <= records && (labels == 0 || mix.labels_in(recipe.content_type))
    }

    #[test]
    fn published_contents_come_from_all_content_types_as_long_as_there_is_room() {
        let types = |label_share| {
            let wanted = Bulk { contents: 8, label_share, ..Bulk::default() };
            let contents = bulk(&wanted, Mix::Published, NOW, 1, 0);
            ContentType::WITH_LABELS.map(|known| contents.iter().filter(|one| one.content_type == known).count())
        };
        assert_eq!((types(0.0), types(0.4), types(0.5)), ([4, 2, 2], [4, 2, 2], [4, 2, 2]));
        assert_eq!(types(0.6), [8, 0, 0]);
    }

    #[test]
    fn office_hours_are_busy_and_weekends_quiet() {
        let past = history(&History { records: 50_000, ..History::default() }, Mix::Company, NOW, 1, 0);
        let records =
            |day: Weekday| sums(past.iter().map(|one| one.recipe).filter(|one| one.created.weekday() == day)).0;
        assert!(records(Weekday::Wednesday) > 4 * records(Weekday::Sunday));
        assert!(records(Weekday::Sunday) > 0);
        assert!(past.iter().any(|one| one.again.is_some()));
    }

    proptest! {
        #[test]
        fn a_history_has_its_records_its_share_and_its_days(
            records in 1_u64..5_000, share in 0.0_f64..=1.0, per_content in 1_u32..300, days in 0.1_f64..8.0, seed: u64,
            mix in mixes(),
        ) {
            let wanted = History { days, records, label_share: share, records_per_content: per_content, delivered_again: 0.1 };
            let past = history(&wanted, mix, NOW, seed, 10);
            let (all, labels) = sums(past.iter().map(|one| one.recipe));
            prop_assert_eq!(all, records);
            prop_assert!((labels as f64 - records as f64 * share).abs() < 1.0, "{} of {}", labels, all);
            prop_assert!(past.iter().all(|one| one.recipe.created < NOW && one.again.is_none_or(|again| again < NOW)));
            let oldest = NOW - Duration::hours((days * 24.0).ceil() as i64);
            prop_assert!(past.iter().all(|one| one.recipe.created >= oldest));
            prop_assert!(past.iter().all(|one| is_possible(&one.recipe, mix)));
            prop_assert_eq!(past, history(&wanted, mix, NOW, seed, 10));
        }

        #[test]
        fn a_bulk_is_even(
            contents in 1_u64..500, records_per_content in 1_u32..2_000, label_share in 0.0_f64..=1.0, mix in mixes(),
        ) {
            let wanted = Bulk { contents, records_per_content, label_share, age_seconds: 86_400 };
            let (all, labels) = sums(bulk(&wanted, mix, NOW, 1, 0));
            prop_assert_eq!(all, contents * u64::from(records_per_content));
            prop_assert!((labels as f64 - all as f64 * label_share).abs() < 1.0);
            let contents = bulk(&wanted, mix, NOW, 1, 0);
            prop_assert!(contents.iter().all(|one| one.created <= NOW - 2 * Duration::MINUTE && is_possible(one, mix)));
        }
    }
}
