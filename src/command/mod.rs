//! The command line. Exit status 0: done, 1: failed, 2: wrong use, 128 and the signal's number: told to end.

mod progress;
mod pull;
mod serve;

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use labelstream::telemetry::CLEAR_LINE;

/// Streams Microsoft Purview Information Protection label events into Microsoft Sentinel.
///
/// Without a subcommand it serves as an Azure Functions custom handler. Settings are app settings, which are
/// environment variables; README.md lists them.
#[derive(Debug, Parser)]
#[command(version, about, long_about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the Functions host on 127.0.0.1 and FUNCTIONS_CUSTOMHANDLER_PORT (the default).
    Serve,
    /// One run from a shell, cron or a container.
    Pull(pull::PullArguments),
}

/// Runs what the command line asks for.
pub fn run(arguments: Arguments) -> ExitCode {
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(),
        Command::Pull(arguments) => pull::pull(arguments),
    }
}

/// Wrong use: what is wrong, on stderr.
fn wrong_use(problem: &str) -> ExitCode {
    say(problem);
    ExitCode::from(2)
}

/// A line for the person at the shell; on a terminal it takes the place of the progress. Standard output is for data
/// alone.
fn say(line: &str) {
    let mut stderr = std::io::stderr();
    let clear = if stderr.is_terminal() { CLEAR_LINE } else { "" };
    // Where even stderr is closed there is nobody left to tell.
    stderr.write_all(format!("{clear}{line}\n").as_bytes()).ok();
}

/// The runtime of the whole process.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Completes when the process is asked to end, with the exit status that says so.
async fn asked_to_end() -> ExitCode {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => ExitCode::from(128 + 15),
        _ = interrupt.recv() => ExitCode::from(128 + 2),
    }
}
