//! By what a record is recognised when it comes again.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Sixteen bytes that stand for a record: its `Id` where that is a GUID, else a digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 16]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", Uuid::from_bytes(self.0))
    }
}

impl Key {
    /// The key of an `Id`: a GUID in any case, with or without braces or hyphens, is its own key; other text is
    /// digested as it stands. `None` for an empty one and for the GUID of zeros, which would merge records that have nothing in
    /// common.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        if id.trim().is_empty() {
            return None;
        }
        match Uuid::try_parse(id.trim()) {
            Ok(guid) if guid.is_nil() => None,
            Ok(guid) => Some(Self(guid.into_bytes())),
            Err(_) => Some(Self::digest(&[b"id", id.as_bytes()])),
        }
    }

    /// The key of a record without an `Id`: its place in its content, so that the same content fetched again has the
    /// same keys, and no two such records are ever taken for one.
    #[must_use]
    pub fn of_place(content_id: &str, ordinal: u64) -> Self {
        Self::digest(&[b"place", content_id.as_bytes(), &ordinal.to_be_bytes()])
    }

    fn digest(parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&digest.finalize()[..16]);
        Self(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_has_one_key_however_it_is_written() {
        let key = Key::of_id("8417bbf6-3469-57bf-d48e-ee80f34c3d71").unwrap();
        assert_eq!(key.0[..4], [0x84, 0x17, 0xbb, 0xf6]);
        for text in [
            "8417BBF6-3469-57BF-D48E-EE80F34C3D71",
            "{8417bbf6-3469-57bf-d48e-ee80f34c3d71}",
            " 8417bbf6346957bfd48eee80f34c3d71 ",
        ] {
            assert_eq!(Key::of_id(text), Some(key), "{text}");
        }
    }

    #[test]
    fn other_ids_have_keys_of_their_own() {
        assert_ne!(Key::of_id("a"), Key::of_id("b"));
        assert_ne!(Key::of_id("a"), Key::of_id(" a"));
        assert_ne!(Key::of_id("a"), Key::of_id("A"));
    }

    #[test]
    fn ids_that_say_nothing_have_none() {
        for text in ["", "  ", "00000000-0000-0000-0000-000000000000"] {
            assert_eq!(Key::of_id(text), None);
        }
    }

    #[test]
    fn places_differ_by_content_and_ordinal() {
        let key = Key::of_place("content", 1);
        assert_eq!(key, Key::of_place("content", 1));
        for other in [Key::of_place("content", 2), Key::of_place("content2", 1), Key::of_place("conten", 1)] {
            assert_ne!(key, other);
        }
    }
}
