//! What a content's array consists of.

use super::Outline;

/// One element of the array that a content is.
#[derive(Debug, Clone, Copy)]
pub enum Element<'a> {
    /// A record: a JSON object, valid but for bytes that are no UTF-8, which may stand in its strings.
    Record {
        /// The bytes of the object.
        bytes: &'a [u8],
        /// Where its members are in them.
        outline: &'a Outline,
    },
    /// Any other element, without the white space around it: no object or no JSON, and empty where a comma had nothing
    /// before or after it.
    Other(&'a [u8]),
    /// An element of more than [`MAX_RECORD_BYTES`](super::MAX_RECORD_BYTES). It is not parsed.
    TooLarge {
        /// How it begins: some kilobytes.
        head: &'a [u8],
        /// Its size in bytes.
        bytes: u64,
    },
}

impl<'a> Element<'a> {
    /// What the bytes of one element are. `outline` is written over.
    #[must_use]
    pub fn of(bytes: &'a [u8], outline: &'a mut Outline) -> Self {
        if outline.read_all(bytes) { Self::Record { bytes, outline } } else { Self::Other(bytes) }
    }
}
