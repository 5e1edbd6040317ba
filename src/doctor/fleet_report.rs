//! What was found of a deployment of many tenants, as a value, as a table and as JSON.

use serde::Serialize;

use super::{
    Check, Finding, Report, Verdict,
    report::{StoredFinding, lines},
};
use crate::{plain::table, tenants::Entry};

/// What was found of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantReport {
    /// The tenant, where its entry says.
    pub id: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// What was found.
    pub report: Report,
    label: String,
    short_label: String,
}

/// What was found of all tenants, and of what they share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetReport {
    /// What they share: host, settings, state, clock.
    pub deployment: Report,
    /// The tenants that were looked at, in the order of the list.
    pub tenants: Vec<TenantReport>,
    /// Those that were not, because they are disabled, as people know them.
    pub disabled: Vec<String>,
}

/// A column of the table: the checks that it has the worst of.
type Column = (&'static str, &'static [Check]);

const COLUMNS: [Column; 7] = [
    ("settings", &[Check::Settings]),
    ("access", &[Check::FeedToken, Check::FeedPermission]),
    ("feed", &[Check::Feed, Check::Auditing, Check::Listing]),
    ("subscriptions", &[Check::Subscription]),
    ("lock", &[Check::Lease]),
    ("ingestion", &[Check::IngestionToken, Check::Ingestion]),
    ("labels", &[Check::GraphToken, Check::Labels]),
];

impl TenantReport {
    pub(super) fn of(entry: &Entry, report: Report) -> Self {
        let (label, short_label) = (entry.label(), entry.short_label());
        Self { id: entry.id.clone(), name: entry.name.clone(), report, label, short_label }
    }

    /// Its line in the table.
    fn row(&self) -> Vec<String> {
        let cells = COLUMNS.iter().map(|(_, checks)| self.worst(checks).to_owned());
        std::iter::once(self.short_label.clone()).chain(cells).collect()
    }

    /// How the worst of some checks ended; a bar where none of them was looked at.
    fn worst(&self, checks: &[Check]) -> &'static str {
        let verdicts = self.report.findings.iter().filter(|finding| checks.contains(&finding.check));
        let worst = verdicts.map(|finding| finding.verdict).max_by_key(|verdict| match verdict {
            Verdict::Skipped => 0,
            Verdict::Ok => 1,
            Verdict::Warning => 2,
            Verdict::Failed => 3,
        });
        worst.filter(|verdict| *verdict != Verdict::Skipped).map_or("-", Verdict::as_str)
    }

    /// What is to be mended, where something failed.
    fn to_mend(&self) -> Vec<&Finding> {
        let is_wrong = |finding: &&Finding| matches!(finding.verdict, Verdict::Failed | Verdict::Warning);
        if self.report.is_ok() { Vec::new() } else { self.report.findings.iter().filter(is_wrong).collect() }
    }

    fn has_warning(&self) -> bool {
        self.report.findings.iter().any(|finding| finding.verdict == Verdict::Warning)
    }
}

impl FleetReport {
    /// All that was found of the one tenant that was looked at, as [`super::examine()`] tells it.
    #[must_use]
    pub fn into_one(self) -> Report {
        let own: Vec<_> = self.tenants.into_iter().flat_map(|tenant| tenant.report.findings).collect();
        // What is well is told by the tenant's own line, where it has one.
        let is_told = |finding: &Finding| {
            matches!(finding.check, Check::Settings | Check::Lease)
                && finding.carries()
                && own.iter().any(|own| own.check == finding.check)
        };
        let shared: Vec<_> = self.deployment.findings.into_iter().filter(|finding| !is_told(finding)).collect();
        Report::new([shared, own].concat())
    }

    /// Whether nothing failed, of no tenant and of nothing that they share.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.deployment.is_ok() && self.tenants.iter().all(|tenant| tenant.report.is_ok())
    }

    /// For people: what the tenants share, a line for each of them, what is to be mended of those that failed, and one line
    /// in the end. What was found is wrapped at `columns`.
    #[must_use]
    pub fn text(&self, columns: Option<usize>) -> String {
        let mut text = lines(&self.deployment.findings, columns);
        if !self.tenants.is_empty() {
            let heads = std::iter::once("tenant").chain(COLUMNS.iter().map(|(name, _)| *name));
            let mut rows = vec![heads.map(str::to_owned).collect()];
            rows.extend(self.tenants.iter().map(TenantReport::row));
            text.push_str(&format!("\n{}", table(&rows)));
        }
        for tenant in &self.tenants {
            let findings = tenant.to_mend();
            if !findings.is_empty() {
                text.push_str(&format!("\n{}\n{}", tenant.label, lines(findings, columns)));
            }
        }
        if !self.disabled.is_empty() {
            text.push_str(&format!("\nDisabled, and not looked at: {}\n", self.disabled.join(", ")));
        }
        text.push_str(&format!("\n{}\n", self.end()));
        text
    }

    fn end(&self) -> String {
        let failed = self.tenants.iter().filter(|tenant| !tenant.report.is_ok()).count();
        let warned = self.tenants.iter().filter(|tenant| tenant.report.is_ok() && tenant.has_warning()).count();
        let all =
            if self.tenants.len() == 1 { "1 tenant".to_owned() } else { format!("{} tenants", self.tenants.len()) };
        let mut line = match (self.deployment.is_ok(), failed) {
            (true, 0) => format!("Nothing failed; {all}."),
            (true, failed) => format!("{failed} of {all} failed."),
            (false, 0) => format!("What all tenants need failed; {all}."),
            (false, failed) => format!("What all tenants need failed, and {failed} of {all}."),
        };
        if warned > 0 {
            line.push_str(&format!(" {warned} with warnings: `labelstream doctor --tenant` shows them."));
        }
        line
    }

    /// For programs: `{"ok", "version", "deployment": [checks], "tenants": [{"tenantId", "name", "ok", "checks"}],
    /// "disabled": [labels]}`, with checks as in the JSON of a [`Report`].
    ///
    /// # Errors
    /// None that is known: it is text alone.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let tenants = self.tenants.iter().map(|tenant| StoredTenant {
            tenant_id: tenant.id.as_deref(),
            name: tenant.name.as_deref(),
            ok: tenant.report.is_ok(),
            checks: tenant.report.stored(),
        });
        serde_json::to_string_pretty(&Stored {
            ok: self.is_ok(),
            version: env!("CARGO_PKG_VERSION"),
            deployment: self.deployment.stored(),
            tenants: tenants.collect(),
            disabled: &self.disabled,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    ok: bool,
    version: &'a str,
    deployment: Vec<StoredFinding<'a>>,
    tenants: Vec<StoredTenant<'a>>,
    disabled: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoredTenant<'a> {
    tenant_id: Option<&'a str>,
    name: Option<&'a str>,
    ok: bool,
    checks: Vec<StoredFinding<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenants::List;

    fn report(findings: Vec<Finding>) -> Report {
        Report::new(findings)
    }

    fn fleet() -> FleetReport {
        let list = List::parse(
            br#"[{"tenantId":"4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55","name":"Contoso"},{"name":"Fabrikam"},{"name":"Litware"}]"#,
        )
        .unwrap();
        let well = report(vec![Finding::ok(Check::Settings, "fine"), Finding::ok(Check::Feed, "fine")]);
        let bad = report(vec![
            Finding::failed(Check::Settings, "1 wrong", "set it"),
            Finding::warning(Check::Clock, "off", "ntp"),
            Finding::because(Check::Feed, Check::Settings),
        ]);
        let warned =
            report(vec![Finding::ok(Check::FeedToken, "m"), Finding::warning(Check::FeedPermission, "w", "f")]);
        let tenants =
            list.entries().iter().zip([well, bad, warned]).map(|(entry, report)| TenantReport::of(entry, report));
        FleetReport {
            deployment: report(vec![Finding::ok(Check::State, "fine")]),
            tenants: tenants.collect(),
            disabled: vec!["Old".to_owned()],
        }
    }

    #[test]
    fn each_tenant_is_a_line_and_those_that_failed_say_how_to_mend() {
        let text = fleet().text(None);
        assert_eq!(
            text,
            "ok       state  fine\n\n\
             tenant    settings  access   feed  subscriptions  lock  ingestion  labels\n\
             Contoso   ok        -        ok    -              -     -          -\n\
             Fabrikam  failed    -        -     -              -     -          -\n\
             Litware   -         warning  -     -              -     -          -\n\n\
             Fabrikam (entry 2)\n\
             failed   settings  1 wrong\n         fix: set it\nwarning  clock     off\n         fix: ntp\n\n\
             Disabled, and not looked at: Old\n\n\
             1 of 3 tenants failed. 1 with warnings: `labelstream doctor --tenant` shows them.\n"
        );
        let json: serde_json::Value = serde_json::from_str(&fleet().json().unwrap()).unwrap();
        assert_eq!(
            (&json["ok"], &json["tenants"][0]["ok"], &json["tenants"][1]["ok"]),
            (&false.into(), &true.into(), &false.into())
        );
        assert_eq!(json["tenants"][1]["checks"][0]["fix"], "set it");
    }

    #[test]
    fn every_check_has_one_place() {
        for check in Check::ALL {
            let columns = COLUMNS.iter().filter(|(_, checks)| checks.contains(&check)).count();
            let is_shared = [Check::Host, Check::State, Check::Clock].contains(&check);
            assert_eq!(columns, usize::from(!is_shared), "{check:?}");
        }
    }
}
