//! The line to the connector's half: starts it, asks it for runs, and hears what came of them.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use labelstream::telemetry::LOG_SETTING;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::message::{Message, PULL, Progress, Pulled};

/// How long the connector may take to end once nothing is asked of it any more.
const END_WITHIN: Duration = Duration::from_secs(10);

/// What the connector's process keeps of this one's environment: what the operating system needs for sockets, and
/// what is said about logging. Settings of a real tenant in this shell must not reach it.
const KEPT: [&str; 3] = ["SystemRoot", LOG_SETTING, "RUST_BACKTRACE"];

/// Why a run brought no result.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The run failed; another one may go well.
    #[error("the connector's run failed: {}", .0.join("; "))]
    Run(Vec<String>),
    /// The connector cannot be started.
    #[error("the connector's process cannot be started: {0}")]
    Start(io::Error),
    /// The connector has ended.
    #[error("the connector's process ended ({status}); its log says why: {}", log.display())]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
    },
    /// The line to it is broken.
    #[error("the line to the connector's process is broken: {0}")]
    Broken(#[from] io::Error),
}

/// A running connector.
#[derive(Debug)]
pub struct Link {
    process: Child,
    wishes: ChildStdin,
    messages: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Link {
    /// Starts a connector whose app settings are `environment`, with its state in `state` and its log lines in `log`.
    ///
    /// # Errors
    /// The process cannot be started, or the log cannot be made.
    pub fn start(environment: &[(&str, String)], state: &Path, log: &Path) -> Result<Self, LinkError> {
        let lines = File::create(log).map_err(LinkError::Start)?;
        let mut process = Command::new(std::env::current_exe().map_err(LinkError::Start)?)
            .arg("--as-connector")
            .arg(state)
            .env_clear()
            .envs(KEPT.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(lines)
            .kill_on_drop(true)
            .spawn()
            .map_err(LinkError::Start)?;
        let no_pipe = || LinkError::Start(io::Error::other("it has no pipes"));
        let wishes = process.stdin.take().ok_or_else(no_pipe)?;
        let messages = BufReader::new(process.stdout.take().ok_or_else(no_pipe)?).lines();
        Ok(Self { process, wishes, messages, log: log.to_owned() })
    }

    /// Asks for one run and waits for its end; `progress` hears how far it is.
    ///
    /// # Errors
    /// The run failed, or the connector is gone.
    pub async fn pull(&mut self, mut progress: impl FnMut(Progress)) -> Result<Pulled, LinkError> {
        if self.wishes.write_all(format!("{PULL}\n").as_bytes()).await.is_err() {
            return Err(self.ended().await);
        }
        while let Some(line) = self.messages.next_line().await? {
            match serde_json::from_str(&line).map_err(io::Error::from)? {
                Message::Progress(so_far) => progress(so_far),
                Message::Done(pulled) => return Ok(*pulled),
                Message::Failed(reasons) => return Err(LinkError::Run(reasons)),
            }
        }
        Err(self.ended().await)
    }

    async fn ended(&mut self) -> LinkError {
        match self.process.wait().await {
            Ok(status) => LinkError::Ended { status, log: self.log.clone() },
            Err(error) => LinkError::Broken(error),
        }
    }

    /// Ends the connector.
    ///
    /// # Errors
    /// It ended otherwise than well, or not at all.
    pub async fn end(mut self) -> Result<(), LinkError> {
        drop(self.wishes);
        match timeout(END_WITHIN, self.process.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(LinkError::Ended { status, log: self.log }),
            Ok(Err(error)) => Err(LinkError::Broken(error)),
            Err(_) => Err(LinkError::Broken(io::Error::other("it does not end"))),
        }
    }
}
