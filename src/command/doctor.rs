//! `labelstream doctor`: whether all that the connector needs is there.

use std::{
    env,
    io::{IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use labelstream::{
    doctor::{Options, examine},
    settings,
    telemetry::CLEAR_LINE,
};

use super::{choice::TenantArguments, log_to_stderr, no_folder, print, say, started_runtime, wrong_use};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # with the app settings in the environment
  labelstream doctor
  # the state is in a folder: no storage account is needed
  labelstream doctor --state ./state
  # what failed, for programs
  labelstream doctor --json | jq '.checks[] | select(.state == \"failed\")'
  # one row goes all the way into the table
  labelstream doctor --send-test-row

Each line: ok, warning, failed or skipped; the check; what was found. What is to be done stands below it, to be typed. A check whose ground is missing is skipped: mend what failed and call it again. docs/operate.md lists the checks.

It changes nothing. In a storage account each step of a run is asked of a blob that is not there, so that the service says whether it is allowed and can do nothing; in a folder a file is made and removed. What is sent to the data collection rule is an empty array: no row.

With --send-test-row it is one row with the Operation LabelstreamTest, by which it is found and left out of reports; it cannot be taken back.

Exit status: 0 nothing failed (there may be warnings), 1 something failed, 2 wrong use.")]
pub struct DoctorArguments {
    /// One JSON object in place of lines.
    #[arg(long)]
    json: bool,
    /// The state is in this folder in place of the storage account.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Send one row, marked as a test, in place of the empty array.
    #[arg(long)]
    send_test_row: bool,
}

/// What a terminal shows meanwhile.
const UNDER_WAY: &str = "Asking the services...";

pub fn doctor(arguments: DoctorArguments) -> ExitCode {
    log_to_stderr(&TenantArguments::default());
    if let Some(problem) = no_folder(arguments.state.as_deref()) {
        return wrong_use(&problem);
    }
    let runtime = match started_runtime() {
        Ok(runtime) => runtime,
        Err(status) => return status,
    };
    let here = env::current_dir().ok();
    let beside_the_binary = env::current_exe().ok().and_then(|file| file.parent().map(PathBuf::from));
    let options = Options {
        state: arguments.state,
        send_test_row: arguments.send_test_row,
        app_folders: here.into_iter().chain(beside_the_binary).collect(),
    };
    let mut stderr = std::io::stderr();
    let is_shown = stderr.is_terminal();
    // A terminal that cannot be written to needs no progress.
    if is_shown {
        stderr.write_all(UNDER_WAY.as_bytes()).ok();
    }
    let report = runtime.block_on(examine(&settings::process_environment, &options));
    if is_shown {
        stderr.write_all(CLEAR_LINE.as_bytes()).ok();
    }
    let status = if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if !arguments.json {
        return print(&report.text(columns()), status);
    }
    match report.json() {
        Ok(json) => print(&format!("{json}\n"), status),
        Err(error) => {
            say(&format!("failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// The width of the terminal; `None` where standard output is none, and lines are for programs.
fn columns() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0))
}
