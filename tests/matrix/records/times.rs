//! `CreationTime` in many forms.

use serde_json::Value;

use super::{Maker, row};
use crate::case::Case;

/// What is written, and what `CreationTime` of the row says; `None` where it is no time.
const TIMES: &[(&str, Option<&str>)] = &[
    ("\"2026-08-03T09:15:02\"", Some("2026-08-03T09:15:02Z")),
    ("\"2026-08-03T09:15:02Z\"", Some("2026-08-03T09:15:02Z")),
    ("\"2026-08-03T09:15:02.1234567\"", Some("2026-08-03T09:15:02.1234567Z")),
    ("\"2026-08-03T09:15:02.123456789Z\"", Some("2026-08-03T09:15:02.1234567Z")),
    ("\"2026-08-03T09:15:02+05:30\"", Some("2026-08-03T03:45:02Z")),
    ("\"2026-08-03T00:15:02-08:00\"", Some("2026-08-03T08:15:02Z")),
    ("\" 2026-08-03 09:15:02 \"", Some("2026-08-03T09:15:02Z")),
    ("\"1970-01-01T00:00:00\"", Some("1970-01-01T00:00:00Z")),
    ("\"1601-01-01T00:00:00\"", Some("1601-01-01T00:00:00Z")),
    ("\"9999-12-31T23:59:59\"", Some("9999-12-31T23:59:59Z")),
    ("\"2099-01-01T00:00:00\"", Some("2099-01-01T00:00:00Z")),
    ("\"0001-01-01T00:00:00\"", None),
    ("\"9999-12-31T23:59:59-01:00\"", None),
    ("\"10000-01-01T00:00:00\"", None),
    ("\"-0001-01-01T00:00:00\"", None),
    ("\"2026-02-30T09:15:02\"", None),
    ("\"2026-08-03T25:61:00\"", None),
    ("\"2026-08-03T09:15:02+99:00\"", None),
    ("\"yesterday\"", None),
    ("\"\"", None),
    ("\"\\ud800\"", None),
    ("\"\u{664}\u{660}26-08-03T09:15:02\"", None),
    ("1785748502", None),
    ("null", None),
    ("true", None),
    ("[\"2026-08-03T09:15:02\"]", None),
    ("{\"a\":1}", None),
];

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![Case::new(
        "records",
        "CreationTime unreadable, missing, far past, far future, with offset",
        210,
        |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let mut odd: Vec<(String, Option<&str>)> =
                    TIMES.iter().map(|(raw, expected)| (maker.with("CreationTime", raw), *expected)).collect();
                let mut event = maker.event();
                event.remove("CreationTime");
                odd.push((Value::from(event).to_string(), None));
                maker.publish_among_good(&mut scene, odd.iter().map(|(record, _)| record.clone()).collect());
                scene.tick_answering(200).await;
                for (record, expected) in odd {
                    let id = labelstream::record::Record::parse(&record).unwrap().id().unwrap().into_owned();
                    let row = row(&scene, &id);
                    assert_eq!(row["CreationTime"].as_str(), expected, "{record}");
                    let generated = expected.unwrap_or_else(|| row["ContentCreated"].as_str().unwrap());
                    assert_eq!(row["TimeGenerated"].as_str(), Some(generated), "{record}");
                }
                scene
            })
        },
    )]
}
