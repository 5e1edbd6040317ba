//! A file, read in pieces into one buffer.

use std::io::{self, Read};

/// Room for the largest post and some contents; it stays in the processor's cache.
const PIECE: usize = 2 * 1024 * 1024;

/// The pieces of a file. What the caller is not [`done`](Pieces::done) with comes again at the front of the next.
pub struct Pieces<R> {
    file: R,
    buffer: Vec<u8>,
    filled: usize,
}

impl<R: Read> Pieces<R> {
    pub fn new(file: R) -> Self {
        Self::with_room(file, PIECE)
    }

    /// With room for so many bytes.
    pub fn with_room(file: R, room: usize) -> Self {
        Self { file, buffer: vec![0; room], filled: 0 }
    }

    /// The next piece; `None` at the end of the file.
    pub fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let room = &mut self.buffer[self.filled..];
        if room.is_empty() {
            return Err(io::Error::other("a line is longer than the buffer"));
        }
        let read = self.file.read(room)?;
        self.filled += read;
        Ok((read > 0).then_some(&self.buffer[..self.filled]))
    }

    /// Lets go of the first `done` bytes of the last piece.
    pub fn done(&mut self, done: usize) {
        self.buffer.copy_within(done..self.filled, 0);
        self.filled -= done;
    }
}
