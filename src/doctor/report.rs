//! What was found, as a value, as lines and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::Check;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    Ok,
    /// The connector works, but something is worth a look.
    Warning,
    /// The connector does not work.
    Failed,
    /// It was not looked at.
    Skipped,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// Which one of several, a content type for example.
    pub subject: Option<String>,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found, or because of what it was skipped. No secret is in it.
    pub found: String,
    /// What to do, where something is to be done.
    pub fix: Option<String>,
}

impl Finding {
    fn new(check: Check, verdict: Verdict, found: impl Into<String>, fix: Option<String>) -> Self {
        Self { check, subject: None, verdict, found: found.into(), fix }
    }

    pub(super) fn ok(check: Check, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, found, None)
    }

    pub(super) fn warning(check: Check, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, found, Some(fix.into()))
    }

    pub(super) fn failed(check: Check, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, Verdict::Failed, found, Some(fix.into()))
    }

    /// Not looked at, and nothing is wrong with that.
    pub(super) fn not_needed(check: Check, why: impl Into<String>) -> Self {
        Self::new(check, Verdict::Skipped, why, None)
    }

    /// Not looked at because `ground` is not there.
    pub(super) fn because(check: Check, ground: Check) -> Self {
        Self::new(check, Verdict::Skipped, format!("because of {}", ground.id()), None)
    }

    pub(super) fn of(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// The name of the check, with which one of several.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{} {subject}", self.check.id()),
            None => self.check.id().to_owned(),
        }
    }

    /// Whether what builds on it can be looked at.
    pub(super) const fn carries(&self) -> bool {
        matches!(self.verdict, Verdict::Ok | Verdict::Warning)
    }
}

/// All that was found, in the order of [`Check::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    ok: bool,
    version: &'a str,
    checks: Vec<StoredFinding<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredFinding<'a> {
    check: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    state: Verdict,
    found: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a str>,
}

impl Report {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.check);
        Self { findings }
    }

    /// Whether nothing failed.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.verdict != Verdict::Failed)
    }

    /// For people: a line for each check, with its fix below it, and one line in the end. What was found is wrapped at
    /// `columns`; a fix is there to be copied, and stays in one line.
    #[must_use]
    pub fn text(&self, columns: Option<usize>) -> String {
        let mut text = lines(&self.findings, columns);
        let count = |verdict| self.findings.iter().filter(|finding| finding.verdict == verdict).count();
        let (failed, warnings) = (count(Verdict::Failed), count(Verdict::Warning));
        let end = match (failed, warnings) {
            (0, 0) => "All is well.".to_owned(),
            (0, warnings) => format!("Nothing failed; {warnings} to look at."),
            (failed, 0) => format!("{failed} failed."),
            (failed, warnings) => format!("{failed} failed, {warnings} more to look at."),
        };
        text.push_str(&end);
        text.push('\n');
        text
    }

    /// For programs: `{"ok", "version", "checks": [{"check", "subject"?, "state", "found", "fix"?}]}`, where `state` is
    /// `ok`, `warning`, `failed` or `skipped`.
    ///
    /// # Errors
    /// None that is known: it is text alone.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&Stored {
            ok: self.is_ok(),
            version: env!("CARGO_PKG_VERSION"),
            checks: self.stored(),
        })
    }

    /// The findings as they stand in the JSON.
    pub(super) fn stored(&self) -> Vec<StoredFinding<'_>> {
        let checks = self.findings.iter().map(|finding| StoredFinding {
            check: finding.check.id(),
            subject: finding.subject.as_deref(),
            state: finding.verdict,
            found: &finding.found,
            fix: finding.fix.as_deref(),
        });
        checks.collect()
    }
}

/// A line for each finding, with its fix below it.
pub(super) fn lines<'a>(findings: impl IntoIterator<Item = &'a Finding> + Clone, columns: Option<usize>) -> String {
    let mut text = String::new();
    let width = findings.clone().into_iter().map(|finding| finding.name().len()).max().unwrap_or(0);
    for finding in findings {
        let (verdict, name) = (finding.verdict.as_str(), finding.name());
        let found = wrapped(&finding.found, VERDICT + width, columns);
        // Writing to a string does not fail.
        writeln!(text, "{verdict:<7}  {name:<width$}  {found}").ok();
        for line in finding.fix.iter().flat_map(|fix| fix.lines()) {
            writeln!(text, "         fix: {line}").ok();
        }
    }
    text
}

/// The columns of the verdict and of the blanks between it, the name and what was found.
const VERDICT: usize = 7 + 2 + 2;

/// Text that begins in column `indent`, in lines that end before column `columns` and begin where the first does.
fn wrapped(text: &str, indent: usize, columns: Option<usize>) -> String {
    let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(indent).max(NARROWEST));
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join(&format!("\n{:indent$}", ""))
}

/// A column that is narrower than this is not worth keeping.
const NARROWEST: usize = 30;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrapped_text_keeps_its_words_and_its_column(text in "[a-z]{1,12}( [a-z]{1,12}){0,30}", columns in 60_usize..120) {
            let wrapped = wrapped(&text, 20, Some(columns));
            prop_assert_eq!(wrapped.split_whitespace().collect::<Vec<_>>(), text.split(' ').collect::<Vec<_>>());
            for (number, line) in wrapped.lines().enumerate() {
                let begun = if number == 0 { 20 } else { 0 };
                prop_assert!(begun + line.len() <= columns, "{}", line);
                prop_assert!(number == 0 || line.starts_with(&" ".repeat(20)) && !line[20..].starts_with(' '));
            }
        }
    }

    #[test]
    fn the_report_is_in_order_and_says_how_to_mend() {
        let report = Report::new(vec![
            Finding::because(Check::Lease, Check::State),
            Finding::ok(Check::Settings, "two lines\nof them"),
            Finding::failed(Check::State, "refused", "grant it"),
            Finding::ok(Check::Listing, "fine").of("Audit.General"),
        ]);
        assert!(!report.is_ok());
        assert_eq!(
            report.text(None),
            "ok       settings               two lines\n                                of them\nok       listing Audit.General  fine\n\
             failed   state                  refused\n         fix: grant it\n\
             skipped  lease                  because of state\n1 failed.\n"
        );
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!((&json["ok"], &json["checks"][1]["subject"]), (&false.into(), &"Audit.General".into()));
        assert_eq!(
            json["checks"][2],
            serde_json::json!({
                "check": "state", "state": "failed", "found": "refused", "fix": "grant it"
            })
        );
    }

    #[test]
    fn a_warning_is_no_failure() {
        let report = Report::new(vec![Finding::warning(Check::Labels, "no names", "grant it")]);
        assert!(report.is_ok() && report.text(None).ends_with("Nothing failed; 1 to look at.\n"));
        let report = Report::new(vec![Finding::not_needed(Check::Labels, "LABELS=off")]);
        assert!(report.is_ok() && report.text(None).ends_with("All is well.\n"));
    }

    #[test]
    fn every_check_is_listed_once_in_its_order() {
        assert!(Check::ALL.is_sorted_by(|one, other| one < other));
        assert!(Check::ALL.iter().all(|check| !check.what().is_empty() && !check.mended_by().is_empty()));
    }
}
