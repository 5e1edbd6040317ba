//! A zip as it is on disk: each entry with what a package must and must not have. After PKWARE's APPNOTE 6.3.

use std::{fs, io::Read as _, os::unix::fs::PermissionsExt as _, path::Path};

use flate2::{Crc, read::DeflateDecoder};

/// The size of a local header, of one in the central directory and of the end of that, each without its variable part.
const LOCAL: usize = 30;
const CENTRAL: usize = 46;
const END: usize = 22;

/// One file.
pub struct Entry {
    pub name: String,
    /// The mode with the file's type, as `stat` has it.
    pub mode: u32,
    pub content: Vec<u8>,
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()))
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()).try_into().unwrap()
}

/// The entries in the order of the directory.
///
/// # Panics
/// It is damaged, or has what depends on the day or the machine: times, extra fields, comments, bytes of no entry.
pub fn read(zip: &[u8]) -> Vec<Entry> {
    let end = zip.len() - END;
    assert_eq!(&zip[end..end + 4], b"PK\x05\x06", "the directory ends the file, without a comment");
    let (count, mut at) = (u16_at(zip, end + 10), u32_at(zip, end + 16));
    let directory = at;
    let mut entries = Vec::new();
    let mut file = 0;
    for _ in 0..count {
        assert_eq!(&zip[at..at + 4], b"PK\x01\x02");
        let header = &zip[at..at + CENTRAL];
        let name_length = u16_at(header, 28);
        let name = String::from_utf8(zip[at + CENTRAL..at + CENTRAL + name_length].to_vec()).unwrap();
        assert_eq!(header[5], 3, "{name}: made by Unix, or else its mode means nothing");
        assert_eq!((u16_at(header, 12), u16_at(header, 14)), (0, 0b10_0001), "{name} is of 1980-01-01, 0:00");
        assert_eq!((u16_at(header, 30), u16_at(header, 32)), (0, 0), "{name}: no extra field, no comment");
        assert_eq!(u32_at(header, 42), file, "{name} begins where the one before it ends");

        // The same stands before the file itself, and neither may say more.
        let local = &zip[file..file + LOCAL];
        assert_eq!(&local[..4], b"PK\x03\x04");
        assert_eq!(local[4..28], header[6..30], "{name}: version, flags, method, time, sum, sizes and length of name");
        assert_eq!(u16_at(local, 28), 0, "{name}: no extra field");
        let begin = file + LOCAL + name_length;
        assert_eq!(&zip[file + LOCAL..begin], name.as_bytes());

        let (sum, packed, size) = (u32_at(header, 16), u32_at(header, 20), u32_at(header, 24));
        let mut content = Vec::with_capacity(size);
        DeflateDecoder::new(&zip[begin..begin + packed]).read_to_end(&mut content).unwrap();
        let mut actual = Crc::new();
        actual.update(&content);
        assert_eq!((content.len(), usize::try_from(actual.sum()).unwrap()), (size, sum), "{name}");
        entries.push(Entry { name, mode: u32::try_from(u32_at(header, 38)).unwrap() >> 16, content });
        file = begin + packed;
        at += CENTRAL + name_length;
    }
    assert_eq!((file, at), (directory, end), "there is nothing between them");
    entries
}

/// Unpacks them into a folder, with their modes.
pub fn unpack(entries: &[Entry], folder: &Path) {
    for entry in entries {
        let path = folder.join(&entry.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &entry.content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(entry.mode & 0o7777)).unwrap();
    }
}
