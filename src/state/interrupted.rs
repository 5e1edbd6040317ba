//! Appends to a folder's log that a kill cut short. What is to be appended is noted first, so that the next one who
//! enters the folder finds the note, and keeps the block where it stands whole or takes its beginning back.

use std::{io, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    files::{open_private, read, remove, replace, tail_from},
    folder::digest,
};

/// The note's name in the folder, and the name under which it is written.
const NOTE: &str = ".append";
const NEW_NOTE: &str = ".append.new";

/// An append that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    key: String,
    at: u64,
    length: u64,
    digest: String,
}

impl Note {
    /// `block` is to be appended to the log `key`, which is `at` bytes long.
    pub(super) fn new(key: &str, at: u64, block: &[u8]) -> Self {
        Self { key: key.to_owned(), at, length: block.len() as u64, digest: digest(block) }
    }

    /// Notes it in the folder `root`.
    pub(super) fn write(&self, root: &Path) -> io::Result<()> {
        replace(&root.join(NEW_NOTE), &root.join(NOTE), &serde_json::to_vec(self)?)
    }

    /// The append is done: the note goes.
    pub(super) fn clear(root: &Path) -> io::Result<()> {
        remove(&root.join(NOTE))
    }
}

/// Finishes with an append that was cut short in the folder `root`, if there is one. Nobody else may be writing there.
pub(super) fn settle(root: &Path) -> io::Result<()> {
    let Some(text) = read(&root.join(NOTE))? else { return Ok(()) };
    let note: Note = serde_json::from_slice(&text)?;
    // The log was made before the note was written, so where it is missing it was removed by hand.
    let log = root.join(&note.key);
    if log.is_file() {
        let mut file = open_private(&log)?;
        let tail = tail_from(&mut file, note.at)?;
        let whole = tail.len() as u64 == note.length && digest(&tail) == note.digest;
        if !whole && !tail.is_empty() {
            file.set_len(note.at)?;
        }
        file.sync_all()?;
    }
    Note::clear(root)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn settled(log: &[u8], at: u64, block: &[u8]) -> Vec<u8> {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("log"), log).unwrap();
        Note::new("log", at, block).write(root.path()).unwrap();
        settle(root.path()).unwrap();
        assert!(!root.path().join(NOTE).exists());
        fs::read(root.path().join("log")).unwrap()
    }

    #[test]
    fn the_beginning_of_a_block_is_taken_back() {
        assert_eq!(settled(b"one\ntw", 4, b"two\n"), b"one\n");
        assert_eq!(settled(b"t", 0, b"two\n"), b"");
        assert_eq!(settled(b"one\n\0\0\0\0", 4, b"two\n"), b"one\n", "room that was made and not written");
    }

    #[test]
    fn a_whole_block_is_kept() {
        assert_eq!(settled(b"one\ntwo\n", 4, b"two\n"), b"one\ntwo\n");
    }

    #[test]
    fn a_block_that_was_not_begun_leaves_the_log_as_it_was() {
        assert_eq!(settled(b"one\n", 4, b"two\n"), b"one\n");
    }

    #[test]
    fn no_note_and_no_log_are_no_errors() {
        let root = tempfile::tempdir().unwrap();
        settle(root.path()).unwrap();
        Note::new("gone", 4, b"two\n").write(root.path()).unwrap();
        settle(root.path()).unwrap();
        assert!(!root.path().join("gone").exists());
    }
}
