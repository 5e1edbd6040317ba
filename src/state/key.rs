//! Which keys a store takes: those that mean the same in a storage container and in a folder.

use super::StateError;

/// The longest key in bytes. Blob names end at 1,024 characters (Naming and referencing containers, blobs, and
/// metadata); the `.lock` of a lock has to fit as well.
pub const MAX_KEY: usize = 1000;

/// The longest part between two `/` in bytes: Linux file names end at 255, and the `.lock` of a lock has to fit as well.
pub const MAX_PART: usize = 250;

/// What follows the key of a lock in the name of what holds it.
pub(super) const LOCK_SUFFIX: &str = ".lock";

/// Refuses a key that would leave the store, or could not be stored in one of the places.
///
/// # Errors
/// [`StateError::Denied`] with the rule that the key breaks.
pub(super) fn check(key: &str) -> Result<(), StateError> {
    match broken_rule(key) {
        None => Ok(()),
        Some(rule) => Err(StateError::Denied { key: key.escape_default().to_string(), reason: rule.to_owned() }),
    }
}

/// The name under which the lock `key` is held.
pub(super) fn lock_name(key: &str) -> String {
    format!("{key}{LOCK_SUFFIX}")
}

fn broken_rule(key: &str) -> Option<&'static str> {
    if key.len() > MAX_KEY || key.split('/').any(|part| part.len() > MAX_PART) {
        return Some("a key has at most 1,000 bytes, and 250 between two `/`");
    }
    if key.split('/').any(str::is_empty) {
        return Some("a key is a relative path without empty parts");
    }
    if key.split('/').any(|part| part.starts_with('.') || part.ends_with('.')) {
        // This keeps `..` out, the folder's own files apart, and the names that Azure advises against.
        return Some("no part of a key begins or ends with a dot");
    }
    if key.ends_with(LOCK_SUFFIX) {
        return Some("names that end in `.lock` belong to locks");
    }
    if key.chars().any(|char| char.is_control() || char == '\\') {
        return Some("a key has no control characters and no backslash");
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_keys_are_taken() {
        for key in ["watermark.json", "sent/2026-11-22.log", "tenants/6f1c/Audit.General", "a b/ü&=+%?#[1]'.json"] {
            assert_eq!(broken_rule(key), None, "{key}");
        }
    }

    #[test]
    fn keys_that_leave_the_store_or_hide_in_it_are_refused() {
        for key in ["", "/", "/etc/passwd", "a//b", "a/", "..", "a/../../b", ".", "a/./b", ".hidden", "a/.tmp", "a./b"]
        {
            assert!(matches!(check(key), Err(StateError::Denied { .. })), "{key}");
        }
        for key in ["a\\b", "a\0b", "line\nbreak", "run.lock"] {
            assert!(check(key).is_err(), "{key:?}");
        }
        assert!(check(&"x".repeat(MAX_PART + 1)).is_err());
        assert!(check(&"x/".repeat(MAX_KEY)).is_err());
        assert!(check(&"x".repeat(MAX_PART)).is_ok());
    }

    proptest! {
        #[test]
        fn a_key_that_is_taken_stays_below_its_folder(key in "[a-z./\\\\]{0,12}") {
            if check(&key).is_ok() {
                prop_assert!(Path::new(&key).components().all(|part| matches!(part, Component::Normal(_))));
            }
        }
    }
}
