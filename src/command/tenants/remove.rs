//! `labelstream tenants remove`, and the end of what is kept of a tenant.

use std::{io::IsTerminal, process::ExitCode};

use clap::Args;
use labelstream::{
    state::{StateError, Store},
    tenants::{
        LIST_KEY, List, ListError,
        edit::{self, EditError},
    },
    watermark::Memory,
};
use uuid::Uuid;

use super::{Stored, say_whether_it_is_read, unchanged, word};
use crate::command::{question::is_agreed, say, wrong_use};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # a customer leaves: no run any more, no subscription, and then no trace
  labelstream tenants disable Contoso
  labelstream disconnect --tenant Contoso
  labelstream tenants remove Contoso --purge-state
  # out of the list; its state stays
  labelstream tenants remove Contoso

Without --purge-state the tenant's watermark, dead letters and last runs stay in the state, and added again it goes on from there. With it they are deleted for good. It asks before, unless --yes is given, and refuses while a run of the tenant holds its lock. A tenant that is out of the list already is named by its id.

Exit status: 0 done; 1 failed, a run is under way, or the answer was no; 2 wrong use.")]
pub struct RemoveArguments {
    /// Its id or name.
    tenant: String,
    /// Delete what the state has of it: watermark, ids, dead letters, label names, last runs.
    #[arg(long)]
    purge_state: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Why a tenant is not removed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error("state: {0}")]
    State(#[from] StateError),
    #[error("a run of {0} is under way and holds its lock; nothing was removed. Try again when it has ended")]
    UnderWay(String),
    #[error("{0} has no tenant id, so that no state is its own; remove it without --purge-state")]
    NoId(String),
    #[error(
        "{0} stands in the list more than once, and its state is that of the other entry as well; remove it without --purge-state first"
    )]
    StillThere(String),
}

/// What is to be removed.
struct Meant {
    id: Option<String>,
    name: Option<String>,
    label: String,
    is_listed: bool,
    /// How often its id stands in the list.
    times: usize,
}

pub fn remove(arguments: &RemoveArguments, stored: &Stored) -> ExitCode {
    if arguments.purge_state && !arguments.yes && !std::io::stdin().is_terminal() {
        return wrong_use(
            "--purge-state asks before it deletes anything, and there is no terminal to ask on: add --yes",
        );
    }
    match stored.runtime.block_on(meant(arguments, stored.store.as_ref())) {
        Ok(meant) if arguments.purge_state => purged(arguments, &meant, stored),
        Ok(meant) => removed(arguments, &meant, stored),
        Err(error) => failed(error),
    }
}

fn failed(failure: impl Into<Failure>) -> ExitCode {
    match failure.into() {
        Failure::Edit(error) => unchanged(&error),
        failure @ (Failure::NoId(_) | Failure::StillThere(_)) => wrong_use(&failure.to_string()),
        failure => {
            say(&format!("failed: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Finds the tenant in the list; one that is out of it already, and whose state is to go, by its id.
async fn meant(arguments: &RemoveArguments, store: &dyn Store) -> Result<Meant, Failure> {
    let list = match store.get(LIST_KEY).await? {
        Some((text, _)) => List::parse(&text).map_err(|error: ListError| EditError::from(error))?,
        None => List::default(),
    };
    match (list.find(&arguments.tenant), Uuid::try_parse(arguments.tenant.trim())) {
        (Ok(entry), _) => Ok(Meant {
            id: entry.id.clone(),
            name: entry.name.clone(),
            label: entry.label(),
            is_listed: true,
            times: list.entries().iter().filter(|other| other.id.is_some() && other.id == entry.id).count(),
        }),
        (Err(_), Ok(id)) if arguments.purge_state => {
            let id = id.hyphenated().to_string();
            Ok(Meant { label: id.clone(), id: Some(id), name: None, is_listed: false, times: 0 })
        }
        (Err(error), _) => Err(EditError::from(error).into()),
    }
}

fn removed(arguments: &RemoveArguments, meant: &Meant, stored: &Stored) -> ExitCode {
    let change = edit::change(stored.store.as_ref(), |list| edit::without(list, &arguments.tenant));
    if let Err(error) = stored.runtime.block_on(change) {
        return unchanged(&error);
    }
    say(&format!("{} is out of the list; no run reads it any more.", meant.label));
    say_whether_it_is_read();
    let Some(id) = &meant.id else { return ExitCode::SUCCESS };
    say("Its subscriptions, its state and its dead letters stay.");
    say(&format!("  the state is deleted by: {}", stored.command(&format!("tenants remove {id} --purge-state"))));
    say(
        "  its subscriptions are stopped by `labelstream disconnect --tenant` while it is in the list; the customer ends all \
         access by deleting the app registration (docs/providers.md)",
    );
    ExitCode::SUCCESS
}

fn purged(arguments: &RemoveArguments, meant: &Meant, stored: &Stored) -> ExitCode {
    let Some(id) = &meant.id else { return failed(Failure::NoId(meant.label.clone())) };
    if meant.times > 1 {
        return failed(Failure::StillThere(meant.label.clone()));
    }
    let store = stored.store.as_ref();
    let found = match stored.runtime.block_on(keys(store, id)) {
        Ok(found) => found,
        Err(error) => return failed(error),
    };
    say(&format!("This deletes all that the state has of {}, for good: {}.", meant.label, kinds(&found, id)));
    say("What is not delivered by then is out of reach; added again, all that its feed still serves is sent anew.");
    if meant.is_listed {
        let word = word(meant.name.as_deref(), id);
        say(&format!(
            "Its subscriptions stay; `{}` stops them, before.",
            stored.command(&format!("disconnect --tenant {word}"))
        ));
    }
    if !arguments.yes && !is_agreed("Delete it?") {
        say("Nothing was deleted.");
        return ExitCode::FAILURE;
    }
    match stored.runtime.block_on(purge(arguments, meant, id, store)) {
        Ok(number) => {
            let left = if meant.is_listed { "out of the list, and " } else { "" };
            say(&format!("{} is {left}without a state: {number} blobs deleted.", meant.label));
            say_whether_it_is_read();
            say(
                "A process that read the list within the last minute may begin one more run of it, which makes its state anew; \
                 this command takes that away as well.",
            );
            ExitCode::SUCCESS
        }
        Err(error) => failed(error),
    }
}

/// Takes the tenant's lock, so that no run is under way, then the tenant out of the list, and then its state away.
async fn purge(arguments: &RemoveArguments, meant: &Meant, id: &str, store: &dyn Store) -> Result<usize, Failure> {
    let Some(lock) = store.lock(&Memory::lock_key(id)).await? else {
        return Err(Failure::UnderWay(meant.label.clone()));
    };
    let deleted = delete(arguments, meant, id, store, lock.as_ref()).await;
    // What was deleted is deleted, whatever became of the lock; it runs out by itself.
    let released = lock.release().await;
    let deleted = deleted?;
    released?;
    Ok(deleted)
}

async fn delete(
    arguments: &RemoveArguments,
    meant: &Meant,
    id: &str,
    store: &dyn Store,
    lock: &dyn labelstream::state::Lock,
) -> Result<usize, Failure> {
    if meant.is_listed {
        edit::change(store, |list| edit::without(list, &arguments.tenant)).await?;
    }
    let found = keys(store, id).await?;
    for (number, key) in found.iter().enumerate() {
        // A lease lasts for a minute.
        if number % RENEWED_AFTER == 0 {
            lock.renew().await?;
        }
        store.delete(key).await?;
    }
    Ok(found.len())
}

/// So many blobs are deleted between two renewals of the lock; each takes some milliseconds.
const RENEWED_AFTER: usize = 100;

/// All that the state has of a tenant: what is under its id, and the marker that a run with work left wrote beside that.
async fn keys(store: &dyn Store, id: &str) -> Result<Vec<String>, StateError> {
    let mut found = Vec::new();
    for prefix in [format!("{id}/"), format!("again/{id}.json")] {
        found.extend(store.list(&prefix).await?.into_iter().map(|entry| entry.key));
    }
    Ok(found)
}

/// How many blobs there are, and how many of them are dead letters.
fn kinds(keys: &[String], id: &str) -> String {
    let prefix = labelstream::dead_letter::prefix(id);
    let letters = keys.iter().filter(|key| key.starts_with(&prefix)).count();
    match (keys.len(), letters) {
        (0, _) => "nothing is there".to_owned(),
        (all, letters) => format!("{all} blobs, {letters} of them dead letters"),
    }
}
