//! `labelstream pull` of several tenants: a run each, and a line each.

use std::{
    cell::{Cell, RefCell},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use labelstream::{
    assembly::AssemblyError,
    health::{Reporter, host_name},
    plain::number,
    pull::{Counts, Summary},
    settings,
    telemetry::tenant_span,
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{PullArguments, Run, STARTS_NONE, ending, interrupted, lacks_subscription, lines_of, reader_is_gone};
use crate::command::{
    choice::Several,
    each::{each, failed, say_line, say_sums, tenants},
    progress::Progress,
    say, to_its_end,
};

/// What all runs did together, those that failed as well.
#[derive(Debug, Default)]
struct Sums {
    rows: u64,
    posts: u64,
    dead_letters: u64,
    /// Runs with work left.
    unfinished: usize,
}

impl Sums {
    fn add(&mut self, summary: &Summary) {
        self.rows += summary.rows;
        self.posts += summary.posts;
        self.dead_letters += summary.dead_letters;
        self.unfinished += usize::from(is_left(summary));
    }
}

/// A run of each tenant, several at once; the exit status, after the last line.
pub async fn pull(arguments: &PullArguments, several: &Several) -> Result<ExitCode, AssemblyError> {
    let lines = lines_of(arguments)?;
    let reporter = Reporter::new(host_name(&settings::process_environment));
    let counts: Arc<Vec<Arc<Counts>>> = Arc::new(several.tenants.iter().map(|_| Arc::default()).collect());
    let ended = Arc::new(AtomicUsize::new(0));
    let progress = shown(Arc::clone(&counts), Arc::clone(&ended));
    let stop = CancellationToken::new();
    let (sums, starts_none, nobody_reads) = (RefCell::new(Sums::default()), Cell::new(false), Cell::new(false));
    let work = each(
        &several.tenants,
        &stop,
        async |place, tenant, settings| {
            let (store, counts) = (several.store.clone(), Arc::clone(&counts[place]));
            let run = Run { arguments, settings, store, lines: lines.as_ref(), counts, stop: stop.clone() };
            let result = run.made_by(&reporter).instrument(tenant_span(&tenant.name)).await;
            match result.map_err(|error| error.to_string())? {
                Ok(summary) => {
                    sums.borrow_mut().add(&summary);
                    Ok(told(&summary, arguments))
                }
                Err(failed) => {
                    sums.borrow_mut().add(&failed.summary);
                    if failed.errors.iter().all(reader_is_gone) {
                        // What the others would write nobody reads either.
                        nobody_reads.set(true);
                        stop.cancel();
                        return Ok(told(&failed.summary, arguments));
                    }
                    if failed.errors.iter().any(lacks_subscription) {
                        starts_none.set(arguments.dry_run);
                    }
                    Err(failed.to_string())
                }
            }
        },
        |tenant, outcome| {
            ended.fetch_add(1, Ordering::Relaxed);
            say_line(tenant, outcome);
        },
    );
    let (outcomes, signal) = to_its_end(Box::pin(work), &stop, ending(arguments)).await;
    progress.end().await;
    let sums = sums.into_inner();
    let mut line = rows(sums.rows, sums.posts, arguments);
    if sums.dead_letters > 0 {
        line.push_str(&format!("; {} new dead letters", number(sums.dead_letters)));
    }
    if sums.unfinished > 0 {
        line.push_str(&format!("; {} with work left", sums.unfinished));
    }
    let status = say_sums(&outcomes, &line);
    if starts_none.get() {
        say(STARTS_NONE);
    }
    let (failed, _) = failed(&outcomes);
    Ok(match signal {
        _ if failed > 0 => status,
        Some(signal) => {
            say(interrupted(arguments));
            signal
        }
        None if nobody_reads.get() => ExitCode::SUCCESS,
        None => status,
    })
}

fn shown(counts: Arc<Vec<Arc<Counts>>>, ended: Arc<AtomicUsize>) -> Progress {
    Progress::show(move || {
        let rows = counts.iter().map(|counts| counts.rows.load(Ordering::Relaxed)).sum();
        format!("{} of {} done, {} rows", ended.load(Ordering::Relaxed), tenants(counts.len()), number(rows))
    })
}

/// What a run did, after the tenant's name.
fn told(summary: &Summary, arguments: &PullArguments) -> String {
    if summary.under_way {
        return "another run is under way; this one leaves the work to it".to_owned();
    }
    let mut text = rows(summary.rows, summary.posts, arguments);
    if summary.dead_letters > 0 {
        text.push_str(&format!("; {} new dead letters", number(summary.dead_letters)));
    }
    let contents = summary.content_types.values().map(|kind| kind.pending + kind.unfinished).sum::<usize>() as u64;
    text.push_str(&match (is_left(summary), contents) {
        (false, _) => "; nothing left".to_owned(),
        (true, 0) => "; not all was listed".to_owned(),
        (true, 1) => "; 1 content left".to_owned(),
        (true, contents) => format!("; {} contents left", number(contents)),
    });
    text
}

fn rows(rows: u64, posts: u64, arguments: &PullArguments) -> String {
    let counted = format!("{} {}", number(rows), if rows == 1 { "row" } else { "rows" });
    match (&arguments.output, arguments.dry_run) {
        (Some(_), _) => format!("{counted} written"),
        (None, true) => format!("{counted} to send"),
        (None, false) if rows == 0 => counted,
        (None, false) => format!("{counted} in {} {}", number(posts), if posts == 1 { "post" } else { "posts" }),
    }
}

/// Whether a later run has something of this one to do.
fn is_left(summary: &Summary) -> bool {
    let has_range = summary.content_types.values().any(|kind| kind.range_through.is_some());
    !summary.under_way && (summary.cut_short || !summary.is_done() || has_range)
}
