//! `labelstream labels` of several tenants.

use std::process::ExitCode;

use labelstream::settings::{LabelSource, Settings};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{LabelsArguments, as_json, headline, look, source};
use crate::command::{
    choice::{Several, Tenant},
    each::{Outcome, each, failed, say_line, say_sums},
    print,
};

/// What is told of a tenant: its line and its JSON; `None` where no names are asked for.
type Told = Option<(String, Value)>;

/// A line for each tenant, or one object with all of them; the exit status. A tenant without names, or with those of a
/// map where Graph is to be asked, is left as it is.
pub async fn labels(arguments: &LabelsArguments, several: &Several) -> ExitCode {
    let never = CancellationToken::new();
    let work = each(
        &several.tenants,
        &never,
        async |_, _, settings| told(arguments, several, settings).await,
        |tenant, outcome| {
            if !arguments.json || outcome.is_err() {
                say_line(tenant, &in_a_line(outcome));
            }
        },
    );
    let outcomes = work.await;
    if arguments.json {
        let tenants = several.tenants.iter().zip(&outcomes);
        let all: Vec<_> = tenants.map(|(tenant, outcome)| in_json(tenant, outcome.as_ref())).collect();
        let status = if failed(&outcomes).0 > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        return print(&format!("{:#}\n", json!({"tenants": all})), status);
    }
    let known = outcomes.iter().filter(|outcome| matches!(outcome, Some(Ok(Some(_))))).count();
    say_sums(&outcomes, &format!("{known} with label names"))
}

async fn told(arguments: &LabelsArguments, several: &Several, settings: &Settings) -> Outcome<Told> {
    let is_listed = settings.labels.source == LabelSource::Graph;
    if settings.labels.source == LabelSource::Off || (arguments.refresh && !is_listed) {
        return Ok(None);
    }
    let source = source(arguments, settings)?;
    let looked = look(arguments, settings, several.store.as_ref()).await.map_err(|failure| failure.to_string())?;
    match (looked.is_known(), &looked.standing.trouble) {
        (false, Some(trouble)) => Err(trouble.clone()),
        _ => Ok(Some((headline(settings, &source, &looked), as_json(&source, &looked)))),
    }
}

fn in_a_line(outcome: &Outcome<Told>) -> Outcome<String> {
    match outcome {
        Ok(Some((line, _))) => Ok(line.clone()),
        Ok(None) => Ok("no label names are asked for".to_owned()),
        Err(problem) => Err(problem.clone()),
    }
}

/// The JSON of a single tenant with its id and name; without labels where none are asked for.
fn in_json(tenant: &Tenant, outcome: Option<&Outcome<Told>>) -> Value {
    let mut one = json!({"tenantId": tenant.entry.id, "name": tenant.entry.name});
    match outcome {
        Some(Ok(Some((_, told)))) => {
            for (key, value) in told.as_object().into_iter().flatten() {
                one[key] = value.clone();
            }
        }
        Some(Err(problem)) => one["trouble"] = json!(problem),
        Some(Ok(None)) | None => {}
    }
    one
}
