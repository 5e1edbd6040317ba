//! The table of all rows, as docs/guarantees.md has it.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use crate::{case::Case, scene::Verdict};

/// The groups, in the table's order.
pub const GROUPS: [&str; 5] = ["feed", "records", "ingestion", "state", "process"];

/// The rows and what came of them.
pub struct Table {
    cases: Vec<Case>,
    verdicts: Mutex<Vec<Option<Verdict>>>,
}

impl Table {
    pub fn of(cases: &[Case]) -> Self {
        Self { cases: cases.to_vec(), verdicts: Mutex::new(cases.iter().map(|_| None).collect()) }
    }

    /// Enters the verdict of the row at `place`.
    pub fn enter(&self, place: usize, verdict: Verdict) {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(verdict);
    }
}

/// Markdown. A row without a verdict failed, or was not run.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| group | fault | seed | struck | published | arrived | missing | doubled | excused | dead letters | runs | kills | seconds |"
        )?;
        writeln!(f, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        let verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        for (case, verdict) in self.cases.iter().zip(verdicts.iter()) {
            let Some(Verdict { struck, report, runs, kills, dead_letters, buried, time }) = verdict else { continue };
            writeln!(
                f,
                "| {} | {} | {} | {struck} | {} | {} | {} | {} | {} | {dead_letters} | {runs} | {kills} | {:.1} |",
                case.group,
                case.fault,
                case.seed,
                report.published,
                report.arrived,
                // What lies in the dead letters is not lost.
                report.missing - *buried as u64,
                report.surplus_rows,
                report.surplus_rows_excused,
                time.as_secs_f64(),
            )?;
        }
        Ok(())
    }
}
