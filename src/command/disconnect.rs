//! `labelstream disconnect`: what will be lost, a question, and the end of the subscriptions; of several tenants with one
//! question (`several`).

mod several;

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use labelstream::{
    content::ContentType,
    feed::subscription::to_start,
    health::undelivered,
    settings::{self, Needs, Settings},
    status::{self, Status},
};
use time::OffsetDateTime;

use super::{
    choice::{Choice, TenantArguments, chosen, has_list},
    log_to_stderr, no_folder,
    question::is_agreed,
    say, store,
    subscriptions::{Failure, Lines, ended, feed},
    wrong_use,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # first, for a run starts the subscriptions again
  az functionapp stop --name <app> --resource-group <group>
  # then deliver what is published so far
  labelstream pull --state ./state
  # says what will be lost, and asks
  labelstream disconnect --state ./state
  # does not ask: for scripts
  labelstream disconnect --yes
  # one of them
  CONTENT_TYPES=Audit.Exchange labelstream disconnect
  # with TENANTS: those of one tenant
  labelstream disconnect --tenant Contoso

What is published between this and the next `labelstream connect` can never be read, by nobody with this application. What was published before cannot be read meanwhile, and the service promises new content alone after a restart. How far each content type was delivered is told by the state: that of --state, or of the storage settings.

Without a terminal to ask on it stops nothing, unless --yes is given. With TENANTS and no --tenant it stops those of all tenants, after one question for all.

Exit status: 0 stopped, or none was there; 1 failed, or the answer was no; 2 wrong use.")]
pub struct DisconnectArguments {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// The state is in this folder in place of the storage account.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(flatten)]
    tenants: TenantArguments,
}

pub fn disconnect(arguments: DisconnectArguments) -> ExitCode {
    log_to_stderr(&arguments.tenants);
    if !arguments.yes && !std::io::stdin().is_terminal() {
        return wrong_use("disconnect asks before it stops anything, and there is no terminal to ask on: add --yes");
    }
    if let Some(problem) = no_folder(arguments.state.as_deref()) {
        return wrong_use(&problem);
    }
    let needs = Needs { storage: arguments.state.is_none() && has_storage(), ..Needs::FEED };
    let (choice, runtime) = match chosen(&arguments.tenants, arguments.state.as_deref(), needs) {
        Ok(chosen) => chosen,
        Err(status) => return status,
    };
    let settings = match choice {
        Choice::One(settings) => settings,
        Choice::Several(several) => return several::disconnect(&arguments, &several, &runtime),
    };
    let enabled = match runtime.block_on(enabled(&settings)) {
        Ok(enabled) => enabled,
        Err(failure) => return ended(Err(failure)),
    };
    if !enabled.is_empty() {
        say(&warning(&enabled, &settings.feed.tenant_id));
        say(&match runtime.block_on(known(arguments.state.as_deref(), &settings)) {
            Ok(Some(status)) => left(&enabled, &status),
            Ok(None) => "How much that is cannot be told without the state: give --state DIR, or the storage settings."
                .to_owned(),
            Err(reason) => format!("How much that is cannot be told: {reason}"),
        });
        say(running());
        if !arguments.yes && !is_agreed("Stop them?") {
            say("Nothing was stopped.");
            return ExitCode::FAILURE;
        }
    }
    ended(runtime.block_on(stop_all(&settings, &enabled)))
}

/// What has to be done before.
fn running() -> &'static str {
    match has_list() {
        false => "A connector that goes on running starts them again: stop the function app first.",
        true => "A run starts them again: `labelstream tenants disable` takes a tenant from the runs first.",
    }
}

/// What stopping costs.
const LOST: &str = "Lost for good is what is published from now until `labelstream connect`: those label events will be \
                    missing in the table.\nOut of reach meanwhile, and not promised afterwards, is what is published and \
                    not delivered yet.";

/// Whether the settings name a storage account. `disconnect` works without one.
fn has_storage() -> bool {
    ["AzureWebJobsStorage", "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__accountName"]
        .into_iter()
        .any(|name| settings::process_environment(name).is_some_and(|value| !value.trim().is_empty()))
}

/// Those of the settings that have an enabled subscription.
async fn enabled(settings: &Settings) -> Result<Vec<ContentType>, Failure> {
    let wanted = &settings.feed.content_types;
    let missing = to_start(&feed(settings)?.subscriptions().await?, wanted);
    Ok(wanted.iter().copied().filter(|wanted| !missing.contains(wanted)).collect())
}

/// How the connector stands, where the state is known.
async fn known(state: Option<&Path>, settings: &Settings) -> Result<Option<Status>, String> {
    let Some(store) = store(state, settings).map_err(|error| error.to_string())? else { return Ok(None) };
    let (tenant, wanted) = (&settings.feed.tenant_id, &settings.feed.content_types);
    let status = status::read(store.as_ref(), tenant, wanted, OffsetDateTime::now_utc()).await;
    status.map(Some).map_err(|error| format!("state: {error}"))
}

fn warning(enabled: &[ContentType], tenant: &str) -> String {
    let names: Vec<_> = enabled.iter().map(|content_type| content_type.as_str()).collect();
    format!("This stops the subscriptions of {} in tenant {tenant}.\n{LOST}", names.join(", "))
}

/// What is not delivered of the seven days that the feed serves.
fn left(enabled: &[ContentType], status: &Status) -> String {
    let mut lines = vec!["Not delivered yet:".to_owned()];
    for (name, kind) in status.content_types.iter().filter(|(name, _)| enabled.contains(name)) {
        lines.push(format!("  {:<width$}  {}", name.as_str(), undelivered(status, kind), width = width(enabled)));
    }
    if status.run_under_way == Some(true) {
        lines.push("A run is under way, which is delivering more of it.".to_owned());
    }
    if let Some(letters) = status.dead_letters.filter(|letters| letters.number > 0) {
        lines.push(format!(
            "Dead letters: {letters}. Contents among them can then be fetched no more: `labelstream dead-letters replay \
             --all` tries it before."
        ));
    }
    lines.join("\n")
}

fn width(enabled: &[ContentType]) -> usize {
    enabled.iter().map(|content_type| content_type.as_str().len()).max().unwrap_or_default()
}

/// What became of each content type.
async fn stop_all(settings: &Settings, enabled: &[ContentType]) -> Result<Lines, Failure> {
    let feed = feed(settings)?;
    let mut lines = Lines::default();
    for content_type in &settings.feed.content_types {
        match enabled.contains(content_type) {
            false => lines.add(*content_type, "was not enabled"),
            true => lines.done(*content_type, "stopped", feed.stop(*content_type).await),
        }
    }
    Ok(lines)
}
