//! A connector in a function app's folder with all that it needs, and what is taken away from it.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use azure_storage_blob::BlobContainerClient;
use futures_util::TryStreamExt as _;
use labelstream::{
    state::{blob::BlobStore, client::connect, connection::StorageAccount},
    watermark::Memory,
};
use labelstream_simulator::{Config, ContentType, Endpoint, Fault, Simulator};
use serde_json::Value;
use time::Duration;

use crate::{
    azurite::{Azurite, KEY},
    storage::{Storage, StorageFault},
};

/// How a connector is set up. The default lacks nothing.
pub struct Setup {
    pub config: Config,
    /// App settings that are changed; an empty one is unset.
    pub settings: Vec<(&'static str, String)>,
    /// Content types whose subscription is stopped.
    pub stopped: Vec<ContentType>,
    /// Whether contents were published.
    pub published: bool,
    pub faults: Vec<Fault>,
    pub storage_faults: Vec<StorageFault>,
    /// Whether nobody listens at the storage account.
    pub storage_is_shut: bool,
    /// Whether the container is there.
    pub has_container: bool,
    /// Whether somebody holds the lock for good.
    pub is_locked_for_good: bool,
    /// What is done to the app's folder.
    pub app: fn(&Path),
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            config: Config { subscribed: true, ..Config::default() },
            settings: Vec::new(),
            stopped: Vec::new(),
            published: true,
            faults: Vec::new(),
            storage_faults: Vec::new(),
            storage_is_shut: false,
            has_container: true,
            is_locked_for_good: false,
            app: |_| {},
        }
    }
}

pub struct Patient {
    pub simulator: Simulator,
    /// It stands before the account as long as it lives.
    storage: Storage,
    /// The container, not by way of what is broken.
    client: BlobContainerClient,
    /// What was in it before doctor came.
    before: Option<Vec<String>>,
    settings: Vec<(String, String)>,
    folder: tempfile::TempDir,
}

impl Patient {
    pub async fn new(setup: Setup) -> Self {
        static CONTAINERS: AtomicU32 = AtomicU32::new(0);
        let container = format!("doctor-{}-{}", std::process::id(), CONTAINERS.fetch_add(1, Ordering::Relaxed));
        let simulator = Simulator::start(setup.config).await.unwrap();
        if setup.published {
            simulator.publish(ContentType::General, simulator.now() - Duration::minutes(30), 1, 1);
        }
        for content_type in setup.stopped {
            assert!(simulator.stop_subscription(content_type));
        }
        for fault in setup.faults {
            simulator.fault(fault).unwrap();
        }
        let storage = Storage::start().await;
        let client = container_client(&container);
        if setup.has_container {
            client.create(None).await.unwrap();
        }
        if setup.is_locked_for_good {
            let lock = client.blob_client(&format!("{}.lock", Memory::lock_key(&simulator.tenant().id)));
            lock.upload(bytes::Bytes::new().into(), None).await.unwrap();
            lock.acquire_lease(-1, None).await.unwrap();
        }
        for fault in setup.storage_faults {
            storage.fault(fault);
        }
        if setup.storage_is_shut {
            storage.shut();
        }
        let mut settings: Vec<(String, String)> =
            simulator.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let own = [
            ("AzureWebJobsStorage", storage.connection_string()),
            ("STATE_CONTAINER", container.clone()),
            ("TIMER_SCHEDULE", "0 */5 * * * *".to_owned()),
        ];
        for (name, value) in own.into_iter().chain(setup.settings) {
            settings.retain(|(known, _)| known != name);
            if !value.is_empty() {
                settings.push((name.to_owned(), value));
            }
        }
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path());
        (setup.app)(folder.path());
        let before = blobs(&client).await;
        Self { simulator, storage, client, before, settings, folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the binary in the app's folder, with its settings but those of `unset`.
    pub async fn run(&self, arguments: &[&str], unset: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_labelstream"));
        let settings = self.settings.iter().filter(|(name, _)| !unset.contains(&name.as_str()));
        command.env_clear().envs(settings.map(|(name, value)| (name, value))).args(arguments);
        command.current_dir(self.folder.path());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            let secrets = [KEY, "simulated-identity-header", "sim.ey", "Bearer"];
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
        }
        output
    }

    /// What `doctor --json` found, and its exit status.
    pub async fn examined(&self) -> (Value, i32) {
        let output = self.run(&["doctor", "--json"], &[]).await;
        let said = String::from_utf8_lossy(&output.stderr);
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (report, output.status.code().unwrap_or_else(|| panic!("{said}")))
    }

    /// Asserts that the tenant, the table and the state are as they were.
    pub async fn assert_unchanged(&self) {
        let requests = self.simulator.requests().by_endpoint;
        assert!(!requests.contains_key(&Endpoint::Start) && !requests.contains_key(&Endpoint::Stop), "{requests:?}");
        assert!(self.simulator.rows().is_empty() && self.simulator.heartbeats().is_empty(), "a row was sent");
        assert_eq!(blobs(&self.client).await, self.before, "the state was changed");
    }

    /// The state as a run has it.
    pub fn store(&self) -> BlobStore {
        let account = StorageAccount::from_connection_string(&self.storage.connection_string()).unwrap();
        BlobStore::open(&account, self.container(), None).unwrap()
    }

    /// What doctor said, for others: with words in the place of what is of this test alone.
    pub fn without_names(&self, said: &str) -> String {
        let tenant = self.simulator.tenant().id.as_str();
        let rule = &self.settings.iter().find(|(name, _)| name == "LOGS_DCR_RULE_ID").map_or("", |(_, value)| value);
        let mut said = said.replace(self.container(), "labelstream").replace(tenant, "<tenant>");
        said = said.replace("0b1ec700-0000-4000-8000-000000000001", "<object id>");
        if rule.is_empty() { said } else { said.replace(*rule, "<rule>") }
    }

    pub fn container(&self) -> &str {
        self.settings.iter().find(|(name, _)| name == "STATE_CONTAINER").map(|(_, value)| value.as_str()).unwrap()
    }

    /// How many requests of the storage there were whose path and query hold `text`.
    pub fn storage_requests(&self, text: &str) -> usize {
        self.storage.requests(None, text)
    }
}

fn container_client(name: &str) -> BlobContainerClient {
    let account = StorageAccount::from_connection_string(&Azurite::shared().connection_string()).unwrap();
    connect(&account, None).unwrap().blob_container_client(name)
}

/// The names of the blobs, also of locks; `None` where there is no container.
async fn blobs(client: &BlobContainerClient) -> Option<Vec<String>> {
    let listed = client.list_blobs(None).unwrap().try_collect::<Vec<_>>().await.ok()?;
    Some(listed.into_iter().map(|blob| blob.name.unwrap()).collect())
}

/// The package as it is deployed.
fn lay_out(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["TimerPull", "Status"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    for name in ["host.json", "TimerPull/function.json", "Status/function.json"] {
        std::fs::copy(root.join(name), folder.join(name)).unwrap();
    }
    symlink(env!("CARGO_BIN_EXE_labelstream"), folder.join("handler")).unwrap();
}
