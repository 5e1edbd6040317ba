//! The published samples and handwritten records of the other kinds, from the bytes of a content to the rows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use labelstream::{
    content::{Content, ContentType},
    labels::{Catalogue, Label},
    record::{Element, Filter, Peek, Record, Splitter, decode},
    row::{Provenance, write},
};
use time::macros::datetime;

const VERBATIM: &str = include_str!("samples/mip_aip_docs_verbatim.ndjson");
const REPAIRED: &str = include_str!("samples/mip_aip_docs_filedeleted_repaired.ndjson");
const UNFLATTENED: &str = include_str!("samples/mip_aip_docs_rest_unflattened.ndjson");
const NEGATIVE: &str = include_str!("samples/negative_docs_8_9_261.ndjson");
const HANDWRITTEN: &str = include_str!("samples/handwritten.ndjson");

fn content() -> Content {
    Content {
        content_type: ContentType::General,
        id: "20260803130500000$20260803131000000$audit_general$Audit_General$example".into(),
        uri: "https://manage.office.com/".into(),
        created: datetime!(2026-08-03 13:10:00.250 UTC),
        expires: None,
    }
}

fn labels() -> Catalogue {
    let label = |end: &str, name: &str, parent: Option<&str>, priority| Label {
        id: format!("b2f1c5a4-7c1e-4f0a-8a51-3f0e6d9c2b{end}"),
        name: name.into(),
        parent: parent.map(str::to_owned),
        priority: Some(priority),
        gone: None,
    };
    [
        label("01", "Confidential", None, 3),
        label("02", "Public", None, 0),
        label("03", "All Employees", Some("Confidential"), 4),
    ]
    .into_iter()
    .collect()
}

/// The rows of a content of these records, one below the other and readable.
fn rows(records: &str, labels: &Catalogue) -> String {
    let body = format!("[{}]", records.trim().replace('\n', ",\n"));
    let content = content();
    let provenance = Provenance::from(&content);
    let filter = Filter::default();
    let mut rows = Vec::new();
    let mut splitter = Splitter::new();
    for chunk in body.as_bytes().chunks(100) {
        let pushed = splitter.push(chunk, |element| {
            let Element::Record { bytes, outline } = element else { panic!("every sample is a record") };
            let text = decode(bytes);
            let peek = Peek::at(bytes, outline);
            if !filter.keeps(peek.record_type, peek.operation.as_deref()) {
                return;
            }
            let mut row = Vec::new();
            let meta = write(&Record::parse(&text).unwrap(), &provenance, labels, &mut row);
            assert_eq!((meta.bytes, meta.truncated, meta.timed), (row.len(), 0, true));
            rows.push(readable(std::str::from_utf8(&row).unwrap()));
        });
        pushed.unwrap();
    }
    splitter.finish().unwrap();
    assert_eq!(splitter.elements(), records.lines().count() as u64);
    rows.join("\n")
}

/// A row with one column a line, in the order that it was written.
fn readable(row: &str) -> String {
    serde_json::from_str::<serde_json::Value>(row).expect("a row is JSON");
    let columns: Vec<_> =
        labelstream::record::json::members(row).map(|(name, value)| format!("  {name}: {value}")).collect();
    format!("{{\n{}\n}}", columns.join(",\n"))
}

#[test]
fn published_samples() {
    insta::assert_snapshot!("verbatim", rows(VERBATIM, &Catalogue::default()));
    insta::assert_snapshot!("repaired", rows(REPAIRED, &Catalogue::default()));
    insta::assert_snapshot!("unflattened", rows(UNFLATTENED, &Catalogue::default()));
}

#[test]
fn handwritten_records_with_a_label_catalogue() {
    insta::assert_snapshot!("handwritten", rows(HANDWRITTEN, &labels()));
}

/// The label ids of a row, before and after, with what stands in its columns for their names.
fn named(row: &serde_json::Value) -> Vec<(String, [Option<String>; 2])> {
    let text = |column: String| row[column].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let of = |old: &str| {
        let plain = if old.is_empty() { text("LabelName".to_owned()) } else { None };
        text(format!("{old}SensitivityLabelId")).map(|id| (id, [text(format!("{old}SensitivityLabelName")), plain]))
    };
    ["Old", ""].into_iter().filter_map(of).collect()
}

#[test]
fn every_label_of_a_published_or_handwritten_record_has_its_name_once_it_is_known() {
    let all = [VERBATIM, REPAIRED, UNFLATTENED, HANDWRITTEN].map(str::trim).join("\n");
    let read = |labels: &Catalogue| -> Vec<serde_json::Value> {
        rows(&all, labels)
            .split("\n{")
            .map(|row| format!("{{{}", row.trim_start_matches('{')))
            .map(|row| serde_json::from_str(&row).unwrap())
            .collect()
    };
    let ids: std::collections::BTreeSet<_> =
        read(&Catalogue::default()).iter().flat_map(named).map(|(id, _)| id).collect();
    assert!(ids.len() >= 4, "{ids:?}");
    let label = |(rank, id): (i64, &String)| Label {
        id: id.to_uppercase(),
        name: format!("name of {}", id.to_lowercase()),
        parent: Some("Parent".to_owned()),
        priority: Some(rank),
        gone: None,
    };
    let catalogue: Catalogue = (0..).zip(&ids).map(label).collect();
    let (mut labels, mut events) = (0, 0);
    for row in read(&catalogue) {
        events += 1;
        let own = row["LabelName"].as_str().unwrap_or_default();
        for (id, [full, plain]) in named(&row) {
            labels += 1;
            let name = format!("name of {}", id.to_lowercase());
            assert_eq!(full.as_deref(), Some(&*format!("Parent\\{name}")), "{row}");
            // The record's own name goes before the catalogue's.
            assert!(
                plain.is_none_or(|plain| plain == name || HANDWRITTEN.contains(&format!("\"LabelName\":\"{own}\""))),
                "{row}"
            );
        }
        let has_label = row["SensitivityLabelId"].as_str().is_some_and(|id| !id.is_empty());
        assert_eq!(!own.is_empty(), has_label, "a name for each label, and none without one: {row}");
    }
    assert!(events >= 19 && labels >= 16, "{events} events with {labels} labels");
}

#[test]
fn records_that_are_no_label_events_make_no_rows() {
    assert_eq!(NEGATIVE.lines().count(), 4);
    assert_eq!(rows(NEGATIVE, &Catalogue::default()), "");
    let copilot_with_a_label = NEGATIVE.lines().last().unwrap().replace(
        r#""AccessedResources": []"#,
        r#""AccessedResources": [{"SensitivityLabelId": "b2f1c5a4-7c1e-4f0a-8a51-3f0e6d9c2b01"}]"#,
    );
    assert!(copilot_with_a_label.contains("SensitivityLabelId"));
    let mail_in_dlp = HANDWRITTEN.lines().next().unwrap().replace(r#""RecordType":43"#, r#""RecordType":13"#);
    let page_view = HANDWRITTEN.lines().nth(1).unwrap().replace("SensitivityLabelUpdated", "PageViewed");
    let page_view = page_view.replace(r#""RecordType":83"#, r#""RecordType":"4""#);
    for trap in [copilot_with_a_label, mail_in_dlp, page_view] {
        assert_eq!(rows(&trap, &labels()), "");
    }
}

#[test]
fn every_published_sample_of_a_label_event_makes_a_row() {
    let all = [VERBATIM, REPAIRED, UNFLATTENED].concat();
    assert_eq!(rows(&all, &Catalogue::default()).matches("\"AuditRecordId\"").count(), 11);
}
