//! What is shown of a dead letter, without its body.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{DeadLetter, Kind, name};
use crate::{
    content::ContentType,
    record::{self, Key, Record},
};

/// What is shown of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// What it holds.
    pub kind: Kind,
    /// When it was given up, the last time.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The content type that it comes from, as far as it is known.
    pub content_type: Option<ContentType>,
    /// The content that it is or comes from, as far as it is known.
    pub content_id: Option<String>,
    /// The `Id` of its record, where there is one that can be read.
    pub record_id: Option<String>,
    /// How many runs and replays tried it.
    pub tries: u32,
    /// Bytes of its body, where it has one.
    pub bytes: Option<u64>,
    /// Why it could not be delivered.
    pub reason: String,
    /// Its name, by which it is sent again.
    pub key: String,
}

/// The columns of a row that tell where it comes from.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct RowColumns {
    audit_record_id: Option<String>,
    feed_content_type: Option<ContentType>,
    content_id: Option<String>,
}

impl RowColumns {
    /// Columns that cannot be read tell nothing.
    fn of(row: &[u8]) -> Self {
        serde_json::from_slice(row).unwrap_or_default()
    }
}

impl Facts {
    /// The facts of `letter`, which is kept under `key`.
    #[must_use]
    pub fn of(key: &str, letter: &DeadLetter) -> Self {
        let body = letter.body();
        let content = letter.content.as_ref();
        let columns = match (letter.kind, &body) {
            (Kind::Row, Some(row)) => RowColumns::of(row),
            (Kind::Record, Some(record)) => RowColumns { audit_record_id: id_of(record), ..RowColumns::default() },
            _ => RowColumns::default(),
        };
        let content_type = content.map(|content| content.content_type);
        Self {
            kind: letter.kind,
            at: letter.at,
            content_type: content_type.or(columns.feed_content_type).or(letter.content_type),
            content_id: content.map(|content| content.id.clone()).or(columns.content_id),
            record_id: columns.audit_record_id,
            tries: letter.tries,
            bytes: body.map(|body| body.len() as u64),
            reason: letter.reason.clone(),
            key: name(key).to_owned(),
        }
    }

    /// The facts in one line for people: kind, time, content type, record or content, reason and name.
    #[must_use]
    pub fn line(&self) -> String {
        let id = match (&self.record_id, &self.content_id) {
            (Some(record), _) => format!("record {record}"),
            (None, Some(content)) => format!("content {content}"),
            (None, None) => "-".to_owned(),
        };
        let at = self.at.replace_millisecond(0).unwrap_or(self.at);
        // Only years beyond 9999 cannot be written so.
        let at = at.format(&Rfc3339).unwrap_or_else(|_| at.to_string());
        let content_type = self.content_type.map_or("-", ContentType::as_str);
        let tries = if self.tries == 1 { "1 try".to_owned() } else { format!("{} tries", self.tries) };
        format!("{:<7}  {at}  {content_type:<16}  {id}  {}  ({tries})  {}", self.kind.as_str(), self.reason, self.key)
    }
}

/// By what the record of a row is remembered, where its `Id` tells. Without one it is remembered by its place in its
/// content, which the row does not tell.
pub(crate) fn record_of_row(row: &[u8]) -> Option<Key> {
    Key::of_id(&RowColumns::of(row).audit_record_id?)
}

fn id_of(record: &[u8]) -> Option<String> {
    let text = record::decode(record);
    Some(Record::parse(&text).ok()?.id()?.into_owned())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::content::Content;

    const AT: OffsetDateTime = datetime!(2026-11-22 19:00:01.5 UTC);

    #[test]
    fn a_row_tells_its_record_and_its_content() {
        let row = br#"{"AuditRecordId":"r","ContentId":"c","FeedContentType":"Audit.Exchange"}"#;
        let letter = DeadLetter::bytes(Kind::Row, None, row, "refused".into(), AT);
        let facts = Facts::of("t/dead-letters/row-1.json", &letter);
        assert_eq!(facts.line(), "row      2026-11-22T19:00:01Z  Audit.Exchange    record r  refused  (1 try)  row-1");
        assert_eq!((facts.content_id.as_deref(), facts.bytes), (Some("c"), Some(row.len() as u64)));
        assert_eq!(record_of_row(row), Key::of_id("r"));
        for strange in ["{}", "[]", r#"{"AuditRecordId":7}"#, r#"{"AuditRecordId":""}"#] {
            assert_eq!(record_of_row(strange.as_bytes()), None, "{strange}");
        }
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let content_type = ContentType::General;
        let content = Content { content_type, id: "c".into(), uri: "u".into(), created: AT, expires: None };
        let record = DeadLetter::bytes(Kind::Record, Some(content.clone()), b"[\xff", "no".into(), AT);
        assert!(Facts::of("k", &record).line().contains("  content c  no  (1 try)  k"));
        let facts = Facts::of("k", &DeadLetter::content(content, "gone".into(), 9, AT));
        assert_eq!((facts.content_type, facts.tries, facts.bytes), (Some(content_type), 9, None));
        let entry = DeadLetter::bytes(Kind::Entry, None, b"null", "no".into(), AT);
        assert!(
            Facts::of("k", &entry).line().contains("  -                 -  no"),
            "{}",
            Facts::of("k", &entry).line()
        );
    }
}
