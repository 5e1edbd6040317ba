//! Which rows of a batch the next POST carries: bisection as a value, without I/O.

use std::ops::Range;

/// Rows refused with 400 by themselves, with none accepted, after which the fault is looked for outside of the rows.
/// Rows that are bad by themselves come singly; a stream that lacks our columns refuses every one of them.
pub const SYSTEMATIC_AFTER: usize = 10;

/// A row that is not accepted however it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its index in the batch.
    pub row: usize,
    /// What the endpoint said to it.
    pub reason: String,
    /// Whether it is its size (413). A row that is refused otherwise (400) may be as good as the stream is wrong.
    pub too_large: bool,
}

/// Refused POSTs of one batch after which the rest of it is left for a later run, so that a batch full of bad rows does
/// not take the run: at a tenth of a second each they take less than two minutes. The bad rows that were found until
/// then are not sent again, so that later runs get on with the rest.
pub const REFUSALS_AT_MOST: usize = 1_000;

/// What may be to blame where rows are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The rows, or the endpoint: as long as nothing was accepted it may be either.
    Either,
    /// The rows alone, however many: the endpoint accepts others.
    Rows,
}

/// Every row that was sent by itself was refused, from all over the batch: the rows are not to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Systematic {
    /// How many rows were refused.
    pub rows: usize,
}

/// What is to be posted of a batch, and what became of the rest.
///
/// [`Plan::next`] says which rows to post; the answer is told by [`Plan::accept`], [`Plan::too_large`] or
/// [`Plan::bad_request`]. A part that is refused is halved until the rows that are refused by themselves are found, so
/// `bad` of `n` rows cost about 2 · `bad` · log₂ `n` + 1 posts. A part of which nothing was told stays the next one.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Parts that are still to be posted, the next one at the end.
    todo: Vec<Range<usize>>,
    accepted: Vec<Range<usize>>,
    too_large: Vec<Refused>,
    bad: Vec<Refused>,
    /// The number of bad rows at which the rows are no longer blamed, as long as none was accepted.
    doubt_at: usize,
    has_witnesses: bool,
    blame: Blame,
    /// POSTs that were refused.
    refusals: usize,
}

impl Plan {
    /// To post all of a batch of `rows` rows at once.
    #[must_use]
    pub fn new(rows: usize, blame: Blame) -> Self {
        Self {
            todo: (rows > 0).then_some(0..rows).into_iter().collect(),
            accepted: Vec::new(),
            too_large: Vec::new(),
            bad: Vec::new(),
            doubt_at: SYSTEMATIC_AFTER,
            has_witnesses: false,
            blame,
            refusals: 0,
        }
    }

    /// Whether so many POSTs were refused ([`REFUSALS_AT_MOST`]) that the rest is to be left for later.
    #[must_use]
    pub const fn is_exhausted(&self) -> bool {
        self.refusals >= REFUSALS_AT_MOST
    }

    /// The rows of the next POST, never none; `None` when there is nothing left to do.
    #[must_use]
    pub fn next(&self) -> Option<Range<usize>> {
        self.todo.last().cloned()
    }

    /// The rows of [`Plan::next`] were accepted.
    pub fn accept(&mut self) {
        self.accepted.extend(self.todo.pop());
        self.choose();
    }

    /// The rows of [`Plan::next`] are too many bytes: halves are next, or the only row is refused.
    pub fn too_large(&mut self, reason: String) {
        if let Some(row) = self.halve() {
            self.too_large.push(Refused { row, reason, too_large: true });
        }
        self.choose();
    }

    /// There is something wrong with one of the rows of [`Plan::next`]: halves are next, or the only row is refused.
    ///
    /// # Errors
    /// [`Systematic`] where the endpoint may be to blame and it cannot be the rows: nothing was accepted,
    /// [`SYSTEMATIC_AFTER`] rows and one more of every part that is left were refused by themselves. Those rows are not
    /// among the refused ones then.
    pub fn bad_request(&mut self, reason: String) -> Result<(), Systematic> {
        if let Some(row) = self.halve() {
            self.bad.push(Refused { row, reason, too_large: false });
        }
        if self.rows_are_to_blame() {
            self.choose();
            return Ok(());
        }
        if self.bad.len() < self.doubt_at {
            return Ok(());
        }
        if !self.has_witnesses {
            self.call_witnesses();
            self.has_witnesses = true;
        }
        if self.bad.len() < self.doubt_at {
            return Ok(());
        }
        let rows = self.bad.len();
        self.bad.clear();
        Err(Systematic { rows })
    }

    /// Rows accepted, and rows refused with their reasons; both in the order of the batch. What is in neither was not
    /// posted, or not answered.
    #[must_use]
    pub fn finish(self) -> (Vec<usize>, Vec<Refused>) {
        let mut accepted: Vec<_> = self.accepted.into_iter().flatten().collect();
        accepted.sort_unstable();
        let mut refused = self.too_large;
        refused.extend(self.bad);
        refused.sort_unstable_by_key(|refused| refused.row);
        (accepted, refused)
    }

    fn rows_are_to_blame(&self) -> bool {
        self.blame == Blame::Rows || !self.accepted.is_empty()
    }

    /// Where many rows are bad, takes by turns the largest part, so that the good rows come through however many bad ones
    /// there are beside them, and the smallest, so that bad ones are found. It costs no POST more.
    fn choose(&mut self) {
        if self.bad.len() < SYSTEMATIC_AFTER || !self.rows_are_to_blame() {
            return;
        }
        let size = |index: &usize| self.todo[*index].len();
        let parts = 0..self.todo.len();
        let chosen = if self.refusals.is_multiple_of(2) { parts.max_by_key(size) } else { parts.min_by_key(size) };
        if let (Some(chosen), Some(last)) = (chosen, self.todo.len().checked_sub(1)) {
            self.todo.swap(chosen, last);
        }
    }

    /// Puts halves in the place of the next part, or takes it away and returns its row where it has one only.
    fn halve(&mut self) -> Option<usize> {
        let part = self.todo.pop()?;
        self.refusals += 1;
        if part.len() == 1 {
            return Some(part.start);
        }
        let middle = part.start + part.len() / 2;
        self.todo.extend([middle..part.end, part.start..middle]);
        None
    }

    /// Takes the last row of every part that is left to the front: the rows so far were neighbours, which may well be
    /// bad together.
    fn call_witnesses(&mut self) {
        let witnesses: Vec<_> = self.todo.iter().map(|part| part.end - 1..part.end).collect();
        for part in &mut self.todo {
            part.end -= 1;
        }
        self.todo.retain(|part| !part.is_empty());
        self.doubt_at += witnesses.len();
        self.todo.extend(witnesses);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{prelude::*, sample::subsequence};

    use super::*;

    /// Follows the plan against an endpoint that refuses every part with a row of `bad`, and parts of more than `most`
    /// rows as too large. Returns the parts that were posted.
    fn follow(plan: &mut Plan, bad: &BTreeSet<usize>, most: usize) -> Result<Vec<Range<usize>>, Systematic> {
        let mut posted = Vec::new();
        while let Some(part) = plan.next() {
            assert!(!part.is_empty());
            posted.push(part.clone());
            if part.len() > most {
                plan.too_large(format!("{} rows", part.len()));
            } else if bad.range(part.clone()).next().is_some() {
                plan.bad_request(format!("{part:?}"))?;
            } else {
                plan.accept();
            }
        }
        Ok(posted)
    }

    fn rows_of(refused: &[Refused]) -> Vec<usize> {
        refused.iter().map(|refused| refused.row).collect()
    }

    fn log2(rows: usize) -> usize {
        rows.next_power_of_two().trailing_zeros() as usize
    }

    #[test]
    fn good_rows_are_one_post() {
        let mut plan = Plan::new(1000, Blame::Either);
        assert_eq!(follow(&mut plan, &BTreeSet::new(), 1000).unwrap(), vec![0..1000]);
        assert_eq!(plan.finish(), ((0..1000).collect(), vec![]));
    }

    #[test]
    fn no_rows_are_no_post() {
        let mut plan = Plan::new(0, Blame::Either);
        assert_eq!(plan.next(), None);
        plan.accept();
        plan.too_large(String::new());
        assert_eq!(plan.bad_request(String::new()), Ok(()));
        assert_eq!(plan.finish(), (vec![], vec![]));
    }

    #[test]
    fn a_part_stays_next_until_its_answer_is_told() {
        let mut plan = Plan::new(3, Blame::Either);
        plan.too_large(String::new());
        assert_eq!((plan.next(), plan.next()), (Some(0..1), Some(0..1)));
        plan.accept();
        assert_eq!(plan.clone().finish(), (vec![0], vec![]));
        assert_eq!(plan.next(), Some(1..3));
    }

    #[test]
    fn a_row_that_is_too_large_by_itself_is_refused() {
        let mut plan = Plan::new(1, Blame::Either);
        plan.too_large("413".to_owned());
        assert_eq!(plan.finish(), (vec![], vec![Refused { row: 0, reason: "413".to_owned(), too_large: true }]));
    }

    #[test]
    fn neighbours_may_be_bad_together() {
        let bad: BTreeSet<_> = (0..50).collect();
        let mut plan = Plan::new(100, Blame::Either);
        follow(&mut plan, &bad, 100).unwrap();
        let (accepted, refused) = plan.finish();
        assert_eq!(accepted, (50..100).collect::<Vec<_>>());
        assert_eq!(rows_of(&refused), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn a_few_rows_that_are_all_bad_are_refused() {
        let rows = SYSTEMATIC_AFTER - 1;
        let mut plan = Plan::new(rows, Blame::Either);
        follow(&mut plan, &(0..rows).collect(), rows).unwrap();
        assert_eq!(rows_of(&plan.finish().1), (0..rows).collect::<Vec<_>>());
    }

    #[test]
    fn good_rows_come_through_beside_more_bad_ones_than_are_searched_for() {
        for bad in [0..1_500, 500..2_000] {
            let bad: BTreeSet<_> = bad.collect();
            let mut plan = Plan::new(2_000, Blame::Rows);
            while let Some(part) = plan.next().filter(|_| !plan.is_exhausted()) {
                if bad.range(part).next().is_some() {
                    plan.bad_request(String::new()).unwrap();
                } else {
                    plan.accept();
                }
            }
            let (accepted, refused) = plan.finish();
            assert_eq!(accepted.len(), 500);
            assert!(refused.len() > REFUSALS_AT_MOST / 5, "{}", refused.len());
        }
    }

    #[test]
    fn a_batch_full_of_bad_rows_is_exhausted_with_many_of_them_found() {
        let mut plan = Plan::new(5_000, Blame::Rows);
        let mut posts = 0;
        while plan.next().is_some() && !plan.is_exhausted() {
            posts += 1;
            assert_eq!(plan.bad_request(String::new()), Ok(()));
        }
        assert_eq!(posts, REFUSALS_AT_MOST);
        assert!(plan.finish().1.len() > REFUSALS_AT_MOST / 5);
    }

    proptest! {
        #[test]
        fn every_row_is_accepted_or_refused_once(
            (rows, bad) in (1_usize..600).prop_flat_map(|rows| {
                (Just(rows), subsequence((0..rows).collect::<Vec<_>>(), 0..=rows.min(SYSTEMATIC_AFTER - 1)))
            }),
            most in 1_usize..800,
        ) {
            let bad: BTreeSet<_> = bad.into_iter().collect();
            let mut plan = Plan::new(rows, Blame::Either);
            let posted = follow(&mut plan, &bad, most);
            prop_assert!(posted.is_ok());
            let (accepted, refused) = plan.finish();
            prop_assert_eq!(accepted, (0..rows).filter(|row| !bad.contains(row)).collect::<Vec<_>>());
            prop_assert_eq!(rows_of(&refused), bad.iter().copied().collect::<Vec<_>>());
            // The reason of a refused row is the one that it got by itself.
            for Refused { row, reason, too_large } in refused {
                prop_assert!(!too_large);
                prop_assert_eq!(reason, format!("{:?}", row..row + 1));
            }
        }

        #[test]
        fn bad_rows_cost_few_posts(
            (rows, bad) in (1_usize..2000).prop_flat_map(|rows| {
                (Just(rows), subsequence((0..rows).collect::<Vec<_>>(), 0..=rows.min(SYSTEMATIC_AFTER - 1)))
            }),
        ) {
            let bad: BTreeSet<_> = bad.into_iter().collect();
            let posts = follow(&mut Plan::new(rows, Blame::Either), &bad, rows).unwrap().len();
            prop_assert!(posts <= 2 * bad.len() * log2(rows) + 1, "{posts} posts for {} of {rows}", bad.len());
        }

        #[test]
        fn any_number_of_bad_rows_is_found_or_doubted(
            (rows, bad) in (1_usize..300).prop_flat_map(|rows| {
                (Just(rows), subsequence((0..rows).collect::<Vec<_>>(), 0..=rows))
            }),
        ) {
            let bad: BTreeSet<_> = bad.into_iter().collect();
            let mut plan = Plan::new(rows, Blame::Either);
            let outcome = follow(&mut plan, &bad, rows);
            let (accepted, refused) = plan.finish();
            match outcome {
                Ok(posted) => {
                    prop_assert_eq!(accepted, (0..rows).filter(|row| !bad.contains(row)).collect::<Vec<_>>());
                    prop_assert_eq!(rows_of(&refused), bad.iter().copied().collect::<Vec<_>>());
                    prop_assert!(posted.len() < 3 * rows, "{} posts", posted.len());
                }
                Err(Systematic { rows: blamed }) => {
                    prop_assert!(blamed >= SYSTEMATIC_AFTER && blamed <= bad.len());
                    prop_assert!(accepted.is_empty() && refused.is_empty());
                }
            }
        }

        #[test]
        fn where_the_rows_are_to_blame_all_bad_ones_are_found(
            (rows, bad) in (1_usize..300).prop_flat_map(|rows| {
                (Just(rows), subsequence((0..rows).collect::<Vec<_>>(), 0..=rows))
            }),
        ) {
            let bad: BTreeSet<_> = bad.into_iter().collect();
            let mut plan = Plan::new(rows, Blame::Rows);
            prop_assert!(follow(&mut plan, &bad, rows).is_ok_and(|posted| posted.len() < 2 * rows));
            prop_assert!(!plan.is_exhausted());
            let (accepted, refused) = plan.finish();
            prop_assert_eq!(accepted, (0..rows).filter(|row| !bad.contains(row)).collect::<Vec<_>>());
            prop_assert_eq!(rows_of(&refused), bad.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn what_refuses_everything_is_noticed_soon(rows in SYSTEMATIC_AFTER..5000) {
            let mut plan = Plan::new(rows, Blame::Either);
            let mut posts = 0;
            let found = loop {
                prop_assert!(plan.next().is_some());
                posts += 1;
                if let Err(found) = plan.bad_request(String::new()) {
                    break found;
                }
            };
            prop_assert!(found.rows >= SYSTEMATIC_AFTER && found.rows <= SYSTEMATIC_AFTER + log2(rows));
            prop_assert!(posts <= 2 * (SYSTEMATIC_AFTER + log2(rows)), "{posts} posts for {rows} rows");
            prop_assert_eq!(plan.finish(), (vec![], vec![]));
        }
    }
}
