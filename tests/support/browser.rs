//! A headless Chromium.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use libtest_mimic::{Failed, Trial};

/// Has `prefers-color-scheme` be dark (0 in Blink's settings).
const DARK: &str = "--blink-settings=preferredColorScheme=0";

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

    /// The one that is installed, and where none is, a line on stderr that `what` is shown in none.
    ///
    /// # Errors
    /// None is, and `STATUS_BROWSER` says that one is required.
    #[expect(clippy::print_stderr, reason = "a test says what it leaves out")]
    pub fn find_or_tell(what: &str) -> Result<Option<Self>, Failed> {
        let found = Self::find();
        if found.is_none() {
            eprintln!(
                "skipped: no Chromium is installed (Debian: apt-get install chromium), so that {what} is shown in no browser"
            );
            if env::var("STATUS_BROWSER").is_ok_and(|value| value == "required") {
                return Err("STATUS_BROWSER=required, and there is none".into());
            }
        }
        Ok(found)
    }

    /// A test that needs a browser; without one it is shown as ignored.
    pub fn trial(browser: Option<&Self>, name: &str, test: impl FnOnce(&Self) + Send + 'static) -> Trial {
        let (browser, is_missing) = (browser.cloned(), browser.is_none());
        let run = move || -> Result<(), Failed> {
            test(&browser.ok_or("no browser")?);
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(is_missing)
    }

    /// Loads `url`.
    pub fn show(&self, url: &str) -> Shown {
        self.show_with(&[], url)
    }

    /// Loads `url` as somebody does who likes it dark.
    pub fn show_dark(&self, url: &str) -> Shown {
        self.show_with(&[DARK], url)
    }

    /// Loads `url` and lets so many milliseconds pass on its own clock, which does not wait for real ones.
    pub fn show_after(&self, url: &str, milliseconds: u32) -> Shown {
        self.show_with(&[&format!("--virtual-time-budget={milliseconds}")], url)
    }

    fn show_with(&self, more: &[&str], url: &str) -> Shown {
        let output = self.run(&[&["--dump-dom", "--enable-logging=stderr"], more, &[url]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        Shown {
            dom: String::from_utf8(output.stdout).unwrap(),
            complaints: said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect(),
        }
    }

    /// Draws `url` into a file of at most `bytes`, at so many pixels of height.
    pub fn picture(&self, url: &str, file: &Path, height: u32, bytes: u64, is_dark: bool) {
        let drawn = format!("--screenshot={}", std::path::absolute(file).unwrap().display());
        let window = format!("--window-size=1180,{height}");
        let dark: &[&str] = if is_dark { &[DARK] } else { &[] };
        self.run(&[&[drawn.as_str(), &window, "--hide-scrollbars"], dark, &[url]].concat());
        let size = file.metadata().unwrap().len();
        assert!((5_000..bytes).contains(&size), "{} has {size} bytes", file.display());
    }

    /// Prints `url` into a file, as PDF; dark where somebody likes it so, for paper has to be light all the same.
    pub fn print(&self, url: &str, file: &Path) -> Vec<u8> {
        let printed = format!("--print-to-pdf={}", file.display());
        self.run(&[&printed, "--no-pdf-header-footer", DARK, url]);
        std::fs::read(file).unwrap()
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
