//! A tenant, a folder for its state, and a shell to run the binary in.

use std::{path::PathBuf, process::Command};

use labelstream::{
    labels::{LONGEST, Stored},
    state::{Expect, Store as _, folder::FolderStore},
};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, Simulator, When};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

pub struct Shell {
    pub simulator: Simulator,
    pub folder: tempfile::TempDir,
    /// App settings beside those of the tenant.
    pub settings: Vec<(&'static str, String)>,
}

/// What the binary did.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub data: String,
    pub said: String,
}

impl Ran {
    /// It did what it should.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{}", self.said);
        self
    }

    /// The lines that it said and that have these words.
    pub fn lines(&self, words: &str) -> Vec<&str> {
        self.said.lines().filter(|line| line.contains(words)).collect()
    }

    /// Those of them that are warnings.
    pub fn warned(&self, words: &str) -> Vec<&str> {
        self.lines(words).into_iter().filter(|line| line.contains(" WARN ")).collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

impl Shell {
    pub async fn of(config: Config) -> Self {
        let simulator = Simulator::start(Config { subscribed: true, ..config }).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        Self { simulator, folder, settings: Vec::new() }
    }

    /// A tenant with one record of each kind, and a folder for the state.
    pub async fn new() -> Self {
        let shell = Self::of(Config::default()).await;
        shell.simulator.publish_every_kind(OffsetDateTime::now_utc() - Duration::minutes(30));
        shell
    }

    pub async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_labelstream"));
        command.env_clear().envs(self.simulator.environment()).current_dir(self.folder.path());
        command.envs(self.settings.iter().map(|(name, value)| (*name, value.as_str()))).args(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { status: output.status.code().unwrap(), data: text(output.stdout), said: text(output.stderr) }
    }

    /// One run that sends; its budget leaves a tenth of it, two seconds, for Graph.
    pub async fn pull(&self) -> Ran {
        self.run(&["pull", "--state", "state", "--budget", "20"]).await
    }

    /// The first rows, and no other, of which nothing is known yet.
    pub fn publish(&self, records: impl IntoIterator<Item = Value>) {
        let created = OffsetDateTime::now_utc() - Duration::minutes(5);
        self.simulator.publish_records(ContentType::General, created, records);
    }

    pub fn fault(&self, on: Endpoint, when: When, effect: Effect) {
        self.simulator.fault(Fault::new(on, when, effect)).unwrap();
    }

    /// How often an endpoint was asked.
    pub fn asked(&self, endpoint: Endpoint) -> u64 {
        self.simulator.requests().by_endpoint.get(&endpoint).copied().unwrap_or(0)
    }

    /// The rows that arrived.
    pub fn rows(&self) -> Vec<Value> {
        self.simulator.rows().iter().map(|row| serde_json::from_str(row.get()).unwrap()).collect()
    }

    /// The row with this id.
    #[track_caller]
    pub fn row(&self, id: &str) -> Value {
        self.rows().into_iter().find(|row| row["AuditRecordId"] == id).expect("the row")
    }

    pub fn store(&self) -> FolderStore {
        FolderStore::open(self.folder.path().join("state")).unwrap()
    }

    fn key(&self) -> String {
        Stored::key(&self.simulator.tenant().id)
    }

    /// What is stored of the labels.
    pub async fn stored(&self) -> Option<Stored> {
        self.store().get(&self.key()).await.unwrap().map(|(body, _)| Stored::parse(&body).unwrap())
    }

    /// Time passes for what is stored of the labels.
    pub async fn age(&self, by: Duration) {
        let mut stored = self.stored().await.unwrap();
        stored.fetched_at = stored.fetched_at.map(|at| at - by);
        if let Some(failure) = &mut stored.failure {
            failure.at -= by;
        }
        self.store().put(&self.key(), stored.to_json().unwrap().into(), &Expect::Any).await.unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A day, and a minute more.
pub const A_DAY: Duration = Duration::minutes(24 * 60 + 1);

/// A record by which a label was changed in an Office app.
pub fn changed(id: &str, old: &str, new: &str) -> Value {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    let created = now.format(&time::format_description::well_known::Rfc3339).unwrap();
    json!({
        "Id": id, "RecordType": 83, "Operation": "SensitivityLabelUpdated", "CreationTime": created.trim_end_matches('Z'),
        "SensitivityLabelEventData": {"OldSensitivityLabelId": old, "SensitivityLabelId": new},
    })
}

/// The longest that a run waits for Graph is more than the tests wait for it.
const _: () = assert!(LONGEST.as_secs() >= 2);
