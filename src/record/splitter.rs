//! Cutting a content's body into its records while it comes in.

use std::ops::Range;

use super::{Element, Outline, outline::space_end, scan::quote_or_backslash};

/// The most that one record may have. A content is some megabytes in practice and a record some kilobytes; the feed
/// documents no limit, so this one only bounds the memory that a broken body can take. A row has 0.9 MB at most.
pub const MAX_RECORD_BYTES: usize = 4 * 1024 * 1024;

/// The room for a record's beginning that is kept for the next one: most records need far less.
const KEPT_ROOM: usize = 64 * 1024;

/// What is kept of a record that is too large, so that a person can see what it was.
const HEAD_BYTES: usize = 16 * 1024;

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Why a body cannot be split to its end. What was yielded before the error is good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// The body ended before its array did.
    #[error(
        "the content ends in the middle after {elements} records and {bytes} bytes: the transfer was cut; fetch it again"
    )]
    Truncated {
        /// Elements that came in whole.
        elements: u64,
        /// Bytes that came in.
        bytes: u64,
    },
    /// The body is something else than an array, for example a page of a proxy.
    #[error("the content is no JSON array: it begins with {found:?} in place of '['; fetch it again")]
    NotAnArray {
        /// The first character (of ASCII; others are shown as U+FFFD).
        found: char,
    },
    /// Something follows the end of the array. Every record of the array was yielded.
    #[error("the content goes on after the end of its array, at byte {offset}: what follows is not read")]
    Rubbish {
        /// Where, counted from the start of the body.
        offset: u64,
    },
}

impl SplitError {
    /// Whether fetching the content again may help. Otherwise all records of the content were yielded.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Truncated { .. } | Self::NotAnArray { .. })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the `[`; so many bytes of the byte order mark were seen.
    Start { mark: usize },
    /// After `[`.
    First,
    /// After `,`.
    Next,
    /// In an element.
    Inside,
    /// After `]`.
    End,
}

/// Splits the JSON array of a content into its elements without building anything of them and, but for an element that
/// straddles two chunks, without copying them. A record that is whole in a chunk is read once: its outline finds its end.
/// Where there is no outline, the end is looked for by brackets and quotes alone.
#[derive(Debug)]
pub struct Splitter {
    place: Place,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Whether the element at hand has come to the end of an object.
    closed: bool,
    /// What earlier chunks had of the element at hand; its head alone once it is too large.
    kept: Vec<u8>,
    /// How much earlier chunks had of the element at hand.
    size: u64,
    /// The bytes of all earlier chunks.
    before: u64,
    elements: u64,
    limit: usize,
    outline: Outline,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl Splitter {
    /// For one content.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_limit(MAX_RECORD_BYTES)
    }

    /// As [`Splitter::new`], with another limit than [`MAX_RECORD_BYTES`].
    #[must_use]
    pub const fn with_limit(limit: usize) -> Self {
        Self {
            place: Place::Start { mark: 0 },
            depth: 0,
            in_string: false,
            escaped: false,
            closed: false,
            kept: Vec::new(),
            size: 0,
            before: 0,
            elements: 0,
            limit,
            outline: Outline::new(),
        }
    }

    /// How many elements were yielded.
    #[must_use]
    pub const fn elements(&self) -> u64 {
        self.elements
    }

    /// How many bytes are held of the element at hand.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.kept.len()
    }

    /// Takes the next bytes of the body and hands every element that is now complete to `on_element`, in order.
    ///
    /// # Errors
    /// [`SplitError::NotAnArray`] and [`SplitError::Rubbish`]. Nothing more is to be pushed then.
    pub fn push(&mut self, chunk: &[u8], mut on_element: impl FnMut(Element<'_>)) -> Result<(), SplitError> {
        let mut at = 0;
        let mut start = 0; // of the element at hand
        while let Some(&byte) = chunk.get(at) {
            match self.place {
                Place::Inside => match self.end_of_element(chunk, at) {
                    Some(end) => {
                        self.hand_over(&chunk[start..end], &mut on_element);
                        at = self.ended_at(chunk, end);
                    }
                    None => at = chunk.len(),
                },
                Place::Start { mark } => {
                    match byte {
                        b'[' if mark == 0 || mark == BYTE_ORDER_MARK.len() => self.place = Place::First,
                        _ if BYTE_ORDER_MARK.get(mark) == Some(&byte) => self.place = Place::Start { mark: mark + 1 },
                        b' ' | b'\t' | b'\r' | b'\n' => {}
                        _ => {
                            let found = if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER };
                            return Err(SplitError::NotAnArray { found });
                        }
                    }
                    at += 1;
                }
                Place::End => {
                    if !byte.is_ascii_whitespace() {
                        return Err(SplitError::Rubbish { offset: self.before + at as u64 });
                    }
                    at += 1;
                }
                Place::First | Place::Next => {
                    match byte {
                        b' ' | b'\t' | b'\r' | b'\n' => {}
                        b']' if self.place == Place::First => self.place = Place::End,
                        b']' => {
                            self.hand_over(&[], &mut on_element);
                            self.place = Place::End;
                        }
                        b',' => {
                            self.hand_over(&[], &mut on_element);
                            self.place = Place::Next;
                        }
                        _ => {
                            if let Some((record, end)) = self.record_at(chunk, at) {
                                self.elements += 1;
                                on_element(Element::Record { bytes: &chunk[record], outline: &self.outline });
                                at = self.ended_at(chunk, end);
                            } else {
                                self.place = Place::Inside;
                                start = at;
                            }
                            continue; // the byte at hand counts
                        }
                    }
                    at += 1;
                }
            }
        }
        if self.place == Place::Inside {
            self.keep(&chunk[start..]);
        }
        self.before += chunk.len() as u64;
        Ok(())
    }

    /// Says that the body is over.
    ///
    /// # Errors
    /// [`SplitError::Truncated`] where the array was not.
    pub fn finish(&self) -> Result<(), SplitError> {
        match self.place {
            Place::End => Ok(()),
            _ => Err(SplitError::Truncated { elements: self.elements, bytes: self.before }),
        }
    }

    /// The record that begins at `at`, and where the byte is that ends its element, if both are in the chunk.
    fn record_at(&mut self, chunk: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
        let bytes = chunk.get(at..)?;
        let length = self.outline.read(bytes, 0)?;
        let end = space_end(bytes, length);
        let is_end = matches!(bytes.get(end)?, b',' | b']' | b'{');
        (is_end && end <= self.limit).then_some((at..at + length, at + end))
    }

    /// Goes on behind the element that the byte at `end` ended.
    fn ended_at(&mut self, chunk: &[u8], end: usize) -> usize {
        self.place = if chunk[end] == b']' { Place::End } else { Place::Next };
        // A `{` is of the next element, without a comma before it.
        end + usize::from(chunk[end] != b'{')
    }

    /// Where the `,` or `]` is that ends the element at hand, or the `{` of the next one where an object is followed by
    /// another without a comma. `None` where the chunk ends first; the next chunk then goes on from its first byte.
    fn end_of_element(&mut self, chunk: &[u8], from: usize) -> Option<usize> {
        let mut at = from + usize::from(std::mem::take(&mut self.escaped));
        let mut depth = self.depth;
        loop {
            if self.in_string {
                at = quote_or_backslash(chunk, at);
                match chunk.get(at) {
                    Some(b'"') => {
                        self.in_string = false;
                        at += 1;
                    }
                    Some(_) if at + 1 == chunk.len() => {
                        self.escaped = true;
                        break;
                    }
                    Some(_) => at += 2,
                    None => break,
                }
                continue;
            }
            let Some(byte) = chunk.get(at) else { break };
            match byte {
                b'"' => self.in_string = true,
                b'{' if depth == 0 && self.closed => return Some(at),
                b'{' | b'[' => depth += 1,
                b',' if depth == 0 => return Some(at),
                b']' if depth == 0 => return Some(at),
                b'}' | b']' => {
                    self.closed |= depth == 1 && *byte == b'}';
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
            at += 1;
        }
        self.depth = depth;
        None
    }

    fn keep(&mut self, part: &[u8]) {
        self.size += part.len() as u64;
        if self.size <= self.limit as u64 {
            self.kept.extend_from_slice(part);
            return;
        }
        let missing = HEAD_BYTES.saturating_sub(self.kept.len()).min(part.len());
        self.kept.extend_from_slice(&part[..missing]);
        self.kept.truncate(HEAD_BYTES);
        self.kept.shrink_to_fit();
    }

    fn hand_over(&mut self, last: &[u8], on_element: &mut impl FnMut(Element<'_>)) {
        self.elements += 1;
        self.depth = 0;
        self.closed = false;
        let bytes = self.size + last.len() as u64;
        if bytes > self.limit as u64 {
            self.keep(last);
            on_element(Element::TooLarge { head: &self.kept, bytes });
        } else if self.kept.is_empty() {
            on_element(Element::of(last.trim_ascii_end(), &mut self.outline));
        } else {
            self.kept.extend_from_slice(last);
            on_element(Element::of(self.kept.trim_ascii_end(), &mut self.outline));
        }
        self.outline.clear();
        self.kept.clear();
        self.kept.shrink_to(KEPT_ROOM);
        self.size = 0;
    }
}

#[cfg(test)]
#[path = "splitter_tests.rs"]
mod tests;
