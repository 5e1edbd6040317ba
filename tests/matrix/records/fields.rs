//! Every field of every record type: null, missing, of another type, of an unknown value, very long.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::Path,
};

use labelstream_simulator::rule::Rule;
use serde_json::{Map, Value, json};

use super::{Maker, rows};
use crate::{case::Case, scene::Scene};

/// One record of each record type, and of each operation that counts with any: the published samples first, and what
/// they lack as the simulator has it.
fn samples(maker: &mut Maker) -> Vec<Map<String, Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort();
    let texts: Vec<String> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let lines = texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap());
    let mut seen = BTreeSet::new();
    let rule = Rule::default();
    lines
        .chain(maker.patterns.clone())
        .filter(|record: &Map<String, Value>| rule.keeps(&Value::from(record.clone()).to_string()))
        .filter(|record| seen.insert(record["RecordType"].to_string()))
        .collect()
}

/// One step into a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Member(String),
    First,
}

/// Where every field of a record is, also those within objects and first elements. The id is left: without it there is
/// nothing to judge by.
fn paths(value: &Value, at: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    let steps: Vec<Step> = match value {
        Value::Object(members) => members.keys().cloned().map(Step::Member).collect(),
        Value::Array(elements) if !elements.is_empty() => vec![Step::First],
        _ => Vec::new(),
    };
    for step in steps {
        if at.is_empty() && step == Step::Member("Id".to_owned()) {
            continue;
        }
        at.push(step);
        found.push(at.clone());
        paths(place(&mut value.clone(), &at[at.len() - 1..]), at, found);
        at.pop();
    }
}

/// The value at the end of a path.
fn place<'a>(value: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Member(name) => &mut value[name],
        Step::First => &mut value[0],
    })
}

/// Takes the value at the end of a path away.
fn remove(record: &mut Value, path: &[Step]) {
    let (last, before) = path.split_last().unwrap();
    match (place(record, before), last) {
        (Value::Object(members), Step::Member(name)) => drop(members.remove(name)),
        (Value::Array(elements), Step::First) => drop(elements.remove(0)),
        other => panic!("{other:?}"),
    }
}

/// Stands in a value for a text that no other record has.
const MARK: &str = "MARK";

/// What stands for [`MARK`] in the record with this id.
fn mark(id: &str) -> String {
    format!("mark of {id}")
}

/// Publishes each sample with each of its fields in turn set to each of these values; `None` takes it away. The ids of
/// those with a mark.
fn vary(scene: &mut Scene, values: &[Option<Value>]) -> Vec<String> {
    let mut marked = Vec::new();
    let mut maker = Maker::new(scene);
    let mut odd = Vec::new();
    let samples = samples(&mut maker);
    assert_eq!(samples.len(), 15, "the twelve record types of label events, and files, sites and Power BI");
    for sample in samples {
        let mut all = Vec::new();
        paths(&Value::from(sample.clone()), &mut Vec::new(), &mut all);
        assert!(all.len() > 10, "{sample:?}");
        for path in all {
            for value in values {
                let mut record = Value::from(sample.clone());
                let id = maker.guid();
                match value.as_ref().map(Value::to_string) {
                    Some(text) => *place(&mut record, &path) = text.replace(MARK, &mark(&id)).parse().unwrap(),
                    None => remove(&mut record, &path),
                }
                record["Id"] = id.clone().into();
                let text = record.to_string();
                if text.contains(&mark(&id)) && Rule::default().keeps(&text) {
                    marked.push(id);
                }
                odd.push(text);
            }
        }
    }
    maker.rng.shuffle(&mut odd);
    maker.publish_among_good(scene, odd);
    marked
}

/// Publishes each field once with a value that is longer than a column may be; which sample has it the seed chooses.
fn lengthen(scene: &mut Scene) {
    let mut maker = Maker::new(scene);
    let mut samples = samples(&mut maker);
    maker.rng.shuffle(&mut samples);
    let (mut seen, mut odd) = (BTreeSet::new(), Vec::new());
    for sample in samples {
        let mut all = Vec::new();
        paths(&Value::from(sample.clone()), &mut Vec::new(), &mut all);
        for path in all {
            if !seen.insert(path.clone()) {
                continue;
            }
            let long = match maker.rng.u8(..3) {
                0 => json!("x".repeat(70_000)),
                1 => json!(vec!["some text"; 7_000]),
                _ => (0..4_000).map(|number| (format!("name {number}"), json!(number))).collect::<Map<_, _>>().into(),
            };
            let mut record = Value::from(sample.clone());
            *place(&mut record, &path) = long;
            record["Id"] = maker.guid().into();
            odd.push(record);
        }
    }
    maker.publish_among_good(scene, odd);
}

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("records", "every field null, or missing", 200, |mut scene| {
            Box::pin(async move {
                vary(&mut scene, &[Some(Value::Null), None]);
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("records", "every field of another type", 201, |mut scene| {
            Box::pin(async move {
                let values =
                    [json!(7), json!(-1.5), json!(true), json!(MARK), json!([1, MARK, null]), json!({"a": MARK})];
                let marked = vary(&mut scene, &values.map(Some));
                scene.tick_answering(200).await;
                let rows = rows(&scene);
                let rows: HashMap<_, _> =
                    rows.iter().map(|row| (row["AuditRecordId"].as_str().unwrap(), row)).collect();
                assert!(marked.len() > 1_000);
                for id in marked {
                    let row = rows[id.as_str()].to_string();
                    assert!(row.contains(&mark(&id)), "the row has lost what no column could take: {row}");
                }
                scene
            })
        }),
        Case::new("records", "every field of an unknown value, or empty", 202, |mut scene| {
            Box::pin(async move {
                let values = [
                    json!(4_711),
                    json!(-1),
                    json!(1_u64 << 31),
                    json!("NoSuchValue"),
                    json!(""),
                    json!([]),
                    json!({}),
                ];
                vary(&mut scene, &values.map(Some));
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("records", "every field longer than a column", 203, |mut scene| {
            Box::pin(async move {
                lengthen(&mut scene);
                scene.tick_answering(200).await;
                let cut = rows(&scene).iter().filter(|row| !row["TruncatedColumns"].is_null()).count() as u64;
                // The two that the filter goes by are no label event's any more, if they are what it was kept for; and
                // a time that is no time has no column of its own to be cut in.
                assert!(
                    cut + 10 >= scene.struck && cut <= scene.struck,
                    "{cut} rows of {} say that they are cut",
                    scene.struck
                );
                scene
            })
        }),
    ]
}
