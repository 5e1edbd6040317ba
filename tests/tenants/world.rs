//! A provider and its tenants, and a shell to run the binary in.

use std::{
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use labelstream::state::{Store, blob::BlobStore, connection::StorageAccount, folder::FolderStore};
use labelstream_simulator::{Config, ContentType, Endpoint, Provider, ProviderConfig, Simulator, Trouble};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::azurite::Azurite;

/// What a process wrote: its exit status, its data, and what it said.
pub type Told = (i32, String, String);

pub struct World {
    pub provider: Provider,
    pub folder: tempfile::TempDir,
    container: Option<String>,
    /// The setting `TENANTS`.
    pub tenants: Option<String>,
    /// Other settings, over those of the provider.
    pub settings: Vec<(&'static str, String)>,
}

impl World {
    /// So many tenants, subscribed, of the names `customer-1` and so on; the state lies in a folder.
    pub async fn of(tenants: u32) -> Self {
        Self::with(tenants, &[]).await
    }

    /// The same, with what is wrong with some of them, by number from 1.
    pub async fn with(tenants: u32, troubles: &[(usize, Trouble)]) -> Self {
        let mut config = ProviderConfig::of(tenants);
        let subscribed = |tenant: &mut Config| (tenant.subscribed, tenant.keep_rows) = (true, true);
        config.tenants.iter_mut().for_each(subscribed);
        for (number, trouble) in troubles {
            trouble.set_up(&mut config.tenants[number - 1]);
        }
        let provider = Provider::start(config).await.unwrap();
        for (number, trouble) in troubles {
            trouble.begin(&provider.tenants()[number - 1]).unwrap();
        }
        let tenants = Some(provider.tenants_json());
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        Self { provider, folder, container: None, tenants, settings: Vec::new() }
    }

    /// The state lies in a container of its own, in Azurite.
    pub fn in_a_container(mut self) -> Self {
        static CONTAINERS: AtomicU32 = AtomicU32::new(0);
        let number = CONTAINERS.fetch_add(1, Ordering::Relaxed);
        self.container = Some(format!("tenants-{}-{number}", std::process::id()));
        self
    }

    /// Changes the entries of `TENANTS`.
    pub fn change(&mut self, change: impl FnOnce(&mut Vec<Value>)) {
        let mut entries: Vec<Value> = serde_json::from_str(self.tenants.as_deref().unwrap()).unwrap();
        change(&mut entries);
        self.tenants = Some(json!(entries).to_string());
    }

    /// The tenant of this number, from 1.
    pub fn tenant(&self, number: usize) -> &Simulator {
        &self.provider.tenants()[number - 1]
    }

    pub fn id(&self, number: usize) -> &str {
        &self.tenant(number).tenant().id
    }

    /// Publishes contents of one label event and one other record each.
    pub fn publish(&self, number: usize, contents: u32) {
        for content in 0..contents {
            let created = OffsetDateTime::now_utc() - Duration::minutes(40) + Duration::seconds(content.into());
            self.tenant(number).publish(ContentType::General, created, 1, 1);
        }
    }

    /// How often an endpoint of a tenant was asked.
    pub fn asked(&self, number: usize, endpoint: Endpoint) -> u64 {
        self.tenant(number).requests().by_endpoint.get(&endpoint).copied().unwrap_or(0)
    }

    pub fn state_folder(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn store(&self) -> Box<dyn Store> {
        match &self.container {
            None => Box::new(FolderStore::open(self.state_folder()).unwrap()),
            Some(container) => {
                let account = StorageAccount::from_connection_string(&Azurite::shared().connection_string()).unwrap();
                Box::new(BlobStore::open(&account, container, None).unwrap())
            }
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.provider.environment()).current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.tenants.as_ref().map(|tenants| ("TENANTS", tenants)));
        if let Some(container) = &self.container {
            let account = Azurite::shared().connection_string();
            command.env("AzureWebJobsStorage", account).env("STATE_CONTAINER", container);
        }
        command.envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }

    /// The binary with these arguments, and the folder of the state where it lies in one.
    fn labelstream(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_labelstream"));
        command.args(arguments);
        if self.container.is_none() {
            command.args(["--state", "state"]);
        }
        command
    }

    /// Runs the binary to its end.
    pub async fn run(&self, arguments: &[&str]) -> Told {
        let mut command = self.labelstream(arguments);
        texts(&tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
    }

    /// As [`World::run`], with the exit status that it must have: its data, and what it said.
    pub async fn expect(&self, status: i32, arguments: &[&str]) -> (String, String) {
        let (ended, data, said) = self.run(arguments).await;
        assert_eq!(ended, status, "{arguments:?}\n{data}\n{said}");
        (data, said)
    }

    /// Starts the binary, with its outputs piped to the test.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.labelstream(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs the binary on a pseudo-terminal of `script` (util-linux), where `typed` is typed: its exit status and all that
    /// came to the screen.
    pub async fn on_a_terminal(&self, arguments: &str, typed: &'static str) -> (i32, String) {
        let place = if self.container.is_none() { "--state state" } else { "" };
        let mut command = self.command("script");
        command.args(["--quiet", "--return", "--command"]);
        command.arg(format!("{} {arguments} {place}", env!("CARGO_BIN_EXE_labelstream"))).arg("/dev/null");
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("SHELL", "/bin/sh");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().expect("this test needs `script`");
            let mut keyboard = child.stdin.take().unwrap();
            std::io::Write::write_all(&mut keyboard, typed.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            drop(keyboard);
            output
        });
        let (status, screen, _) = texts(&output.await.unwrap());
        (status, screen)
    }
}

pub fn texts(output: &Output) -> Told {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// The line that begins so.
pub fn line<'a>(text: &'a str, begin: &str) -> &'a str {
    let mut found = text.lines().filter(|line| line.starts_with(begin));
    let line = found.next().unwrap_or_else(|| panic!("no line begins with {begin:?}:\n{text}"));
    assert_eq!(found.next(), None, "several lines begin with {begin:?}:\n{text}");
    line
}
