//! The command line. Exit status 0: done, 1: failed, 2: wrong use, 128 and the signal's number: told to end.

mod choice;
mod completions;
mod dead_letters;
mod disconnect;
mod doctor;
mod each;
mod labels;
mod progress;
mod pull;
mod question;
mod report;
mod serve;
mod status;
mod subscriptions;
mod tenants;

use std::{
    io::{ErrorKind, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use labelstream::{
    assembly::{self, AssemblyError},
    settings::{self, Settings},
    state::{Store, folder::FolderStore},
    telemetry::{self, CLEAR_LINE},
};
use tokio_util::sync::CancellationToken;

use choice::TenantArguments;

/// Streams Microsoft Purview Information Protection label events into Microsoft Sentinel.
///
/// Without a subcommand it serves as an Azure Functions custom handler. Settings are app settings, which are
/// environment variables; docs/settings.md lists them.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    long_about,
    max_term_width = 100,
    after_help = "Examples, the first steps, with `az login` as the identity:
  export M365_TENANT_ID=... DATA_COLLECTION_ENDPOINT=... LOGS_DCR_RULE_ID=...
  mkdir state
  # is all there that it needs, and how is it mended?
  labelstream doctor --state ./state
  # start the subscriptions
  labelstream connect
  # the rows that would be sent
  labelstream pull --dry-run --output - | head
  # send what is new, and see how it stands
  labelstream pull --state ./state
  labelstream status --state ./state

Exit status: 0 done, 1 failed, 2 wrong use."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the Functions host on 127.0.0.1 and FUNCTIONS_CUSTOMHANDLER_PORT (the default).
    #[command(after_help = "The Functions host starts it so; nobody has to.

Examples, to try it:
  # the host of the Core Tools, with local.settings.json
  func start
  # without a host; POST /TimerPull is then a run
  FUNCTIONS_CUSTOMHANDLER_PORT=8080 labelstream serve

It never ends with 0, for the host starts only what failed again.")]
    Serve,
    /// One run from a shell, cron or a container.
    Pull(pull::PullArguments),
    /// Rows of a file as one page of pictures and tables, without Sentinel.
    Report(report::ReportArguments),
    /// How it stands: lag, what is left to do, dead letters, subscriptions, the last run.
    Status(status::StatusArguments),
    /// Whether all that it needs is there, each with its fix.
    Doctor(doctor::DoctorArguments),
    /// The sensitivity labels by which rows get names, as a tree.
    Labels(labels::LabelsArguments),
    /// Start the subscriptions of the content types.
    Connect(subscriptions::ConnectArguments),
    /// Stop the subscriptions of the content types. What is published until they are started again is lost.
    Disconnect(disconnect::DisconnectArguments),
    /// The tenants that a provider's deployment reads: the list, and whether each can be read.
    Tenants(tenants::TenantsArguments),
    /// What could not be delivered: show it, and send it again.
    DeadLetters(dead_letters::DeadLettersArguments),
    /// Print a script by which a shell completes the subcommands and their options.
    Completions(completions::CompletionsArguments),
}

/// Runs what the command line asks for.
pub fn run(arguments: Arguments) -> ExitCode {
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(),
        Command::Pull(arguments) => pull::pull(arguments),
        Command::Report(arguments) => report::report(arguments),
        Command::Status(arguments) => status::status(arguments),
        Command::Doctor(arguments) => doctor::doctor(arguments),
        Command::Labels(arguments) => labels::labels(arguments),
        Command::Connect(arguments) => subscriptions::connect(arguments),
        Command::Disconnect(arguments) => disconnect::disconnect(arguments),
        Command::Tenants(arguments) => tenants::tenants(arguments),
        Command::DeadLetters(arguments) => dead_letters::dead_letters(arguments),
        Command::Completions(arguments) => completions::completions(arguments),
    }
}

/// The runtime; or the exit status, after saying why there is none.
fn started_runtime() -> Result<tokio::runtime::Runtime, ExitCode> {
    runtime().map_err(|error| {
        say(&format!("the runtime cannot start: {error}"));
        ExitCode::FAILURE
    })
}

/// Why `--state` cannot be used for looking at what is there.
fn no_folder(state: Option<&Path>) -> Option<String> {
    let folder = state.filter(|folder| !folder.is_dir())?;
    Some(format!("--state: there is no folder {}", folder.display()))
}

/// Writes data to standard output; the exit status is `done`, or says that it could not be written. The reader of a pipe
/// may have seen enough, as `head` does.
fn print(data: &str, done: ExitCode) -> ExitCode {
    match std::io::stdout().write_all(data.as_bytes()) {
        Ok(()) => done,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => done,
        Err(error) => {
            say(&format!("failed: standard output: {error}"));
            ExitCode::FAILURE
        }
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

/// Sets up the log lines of a command. On a terminal the progress and the summary tell what the lines at `info` would; so
/// does the line of each of several tenants.
fn log_to_stderr(tenants: &TenantArguments) {
    let asked_for = settings::process_environment(telemetry::LOG_SETTING).filter(|text| !text.trim().is_empty());
    let is_told = std::io::stderr().is_terminal() || tenants.are_several();
    let filter = asked_for.or_else(|| is_told.then(|| "warn".to_owned()));
    if let Err(error) = telemetry::init_to_stderr(filter.as_deref()) {
        say(&error.to_string());
    }
}

/// Where the state lies: the folder of `--state`, or the storage account of the settings, where they were read with one.
fn store(state: Option<&Path>, settings: &Settings) -> Result<Option<Arc<dyn Store>>, AssemblyError> {
    Ok(match (state, &settings.storage) {
        (Some(folder), _) => Some(Arc::new(FolderStore::open(folder)?)),
        (None, Some(_)) => Some(assembly::store(settings)?),
        (None, None) => None,
    })
}

/// Does `work` to its end. Asked to end early, it says `ending` and tells the work by `stop`; the exit status of the
/// signal is given then.
async fn to_its_end<T>(work: impl Future<Output = T>, stop: &CancellationToken, ending: &str) -> (T, Option<ExitCode>) {
    tokio::pin!(work);
    tokio::select! {
        result = &mut work => (result, None),
        signal = asked_to_end() => {
            say(ending);
            stop.cancel();
            (work.await, Some(signal))
        }
    }
}

/// The runtime of the whole process: one thread for all that waits and for the records, others for what blocks (packing,
/// files). One does many times what the feed's limit of requests lets through; more of them would cost a tenth more
/// processor time and memory, since what one thread gives back another does not reuse. With many runs at once as well: on two
/// processors, which packing has too, a second thread makes two dozen of them an eighth faster at best, not at all where
/// answers take 50 ms, and takes a tenth more memory.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
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

#[cfg(test)]
mod help_tests;
