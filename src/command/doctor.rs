//! `labelstream doctor`: whether all that the connector needs is there; of several tenants as a table.

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use clap::Args;
use labelstream::{
    doctor::{FleetReport, Options, Report, examine, examine_fleet},
    settings,
    tenants::Entry,
};

use super::{
    choice::{Picked, TenantArguments, picked},
    log_to_stderr, no_folder, print,
    progress::Progress,
    say, started_runtime, wrong_use,
};

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
  # with TENANTS: all tenants as a table; one in full
  labelstream doctor
  labelstream doctor --tenant Contoso

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
    #[command(flatten)]
    tenants: TenantArguments,
}

pub fn doctor(arguments: DoctorArguments) -> ExitCode {
    log_to_stderr(&arguments.tenants);
    if let Some(problem) = no_folder(arguments.state.as_deref()) {
        return wrong_use(&problem);
    }
    match picked(&arguments.tenants, arguments.state.as_deref(), false) {
        Err(status) => status,
        Ok(Some(picked)) => {
            let is_one = picked.only().is_some();
            let report = examined(&picked, &options(arguments.state, arguments.send_test_row));
            let (ok, told) =
                if is_one { of_one(arguments.json, &report.into_one()) } else { of_all(arguments.json, &report) };
            tell(ok, told)
        }
        Ok(None) => {
            let runtime = match started_runtime() {
                Ok(runtime) => runtime,
                Err(status) => return status,
            };
            let options = options(arguments.state, arguments.send_test_row);
            let progress = runtime.block_on(async { Progress::show(|| UNDER_WAY.to_owned()) });
            let report = runtime.block_on(examine(&settings::process_environment, &options));
            runtime.block_on(progress.end());
            let (ok, told) = of_one(arguments.json, &report);
            tell(ok, told)
        }
    }
}

/// What a terminal shows meanwhile.
const UNDER_WAY: &str = "Asking the services...";

fn options(state: Option<PathBuf>, send_test_row: bool) -> Options {
    let here = env::current_dir().ok();
    let beside_the_binary = env::current_exe().ok().and_then(|file| file.parent().map(PathBuf::from));
    Options { state, send_test_row, app_folders: here.into_iter().chain(beside_the_binary).collect() }
}

/// All tenants that are meant, with what they share.
fn examined(picked: &Picked, options: &Options) -> FleetReport {
    let (ended, all) = (Arc::new(AtomicUsize::new(0)), picked.entries.len());
    let work = async {
        let counted = Arc::clone(&ended);
        let progress = Progress::show(move || format!("{UNDER_WAY} {} of {all}", counted.load(Ordering::Relaxed)));
        let count = || {
            ended.fetch_add(1, Ordering::Relaxed);
        };
        let report = examine_fleet(&picked.entries, &settings::process_environment, options, count).await;
        progress.end().await;
        report
    };
    let report = picked.runtime.block_on(Box::pin(work));
    FleetReport { disabled: picked.disabled.iter().map(Entry::short_label).collect(), ..report }
}

/// A table of the tenants that are meant: what `tenants check` does.
pub fn check(tenants: &TenantArguments, state: Option<&Path>, json: bool) -> ExitCode {
    match picked(tenants, state, false) {
        Err(status) => status,
        Ok(Some(picked)) => {
            let report = examined(&picked, &options(state.map(Path::to_owned), false));
            let (ok, told) = of_all(json, &report);
            tell(ok, told)
        }
        Ok(None) => wrong_use("TENANTS is not set: `labelstream doctor` looks at the tenant of M365_TENANT_ID"),
    }
}

/// Whether all is well, and the text or the JSON of it.
type Told = (bool, Result<String, serde_json::Error>);

fn of_one(json: bool, report: &Report) -> Told {
    (report.is_ok(), if json { report.json() } else { Ok(report.text(columns())) })
}

fn of_all(json: bool, report: &FleetReport) -> Told {
    (report.is_ok(), if json { report.json() } else { Ok(report.text(columns())) })
}

fn tell(ok: bool, told: Result<String, serde_json::Error>) -> ExitCode {
    match told {
        Ok(text) => {
            print(&format!("{}\n", text.trim_end_matches('\n')), if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
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
