//! The program from outside: what it writes, leaves behind and exits with.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// Cargo builds the examples for `cargo test`, beside the folder of the test's own binary, but not for the tests of one
/// file: what is missing or older than its sources is not judged.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("examples");
    let path = folder.join(format!("demo{}", std::env::consts::EXE_SUFFIX));
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    let built = changed(&path).unwrap_or_else(|_| panic!("first `cargo build --example demo`: no {}", path.display()));
    let sources = fs::read_to_string(folder.join("demo.d")).unwrap();
    let sources = sources.split_once(": ").unwrap().1.replace("\\ ", "\0");
    for source in sources.split_whitespace().map(|source| source.replace('\0', " ")) {
        assert!(changed(Path::new(&source)).unwrap() <= built, "first `cargo build --example demo`: {source} is newer");
    }
    path
}

/// A demo with a folder for what it leaves behind, in an environment in which a real tenant is configured.
fn demo(within: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .env("TMPDIR", within)
        .env("M365_TENANT_ID", "not-for-the-demo")
        .env("M365_CLIENT_ID", "not-for-the-demo")
        .env("DATA_COLLECTION_ENDPOINT", "https://not-for-the-demo.example")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> (TempDir, Output, String) {
    let within = tempfile::tempdir().unwrap();
    let output = demo(within.path(), arguments).output().unwrap();
    let picture = String::from_utf8(output.stdout.clone()).unwrap();
    (within, output, picture)
}

fn rows(file: &Path) -> Vec<Value> {
    fs::read_to_string(file).unwrap().lines().map(|row| serde_json::from_str(row).unwrap()).collect()
}

fn ids(rows: &[Value]) -> BTreeSet<&str> {
    rows.iter().map(|row| row["AuditRecordId"].as_str().unwrap()).collect()
}

#[test]
fn every_published_label_event_arrives_once_and_the_picture_says_so() {
    let (within, output, picture) = run(&["--records", "3000", "--seed", "5"]);
    assert_eq!(output.status.code(), Some(0), "{picture}{}", String::from_utf8_lossy(&output.stderr));
    for said in [
        "✔ 150 label events delivered, each once and nothing else",
        "✔ published 150 · arrived 150 · missing 0 · unexpected 0 · doubled 0",
        "Highly Confidential\\Board",
        "SharePointFileOperation",
        " → no label  ",
        " name it: 100.0 %.",
        "MicrosoftTeams (25)",
        "You do not pay for these",
        "README.md, section Deploying",
    ] {
        assert!(picture.contains(said.trim_end()), "not said: {said}\n{picture}");
    }
    assert!(!picture.contains('\x1b'), "colours are for terminals");
    assert!(
        picture.lines().all(|line| line.chars().count() <= 100 || line.contains("labelstream-demo-1")),
        "{picture}"
    );

    let folder = within.path().join("labelstream-demo-1");
    let rows = rows(&folder.join("rows.ndjson"));
    assert_eq!((rows.len(), ids(&rows).len()), (150, 150));
    let report = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains(">150</dd>") && report.contains("Sensitivity labels of "), "the report is of these rows");
    assert!(picture.contains(folder.join("report.html").to_str().unwrap()), "{picture}");
    assert!(folder.join("state").read_dir().unwrap().next().is_some(), "the watermark is there");
    assert!(fs::read_to_string(folder.join("connector.log")).unwrap().contains("150 rows sent"));
}

#[test]
fn faults_double_no_more_than_lost_answers_excuse() {
    let (within, output, picture) = run(&["--records", "2000", "--seed", "5", "--faults"]);
    assert_eq!(output.status.code(), Some(0), "{picture}{}", String::from_utf8_lossy(&output.stderr));
    for said in [
        "arrived 100 · missing 0 · unexpected 0 · doubled 100",
        "1 answer was lost after the batch was stored, so 100 rows were sent again",
        "1 throttled listing, 1 server error, ",
        "cut off by a reset, 1 lost answer",
    ] {
        assert!(picture.contains(said), "not said: {said}\n{picture}");
    }
    let rows = rows(&within.path().join("labelstream-demo-1/rows.ndjson"));
    assert_eq!((rows.len(), ids(&rows).len()), (200, 100));
}

#[test]
fn the_rows_and_the_state_go_where_they_are_asked_to_and_nothing_is_overwritten() {
    let elsewhere = tempfile::tempdir().unwrap();
    let place = |name: &str| elsewhere.path().join(name).to_str().unwrap().to_owned();
    let (state, file, report) = (place("state"), place("rows.ndjson"), place("report.html"));
    let arguments = ["--records", "400", "--days", "0.5", "--state", &state, "--rows", &file, "--report", &report];
    let (_within, output, picture) = run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{picture}");
    let places = [&state, &file, &report];
    assert!(places.iter().all(|place| picture.contains(*place)) && picture.contains("0.5 days of"), "{picture}");
    assert!(fs::read_to_string(&report).unwrap().starts_with("<!DOCTYPE html>"));
    assert_eq!(rows(Path::new(&file)).len(), 20);

    let (_within, output, picture) = run(&arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), picture.as_str()), (Some(1), ""));
    assert!(said.contains("--state") && said.contains("is not empty"), "{said}");
    assert_eq!(rows(Path::new(&file)).len(), 20, "untouched");
}

#[test]
fn wrong_use_is_told_from_failure() {
    for arguments in [&["--days", "8"][..], &["--records", "0"], &["--nonsense"]] {
        let (_within, output, _) = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

/// Ctrl-C has no other sender than a terminal where there are no signals.
#[cfg(unix)]
#[test]
fn kept_running_it_shows_events_as_they_come_and_proves_them_at_ctrl_c() {
    use std::io::{BufRead as _, BufReader};

    let within = tempfile::tempdir().unwrap();
    let mut process = demo(within.path(), &["--records", "400", "--days", "0.5", "--keep-running"]).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut until = |part: &str| {
        let found = lines.find(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("it ended without saying {part}"))
    };
    until("published 20 · arrived 20 ·");
    until("Ctrl-C ends it");
    // A line of an event that arrived after that.
    until("  ");
    let interrupted = Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let proof = until("✔ published ");
    assert!(!proof.contains("published 20 ") && proof.contains("missing 0 · unexpected 0 · doubled 0"), "{proof}");
    lines.for_each(drop);
    assert_eq!(process.wait().unwrap().code(), Some(0));
}
