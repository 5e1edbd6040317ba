//! Whether the connector is well, judged by its state alone.
//!
//! A monitor wants one bit, and wants it to mean that somebody has to look. So one failed run among good ones is a note,
//! and what goes on or has gone silent is a problem.

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::{
    counted::counted,
    run_record::{Outcome, RunRecord},
    span::span,
};
use crate::{
    content::ContentType,
    status::{Status, SubscriptionState, TypeStatus},
};

/// A lag beyond this is a problem: what `infra/main.bicep` alerts on by default (`lagMinutes`).
pub const LAG_LIMIT: Duration = Duration::hours(2);

/// No run for so long is a problem: the window of the alert on silence.
pub const SILENT_AFTER: Duration = Duration::HOUR;

/// So many runs that failed in a row are a problem, as for the alert on failed runs.
const FAILED_IN_A_ROW: usize = 3;

/// So many of the last runs tell how far apart runs are.
const GAPS_OF: usize = 10;

/// A status, and whether it is well: what the `status` subcommand, the `Status` function and its page show.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Nobody has to look.
    pub healthy: bool,
    /// What is wrong, and what to do; empty where it is healthy.
    pub problems: Vec<String>,
    /// What is worth knowing all the same.
    pub notes: Vec<String>,
    /// What was judged. Its members stand beside the others.
    #[serde(flatten)]
    pub status: Status,
}

impl Health {
    /// What can be said where the state cannot be looked at, for what `problems` say.
    #[must_use]
    pub const fn unknown(status: Status, problems: Vec<String>) -> Self {
        Self { healthy: problems.is_empty(), problems, notes: Vec::new(), status }
    }

    /// Judges `status`.
    #[must_use]
    pub fn of(status: Status) -> Self {
        let mut verdict = Verdict::default();
        verdict.problems.extend(status.document_error.clone());
        verdict.judge_runs(&status.runs, status.checked_at);
        let limit = lag_limit(&status.runs);
        for (content_type, kind) in &status.content_types {
            verdict.judge_content_type(*content_type, kind, limit);
        }
        if let Some(letters) = status.dead_letters.filter(|letters| letters.number > 0) {
            verdict.notes.push(format!(
                "There are dead letters ({letters}): `labelstream dead-letters list` shows them with their reasons, `dead-letters replay` sends them again."
            ));
        }
        let catalogue = status.runs.last().and_then(|run| run.figures.catalogue.as_ref());
        if let Some(trouble) = catalogue.and_then(|catalogue| catalogue.trouble.as_ref()) {
            verdict.notes.push(format!("Label events arrive, but {trouble}."));
        }
        verdict.notes.extend(status.runs_error.clone());
        let Verdict { problems, notes } = verdict;
        Self { healthy: problems.is_empty(), problems, notes, status }
    }

    /// Something else is wrong.
    pub fn add_problem(&mut self, problem: String) {
        self.problems.insert(0, problem);
        self.healthy = false;
    }
}

/// What is found while judging.
#[derive(Debug, Default)]
struct Verdict {
    problems: Vec<String>,
    notes: Vec<String>,
}

impl Verdict {
    fn judge_runs(&mut self, runs: &[RunRecord], now: OffsetDateTime) {
        let Some(last) = runs.last() else {
            self.problems.push(
                "No run has ended yet. The timer fires by TIMER_SCHEDULE; look into the log of the function app where this stays so."
                    .to_owned(),
            );
            return;
        };
        let silent_after = SILENT_AFTER.max(usual_gap(runs) * 3);
        let silence = now - last.ended_at;
        if silence > silent_after {
            self.problems.push(format!(
                "No run has ended for {}. The app is stopped, its timer does not fire, or its runs are killed: look into the log of the function app.",
                span(silence)
            ));
        }
        let failed_in_a_row = runs.iter().rev().take_while(|run| run.outcome == Outcome::Failed).count();
        let Some(error) = &last.error else { return };
        if failed_in_a_row >= FAILED_IN_A_ROW.min(runs.len()) {
            let all = if failed_in_a_row == 1 {
                "The only run".to_owned()
            } else {
                format!("The last {failed_in_a_row} runs")
            };
            self.problems.push(format!("{all} failed; the last one says: {error}"));
        } else {
            self.notes.push(format!("The last run failed, others before it did not: {error}"));
        }
    }

    fn judge_content_type(&mut self, content_type: ContentType, kind: &TypeStatus, limit: Duration) {
        match kind.lag_seconds.map(Duration::seconds) {
            None => self.notes.push(format!("{content_type} has not been listed yet.")),
            Some(lag) if lag > limit => self.problems.push(format!(
                "{content_type} lags {} behind. After the very first start, which reads seven days, this is normal; else the last runs say why.",
                span(lag)
            )),
            Some(_) => {}
        }
        match kind.subscription {
            SubscriptionState::NotStarted => self.problems.push(format!(
                "The subscription of {content_type} could not be started; the log of that run says why. `labelstream connect` tries it again."
            )),
            SubscriptionState::Disabled => self.problems.push(format!(
                "The subscription of {content_type} is disabled: nothing is listed. `labelstream connect` starts it again."
            )),
            SubscriptionState::Missing => self.problems.push(format!(
                "{content_type} has no subscription: nothing is listed. `labelstream connect` starts it, as the next run does."
            )),
            SubscriptionState::Started => self.notes.push(format!(
                "The subscription of {content_type} was started; the first contents may take up to twelve hours."
            )),
            SubscriptionState::Enabled | SubscriptionState::Unknown => {}
        }
        if kind.pending > 0 {
            let contents = counted(kind.pending as u64, "content");
            self.notes.push(format!("{contents} of {content_type} failed, to be tried again."));
        }
    }
}

/// A lag beyond this is a problem: content of the time between two runs cannot be delivered earlier.
pub(super) fn lag_limit(runs: &[RunRecord]) -> Duration {
    LAG_LIMIT + usual_gap(runs)
}

/// How far apart the last runs ended, as a rule: the median. A schedule of hours is no silence.
fn usual_gap(runs: &[RunRecord]) -> Duration {
    let last = &runs[runs.len().saturating_sub(GAPS_OF + 1)..];
    let mut gaps: Vec<_> =
        last.windows(2).map(|pair| (pair[1].ended_at - pair[0].ended_at).max(Duration::ZERO)).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(Duration::ZERO)
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
