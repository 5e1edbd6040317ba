//! The connector's half: a process whose environment is a function app's, and which runs the connector's own code each
//! time it is asked to.
//!
//! It is a process of its own because the Azure SDK finds the managed identity's endpoint in the environment of its
//! process and nowhere else, and because it shall meet Microsoft's side over HTTP alone.

use std::{
    io::{self, BufRead, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use labelstream::{
    assembly::{self, AssemblyError},
    pull::{Budget, Connector, Request},
    settings::{Needs, Settings, SettingsError, process_environment},
    state::{StateError, folder::FolderStore},
    telemetry,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::message::{Message, PULL, Progress};

/// How often a run tells how far it is.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Why the connector's half ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    #[error("a message cannot be written: {0}")]
    Message(#[from] io::Error),
}

/// Runs the connector at every [`PULL`] on stdin and tells of it on stdout, until stdin ends.
pub async fn serve(state: &Path) -> ExitCode {
    if let Err(error) = telemetry::init_to_stderr(process_environment(telemetry::LOG_SETTING).as_deref()) {
        tracing::warn!(%error, "log lines are not as usual");
    }
    // Ctrl-C reaches every process of the terminal. The other half decides what it means, by closing stdin.
    tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    match follow(state).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(ended) => {
            tracing::error!("{ended}");
            ExitCode::FAILURE
        }
    }
}

async fn follow(state: &Path) -> Result<(), Ended> {
    let settings = Settings::read(&process_environment, Needs { ingestion: true, storage: false })?;
    let store = Arc::new(FolderStore::open(state)?);
    let sink = assembly::ingestion(&settings)?;
    let connector = Arc::new(assembly::connector_with(&settings, store, sink)?);
    let (mut asked, stop) = listen();
    while asked.recv().await.is_some() {
        let message = run(&connector, &stop).await?;
        tell(&message)?;
    }
    Ok(())
}

/// The wishes on stdin, and the sign that it has ended. A thread reads it, for it blocks.
fn listen() -> (mpsc::UnboundedReceiver<()>, CancellationToken) {
    let (wishes, asked) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let gone = stop.clone();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            match line {
                Ok(line) if line == PULL && wishes.send(()).is_ok() => {}
                _ => break,
            }
        }
        gone.cancel();
    });
    (asked, stop)
}

/// One run. When the other half is gone it ends early, saved.
async fn run(connector: &Arc<Connector>, stop: &CancellationToken) -> Result<Message, Ended> {
    let request = Request::new(None, Budget::unlimited());
    let counts = Arc::clone(&request.counts);
    let work = connector.run(request, stop.clone());
    tokio::pin!(work);
    let mut told = tokio::time::interval(TELL_EVERY);
    loop {
        tokio::select! {
            ended = &mut work => return Ok(match ended {
                Ok(summary) if summary.under_way => {
                    Message::Failed(vec!["another run holds the lock of the state folder".to_owned()])
                }
                Ok(summary) => Message::Done(Box::new(summary.into())),
                Err(failed) => Message::Failed(failed.reasons()),
            }),
            _ = told.tick() => tell(&Message::Progress(Progress::from(&*counts)))?,
        }
    }
}

fn tell(message: &Message) -> Result<(), Ended> {
    let line = serde_json::to_string(message).map_err(io::Error::from)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
