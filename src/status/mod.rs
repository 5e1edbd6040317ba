//! Status: how the connector of a tenant stands, by what is stored and what the feed says of its subscriptions.
//!
//! [`read`] gathers it without changing anything and without the lock of the runs; [`Status`] is a value, which is told
//! as text for people and as JSON for programs.

mod last_run;
mod read;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    content::ContentType,
    dead_letter::Number,
    feed::Subscription,
    watermark::{Document, Watermark},
};

pub use last_run::{LastRun, runs_key};
pub use read::{StatusError, read};

/// How a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscriptionState {
    /// The feed serves it.
    Enabled,
    /// An administrator or the service disabled it.
    Disabled,
    /// There is none.
    Missing,
}

/// How the connector of a tenant stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The tenant that is read.
    pub tenant_id: String,
    /// The time that the lags are counted to.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The version of this program.
    pub version: String,
    /// The longest lag of the content types in seconds; `None` before the first run.
    pub lag_seconds: Option<i64>,
    /// By content type: those of the settings, and those that the state has beside them.
    pub content_types: BTreeMap<ContentType, TypeStatus>,
    /// When a batch was last answered with 2xx.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_accepted: Option<OffsetDateTime>,
    /// How many dead letters lie there.
    pub dead_letters: Number,
    /// Whether a run holds the lock now.
    pub run_under_way: bool,
    /// The last run that is recorded.
    pub last_run: Option<LastRun>,
    /// What could not be read, and what follows from it.
    pub problems: Vec<String>,
}

/// How a content type stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeStatus {
    /// Everything published before this time has been listed; `None` before the first run.
    #[serde(with = "time::serde::rfc3339::option")]
    pub listed_through: Option<OffsetDateTime>,
    /// Seconds between now and the oldest time of publication that is not delivered.
    pub lag_seconds: Option<i64>,
    /// The latest time of publication that was seen.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_content: Option<OffsetDateTime>,
    /// Contents that failed and are to be tried again.
    pub pending: usize,
    /// When the oldest of them was published.
    #[serde(with = "time::serde::rfc3339::option")]
    pub oldest_pending: Option<OffsetDateTime>,
    /// Contents that the last recorded run listed and left to the next one; `None` where no run is recorded.
    pub unfinished: Option<u64>,
    /// Its subscription; `None` where the feed was not asked.
    pub subscription: Option<SubscriptionState>,
}

/// What a status is made of.
#[derive(Debug, Clone, Default)]
struct Parts {
    document: Document,
    dead_letters: Number,
    run_under_way: bool,
    last_run: Option<LastRun>,
    subscriptions: Option<Vec<Subscription>>,
    problems: Vec<String>,
}

impl Status {
    fn of(tenant: &str, wanted: &[ContentType], parts: Parts, now: OffsetDateTime) -> Self {
        let Parts { document, dead_letters, run_under_way, last_run, subscriptions, problems } = parts;
        let known = document.content_types.keys().chain(wanted).copied();
        let content_types: BTreeMap<_, _> = known
            .map(|content_type| {
                let mut kind = TypeStatus::of(document.content_types.get(&content_type), now);
                kind.unfinished = last_run.as_ref().and_then(|run| run.unfinished(content_type));
                kind.subscription = subscriptions.as_deref().map(|listed| subscription(listed, content_type));
                (content_type, kind)
            })
            .collect();
        Self {
            tenant_id: tenant.to_owned(),
            at: now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lag_seconds: content_types.values().filter_map(|kind| kind.lag_seconds).max(),
            content_types,
            last_accepted: document.last_accepted,
            dead_letters,
            run_under_way,
            last_run,
            problems,
        }
    }

    /// As JSON.
    ///
    /// # Errors
    /// A time that RFC 3339 cannot express, such as a year beyond 9999.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

impl TypeStatus {
    fn of(watermark: Option<&Watermark>, now: OffsetDateTime) -> Self {
        let Some(watermark) = watermark else { return Self::default() };
        Self {
            listed_through: Some(watermark.listed_through),
            lag_seconds: Some((now - watermark.oldest_left()).whole_seconds().max(0)),
            last_content: watermark.last_content,
            pending: watermark.pending.len(),
            oldest_pending: watermark.pending.iter().map(|pending| pending.content.created).min(),
            ..Self::default()
        }
    }
}

fn subscription(listed: &[Subscription], content_type: ContentType) -> SubscriptionState {
    match listed.iter().filter(|subscription| subscription.is_of(content_type)).map(Subscription::is_enabled).max() {
        Some(true) => SubscriptionState::Enabled,
        Some(false) => SubscriptionState::Disabled,
        None => SubscriptionState::Missing,
    }
}

#[cfg(test)]
mod tests;
