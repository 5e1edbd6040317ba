//! One run, as it is remembered.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{pull::Summary, telemetry::one_line};

/// The most that is kept of a run's error, in characters. Its log line has all of it.
const ERROR_LIMIT: usize = 4_000;

/// What began a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Started {
    /// The timer, or a manual run without an input, which looks the same.
    Timer,
    /// Someone in the portal, with an input.
    Manual,
    /// `labelstream pull`.
    Pull,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Everything that the feed listed is delivered.
    Done,
    /// Work is left for the next run.
    Unfinished,
    /// It answered with an error.
    Failed,
}

impl Started {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::Manual => "hand",
            Self::Pull => "pull",
        }
    }
}

impl Outcome {
    /// The word for it, as the table of runs has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::Unfinished => "Unfinished",
            Self::Failed => "Failed",
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// The invocation id that the host gave; a random id for a run from a shell.
    pub run_id: String,
    /// What began it.
    pub trigger: Started,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The version of the connector.
    pub version: String,
    /// The machine or instance that it was on.
    pub host: String,
    /// What it did. Its members stand beside the others.
    #[serde(flatten)]
    pub figures: Summary,
}

impl RunRecord {
    /// The record of a run that ended at `ended_at` with `figures` and, where it failed, `error`.
    #[must_use]
    pub fn new(
        run_id: String,
        trigger: Started,
        (started_at, ended_at): (OffsetDateTime, OffsetDateTime),
        host: String,
        figures: Summary,
        error: Option<&str>,
    ) -> Self {
        let is_left = figures.cut_short
            || !figures.is_done()
            || figures.content_types.values().any(|kind| kind.range_through.is_some());
        let outcome = match (error, is_left) {
            (Some(_), _) => Outcome::Failed,
            (None, true) => Outcome::Unfinished,
            (None, false) => Outcome::Done,
        };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { run_id, trigger, started_at, ended_at, outcome, error: error.map(short), version, host, figures }
    }

    /// The seconds between the end of the run and the oldest content that is not delivered; `None` where it never got to
    /// know its watermarks.
    #[must_use]
    pub fn lag_seconds(&self) -> Option<i64> {
        (!self.figures.content_types.is_empty()).then(|| self.figures.lag_seconds())
    }
}

/// One line of at most [`ERROR_LIMIT`] characters.
fn short(error: &str) -> String {
    let line = one_line(error);
    match line.char_indices().nth(ERROR_LIMIT) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;
    use crate::{content::ContentType, dead_letter::Number, labels::Standing, pull::TypeSummary};

    pub const BEGAN: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);

    pub fn kind() -> TypeSummary {
        TypeSummary {
            listed_through: BEGAN,
            lag_seconds: 5,
            pending: 0,
            unfinished: 0,
            last_content: Some(BEGAN - time::Duration::MINUTE),
            range_through: None,
            range_stands_still: false,
        }
    }

    pub fn figures() -> Summary {
        Summary {
            rows: 7,
            seconds: 4.5,
            dead_letters_in_all: Some(Number { number: 2, or_more: false }),
            catalogue: Some(Standing { labels: 12, age_seconds: Some(60), ..Standing::default() }),
            filtered: [("83 AipDiscover".to_owned(), 3)].into(),
            content_types: [(ContentType::General, kind())].into(),
            ..Summary::default()
        }
    }

    pub fn record(figures: Summary, error: Option<&str>) -> RunRecord {
        let times = (BEGAN, BEGAN + time::Duration::seconds(5));
        RunRecord::new("83a33220".to_owned(), Started::Timer, times, "host-1".to_owned(), figures, error)
    }

    #[test]
    fn what_is_left_makes_a_run_unfinished_and_an_error_makes_it_failed() {
        let of = |figures: Summary| record(figures, None).outcome;
        let with = |change: fn(&mut TypeSummary)| {
            let mut figures = figures();
            figures.content_types.values_mut().for_each(change);
            figures
        };
        assert_eq!(of(figures()), Outcome::Done);
        assert_eq!(of(Summary { cut_short: true, ..figures() }), Outcome::Unfinished);
        assert_eq!(of(with(|kind| kind.pending = 1)), Outcome::Unfinished);
        assert_eq!(of(with(|kind| kind.unfinished = 1)), Outcome::Unfinished);
        assert_eq!(of(with(|kind| kind.range_through = Some(BEGAN))), Outcome::Unfinished);
        assert_eq!(record(figures(), Some("no")).outcome, Outcome::Failed);
    }

    #[test]
    fn a_lag_is_known_where_a_watermark_is() {
        assert_eq!(record(figures(), Some("no")).lag_seconds(), Some(5));
        assert_eq!(record(Summary::default(), Some("state: away")).lag_seconds(), None);
    }

    proptest! {
        #[test]
        fn an_error_is_one_bounded_line(error in "(?s).{0,300}", times in 1_usize..40) {
            let record = record(figures(), Some(&error.repeat(times)));
            let line = record.error.unwrap_or_default();
            prop_assert!(line.chars().count() <= ERROR_LIMIT + 3);
            let broken = line.chars().any(|character| character.is_control() || character == '\u{2028}');
            prop_assert!(!broken);
        }
    }
}
