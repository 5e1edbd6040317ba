//! The last run, as the runs themselves record it.

use serde::Serialize;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::content::ContentType;

pub use crate::health::runs_key;

/// The newest entry of the record. Whatever it lacks, or has in another form, is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// When it ended.
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
    /// How, in one word.
    pub outcome: Option<String>,
    /// Why it failed, where it did.
    pub error: Option<String>,
    /// What else is recorded of it: its summary.
    #[serde(flatten)]
    pub summary: Map<String, Value>,
}

impl LastRun {
    /// The newest run of a record; `None` where none is in it.
    ///
    /// # Errors
    /// It is no JSON array.
    pub(super) fn newest(record: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        let runs: Vec<Value> = serde_json::from_slice(record)?;
        let newest = runs.into_iter().rev().find_map(|run| match run {
            Value::Object(run) => Some(run),
            _ => None,
        });
        Ok(newest.map(Self::of))
    }

    fn of(mut run: Map<String, Value>) -> Self {
        let mut text = |name: &str| match run.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let (ended_at, outcome, error) = (text("endedAt"), text("outcome"), text("error"));
        let ended_at = ended_at.and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
        Self { ended_at, outcome, error, summary: run }
    }

    /// A number of its summary.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.summary.get(name)?.as_u64()
    }

    /// How many contents of a content type it listed and did not finish.
    pub(super) fn unfinished(&self, content_type: ContentType) -> Option<u64> {
        self.summary.get("contentTypes")?.get(content_type.as_str())?.get("unfinished")?.as_u64()
    }
}
