//! What the service takes of a row: the columns of `infra/columns.json`, their types, and its limits.

use std::{collections::HashMap, fmt, sync::LazyLock};

use labelstream::{
    content::Content,
    labels::Catalogue,
    record::Record,
    row::{COLUMNS_JSON, Provenance, write},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// 64 KB (Azure Monitor service limits, custom logs).
const VALUE_BYTES: usize = 64 * 1024;

/// 1 MB for a call (same source), less the brackets of the batch.
pub const ROW_BYTES: usize = 1_000_000 - 2;

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Place and type of each column.
static COLUMNS: LazyLock<HashMap<String, (usize, String)>> = LazyLock::new(|| {
    let columns: Vec<Column> = serde_json::from_str(COLUMNS_JSON).unwrap();
    columns.into_iter().enumerate().map(|(at, column)| (column.name, (at, column.kind))).collect()
});

/// The members of an object in their order, equal names included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// The values of a row by column. Panics where the service would not take the row as it is.
pub fn checked(row: &[u8]) -> HashMap<String, Value> {
    assert!(row.len() <= ROW_BYTES, "a row has {} bytes", row.len());
    assert!(!row.iter().any(|byte| matches!(byte, b'\n' | b'\r')), "a row has more than one line");
    let Members(members) = serde_json::from_slice(row).expect("a row is a JSON object");
    let mut values = HashMap::new();
    let mut before = None;
    for (name, raw) in members {
        let (place, kind) = COLUMNS.get(&name).unwrap_or_else(|| panic!("{name} is no column"));
        assert!(before < Some(*place), "{name} is out of its order, or twice in the row");
        before = Some(*place);
        let value: Value = serde_json::from_str(raw.get()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let bytes = value.as_str().map_or(raw.get().len(), str::len);
        assert!(bytes <= VALUE_BYTES, "{name} has {bytes} bytes");
        let fits = match kind.as_str() {
            "string" => value.is_string(),
            "int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            "boolean" => value.is_boolean(),
            "datetime" => value.as_str().is_some_and(is_time),
            "dynamic" => !value.is_null(),
            other => panic!("{name} has the unknown type {other}"),
        };
        assert!(fits, "{name} is no {kind}: {:.200}", raw.get());
        values.insert(name, value);
    }
    values
}

/// Panics where a record of `content` that says nothing has a row that the service would not take.
pub fn checked_row_of(content: &Content) {
    let record = Record::parse("{}").expect("an object is a record");
    let mut row = Vec::new();
    write(&record, &Provenance::from(content), &Catalogue::default(), &mut row);
    assert!(checked(&row).contains_key("ContentCreated"));
}

/// A time in UTC that a workspace can hold: years 1 to 9999, no more than seven digits of a second's fraction.
fn is_time(text: &str) -> bool {
    let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len().saturating_sub(1));
    text.ends_with('Z')
        && fraction <= 7
        && OffsetDateTime::parse(text, &Rfc3339)
            .is_ok_and(|time| time.offset() == UtcOffset::UTC && (1..=9999).contains(&time.year()))
}
