//! How all tenants of a deployment stand: one value for the subcommand `status` and for the function of that name.

use std::cmp::Reverse;

use serde::Serialize;
use time::OffsetDateTime;

use super::verdict::Health;
use crate::{
    status::Status,
    tenants::{Entry, TenantError},
};

/// How all tenants of a deployment stand, the worst first. As JSON: `healthy`, `checkedAt`, `version`, `problems` of the
/// deployment, and `tenants`, each the JSON of a [`Health`] with `name` and `enabled`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fleet {
    /// Nobody has to look: the deployment has no problem, nor has any tenant that is read.
    pub healthy: bool,
    /// The time that the lags are counted to.
    #[serde(with = "time::serde::rfc3339")]
    pub checked_at: OffsetDateTime,
    /// The version of this program.
    pub version: String,
    /// What is wrong with the deployment as a whole.
    pub problems: Vec<String>,
    /// The tenants: those with problems by the longest lag, then those without, then those that are not read.
    pub tenants: Vec<TenantHealth>,
}

/// How one tenant of several stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantHealth {
    /// What people call it.
    pub name: Option<String>,
    /// Whether it is read. One that is not has no problem.
    pub enabled: bool,
    /// How it stands. Of its runs the last alone is kept: a list of hundreds of tenants stays small.
    #[serde(flatten)]
    pub health: Health,
    /// Its name and id, or its place in the list.
    #[serde(skip)]
    label: String,
    /// The shortest text by which it is known.
    #[serde(skip)]
    short_label: String,
}

impl TenantHealth {
    /// A tenant whose state was looked at.
    #[must_use]
    pub fn of(entry: &Entry, mut health: Health) -> Self {
        let runs = &mut health.status.runs;
        runs.drain(..runs.len().saturating_sub(1));
        let (label, short_label) = (entry.label(), entry.short_label());
        Self { name: entry.name.clone(), enabled: entry.enabled, health, label, short_label }
    }

    /// A tenant that cannot be read, because its entry is bad.
    #[must_use]
    pub fn bad(entry: &Entry, error: &TenantError, now: OffsetDateTime) -> Self {
        let problems = error.faults.iter().map(|fault| format!("The entry in the list is not good: {fault}")).collect();
        Self::of(entry, Health::unknown(Status::unknown(entry.id.clone(), now), problems))
    }

    /// A tenant that is not read, because the list says so.
    #[must_use]
    pub fn disabled(entry: &Entry, now: OffsetDateTime) -> Self {
        let mut health = Health::unknown(Status::unknown(entry.id.clone(), now), Vec::new());
        health.notes.push("It is disabled in the list, and not read.".to_owned());
        Self { enabled: false, ..Self::of(entry, health) }
    }

    /// Its name and id, or its place in the list.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its name, or else its id or its place in the list.
    #[must_use]
    pub fn short_label(&self) -> &str {
        &self.short_label
    }

    /// In one word or two.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match (self.enabled, self.health.healthy) {
            (false, _) => "disabled",
            (true, true) => "healthy",
            (true, false) => "needs attention",
        }
    }

    const fn needs_attention(&self) -> bool {
        self.enabled && !self.health.healthy
    }

    /// By what the worst is first. A lag that is not known is the worst where there is a problem, and none otherwise.
    fn place(&self) -> (Reverse<bool>, Reverse<bool>, Reverse<i64>, &str) {
        let unknown = if self.needs_attention() { i64::MAX } else { -1 };
        let lag = self.health.status.lag_seconds.unwrap_or(unknown);
        (Reverse(self.needs_attention()), Reverse(self.enabled), Reverse(lag), &self.short_label)
    }
}

impl Fleet {
    /// How the deployment stands by its `tenants`.
    #[must_use]
    pub fn of(mut tenants: Vec<TenantHealth>, now: OffsetDateTime) -> Self {
        tenants.sort_by(|one, other| one.place().cmp(&other.place()));
        let healthy = !tenants.iter().any(TenantHealth::needs_attention);
        Self { healthy, checked_at: now, version: env!("CARGO_PKG_VERSION").to_owned(), problems: Vec::new(), tenants }
    }

    /// Something is wrong with the deployment as a whole: its settings, the list.
    pub fn add_problem(&mut self, problem: String) {
        self.problems.push(problem);
        self.healthy = false;
    }

    /// How many tenants are read, how many of them need attention, and how many are not read.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let enabled = self.tenants.iter().filter(|tenant| tenant.enabled).count();
        let bad = self.tenants.iter().filter(|tenant| tenant.needs_attention()).count();
        (enabled, bad, self.tenants.len() - enabled)
    }
}

#[cfg(test)]
#[path = "fleet_tests.rs"]
mod tests;
