//! Files that survive a crash and that other users cannot read.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

/// Opens `path` for reading and writing, made with permission for its owner alone where it is missing.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes `folder` and what is missing above it, for its owner alone. Folders that exist keep their permissions.
pub(super) fn make_private_folders(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Makes the folders of `path` below `root`, durably.
pub(super) fn make_parents(root: &Path, path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    if parent.is_dir() {
        return Ok(());
    }
    make_private_folders(parent)?;
    // Each new folder is an entry of the one above it.
    for above in parent.ancestors().skip(1).take_while(|above| above.starts_with(root)) {
        sync_folder(above)?;
    }
    Ok(())
}

/// Puts `body` in the place of `path` through the file `new` beside it (in the same file system): a reader sees the
/// old body or the new one, and the new one is durable when this returns.
pub(super) fn replace(new: &Path, path: &Path, body: &[u8]) -> io::Result<()> {
    let mut file = open_private(new)?;
    file.set_len(0)?; // a killed writer may have left something
    file.write_all(body)?;
    file.sync_all()?;
    fs::rename(new, path)?;
    sync_parent(path)
}

/// Removes `path` durably; nothing there is no error.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// At most `most` bytes of `path` from the byte `from` on, or `None` where there is no such file.
pub(super) fn read_part(path: &Path, from: u64, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    file.seek(SeekFrom::Start(from))?;
    let mut part = Vec::new();
    file.take(most as u64).read_to_end(&mut part)?;
    Ok(Some(part))
}

/// The whole of `path`, or `None` where there is no such file.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(body) => Ok(Some(body)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The bytes of `file` from `at` on.
pub(super) fn tail_from(file: &mut File, at: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes durable which entries the folder of `path` has.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_folder)
}

/// Whether `path` still names the file that is open: it may have been removed, and another made in its place.
pub(super) fn still_names(path: &Path, file: &File) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(found) => Ok(same_file(&found, &file.metadata()?)),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether there is no file at the path: nothing, a folder, or a file in the place of a folder above it.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(()) // other systems open no folders, and order such changes themselves
}

#[cfg(unix)]
fn same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same_file(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true // other systems remove no file that is open
}
