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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Members;

    fn pairs(members: &Members<'_>) -> Vec<(String, String, Option<&'static str>)> {
        let owned = |entry: crate::record::Entry<'_>| {
            (entry.name.into_owned(), entry.raw.to_owned(), entry.member.map(|member| member.name()))
        };
        members.entries().map(owned).collect()
    }

    #[test]
    fn each_comes_out_as_if_it_were_read_by_itself() {
        let texts: [&[u8]; 6] = [
            br#"{"Id":1,"x":2,"id":3,"x":4}"#,
            b"{}",
            b"{\"UserId\":\"a\xFFb\xC3\",\"n\xFF\\u0061\":[\"\xE2\x82\"],\"Operation\":\"Discover\"}",
            "{\"UserId\":\"\u{e9}\u{1f600}\",\"Oper\\u0061tion\":null}".as_bytes(),
            br#"{ "a" : { "Id" : 1 } , "OBJECTID" : "o" }"#,
            br#"{"RecordType":93}"#,
        ];
        let mut events = LabelEvents::default();
        for round in 0..2 {
            let mut outline = Outline::new();
            for (ordinal, bytes) in (round..).zip(texts) {
                assert!(outline.read_all(bytes));
                events.push(bytes, &outline, ordinal);
            }
            assert_eq!(events.len(), texts.len());
            let expected: Vec<_> = texts.map(decode).into_iter().collect();
            assert_eq!(events.text_bytes(), expected.iter().map(|text| text.len()).sum::<usize>());
            let mut seen = 0;
            for ((record, ordinal), text) in events.records().zip(&expected) {
                assert_eq!(pairs(record.members()), pairs(&Members::parse(text).unwrap()), "{text}");
                assert_eq!(ordinal, round + seen);
                seen += 1;
            }
            assert_eq!(seen, 6);
            events.clear();
            assert!(events.is_empty() && events.records().next().is_none());
        }
    }

    #[test]
    fn a_large_one_leaves_no_room_behind() {
        let many: Vec<_> = (0..100_000).map(|number| format!("\"{number}\":0")).collect();
        let text = format!("{{{}}}", many.join(","));
        let mut events = LabelEvents::default();
        events.push(text.as_bytes(), &Outline::of(&text).unwrap(), 0);
        assert_eq!(events.records().next().unwrap().0.members().entries().count(), many.len());
        events.clear();
        assert!(events.text.capacity() <= KEPT_ROOM && events.places.capacity() <= KEPT_PLACES);
    }
}
