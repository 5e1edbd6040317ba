//! Rows of a simulated company, as the binary's own `pull` writes them, with the names of its labels.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use labelstream_simulator::{Config, ContentType, Simulator, Tenant};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// Contents, each with so many label events, over six days.
const CONTENTS: u32 = 60;
const EVENTS: u32 = 40;

/// The rows of the company; pulled once for all tests.
pub fn rows() -> &'static [Value] {
    static ROWS: OnceLock<Vec<Value>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(pulled())
    })
}

/// The same as lines.
pub fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

async fn pulled() -> Vec<Value> {
    let simulator = Simulator::start(Config { subscribed: true, ..Config::default() }).await.unwrap();
    for number in 0..CONTENTS {
        let kind = ContentType::WITH_LABELS[number as usize % 3];
        let created =
            OffsetDateTime::now_utc() - Duration::days(6) + Duration::hours(2) * i32::try_from(number).unwrap();
        simulator.publish(kind, created, EVENTS, 3);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_labelstream"));
    command.env_clear().envs(simulator.environment()).args(["pull", "--dry-run", "--output", "-"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows.iter_mut().for_each(|row| name(row, simulator.tenant()));
    assert_eq!(rows.len() as u64, simulator.report().published);
    rows
}

/// Adds what the label catalogue tells, where the row does not have it.
fn name(row: &mut Value, tenant: &Tenant) {
    for before in ["", "Old"] {
        let column = |name: &str| format!("{before}SensitivityLabel{name}");
        let label = tenant.labels.iter().find(|label| row[&column("Id")] == label.id.as_str());
        if let Some(label) = label.filter(|_| row[&column("Name")].is_null()) {
            row[&column("Name")] = json!(tenant.label_path(label));
            row[&column("Priority")] = json!(label.priority);
        }
    }
    let ranks = ["OldSensitivityLabelPriority", "SensitivityLabelPriority"].map(|name| row[name].as_i64());
    if let ([Some(old), Some(new)], true) = (ranks, row["LabelChange"].is_null()) {
        let change = match new.cmp(&old) {
            std::cmp::Ordering::Greater => "Upgraded",
            std::cmp::Ordering::Less => "Downgraded",
            std::cmp::Ordering::Equal => "SameOrder",
        };
        row["LabelChange"] = json!(change);
    }
}

/// Runs `labelstream report` with these arguments, in `folder`.
pub fn report(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_labelstream"));
    command.env_clear().arg("report").args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

/// The report of `rows` in a folder of its own.
pub fn reported(rows: &[Value]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rows.ndjson"), lines(rows)).unwrap();
    let output = report(folder.path(), &["rows.ndjson", "--html", "report.html", "--title", "Labels of Fabrikam"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    (folder, page)
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
