//! What JSON allows and few expect, and what is no JSON.

use serde_json::{Value, json};

use super::{Maker, row};
use crate::case::Case;

/// Deeper than any parser goes down.
const DEEP: usize = 10_000;

fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("{}1{}", open.repeat(levels), close.repeat(levels))
}

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("records", "bytes that are no UTF-8", 215, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let mut odd: Vec<Vec<u8>> = Vec::new();
                let bad: [&[u8]; 6] =
                    [b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"caf\xe9 \xc0\x80 \xfe\xff"];
                for bytes in bad {
                    for member in ["UserId", "Common", "ObjectId", "SomethingNew", "SensitivityLabelEventData"] {
                        let text = maker.with(member, "\"<here>\"");
                        let (before, after) = text.split_once("<here>").unwrap();
                        odd.push([before.as_bytes(), bytes, after.as_bytes()].concat());
                    }
                }
                maker.publish_among_good(&mut scene, odd);
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("records", "NUL and control characters, half surrogate pairs, escapes", 216, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let mut odd = Vec::new();
                let values = [
                    r#""\u0000""#,
                    r#""a\u0000b\u001f\u007f\u0080""#,
                    r#""\ud800""#,
                    r#""\udc00\ud800""#,
                    r#""\ud83d\ude00 \ud83dx""#,
                    r#""\/\b\f\n\r\t\"\\""#,
                    "\"\u{7f}\u{85}\u{2028}\u{feff}\u{ffff}\"",
                    r#"{"\ud800":"\u0000"}"#,
                    r#"["\udfff",{"a\u0000":[]}]"#,
                ];
                for raw in values {
                    for member in
                        ["UserId", "Common", "ObjectId", "Something\\u0000New", "JustificationText", "Operation"]
                    {
                        odd.push(maker.with(member, raw));
                    }
                }
                maker.publish_among_good(&mut scene, odd);
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("records", "numbers beyond every range: 1e400, 2^70, -0", 217, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let mut odd = Vec::new();
                let digits = "9".repeat(1_000);
                for raw in
                    ["1e400", "-1e400", "1180591620717411303424", "-0", "-0.0", "1E-400", "0.1e+2", digits.as_str()]
                {
                    for member in
                        ["UserType", "Scope", "ItemSize", "Common", "SomethingNew", "Platform", "RecordType", "Version"]
                    {
                        odd.push(maker.with(member, raw));
                    }
                    odd.push(maker.with("SensitivityLabelEventData", &format!(r#"{{"LabelEventType":{raw}}}"#)));
                }
                maker.publish_among_good(&mut scene, odd);
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("records", "members that come twice, also Id and RecordType", 218, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let (first, second) = (maker.guid(), maker.guid());
                let twice = |maker: &mut Maker, text: &str| {
                    let record = maker.with("UserId", "\"last@example.com\"");
                    format!("{{{text},{}", &record[1..])
                };
                let last = |maker: &mut Maker, text: &str| {
                    let record = maker.with("UserId", "\"first@example.com\"");
                    format!("{},{text}}}", &record[..record.len() - 1])
                };
                let two_ids = last(&mut maker, &format!(r#""Id":"{first}","Id":"{second}""#));
                let mut odd = vec![two_ids];
                for text in [
                    r#""UserId":"other@example.com""#,
                    r#""userid":1,"USERID":2"#,
                    r#""RecordType":13"#,
                    r#""Operation":"PageViewed""#,
                    r#""Common":{"a":1,"a":2},"Common":[]"#,
                    r#""SensitivityLabelEventData":{"LabelEventType":1,"LabelEventType":2},"SensitivityLabelEventData":7"#,
                    r#""New":1,"New":{"a":1,"a":1},"New":null"#,
                ] {
                    odd.push(twice(&mut maker, text));
                    odd.push(last(&mut maker, text));
                }
                maker.publish_among_good(&mut scene, odd);
                scene.tick_answering(200).await;
                assert_eq!(row(&scene, &second)["UserId"], "first@example.com");
                for row in scene.world.simulator.rows() {
                    let members = labelstream::record::json::members(row.get()).map(|(name, _)| name);
                    let mut names: Vec<_> = members.collect();
                    let all = names.len();
                    names.sort_unstable();
                    names.dedup();
                    assert_eq!(names.len(), all, "no column stands twice in {}", row.get());
                }
                scene
            })
        }),
        Case::new("records", "values 10,000 levels deep", 219, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let mut odd = Vec::new();
                for levels in [2, 59, 60, 61, 62, 63, 64, 65, 127, 128, 129, 130, DEEP] {
                    let values =
                        [nested("[", "]", levels), nested("{\"a\":", "}", levels), nested("[{\"a\":[]},", "]", levels)];
                    for raw in values {
                        for member in
                            ["Common", "ObjectId", "SomethingNew", "SensitivityLabelEventData", "PolicyDetails"]
                        {
                            odd.push(maker.with(member, &raw));
                        }
                    }
                }
                maker.publish_among_good(&mut scene, odd);
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("records", "elements that are no records, among records", 220, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let elements = [
                    "null",
                    "7",
                    "true",
                    "\"text\"",
                    "[]",
                    "[{\"RecordType\":43}]",
                    "NaN",
                    "'text'",
                    "nonsense",
                    "{\"RecordType\":43,}",
                    "{\"RecordType\" 43}",
                    "{RecordType:43}",
                    "{\"RecordType\":43 \"Id\":\"x\"}",
                    "{\"RecordType\":43,\"UserId\":\"raw\nline\"}",
                    "{\"RecordType\":43,\"UserId\":\"\u{0}\"}",
                    "{\"RecordType\":43,\"UserId\":\"\\x\"}",
                    "{\"RecordType\":043}",
                    "{\"RecordType\":43} // comment",
                ];
                // An element that is empty stands where a comma has nothing before it.
                let mut odd: Vec<String> =
                    elements.iter().chain(&["", "{}"]).map(|&element| element.to_owned()).collect();
                maker.rng.shuffle(&mut odd);
                maker.publish_among_good(&mut scene, odd);
                // All but the object without a member, which is a record and no label event.
                scene.dead_letters = elements.len() + 1;
                scene.tick_answering(200).await;
                let mut bodies: Vec<_> = scene.letters().await.into_iter().filter_map(|letter| letter.body).collect();
                let mut expected: Vec<_> = elements.iter().chain(&[""]).map(|&element| element.to_owned()).collect();
                bodies.sort_unstable();
                expected.sort_unstable();
                assert_eq!(bodies, expected, "each is kept whole");
                scene
            })
        }),
        Case::new("records", "150 elements that are no records in one content", 221, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let mut records: Vec<_> = (0..150).map(|number| json!(number).into()).collect();
                records.extend((0..50).map(|_| Value::from(maker.event()).into()));
                maker.rng.shuffle(&mut records);
                maker.publish(&scene, records);
                scene.struck = 150;
                // A hundred by themselves, and the content as a whole.
                scene.dead_letters = 101;
                scene.tick_answering(200).await;
                scene
            })
        }),
    ]
}
