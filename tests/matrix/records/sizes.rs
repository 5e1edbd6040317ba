//! Records and fields that are very large, and records that are tiny.

use labelstream::record::MAX_RECORD_BYTES;
use serde_json::{Map, Value, json};

use super::{Maker, row};
use crate::case::Case;

/// A record with a member of such a length that all of it has `bytes`.
fn of_size(maker: &mut Maker, bytes: usize) -> (String, String) {
    let id = maker.guid();
    let head = format!(r#"{{"Id":"{id}","RecordType":83,"Operation":"SensitivityLabelApplied","UserId":""#);
    let record = format!("{head}{}\"}}", "u".repeat(bytes - head.len() - 2));
    assert_eq!(record.len(), bytes);
    (id, record)
}

/// Text of 300 KB: `first` bytes, and then characters of one kind as JSON has them.
fn long_text(first: usize, character: &str, width: usize) -> String {
    format!("\"{}{}\"", "a".repeat(first), character.repeat(300 * 1024 / width))
}

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("records", "records of 2 MB", 225, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let many = (0..40_000)
                    .map(|number| (format!("Field{number}"), json!("some text that is kept as far as it fits")));
                let mut fields = maker.event();
                fields.extend(many);
                let strings = (0..40).map(|number| (format!("Text{number}"), json!("y".repeat(50_000))));
                let mut texts = maker.event();
                texts.extend(strings.collect::<Map<_, _>>());
                let columns =
                    ["ObjectId", "UserId", "ItemName", "DeviceName", "JustificationText", "Workload", "Sender"];
                let mut full = maker.event();
                full.extend(columns.map(|name| (name.to_owned(), json!("\n\u{1}\u{e9}".repeat(28_000)))));
                let odd = vec![
                    maker.with("ObjectId", &json!("z".repeat(2_000_000)).to_string()),
                    maker.with("Common", &json!(vec!["element"; 200_000]).to_string()),
                    maker.with("SomethingNew", &json!({"a": {"b": "w".repeat(2_000_000)}}).to_string()),
                    Value::from(fields).to_string(),
                    Value::from(texts).to_string(),
                    Value::from(full).to_string(),
                ];
                assert!(odd.iter().all(|record| record.len() > 1_900_000));
                maker.publish_among_good(&mut scene, odd);
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("records", "fields of 300 KB with a character of several bytes at the cut", 226, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let mut odd = Vec::new();
                let characters = [
                    ("\u{e9}", 2),
                    ("\u{20ac}", 3),
                    ("\u{1f600}", 4),
                    ("\\ud83d\\ude00", 12),
                    ("\\u20ac", 6),
                    ("\\n", 2),
                ];
                for (character, width) in characters {
                    for first in 0..4 {
                        let member = ["ObjectId", "Common", "SomethingNew"][maker.rng.usize(..3)];
                        let id = maker.guid();
                        let value = long_text(first, character, width);
                        let value = if member == "Common" { format!("{{\"a\":{value}}}") } else { value };
                        let record = maker.with(member, &value);
                        odd.push(format!("{},\"Id\":\"{id}\"}}", &record[..record.len() - 1]));
                    }
                }
                let ids: Vec<String> =
                    odd.iter().map(|record| record[record.len() - 38..record.len() - 2].to_owned()).collect();
                maker.publish_among_good(&mut scene, odd);
                scene.tick_answering(200).await;
                for id in ids {
                    let row = row(&scene, &id);
                    assert!(!row["TruncatedColumns"].is_null(), "{id} says nothing of the cut");
                    assert!(!row.to_string().contains('\u{fffd}'), "{id} has half a character at the cut");
                    assert!(row.to_string().len() > 60_000, "{id} keeps what fits");
                }
                scene
            })
        }),
        Case::new("records", "a record of the most bytes that are read, and one of a byte more", 227, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let (largest, record) = of_size(&mut maker, MAX_RECORD_BYTES);
                let (too_large, other) = of_size(&mut maker, MAX_RECORD_BYTES + 1);
                maker.publish_among_good(&mut scene, vec![record, other]);
                scene.dead_letters = 1;
                scene.buried = vec![too_large];
                scene.tick_answering(200).await;
                assert!(!row(&scene, &largest)["TruncatedColumns"].is_null());
                let letters = scene.letters().await;
                assert!(letters[0].reason.contains(&(MAX_RECORD_BYTES + 1).to_string()), "{}", letters[0].reason);
                scene
            })
        }),
        Case::new("records", "thousands of tiny records", 228, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                for _ in 0..3 {
                    let tiny = |maker: &mut Maker| format!(r#"{{"RecordType":43,"Id":"{}"}}"#, maker.guid());
                    let records =
                        (0..1_000).map(|number| if number % 3 == 0 { "{}".to_owned() } else { tiny(&mut maker) });
                    let records = records.map(Into::into).collect();
                    maker.publish(&scene, records);
                    scene.struck += 1_000;
                }
                scene.tick_answering(200).await;
                scene
            })
        }),
    ]
}
