//! `labelstream pull`: the real binary at a shell.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

use std::{
    path::Path,
    process::{Command, Output},
};

use labelstream::row::{ColumnType, columns};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, Simulator, When};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

struct Shell {
    simulator: Simulator,
    folder: tempfile::TempDir,
}

impl Shell {
    /// A tenant with two contents of five label events and some noise each.
    async fn new() -> Self {
        let simulator = Simulator::start(Config::default()).await.unwrap();
        for minutes in [30, 20] {
            let created = OffsetDateTime::now_utc() - Duration::minutes(minutes);
            simulator.publish(ContentType::General, created, 5, 4);
        }
        Self { simulator, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs `labelstream` with these arguments and the tenant's settings, without those of `unset`.
    async fn run(&self, arguments: &[&str], unset: &[&str]) -> Output {
        let settings = self.simulator.environment().into_iter().filter(|(name, _)| !unset.contains(name));
        let mut command = Command::new(env!("CARGO_BIN_EXE_labelstream"));
        command.env_clear().envs(settings).args(arguments).current_dir(self.folder.path());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }
}

fn rows(text: &[u8]) -> Vec<Value> {
    String::from_utf8(text.to_vec()).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const INGESTION: [&str; 3] = ["DATA_COLLECTION_ENDPOINT", "LOGS_DCR_RULE_ID", "LOGS_DCR_STREAM_NAME"];

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_rows_and_leaves_no_trace() {
    let shell = Shell::new().await;
    for _ in 0..2 {
        let output = shell.run(&["pull", "--dry-run", "--output", "-"], &INGESTION).await;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let rows = rows(&output.stdout);
        assert_eq!(rows.len(), 10);
        assert!(rows.iter().all(|row| row["AuditRecordId"].is_string() && row["TimeGenerated"].is_string()));
    }
    assert_eq!(shell.simulator.report().totals.posts, 0);
    assert_eq!(std::fs::read_dir(shell.folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_in_a_folder_tells_what_was_sent() {
    let shell = Shell::new().await;
    let state = shell.path("state");
    let output = shell.run(&["pull", "--state", &state], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(output.stdout.is_empty(), "standard output is for rows");
    let report = shell.simulator.report();
    assert!(report.is_clean() && report.arrived == 10, "{report:?}");
    let output = shell.run(&["pull", "--state", &state], &[]).await;
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(shell.simulator.report().totals.posts, 1, "nothing is sent again");
    assert_eq!(shell.simulator.requests().by_endpoint[&Endpoint::Retrieve], 2, "nothing is fetched again");
    // A dry run on top of the state shows what is new alone, and keeps it new.
    shell.simulator.publish(ContentType::Exchange, OffsetDateTime::now_utc() - Duration::minutes(2), 3, 0);
    for _ in 0..2 {
        let output = shell.run(&["pull", "--dry-run", "--output", "-", "--state", &state], &[]).await;
        assert_eq!(rows(&output.stdout).len(), 3, "{}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_to_a_file_once() {
    let shell = Shell::new().await;
    let (state, file) = (shell.path("state"), shell.path("rows.ndjson"));
    for _ in 0..2 {
        let output = shell.run(&["pull", "--state", &state, "--output", &file], &INGESTION).await;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(rows(&std::fs::read(Path::new(&file)).unwrap()).len(), 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_by_time_of_publication() {
    let shell = Shell::new().await;
    let half_past = OffsetDateTime::now_utc() - Duration::minutes(25);
    let since = half_past.format(&time::format_description::well_known::Rfc3339).unwrap();
    let output = shell.run(&["pull", "--dry-run", "--output", "-", "--since", &since], &[]).await;
    assert_eq!(rows(&output.stdout).len(), 5, "{}", said(&output));
    let output = shell
        .run(&["pull", "--dry-run", "--output", "-", "--until", &since, "--since", "2026-01-01T00:00:00Z"], &[])
        .await;
    assert_eq!(rows(&output.stdout).len(), 5, "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_use_is_2_and_failure_1() {
    let shell = Shell::new().await;
    for arguments in [
        &["pull", "--since", "yesterday"][..],
        &["pull", "--dry-run", "--since", "2026-11-02T00:00:00Z", "--until", "2026-11-01T00:00:00Z"],
        &["pull", "--no-such-option"],
        &["serve"],
        &["pull"],
    ] {
        let output = shell.run(arguments, &[]).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(!said(&output).is_empty(), "{arguments:?}");
    }
    let output = shell.run(&["pull", "--dry-run"], &["M365_TENANT_ID"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("M365_TENANT_ID="), "an example: {}", said(&output));

    shell.simulator.fault(Fault::new(Endpoint::Ingest, When::Always, Effect::not_granted())).unwrap();
    let output = shell.run(&["pull", "--state", &shell.path("state")], &[]).await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("Monitoring Metrics Publisher"), "{}", said(&output));
}

#[tokio::test]
async fn the_simulator_judges_rows_by_the_declared_columns() {
    use labelstream_simulator::stream::{ColumnType as Theirs, Columns};
    let ours: Vec<_> = columns()
        .map(|(name, kind)| {
            let kind = match kind {
                ColumnType::String => Theirs::String,
                ColumnType::Int => Theirs::Int,
                ColumnType::Boolean => Theirs::Boolean,
                ColumnType::Datetime => Theirs::Datetime,
                ColumnType::Dynamic => Theirs::Dynamic,
            };
            (name, kind)
        })
        .collect();
    let stream = Columns::default();
    let mut theirs: Vec<_> = stream.iter().collect();
    let mut sorted = ours.clone();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    theirs.sort_unstable_by_key(|(name, _)| *name);
    assert_eq!(format!("{sorted:?}"), format!("{theirs:?}"));
}
