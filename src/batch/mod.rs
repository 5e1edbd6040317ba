//! Batches: the rows of one POST, as the JSON array that goes into its body.

mod builder;

use std::{fmt, ops::Range};

use bytes::Bytes;

pub use builder::{Builder, Spares};

/// The most bytes in a batch, uncompressed, with the brackets and commas of the array.
///
/// The Logs Ingestion API takes "1 MB" per call, "both compressed and uncompressed data" (Azure Monitor service
/// limits). Its gateway counts 1,048,576 bytes of `Content-Length`; 1,000,000 uncompressed bytes are within every
/// reading of that sentence.
pub const BATCH_LIMIT: usize = 1_000_000;

/// The rows of one POST. Each row has a tag by which its owner knows it again when the answer is there.
///
/// The bytes are always a JSON array of exactly the rows, provided that each row is one JSON value.
pub struct Batch<T> {
    body: Bytes,
    rows: Vec<Range<usize>>,
    tags: Vec<T>,
}

impl<T> Batch<T> {
    /// The JSON array. A clone of it shares the bytes.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// How many rows there are; never 0 in a batch of a [`Builder`].
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The JSON of row `index`, or `None` past the last one. It shares the bytes of the batch.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Bytes> {
        self.rows.get(index).map(|row| self.body.slice(row.clone()))
    }

    /// The tags, in the order of the rows.
    #[must_use]
    pub fn tags(&self) -> &[T] {
        &self.tags
    }

    /// The JSON of the rows `part` and the commas between them, without brackets; nothing where `part` is empty or
    /// reaches past the last row. It shares the bytes of the batch.
    #[must_use]
    pub fn part(&self, part: &Range<usize>) -> Bytes {
        match self.rows.get(part.clone()) {
            Some([first, .., last]) => self.body.slice(first.start..last.end),
            Some([only]) => self.body.slice(only.clone()),
            Some([]) | None => Bytes::new(),
        }
    }

    /// The JSON array of the rows `part`, of those that there are. Of all rows it is the body itself, without a copy.
    #[must_use]
    pub fn array(&self, part: &Range<usize>) -> Bytes {
        if *part == (0..self.len()) { self.body.clone() } else { [b"[", &self.part(part)[..], b"]"].concat().into() }
    }
}

/// Sizes only: rows hold names of people and files.
impl<T> fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("rows", &self.rows.len()).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(rows: &[&str]) -> Batch<usize> {
        let mut builder = Builder::new();
        for (tag, row) in rows.iter().enumerate() {
            assert!(builder.push(row.as_bytes(), tag).is_none());
        }
        builder.take().unwrap()
    }

    #[test]
    fn rows_and_parts_are_cut_from_the_body() {
        let batch = batch(&["{\"a\":1}", "2", "[3]"]);
        assert_eq!(batch.body(), "[{\"a\":1},2,[3]]");
        assert_eq!((0..4).map(|at| batch.row(at)).collect::<Vec<_>>(), {
            let row = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
            [row("{\"a\":1}"), row("2"), row("[3]"), None]
        });
        assert_eq!(batch.part(&(0..3)), "{\"a\":1},2,[3]");
        assert_eq!(batch.part(&(1..3)), "2,[3]");
        assert_eq!(batch.part(&(1..2)), "2");
        assert_eq!(batch.part(&(1..1)), "");
        assert_eq!(batch.part(&(2..4)), "");
        assert_eq!(batch.tags(), [0, 1, 2]);
        assert_eq!(batch.array(&(1..3)), "[2,[3]]");
        assert_eq!(batch.array(&(2..2)), "[]");
        assert_eq!(
            (batch.array(&(0..3)), batch.array(&(0..3)).as_ptr()),
            (batch.body().clone(), batch.body().as_ptr())
        );
    }

    #[test]
    fn debug_shows_no_row() {
        assert_eq!(format!("{:?}", batch(&["\"alice\""])), "Batch { rows: 1, bytes: 9, .. }");
    }
}
