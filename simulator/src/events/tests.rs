use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use time::macros::datetime;

use super::*;
use crate::{
    rule::Rule,
    schedule::{self, Bulk},
};

const MIXES: [Mix; 2] = [Mix::Company, Mix::Published];

fn of_mix(mix: Mix) -> Generator {
    Generator::new(Arc::new(Tenant::new(5))).with_mix(mix)
}

fn generator() -> Generator {
    of_mix(Mix::Company)
}

fn recipe(content_type: ContentType, choice: Choice) -> Recipe {
    Recipe { seed: 5, number: 3, content_type, created: datetime!(2026-11-18 10:00 UTC), choice }
}

fn records(generator: &Generator, recipe: &Recipe) -> Vec<Value> {
    serde_json::from_slice(&generator.render(recipe)).expect("a JSON array of records")
}

#[test]
fn every_kind_is_json_with_the_mandatory_members_and_nothing_unfilled() {
    let kinds = MIXES.map(of_mix).into_iter().flat_map(|generator| {
        ContentType::ALL.map(|content_type| records(&generator, &recipe(content_type, Choice::EachKind)))
    });
    for kinds in kinds {
        assert!(!kinds.is_empty(), "each content type has records");
        for record in kinds {
            for name in ["Id", "CreationTime", "Operation", "OrganizationId", "UserKey", "Workload", "UserId"] {
                assert!(record[name].as_str().is_some_and(|text| !text.is_empty()), "{name} of {record}");
            }
            assert!(record["RecordType"].is_u64() && record["UserType"].is_u64(), "{record}");
            assert!(!record.to_string().contains("@guid") && !record.to_string().contains("@new"), "{record}");
        }
    }
}

#[test]
fn the_kinds_cover_the_filter_and_the_traps() {
    let labels: BTreeSet<u16> = labels::KINDS.iter().map(|kind| kind.record_type).collect();
    assert_eq!(labels, BTreeSet::from([4, 6, 20, 43, 71, 72, 75, 82, 83, 84, 93, 94, 95, 96, 97]));
    let noise: BTreeSet<u16> = noise::KINDS.iter().map(|kind| kind.record_type).collect();
    assert!(BTreeSet::from([1, 2, 3, 4, 6, 8, 9, 13, 15, 18, 25, 50, 261]).is_subset(&noise));
}

#[test]
fn the_generator_and_the_rule_agree_on_every_kind() {
    let rule = Rule::default();
    let both = MIXES.into_iter().flat_map(|mix| ContentType::ALL.map(|content_type| (mix, content_type)));
    for (mix, content_type) in both {
        let generator = of_mix(mix);
        let recipe = recipe(content_type, Choice::EachKind);
        let by_rule: Vec<String> = records(&generator, &recipe)
            .iter()
            .filter(|record| rule.keeps(&record.to_string()))
            .map(|record| record["Id"].as_str().unwrap().to_owned())
            .collect();
        let by_generator: Vec<String> = generator.label_ids(&recipe).map(guid::text).collect();
        assert_eq!(by_rule, by_generator, "{content_type} of {mix:?}");
        assert_eq!(!by_rule.is_empty(), mix.labels_in(content_type), "{content_type} of {mix:?}");
    }
}

#[test]
fn published_label_events_are_those_of_labelling_clients_and_scanners() {
    let of = |kinds: &[Kind]| kinds.iter().map(|kind| (kind.record_type, kind.operation)).collect::<BTreeSet<_>>();
    let expected = [
        (93, "Access"),
        (93, "Discover"),
        (94, "SensitivityLabelApplied"),
        (94, "SensitivityLabelRemoved"),
        (94, "SensitivityLabelUpdated"),
        (95, "NewProtection"),
        (96, "FileDeleted"),
        (97, "HeartBeat"),
    ];
    assert_eq!(of(&published::LABELS), BTreeSet::from(expected));
    // The traps: an operation of 96, and records that name a label and are no label events.
    assert!(of(&published::NOISE).is_superset(&BTreeSet::from([(6, "FileDeleted"), (18, "Set-Label")])));
    let generator = of_mix(Mix::Published);
    let noise = records(&generator, &recipe(ContentType::SharePoint, Choice::EachKind));
    assert!(noise.iter().any(|record| record["SensitivityLabelId"].is_string()));
}

#[test]
fn published_records_are_as_long_as_the_samples() {
    // Bytes of the shortest and the longest sample as compact JSON.
    let samples = |record_type: u64| match record_type {
        93 => (843, 970),
        94 => (1_061, 1_080),
        96 => (777, 818),
        97 => (595, 599),
        8 => (890, 890),
        9 => (555, 696),
        261 => (937, 937),
        _ => (650, 1_100), // no sample
    };
    let generator = of_mix(Mix::Published);
    for content_type in ContentType::ALL.into_iter().filter(|&content_type| content_type != ContentType::Dlp) {
        for record in records(&generator, &recipe(content_type, Choice::EachKind)) {
            let (size, sample) = (record.to_string().len(), samples(record["RecordType"].as_u64().unwrap()));
            assert!((sample.0 * 9 / 10..=sample.1 * 11 / 10).contains(&size), "{size}, samples {sample:?}: {record}");
        }
    }
}

#[test]
fn the_published_feed_has_94_megabytes_in_100_000_records() {
    let generator = of_mix(Mix::Published);
    let bulk = Bulk { contents: 1_000, records_per_content: 20, label_share: 0.4, ..Bulk::default() };
    for now in [datetime!(2026-11-18 10:00 UTC), datetime!(2026-11-22 02:00 UTC)] {
        let contents = schedule::bulk(&bulk, Mix::Published, now, 1, 0);
        let labels: usize = contents.iter().map(|recipe| generator.label_ids(recipe).count()).sum();
        assert_eq!(labels, 8_000, "the share is exact");
        let bytes: usize = contents.iter().map(|recipe| generator.render(recipe).len()).sum();
        let average = bytes as f64 / 20_000.0;
        assert!((average - 940.0).abs() < 9.4, "{average} bytes a record");
    }
}

#[test]
fn records_have_the_size_of_real_ones() {
    let generator = generator();
    for content_type in ContentType::ALL {
        for record in records(&generator, &recipe(content_type, Choice::EachKind)) {
            let size = record.to_string().len();
            assert!((700..1_800).contains(&size), "{size} bytes: {record}");
        }
        let body = generator.render(&recipe(content_type, Choice::Weighted { records: 500, labels: 50 }));
        assert!((850..1_550).contains(&(body.len() / 500)), "{} bytes in {content_type}", body.len() / 500);
    }
}

#[test]
fn nights_belong_to_the_scanner() {
    let generator = generator();
    let choice = Choice::Weighted { records: 400, labels: 400 };
    let scans = |created| {
        let recipe = Recipe { created, ..recipe(ContentType::General, choice) };
        records(&generator, &recipe).iter().filter(|record| record["RecordType"] == 93).count()
    };
    assert!(scans(datetime!(2026-11-18 02:00 UTC)) > 200);
    assert!(scans(datetime!(2026-11-18 10:00 UTC)) < 100);
}

#[test]
fn changes_go_both_ways_and_only_downgrades_are_justified() {
    MIXES.map(of_mix).iter().for_each(changes_go_both_ways);
}

fn changes_go_both_ways(generator: &Generator) {
    let tenant = &generator.tenant;
    let all = records(generator, &recipe(ContentType::General, Choice::Weighted { records: 2_000, labels: 2_000 }));
    let priority = |id: &Value| tenant.labels.iter().find(|label| id == &label.id).map(|label| label.priority);
    let (mut up, mut down) = (0, 0);
    for record in all.iter().filter(|record| record["Operation"] == "SensitivityLabelUpdated") {
        let data = &record["SensitivityLabelEventData"];
        let (Some(old), Some(new)) = (priority(&data["OldSensitivityLabelId"]), priority(&data["SensitivityLabelId"]))
        else {
            continue;
        };
        assert_ne!(old, new);
        assert_eq!(data["LabelEventType"], if new < old { 2 } else { 1 });
        assert_eq!(data["JustificationText"].as_str().unwrap_or_default().is_empty(), new > old);
        if new < old {
            down += 1;
        } else {
            up += 1;
        }
    }
    assert!(down > 20 && up > down, "{up} up, {down} down");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_recipe_is_its_bytes_and_its_ids(seed: u64, number in 0_u64..1_000_000, records in 1_u32..60, share in 0_u32..=100, published: bool) {
        let mix = if published { Mix::Published } else { Mix::Company };
        let generator = of_mix(mix);
        let labels = records * share / 100;
        for content_type in [ContentType::General, ContentType::SharePoint, ContentType::Exchange] {
            let choice = Choice::Weighted { records, labels };
            let recipe = Recipe { seed, number, ..recipe(content_type, choice) };
            prop_assert_eq!(generator.render(&recipe), generator.render(&recipe));
            let expected = if mix.labels_in(content_type) { labels } else { 0 };
            prop_assert_eq!(generator.label_ids(&recipe).count(), expected as usize);
            let rule = Rule::default();
            let rendered = super::tests::records(&generator, &recipe);
            prop_assert_eq!(rendered.len(), records as usize);
            let kept: Vec<String> = rendered.iter()
                .filter(|record| rule.keeps(&record.to_string()))
                .filter_map(|record| record["Id"].as_str().map(str::to_owned)).collect();
            prop_assert_eq!(kept, generator.label_ids(&recipe).map(guid::text).collect::<Vec<_>>());
        }
    }

    #[test]
    fn times_are_written_as_the_feed_does(seconds in 0_i64..4_000_000_000) {
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        let mut out = String::new();
        push_time(&mut out, at);
        let format = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
        prop_assert_eq!(out, at.format(format).unwrap());
    }
}
