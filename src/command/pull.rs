//! `labelstream pull`: one run from a shell, cron or a container; of several tenants one each (`several`).

mod several;

use std::{
    fs::OpenOptions,
    io::{ErrorKind, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    health::{Reporter, Started, host_name},
    pull::{Budget, Counts, LinesSink, Range, Request, RunError, RunFailed, Sink, Summary},
    settings::{self, Needs, Settings},
    state::{Store, overlay::Overlay},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio_util::sync::CancellationToken;

use super::{
    choice::{Choice, TenantArguments, chosen},
    log_to_stderr,
    progress::Progress,
    say, store, to_its_end, wrong_use,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # what is new, sent to the data collection rule
  labelstream pull
  # the same, with the state in a folder
  labelstream pull --state ./state
  # the rows that would be sent; nothing is sent or saved
  labelstream pull --dry-run --output - | head
  # what is new, written to a file in place of being sent
  labelstream pull --state ./state --output rows.ndjson
  # a past range again; rows sent before are not sent twice
  labelstream pull --since 2026-11-20T00:00:00Z --until 2026-11-21T00:00:00Z
  # with TENANTS: all tenants, or one of them
  labelstream pull
  labelstream pull --tenant Contoso

Of several tenants each is told in a line as its run ends, and the rows of all go into one --output.

Exit status: 0 done, or not done within --budget; 1 failed; 2 wrong use; 130 or 143 interrupted by SIGINT or SIGTERM.")]
pub struct PullArguments {
    /// Read what was published from this time on, in place of what is new (RFC 3339, at most 7 days back).
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<OffsetDateTime>,
    /// Read what was published before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<OffsetDateTime>,
    /// Send nothing, save nothing and start no subscription; with --output, show the rows.
    #[arg(long)]
    dry_run: bool,
    /// Append the rows to this file as one JSON object a line in place of sending them; `-` is standard output. What is
    /// written counts as delivered, so that --state has to say where that is remembered, unless it is a dry run.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Keep the state in this folder in place of the storage account.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// End, saved, after this many seconds; the next run goes on. Without it a run takes as long as it needs.
    #[arg(long, value_name = "SECONDS")]
    budget: Option<u64>,
    #[command(flatten)]
    tenants: TenantArguments,
}

fn time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "is no RFC 3339 time with a zone, such as 2026-11-20T00:00:00Z".to_owned())
}

pub fn pull(arguments: PullArguments) -> ExitCode {
    log_to_stderr(&arguments.tenants);
    if let Some(problem) = misuse(&arguments) {
        return wrong_use(problem);
    }
    let sends = !arguments.dry_run && arguments.output.is_none();
    let storage = !arguments.dry_run && arguments.state.is_none();
    let needs = Needs { ingestion: sends, storage };
    let (choice, runtime) = match chosen(&arguments.tenants, arguments.state.as_deref(), needs) {
        Ok(chosen) => chosen,
        Err(status) => return status,
    };
    let status = match choice {
        Choice::Several(tenants) => runtime.block_on(several::pull(&arguments, &tenants)).unwrap_or_else(cannot),
        Choice::One(settings) => {
            let ended = runtime.block_on(run_one(&arguments, &settings));
            ended.map_or_else(cannot, |ended| report(&arguments, ended))
        }
    };
    // A write to a pipe that nobody reads is left where it stands.
    runtime.shutdown_background();
    status
}

fn cannot(error: AssemblyError) -> ExitCode {
    say(&error.to_string());
    ExitCode::FAILURE
}

fn misuse(arguments: &PullArguments) -> Option<&'static str> {
    if arguments.output.is_some() && arguments.state.is_none() && !arguments.dry_run {
        return Some(
            "--output writes rows to a file in place of sending them, and what is written counts as delivered: beside \
             a connector that sends, those rows would be missing in its table. Add --state DIR, a folder that \
             remembers what this file has, or --dry-run to look at the rows alone.",
        );
    }
    match (arguments.since, arguments.until) {
        (Some(since), Some(until)) if since >= until => Some("--since must be before --until"),
        _ => None,
    }
}

/// What came of a run.
struct Ended {
    result: Result<Summary, RunFailed>,
    /// The exit status of the signal that ended it early.
    signal: Option<ExitCode>,
}

async fn run_one(arguments: &PullArguments, settings: &Settings) -> Result<Ended, AssemblyError> {
    let store = store(arguments.state.as_deref(), settings)?;
    let lines = lines_of(arguments)?;
    let (counts, stop) = (Arc::<Counts>::default(), CancellationToken::new());
    let reporter = Reporter::new(host_name(&settings::process_environment));
    let progress = {
        let counts = Arc::clone(&counts);
        Progress::show(move || counts.line())
    };
    let run = Run { arguments, settings, store, lines: lines.as_ref(), counts, stop: stop.clone() };
    let (result, signal) = to_its_end(Box::pin(run.made_by(&reporter)), &stop, ending(arguments)).await;
    progress.end().await;
    Ok(Ended { result: result?, signal })
}

const fn ending(arguments: &PullArguments) -> &'static str {
    if arguments.dry_run { "Ending." } else { "Ending; what was delivered is being saved." }
}

/// One run of a tenant.
struct Run<'a> {
    arguments: &'a PullArguments,
    settings: &'a Settings,
    /// The state; a dry run looks at it and writes nothing to it.
    store: Option<Arc<dyn Store>>,
    /// Where rows are written in place of being sent.
    lines: Option<&'a LinesSink>,
    counts: Arc<Counts>,
    stop: CancellationToken,
}

impl Run<'_> {
    async fn made_by(self, reporter: &Reporter) -> Result<Result<Summary, RunFailed>, AssemblyError> {
        let Self { arguments, settings, store, lines, counts, stop } = self;
        let store = match store {
            Some(store) if !arguments.dry_run => store,
            below => Arc::new(Overlay::over(below)),
        };
        let sink = match lines {
            Some(lines) => Sink::Lines(lines.clone()),
            None if arguments.dry_run => Sink::Nowhere,
            None => assembly::ingestion(settings)?,
        };
        let connector = Arc::new(assembly::connector_with(settings, store, sink)?);
        let range = (arguments.since.is_some() || arguments.until.is_some())
            .then_some(Range { since: arguments.since, until: arguments.until });
        let budget =
            arguments.budget.map_or_else(Budget::unlimited, |seconds| Budget::of(Duration::from_secs(seconds)));
        let request = Request { dry_run: arguments.dry_run, counts, ..Request::new(range, budget) };
        Ok(reporter.run(&connector, request, (Started::Pull, None), stop).await)
    }
}

/// Where the rows of all tenants are written, where that was asked for.
fn lines_of(arguments: &PullArguments) -> Result<Option<LinesSink>, AssemblyError> {
    let file = arguments.output.as_deref().map(lines).transpose().map_err(AssemblyError::Output)?;
    Ok(file.map(LinesSink::new))
}

/// Tells how the run ended, and gives the exit status.
fn report(arguments: &PullArguments, ended: Ended) -> ExitCode {
    let (summary, errors) = match ended.result {
        Ok(summary) => (summary, Vec::new()),
        Err(failed) => (*failed.summary, failed.errors),
    };
    let logged = tracing::enabled!(target: "labelstream::pull", tracing::Level::INFO);
    let is_shown = std::io::stderr().is_terminal() && !logged && summary != Summary::default();
    if is_shown || summary.under_way {
        summary.lines().iter().for_each(|line| say(line));
    }
    let failures: Vec<_> = errors.iter().filter(|error| !reader_is_gone(error)).collect();
    for failure in &failures {
        say(&format!("failed: {failure}"));
    }
    if arguments.dry_run && failures.iter().any(|failure| lacks_subscription(failure)) {
        say(STARTS_NONE);
    }
    match ended.signal {
        _ if !failures.is_empty() => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
        Some(status) => {
            say(interrupted(arguments));
            status
        }
    }
}

/// Why a dry run may find nothing to list.
const STARTS_NONE: &str = "A dry run starts no subscription; `labelstream pull` without --dry-run does.";

const fn interrupted(arguments: &PullArguments) -> &'static str {
    if arguments.dry_run {
        "Interrupted; a dry run saves nothing."
    } else {
        "Interrupted; what was delivered is saved, and the next run of this command goes on from there."
    }
}

/// Whether it is the reader of a pipe that has seen enough, as `head` does: no failure.
fn reader_is_gone(error: &RunError) -> bool {
    matches!(error, RunError::Output(error) if error.kind() == ErrorKind::BrokenPipe)
}

const fn lacks_subscription(error: &RunError) -> bool {
    matches!(error, RunError::Listing { error, .. } if error.needs_start())
}

fn lines(path: &Path) -> std::io::Result<Box<dyn labelstream::pull::LinesWriter>> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdout()));
    }
    Ok(Box::new(OpenOptions::new().create(true).append(true).open(path)?))
}
