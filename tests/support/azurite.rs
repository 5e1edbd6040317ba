//! The storage emulator, for tests that speak to a blob or queue service over HTTP.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// The emulator's account and its key, which is public (README of Azurite).
pub const ACCOUNT: &str = "devstoreaccount1";
pub const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// What the names of its other accounts begin with, which have the same key. What has a fixed name in an account, as the
/// work queue, is a test's own by an account of its own.
pub const OTHER_ACCOUNT: &str = "labelstream";

/// How many other accounts there are, numbered from 1.
const OTHER_ACCOUNTS: u32 = 60;

/// A running emulator. It keeps its blobs and queues in memory.
pub struct Azurite {
    process: Child,
    port: u16,
    queue_port: u16,
}

impl Azurite {
    /// The one that all tests of this binary share; each has a container and queues of its own. It ends when the binary does,
    /// however that ends, because its standard input closes.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts one on a free port and waits until it listens.
    ///
    /// # Panics
    /// It is not installed, or does not start.
    pub fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/azurite");
        assert!(
            folder.join("node_modules/azurite/package.json").is_file(),
            "the storage emulator is not installed: run ./scripts/test (or ./scripts/azurite once)"
        );
        let others = (1..=OTHER_ACCOUNTS).map(|number| format!("{OTHER_ACCOUNT}{number}"));
        let accounts: Vec<_> =
            std::iter::once(ACCOUNT.to_owned()).chain(others).map(|name| format!("{name}:{KEY}")).collect();
        let accounts = accounts.join(";");
        let mut process = Command::new("node")
            .current_dir(&folder)
            .env("AZURITE_ACCOUNTS", accounts)
            .arg("serve.js")
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--silent", "--inMemoryPersistence", "--disableTelemetry"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the storage emulator needs Node.js: run ./scripts/test");
        let mut lines = BufReader::new(process.stdout.take().expect("its standard output is piped"));
        let mut said = String::new();
        let [mut port, mut queue_port] = [None; 2];
        while port.is_none() || queue_port.is_none() {
            let begin = said.len();
            assert_ne!(lines.read_line(&mut said).unwrap(), 0, "the storage emulator ended: {said}");
            if let Some((service, found)) = said[begin..].trim_end().rsplit_once("listens on http://127.0.0.1:") {
                let of = if service.contains("Queue") { &mut queue_port } else { &mut port };
                *of = Some(found.parse().expect("a port ends the line"));
            }
        }
        // A full pipe would stop it.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        let listens = "both services listen";
        Self { process, port: port.expect(listens), queue_port: queue_port.expect(listens) }
    }

    /// Where its blob service listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where its queue service listens.
    #[allow(dead_code, reason = "not every suite that has an emulator has queues")]
    pub const fn queue_port(&self) -> u16 {
        self.queue_port
    }

    /// The account's queues: an address without a slash at its end.
    pub fn queue_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.queue_port)
    }

    /// Its connection string, as `AzureWebJobsStorage` would hold it.
    pub fn connection_string(&self) -> String {
        format!("{}QueueEndpoint={};", connection_string(self.port, KEY), self.queue_endpoint())
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A connection string for the blobs of the emulator's account at `port` with `key`.
pub fn connection_string(port: u16, key: &str) -> String {
    format!(
        "DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};\
         BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
    )
}
