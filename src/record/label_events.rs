//! Label events that were found and wait until rows are made of them.

use std::ops::Range;

use super::{Outline, Record, decode, outline::Place};

/// So many bytes of text and so many members stay reserved for the next label events.
const KEPT_ROOM: usize = 256 * 1024;
const KEPT_PLACES: usize = 8 * 1024;

/// What is reserved at first, so that it need not grow from nothing in each content.
const FIRST_ROOM: usize = 64 * 1024;
const FIRST_PLACES: usize = 2 * 1024;

/// Label events one after the other. All share their memory, which is used again after [`clear`](Self::clear).
#[derive(Debug, Default)]
pub struct LabelEvents {
    text: String,
    places: Vec<Place>,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Event {
    text: Range<usize>,
    members: usize,
    ordinal: u64,
}

impl LabelEvents {
    /// Adds a label event with the outline of its bytes. `ordinal` is its place in the content, from 0.
    pub fn push(&mut self, bytes: &[u8], outline: &Outline, ordinal: u64) {
        if self.text.capacity() == 0 {
            self.text.reserve(FIRST_ROOM);
            self.places.reserve(FIRST_PLACES);
        }
        let start = self.text.len();
        let before = self.places.len();
        if let Ok(text) = std::str::from_utf8(bytes) {
            self.text.push_str(text);
            self.places.extend_from_slice(outline.places());
        } else {
            let text = decode(bytes);
            let mut outline = Outline::default();
            outline.read_all(text.as_bytes()); // as valid as before: what was replaced stood in strings
            self.text.push_str(&text);
            self.places.extend_from_slice(outline.places());
        }
        let members = self.places.len() - before;
        self.events.push(Event { text: start..self.text.len(), members, ordinal });
    }

    /// How many they are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How many bytes of text they have together.
    #[must_use]
    pub const fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// Each as a record, with its place in the content, in the order that they were added.
    pub fn records(&mut self) -> impl Iterator<Item = (Record<'_>, u64)> {
        let text = self.text.as_str();
        let mut places = self.places.as_mut_slice();
        self.events.iter().map(move |event| {
            let (own, rest) = std::mem::take(&mut places).split_at_mut(event.members);
            places = rest;
            (Record::within(text.get(event.text.clone()).unwrap_or_default(), own), event.ordinal)
        })
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT_ROOM);
        self.places.clear();
        self.places.shrink_to(KEPT_PLACES);
        self.events.clear();
    }
}
