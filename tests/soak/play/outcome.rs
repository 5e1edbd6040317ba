//! What came of it, in figures.

use std::{collections::BTreeMap, fmt, sync::Mutex, time::Duration};

use labelstream_simulator::{Report, Requests};

use super::{Plan, faults::FaultTally};

/// Counts what happens.
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    /// One more of it.
    pub fn add(&self, what: &'static str) {
        *self.0.lock().unwrap().entry(what).or_default() += 1;
    }

    pub fn set(&self, what: &'static str, amount: u64) {
        self.0.lock().unwrap().insert(what, amount);
    }

    pub fn get(&self, what: &'static str) -> u64 {
        self.0.lock().unwrap().get(what).copied().unwrap_or(0)
    }

    pub fn snapshot(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap().clone()
    }

    /// In one line.
    pub fn line(&self) -> String {
        self.snapshot().into_iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
    }
}

/// What came of a soak.
pub struct Outcome {
    pub plan: Plan,
    /// What of the promises is broken.
    pub broken: Vec<String>,
    /// The last lines of the processes, where something is broken.
    pub lines: Vec<String>,
    pub time: Duration,
    pub report: Report,
    pub requests: Requests,
    pub storage_requests: usize,
    /// The most memory of any process, in bytes.
    pub peak_memory: u64,
    pub faults: FaultTally,
    pub tally: BTreeMap<&'static str, u64>,
}

impl Outcome {
    /// How often processes were killed with a run under way.
    pub fn kills(&self) -> u32 {
        self.count("kills in a run")
    }

    /// How many runs there were, those apart that found another one under way.
    pub fn runs(&self) -> u32 {
        self.count("runs done") + self.count("runs failed")
    }

    fn count(&self, what: &str) -> u32 {
        self.tally.get(what).map_or(0, |count| u32::try_from(*count).unwrap_or(u32::MAX))
    }

    /// How often faults struck.
    pub fn struck(&self) -> u64 {
        self.faults.values().map(|(_, struck)| struck).sum()
    }
}

/// Markdown.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (report, totals) = (&self.report, &self.report.totals);
        let minutes = |time: Duration| time.as_secs_f64() / 60.0;
        writeln!(f, "| soak of {:.1} minutes, seed {} | |", minutes(self.plan.length), self.plan.seed)?;
        writeln!(f, "|---|--:|")?;
        let mut row = |what: &str, figure: &dyn fmt::Display| writeln!(f, "| {what} | {figure} |");
        row("minutes, until all had arrived", &format!("{:.1}", minutes(self.time)))?;
        row("label events published", &report.published)?;
        row("deliveries of them in the feed", &totals.published_deliveries)?;
        row("records published", &totals.published_records)?;
        row("contents published or listed again", &totals.published_contents)?;
        row("arrived", &report.arrived)?;
        row("**missing**", &report.missing)?;
        row("**unexpected**", &report.unexpected)?;
        row("doubled", &report.doubled)?;
        row("rows beyond the first", &report.surplus_rows)?;
        row("of them excused", &report.surplus_rows_excused)?;
        row("rows whose answer was lost", &totals.rows_unanswered)?;
        row("batches that a kill, a freeze or a failed save excuses", &totals.posts_at_kills)?;
        row("**doubled without an excuse**", &report.doubled_unexcused)?;
        for (what, count) in &self.tally {
            row(what, count)?;
        }
        row("peak memory of a process, MiB (limit 256)", &(self.peak_memory / (1024 * 1024)))?;
        for (endpoint, count) in &self.requests.by_endpoint {
            row(&format!("requests: {endpoint:?}"), count)?;
        }
        row("requests: storage", &self.storage_requests)?;
        row("kinds of faults switched on", &self.faults.len())?;
        row("faults switched on", &self.faults.values().map(|(on, _)| on).sum::<u64>())?;
        row("requests that faults struck", &self.struck())?;
        writeln!(f, "\n| fault | on | struck |\n|---|--:|--:|")?;
        for (name, (on, struck)) in &self.faults {
            writeln!(f, "| {name} | {on} | {struck} |")?;
        }
        for broken in &self.broken {
            writeln!(f, "\nBROKEN (seed {}): {broken}", self.plan.seed)?;
        }
        for lines in &self.lines {
            writeln!(f, "\n{lines}")?;
        }
        Ok(())
    }
}
