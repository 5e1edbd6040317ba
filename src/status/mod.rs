//! Status: how the connector of a tenant stands, by what its state says.
//!
//! [`read`] gathers it without changing anything and without the lock of the runs. [`Status`] is a value; whether it is
//! well is judged by [`crate::health`], which also shows it to people and programs.

mod read;
mod subscription;

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    content::ContentType,
    dead_letter::Number,
    feed::Subscription,
    health::{Ring, RunRecord},
    watermark::{Document, Watermark},
};

pub use read::read;
pub use subscription::SubscriptionState;

/// How the connector of a tenant stands. What could not be looked at is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The time that the lags are counted to.
    #[serde(with = "time::serde::rfc3339")]
    pub checked_at: OffsetDateTime,
    /// The version of this program.
    pub version: String,
    /// The tenant that is read, where the settings say.
    pub tenant_id: Option<String>,
    /// Whether a run holds the lock now.
    pub run_under_way: Option<bool>,
    /// The longest lag of the content types, in seconds; `None` before the first run.
    pub lag_seconds: Option<i64>,
    /// When a batch was last answered with 2xx.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_accepted: Option<OffsetDateTime>,
    /// When the subscriptions were last listed, by a run or for this status.
    #[serde(with = "time::serde::rfc3339::option")]
    pub subscriptions_checked: Option<OffsetDateTime>,
    /// How many dead letters lie there.
    pub dead_letters: Option<Number>,
    /// Those of the settings. What is read no more would lag for ever, and is left out.
    pub content_types: BTreeMap<ContentType, TypeStatus>,
    /// The last runs, the newest last.
    pub runs: Vec<RunRecord>,
    /// Why the document cannot be read, where it is there.
    #[serde(skip)]
    pub document_error: Option<String>,
    /// What of the last runs cannot be read.
    #[serde(skip)]
    pub runs_error: Option<String>,
}

/// How a content type stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeStatus {
    /// Everything published before this time has been listed; `None` before the first run.
    #[serde(with = "time::serde::rfc3339::option")]
    pub listed_through: Option<OffsetDateTime>,
    /// Seconds between now and the oldest content that is not delivered, by the feed's own times.
    pub lag_seconds: Option<i64>,
    /// The latest time of publication that was seen.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_content: Option<OffsetDateTime>,
    /// Contents that failed and are tried again by the next runs.
    pub pending: usize,
    /// When the oldest of them was published.
    #[serde(with = "time::serde::rfc3339::option")]
    pub oldest_pending: Option<OffsetDateTime>,
    /// Contents that the last run listed and did not finish; `None` where no run tells of it.
    pub unfinished: Option<usize>,
    /// Its subscription.
    pub subscription: SubscriptionState,
}

impl Status {
    /// Where the state was not looked at.
    #[must_use]
    pub fn unknown(tenant: Option<String>, now: OffsetDateTime) -> Self {
        Self {
            checked_at: now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tenant_id: tenant,
            run_under_way: None,
            lag_seconds: None,
            last_accepted: None,
            subscriptions_checked: None,
            dead_letters: None,
            content_types: BTreeMap::new(),
            runs: Vec::new(),
            document_error: None,
            runs_error: None,
        }
    }

    /// What is stored of a tenant of which `wanted` is read.
    #[must_use]
    pub fn of(
        tenant: &str,
        wanted: &[ContentType],
        document: &Document,
        letters: Number,
        ring: Ring,
        now: OffsetDateTime,
    ) -> Self {
        let last = ring.runs().last();
        let content_types: BTreeMap<_, _> = wanted
            .iter()
            .map(|&name| {
                let listed = document.content_types.get(&name);
                let mut kind = listed.map(|watermark| TypeStatus::of(watermark, now)).unwrap_or_default();
                kind.subscription = listed.map_or(SubscriptionState::Unknown, |watermark| {
                    SubscriptionState::remembered(watermark, document.subscriptions_checked)
                });
                kind.unfinished =
                    last.and_then(|run| run.figures.content_types.get(&name)).map(|summary| summary.unfinished);
                (name, kind)
            })
            .collect();
        Self {
            lag_seconds: content_types.values().filter_map(|kind| kind.lag_seconds).max(),
            last_accepted: document.last_accepted,
            subscriptions_checked: document.subscriptions_checked,
            dead_letters: Some(letters),
            content_types,
            runs: ring.into_runs(),
            ..Self::unknown(Some(tenant.to_owned()), now)
        }
    }

    /// Takes what the feed lists now in the place of what runs found.
    pub fn take_subscriptions(&mut self, listed: &[Subscription]) {
        self.subscriptions_checked = Some(self.checked_at);
        for (name, kind) in &mut self.content_types {
            kind.subscription = kind.subscription.listed(listed, *name);
        }
    }
}

impl TypeStatus {
    fn of(watermark: &Watermark, now: OffsetDateTime) -> Self {
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

#[cfg(test)]
mod tests;
