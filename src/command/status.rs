//! `labelstream status`: how the connector stands.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    health::Health,
    settings::{Needs, Settings},
    state::StateError,
    status,
};
use time::OffsetDateTime;

use super::{log_to_stderr, no_folder, prepared, print, say, store, wrong_use};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # for people; the state is in the storage account, or in a folder
  labelstream status
  labelstream status --state ./state
  # by the state alone; the feed is not asked for the subscriptions
  labelstream status --offline
  # for programs: the longest lag in seconds, and whether somebody has to look
  labelstream status --json | jq .lagSeconds
  labelstream status --json | jq -e .healthy

What the lines mean:
  lag             from the oldest publication that is not delivered until now,
                  by the feed's own times
  last accepted   when the data collection rule last took a batch
  listed through  all that was published before this time is delivered,
                  pending, or a dead letter
  pending         contents that failed; each run tries them again, and after 8
                  tries they are dead letters
  left to do      contents that the last run listed and had no time for

The JSON is that of the function at /api/status. docs/health.md says what makes it unhealthy.

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
    #[error("state: {0}")]
    State(#[from] StateError),
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
    let told = runtime.block_on(look(&arguments, &settings)).and_then(|(health, all_answered)| {
        let json = || serde_json::to_string_pretty(&health).map(|json| format!("{json}\n"));
        Ok((if arguments.json { json()? } else { health.to_string() }, all_answered))
    });
    match told {
        Ok((text, true)) => print(&text, ExitCode::SUCCESS),
        Ok((text, false)) => print(&text, ExitCode::FAILURE),
        Err(failure) => {
            say(&format!("failed: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// How the connector stands, and whether the feed answered where it was asked.
async fn look(arguments: &StatusArguments, settings: &Settings) -> Result<(Health, bool), Failure> {
    let store = store(arguments.state.as_deref(), settings)?.map_or_else(|| assembly::store(settings), Ok)?;
    let (tenant, wanted) = (&settings.feed.tenant_id, &settings.feed.content_types);
    let read = status::read(store.as_ref(), tenant, wanted, OffsetDateTime::now_utc());
    if arguments.offline {
        return Ok((Health::of(read.await?), true));
    }
    let feed = assembly::attended_feed_client(settings, assembly::feed_tokens(settings))?;
    let (status, listed) = tokio::join!(read, feed.subscriptions());
    let mut status = status?;
    Ok(match listed {
        Ok(listed) => {
            status.take_subscriptions(&listed);
            (Health::of(status), true)
        }
        Err(error) => {
            let mut health = Health::of(status);
            health.add_problem(format!("The subscriptions could not be listed: {error}"));
            (health, false)
        }
    })
}
