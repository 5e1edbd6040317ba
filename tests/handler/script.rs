//! A handler on loopback whose runs do what a test says.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
};

use async_trait::async_trait;
use futures_util::{FutureExt, future::BoxFuture};
use labelstream::{
    handler::{self, RunFailure, RunReport, Runner, Standing, Trigger},
    health::Health,
    status, telemetry,
};
use time::OffsetDateTime;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::fmt::MakeWriter;

pub type Outcome = Result<RunReport, RunFailure>;

type Status = Box<dyn Fn() -> Health + Send + Sync>;

type Act = Box<dyn Fn(Trigger, CancellationToken) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// A runner that notes its triggers and then does what it was given to do.
pub struct Script {
    triggers: Mutex<Vec<Trigger>>,
    act: Act,
    status: Status,
}

impl Script {
    /// The triggers so far, in order.
    pub fn triggers(&self) -> Vec<Trigger> {
        self.triggers.lock().unwrap().clone()
    }
}

#[async_trait]
impl Runner for Script {
    async fn run(&self, trigger: Trigger, stop: CancellationToken) -> Outcome {
        self.triggers.lock().unwrap().push(trigger.clone());
        (self.act)(trigger, stop).await
    }

    async fn status(&self) -> Standing {
        (self.status)().into()
    }
}

/// A handler that is being served.
pub struct Served {
    pub address: SocketAddr,
    pub shutdown: CancellationToken,
    pub serving: JoinHandle<io::Result<()>>,
    pub script: Arc<Script>,
}

impl Served {
    /// Serves on a free port; every run does what `act` says.
    pub async fn new<F>(act: impl Fn(Trigger, CancellationToken) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let unknown = || {
            let status = status::Status::unknown(None, OffsetDateTime::UNIX_EPOCH);
            Health::unknown(status, vec!["nothing was looked at".to_owned()])
        };
        Self::with_status(act, unknown).await
    }

    /// The same, and a status of its own.
    pub async fn with_status<F>(
        act: impl Fn(Trigger, CancellationToken) -> F + Send + Sync + 'static,
        status: impl Fn() -> Health + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let act: Act = Box::new(move |trigger, stop| act(trigger, stop).boxed());
        let script = Arc::new(Script { triggers: Mutex::default(), act, status: Box::new(status) });
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(handler::serve(listener, Arc::<Script>::clone(&script), shutdown.clone()));
        Self { address, shutdown, serving, script }
    }

    /// Serves runs that find nothing to do.
    pub async fn idle() -> Self {
        Self::new(|_, _| async { Ok(RunReport::default()) }).await
    }

    /// The triggers so far, in order.
    pub fn triggers(&self) -> Vec<Trigger> {
        self.script.triggers()
    }
}

/// A run that is done and says so.
pub fn done(line: &str) -> Outcome {
    Ok(RunReport { lines: vec![line.to_owned()] })
}

/// A run that failed.
pub fn failed(reason: &str) -> Outcome {
    Err(RunFailure { reason: reason.to_owned() })
}

/// Everything that this process logged, each stream with its lines.
#[derive(Default)]
pub struct Logged {
    pub out: Vec<String>,
    pub err: Vec<String>,
}

/// The log lines with `text` in them. The first call begins the log.
pub fn logged(text: &str) -> Logged {
    static LOG: OnceLock<(Memory, Memory)> = OnceLock::new();
    let (out, err) = LOG.get_or_init(|| {
        let (out, err) = (Memory::default(), Memory::default());
        tracing::subscriber::set_global_default(telemetry::subscriber(Some("trace"), out.clone(), err.clone()))
            .unwrap();
        (out, err)
    });
    Logged { out: out.lines(text), err: err.lines(text) }
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn lines(&self, text: &str) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }
}

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Memory {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
