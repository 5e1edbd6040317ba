//! What the tenants of a provider come to together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::Report;

/// What crossed from one tenant to another; all of it is 0 where they are kept apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// Requests that came with a token of another tenant than theirs: to the feed, or to the ingestion endpoint, which is
    /// the provider's. They were refused.
    pub foreign_tokens: u64,
    /// Posts with rows of more than one tenant, or with rows of another tenant than the one that has the rule.
    pub mixed_posts: u64,
    /// Rows in them that are not of the tenant that the post was taken for.
    pub foreign_rows: u64,
    /// Rows of no tenant that is known, by `OrganizationId`.
    pub rows_of_nobody: u64,
}

/// How what arrived compares with what was published, for each tenant and for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderReport {
    /// By tenant id.
    pub tenants: BTreeMap<String, Report>,
    /// The provider's own tenant. What is of no tenant arrived here.
    pub home: Report,
    /// What crossed from one tenant to another.
    pub isolation: Isolation,
}

impl ProviderReport {
    /// Whether each tenant's label events arrived, nothing else did, nothing twice without an excuse, and nothing crossed
    /// from one tenant to another.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.unclean().is_empty() && self.home.is_clean() && self.isolation == Isolation::default()
    }

    /// The tenants whose report is not clean.
    #[must_use]
    pub fn unclean(&self) -> Vec<&str> {
        let unclean = self.tenants.iter().filter(|(_, report)| !report.is_clean());
        unclean.map(|(id, _)| id.as_str()).collect()
    }

    /// The sum over all tenants of what `count` reads from a report: `report.sum(|tenant| tenant.missing)`.
    #[must_use]
    pub fn sum(&self, count: impl Fn(&Report) -> u64) -> u64 {
        self.tenants.values().map(count).sum()
    }
}
