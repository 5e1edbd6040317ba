//! All tenants for people at a shell.

use std::fmt;

use super::{
    counted::counted,
    fleet::{Fleet, TenantHealth},
    span::span,
    text::seconds,
};
use crate::plain::table;

impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline())?;
        for problem in &self.problems {
            writeln!(f, "  problem: {problem}")?;
        }
        for tenant in self.tenants.iter().filter(|tenant| tenant.enabled && !tenant.health.healthy) {
            writeln!(f, "\n{}", tenant.label())?;
            for problem in &tenant.health.problems {
                writeln!(f, "  problem: {problem}")?;
            }
        }
        if self.tenants.is_empty() {
            return Ok(());
        }
        let heads = ["tenant", "state", "lag", "last accepted", "last run", "dead letters", "pending", "id"];
        let mut rows = vec![heads.map(str::to_owned).to_vec()];
        rows.extend(self.tenants.iter().map(row));
        write!(f, "\n{}", table(&rows))
    }
}

impl Fleet {
    /// The verdict and the numbers of tenants, in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let (enabled, bad, disabled) = self.counts();
        let tenants = counted(enabled as u64, "tenant");
        let mut line = match (self.healthy, bad) {
            (true, _) => format!("healthy: {tenants}"),
            (false, 0) => format!("needs attention: the deployment; {tenants}"),
            (false, bad) => format!("needs attention: {bad} of {tenants}"),
        };
        if disabled > 0 {
            line.push_str(&format!(", {disabled} more disabled"));
        }
        line
    }
}

fn row(tenant: &TenantHealth) -> Vec<String> {
    let status = &tenant.health.status;
    let not_known = || "-".to_owned();
    let ago = |at| format!("{} ago", span(status.checked_at - at));
    let last_run = status.runs.last().map(|run| format!("{} {}", run.outcome.as_str(), ago(run.ended_at)));
    let pending = status.content_types.values().map(|kind| kind.pending).sum::<usize>();
    vec![
        tenant.short_label().to_owned(),
        tenant.word().to_owned(),
        status.lag_seconds.map_or_else(not_known, seconds),
        status.last_accepted.map_or_else(not_known, ago),
        last_run.unwrap_or_else(not_known),
        status.dead_letters.map_or_else(not_known, |letters| letters.to_string()),
        if status.content_types.is_empty() { not_known() } else { pending.to_string() },
        status.tenant_id.clone().unwrap_or_else(not_known),
    ]
}
