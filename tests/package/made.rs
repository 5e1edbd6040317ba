//! The package that is judged, and the script that makes it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use tempfile::TempDir;

use crate::zip::{self, Entry};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The script with these arguments.
pub fn script(arguments: &[&str]) -> Command {
    let mut command = Command::new(root().join("scripts/package"));
    command.args(arguments);
    command
}

/// What a command said, on both streams.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}

/// A package.
pub struct Package {
    pub zip: PathBuf,
    /// The folder of the publishing tools.
    pub app: PathBuf,
    pub entries: Vec<Entry>,
    /// Whether it was made before, with the binary that is to be published.
    pub is_release: bool,
    /// How it is compressed.
    pub level: &'static str,
    _folder: Option<TempDir>,
}

impl Package {
    /// The one that all tests judge. The binary under test has all its debug information, hence the low level.
    pub fn judged() -> &'static Self {
        static JUDGED: OnceLock<Package> = OnceLock::new();
        JUDGED.get_or_init(|| match env::var_os("PACKAGE_ZIP") {
            Some(path) => Self::at(root().join(path), "app", None, true, "9"),
            None => Self::packed(&[], "labelstream.zip", "app", env!("CARGO_BIN_EXE_labelstream")),
        })
    }

    /// The one for many tenants, with the handler of the other.
    pub fn fleet() -> &'static Self {
        static FLEET: OnceLock<Package> = OnceLock::new();
        FLEET.get_or_init(|| {
            let judged = Self::judged();
            let handler = judged.app.join(&judged.handler().name);
            Self::packed(&["--fleet"], "labelstream-fleet.zip", "fleet", handler.to_str().unwrap())
        })
    }

    fn packed(arguments: &[&str], zip: &str, app: &str, handler: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().to_str().unwrap();
        let made = script(arguments).args(["--handler", handler, "--output", output, "--level", "1"]).output().unwrap();
        assert!(made.status.success(), "{}", said(&made));
        Self::at(folder.path().join(zip), app, Some(folder), false, "1")
    }

    fn at(zip: PathBuf, app: &str, folder: Option<TempDir>, is_release: bool, level: &'static str) -> Self {
        let bytes = fs::read(&zip).unwrap_or_else(|error| panic!("{}: {error}", zip.display()));
        Self { app: zip.with_file_name(app), entries: zip::read(&bytes), zip, is_release, level, _folder: folder }
    }

    /// The file that the host starts, by its name in host.json.
    pub fn handler(&self) -> &Entry {
        let executable = executable(&self.entry("host.json").content);
        self.entry(&executable)
    }

    /// The file of this name.
    pub fn entry(&self, name: &str) -> &Entry {
        self.entries.iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("there is no {name}"))
    }
}

/// What a host.json starts.
pub fn executable(host: &[u8]) -> String {
    let host: serde_json::Value = serde_json::from_slice(host).unwrap();
    host["customHandler"]["description"]["defaultExecutablePath"].as_str().unwrap().to_owned()
}
