//! Where the members of a record are, found in one pass over its bytes that proves it valid JSON on the way.

use std::{borrow::Cow, ops::Range};

use super::{
    Member, RecordError, decode, json,
    scan::{quote_backslash_or_control, quote_or_backslash},
};

/// A record has some forty members.
const USUAL_MEMBERS: usize = 48;

/// Room for so many members is kept for the next record.
const KEPT_PLACES: usize = 1024;

/// Where one member of an object is, in bytes from the start of what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its name without the quotes.
    name: Span,
    value: Span,
    /// Whether its name has escapes.
    escaped: bool,
    /// Which member it is found under. An outline does not look for it.
    pub member: Option<Member>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// With the quotes around it.
    const fn quoted(self) -> Range<usize> {
        self.start as usize - 1..self.end as usize + 1
    }
}

impl Place {
    /// The name, without escapes. `text` is what was read.
    #[inline]
    pub fn name<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.escaped {
            return text.get(self.name.quoted()).and_then(json::text).unwrap_or_default();
        }
        Cow::Borrowed(text.get(self.name.range()).unwrap_or_default())
    }

    /// The name, without escapes, in the bytes that were read.
    #[inline]
    pub fn name_bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.escaped {
            let quoted = decode(bytes.get(self.name.quoted()).unwrap_or_default());
            return Cow::Owned(json::text(&quoted).unwrap_or_default().into_owned().into_bytes());
        }
        Cow::Borrowed(bytes.get(self.name.range()).unwrap_or_default())
    }

    /// The value, in the text that was read.
    #[inline]
    pub fn raw<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.value.range()).unwrap_or_default()
    }

    /// The value, in the bytes that were read.
    #[inline]
    pub fn raw_bytes<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.value.range()).unwrap_or_default()
    }

    /// Gives it the value of `other`.
    pub const fn take_value(&mut self, other: &Self) {
        self.value = other.value;
    }
}

/// Where the members of an object are: all of its top level, in their order. One is used for record after record.
#[derive(Debug, Default)]
pub struct Outline {
    places: Vec<Place>,
    /// What closes the objects and arrays that are open inside a value.
    open: Vec<u8>,
}

impl Outline {
    /// Of nothing so far.
    #[must_use]
    pub const fn new() -> Self {
        Self { places: Vec::new(), open: Vec::new() }
    }

    /// Reads the text of one object, which may have white space around it.
    ///
    /// # Errors
    /// The text is no JSON object.
    pub(super) fn of(text: &str) -> Result<Self, RecordError> {
        let mut outline = Self { places: Vec::with_capacity(USUAL_MEMBERS), open: Vec::new() };
        if outline.read_all(text.as_bytes()) { Ok(outline) } else { Err(RecordError::of(text.as_bytes())) }
    }

    /// Reads one object, which may have white space around it. `false` where the bytes are something else.
    pub(super) fn read_all(&mut self, bytes: &[u8]) -> bool {
        let end = self.read(bytes, space_end(bytes, 0));
        end.is_some_and(|end| space_end(bytes, end) == bytes.len())
    }

    /// Reads the object that begins at `at` and gives its end. `None` where there is none, or the bytes are over before
    /// it is. Its strings may have bytes that are no UTF-8.
    pub(super) fn read(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        self.places.clear();
        u32::try_from(bytes.len()).ok()?; // so that every place fits
        let mut at = space_end(bytes, after(b'{', bytes, at)?);
        if bytes.get(at) == Some(&b'}') {
            return Some(at + 1);
        }
        loop {
            let (name_end, escaped) = name_end(bytes, at)?;
            let value = space_end(bytes, after(b':', bytes, space_end(bytes, name_end))?);
            let value_end = self.value_end(bytes, value)?;
            self.places.push(Place {
                name: Span { start: at as u32 + 1, end: name_end as u32 - 1 },
                value: Span { start: value as u32, end: value_end as u32 },
                escaped,
                member: None,
            });
            at = space_end(bytes, value_end);
            match bytes.get(at)? {
                b',' => at = space_end(bytes, at + 1),
                b'}' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// The members that were read last.
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Forgets them, and gives back the memory that few records need.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.places.shrink_to(KEPT_PLACES);
        self.open.clear();
        self.open.shrink_to(KEPT_PLACES);
    }

    pub(super) fn into_places(self) -> Vec<Place> {
        self.places
    }

    /// The end of the value at `at`, of any kind and depth.
    fn value_end(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        self.open.clear();
        loop {
            // A value begins here.
            match bytes.get(at)? {
                b'"' => at = string_end(bytes, at + 1)?,
                b'{' => {
                    let first = space_end(bytes, at + 1);
                    if bytes.get(first)? != &b'}' {
                        self.open.push(b'}');
                        at = after_name(bytes, first)?;
                        continue;
                    }
                    at = first + 1;
                }
                b'[' => {
                    let first = space_end(bytes, at + 1);
                    if bytes.get(first)? != &b']' {
                        self.open.push(b']');
                        at = first;
                        continue;
                    }
                    at = first + 1;
                }
                b't' => at = after_word(b"true", bytes, at)?,
                b'f' => at = after_word(b"false", bytes, at)?,
                b'n' => at = after_word(b"null", bytes, at)?,
                _ => at = number_end(bytes, at)?,
            }
            // It is over.
            while let Some(&closing) = self.open.last() {
                at = space_end(bytes, at);
                match bytes.get(at)? {
                    b',' => {
                        at = space_end(bytes, at + 1);
                        if closing == b'}' {
                            at = after_name(bytes, at)?;
                        }
                        break;
                    }
                    byte if *byte == closing => {
                        at += 1;
                        self.open.pop();
                    }
                    _ => return None,
                }
            }
            if self.open.is_empty() {
                return Some(at);
            }
        }
    }
}

/// Past the white space at `at`.
pub(super) fn space_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

fn after(expected: u8, bytes: &[u8], at: usize) -> Option<usize> {
    (*bytes.get(at)? == expected).then_some(at + 1)
}

fn after_word(word: &[u8], bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// Where the value begins that the name at `at` belongs to.
fn after_name(bytes: &[u8], at: usize) -> Option<usize> {
    let end = string_end(bytes, after(b'"', bytes, at)?)?;
    Some(space_end(bytes, after(b':', bytes, space_end(bytes, end))?))
}

/// Past the string that begins at `at`, after its quote.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = quote_backslash_or_control(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = escape_end(bytes, at + 1)?,
            _ => return None,
        }
    }
}

/// Past the name of a record's member, whose quote is at `at`, and whether it has escapes. Control characters may stand in it:
/// no more is asked of a name than that it can be told where it ends.
fn name_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut at = after(b'"', bytes, at)?;
    let mut escaped = false;
    loop {
        at = quote_or_backslash(bytes, at);
        if *bytes.get(at)? == b'"' {
            return Some((at + 1, escaped));
        }
        escaped = true;
        at = escape_end(bytes, at + 1)?;
    }
}

/// Past the escape that goes on at `at`, after its backslash. Halves of surrogate pairs may stand alone.
fn escape_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => bytes.get(at + 1..at + 5)?.iter().all(u8::is_ascii_hexdigit).then_some(at + 5),
        _ => None,
    }
}

/// Past the number at `at`. What follows it is for others to judge.
fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = |at: usize| {
        let end = at + bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (end > at).then_some(end)
    };
    let at = after(b'-', bytes, at).unwrap_or(at);
    let mut end = if bytes.get(at)? == &b'0' { at + 1 } else { digits(at)? };
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        end = digits(end + 1 + usize::from(signed))?;
    }
    Some(end)
}

#[cfg(test)]
#[path = "outline_tests.rs"]
pub(super) mod tests;
