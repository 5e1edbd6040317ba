//! `labelstream status`: how the connector stands.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    health::{Fleet, Health, TenantHealth},
    settings::{Needs, Settings},
    state::{StateError, Store},
    status::{self, Status},
};
use serde::Serialize;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::{
    choice::{Choice, Several, TenantArguments, chosen},
    each::each,
    log_to_stderr, no_folder, print, say, store, wrong_use,
};

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
  # with TENANTS: a table of all tenants, the worst first; one in full
  labelstream status
  labelstream status --tenant Contoso

What the lines mean:
  lag             from the oldest publication that is not delivered until now,
                  by the feed's own times
  last accepted   when the data collection rule last took a batch
  listed through  all that was published before this time is delivered,
                  pending, or a dead letter
  pending         contents that failed; each run tries them again, and after 8
                  tries they are dead letters
  left to do      contents that the last run listed and had no time for

The JSON is that of the function at /api/status; of several tenants it has them in `tenants`, each with its last run alone. docs/health.md says what makes it unhealthy.

It takes no lock and changes nothing, and may be called while a run is under way.

Exit status: 0 done, whatever it shows; 1 the state or the feed could not be asked, or a tenant's entry is bad; 2 wrong use.")]
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
    #[command(flatten)]
    tenants: TenantArguments,
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
    log_to_stderr(&arguments.tenants);
    if let Some(problem) = no_folder(arguments.state.as_deref()) {
        return wrong_use(&problem);
    }
    let needs = Needs { ingestion: false, storage: arguments.state.is_none() };
    let (choice, runtime) = match chosen(&arguments.tenants, arguments.state.as_deref(), needs) {
        Ok(chosen) => chosen,
        Err(status) => return status,
    };
    let told = match choice {
        Choice::One(settings) => runtime
            .block_on(look_at_one(&arguments, &settings))
            .and_then(|(health, all_answered)| Ok((told(&arguments, &health)?, all_answered))),
        Choice::Several(several) => {
            let (fleet, all_answered) = runtime.block_on(look_at_all(&arguments, &several));
            told(&arguments, &fleet).map(|text| (text, all_answered))
        }
    };
    match told {
        Ok((text, true)) => print(&text, ExitCode::SUCCESS),
        Ok((text, false)) => print(&text, ExitCode::FAILURE),
        Err(failure) => {
            say(&format!("failed: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn told(arguments: &StatusArguments, health: &(impl Serialize + ToString)) -> Result<String, Failure> {
    if !arguments.json {
        return Ok(health.to_string());
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(health)?))
}

async fn look_at_one(arguments: &StatusArguments, settings: &Settings) -> Result<(Health, bool), Failure> {
    let store = store(arguments.state.as_deref(), settings)?.map_or_else(|| assembly::store(settings), Ok)?;
    look(arguments, settings, store.as_ref()).await
}

/// How the connector stands, and whether the feed answered where it was asked.
async fn look(arguments: &StatusArguments, settings: &Settings, store: &dyn Store) -> Result<(Health, bool), Failure> {
    let (tenant, wanted) = (&settings.feed.tenant_id, &settings.feed.content_types);
    let read = status::read(store, tenant, wanted, OffsetDateTime::now_utc());
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

/// How all of them stand, and whether each could be asked.
async fn look_at_all(arguments: &StatusArguments, several: &Several) -> (Fleet, bool) {
    let never = CancellationToken::new();
    let looks = each(
        &several.tenants,
        &never,
        async |_, _, settings| {
            look(arguments, settings, several.state()?.as_ref()).await.map_err(|failure| failure.to_string())
        },
        |_, _| {},
    );
    let looks = Box::pin(looks).await;
    let now = OffsetDateTime::now_utc();
    let all_answered = looks.iter().flatten().all(|look| matches!(look, Ok((_, true))));
    let looked = several.tenants.iter().zip(looks.into_iter().flatten()).map(|(tenant, look)| {
        let entry = &tenant.entry;
        match (look, &tenant.settings) {
            (Ok((health, _)), _) => TenantHealth::of(entry, health),
            (Err(_), Err(error)) => TenantHealth::bad(entry, error, now),
            (Err(problem), Ok(_)) => {
                let unknown = Status::unknown(entry.id.clone(), now);
                TenantHealth::of(entry, Health::unknown(unknown, vec![problem]))
            }
        }
    });
    let disabled = several.disabled.iter().map(|entry| TenantHealth::disabled(entry, now));
    (Fleet::of(looked.chain(disabled).collect(), now), all_answered)
}
