//! Dead letters that a run sends again, and what becomes of them.

use std::collections::BTreeMap;

use serde::Serialize;
use time::Date;

use super::{ids::Id, listing::Slot};
use crate::content::ContentType;

/// What became of a dead letter that was to be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(Hash))]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It is removed, or will be when what is left to save is saved: each of its rows was accepted, or is a dead letter
    /// of its own now.
    Delivered {
        /// How many rows that were; 0 where they were known already, or it has no label event.
        rows: u64,
    },
    /// It failed again.
    Stays {
        /// Why.
        reason: String,
    },
    /// The run ended before it was its turn, or before it was answered.
    Left,
}

/// A dead letter that may be removed once what came with it is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct Answered {
    /// Its key.
    pub key: String,
    /// What is to be remembered as delivered with it, under a content type and a day.
    pub contents: Vec<(ContentType, Date, Id)>,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone, Hash))]
struct Letter {
    /// How often it was tried before.
    tries: u32,
    outcome: Outcome,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone, Hash))]
struct Open {
    key: String,
    /// Rows that were handed over.
    sent: u64,
    /// Those of them that are not answered.
    unanswered: u32,
    read: bool,
    contents: Vec<(ContentType, Date, Id)>,
}

/// The dead letters that a run sends again. One is removed when all that it stood for is settled, as that of a content is,
/// and nothing of it was given up anew under its own key.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
pub struct Letters {
    letters: BTreeMap<String, Letter>,
    open: BTreeMap<u32, Open>,
    answered: Vec<Answered>,
}

impl Letters {
    /// The dead letters under `keys` are to be sent again.
    pub fn choose(&mut self, keys: &[String]) {
        let left = |key: &String| (key.clone(), Letter { tries: 0, outcome: Outcome::Left });
        self.letters.extend(keys.iter().map(left));
    }

    /// The dead letter under `key`, tried so often before, is begun in `slot`.
    pub fn begin(&mut self, slot: Slot, key: &str, tries: u32) {
        if let Some(letter) = self.letters.get_mut(key) {
            letter.tries = tries;
        }
        let open = Open { key: key.to_owned(), sent: 0, unanswered: 0, read: false, contents: Vec::new() };
        self.open.insert(slot.number, open);
    }

    /// Something is to be remembered as delivered with the dead letter.
    pub fn remember(&mut self, slot: Slot, content_type: ContentType, day: Date, id: Id) {
        if let Some(open) = self.open.get_mut(&slot.number) {
            open.contents.push((content_type, day, id));
        }
    }

    /// A row of the dead letter was handed over.
    pub fn row_sent(&mut self, slot: Slot) {
        if let Some(open) = self.open.get_mut(&slot.number) {
            open.sent += 1;
            open.unanswered += 1;
        }
    }

    /// A row of it arrived, or lies in the dead letters.
    pub fn row_settled(&mut self, slot: Slot) {
        if let Some(open) = self.open.get_mut(&slot.number) {
            open.unanswered = open.unanswered.saturating_sub(1);
        }
        self.close_if_done(slot);
    }

    /// It was read to its end, and all of its rows were handed over.
    pub fn read(&mut self, slot: Slot) {
        if let Some(open) = self.open.get_mut(&slot.number) {
            open.read = true;
        }
        self.close_if_done(slot);
    }

    /// Whether the dead letter under `key` is one of those that are sent again.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.letters.contains_key(key)
    }

    /// What lies under `key` failed again. How often it was tried by now; `None` where it is not one of these.
    pub fn stays(&mut self, key: &str, reason: &str) -> Option<u32> {
        let letter = self.letters.get_mut(key)?;
        letter.outcome = Outcome::Stays { reason: reason.to_owned() };
        Some(letter.tries.saturating_add(1))
    }

    /// Those that may be removed since the last call, once all that was settled before is saved.
    pub fn take_answered(&mut self) -> Vec<Answered> {
        std::mem::take(&mut self.answered)
    }

    /// What became of each, by key.
    #[must_use]
    pub fn outcomes(&self) -> BTreeMap<String, Outcome> {
        self.letters.iter().map(|(key, letter)| (key.clone(), letter.outcome.clone())).collect()
    }

    fn close_if_done(&mut self, slot: Slot) {
        if !self.open.get(&slot.number).is_some_and(|open| open.read && open.unanswered == 0) {
            return;
        }
        let Some(open) = self.open.remove(&slot.number) else { return };
        let Some(letter) = self.letters.get_mut(&open.key) else { return };
        if letter.outcome == Outcome::Left {
            letter.outcome = Outcome::Delivered { rows: open.sent };
            self.answered.push(Answered { key: open.key, contents: open.contents });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "row-1";

    fn slot(number: u32) -> Slot {
        Slot { content_type: ContentType::General, number }
    }

    fn begun() -> Letters {
        let mut letters = Letters::default();
        letters.choose(&[KEY.to_owned(), "row-2".to_owned()]);
        letters.begin(slot(1), KEY, 4);
        letters
    }

    #[test]
    fn a_letter_that_was_given_up_again_is_not_removed() {
        let mut letters = begun();
        letters.row_sent(slot(1));
        letters.read(slot(1));
        assert_eq!(letters.stays(KEY, "no"), Some(5));
        letters.row_settled(slot(1));
        assert_eq!(letters.take_answered(), []);
        assert_eq!(letters.outcomes()[KEY], Outcome::Stays { reason: "no".to_owned() });
        assert_eq!(letters.outcomes()["row-2"], Outcome::Left);
        assert_eq!((letters.stays("row-3", "no"), letters.has("row-3")), (None, false));
    }

    #[test]
    fn what_is_remembered_with_a_letter_comes_with_it() {
        let mut letters = begun();
        let contents = vec![(ContentType::General, time::macros::date!(2026 - 11 - 22), [7; 16])];
        letters.remember(slot(1), contents[0].0, contents[0].1, contents[0].2);
        letters.read(slot(1));
        assert_eq!(letters.take_answered(), [Answered { key: KEY.to_owned(), contents }]);
        assert_eq!(letters.outcomes()[KEY], Outcome::Delivered { rows: 0 });
    }

    proptest! {
        /// In whatever order rows are answered and the reading ends.
        #[test]
        fn a_letter_is_removed_once_all_of_it_is_settled(rows in 0_usize..6, read_after in 0_usize..6) {
            let mut letters = begun();
            (0..rows).for_each(|_| letters.row_sent(slot(1)));
            let read_after = read_after.min(rows);
            for event in 0..=rows {
                prop_assert_eq!(letters.take_answered(), [], "after {} events", event);
                if event == read_after { letters.read(slot(1)) } else { letters.row_settled(slot(1)) }
            }
            prop_assert_eq!(letters.take_answered().len(), 1);
            prop_assert_eq!(letters.outcomes()[KEY].clone(), Outcome::Delivered { rows: rows as u64 });
        }
    }
}
