//! Whether the connector is well, judged by its state alone.
//!
//! A monitor wants one bit, and wants it to mean that somebody has to look. So one failed run among good ones is a note,
//! and what goes on or has gone silent is a problem.

use std::collections::BTreeMap;

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::{
    ring::Ring,
    run_record::{Outcome, RunRecord},
};
use crate::{
    content::ContentType,
    dead_letter::Number,
    feed::subscription::START_INTERVAL,
    watermark::{Document, Watermark},
};

/// A lag beyond this is a problem: what `infra/main.bicep` alerts on by default (`lagMinutes`).
pub const LAG_LIMIT: Duration = Duration::hours(2);

/// No run for so long is a problem: the window of the alert on silence.
pub const SILENT_AFTER: Duration = Duration::HOUR;

/// So many runs that failed in a row are a problem, as for the alert on failed runs.
const FAILED_IN_A_ROW: usize = 3;

/// So many of the last runs tell how far apart runs are.
const GAPS_OF: usize = 10;

/// The subscription of a content type, as a run last found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SubscriptionState {
    /// No run has looked at it yet.
    Unknown,
    /// The feed lists it as enabled.
    Enabled,
    /// It was started, and the feed may need up to twelve hours until contents are listed.
    Started,
    /// It could not be started when that was last tried.
    NotStarted,
}

impl SubscriptionState {
    /// The words for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Enabled => "enabled",
            Self::Started => "started lately",
            Self::NotStarted => "could not be started",
        }
    }

    fn of(watermark: &Watermark, checked: Option<OffsetDateTime>) -> Self {
        let listed_since = |started| watermark.looked_day_back.is_some_and(|looked| looked > started);
        match (watermark.start_tried, watermark.started, checked) {
            (_, Some(started), _) if listed_since(started) => Self::Enabled,
            // One that is not enabled is started at each look, as soon as the feed allows it again.
            (Some(tried), _, Some(checked)) if checked >= tried + START_INTERVAL => Self::Enabled,
            (Some(_), Some(_), _) => Self::Started,
            (Some(_), None, _) => Self::NotStarted,
            (None, _, Some(_)) => Self::Enabled,
            (None, _, None) => Self::Unknown,
        }
    }
}

/// How a content type stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeHealth {
    /// Everything published before this time has been listed.
    #[serde(with = "time::serde::rfc3339")]
    pub listed_through: OffsetDateTime,
    /// Seconds between now and the oldest content that is not delivered, by the feed's own times.
    pub lag_seconds: i64,
    /// The latest time of publication that was seen.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_content: Option<OffsetDateTime>,
    /// Contents that failed and are tried again by the next runs.
    pub pending: usize,
    /// Contents that the last run listed and did not finish; `None` where no run tells of it.
    pub unfinished: Option<usize>,
    /// Its subscription.
    pub subscription: SubscriptionState,
}

/// How the connector stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Nobody has to look.
    pub healthy: bool,
    /// What is wrong, and what to do; empty where it is healthy.
    pub problems: Vec<String>,
    /// What is worth knowing all the same.
    pub notes: Vec<String>,
    /// When it was judged.
    #[serde(with = "time::serde::rfc3339")]
    pub checked_at: OffsetDateTime,
    /// The version of the connector that answers.
    pub version: String,
    /// The tenant that is read, where the settings say.
    pub tenant: Option<String>,
    /// Whether a run holds the lock now; `None` where the state was not looked at.
    pub run_under_way: Option<bool>,
    /// The largest lag of the content types.
    pub lag_seconds: Option<i64>,
    /// When the endpoint last took rows.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_accepted: Option<OffsetDateTime>,
    /// When the subscriptions were last listed.
    #[serde(with = "time::serde::rfc3339::option")]
    pub subscriptions_checked: Option<OffsetDateTime>,
    /// How many dead letters lie there.
    pub dead_letters: Option<Number>,
    /// By content type; those of the settings that no run has listed yet are missing.
    pub content_types: BTreeMap<ContentType, TypeHealth>,
    /// The last runs, the newest last.
    pub runs: Vec<RunRecord>,
}

impl Health {
    /// What can be said where the state cannot be looked at, for what `problems` say.
    #[must_use]
    pub fn unknown(tenant: Option<String>, now: OffsetDateTime, problems: Vec<String>) -> Self {
        Self {
            healthy: problems.is_empty(),
            problems,
            notes: Vec::new(),
            checked_at: now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tenant,
            run_under_way: None,
            lag_seconds: None,
            last_accepted: None,
            subscriptions_checked: None,
            dead_letters: None,
            content_types: BTreeMap::new(),
            runs: Vec::new(),
        }
    }

    /// Judges what is stored of a tenant of which `wanted` is read.
    #[must_use]
    pub fn of(
        tenant: &str,
        wanted: &[ContentType],
        document: &Document,
        letters: Number,
        ring: Ring,
        now: OffsetDateTime,
    ) -> Self {
        let runs = ring.runs();
        let last = runs.last();
        let content_types: BTreeMap<_, _> = document
            .content_types
            .iter()
            .filter(|(name, _)| wanted.contains(name))
            .map(|(name, watermark)| (*name, stands(*name, watermark, document, last, now)))
            .collect();
        let mut health = Self {
            last_accepted: document.last_accepted,
            subscriptions_checked: document.subscriptions_checked,
            dead_letters: Some(letters),
            lag_seconds: content_types.values().map(|kind| kind.lag_seconds).max(),
            content_types,
            ..Self::unknown(Some(tenant.to_owned()), now, Vec::new())
        };
        health.judge_runs(runs, now);
        health.judge_content_types(wanted, usual_gap(runs));
        if letters.number > 0 {
            health.notes.push(format!(
                "{letters} dead letters: `labelstream dead-letters list` shows them with their reasons, `dead-letters replay` sends them again."
            ));
        }
        health.healthy = health.problems.is_empty();
        health.runs = ring.into_runs();
        health
    }

    /// Something else is wrong.
    pub fn add_problem(&mut self, problem: String) {
        self.problems.insert(0, problem);
        self.healthy = false;
    }

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

    fn judge_content_types(&mut self, wanted: &[ContentType], gap: Duration) {
        for content_type in wanted.iter().filter(|name| !self.content_types.contains_key(name)) {
            self.notes.push(format!("{content_type} has not been listed yet."));
        }
        for (content_type, kind) in &self.content_types {
            let lag = Duration::seconds(kind.lag_seconds);
            if lag > LAG_LIMIT + gap {
                self.problems.push(format!(
                    "{content_type} lags {} behind. After the very first start, which reads seven days, this is normal; else the last runs say why.",
                    span(lag)
                ));
            }
            match kind.subscription {
                SubscriptionState::NotStarted => self.problems.push(format!(
                    "The subscription of {content_type} could not be started; the log of that run says why. `labelstream connect` tries it again."
                )),
                SubscriptionState::Started => self.notes.push(format!(
                    "The subscription of {content_type} was started; the first contents may take up to twelve hours."
                )),
                SubscriptionState::Enabled | SubscriptionState::Unknown => {}
            }
            if kind.pending > 0 {
                self.notes.push(format!("{} contents of {content_type} failed and are tried again.", kind.pending));
            }
        }
    }
}

fn stands(
    name: ContentType,
    watermark: &Watermark,
    document: &Document,
    last: Option<&RunRecord>,
    now: OffsetDateTime,
) -> TypeHealth {
    TypeHealth {
        listed_through: watermark.listed_through,
        lag_seconds: (now - watermark.oldest_left()).whole_seconds().max(0),
        last_content: watermark.last_content,
        pending: watermark.pending.len(),
        unfinished: last.and_then(|run| run.figures.content_types.get(&name)).map(|kind| kind.unfinished),
        subscription: SubscriptionState::of(watermark, document.subscriptions_checked),
    }
}

/// How far apart the last runs ended, as a rule: the median. A schedule of hours is no silence.
fn usual_gap(runs: &[RunRecord]) -> Duration {
    let last = &runs[runs.len().saturating_sub(GAPS_OF + 1)..];
    let mut gaps: Vec<_> =
        last.windows(2).map(|pair| (pair[1].ended_at - pair[0].ended_at).max(Duration::ZERO)).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(Duration::ZERO)
}

/// A span of time for people: its two largest units.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.whole_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
