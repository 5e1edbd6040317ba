//! What is in `sentinel/`: each check of `tests/kql` as a test of its own. They bind every query that ships by Microsoft's KQL
//! language service (Node.js) and run it in a local engine (Python), on samples and on rows that this connector makes of the
//! simulator's records. `scripts/kql` installs both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by a panic, and says what was stood in for"
)]

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::{Arc, OnceLock},
};

use labelstream_simulator::{Config, History, Simulator};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let answers = Arc::new(Answers { filter: arguments.filter.clone(), found: OnceLock::new() });
    let trials = names().into_iter().map(|name| {
        let answers = Arc::clone(&answers);
        Trial::test(name.clone(), move || answers.of(&name))
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if let Some(found) = answers.found.get() {
        let stood_in: BTreeSet<_> =
            found.values().flat_map(|one| &one.notes).filter(|note| note.starts_with("run with ")).collect();
        for note in stood_in {
            println!("{note}");
        }
    }
    conclusion.exit_code()
}

/// A check that ran.
struct Answer {
    error: Option<String>,
    notes: Vec<String>,
}

/// The answers of all checks that the filter lets through, which one process gives.
struct Answers {
    filter: Option<String>,
    found: OnceLock<HashMap<String, Answer>>,
}

impl Answers {
    fn of(&self, name: &str) -> Result<(), Failed> {
        let found = self.found.get_or_init(|| checked(self.filter.as_deref()));
        let answer = found.get(name).ok_or("the check gave no answer: what it wrote is above")?;
        answer.error.as_ref().map_or(Ok(()), |error| Err(error.into()))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kql")
}

fn runner() -> Command {
    for part in ["node_modules/.package-lock.json", "venv/bin/python"] {
        assert!(folder().join(part).is_file(), "what checks the queries is not installed: run scripts/kql");
    }
    let mut command = Command::new("node");
    command.arg(folder().join("run.js")).stdin(Stdio::null()).stderr(Stdio::inherit());
    command
}

fn names() -> Vec<String> {
    let output = runner().arg("--list").output().expect("node is installed");
    assert!(output.status.success(), "the checks cannot be listed");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Runs the checks with a simulated tenant beside them.
fn checked(filter: Option<&str>) -> HashMap<String, Answer> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = runtime.block_on(Simulator::start(Config::default())).unwrap();
    simulator.publish_history(&History {
        days: 6.9,
        records: 4000,
        label_share: 0.4,
        records_per_content: 200,
        ..History::default()
    });
    let environment: HashMap<_, _> = simulator.environment().into_iter().collect();
    let output = runner()
        .arg("--json")
        .args(filter)
        .env("SIMULATOR", json!({ "environment": environment }).to_string())
        .env("LABELSTREAM", env!("CARGO_BIN_EXE_labelstream"))
        .output()
        .expect("node is installed");
    // A failed check is told by its line.
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| {
            let told: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let notes = told["notes"].as_array().unwrap().iter().filter_map(text).collect();
            (text(&told["name"]).unwrap(), Answer { error: text(&told["error"]), notes })
        })
        .collect()
}
