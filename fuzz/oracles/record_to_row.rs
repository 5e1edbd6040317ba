//! From the bytes of a content to rows.
//!
//! Input: four sizes of chunks, a byte that is the limit of a record in units of 16 KiB (0: the usual one), then the body
//! ([`expand`]). Judged are:
//! - the same body in other chunks has the same fate, byte by byte;
//! - every row is one that the service takes (`column`), and rows fill batches that it takes;
//! - in a body that is a JSON array, every element that is a label event by another reading (`label_event`) has one row
//!   with its id and its plain values, every other object has none, and what is no object is a dead letter;
//! - what no column takes lies in `AdditionalFields` unless the row says that it was cut.

use std::sync::LazyLock;

use labelstream::{
    batch::Builder,
    content::{Content, ContentType},
    labels::{Catalogue, Label},
    record::{Element, Filter, Key, LabelEvents, Member, Peek, RecordError, SplitError, Splitter},
    row::{Provenance, RowMeta, write},
};
use labelstream_simulator::rule::Rule;
use serde_json::{Map, Value, value::RawValue};
use time::macros::datetime;

use super::{Reached, column, expand::expand, label_event::is_label_event, shown::one_line};

/// What the corpus is to reach.
pub const REACHES: &[&str] = &[
    "a row",
    "a cut row",
    "two batches",
    "a label of the catalogue",
    "filtered",
    "no object",
    "malformed",
    "too large",
    "a content to its end",
    "truncated",
    "no array",
    "rubbish behind the array",
    "a whole array",
];

/// Columns of which the record's own member is the one source.
const PLAIN: [&str; 12] = [
    "Application",
    "ApplicationMode",
    "DeviceName",
    "LabelAction",
    "ObjectId",
    "Operation",
    "OrganizationId",
    "OverRideReason",
    "Sender",
    "UserId",
    "UserKey",
    "Workload",
];

struct World {
    content: Content,
    filter: Filter,
    rule: Rule,
    labels: Catalogue,
}

static WORLD: LazyLock<World> = LazyLock::new(|| World {
    content: Content {
        content_type: ContentType::General,
        id: "20260803130500000$20260803131000000$audit_general$Audit_General$example".into(),
        uri: "https://manage.office.com/".into(),
        created: datetime!(2026-08-03 13:10:00.250 UTC),
        expires: None,
    },
    filter: Filter::default(),
    rule: Rule::default(),
    labels: [
        ("01", "Confidential", None, 3),
        ("02", "Public", None, 0),
        ("03", "All \"Staff\"", Some("Confidential"), 4),
    ]
    .into_iter()
    .map(|(end, name, parent, priority)| Label {
        id: format!("b2f1c5a4-7c1e-4f0a-8a51-3f0e6d9c2b{end}"),
        name: name.into(),
        parent: parent.map(str::to_owned),
        priority: Some(priority),
        gone: None,
    })
    .collect(),
});

/// What became of one element of a content.
#[derive(Debug, PartialEq)]
enum Fate {
    Row { row: Vec<u8>, meta: RowMeta, key: Key },
    Filtered,
    Dead { body: Vec<u8>, reason: String },
}

/// What became of a body: each element, and how its splitting ended.
type Outcome = (Vec<Fate>, Result<u64, SplitError>);

/// The way of a content's records, as a run takes it.
fn outcome<'c>(chunks: impl Iterator<Item = &'c [u8]>, mut splitter: Splitter) -> Outcome {
    let provenance = Provenance::from(&WORLD.content);
    let mut fates = Vec::new();
    let mut ended = Ok(());
    for chunk in chunks {
        ended = splitter.push(chunk, |element| fates.push(fate(element, &provenance, fates.len() as u64)));
        if ended.is_err() {
            break;
        }
    }
    let ended = ended.and_then(|()| splitter.finish()).map(|()| splitter.elements());
    (fates, ended)
}

fn fate(element: Element<'_>, provenance: &Provenance<'_>, ordinal: u64) -> Fate {
    match element {
        Element::Record { bytes, outline } => {
            let peek = Peek::at(bytes, outline);
            if !WORLD.filter.keeps(peek.record_type, peek.operation.as_deref()) {
                return Fate::Filtered;
            }
            let mut events = LabelEvents::default();
            events.push(bytes, outline, ordinal);
            let (record, ordinal) = events.records().next().expect("it was pushed");
            let mut row = Vec::new();
            let meta = write(&record, provenance, &WORLD.labels, &mut row);
            Fate::Row { row, meta, key: record.key(&WORLD.content.id, ordinal) }
        }
        Element::Other(bytes) => Fate::Dead { body: bytes.to_vec(), reason: RecordError::of(bytes).to_string() },
        Element::TooLarge { head, bytes } => {
            Fate::Dead { body: head.to_vec(), reason: format!("too large: {bytes} bytes") }
        }
    }
}

/// Runs one input.
pub fn check(data: &[u8]) -> Reached {
    let Some((head, body)) = data.split_first_chunk::<5>() else { return Reached::new() };
    let (sizes, limit) = (&head[..4], usize::from(head[4]) * 16 * 1024);
    let body = expand(body);
    let splitter = || if limit == 0 { Splitter::new() } else { Splitter::with_limit(limit) };

    let whole = outcome(std::iter::once(&body[..]), splitter());
    let mut at = 0;
    let mut sizes = sizes.iter().cycle();
    let chunks = std::iter::from_fn(|| {
        // Long bodies are cut into longer chunks: what counts is where, not how often.
        let size = usize::from(*sizes.next()?) * (1 + body.len() / 4096) + usize::from(body.len() > 4096);
        let rest = body.get(at..).filter(|rest| !rest.is_empty())?;
        at += size;
        Some(&rest[..size.min(rest.len())])
    });
    // Sizes of 0 alone would never come to the end.
    if head[..4] != [0; 4] || body.len() > 4096 {
        assert!(outcome(chunks, splitter()) == whole, "the chunks of a body decide on its rows");
    }
    if body.len() <= 1024 {
        assert!(outcome(body.chunks(1), splitter()) == whole, "the chunks of a body decide on its rows");
    }

    let mut reached = Reached::new();
    judge_rows(&whole.0, &mut reached);
    if limit == 0 {
        judge_array(&body, &whole, &mut reached);
    }
    reached.push(match &whole.1 {
        Ok(_) => "a content to its end",
        Err(SplitError::Truncated { .. }) => "truncated",
        Err(SplitError::NotAnArray { .. }) => "no array",
        Err(SplitError::Rubbish { .. }) => "rubbish behind the array",
    });
    if let Err(error) = &whole.1 {
        one_line(&error.to_string(), 300);
    }
    reached
}

fn judge_rows(fates: &[Fate], reached: &mut Reached) {
    let mut batches = Builder::new();
    let mut full = Vec::new();
    let mut rows = 0;
    for fate in fates {
        match fate {
            Fate::Filtered => reached.push("filtered"),
            Fate::Dead { reason, .. } => {
                one_line(reason, 300);
                reached.push(match reason {
                    reason if reason.starts_with("too large") => "too large",
                    reason if reason.contains("not a JSON object") => "no object",
                    _ => "malformed",
                });
            }
            Fate::Row { row, meta, .. } => {
                let values = column::checked(row);
                assert_eq!(meta.bytes, row.len());
                let cut = values.get("TruncatedColumns").map_or(0, |cut| cut.as_array().map_or(0, Vec::len));
                assert_eq!(meta.truncated, cut, "cut columns are named");
                assert_eq!(meta.timed, values.contains_key("CreationTime"), "a time that is read is kept");
                assert!(values.contains_key("TimeGenerated"));
                reached.push(if cut > 0 { "a cut row" } else { "a row" });
                if values.contains_key("SensitivityLabelName") {
                    reached.push("a label of the catalogue");
                }
                full.extend(batches.push(row, rows));
                rows += 1;
            }
        }
    }
    if !full.is_empty() {
        reached.push("two batches");
    }
    full.extend(batches.take());
    for batch in &full {
        assert!(batch.body().len() <= column::ROW_BYTES + 2, "a batch has {} bytes", batch.body().len());
    }
    assert!(full.iter().flat_map(|batch| batch.tags()).copied().eq(0..rows), "each row is in one batch, in order");
}

/// The second opinion, where the body is a JSON array.
fn judge_array(body: &[u8], (fates, ended): &Outcome, reached: &mut Reached) {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let Ok(elements) = serde_json::from_slice::<Vec<&RawValue>>(body) else { return };
    assert_eq!(*ended, Ok(elements.len() as u64), "the splitter finds what a parser finds");
    for (element, fate) in elements.iter().zip(fates) {
        match serde_json::from_str(element.get()) {
            Ok(Value::Object(record)) if is_label_event(&record, &WORLD.rule) => {
                let Fate::Row { row, meta, .. } = fate else { panic!("a label event has no row: {fate:?}") };
                judge_row(&record, row, meta);
            }
            Ok(Value::Object(_)) => assert_eq!(*fate, Fate::Filtered, "no label event"),
            Ok(_) => assert!(matches!(fate, Fate::Dead { .. }), "no object: {fate:?}"),
            // A tree cannot hold half a surrogate pair, a number beyond a float, or very deep nesting.
            Err(_) => {}
        }
    }
    reached.push("a whole array");
}

/// What the row says of the record, against the tree.
fn judge_row(record: &Map<String, Value>, row: &[u8], meta: &RowMeta) {
    let values = column::checked(row);
    if meta.truncated > 0 {
        return;
    }
    judge_id(record, values.get("AuditRecordId"));
    for column in PLAIN {
        if let Some(Value::String(text)) = record.get(column) {
            assert_eq!(values.get(column).and_then(Value::as_str), Some(text.as_str()), "{column} is changed");
        }
    }
    let rest = &values.get("AdditionalFields");
    for (name, value) in record.iter().filter(|(name, _)| Member::by_name(name).is_none()) {
        assert_eq!(rest.and_then(|rest| rest.get(name)), Some(value), "{name} is lost or changed");
    }
}

/// The row's id is the record's: of members with one name in several spellings the exact one goes first.
fn judge_id(record: &Map<String, Value>, id: Option<&Value>) {
    let candidates: Vec<_> = match record.get("Id") {
        Some(exact) => vec![exact],
        None => record.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Id")).map(|(_, value)| value).collect(),
    };
    let is_told = |value: &Value| match (value, id.and_then(Value::as_str)) {
        (Value::Null, told) => told.is_none(),
        (Value::String(text), told) => told == Some(text),
        (other, Some(told)) => serde_json::from_str::<Value>(told).is_ok_and(|told| told == *other),
        (_, None) => false,
    };
    let told = if candidates.is_empty() { id.is_none() } else { candidates.into_iter().any(is_told) };
    assert!(told, "AuditRecordId is {id:?}");
}
