//! `labelstream disconnect` of several tenants: one question for all of them.

use std::process::ExitCode;

use labelstream::{
    content::ContentType,
    health::span,
    settings::Settings,
    state::Store,
    status::{self, Status},
};
use time::{Duration, OffsetDateTime};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::{DisconnectArguments, LOST, enabled, running, stop_all};
use crate::command::{
    choice::{Several, Tenant},
    each::{Outcome, each, failed, say_line, say_sums, tenants},
    question::is_agreed,
    say,
};

/// What is known of a tenant before it is asked for.
struct Found {
    /// Its enabled subscriptions, of the settings.
    enabled: Vec<ContentType>,
    /// How much is not delivered.
    left: String,
}

/// Stops the subscriptions of each tenant, after a question; the exit status.
pub fn disconnect(arguments: &DisconnectArguments, several: &Several, runtime: &Runtime) -> ExitCode {
    let never = CancellationToken::new();
    let found = runtime.block_on(Box::pin(each(
        &several.tenants,
        &never,
        async |_, _, settings| found(settings, several.store.as_deref()).await,
        |tenant, outcome| {
            if let Err(problem) = outcome {
                say_line(tenant, &Err(problem.clone()));
            }
        },
    )));
    let warned: Vec<_> =
        several.tenants.iter().zip(&found).filter_map(|(tenant, found)| warned(tenant, found)).collect();
    if !warned.is_empty() {
        say(&warning(&warned));
        if !arguments.yes && !is_agreed(&format!("Stop those of {}?", tenants(warned.len()))) {
            say("Nothing was stopped.");
            return ExitCode::FAILURE;
        }
    }
    let outcomes = runtime.block_on(Box::pin(each(
        &several.tenants,
        &never,
        async |place, _, settings| match &found[place] {
            Some(Ok(found)) => match stop_all(settings, &found.enabled).await {
                Ok(lines) => lines.in_one(),
                Err(failure) => Err(failure.to_string()),
            },
            // It was told when it was asked.
            Some(Err(problem)) => Err(problem.clone()),
            None => Err("it was not asked".to_owned()),
        },
        |tenant, outcome| {
            let is_told = several
                .tenants
                .iter()
                .zip(&found)
                .any(|(known, found)| known.entry.place == tenant.entry.place && matches!(found, Some(Err(_))));
            if !is_told {
                say_line(tenant, outcome);
            }
        },
    )));
    let (failed, _) = failed(&outcomes);
    say_sums(&outcomes, &format!("subscriptions of {} stopped, or none was enabled", outcomes.len() - failed))
}

async fn found(settings: &Settings, store: Option<&dyn Store>) -> Outcome<Found> {
    let enabled = enabled(settings).await.map_err(|failure| failure.to_string())?;
    let left = match store {
        None => "not known without the state".to_owned(),
        Some(store) => {
            let (tenant, wanted) = (&settings.feed.tenant_id, &settings.feed.content_types);
            match status::read(store, tenant, wanted, OffsetDateTime::now_utc()).await {
                Ok(status) => left(&status),
                Err(error) => format!("not known: state: {error}"),
            }
        }
    };
    Ok(Found { enabled, left })
}

/// How much of a tenant is not delivered yet.
fn left(status: &Status) -> String {
    let listed = |kind: &status::TypeStatus| kind.lag_seconds.map(Duration::seconds);
    let lags: Option<Vec<_>> = status.content_types.values().map(listed).collect();
    let letters = status.dead_letters.filter(|letters| letters.number > 0);
    let letters = letters.map_or_else(String::new, |letters| format!("; {letters} dead letters"));
    match lags.and_then(|lags| lags.into_iter().max()) {
        None => format!("all of the last 7 days of what was never listed{letters}"),
        Some(lag) => format!("what was published in the last {}{letters}", span(lag)),
    }
}

fn warned<'a>(tenant: &'a Tenant, found: &'a Option<Outcome<Found>>) -> Option<(&'a str, &'a Found)> {
    match found {
        Some(Ok(found)) if !found.enabled.is_empty() => Some((&tenant.name, found)),
        _ => None,
    }
}

fn warning(warned: &[(&str, &Found)]) -> String {
    let mut lines =
        vec![format!("This stops the subscriptions of {}. Not delivered of them yet:", tenants(warned.len()))];
    for (name, found) in warned {
        let types: Vec<_> = found.enabled.iter().map(|content_type| content_type.as_str()).collect();
        lines.push(format!("  {name}: {}; {}", types.join(", "), found.left));
    }
    lines.push(LOST.to_owned());
    lines.push(running().to_owned());
    lines.join("\n")
}
