//! Rows that the endpoint refuses: whether they are to blame, or the endpoint.
//!
//! One row that is refused while others are accepted is bad. Where none is accepted it is as likely the stream or the
//! table that does not fit, and then no row may be set aside: the run fails, and nothing advances.

use crate::watermark::Id;

/// In how many runs in a row rows are refused, with none accepted, until they are set aside all the same: a quiet tenant
/// with one bad row has no other row that could tell, and must not wait for ever. As many as a content is tried.
pub const RUNS_UNTIL_BLAMED: u32 = 8;

/// Rows that are held until one is accepted; with more, or more bytes, it is judged at once.
const HELD_ROWS: usize = 1_000;
const HELD_BYTES: usize = 16 * 1024 * 1024;

/// A row that was refused by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// Its record.
    pub id: Id,
    /// Its JSON.
    pub row: Vec<u8>,
    /// What the endpoint said.
    pub reason: String,
}

/// The rows refused in one run.
#[derive(Debug, Default)]
pub struct Refusals {
    held: Vec<RefusedRow>,
    bytes: usize,
    accepted: bool,
    failed: bool,
}

/// What becomes of the rows that are held.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement {
    /// There is nothing to decide.
    Nothing,
    /// The rows are bad: they go to the dead letters.
    Rows(Vec<RefusedRow>),
    /// The endpoint takes none: the run has failed.
    Endpoint {
        /// How many rows were refused.
        rows: usize,
        /// The last refusal.
        reason: String,
    },
}

impl Refusals {
    /// Rows were accepted. Those that were refused before are bad, and returned.
    pub fn accepted(&mut self) -> Vec<RefusedRow> {
        self.accepted = true;
        self.bytes = 0;
        std::mem::take(&mut self.held)
    }

    /// `row` was refused by itself. It is returned where it is known to be bad.
    pub fn refused(&mut self, row: RefusedRow) -> Option<RefusedRow> {
        if self.accepted {
            return Some(row);
        }
        self.bytes += row.row.len();
        self.held.push(row);
        None
    }

    /// The run has failed over rows that were all refused: those that are held are left as well.
    pub fn failed(&mut self) {
        self.failed = true;
        self.held.clear();
    }

    /// Whether no more rows may be held, so that it must be judged now.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.held.len() >= HELD_ROWS || self.bytes >= HELD_BYTES
    }

    /// Decides over the rows that are held, at the end of the run or when it is full. `runs_before` runs in a row ended
    /// with the endpoint being blamed.
    pub fn judge(&mut self, runs_before: u32) -> Judgement {
        let held = std::mem::take(&mut self.held);
        self.bytes = 0;
        let Some(last) = held.last().filter(|_| !self.failed) else { return Judgement::Nothing };
        if self.accepted || runs_before + 1 >= RUNS_UNTIL_BLAMED {
            return Judgement::Rows(held);
        }
        self.failed = true;
        Judgement::Endpoint { rows: held.len(), reason: last.reason.clone() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(number: u8) -> RefusedRow {
        RefusedRow { id: [number; 16], row: vec![number; 10], reason: format!("no {number}") }
    }

    #[test]
    fn without_an_accepted_row_the_endpoint_is_blamed_until_the_eighth_run() {
        for runs_before in 0..10 {
            let mut refusals = Refusals::default();
            assert_eq!((refusals.refused(row(1)), refusals.refused(row(2))), (None, None));
            let judged = refusals.judge(runs_before);
            if runs_before < 7 {
                assert_eq!(judged, Judgement::Endpoint { rows: 2, reason: "no 2".to_owned() });
            } else {
                assert_eq!(judged, Judgement::Rows(vec![row(1), row(2)]));
            }
            assert_eq!(refusals.judge(runs_before), Judgement::Nothing, "it is told once");
        }
    }

    #[test]
    fn rows_of_a_run_that_failed_over_a_whole_batch_are_left() {
        let mut refusals = Refusals::default();
        refusals.refused(row(1));
        refusals.failed();
        refusals.refused(row(2));
        assert_eq!(refusals.judge(7), Judgement::Nothing);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut many = Refusals::default();
        let count = (0..).take_while(|_| !many.is_full() && many.refused(row(0)).is_none()).count();
        assert_eq!(count, HELD_ROWS);
        let mut large = Refusals::default();
        large.refused(RefusedRow { row: vec![0; HELD_BYTES], ..row(0) });
        assert!(large.is_full());
        large.judge(0);
        assert!(!large.is_full());
    }

    proptest! {
        #[test]
        fn once_a_row_is_accepted_each_refused_one_is_given_out_once(steps in prop::collection::vec(any::<Option<u8>>(), 0..50)) {
            let mut refusals = Refusals::default();
            let mut out = Vec::new();
            for step in &steps {
                match step {
                    Some(number) => out.extend(refusals.refused(row(*number))),
                    None => out.extend(refusals.accepted()),
                }
            }
            let refused: Vec<_> = steps.iter().flatten().map(|number| row(*number)).collect();
            let judged = refusals.judge(0);
            if steps.contains(&None) {
                prop_assert_eq!(judged, Judgement::Nothing);
                prop_assert_eq!(out, refused);
            } else {
                prop_assert_eq!(out, vec![]);
                prop_assert_eq!(matches!(judged, Judgement::Endpoint { .. }), !refused.is_empty());
            }
        }
    }
}
