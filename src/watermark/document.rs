//! The small document that is saved: one watermark for each content type of a tenant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::{Duration, OffsetDateTime};

use super::look_back::LookBack;
use crate::content::{Content, ContentType};

/// The version of the document's form. A document with a higher one was written by a newer Labelstream.
pub const FORMAT: u32 = 1;

/// The watermarks of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// [`FORMAT`] at the time of writing.
    pub format: u32,
    /// When the subscriptions of the tenant were last listed.
    pub subscriptions_checked: Option<OffsetDateTime>,
    /// When a batch was last answered with 2xx.
    pub last_accepted: Option<OffsetDateTime>,
    /// How many runs in a row ended with rows refused and none accepted.
    pub refused_runs: u32,
    /// By content type.
    pub content_types: BTreeMap<ContentType, Watermark>,
    /// What stands under content types that this version does not know, as JSON text. It is written back as it was read.
    pub unknown_types: BTreeMap<String, String>,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            format: FORMAT,
            subscriptions_checked: None,
            last_accepted: None,
            refused_runs: 0,
            content_types: BTreeMap::new(),
            unknown_types: BTreeMap::new(),
        }
    }
}

/// The document as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored<T> {
    format: u32,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    subscriptions_checked: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    last_accepted: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "is_zero")]
    refused_runs: u32,
    /// Read one by one, so that one that this version does not know costs no other.
    content_types: BTreeMap<String, T>,
}

/// What is written under a content type.
#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Known(&'a Watermark),
    Unknown(&'a RawValue),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Characters of a parser's complaint that people are shown: it quotes what it read.
const COMPLAINT: usize = 200;

fn unreadable(error: serde_json::Error) -> DocumentError {
    let line = error.to_string().replace(char::is_control, " ");
    DocumentError::Unreadable(line.chars().take(COMPLAINT).collect())
}

/// Why a stored document is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is no watermark document at all.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// A newer version wrote it.
    #[error("it has format {0}, and this version of Labelstream knows {FORMAT}: deploy the newer version again")]
    Newer(u32),
}

impl Document {
    /// Reads a stored document.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn parse(body: &[u8]) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(body).map_err(unreadable)?;
        if head.format > FORMAT {
            return Err(DocumentError::Newer(head.format));
        }
        let stored: Stored<Box<RawValue>> = serde_json::from_slice(body).map_err(unreadable)?;
        let mut document = Self {
            format: stored.format,
            subscriptions_checked: stored.subscriptions_checked,
            last_accepted: stored.last_accepted,
            refused_runs: stored.refused_runs,
            ..Self::default()
        };
        for (name, text) in stored.content_types {
            match ContentType::ALL.into_iter().find(|known| known.as_str() == name) {
                Some(known) => {
                    let watermark = serde_json::from_str(text.get()).map_err(unreadable)?;
                    document.content_types.insert(known, watermark);
                }
                None => {
                    document.unknown_types.insert(name, Box::<str>::from(text).into());
                }
            }
        }
        Ok(document)
    }

    /// The document as it is stored.
    ///
    /// # Errors
    /// A time that RFC 3339 cannot express, such as a year beyond 9999, or an unknown content type's text that is no JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut content_types = BTreeMap::new();
        for (name, text) in &self.unknown_types {
            content_types.insert(name.clone(), Written::Unknown(serde_json::from_str(text)?));
        }
        for (content_type, watermark) in &self.content_types {
            content_types.insert(content_type.to_string(), Written::Known(watermark));
        }
        serde_json::to_vec_pretty(&Stored {
            format: self.format,
            subscriptions_checked: self.subscriptions_checked,
            last_accepted: self.last_accepted,
            refused_runs: self.refused_runs,
            content_types,
        })
    }
}

/// How far one content type has been listed, and which contents before that are still to be delivered.
///
/// Every content published before `listed_through` and listed so far is delivered, in the dead letters, or in
/// `pending`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Watermark {
    /// Everything published before this time has been listed.
    #[serde(with = "time::serde::rfc3339")]
    pub listed_through: OffsetDateTime,
    /// The contents that failed and are to be tried again, oldest failure first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Pending>,
    /// The latest time of publication that was seen: tells a quiet feed from a silent one.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_content: Option<OffsetDateTime>,
    /// When a start of the subscription was last tried; the API wants 15 minutes between two.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub start_tried: Option<OffsetDateTime>,
    /// When a start of the subscription succeeded; the first time, where several starts were needed before anything
    /// could be listed.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub started: Option<OffsetDateTime>,
    /// Where the very first run began: no look back goes beyond it.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub begins: Option<OffsetDateTime>,
    /// When a run last looked a day or more back, and everything found was settled.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub looked_day_back: Option<OffsetDateTime>,
    /// When a run last looked as far back as the feed lists, and everything found was settled.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub looked_week_back: Option<OffsetDateTime>,
    /// In how many runs in a row a page of the listing had entries and none could be read, while other pages could.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread_runs: u32,
}

/// How long after a start that succeeded the feed may still say that there is no subscription.
const READY_WITHIN: Duration = Duration::hours(1);

impl Watermark {
    /// The watermark of a content type that has not been listed yet.
    #[must_use]
    pub const fn starting_at(listed_through: OffsetDateTime) -> Self {
        Self {
            listed_through,
            pending: Vec::new(),
            last_content: None,
            start_tried: None,
            started: None,
            begins: Some(listed_through),
            looked_day_back: None,
            looked_week_back: None,
            unread_runs: 0,
        }
    }

    /// The oldest time of publication of which something is left to do: what the lag is counted from.
    #[must_use]
    pub fn oldest_left(&self) -> OffsetDateTime {
        self.pending.iter().map(|pending| pending.content.created).fold(self.listed_through, OffsetDateTime::min)
    }

    /// Notes that a look begun `at` was listed to its end and that what it found is settled.
    pub fn looked_back(&mut self, look: LookBack, at: OffsetDateTime) {
        if look >= LookBack::Day {
            self.looked_day_back = Some(at);
        }
        if look >= LookBack::Week {
            self.looked_week_back = Some(at);
        }
    }

    /// Notes that a start of the subscription succeeded. Starts that are repeated because nothing can be listed count
    /// from the first of them, so that a subscription that never gets ready is told in the end.
    pub fn note_start(&mut self, at: OffsetDateTime) {
        let listed_since = |started| self.looked_day_back.is_some_and(|looked| looked > started);
        if self.started.is_none_or(listed_since) {
            self.started = Some(at);
        }
    }

    /// Whether a start succeeded so lately that the feed may not know of it yet.
    #[must_use]
    pub fn is_getting_ready(&self, now: OffsetDateTime) -> bool {
        self.started.is_some_and(|started| (now - started).abs() < READY_WITHIN)
    }
}

/// A content that could not be delivered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// The content.
    pub content: Content,
    /// In how many runs it was served and could not be read, while others could.
    pub tries: u32,
    /// When it failed for the first time.
    #[serde(with = "time::serde::rfc3339")]
    pub first_failed: OffsetDateTime,
    /// Why it failed the last time.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_document_survives_being_stored() {
        let mut document = Document::default();
        let mut watermark = Watermark::starting_at(datetime!(2026-11-22 19:00 UTC));
        watermark.pending.push(Pending {
            content: Content {
                content_type: ContentType::General,
                id: "a$b".into(),
                uri: "https://manage.office.com/x".into(),
                created: datetime!(2026-11-22 18:00:00.123 UTC),
                expires: None,
            },
            tries: 2,
            first_failed: datetime!(2026-11-22 18:30 UTC),
            reason: "reset".into(),
        });
        document.content_types.insert(ContentType::General, watermark);
        document.refused_runs = 3;
        let stored = document.to_json().unwrap();
        assert_eq!(Document::parse(&stored).unwrap(), document);
    }

    #[test]
    fn a_subscription_that_never_gets_ready_is_told_in_the_end() {
        let start = datetime!(2026-11-22 19:00 UTC);
        let mut watermark = Watermark::starting_at(start);
        assert!(!watermark.is_getting_ready(start));
        for minutes in [0, 15, 30, 45] {
            watermark.note_start(start + Duration::minutes(minutes));
            assert!(watermark.is_getting_ready(start + Duration::minutes(minutes)));
        }
        assert!(!watermark.is_getting_ready(start + Duration::minutes(60)));
        // One that was listed, stopped and started again is a new one.
        watermark.looked_back(LookBack::Day, start + Duration::hours(2));
        watermark.note_start(start + Duration::hours(9));
        assert!(watermark.is_getting_ready(start + Duration::hours(9)));
    }

    #[test]
    fn garbage_and_newer_formats_are_told_apart() {
        assert!(matches!(Document::parse(b"\0\0"), Err(DocumentError::Unreadable(_))));
        assert!(matches!(Document::parse(b"{}"), Err(DocumentError::Unreadable(_))));
        let variant =
            br#"{"format":1,"contentTypes":{"Audit.General":{"listedThrough":"2026-11-22T19:00:00Z","pending":
            [{"content":{"contentType":"a\nb"}}]}}}"#;
        assert!(!Document::parse(variant).unwrap_err().to_string().contains('\n'));
        let long = Document::parse(format!("\"{}\"", "x".repeat(5000)).as_bytes()).unwrap_err().to_string();
        assert!(long.len() < 500, "{} bytes", long.len());
        assert_eq!(Document::parse(br#"{"format":99,"contentTypes":"?"}"#), Err(DocumentError::Newer(99)));
    }

    #[test]
    fn a_content_type_of_another_version_costs_no_other_and_is_written_back() {
        let stored = br#"{"format":1,"contentTypes":{"Audit.New":
            {"mark":[1,null,1111111111000000000000000000000017708963464050667976]},
            "Audit.General":{"listedThrough":"2026-11-22T19:00:00Z"}}}"#;
        let document = Document::parse(stored).unwrap();
        assert_eq!(document.content_types.keys().collect::<Vec<_>>(), [&ContentType::General]);
        let written = String::from_utf8(document.to_json().unwrap()).unwrap();
        assert!(
            written.contains(r#"{"mark":[1,null,1111111111000000000000000000000017708963464050667976]}"#),
            "{written}"
        );
        assert_eq!(Document::parse(&document.to_json().unwrap()).unwrap(), document);
    }

    #[test]
    fn a_known_content_type_that_cannot_be_read_makes_the_document_unreadable() {
        let stored = br#"{"format":1,"contentTypes":{"Audit.General":{"listedThrough":"yesterday"}}}"#;
        assert!(matches!(Document::parse(stored), Err(DocumentError::Unreadable(_))));
    }

    #[test]
    fn unknown_members_are_ignored() {
        let stored = br#"{"format":1,"contentTypes":{"Audit.General":{"listedThrough":"2026-11-22T19:00:00Z","x":1}}}"#;
        assert_eq!(Document::parse(stored).unwrap().content_types.len(), 1);
    }
}
