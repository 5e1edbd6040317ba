//! A tenant whose state lies in a folder or a container, and a shell to run the binary in.

use std::{
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use labelstream::{
    dead_letter::{self, DeadLetter},
    state::{Expect, Store, blob::BlobStore, connection::StorageAccount, folder::FolderStore},
};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, Simulator, When};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::azurite::Azurite;

pub struct World {
    pub simulator: Simulator,
    folder: tempfile::TempDir,
    container: Option<String>,
}

impl World {
    /// The state lies in a folder.
    pub async fn in_a_folder() -> Self {
        Self::with(None).await
    }

    /// The state lies in a container of its own.
    pub async fn in_a_container() -> Self {
        static CONTAINERS: AtomicU32 = AtomicU32::new(0);
        let number = CONTAINERS.fetch_add(1, Ordering::Relaxed);
        Self::with(Some(format!("letters-{}-{number}", std::process::id()))).await
    }

    async fn with(container: Option<String>) -> Self {
        let config = Config { subscribed: true, ..Config::default() };
        Self { simulator: Simulator::start(config).await.unwrap(), folder: tempfile::tempdir().unwrap(), container }
    }

    pub fn state_folder(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_labelstream"));
        command.env_clear().envs(self.simulator.environment()).args(arguments).current_dir(self.folder.path());
        match &self.container {
            Some(container) => {
                let account = Azurite::shared().connection_string();
                command.env("AzureWebJobsStorage", account).env("STATE_CONTAINER", container);
            }
            None => {
                std::fs::create_dir_all(self.state_folder()).unwrap();
                command.args(["--state", "state"]);
            }
        }
        command
    }

    /// Runs the binary to its end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// As [`World::run`], with the exit status that it must have. Returns what it wrote: its data, and what it said.
    pub async fn expect(&self, status: i32, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments).await;
        let texts = texts(&output);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {texts:?}");
        texts
    }

    /// Starts the binary.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn store(&self) -> Arc<dyn Store> {
        match &self.container {
            Some(container) => {
                let account = StorageAccount::from_connection_string(&Azurite::shared().connection_string()).unwrap();
                Arc::new(BlobStore::open(&account, container, None).unwrap())
            }
            None => Arc::new(FolderStore::open(self.state_folder()).unwrap()),
        }
    }

    pub fn tenant(&self) -> &str {
        &self.simulator.tenant().id
    }

    /// The dead letters that lie there, by key.
    pub async fn letters(&self) -> Vec<(String, DeadLetter)> {
        let store = self.store();
        let mut letters = Vec::new();
        for key in dead_letter::keys(store.as_ref(), self.tenant()).await.unwrap() {
            let letter = dead_letter::get(store.as_ref(), &key).await.unwrap().unwrap();
            letters.push((key, letter));
        }
        letters
    }

    pub async fn put(&self, letter: &DeadLetter) {
        assert!(letter.save(self.store().as_ref(), self.tenant(), &Expect::Absent).await.unwrap());
    }

    pub fn fault(&self, on: Endpoint, when: When, effect: Effect) {
        self.simulator.fault(Fault::new(on, when, effect)).unwrap();
    }

    pub fn asked(&self, endpoint: Endpoint) -> u64 {
        self.simulator.requests().by_endpoint.get(&endpoint).copied().unwrap_or(0)
    }

    /// Publishes so many label events and leaves all of them but one as dead letters: the endpoint refuses those rows.
    pub async fn refuse_rows(&self, rows: u32) {
        assert!(rows < 9, "more rows refused with none accepted are taken for a fault of the endpoint");
        self.simulator.publish(ContentType::General, minutes_ago(20), rows + 1, 5);
        // Halving goes from the first row to the last: what is left when the fault is over is accepted.
        let mut refused = 0;
        let parts = &mut vec![rows + 1];
        let mut posts = 0;
        while refused < rows {
            posts += 1;
            match parts.pop().unwrap() {
                1 => refused += 1,
                part => parts.extend([part - part / 2, part / 2]),
            }
        }
        self.fault(Endpoint::Ingest, When::First(posts), Effect::status(400));
        self.expect(0, &["pull"]).await;
        self.simulator.clear_faults();
        assert_eq!(self.letters().await.len() as u32, rows);
        assert_eq!(self.simulator.report().missing, u64::from(rows));
    }

    /// Publishes contents that expire, as the feed says, before they can be fetched: they are dead letters then.
    pub async fn expire_contents(&self, contents: usize, labels: u32) {
        for _ in 0..contents {
            self.simulator.publish(ContentType::General, minutes_ago(20), labels, 5);
        }
        self.fault(Endpoint::Retrieve, When::Always, Effect::af("AF20051"));
        self.run(&["pull"]).await;
        self.simulator.clear_faults();
        assert_eq!(self.letters().await.len(), contents);
    }

    /// Asserts that all arrived, and each row once.
    pub fn assert_delivered(&self) {
        let report = self.simulator.report();
        assert!(report.is_clean() && report.surplus_rows == 0 && report.published > 0, "{report:#?}");
    }
}

/// What a process wrote to its outputs.
pub fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// The lines as JSON.
pub fn json(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn minutes_ago(minutes: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() - Duration::minutes(minutes)
}

/// Waits for a process off the runtime's threads.
pub async fn ended(child: Child) -> Output {
    let id = child.id().to_string();
    let mut waiting = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    match tokio::time::timeout(std::time::Duration::from_secs(60), &mut waiting).await {
        Ok(output) => output.unwrap(),
        Err(_) => {
            Command::new("kill").args(["-s", "KILL", &id]).status().unwrap();
            panic!("it hangs: {:?}", texts(&waiting.await.unwrap()));
        }
    }
}

/// Waits until `holds`.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed().as_secs() < 60, "never: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
