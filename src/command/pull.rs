//! `labelstream pull`: one run from a shell, cron or a container.

use std::{
    fs::OpenOptions,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    pull::{Budget, Counts, LinesSink, Range, Request, Sink, Summary},
    settings::{self, Needs, Settings},
    state::{Store, folder::FolderStore, overlay::Overlay},
    telemetry,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio_util::sync::CancellationToken;

use super::{asked_to_end, runtime, say, wrong_use};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  labelstream pull                                   what is new, sent to the data collection rule
  labelstream pull --state ./state                   the same, with the state in a folder
  labelstream pull --dry-run --output - | head       the rows that would be sent; nothing is sent or saved
  labelstream pull --since 2026-11-20T00:00:00Z --until 2026-11-21T00:00:00Z
                                                     a past range again; rows sent before are not sent twice")]
pub struct PullArguments {
    /// Read what was published from this time on, in place of what is new (RFC 3339, at most 7 days back).
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<OffsetDateTime>,
    /// Read what was published before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<OffsetDateTime>,
    /// Send nothing and save nothing; with --output, show the rows.
    #[arg(long)]
    dry_run: bool,
    /// Write the rows to this file as one JSON object a line in place of sending them; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Keep the state in this folder in place of the storage account.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// End, saved, after this many seconds; the next run goes on. Without it a run takes as long as it needs.
    #[arg(long, value_name = "SECONDS")]
    budget: Option<u64>,
}

fn time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "is no RFC 3339 time with a zone, such as 2026-11-20T00:00:00Z".to_owned())
}

pub fn pull(arguments: PullArguments) -> ExitCode {
    let filter = settings::process_environment(telemetry::LOG_SETTING);
    if let Err(error) = telemetry::init_to_stderr(filter.as_deref()) {
        say(&error.to_string());
    }
    let sends = !arguments.dry_run && arguments.output.is_none();
    let storage = !arguments.dry_run && arguments.state.is_none();
    let settings = match Settings::read(&settings::process_environment, Needs { ingestion: sends, storage }) {
        Ok(settings) => settings,
        Err(error) => return wrong_use(&error.to_string()),
    };
    if let (Some(since), Some(until)) = (arguments.since, arguments.until)
        && since >= until
    {
        return wrong_use("--since must be before --until");
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("the runtime cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(&arguments, &settings)) {
        Ok(Ok(summary)) => {
            if summary.under_way {
                say("Another run is under way; this one did nothing.");
            }
            ExitCode::SUCCESS
        }
        Ok(Err(reasons)) => {
            for reason in reasons {
                say(&format!("failed: {reason}"));
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &PullArguments, settings: &Settings) -> Result<Result<Summary, Vec<String>>, AssemblyError> {
    let store = store(arguments, settings)?;
    let sink = match &arguments.output {
        Some(path) => Sink::Lines(LinesSink::new(lines(path).map_err(AssemblyError::Output)?)),
        None if arguments.dry_run => Sink::Nowhere,
        None => assembly::ingestion(settings)?,
    };
    let connector = Arc::new(assembly::connector_with(settings, store, sink)?);
    let range = (arguments.since.is_some() || arguments.until.is_some())
        .then_some(Range { since: arguments.since, until: arguments.until });
    let budget = arguments.budget.map_or_else(Budget::unlimited, |seconds| Budget::of(Duration::from_secs(seconds)));
    let request = Request::new(range, budget);
    let shown = show_progress(Arc::clone(&request.counts));
    let stop = CancellationToken::new();
    let work = connector.run(request, stop.clone());
    tokio::pin!(work);
    let ended = tokio::select! {
        ended = &mut work => ended,
        _ = asked_to_end() => {
            say("Ending; what was sent is being saved.");
            stop.cancel();
            work.await
        }
    };
    shown.abort();
    Ok(ended.map_err(|failed| failed.reasons()))
}

fn store(arguments: &PullArguments, settings: &Settings) -> Result<Arc<dyn Store>, AssemblyError> {
    let store: Option<Arc<dyn Store>> = match (&arguments.state, &settings.storage) {
        (Some(folder), _) => Some(Arc::new(FolderStore::open(folder).map_err(AssemblyError::State)?)),
        (None, Some(_)) => Some(assembly::store(settings)?),
        (None, None) => None,
    };
    Ok(match store {
        Some(store) if !arguments.dry_run => store,
        below => Arc::new(Overlay::over(below)),
    })
}

fn lines(path: &Path) -> std::io::Result<Box<dyn labelstream::pull::LinesWriter>> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdout()));
    }
    Ok(Box::new(OpenOptions::new().create(true).append(true).open(path)?))
}

/// Shows the figures of the run while it goes on, where stderr is a terminal.
fn show_progress(counts: Arc<Counts>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut terminal = std::io::stderr();
        if !terminal.is_terminal() {
            return;
        }
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            // A terminal that cannot be written to needs no progress.
            write!(terminal, "\r{}\x1b[K", counts.line()).ok();
        }
    })
}
