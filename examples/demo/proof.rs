//! The proof: what the simulator's ledger says of what was published and what arrived.

use std::collections::BTreeMap;

use labelstream_simulator::Report;

use crate::text::{count, counted};

/// How many ids a complaint names.
const NAMED: usize = 5;

/// What the ledger proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The figures.
    pub figures: String,
    /// What must be known about them: rows that a lost answer excuses.
    pub notes: Vec<String>,
    /// What is wrong; nothing where everything arrived, once, as declared, and nothing else did.
    pub complaints: Vec<String>,
}

impl Proof {
    /// Judges a report.
    pub fn of(report: &Report) -> Self {
        let figures = format!(
            "published {} · arrived {} · missing {} · unexpected {} · doubled {}",
            count(report.published),
            count(report.arrived),
            count(report.missing),
            count(report.unexpected),
            count(report.doubled)
        );
        let mut notes = Vec::new();
        if report.surplus_rows_excused > 0 {
            notes.push(format!(
                "{} lost after the batch was stored, so {} sent again: excused.",
                counted(report.totals.posts_unanswered, "answer was", "answers were"),
                counted(report.surplus_rows_excused, "row was", "rows were"),
            ));
        }
        let mut complaints = Vec::new();
        if report.published == 0 {
            complaints.push("No label event was published: there is nothing to prove anything with.".to_owned());
        }
        let ids = [
            (report.missing, &report.missing_ids, "published and did not arrive"),
            (report.unexpected, &report.unexpected_ids, "arrived and was never published as a label event"),
            (report.doubled_unexcused, &report.doubled_unexcused_ids, "arrived more often than lost answers excuse"),
        ];
        for (number, named, what) in ids {
            if number > 0 {
                let more = if number > NAMED as u64 { ", …" } else { "" };
                let named: Vec<&str> = named.iter().take(NAMED).map(String::as_str).collect();
                complaints.push(format!("{what}: {} ({}{more})", count(number), named.join(", ")));
            }
        }
        let fields = [
            (&report.totals.dropped_fields, "the table does not have these columns"),
            (&report.totals.mistyped_fields, "these columns are of another type"),
            (&report.totals.cut_fields, "the service cut these values at 64 KB"),
        ];
        complaints.extend(fields.into_iter().filter_map(|(fields, what)| complaint_of_fields(fields, what)));
        Self { figures, notes, complaints }
    }

    /// Whether nothing is wrong.
    pub fn holds(&self) -> bool {
        self.complaints.is_empty()
    }
}

fn complaint_of_fields(fields: &BTreeMap<String, u64>, what: &str) -> Option<String> {
    let named: Vec<String> = fields.iter().map(|(name, times)| format!("{name} {}", count(*times))).collect();
    (!named.is_empty()).then(|| format!("{what}: {}", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean() -> Report {
        Report { published: 1_200, arrived: 1_200, ..Report::default() }
    }

    #[test]
    fn a_clean_report_holds() {
        let proof = Proof::of(&clean());
        assert!(proof.holds() && proof.notes.is_empty());
        assert_eq!(proof.figures, "published 1,200 · arrived 1,200 · missing 0 · unexpected 0 · doubled 0");
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        let ids = || vec!["an-id".to_owned()];
        let with = |change: fn(&mut Report, Vec<String>)| {
            let mut report = clean();
            change(&mut report, ids());
            Proof::of(&report)
        };
        for (proof, words) in [
            (with(|report, ids| (report.missing, report.missing_ids) = (1, ids)), ["did not arrive", "an-id"]),
            (with(|report, ids| (report.unexpected, report.unexpected_ids) = (1, ids)), ["never published", "an-id"]),
            (
                with(|report, ids| (report.doubled_unexcused, report.doubled_unexcused_ids) = (9, ids)),
                ["more often", "an-id, …"],
            ),
            (with(|report, ids| report.totals.dropped_fields = [(ids.concat(), 3)].into()), ["have", "an-id 3"]),
            (with(|report, ids| report.totals.mistyped_fields = [(ids.concat(), 3)].into()), ["type", "an-id 3"]),
            (with(|report, ids| report.totals.cut_fields = [(ids.concat(), 3)].into()), ["cut", "an-id 3"]),
        ] {
            assert!(!proof.holds());
            assert!(words.iter().all(|word| proof.complaints[0].contains(word)), "{:?}", proof.complaints);
        }
        assert!(!Proof::of(&Report::default()).holds(), "nothing proves nothing");
    }

    #[test]
    fn lost_answers_excuse_and_are_told() {
        let mut report = clean();
        (report.doubled, report.surplus_rows, report.surplus_rows_excused) = (40, 40, 40);
        report.totals.posts_unanswered = 1;
        let proof = Proof::of(&report);
        assert!(proof.holds());
        assert!(proof.notes[0].starts_with("1 answer was lost") && proof.notes[0].contains("40 rows were sent again"));
    }
}
