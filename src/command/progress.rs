//! What a long command has done so far, in one line that is written anew, where stderr is a terminal.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use labelstream::telemetry::CLEAR_LINE;
use tokio::task::JoinHandle;

/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(300);

/// The line, as long as the command goes on.
pub struct Progress(Option<JoinHandle<()>>);

impl Progress {
    /// Shows what `told` says; nothing where stderr is no terminal.
    pub fn show(told: impl Fn() -> String + Send + 'static) -> Self {
        Self(std::io::stderr().is_terminal().then(|| {
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(EVERY).await;
                    // A terminal that cannot be written to needs no progress.
                    if std::io::stderr().write_all(line(&told()).as_bytes()).is_err() {
                        return;
                    }
                }
            })
        }))
    }

    /// Takes the line away.
    pub async fn end(self) {
        let Some(task) = self.0 else { return };
        task.abort();
        // It ended as it was told to; what it wrote last is there now.
        task.await.ok();
        std::io::stderr().write_all(CLEAR_LINE.as_bytes()).ok();
    }
}

/// The line without a wrap (DECAWM is off for it): where the terminal is too narrow it is cut, and takes one line still.
pub(super) fn line(text: &str) -> String {
    format!("{CLEAR_LINE}\x1b[?7l{text}\x1b[?7h")
}
