//! The last runs, as they lie in the state.

use serde::Serialize;
use serde_json::Value;

use super::run_record::RunRecord;

/// How many runs are kept: at the sample schedule, of every five minutes, four hours of them.
pub const KEPT_RUNS: usize = 50;

/// The key of a tenant's last runs: a JSON array with an object for each, the newest last.
#[must_use]
pub fn runs_key(tenant: &str) -> String {
    format!("{tenant}/runs.json")
}

/// The last [`KEPT_RUNS`] runs, the newest last. It is there to be looked at: nothing is decided by it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Ring {
    runs: Vec<RunRecord>,
}

impl Ring {
    /// Reads what is stored: a JSON array. A run that this version cannot read is left out, and all of them where it is no
    /// array; the second value says so.
    #[must_use]
    pub fn parse(body: &[u8]) -> (Self, Option<String>) {
        let stored: Vec<Value> = match serde_json::from_slice(body) {
            Ok(stored) => stored,
            Err(error) => return (Self::default(), Some(format!("it is no JSON array (line {})", error.line()))),
        };
        let all = stored.len();
        let runs: Vec<_> = stored.into_iter().filter_map(|run| serde_json::from_value(run).ok()).collect();
        let unread = all - runs.len();
        let mut ring = Self { runs };
        ring.shorten();
        (ring, (unread > 0).then(|| format!("{unread} of its runs are of another version")))
    }

    /// Adds a run that ended. One that is told again, with the same id and begin, takes the place of what was there.
    pub fn push(&mut self, run: RunRecord) {
        self.runs.retain(|known| (&known.run_id, known.started_at) != (&run.run_id, run.started_at));
        self.runs.push(run);
        self.shorten();
    }

    /// The runs, the newest last.
    #[must_use]
    pub fn runs(&self) -> &[RunRecord] {
        &self.runs
    }

    /// The runs themselves.
    #[must_use]
    pub fn into_runs(self) -> Vec<RunRecord> {
        self.runs
    }

    fn shorten(&mut self) {
        self.runs.drain(..self.runs.len().saturating_sub(KEPT_RUNS));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::run_record::tests::{figures, record},
        *,
    };

    fn run(number: usize) -> RunRecord {
        RunRecord { run_id: number.to_string(), ..record(figures(), (number.is_multiple_of(3)).then_some("no")) }
    }

    proptest! {
        #[test]
        fn the_last_fifty_are_kept_in_their_order_and_survive_being_stored(pushed in 0_usize..140) {
            let mut ring = Ring::default();
            (0..pushed).for_each(|number| ring.push(run(number)));
            let (read, note) = Ring::parse(&serde_json::to_vec(&ring).unwrap());
            prop_assert_eq!((&read, note), (&ring, None));
            let expected: Vec<_> = (pushed.saturating_sub(KEPT_RUNS)..pushed).map(run).collect();
            prop_assert_eq!(ring.runs(), expected);
        }

        #[test]
        fn any_bytes_are_read_or_noted(body in any::<Vec<u8>>()) {
            let (ring, note) = Ring::parse(&body);
            prop_assert!(ring.runs().is_empty());
            prop_assert!(note.is_some() || body.trim_ascii().starts_with(b"["));
        }
    }

    #[test]
    fn a_run_of_another_version_costs_itself_alone() {
        let mut ring = Ring::default();
        ring.push(run(1));
        let mut stored = serde_json::to_value(&ring).unwrap();
        stored[0]["new"] = 1.into();
        stored[0]["contentTypes"]["Audit.General"]["new"] = 1.into();
        stored.as_array_mut().unwrap().push(serde_json::json!({"outcome": "Paused"}));
        let (read, note) = Ring::parse(stored.to_string().as_bytes());
        assert_eq!((read, note.as_deref()), (ring, Some("1 of its runs are of another version")));
    }

    #[test]
    fn a_run_told_twice_is_there_once() {
        let mut ring = Ring::default();
        ring.push(run(1));
        ring.push(RunRecord { host: "again".to_owned(), ..run(1) });
        assert_eq!((ring.runs().len(), ring.runs()[0].host.as_str()), (1, "again"));
    }

    #[test]
    fn fifty_full_runs_are_a_small_document() {
        let mut ring = Ring::default();
        for number in 0..KEPT_RUNS {
            ring.push(RunRecord { run_id: number.to_string(), ..record(figures(), Some(&"é".repeat(10_000))) });
        }
        assert!(serde_json::to_vec(&ring).unwrap().len() < 1024 * 1024);
    }
}
