//! `labelstream pull`: the real binary at a shell.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

#[path = "pull/endings.rs"]
mod endings;
#[path = "pull/pipes.rs"]
mod pipes;
#[path = "pull/terminal.rs"]
mod terminal;

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
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
        let shell = Self::of(Config { subscribed: true, ..Config::default() }).await;
        for minutes in [30, 20] {
            let created = OffsetDateTime::now_utc() - Duration::minutes(minutes);
            shell.simulator.publish(ContentType::General, created, 5, 4);
        }
        shell
    }

    /// A tenant with nothing published.
    async fn of(config: Config) -> Self {
        Self { simulator: Simulator::start(config).await.unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    /// A tenant with so many contents of so many label events each.
    async fn with(contents: u32, labels: u32) -> Self {
        let shell = Self::of(Config { subscribed: true, ..Config::default() }).await;
        shell.publish(contents, labels);
        shell
    }

    fn publish(&self, contents: u32, labels: u32) {
        for number in 0..contents {
            let age = Duration::minutes(55).saturating_sub(Duration::seconds(number.into()) * 3);
            self.simulator.publish(ContentType::General, OffsetDateTime::now_utc() - age, labels, 0);
        }
    }

    /// How often an endpoint was asked.
    fn asked(&self, endpoint: Endpoint) -> u64 {
        self.simulator.requests().by_endpoint.get(&endpoint).copied().unwrap_or(0)
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

    /// Starts `labelstream` with both of its outputs piped to the test.
    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_labelstream"));
        command.env_clear().envs(self.simulator.environment()).args(arguments).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// Waits for a process, off the runtime's threads, and reads the rest of its outputs. One that hangs fails the test.
async fn ended(child: Child) -> Output {
    let id = child.id().to_string();
    let mut waiting = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    match tokio::time::timeout(std::time::Duration::from_secs(60), &mut waiting).await {
        Ok(output) => output.unwrap(),
        Err(_) => {
            Command::new("kill").args(["-s", "KILL", &id]).status().unwrap();
            panic!("it hangs: {}", said(&waiting.await.unwrap()));
        }
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
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
async fn a_dry_run_starts_no_subscription_and_says_which_is_missing() {
    let shell = Shell::of(Config::default()).await;
    shell.publish(2, 5);
    let output = shell.run(&["pull", "--dry-run"], &INGESTION).await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("failed: Audit.General: listing Audit.General: there is no subscription"),
        "{}",
        said(&output)
    );
    assert!(said(&output).contains("A dry run starts no subscription"), "{}", said(&output));
    assert_eq!(shell.asked(Endpoint::Start), 0);
    // A run that sends starts them.
    let output = shell.run(&["pull", "--state", &shell.path("state")], &[]).await;
    assert_eq!((output.status.code(), shell.asked(Endpoint::Start)), (Some(0), 3), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_to_a_file_only_where_it_is_known_what_that_takes_from_the_table() {
    let shell = Shell::new().await;
    let file = shell.path("rows.ndjson");
    for output in ["-", &file] {
        let output = shell.run(&["pull", "--output", output], &[]).await;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("--state DIR") && said(&output).contains("--dry-run"), "{}", said(&output));
    }
    assert_eq!(shell.simulator.requests().by_endpoint.len(), 0);
    assert!(!Path::new(&file).exists());
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

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_told_of_only_where_its_rows_are_sent() {
    let shell = Shell::new().await;
    let state = shell.path("state");
    for arguments in [
        &["pull", "--dry-run"][..],
        &["pull", "--dry-run", "--output", "-"],
        &["pull", "--output", "rows.ndjson", "--state", &shell.path("other")],
    ] {
        let output = shell.run(arguments, &[]).await;
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(shell.asked(Endpoint::Heartbeat), 0);
    let output = shell.run(&["pull", "--state", &state], &[]).await;
    assert!(output.status.success(), "{}", said(&output));
    let heartbeats = shell.simulator.heartbeats();
    assert_eq!(heartbeats.len(), 1);
    let row: Value = serde_json::from_str(heartbeats[0].row.get()).unwrap();
    assert_eq!((&row["Outcome"], &row["Rows"]), (&"Done".into(), &10.into()));
    let runs = std::fs::read(Path::new(&state).join(&shell.simulator.tenant().id).join("runs.json")).unwrap();
    let runs: Value = serde_json::from_slice(&runs).unwrap();
    assert_eq!((runs.as_array().unwrap().len(), &runs[0]["trigger"]), (1, &"pull".into()));
    assert_eq!(runs[0]["runId"], row["RunId"]);
}
