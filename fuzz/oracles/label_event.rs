//! What a label event is, read from a tree of JSON: a second opinion on the filter, which reads no trees.

use labelstream_simulator::rule::Rule;
use serde_json::{Map, Value};

/// The names of the record types that count (`AuditLogRecordType` of the Management Activity API's schema).
const NAMES: [&str; 12] = [
    "MIPLabel",
    "MipAutoLabelSharePointItem",
    "MipAutoLabelSharePointPolicyLocation",
    "MipAutoLabelExchangeItem",
    "SensitivityLabelPolicyMatch",
    "SensitivityLabelAction",
    "SensitivityLabeledFileAction",
    "AipDiscover",
    "AipSensitivityLabelAction",
    "AipProtectionAction",
    "AipFileDeleted",
    "AipHeartBeat",
];

/// Whether the record is a label event, by type or by operation.
pub fn is_label_event(record: &Map<String, Value>, rule: &Rule) -> bool {
    let is_number = |number: f64| rule.record_types.iter().any(|&known| number == known as f64);
    let by_type = match record.get("RecordType") {
        Some(Value::Number(number)) => number.as_f64().is_some_and(is_number),
        Some(Value::String(text)) => {
            text.trim().parse().is_ok_and(is_number) || NAMES.iter().any(|name| name.eq_ignore_ascii_case(text))
        }
        _ => false,
    };
    let operation = record.get("Operation").and_then(Value::as_str);
    by_type || operation.is_some_and(|name| rule.operations.iter().any(|known| known.eq_ignore_ascii_case(name)))
}
