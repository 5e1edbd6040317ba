//! `labelstream dead-letters`: what could not be delivered, and sending it again; of several tenants by `several`.

mod several;

use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Args, Subcommand};
use labelstream::{
    assembly::{self, AssemblyError},
    dead_letter::{self, Facts, KeptError, Selection, UnknownLetters},
    pull::{Budget, Counts, Request, RunError, RunFailed, Sink, Summary},
    settings::{Needs, Settings},
    state::{StateError, Store, overlay::Overlay},
    telemetry::one_line,
    watermark::Outcome,
};
use tokio_util::sync::CancellationToken;

use super::{
    choice::{Choice, TenantArguments, chosen},
    log_to_stderr, no_folder,
    progress::Progress,
    say, store, to_its_end, wrong_use,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # what lies there, one of them with its body, and all of them sent again
  labelstream dead-letters list
  labelstream dead-letters show row-4c1
  labelstream dead-letters replay --all
  # with TENANTS: of all tenants, or of one
  labelstream dead-letters list
  labelstream dead-letters show row-4c1 --tenant Contoso")]
pub struct DeadLettersArguments {
    #[command(subcommand)]
    action: Action,
    /// The state is in this folder in place of the storage account.
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
    #[command(flatten)]
    tenants: TenantArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show those that lie there, one a line, newest last.
    #[command(after_help = "Examples:
  # kind, time, content type, record or content, reason, tries, key; newest last
  labelstream dead-letters list
  # how many of each kind
  labelstream dead-letters list --json | jq -r .kind | sort | uniq -c

Exit status: 0 done, 1 one could not be read, 2 wrong use.")]
    List {
        /// The same facts as one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Print one as it is stored, with its body (JSON).
    #[command(after_help = "Examples:
  # the one whose key begins so, and why it could not be delivered
  labelstream dead-letters show row-4c1
  labelstream dead-letters show row-4c1 | jq -r .reason

Exit status: 0 done, 1 failed, 2 wrong use, also a key that is not there.")]
    Show {
        /// Its key as `list` shows it, or a beginning that no other has.
        key: String,
    },
    /// Send them again: rows as they are, records read anew, contents fetched anew.
    #[command(after_help = "Examples:
  # what would be sent
  labelstream dead-letters replay --all --dry-run
  # all of them; all rows; the one whose key begins so
  labelstream dead-letters replay --all
  labelstream dead-letters replay row-
  labelstream dead-letters replay content-3f9a

Rows that were delivered before are not sent again. What is delivered is removed; what fails again stays, with its new reason.

Exit status: 0 done; 1 something stays, or failed; 2 wrong use, also a key that is not there; 130 or 143 interrupted by SIGINT or SIGTERM.")]
    Replay(ReplayArguments),
}

#[derive(Debug, Args)]
struct ReplayArguments {
    /// Their keys as `list` shows them, or beginnings of keys.
    #[arg(value_name = "KEY", required_unless_present = "all", conflicts_with = "all")]
    keys: Vec<String>,
    /// All of them.
    #[arg(long)]
    all: bool,
    /// Send, save and remove nothing; say what would be sent. Contents are fetched.
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for a run that is under way. The lock of one that was killed runs out after 60.
    #[arg(long, value_name = "SECONDS", default_value_t = 70)]
    wait: u64,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    #[error("state: {0}")]
    State(#[from] StateError),
    #[error(transparent)]
    Unreadable(#[from] KeptError),
    #[error(transparent)]
    Unknown(#[from] UnknownLetters),
    #[error("{0} is the beginning of several keys; give more of it")]
    Several(String),
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

pub fn dead_letters(arguments: DeadLettersArguments) -> ExitCode {
    log_to_stderr(&arguments.tenants);
    let state = arguments.state.as_deref();
    if let Some(problem) = no_folder(state) {
        return wrong_use(&problem);
    }
    let sends = matches!(&arguments.action, Action::Replay(replay) if !replay.dry_run);
    let needs = Needs { ingestion: sends, storage: state.is_none() };
    let (choice, runtime) = match chosen(&arguments.tenants, state, needs) {
        Ok(chosen) => chosen,
        Err(status) => return status,
    };
    let acted = match choice {
        Choice::One(settings) => runtime.block_on(act(&arguments, &settings)),
        Choice::Several(several) => runtime.block_on(several::act(&arguments.action, &several)),
    };
    match acted {
        Ok(status) => status,
        // The reader of a pipe has seen enough, as `head` does.
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure @ (Failure::Unknown(_) | Failure::Several(_))) => wrong_use(&failure.to_string()),
        Err(failure) => {
            say(&format!("failed: {failure}"));
            ExitCode::FAILURE
        }
    }
}

async fn act(arguments: &DeadLettersArguments, settings: &Settings) -> Result<ExitCode, Failure> {
    let tenant = &settings.feed.tenant_id;
    let store = open(arguments.state.as_deref(), settings)?;
    match &arguments.action {
        Action::List { json } => list(store.as_ref(), tenant, *json).await,
        Action::Show { key } => show(store.as_ref(), tenant, key).await,
        Action::Replay(replay) => send_again(replay, settings, store).await,
    }
}

/// The settings were read with a storage account unless there is a folder.
fn open(state: Option<&Path>, settings: &Settings) -> Result<Arc<dyn Store>, AssemblyError> {
    store(state, settings)?.map_or_else(|| assembly::store(settings), Ok)
}

/// What lies there of a tenant.
struct Found {
    /// Newest last.
    letters: Vec<Facts>,
    unreadable: Vec<KeptError>,
}

async fn found(store: &dyn Store, tenant: &str) -> Result<Found, Failure> {
    let keys = dead_letter::keys(store, tenant).await?;
    let (mut letters, mut unreadable) = (Vec::new(), Vec::new());
    dead_letter::read_all(store, &keys, |key, letter| match letter {
        Ok(letter) => letters.extend(letter.map(|letter| Facts::of(key, &letter))),
        Err(error) => unreadable.push(error),
    })
    .await;
    letters.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
    Ok(Found { letters, unreadable })
}

async fn list(store: &dyn Store, tenant: &str, json: bool) -> Result<ExitCode, Failure> {
    let Found { letters, unreadable } = found(store, tenant).await?;
    let mut out = std::io::stdout().lock();
    for facts in &letters {
        if json {
            let line = serde_json::to_string(facts).map_err(std::io::Error::other)?;
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{}", one_line(&facts.line()))?;
        }
    }
    for error in &unreadable {
        say(&format!("failed: {error}"));
    }
    if letters.is_empty() && unreadable.is_empty() {
        say("There are no dead letters.");
    }
    Ok(if unreadable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn show(store: &dyn Store, tenant: &str, key: &str) -> Result<ExitCode, Failure> {
    let keys = dead_letter::keys(store, tenant).await?;
    let chosen = Selection::Beginning(vec![key.to_owned()]).choose(&keys)?;
    let [chosen] = chosen.as_slice() else { return Err(Failure::Several(key.to_owned())) };
    // As it is stored, also where this version cannot read it.
    let Some((stored, _)) = store.get(chosen).await? else {
        return Err(UnknownLetters(vec![key.to_owned()]).into());
    };
    let mut out = std::io::stdout().lock();
    out.write_all(&stored)?;
    out.write_all(b"\n")?;
    Ok(ExitCode::SUCCESS)
}

/// A replay of a tenant.
struct Replay<'a> {
    arguments: &'a ReplayArguments,
    settings: &'a Settings,
    store: Arc<dyn Store>,
    counts: Arc<Counts>,
    stop: CancellationToken,
}

impl Replay<'_> {
    async fn made(self) -> Result<Result<Summary, RunFailed>, AssemblyError> {
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

const fn ending(dry_run: bool) -> &'static str {
    if dry_run { "Ending." } else { "Ending; what was delivered is being saved." }
}

async fn send_again(
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
struct Ended {
    summary: Summary,
    errors: Vec<RunError>,
}

impl Ended {
    fn of(result: Result<Summary, RunFailed>) -> Self {
        match result {
            Ok(summary) => Self { summary, errors: Vec::new() },
            Err(failed) => Self { summary: *failed.summary, errors: failed.errors },
        }
    }
}

const UNDER_WAY: &str = "A run is under way and holds the tenant's lock; nothing was sent. It ends within \
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
fn is_done(Ended { summary, errors }: &Ended) -> bool {
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

fn total(summary: &Summary, dry_run: bool) -> String {
    if summary.letters.is_empty() {
        return "There are no dead letters to send.".to_owned();
    }
    let in_all = summary.dead_letters_in_all.filter(|_| !dry_run);
    let in_all = in_all.map_or_else(String::new, |number| format!(" {number} lie there now."));
    format!("{}{in_all}", of_letters(summary, dry_run))
}

/// What became of the letters of one tenant, or of several together.
fn of_letters(summary: &Summary, dry_run: bool) -> String {
    let stay = summary.letters.values().filter(|outcome| !matches!(outcome, Outcome::Delivered { .. })).count();
    let (rows, new) = (summary.rows, summary.dead_letters);
    if dry_run {
        return format!(
            "{rows} rows would be sent; {stay} dead letters would stay, {new} would be new. Nothing was sent."
        );
    }
    format!("{rows} rows sent; {} dead letters removed, {stay} stay, {new} are new.", summary.dead_letters_removed)
}
