//! `labelstream dead-letters replay`: a replay of one tenant, and what is told of it.

use std::{io::Write, process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    dead_letter::{self, Selection},
    pull::{Budget, Counts, Request, RunError, RunFailed, Sink, Summary},
    settings::Settings,
    state::{Store, overlay::Overlay},
    telemetry::one_line,
    watermark::Outcome,
};
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::command::{progress::Progress, say, to_its_end};

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// Their keys as `list` shows them, or beginnings of keys.
    #[arg(value_name = "KEY", required_unless_present = "all", conflicts_with = "all")]
    pub keys: Vec<String>,
    /// All of them.
    #[arg(long)]
    pub all: bool,
    /// Send, save and remove nothing; say what would be sent. Contents are fetched.
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait for a run that is under way. The lock of one that was killed runs out after 60.
    #[arg(long, value_name = "SECONDS", default_value_t = 70)]
    pub wait: u64,
}

/// A replay of a tenant.
pub(super) struct Replay<'a> {
    pub arguments: &'a ReplayArguments,
    pub settings: &'a Settings,
    pub store: Arc<dyn Store>,
    pub counts: Arc<Counts>,
    pub stop: CancellationToken,
}

impl Replay<'_> {
    pub(super) async fn made(self) -> Result<Result<Summary, RunFailed>, AssemblyError> {
        let Self { arguments, settings, store, counts, stop } = self;
        let selection = if arguments.all { Selection::All } else { Selection::Beginning(arguments.keys.clone()) };
        let (store, sink): (Arc<dyn Store>, _) = if arguments.dry_run {
            (Arc::new(Overlay::over(Some(store))), Sink::Nowhere)
        } else {
            (store, assembly::ingestion(settings)?)
        };
        let connector = Arc::new(assembly::connector_with(settings, store, sink)?);
        let request = Request { dry_run: arguments.dry_run, counts, ..Request::new(None, Budget::unlimited()) };
        Ok(connector.replay(selection, request, Duration::from_secs(arguments.wait), stop).await)
    }
}

pub(super) const fn ending(dry_run: bool) -> &'static str {
    if dry_run { "Ending." } else { "Ending; what was delivered is being saved." }
}

pub(super) async fn send_again(
    arguments: &ReplayArguments,
    settings: &Settings,
    store: Arc<dyn Store>,
) -> Result<ExitCode, Failure> {
    let (counts, stop) = (Arc::<Counts>::default(), CancellationToken::new());
    let progress = {
        let counts = Arc::clone(&counts);
        Progress::show(move || counts.line())
    };
    let replay = Replay { arguments, settings, store, counts, stop: stop.clone() };
    let (result, signal) = to_its_end(Box::pin(replay.made()), &stop, ending(arguments.dry_run)).await;
    progress.end().await;
    report(arguments.dry_run, result?, signal)
}

/// What a replay did, and why it failed where it did.
pub(super) struct Ended {
    pub summary: Summary,
    pub errors: Vec<RunError>,
}

impl Ended {
    pub(super) fn of(result: Result<Summary, RunFailed>) -> Self {
        match result {
            Ok(summary) => Self { summary, errors: Vec::new() },
            Err(failed) => Self { summary: *failed.summary, errors: failed.errors },
        }
    }
}

pub(super) const UNDER_WAY: &str = "A run is under way and holds the tenant's lock; nothing was sent. It ends within \
                         RUN_BUDGET_SECONDS (240 unless set), and where it was killed its lock runs out after 60 s. Try \
                         again then, or with a longer --wait.";

/// Tells what became of each, and gives the exit status.
fn report(dry_run: bool, result: Result<Summary, RunFailed>, signal: Option<ExitCode>) -> Result<ExitCode, Failure> {
    let mut ended = Ended::of(result);
    let errors = &mut ended.errors;
    if let Some(at) = errors.iter().position(|error| matches!(error, RunError::UnknownLetters(_)))
        && let RunError::UnknownLetters(unknown) = errors.swap_remove(at)
    {
        return Err(unknown.into());
    }
    let Ended { summary, errors } = &ended;
    if summary.under_way {
        say(UNDER_WAY);
        return Ok(signal.unwrap_or(ExitCode::FAILURE));
    }
    let mut out = std::io::stdout().lock();
    for (key, outcome) in &summary.letters {
        writeln!(out, "{}", one_line(&format!("{}  {}", dead_letter::name(key), told(outcome, dry_run))))?;
    }
    for error in errors {
        say(&format!("failed: {error}"));
    }
    say(&total(summary, dry_run));
    Ok(match signal {
        _ if is_done(&ended) => ExitCode::SUCCESS,
        Some(status) if errors.is_empty() => status,
        _ => ExitCode::FAILURE,
    })
}

/// Whether nothing of what was to be sent again stays.
pub(super) fn is_done(Ended { summary, errors }: &Ended) -> bool {
    let is_delivered = |outcome: &Outcome| matches!(outcome, Outcome::Delivered { .. });
    errors.is_empty() && summary.dead_letters == 0 && summary.letters.values().all(is_delivered)
}

fn told(outcome: &Outcome, dry_run: bool) -> String {
    match outcome {
        Outcome::Delivered { rows: 0 } => "nothing to send: known already, or no label event".to_owned(),
        Outcome::Delivered { rows } if dry_run => format!("rows to send: {rows}"),
        Outcome::Delivered { rows } => format!("rows sent: {rows}"),
        Outcome::Stays { reason } => format!("stays: {reason}"),
        Outcome::Left => "left as it is: the replay ended before it was done".to_owned(),
    }
}

pub(super) fn total(summary: &Summary, dry_run: bool) -> String {
    if summary.letters.is_empty() {
        return "There are no dead letters to send.".to_owned();
    }
    let in_all = summary.dead_letters_in_all.filter(|_| !dry_run);
    let in_all = in_all.map_or_else(String::new, |number| format!(" {number} lie there now."));
    format!("{}{in_all}", of_letters(summary, dry_run))
}

/// What became of the letters of one tenant, or of several together.
pub(super) fn of_letters(summary: &Summary, dry_run: bool) -> String {
    let stay = summary.letters.values().filter(|outcome| !matches!(outcome, Outcome::Delivered { .. })).count();
    let (rows, new) = (summary.rows, summary.dead_letters);
    if dry_run {
        return format!(
            "{rows} rows would be sent; {stay} dead letters would stay, {new} would be new. Nothing was sent."
        );
    }
    format!("{rows} rows sent; {} dead letters removed, {stay} stay, {new} are new.", summary.dead_letters_removed)
}
