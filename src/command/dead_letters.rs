//! `labelstream dead-letters`: what could not be delivered, and sending it again; of several tenants by `several`.

mod replay;
mod several;

use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use super::{
    choice::{Choice, TenantArguments, chosen},
    log_to_stderr, no_folder, say, store, wrong_use,
};
use clap::{Args, Subcommand};
use labelstream::{
    assembly::{self, AssemblyError},
    dead_letter::{self, Facts, KeptError, Selection, UnknownLetters},
    settings::{Needs, Settings},
    state::{StateError, Store},
    telemetry::one_line,
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
    Replay(replay::ReplayArguments),
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
        Action::Replay(replay) => replay::send_again(replay, settings, store).await,
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
