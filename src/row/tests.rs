//! Whole rows.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json, value::RawValue};
use time::macros::datetime;

use super::*;
use crate::{
    labels::Label,
    record::{Member, decode},
};

fn content() -> Content {
    Content {
        content_type: ContentType::General,
        id: "20260102$audit_general$1".into(),
        uri: "https://manage.office.com/".into(),
        created: datetime!(2026-01-02 03:04:05.5 UTC),
        expires: None,
    }
}

fn labels() -> Catalogue {
    let label = |id: &str, name: &str, parent: Option<&str>, priority| Label {
        id: id.into(),
        name: name.into(),
        parent: parent.map(str::to_owned),
        priority: Some(priority),
        gone: None,
    };
    [label("low", "Public", None, 1), label("high", "All \"Staff\"", Some("Secret"), 5)].into_iter().collect()
}

/// The row of a record's text, read by a parser, and what is counted of it.
fn row_of(text: &str) -> (Map<String, Value>, RowMeta) {
    let content = content();
    let record = Record::parse(text).unwrap();
    let mut out = b"before".to_vec();
    let meta = write(&record, &Provenance::from(&content), &labels(), &mut out);
    let row = out.strip_prefix(b"before").unwrap();
    assert_eq!(row.len(), meta.bytes);
    assert!(meta.bytes <= ROW_LIMIT);
    assert!(!row.contains(&b'\n') && !row.contains(&b'\r'));
    // As it is on the wire: a number read and written again may have another length.
    let wire: BTreeMap<String, &RawValue> = serde_json::from_slice(row).unwrap();
    for (name, kind) in columns().filter(|(_, kind)| matches!(kind, ColumnType::Dynamic)) {
        assert!(wire.get(name).is_none_or(|value| value.get().len() <= VALUE_LIMIT), "{name} ({kind:?}) is too long");
    }
    let read: Map<String, Value> = serde_json::from_slice(row).unwrap();
    assert_eq!(read.get("TruncatedColumns").map_or(0, |names| names.as_array().unwrap().len()), meta.truncated);
    (read, meta)
}

fn row(record: &Value) -> Map<String, Value> {
    row_of(&record.to_string()).0
}

/// A record from which every column gets a value.
fn full() -> Value {
    let mut record = Map::new();
    for (name, kind) in columns().take(73) {
        let value = match kind {
            ColumnType::String => json!(name),
            ColumnType::Int => json!(94),
            ColumnType::Boolean => json!(true),
            ColumnType::Datetime => json!("2026-01-01T00:00:00"),
            ColumnType::Dynamic => json!({"of": name}),
        };
        record.insert(name.into(), value);
    }
    record.insert("Id".into(), json!("id"));
    record.insert("CreationTime".into(), json!("2026-01-01T10:00:00"));
    let event = json!({"SensitivityLabelId": "high", "OldSensitivityLabelId": "LOW", "LabelEventType": 1});
    record.insert("SensitivityLabelEventData".into(), event);
    record.insert("Huge".into(), json!("x".repeat(VALUE_LIMIT)));
    Value::Object(record)
}

#[test]
fn every_column_can_be_written_in_its_order() {
    let content = content();
    let text = full().to_string();
    let record = Record::parse(&text).unwrap();
    let mut out = Vec::new();
    write(&record, &Provenance::from(&content), &labels(), &mut out);
    let out = decode(&out).into_owned();
    let written: Vec<_> =
        crate::record::json::members(&out).map(|(name, _)| crate::record::json::text(name).unwrap()).collect();
    assert_eq!(written, columns().map(|(name, _)| name).collect::<Vec<_>>());
}

#[test]
fn names_ranks_and_change_come_from_the_catalogue() {
    let row =
        row(&json!({"Operation": "FileSensitivityLabelChanged", "SourceLabel": "HIGH", "DestinationLabel": "low"}));
    for (column, expected) in [
        ("OldSensitivityLabelId", json!("HIGH")),
        ("OldSensitivityLabelName", json!("Secret\\All \"Staff\"")),
        ("OldSensitivityLabelPriority", json!(5)),
        ("SensitivityLabelId", json!("low")),
        ("SensitivityLabelName", json!("Public")),
        ("SensitivityLabelPriority", json!(1)),
        ("LabelName", json!("Public")),
        ("LabelChange", json!("Downgraded")),
    ] {
        assert_eq!(row[column], expected, "{column}");
    }
    let (row, meta) = row_of(r#"{"LabelId":"gone","LabelName":"Its own"}"#);
    assert_eq!((row.get("LabelName"), row.get("SensitivityLabelName")), (Some(&json!("Its own")), None));
    assert_eq!(meta.unknown_labels, 1);
}

#[test]
fn a_record_without_a_time_that_is_understood_has_that_of_its_content() {
    for (text, kept) in [
        (r#"{"CreationTime":"soon"}"#, Some(json!({"CreationTime": "soon"}))),
        (r#"{"CreationTime":17}"#, Some(json!({"CreationTime": 17}))),
        (r#"{"CreationTime":"0001-01-01T00:00:00"}"#, None),
        ("{}", None),
    ] {
        let (row, meta) = row_of(text);
        assert_eq!(row["TimeGenerated"], "2026-01-02T03:04:05.5Z", "{text}");
        assert_eq!((row.get("CreationTime"), row.get("AdditionalFields")), (None, kept.as_ref()), "{text}");
        assert!(!meta.timed);
    }
    let (row, meta) = row_of(r#"{"CreationTime":"2026-01-01T10:00:00.250"}"#);
    assert_eq!(
        (&row["TimeGenerated"], &row["CreationTime"]),
        (&row["CreationTime"], &json!("2026-01-01T10:00:00.250Z"))
    );
    assert!(meta.timed);
}

#[test]
fn values_of_another_kind_are_read_or_kept() {
    let row = row(&json!({
        "RecordType": "94", "UserType": "2", "Scope": 9, "ClientIP": " 10.0.0.1 ", "Workload": 7,
        "IsViewableByExternalUsers": "maybe", "SensitiveInfoDetectionIsIncluded": "True",
        "ItemCreationTime": "?", "SharePointMetaData": {"itemcreationtime": "2026-01-01T00:00:00", "FILESIZE": 12},
        "LabelAppliedDateTime": "0001-01-02T00:00:00",
    }));
    for (column, expected) in [
        ("RecordType", json!(94)),
        ("RecordTypeName", json!("AipSensitivityLabelAction")),
        ("UserType", json!("Admin")),
        ("Scope", json!("9")),
        ("ClientIP", json!("10.0.0.1")),
        ("Workload", json!("7")),
        ("SensitiveInfoDetectionIsIncluded", json!(true)),
        ("ItemCreationTime", json!("2026-01-01T00:00:00Z")),
        ("ItemSize", json!("12")),
        ("AdditionalFields", json!({"IsViewableByExternalUsers": "maybe", "ItemCreationTime": "?"})),
    ] {
        assert_eq!(row[column], expected, "{column}");
    }
    assert!(!row.contains_key("LabelAppliedDateTime") && !row.contains_key("IsViewableByExternalUsers"));
}

#[test]
fn an_unknown_record_type_keeps_its_number() {
    let known = row(&json!({"RecordType": 4711}));
    assert_eq!((&known["RecordType"], &known["RecordTypeName"]), (&json!(4711), &json!("4711")));
    let large = row(&json!({"RecordType": 1_i64 << 40}));
    assert_eq!(large["AdditionalFields"], json!({"RecordType": 1_i64 << 40}));
    assert!(!large.contains_key("RecordType"));
}

#[test]
fn a_long_value_is_cut_and_named() {
    let long = "\u{e9}".repeat(40_000);
    let receivers: Vec<_> = (0..5000).map(|at| format!("someone.{at}@contoso.com")).collect();
    let (row, meta) = row_of(&json!({"ObjectId": long, "Receivers": receivers, "Sender": "s"}).to_string());
    assert_eq!(row["TruncatedColumns"], json!(["ObjectId", "Receivers"]));
    assert_eq!(meta.truncated, 2);
    let object_id = row["ObjectId"].as_str().unwrap();
    assert!(object_id.len() > VALUE_LIMIT - 2 && object_id.len() <= VALUE_LIMIT && long.starts_with(object_id));
    let kept = row["Receivers"].as_array().unwrap();
    assert!(row["Receivers"].to_string().len() <= VALUE_LIMIT && kept.len() > 2000);
    assert!(kept[..kept.len() - 1].iter().zip(&receivers).all(|(kept, given)| kept == given));
}

#[test]
fn a_row_that_is_too_large_gives_up_its_widest_dynamic_values_first() {
    let mut record = full();
    for (name, kind) in columns().take(73) {
        if kind == ColumnType::Dynamic {
            record[name] = json!({"large": "y".repeat(64_000), "small": 1});
        }
    }
    record["ObjectId"] = json!("z".repeat(64_000));
    let (row, meta) = row_of(&record.to_string());
    assert!(meta.bytes > ROW_LIMIT - 20_000, "{} is far less than allowed", meta.bytes);
    assert_eq!(row["ObjectId"], record["ObjectId"]);
    assert_eq!(row["Common"]["small"], 1);
    assert!(row["TruncatedColumns"].as_array().unwrap().contains(&json!("Common")));
}

#[test]
fn a_row_of_long_strings_is_cut_but_never_dropped() {
    let mut record = full();
    for (name, kind) in columns().take(73) {
        if kind == ColumnType::String {
            record[name] = json!("\u{1}".repeat(60_000));
        }
    }
    let (row, meta) = row_of(&record.to_string());
    assert!(meta.truncated > 40 && meta.bytes > ROW_LIMIT - 20_000, "{meta:?}");
    assert_eq!(row["RecordType"], 94);
    assert!(row["ObjectId"].as_str().unwrap().len() > 1000);
}

#[test]
fn what_parsers_refuse_is_made_acceptable() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let text = format!(
        r#"{{"Common":{deep},"New":{{"inner":{deep}}},"ObjectId":"a\ud800","\udfff":["\ud83d\ude00\ud83d"],"UserId":"\u00e9"}}"#
    );
    let (row, _) = row_of(&text);
    assert_eq!(row["Common"], deep);
    assert_eq!(row["AdditionalFields"]["New"], format!(r#"{{"inner":{deep}}}"#));
    assert_eq!(row["AdditionalFields"]["\u{fffd}"][0], "\u{1f600}\u{fffd}");
    assert_eq!((&row["ObjectId"], &row["UserId"]), (&json!("a\u{fffd}"), &json!("\u{e9}")));
    assert_eq!(row["TruncatedColumns"], json!(["Common", "AdditionalFields"]));
}

#[test]
fn a_record_of_very_many_members_makes_a_row_too() {
    let members: Map<_, _> = (0..50_000).map(|number| (format!("member{number}"), json!(number))).collect();
    let (row, _) = row_of(&Value::Object(members).to_string());
    assert!(row["AdditionalFields"].as_object().unwrap().len() > 2000);
    assert_eq!(row["TruncatedColumns"], json!(["AdditionalFields"]));
}

/// Any JSON, now and then with a long string.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => Just(Value::Null),
        3 => any::<bool>().prop_map(Value::from),
        3 => any::<i64>().prop_map(Value::from),
        3 => any::<f64>().prop_map(Value::from),
        9 => any::<String>().prop_map(Value::from),
        3 => "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00:00".prop_map(Value::from),
        1 => (60_000_usize..140_000).prop_map(|length| Value::from("\u{e9}\n".repeat(length / 3))),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(name(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(Member::ALL).prop_map(|member| member.name().to_owned());
    prop_oneof![
        6 => known.clone(),
        1 => known.prop_map(|name| name.to_lowercase()),
        1 => any::<String>(),
        1 => prop::sample::select(vec!["Name", "OldValue", "NewValue", "Rules", "RuleId", "TenantId", "Type", "id"]).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_record_makes_a_row_under_the_limit_with_defined_columns(
        members in prop::collection::hash_map(name(), value(), 0..40),
        pretty in any::<bool>(),
    ) {
        let record = Value::Object(members.into_iter().collect());
        let text = if pretty { serde_json::to_string_pretty(&record) } else { serde_json::to_string(&record) }.unwrap();
        let (row, meta) = row_of(&text);
        for (name, value) in &row {
            let (_, kind) = columns().find(|(column, _)| column == name).expect("a defined column");
            match kind {
                ColumnType::String => prop_assert!(value.as_str().is_some_and(|text| text.len() <= VALUE_LIMIT)),
                ColumnType::Int => prop_assert!(value.is_i64()),
                ColumnType::Boolean => prop_assert!(value.is_boolean()),
                ColumnType::Datetime => prop_assert!(value.as_str().is_some_and(|text| text.ends_with('Z'))),
                ColumnType::Dynamic => prop_assert!(!value.is_null()),
            }
        }
        for name in ["TimeGenerated", "FeedContentType", "ContentId", "ContentCreated"] {
            prop_assert!(row.contains_key(name));
        }
        prop_assert!(meta.truncated <= columns().count());
    }

    #[test]
    fn a_column_of_which_the_record_has_no_member_has_no_value(
        members in prop::collection::hash_map(name(), value(), 0..40),
        event in prop::collection::hash_map(name(), value(), 0..10),
    ) {
        let mut record: Map<String, Value> = members.into_iter().collect();
        record.insert("SensitivityLabelEventData".into(), Value::Object(event.into_iter().collect()));
        let (text, labels) = (Value::Object(record).to_string(), labels());
        let record = Record::parse(&text).unwrap();
        let source = origin::Source::new(&record, &labels);
        for column in columns::COLUMNS {
            let Some(sources) = column.sources else { continue };
            let is_there = column.take.origins().iter().any(|origin| source.get(*origin).is_some());
            prop_assert!(sources.meets(source.present) || !is_there, "{} of {}", column.name, text);
        }
    }

    #[test]
    fn every_value_is_in_the_row_exactly_once(
        top in prop::collection::hash_set(name(), 0..60),
        event in prop::collection::hash_set(name(), 0..20),
    ) {
        // A value is told by its text; text is no time, number or flag, so such columns must leave it to others.
        let mut tokens = (0..).map(|number| json!(format!("token{number:04}")));
        let mut record: Map<String, Value> = top.into_iter().zip(&mut tokens).collect();
        let event: Map<String, Value> = event.into_iter().zip(&mut tokens).collect();
        record.insert("SensitivityLabelEventData".into(), Value::Object(event.clone()));
        let text = Value::Object(record.clone()).to_string();
        let row = Value::Object(row_of(&text).0).to_string();
        for value in record.values().chain(event.values()).filter_map(Value::as_str) {
            prop_assert_eq!(row.matches(value).count(), 1, "{} of {}", value, text);
        }
    }

    #[test]
    fn what_columns_do_not_know_is_in_additional_fields(members in prop::collection::hash_map("x[a-z]{0,6}", value(), 1..6)) {
        let record = Value::Object(members.into_iter().collect());
        let (row, meta) = row_of(&record.to_string());
        let read: Value = serde_json::from_str(&record.to_string()).unwrap(); // which rounds floats
        prop_assert!(meta.truncated > 0 || row["AdditionalFields"] == read);
    }
}
