//! A headless Chromium.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Where it is.
#[derive(Debug, Clone)]
pub struct Browser(PathBuf);

/// What it made of a page.
#[derive(Debug)]
pub struct Shown {
    /// The document after loading, as HTML.
    pub dom: String,
    /// What it said on the console of the page.
    pub complaints: Vec<String>,
}

impl Browser {
    /// The one that is installed.
    pub fn find() -> Option<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&folders)
            .flat_map(|folder| names.map(|name| folder.join(name)))
            .find(|path| path.is_file());
        found.map(Self)
    }

    /// Loads `url`.
    pub fn show(&self, url: &str) -> Shown {
        let output = self.run(&["--dump-dom", "--enable-logging=stderr", url]);
        let said = String::from_utf8_lossy(&output.stderr);
        Shown {
            dom: String::from_utf8(output.stdout).unwrap(),
            complaints: said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect(),
        }
    }

    /// Draws `url` into a file.
    pub fn picture(&self, url: &str, file: &Path) {
        let drawn = format!("--screenshot={}", std::path::absolute(file).unwrap().display());
        self.run(&[&drawn, "--window-size=1180,1000", "--hide-scrollbars", url]);
        let size = file.metadata().unwrap().len();
        assert!((5_000..150_000).contains(&size), "{} has {size} bytes", file.display());
    }

    fn run(&self, arguments: &[&str]) -> Output {
        // A profile of its own, so that several may run at once.
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(&self.0);
        command
            // The sandbox wants a user namespace, which containers lack; the page is our own.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }
}
