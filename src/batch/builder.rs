//! Fills batches: every row is written once, straight into the body of its batch.

use std::{
    convert::Infallible,
    fmt, mem,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{BATCH_LIMIT, Batch};

/// Room past the limit in a full buffer: a row is written before it is known whether it fits, and most rows are far
/// shorter than this, so that the buffer need not grow for it.
const ROOM_FOR_ONE_ROW: usize = 64 * 1024;

/// The room of a new buffer, which becomes twice as much each time that it is used up: most batches of a small tenant have a
/// few rows.
const FIRST_ROOM: usize = 2 * ROOM_FOR_ONE_ROW;

/// Buffers kept for reuse at most: as many as come back at once where one run posts.
const SPARE_BUFFERS: usize = 4;

/// Collects rows into batches of at most [`BATCH_LIMIT`] bytes, in the order in which they come.
pub struct Builder<T> {
    limit: usize,
    filling: Buffers<T>,
    spares: Spares<T>,
}

/// Buffers of spent batches, for all builders that have a clone of it: a few, whatever the number of builders.
pub struct Spares<T>(Arc<Mutex<Vec<Buffers<T>>>>);

impl<T> Spares<T> {
    fn kept(&self) -> MutexGuard<'_, Vec<Buffers<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Spares<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Spares<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> fmt::Debug for Spares<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spares").field(&self.kept().len()).finish()
    }
}

/// What a batch is made of while it is filled. The closing bracket comes with [`Builder::take`].
struct Buffers<T> {
    body: Vec<u8>,
    rows: Vec<Range<usize>>,
    tags: Vec<T>,
}

impl<T> Buffers<T> {
    /// The end of the last whole row: what lies beyond it was left by a row that failed half-way.
    fn end(&self) -> usize {
        self.rows.last().map_or(0, |row| row.end)
    }

    /// Puts the separator of another row at the end, with room for a row behind it as long as there are less than `full`
    /// bytes. Returns where the row begins.
    fn open_row(&mut self, full: usize) -> usize {
        self.body.truncate(self.end());
        let room = self.body.capacity();
        if room < full && room - self.body.len() < ROOM_FOR_ONE_ROW {
            self.body.reserve_exact((room * 2).max(FIRST_ROOM).min(full) - self.body.len());
        }
        self.body.push(if self.rows.is_empty() { b'[' } else { b',' });
        self.body.len()
    }
}

impl<T> Builder<T> {
    /// A builder for the limit of the service.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(BATCH_LIMIT)
    }

    /// A builder for batches of at most `limit` bytes, which is to be no more than [`BATCH_LIMIT`].
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { limit, filling: Buffers::default(), spares: Spares::default() }
    }

    /// The same builder, which shares the buffers of spent batches with others.
    #[must_use]
    pub fn sharing(self, spares: &Spares<T>) -> Self {
        Self { spares: spares.clone(), ..self }
    }

    /// The room of a full buffer.
    const fn full(&self) -> usize {
        self.limit + ROOM_FOR_ONE_ROW
    }

    /// Adds a row, which is one JSON value. Returns the batch that was being filled where the row does not fit into
    /// it; the row then begins the next one. A row that is over the limit by itself makes a batch of its own.
    ///
    /// A row of no bytes is no row: nothing is added for it.
    pub fn push(&mut self, row: &[u8], tag: T) -> Option<Batch<T>> {
        let copied = self.write(tag, |body| {
            body.extend_from_slice(row);
            Ok::<(), Infallible>(())
        });
        match copied {
            Ok(full) => full,
        }
    }

    /// As [`Builder::push`], with the row appended to the body of the batch by `write`, which touches nothing of what
    /// is there already.
    ///
    /// # Errors
    /// What `write` returned. The builder is then as if it had not been called.
    pub fn write<E>(
        &mut self,
        tag: T,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Option<Batch<T>>, E> {
        let full = self.full();
        let start = self.filling.open_row(full);
        write(&mut self.filling.body)?;
        let row = start..self.filling.body.len();
        if row.is_empty() {
            return Ok(None);
        }
        // Less than the limit, not equal to it: the closing bracket is still to come.
        let full = if self.filling.rows.is_empty() || row.end < self.limit { None } else { self.move_on(&row) };
        let end = self.filling.body.len();
        self.filling.rows.push(end - row.len()..end);
        self.filling.tags.push(tag);
        Ok(full)
    }

    /// Takes `row`, the bytes at the end that no longer fit, over into a new buffer. Returns the batch before it.
    fn move_on(&mut self, row: &Range<usize>) -> Option<Batch<T>> {
        let mut next = self.empty_buffers();
        next.open_row(self.full());
        next.body.extend_from_slice(&self.filling.body[row.clone()]);
        close(mem::replace(&mut self.filling, next))
    }

    /// The batch that is being filled, or `None` where there is no row.
    pub fn take(&mut self) -> Option<Batch<T>> {
        if self.is_empty() {
            return None;
        }
        let next = self.empty_buffers();
        close(mem::replace(&mut self.filling, next))
    }

    /// Whether no row waits for [`Builder::take`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filling.rows.is_empty()
    }

    /// The size in bytes that the batch has if it is taken now; 0 where there is no row.
    #[must_use]
    pub fn bytes(&self) -> usize {
        if self.is_empty() { 0 } else { self.filling.end() + 1 }
    }

    /// Takes the buffers of a spent batch for later ones. They are let go where somebody still shares the bytes, or
    /// where an outsize row made them grow.
    pub fn recycle(&mut self, spent: Batch<T>) {
        let Batch { body, mut rows, mut tags } = spent;
        if !body.is_unique() {
            return;
        }
        let mut body = Vec::from(body);
        if body.capacity() > self.full().saturating_mul(2) {
            return;
        }
        body.clear();
        rows.clear();
        tags.clear();
        let mut kept = self.spares.kept();
        if kept.len() < SPARE_BUFFERS {
            kept.push(Buffers { body, rows, tags });
        }
    }

    fn empty_buffers(&mut self) -> Buffers<T> {
        self.spares.kept().pop().unwrap_or_default()
    }
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("limit", &self.limit)
            .field("rows", &self.filling.rows.len())
            .field("bytes", &self.bytes())
            .field("spares", &self.spares)
            .finish_non_exhaustive()
    }
}

impl<T> Default for Buffers<T> {
    fn default() -> Self {
        Self { body: Vec::new(), rows: Vec::new(), tags: Vec::new() }
    }
}

/// Ends the array; `None` where there is no row.
fn close<T>(mut full: Buffers<T>) -> Option<Batch<T>> {
    full.body.truncate(full.end());
    if full.body.is_empty() {
        return None;
    }
    full.body.push(b']');
    Some(Batch { body: full.body.into(), rows: full.rows, tags: full.tags })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn values(batch: &Batch<usize>) -> Vec<Value> {
        serde_json::from_slice(batch.body()).unwrap()
    }

    #[test]
    fn brackets_and_commas_count() {
        // `[1,2,3]` is 7 bytes: the fourth row of one byte needs 9.
        let mut builder = Builder::with_limit(8);
        for row in 1..=3 {
            assert!(builder.push(row.to_string().as_bytes(), row).is_none());
            assert_eq!(builder.bytes(), 1 + 2 * row);
        }
        let full = builder.push(b"4", 4).unwrap();
        assert_eq!((full.body().as_ref(), full.tags()), (&b"[1,2,3]"[..], &[1, 2, 3][..]));
        assert_eq!(builder.bytes(), 3);
    }

    #[test]
    fn a_batch_may_be_exactly_as_long_as_the_limit() {
        let mut builder = Builder::with_limit(7);
        assert!((1..=3).all(|row| builder.push(b"1", row).is_none()));
        assert_eq!(builder.take().unwrap().body().len(), 7);
    }

    #[test]
    fn a_row_over_the_limit_has_a_batch_of_its_own() {
        let mut builder = Builder::with_limit(8);
        assert!(builder.push(b"1", 0).is_none());
        assert_eq!(builder.push(b"\"outsize row\"", 1).unwrap().body(), "[1]");
        assert_eq!(builder.push(b"2", 2).unwrap().body(), "[\"outsize row\"]");
        assert_eq!(builder.take().unwrap().body(), "[2]");
    }

    #[test]
    fn nothing_is_taken_from_nothing() {
        let mut builder = Builder::<usize>::new();
        assert!(builder.is_empty() && builder.bytes() == 0 && builder.take().is_none());
        assert!(builder.push(b"", 0).is_none());
        assert!(builder.is_empty() && builder.take().is_none());
    }

    #[test]
    fn a_row_that_fails_half_way_leaves_nothing() {
        let mut builder = Builder::new();
        let half = |body: &mut Vec<u8>| {
            body.extend_from_slice(b"{\"half\":");
            Err("no more")
        };
        assert_eq!(builder.write(0, half).unwrap_err(), "no more");
        assert!(builder.is_empty() && builder.take().is_none());
        assert!(builder.push(b"1", 1).is_none());
        assert_eq!(builder.write(2, half).unwrap_err(), "no more");
        assert_eq!(builder.bytes(), 3);
        let whole = builder.take().unwrap();
        assert_eq!((whole.body().as_ref(), whole.tags()), (&b"[1]"[..], &[1][..]));
    }

    #[test]
    fn buffers_go_round() {
        let mut builder = Builder::with_limit(100);
        builder.push(b"1", 0);
        let batch = builder.take().unwrap();
        let address = batch.body().as_ptr();
        builder.recycle(batch);
        builder.push(b"2", 1);
        builder.take().unwrap();
        builder.push(b"3", 2);
        let again = builder.take().unwrap();
        assert_eq!((again.body().as_ref(), again.body().as_ptr()), (&b"[3]"[..], address));
    }

    #[test]
    fn buffers_go_from_one_builder_to_another() {
        let spares = Spares::default();
        let mut builder = Builder::with_limit(100).sharing(&spares);
        builder.push(b"1", 0);
        let batch = builder.take().unwrap();
        let address = batch.body().as_ptr();
        builder.recycle(batch);
        drop(builder);
        let mut other = Builder::with_limit(100).sharing(&spares);
        other.push(b"2", 1);
        other.take().unwrap();
        other.push(b"3", 2);
        assert_eq!(other.take().unwrap().body().as_ptr(), address);
    }

    #[test]
    fn a_builder_holds_about_as_much_as_its_rows() {
        let full = BATCH_LIMIT + ROOM_FOR_ONE_ROW;
        let mut builder = Builder::new();
        assert_eq!(builder.filling.body.capacity(), 0);
        let row = [b'1'; 1_000];
        while builder.push(&row, 0).is_none() {
            let (held, used) = (builder.filling.body.capacity(), builder.bytes());
            assert!(held <= full && held <= FIRST_ROOM.max(2 * (used + ROOM_FOR_ONE_ROW)), "{held} for {used}");
        }
        assert!(builder.filling.body.capacity() <= FIRST_ROOM, "the next begins small");
    }

    #[test]
    fn shared_and_outsize_buffers_are_let_go() {
        let mut builder = Builder::with_limit(100);
        builder.push(b"1", 0);
        let batch = builder.take().unwrap();
        let shared = batch.row(0).unwrap();
        builder.recycle(batch);
        assert_eq!((builder.spares.kept().len(), shared.as_ref()), (0, &b"1"[..]));
        builder.push(&vec![b'1'; 4 * ROOM_FOR_ONE_ROW], 1);
        let batch = builder.take().unwrap();
        builder.recycle(batch);
        assert_eq!(builder.spares.kept().len(), 0);
        for _ in 0..SPARE_BUFFERS + 2 {
            let mut other = Builder::with_limit(100);
            other.push(b"1", 0);
            builder.recycle(other.take().unwrap());
        }
        assert_eq!(builder.spares.kept().len(), SPARE_BUFFERS);
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_batch_in_order_and_no_batch_is_over_the_limit(
            texts in prop::collection::vec(".{0,60}", 0..80),
            limit in 2_usize..300,
            recycles in any::<bool>(),
            failures in prop::collection::vec(any::<bool>(), 80),
        ) {
            let rows: Vec<Value> = texts.iter().map(|text| json!({ "text": text })).collect();
            let mut builder = Builder::with_limit(limit);
            let mut batches = Vec::new();
            let mut keep = |builder: &mut Builder<usize>, batch: Batch<usize>| {
                prop_assert!(batch.body().len() <= limit || batch.len() == 1);
                let cut: Vec<Value> = (0..batch.len())
                    .map(|at| serde_json::from_slice(&batch.row(at).unwrap()).unwrap())
                    .collect();
                prop_assert_eq!(&cut, &values(&batch));
                prop_assert_eq!(cut.len(), batch.tags().len());
                batches.push((cut, batch.tags().to_vec()));
                if recycles {
                    builder.recycle(batch);
                }
                Ok(())
            };
            for (tag, row) in rows.iter().enumerate() {
                if failures[tag] {
                    let failed = builder.write(usize::MAX, |body| body.write_all(b"{\"bad").and(Err(std::io::Error::other("bad"))));
                    prop_assert!(failed.is_err());
                }
                let before = builder.bytes();
                if let Some(full) = builder.write(tag, |body| serde_json::to_writer(body, row)).unwrap() {
                    prop_assert_eq!(full.body().len(), before);
                    prop_assert!(before + builder.bytes() - 1 > limit, "the row would have fitted");
                    keep(&mut builder, full)?;
                }
            }
            let before = builder.bytes();
            if let Some(last) = builder.take() {
                prop_assert_eq!(last.body().len(), before);
                keep(&mut builder, last)?;
            }
            prop_assert!(builder.is_empty());
            let (sent, tags): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
            prop_assert_eq!(sent.concat(), rows);
            prop_assert_eq!(tags.concat(), (0..texts.len()).collect::<Vec<_>>());
        }
    }
}
