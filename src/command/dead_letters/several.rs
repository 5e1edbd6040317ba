//! `labelstream dead-letters` of several tenants.

use std::{
    cell::RefCell,
    io::Write as _,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use labelstream::{
    dead_letter::Facts,
    plain::number,
    pull::{Counts, Summary},
    settings::Settings,
    telemetry::{one_line, tenant_span},
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    Action, Failure, found,
    replay::{Ended, Replay, ReplayArguments, UNDER_WAY, ending, is_done, of_letters, total},
};
use crate::command::{
    choice::Several,
    each::{each, failed, line, say_line, say_sums, tenants},
    progress::Progress,
    say, to_its_end, wrong_use,
};

/// A dead letter of one of several tenants.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Owned<'a> {
    tenant_id: &'a str,
    tenant: &'a str,
    #[serde(flatten)]
    facts: &'a Facts,
}

pub async fn act(action: &Action, several: &Several) -> Result<ExitCode, Failure> {
    match action {
        Action::List { json } => list(*json, several).await,
        Action::Show { .. } => Ok(wrong_use("show prints one dead letter: name its tenant with --tenant")),
        Action::Replay(replay) if !replay.all => {
            Ok(wrong_use("a KEY is of one tenant: name it with --tenant, or give --all for the letters of all tenants"))
        }
        Action::Replay(replay) => Ok(send_again(replay, several).await),
    }
}

/// The letters of all tenants, in the order of the list.
async fn list(json: bool, several: &Several) -> Result<ExitCode, Failure> {
    let never = CancellationToken::new();
    let work = each(
        &several.tenants,
        &never,
        async |_, _, settings: &Settings| {
            let store = several.state()?;
            found(store.as_ref(), &settings.feed.tenant_id).await.map_err(|failure| failure.to_string())
        },
        |_, _| {},
    );
    let outcomes = Box::pin(work).await;
    let (mut out, mut letters, mut owners, mut is_read) = (std::io::stdout().lock(), 0, 0, true);
    for (tenant, outcome) in several.tenants.iter().zip(&outcomes) {
        let found = match outcome {
            Some(Ok(found)) => found,
            Some(Err(problem)) => {
                say_line(tenant, &Err(problem.clone()));
                continue;
            }
            None => continue,
        };
        for error in &found.unreadable {
            is_read = false;
            say(&line(tenant, &Err(error.to_string())));
        }
        letters += found.letters.len();
        owners += usize::from(!found.letters.is_empty());
        for facts in &found.letters {
            if json {
                let tenant_id = tenant.entry.id.as_deref().unwrap_or_default();
                let owned = Owned { tenant_id, tenant: &tenant.name, facts };
                writeln!(out, "{}", serde_json::to_string(&owned).map_err(std::io::Error::other)?)?;
            } else {
                writeln!(out, "{}", one_line(&format!("{}: {}", tenant.name, facts.line())))?;
            }
        }
    }
    let letters = if letters == 1 { "1 dead letter".to_owned() } else { format!("{letters} dead letters") };
    let status = say_sums(&outcomes, &format!("{letters} of {}", tenants(owners)));
    Ok(if is_read { status } else { ExitCode::FAILURE })
}

/// A replay of each tenant; the exit status, after the last line.
async fn send_again(arguments: &ReplayArguments, several: &Several) -> ExitCode {
    let counts: Arc<Vec<Arc<Counts>>> = Arc::new(several.tenants.iter().map(|_| Arc::default()).collect());
    let ended = Arc::new(AtomicUsize::new(0));
    let progress = {
        let (counts, ended) = (Arc::clone(&counts), Arc::clone(&ended));
        Progress::show(move || {
            let rows = counts.iter().map(|counts| counts.rows.load(Ordering::Relaxed)).sum();
            format!("{} of {} done, {} rows", ended.load(Ordering::Relaxed), tenants(counts.len()), number(rows))
        })
    };
    let (stop, sums) = (CancellationToken::new(), RefCell::new(Summary::default()));
    let work = each(
        &several.tenants,
        &stop,
        async |place, tenant, settings| {
            let (store, counts) = (Arc::clone(several.state()?), Arc::clone(&counts[place]));
            let replay = Replay { arguments, settings, store, counts, stop: stop.clone() };
            let result = replay.made().instrument(tenant_span(&tenant.name)).await;
            let ended = Ended::of(result.map_err(|error| error.to_string())?);
            add(&mut sums.borrow_mut(), &ended.summary);
            if ended.summary.under_way {
                return Err(UNDER_WAY.to_owned());
            }
            if !ended.errors.is_empty() {
                let reasons: Vec<_> = ended.errors.iter().map(ToString::to_string).collect();
                return Err(reasons.join("; "));
            }
            match is_done(&ended) {
                true => Ok(total(&ended.summary, arguments.dry_run)),
                false => Err(format!(
                    "{} `labelstream dead-letters list --tenant` shows why.",
                    total(&ended.summary, arguments.dry_run)
                )),
            }
        },
        |tenant, outcome| {
            ended.fetch_add(1, Ordering::Relaxed);
            say_line(tenant, outcome);
        },
    );
    let (outcomes, signal) = to_its_end(Box::pin(work), &stop, ending(arguments.dry_run)).await;
    progress.end().await;
    let status = say_sums(&outcomes, of_letters(&sums.into_inner(), arguments.dry_run).trim_end_matches('.'));
    let (failed, _) = failed(&outcomes);
    signal.filter(|_| failed == 0).unwrap_or(status)
}

fn add(sums: &mut Summary, one: &Summary) {
    sums.rows += one.rows;
    sums.dead_letters += one.dead_letters;
    sums.dead_letters_removed += one.dead_letters_removed;
    sums.letters.extend(one.letters.iter().map(|(key, outcome)| (key.clone(), outcome.clone())));
}
