//! Where the demo puts what it leaves behind.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// How many folders of one name are tried before it is given up.
const NAMES: u32 = 1_000;

/// The files and folders of one demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Folder of the connector's state.
    pub state: PathBuf,
    /// The rows that arrived, NDJSON.
    pub rows: PathBuf,
    /// The rows as a page for a browser.
    pub report: PathBuf,
    /// The connector's log lines.
    pub log: PathBuf,
}

/// Why there is no place.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A new folder cannot be made.
    #[error("a folder for the demo cannot be made in {}: {error}. Set TMPDIR to a folder that can be written to, and delete old labelstream-demo folders", within.display())]
    Folder {
        /// Where it was to be.
        within: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The folder of the state is in use.
    #[error("--state {} is not empty. The state of another demo would make this one skip its events: name a new folder", .0.display())]
    State(PathBuf),
    /// The folder of the state cannot be looked into.
    #[error("--state {}: {}", .0.display(), .1)]
    NoState(PathBuf, io::Error),
    /// A file that it is to write is there.
    #[error("{} {} is there already: name a new file, or delete it", .0, .1.display())]
    InUse(&'static str, PathBuf),
}

impl Places {
    /// Makes a folder of its own below `within` for all that is not given a place.
    ///
    /// # Errors
    /// See [`PlaceError`].
    pub fn make(
        within: &Path,
        state: Option<&Path>,
        rows: Option<&Path>,
        report: Option<&Path>,
    ) -> Result<Self, PlaceError> {
        if let Some(state) = state {
            match fs::read_dir(state).map(|mut entries| entries.next().is_none()) {
                Ok(true) => {}
                Ok(false) => return Err(PlaceError::State(state.to_owned())),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(PlaceError::NoState(state.to_owned(), error)),
            }
        }
        for (option, file) in [("--rows", rows), ("--report", report)] {
            if let Some(file) = file.filter(|file| file.exists()) {
                return Err(PlaceError::InUse(option, file.to_owned()));
            }
        }
        let folder = new_folder(within).map_err(|error| PlaceError::Folder { within: within.to_owned(), error })?;
        Ok(Self {
            state: state.map_or_else(|| folder.join("state"), Path::to_owned),
            rows: rows.map_or_else(|| folder.join("rows.ndjson"), Path::to_owned),
            report: report.map_or_else(|| folder.join("report.html"), Path::to_owned),
            log: folder.join("connector.log"),
        })
    }
}

/// A folder that was not there before, so that no one else's is used.
fn new_folder(within: &Path) -> io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let folder = within.join(format!("labelstream-demo-{number}"));
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < NAMES => number += 1,
            made => return made.map(|()| folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_demo_has_a_folder_of_its_own() {
        let within = tempfile::tempdir().unwrap();
        let one = Places::make(within.path(), None, None, None).unwrap();
        let two = Places::make(within.path(), None, None, None).unwrap();
        assert!(
            one.log.parent().unwrap().is_dir() && one.log != two.log && one.state != two.state && one.rows != two.rows
        );
    }

    #[test]
    fn nothing_that_is_there_is_touched() {
        let within = tempfile::tempdir().unwrap();
        let make = |state: Option<&Path>, rows: Option<&Path>| Places::make(within.path(), state, rows, None);
        let empty = within.path().join("empty");
        fs::create_dir(&empty).unwrap();
        let (fresh, file) = (within.path().join("fresh"), within.path().join("file"));
        assert_eq!(make(Some(&empty), Some(&file)).unwrap().rows, file);
        assert_eq!(make(Some(&fresh), None).unwrap().state, fresh);
        fs::write(&file, "mine").unwrap();
        assert!(matches!(make(None, Some(&file)), Err(PlaceError::InUse("--rows", _))));
        let used = Places::make(within.path(), None, None, Some(&file));
        assert!(matches!(used, Err(PlaceError::InUse("--report", _))));
        assert!(matches!(make(Some(within.path()), None), Err(PlaceError::State(_))));
        assert!(matches!(make(Some(&file), None), Err(PlaceError::NoState(..))));
        let nowhere = Places::make(&file, None, None, None).unwrap_err();
        assert!(nowhere.to_string().contains("TMPDIR"), "{nowhere}");
    }
}
