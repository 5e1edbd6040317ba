//! What is remembered of the labels between runs, and what follows from it: when Graph is asked again, and for what.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::{
    catalogue::{Catalogue, Label},
    graph::GraphError,
    page::Listed,
};

/// The format of the document.
const FORMAT: u32 = 1;

/// How old the catalogue may be: labels are made and renamed some times a month, and one that is used is asked for at
/// once.
pub const REFRESH_EVERY: Duration = Duration::DAY;

/// How long Graph is left alone after it failed, by every process.
pub const PAUSE_AFTER_FAILURE: Duration = Duration::HOUR;

/// How many ids that are no labels of the tenant are remembered: those of deleted labels, and of other tenants, whose
/// documents bring theirs.
const IN_VAIN_AT_MOST: usize = 1_000;

/// The document: the labels of one tenant as they were listed last, and what to know when asking again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// When the labels were listed; `None` where they never were.
    pub fetched_at: Option<OffsetDateTime>,
    /// The labels, those that are gone as well.
    pub catalogue: Arc<Catalogue>,
    /// Ids that Graph was asked for and does not list, the latest last.
    pub in_vain: Vec<String>,
    /// The last failure, where nothing was listed since.
    pub failure: Option<Failure>,
}

/// Why the labels could not be listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When it was tried.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What failed.
    pub reason: String,
    /// What to do.
    pub fix: String,
}

/// The document as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    format: u32,
    #[serde(default, with = "time::serde::rfc3339::option")]
    fetched_at: Option<OffsetDateTime>,
    labels: Vec<Label>,
    #[serde(default)]
    asked_in_vain: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// It is damaged.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A newer version of Labelstream wrote it.
    #[error("it has format {0}, and this version of Labelstream knows {FORMAT}")]
    Newer(u32),
}

impl Stored {
    /// The key of the document.
    #[must_use]
    pub fn key(tenant: &str) -> String {
        format!("{tenant}/labels.json")
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn parse(body: &[u8]) -> Result<Self, StoredError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(body)?;
        if format > FORMAT {
            return Err(StoredError::Newer(format));
        }
        let document: Document = serde_json::from_slice(body)?;
        Ok(Self {
            fetched_at: document.fetched_at,
            catalogue: Arc::new(document.labels.into_iter().collect()),
            in_vain: document.asked_in_vain,
            failure: document.failure,
        })
    }

    /// The document's bytes. The same value has the same bytes.
    ///
    /// # Errors
    /// A time beyond the year 9999.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut labels: Vec<_> = self.catalogue.labels().cloned().collect();
        labels.sort_by(|a, b| a.id.cmp(&b.id));
        serde_json::to_vec(&Document {
            format: FORMAT,
            fetched_at: self.fetched_at,
            labels,
            asked_in_vain: self.in_vain.clone(),
            failure: self.failure.clone(),
        })
    }

    /// Whether the labels are to be listed anew.
    #[must_use]
    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        let is_old = self.fetched_at.is_none_or(|at| is_past(at, REFRESH_EVERY, now));
        is_old && self.may_ask(now)
    }

    /// Whether listing them anew may tell what `id` is: a GUID in lower case.
    #[must_use]
    pub fn may_learn(&self, id: &str, now: OffsetDateTime) -> bool {
        self.catalogue.get(id).is_none() && self.may_ask(now) && !self.in_vain.iter().any(|known| known == id)
    }

    fn may_ask(&self, now: OffsetDateTime) -> bool {
        self.failure.as_ref().is_none_or(|failure| is_past(failure.at, PAUSE_AFTER_FAILURE, now))
    }

    /// When Graph was asked last, whatever it answered.
    #[must_use]
    pub fn last_asked(&self) -> Option<OffsetDateTime> {
        self.fetched_at.max(self.failure.as_ref().map(|failure| failure.at))
    }

    /// The labels were listed.
    pub fn take(&mut self, listed: Listed, now: OffsetDateTime) {
        self.catalogue = Arc::new(self.catalogue.merged(listed.labels, now));
        self.in_vain.retain(|id| self.catalogue.get(id).is_none());
        (self.fetched_at, self.failure) = (Some(now), None);
    }

    /// They could not be listed. What is known stays.
    pub fn fail(&mut self, error: &GraphError, now: OffsetDateTime) {
        self.failure = Some(Failure { at: now, reason: error.to_string(), fix: error.fix().to_owned() });
    }

    /// `id` was not among the labels that were listed; whether that is new.
    pub fn note_in_vain(&mut self, id: String) -> bool {
        if self.catalogue.get(&id).is_some() || self.in_vain.contains(&id) {
            return false;
        }
        if self.in_vain.len() >= IN_VAIN_AT_MOST {
            self.in_vain.remove(0);
        }
        self.in_vain.push(id);
        true
    }
}

/// Whether `span` has passed since `at`. A time in the future (a clock was set) is no reason to wait for longer.
fn is_past(at: OffsetDateTime, span: Duration, now: OffsetDateTime) -> bool {
    (now - at).abs() >= span
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);
    const ID: &str = "11111111-1111-4111-8111-111111111111";
    const OTHER: &str = "22222222-2222-4222-8222-222222222222";

    fn label(id: &str) -> Label {
        Label { id: id.to_owned(), name: format!("name of {id}"), parent: None, priority: Some(1), gone: None }
    }

    fn listed(ids: &[&str]) -> Listed {
        Listed { labels: ids.iter().map(|id| label(id)).collect(), skipped: 0 }
    }

    fn fetched(ids: &[&str]) -> Stored {
        let mut stored = Stored::default();
        stored.take(listed(ids), NOW);
        stored
    }

    #[test]
    fn the_labels_are_listed_at_first_and_once_a_day() {
        assert!(Stored::default().is_due(NOW));
        let stored = fetched(&[ID]);
        for (hours, due) in [(0, false), (23, false), (24, true), (-25, true), (-1, false)] {
            assert_eq!(stored.is_due(NOW + Duration::hours(hours)), due, "after {hours} h");
        }
    }

    #[test]
    fn after_a_failure_graph_is_left_alone_for_an_hour() {
        let mut stored = fetched(&[ID]);
        let later = NOW + Duration::days(2);
        stored.fail(&GraphError::NoLabel, later);
        for (minutes, may) in [(0, false), (59, false), (60, true), (-61, true)] {
            let at = later + Duration::minutes(minutes);
            assert_eq!((stored.is_due(at), stored.may_learn(OTHER, at)), (may, may), "after {minutes} min");
        }
        assert!(stored.catalogue.get(ID).is_some(), "what is known stays");
        stored.take(listed(&[ID]), later);
        assert_eq!(stored.failure, None);
    }

    #[test]
    fn an_unknown_id_is_asked_for_until_it_was_in_vain() {
        let mut stored = fetched(&[ID]);
        assert!(!stored.may_learn(ID, NOW) && stored.may_learn(OTHER, NOW));
        assert!(stored.note_in_vain(OTHER.to_owned()) && !stored.note_in_vain(OTHER.to_owned()));
        assert!(!stored.note_in_vain(ID.to_owned()), "it is known");
        assert!(!stored.may_learn(OTHER, NOW + Duration::days(30)));
        stored.take(listed(&[ID]), NOW);
        assert!(!stored.may_learn(OTHER, NOW), "the daily listing asks for it anyway");
        stored.take(listed(&[ID, OTHER]), NOW);
        assert_eq!(stored.in_vain, [""; 0]);
    }

    #[test]
    fn ids_asked_for_in_vain_are_bounded_and_the_oldest_go_first() {
        let mut stored = Stored::default();
        for number in 0..IN_VAIN_AT_MOST + 2 {
            stored.note_in_vain(number.to_string());
        }
        assert_eq!((stored.in_vain.len(), &*stored.in_vain[0]), (IN_VAIN_AT_MOST, "2"));
    }

    #[test]
    fn other_documents_are_told_apart() {
        assert!(matches!(Stored::parse(br#"{"format":2,"labels":7}"#), Err(StoredError::Newer(2))));
        for damaged in ["", "{}", "null", r#"{"format":1}"#, r#"{"format":1,"labels":[{}]}"#] {
            assert!(matches!(Stored::parse(damaged.as_bytes()), Err(StoredError::Unreadable(_))), "{damaged}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            ids in proptest::collection::btree_map("[a-f0-9]{8}", ("\\PC{1,20}", proptest::option::of("\\PC{1,9}"), any::<Option<i64>>()), 0..9),
            in_vain in proptest::collection::vec("[g-z]{8}", 0..4),
            seconds in proptest::option::of(0_i64..4_000_000_000),
            failed: bool,
        ) {
            let at = seconds.map(|seconds| OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds));
            let label = |(id, (name, parent, priority))| Label { id, name, parent, priority, gone: at };
            let mut stored = Stored { fetched_at: at, catalogue: Arc::new(ids.into_iter().map(label).collect()), in_vain, failure: None };
            if failed {
                stored.fail(&GraphError::Refused("HTTP 403".to_owned()), NOW);
            }
            let written = stored.to_json().unwrap();
            prop_assert_eq!(&Stored::parse(&written).unwrap(), &stored);
            prop_assert_eq!(stored.to_json().unwrap(), written);
        }

        #[test]
        fn any_bytes_are_read_or_refused(body in any::<Vec<u8>>()) {
            prop_assert!(Stored::parse(&body).is_err());
        }
    }
}
