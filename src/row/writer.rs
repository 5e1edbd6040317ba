//! One pass over the columns.

use std::borrow::Cow;

use super::{
    Provenance, RowMeta, additional,
    change::{Facts, label_change},
    columns::{COLUMNS, Column, ColumnType, Made, Take, columns},
    encode::escape,
    enums::{LABEL_EVENT_TYPE, name_of},
    limit::{Caps, put_text},
    origin::{MemberSet, Origin, Source},
    value::{self, Put},
};
use crate::{
    labels::Label,
    record::{Member, json, record_type_name},
};

/// Room for the names in `TruncatedColumns` when a row is made to fit: all of them at once take less.
const TRUNCATED_ROOM: usize = 4096;

/// Appends the row with its values cut to `caps`.
pub(super) fn write(source: &Source<'_, '_>, provenance: &Provenance<'_>, caps: Caps, out: &mut Vec<u8>) -> RowMeta {
    let start = out.len();
    let mut writer = Writer {
        out,
        start,
        source,
        provenance,
        caps,
        taken: MemberSet::default(),
        cut: Vec::new(),
        splice: start,
        timed: false,
    };
    for column in COLUMNS {
        if column.sources.is_none_or(|sources| sources.meets(source.present)) {
            writer.column(column);
        }
    }
    writer.out.push(b'}');
    writer.name_cut_columns();
    RowMeta {
        bytes: writer.out.len() - start,
        truncated: writer.cut.len(),
        unknown_labels: source.unknown_labels,
        unknown_ids: source.unknown_ids,
        timed: writer.timed,
    }
}

/// The caps under which a row that is too large fits.
pub(super) fn caps_to_fit(row: &[u8]) -> Caps {
    let row = String::from_utf8_lossy(row);
    let (mut dynamic, mut texts) = (Vec::new(), Vec::new());
    let mut written = json::members(&row).peekable();
    for (name, column_type) in columns() {
        let Some((_, value)) = written.next_if(|(quoted, _)| json::text(quoted).is_some_and(|own| own == name)) else {
            continue;
        };
        match column_type {
            ColumnType::Dynamic => dynamic.push(value.len()),
            ColumnType::String => texts.push(value.len()),
            ColumnType::Int | ColumnType::Boolean | ColumnType::Datetime => {}
        }
    }
    let values = dynamic.iter().chain(&texts).sum();
    Caps::to_fit(&dynamic, &texts, row.len().saturating_sub(values) + TRUNCATED_ROOM)
}

struct Writer<'o, 's, 'r, 'a> {
    out: &'o mut Vec<u8>,
    start: usize,
    source: &'s Source<'r, 'a>,
    provenance: &'s Provenance<'s>,
    caps: Caps,
    taken: MemberSet,
    /// Columns that were cut.
    cut: Vec<&'static str>,
    /// Where `TruncatedColumns` goes.
    splice: usize,
    /// Whether the record told when it happened.
    timed: bool,
}

impl Writer<'_, '_, '_, '_> {
    fn column(&mut self, column: &'static Column) {
        let Caps { dynamic, text } = self.caps;
        match column.take {
            Take::Text(origins) => self.picked(column, origins, |out, raw| value::text(out, raw, text)),
            Take::Trimmed(origins) => self.picked(column, origins, |out, raw| value::trimmed(out, raw, text)),
            Take::Name(names, origins) => self.picked(column, origins, |out, raw| value::name(out, names, raw, text)),
            Take::Json(origins) => self.picked(column, origins, |out, raw| value::dynamic(out, raw, dynamic)),
            Take::Time(origins) => self.readable(column, origins, value::time),
            Take::Flag(origins) => self.readable(column, origins, value::flag),
            Take::Made(made) => self.made(column, made),
        }
    }

    /// The first value that is there.
    fn picked(&mut self, column: &'static Column, origins: &[Origin], put: impl Fn(&mut Vec<u8>, &str) -> Put) {
        if let Some((origin, raw)) = self.source.pick(origins) {
            self.value(column, Some(origin), |out| put(out, raw));
        }
    }

    /// The first value that can be read as the column's type.
    fn readable(&mut self, column: &'static Column, origins: &[Origin], put: impl Fn(&mut Vec<u8>, &str) -> Put) {
        for &origin in origins {
            let Some(raw) = self.source.get(origin) else { continue };
            if matches!(self.value(column, Some(origin), |out| put(out, raw)), Put::Whole | Put::Cut) {
                return;
            }
        }
    }

    /// Writes a name and its value, or neither.
    fn value(&mut self, column: &'static Column, origin: Option<Origin>, put: impl FnOnce(&mut Vec<u8>) -> Put) -> Put {
        let before = self.out.len();
        self.out.extend_from_slice(column.key.as_bytes());
        if before == self.start {
            self.out[before] = b'{'; // in place of the comma
        }
        let put = put(self.out);
        match put {
            Put::Whole => {}
            Put::Cut => self.cut.push(column.name),
            Put::Nothing | Put::Unreadable => self.out.truncate(before),
        }
        if let Some(origin) = origin
            && put != Put::Unreadable
        {
            self.taken.note(origin);
        }
        put
    }

    fn text(&mut self, column: &'static Column, text: Option<&str>) {
        let cap = self.caps.text;
        if let Some(text) = text {
            self.value(column, None, |out| if put_text(out, text, cap) { Put::Cut } else { Put::Whole });
        }
    }

    fn number(&mut self, column: &'static Column, origin: Option<Origin>, number: Option<i64>) {
        if let Some(number) = number {
            self.value(column, origin, |out| value::int(out, number));
        }
    }

    fn made(&mut self, column: &'static Column, made: Made) {
        let source = self.source;
        match made {
            Made::RecordType => self.number(column, Some(Origin::Top(Member::RecordType)), source.record_type),
            Made::RecordTypeName => {
                if let Some(number) = source.record_type {
                    let known = record_type_name(number).map(Cow::Borrowed);
                    self.text(column, Some(&known.unwrap_or_else(|| number.to_string().into())));
                }
            }
            Made::TimeGenerated => {
                let (provenance, creation) = (self.provenance, Origin::Top(Member::CreationTime));
                let raw = source.get(creation);
                let put = raw.map(|raw| self.value(column, Some(creation), |out| value::time(out, raw)));
                self.timed = put == Some(Put::Whole);
                if !self.timed {
                    self.text(column, Some(&provenance.created));
                }
            }
            Made::ConditionMatch => self.condition_match(column),
            Made::LabelName => {
                let own = Origin::Top(Member::LabelName);
                match source.get(own) {
                    Some(raw) if raw != "\"\"" || source.label.is_none() => {
                        let cap = self.caps.text;
                        self.value(column, Some(own), |out| value::text(out, raw, cap));
                    }
                    own_name => {
                        if own_name.is_some() {
                            self.taken.note(own); // it is empty: the catalogue's name stands in its place
                        }
                        self.text(column, source.label.map(|label| &*label.name));
                    }
                }
            }
            Made::SensitivityLabelName => self.text(column, source.label.map(Label::full_name).as_deref()),
            Made::OldSensitivityLabelName => self.text(column, source.old_label.map(Label::full_name).as_deref()),
            Made::SensitivityLabelPriority => self.number(column, None, source.label.and_then(|label| label.priority)),
            Made::OldSensitivityLabelPriority => {
                self.number(column, None, source.old_label.and_then(|label| label.priority));
            }
            Made::LabelChange => self.text(column, change_of(source)),
            Made::FeedContentType => self.text(column, Some(self.provenance.content_type.as_str())),
            Made::ContentId => self.text(column, Some(self.provenance.content_id)),
            Made::ContentCreated => {
                let provenance = self.provenance;
                self.text(column, Some(&provenance.created));
            }
            Made::TruncatedColumns => self.splice = self.out.len(),
            Made::AdditionalFields => {
                let (taken, cap) = (self.taken, self.caps.dynamic);
                self.value(column, None, |out| match additional::write(out, source, &taken, cap) {
                    None => Put::Nothing,
                    Some(true) => Put::Cut,
                    Some(false) => Put::Whole,
                });
            }
        }
    }

    /// The record's own, else the conditions of all its rules.
    fn condition_match(&mut self, column: &'static Column) {
        let cap = self.caps.dynamic;
        let own = &[Origin::Top(Member::ConditionMatch)];
        if self.source.pick(own).is_some() {
            self.picked(column, own, |out, raw| value::dynamic(out, raw, cap));
            return;
        }
        let conditions: Vec<_> = self.source.of_all_rules("ConditionsMatched").collect();
        if !conditions.is_empty() {
            let all = format!("[{}]", conditions.join(","));
            self.value(column, None, |out| value::dynamic(out, &all, cap));
        }
    }

    /// Puts `TruncatedColumns` in its place, which is before the last column that may be cut.
    fn name_cut_columns(&mut self) {
        if self.cut.is_empty() {
            return;
        }
        let mut text = b",\"TruncatedColumns\":[".to_vec();
        for (at, name) in self.cut.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            escape(&mut text, name);
        }
        text.push(b']');
        self.out.splice(self.splice..self.splice, text);
    }
}

fn change_of(source: &Source<'_, '_>) -> Option<&'static str> {
    let event_type = source.pick(&[Origin::Event(Member::LabelEventType), Origin::Top(Member::LabelEventType)]);
    let event_type = event_type.map(|(_, raw)| name_of(LABEL_EVENT_TYPE, raw));
    label_change(Facts {
        event_type: event_type.as_deref(),
        operation: source.record.operation().as_deref(),
        had_label: source.had_label,
        old_priority: source.old_label.and_then(|label| label.priority),
        new_priority: source.label.and_then(|label| label.priority),
    })
}
