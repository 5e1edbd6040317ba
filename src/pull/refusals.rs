//! Rows that the endpoint refuses: whether they are to blame, or the endpoint.
//!
//! One row that is refused while others are accepted is bad. Where none is accepted it is as likely the stream or the
//! table that does not fit, and then no row may be set aside: the run fails, and nothing advances. So refused rows, and
//! batches of which every row seems to be refused, are held until one is accepted, before or after them.

use super::capacity::Place;
use crate::{batch::Batch, watermark::Id};

/// In how many runs in a row rows are refused, with none accepted, until they are set aside all the same: a quiet tenant
/// with one bad row has no other row that could tell, and must not wait for ever. As many as a content is tried.
pub const RUNS_UNTIL_BLAMED: u32 = 8;

/// Rows that are held until one is accepted; with more, or more bytes, it is judged at once.
const HELD_ROWS: usize = 1_000;
const HELD_BYTES: usize = 16 * 1024 * 1024;

/// Batches of which every row seems to be refused that are held. With so many and nothing accepted it is the endpoint.
pub const HELD_BATCHES: usize = 8;

/// How many such batches are searched for their bad rows in one run. Each may cost
/// [`REFUSALS_AT_MOST`](crate::ingestion::REFUSALS_AT_MOST) POSTs; the others wait for the next run.
const SEARCHED_AT_MOST: usize = 2;

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
    batches: Vec<RefusedBatch>,
    searched: usize,
    accepted: bool,
    failed: bool,
}

/// A batch of which every row that was sent by itself was refused.
#[derive(Debug)]
struct RefusedBatch {
    batch: Batch<Id>,
    rows: usize,
    reason: String,
    /// Where there was none, no more may be held.
    place: Option<Place>,
}

/// Batches that are to be posted again, down to their rows.
#[derive(Debug, Default)]
pub struct ToSearch {
    /// These.
    pub batches: Vec<Batch<Id>>,
    /// How many more are left for a later run.
    pub left: usize,
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
        /// How many runs in a row ended so by now, where that counts towards [`RUNS_UNTIL_BLAMED`]: not with a whole
        /// batch, which is too much to set aside on a guess.
        runs: Option<u32>,
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

    /// `rows` rows of `batch` were sent by themselves and refused, and none was accepted. It is held in `place`.
    pub fn batch_refused(&mut self, batch: Batch<Id>, rows: usize, reason: String, place: Option<Place>) {
        if !self.failed {
            self.batches.push(RefusedBatch { batch, rows, reason, place });
        }
    }

    /// The batches whose rows are known to be to blame, because others were accepted.
    pub fn take_cleared(&mut self) -> ToSearch {
        if !self.accepted {
            return ToSearch::default();
        }
        let mut batches: Vec<_> = self.batches.drain(..).map(|refused| refused.batch).collect();
        let left = batches.split_off(batches.len().min(SEARCHED_AT_MOST - self.searched)).len();
        self.searched += batches.len();
        ToSearch { batches, left }
    }

    /// Whether no more rows or batches may be held, so that it must be judged now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.held.len() >= HELD_ROWS
            || self.bytes >= HELD_BYTES
            || self.batches.len() >= HELD_BATCHES
            || self.batches.iter().any(|refused| refused.place.is_none())
    }

    /// Decides over the rows that are held, at the end of the run or when it is full. `runs_before` runs in a row ended
    /// with the endpoint being blamed.
    pub fn judge(&mut self, runs_before: u32) -> Judgement {
        let held = std::mem::take(&mut self.held);
        self.bytes = 0;
        if self.failed {
            return Judgement::Nothing;
        }
        if self.accepted {
            return if held.is_empty() { Judgement::Nothing } else { Judgement::Rows(held) };
        }
        let batches = std::mem::take(&mut self.batches);
        let rows = held.len() + batches.iter().map(|refused| refused.rows).sum::<usize>();
        let (reason, runs) = match (batches.last(), held.last()) {
            (Some(batch), _) => (batch.reason.clone(), None),
            (None, Some(_)) if runs_before + 1 >= RUNS_UNTIL_BLAMED => return Judgement::Rows(held),
            (None, Some(row)) => (row.reason.clone(), Some(runs_before + 1)),
            (None, None) => return Judgement::Nothing,
        };
        self.failed = true;
        Judgement::Endpoint { rows, reason, runs }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{batch::Builder, pull::Capacity};

    fn place() -> Option<Place> {
        Capacity::default().share().refused.take_if_free()
    }

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
                let runs = Some(runs_before + 1);
                assert_eq!(judged, Judgement::Endpoint { rows: 2, reason: "no 2".to_owned(), runs });
            } else {
                assert_eq!(judged, Judgement::Rows(vec![row(1), row(2)]));
            }
            assert_eq!(refusals.judge(runs_before), Judgement::Nothing, "it is told once");
        }
    }

    fn batch(number: u8) -> Batch<Id> {
        let mut builder = Builder::new();
        assert!(builder.push(b"{}", [number; 16]).is_none());
        builder.take().unwrap()
    }

    fn numbers(batches: &[Batch<Id>]) -> Vec<u8> {
        batches.iter().map(|batch| batch.tags()[0][0]).collect()
    }

    #[test]
    fn with_a_whole_batch_refused_and_none_accepted_the_endpoint_is_blamed_in_every_run() {
        for runs_before in [0, 7, 1_000] {
            let mut refusals = Refusals::default();
            refusals.refused(row(1));
            refusals.batch_refused(batch(2), 12, "no 2".to_owned(), place());
            assert!(refusals.take_cleared().batches.is_empty());
            let judged = refusals.judge(runs_before);
            assert_eq!(judged, Judgement::Endpoint { rows: 13, reason: "no 2".to_owned(), runs: None });
            // What was under way until then is left as well.
            refusals.refused(row(3));
            refusals.batch_refused(batch(4), 12, "no 4".to_owned(), place());
            assert_eq!(refusals.judge(runs_before), Judgement::Nothing);
        }
    }

    #[test]
    fn batches_are_searched_once_rows_are_accepted_before_or_after_them_and_no_more_than_some() {
        for accepted_first in [false, true] {
            let mut refusals = Refusals::default();
            if accepted_first {
                refusals.accepted();
            }
            refusals.batch_refused(batch(1), 12, "no".to_owned(), place());
            if !accepted_first {
                assert!(refusals.take_cleared().batches.is_empty());
                refusals.accepted();
            }
            let found = refusals.take_cleared();
            assert_eq!((numbers(&found.batches), found.left), (vec![1], 0));
            for number in 2..5 {
                refusals.batch_refused(batch(number), 12, "no".to_owned(), place());
            }
            let found = refusals.take_cleared();
            assert_eq!((numbers(&found.batches), found.left), (vec![2], 2));
            assert_eq!(refusals.judge(0), Judgement::Nothing);
        }
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
        let mut batches = Refusals::default();
        for number in 0..8 {
            assert!(!batches.is_full());
            batches.batch_refused(batch(number), 12, "no".to_owned(), place());
        }
        assert!(batches.is_full());
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
