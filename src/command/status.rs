//! `labelstream status`: how the connector stands.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    settings::{Needs, Settings},
    status::{self, Status, StatusError},
};
use time::OffsetDateTime;

use super::{log_to_stderr, no_folder, prepared, print, say, store, wrong_use};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  labelstream status                                 for people
  labelstream status --state ./state                 the state is in a folder
  labelstream status --json | jq .lagSeconds         for programs: the longest lag in seconds
  labelstream status --offline                       by the state alone; the feed is not asked

lag             from the oldest publication that is not delivered until now, by the feed's own times
listed through  all that was published before this time is delivered, to be tried again, or a dead letter
left to do      contents that failed and are tried again by each run; after 8 tries they are dead letters
last accepted   when the data collection rule last took a batch

It takes no lock and changes nothing, and may be called while a run is under way.

Exit status: 0 done, whatever it shows; 1 the state or the feed could not be asked; 2 wrong use.")]
pub struct StatusArguments {
    /// One JSON object in place of lines.
    #[arg(long)]
    json: bool,
    /// Do not ask the feed for the subscriptions.
    #[arg(long)]
    offline: bool,
    /// The state is in this folder in place of the storage account.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Why there is no status.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    #[error(transparent)]
    Status(#[from] StatusError),
    #[error("the status cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

pub fn status(arguments: StatusArguments) -> ExitCode {
    log_to_stderr();
    if let Some(problem) = no_folder(arguments.state.as_deref()) {
        return wrong_use(&problem);
    }
    let (settings, runtime) = match prepared(Needs { ingestion: false, storage: arguments.state.is_none() }) {
        Ok(prepared) => prepared,
        Err(status) => return status,
    };
    let told = runtime.block_on(read(&arguments, &settings)).and_then(|status| {
        let text = if arguments.json { format!("{}\n", status.json()?) } else { status.to_string() };
        Ok((text, status.feed_failed))
    });
    match told {
        Ok((text, false)) => print(&text, ExitCode::SUCCESS),
        Ok((text, true)) => print(&text, ExitCode::FAILURE),
        Err(failure) => {
            say(&format!("failed: {failure}"));
            ExitCode::FAILURE
        }
    }
}

async fn read(arguments: &StatusArguments, settings: &Settings) -> Result<Status, Failure> {
    let store = store(arguments.state.as_deref(), settings)?.map_or_else(|| assembly::store(settings), Ok)?;
    let feed = match arguments.offline {
        true => None,
        false => Some(assembly::feed_client(settings, assembly::feed_tokens(settings))?),
    };
    let (tenant, wanted) = (&settings.feed.tenant_id, &settings.feed.content_types);
    Ok(status::read(store.as_ref(), tenant, wanted, feed.as_ref(), OffsetDateTime::now_utc()).await?)
}
