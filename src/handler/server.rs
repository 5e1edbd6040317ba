//! The HTTP side of the handler.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::HeaderMap,
    routing::{get, post},
};
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    FLEET_PULL, FLEET_TIMER, FUNCTION, RunReport, Runner, STATUS_FUNCTION, Task, Trigger,
    answer::Answer,
    payload::Payload,
    runs::Runs,
    status::{self, Wanted},
};
use crate::{fleet, telemetry};

/// The most that a body may have, in bytes. The host's have some 400, and some thousand with a retry's exception.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// How much of a larger body is read to its end before the answer, in bytes, so that the answer reaches a sender that
/// writes all before it reads. The host itself takes requests of up to 100 MB (`ScriptConstants.cs`).
const DRAIN_LIMIT: usize = 100 * 1024 * 1024;

/// The most that is taken over of a header that names a run, in bytes. The host's have 36 and 55.
const NAME_LIMIT: usize = 128;

/// How long answers may take to leave once the last run has ended and the process is to stop.
const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// The header with the id of the invocation (`HttpWorkerConstants.cs` in the host).
const INVOCATION_ID: &str = "x-azure-functions-invocationid";

/// Answers the Functions host on `listener` until `shutdown` is cancelled. Then nothing is accepted any more, the runs
/// under way are told to stop, and this returns when all of them have ended, also those whose connection is gone.
///
/// `GET /` is answered at once, at any time. How each run ended is logged, and told to whoever asked.
///
/// # Errors
/// The listener failed for good.
pub async fn serve(listener: TcpListener, runner: Arc<dyn Runner>, shutdown: CancellationToken) -> io::Result<()> {
    let runs = Runs::new(runner, shutdown.clone());
    let server = axum::serve(listener, routes(runs.clone())).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let stopped = async {
        shutdown.cancelled().await;
        runs.ended().await;
        // A client that holds a request half sent does not hold up the end.
        tokio::time::sleep(ANSWER_GRACE).await;
    };
    tokio::select! {
        served = server.into_future() => served?,
        () = stopped => {}
    }
    runs.ended().await;
    Ok(())
}

fn routes(runs: Runs) -> Router {
    Router::new()
        .route("/", get(async || Answer::ready()))
        .route(
            &format!("/{FUNCTION}"),
            post(async |runs: State<Runs>, headers: HeaderMap, body: Body| {
                run(runs, headers, body, |body| Asked::by_timer(Task::Pull, body)).await
            }),
        )
        .route(
            &format!("/{FLEET_TIMER}"),
            post(async |runs: State<Runs>, headers: HeaderMap, body: Body| {
                run(runs, headers, body, |body| Asked::by_timer(Task::Queue, body)).await
            }),
        )
        .route(
            &format!("/{FLEET_PULL}"),
            post(async |runs: State<Runs>, headers: HeaderMap, body: Body| {
                run(runs, headers, body, Asked::by_message).await
            }),
        )
        .route(&format!("/{STATUS_FUNCTION}"), post(tell_status))
        .fallback(async |body: Body| refuse(body, Answer::unknown_function()).await)
        .method_not_allowed_fallback(async |body: Body| refuse(body, Answer::wrong_method()).await)
        .with_state(runs)
}

/// What a body asks for.
struct Asked {
    trigger: Trigger,
    retry: Option<u64>,
    /// What of it could not be used.
    notes: Vec<String>,
}

impl Asked {
    fn by_timer(task: Task, body: &[u8]) -> Self {
        let Payload { past_due, manual, range, retry, notes } = Payload::parse(body);
        Self { trigger: Trigger { task, past_due, range, manual, ..Trigger::default() }, retry, notes }
    }

    fn by_message(body: &[u8]) -> Self {
        let task = Task::Work(fleet::Work::parse(body));
        Self { trigger: Trigger { task, ..Trigger::default() }, retry: None, notes: Vec::new() }
    }
}

/// Does the run that a body asks for.
async fn run(
    State(runs): State<Runs>,
    headers: HeaderMap,
    body: Body,
    asks_for: impl FnOnce(&[u8]) -> Asked,
) -> Answer {
    let invocation_id = name(&headers, INVOCATION_ID);
    let traceparent = name(&headers, "traceparent");
    let span = telemetry::run_span(invocation_id.as_deref().unwrap_or("unknown"));
    async {
        let body = match read(body).await {
            Ok(body) => body,
            Err(refusal) => {
                tracing::warn!("no run was begun: {}", refusal.reason());
                return refusal.answer();
            }
        };
        let Asked { trigger, retry, notes } = asks_for(&body);
        drop(body);
        let Trigger { past_due, manual, range, .. } = &trigger;
        let asked = range.map(tracing::field::display);
        tracing::info!(traceparent, past_due, manual, retry, range = asked, "a run is asked for");
        for note in &notes {
            tracing::info!("{note}");
        }
        match runs.run(Trigger { invocation_id, traceparent, ..trigger }).await {
            Some(Ok(RunReport { lines })) => Answer::done(notes.into_iter().chain(lines).collect()),
            Some(Err(failure)) => Answer::failed(&failure.reason),
            None => Answer::stopping(),
        }
    }
    .instrument(span)
    .await
}

/// Answers a caller of the status. Neither the body nor the URL in it is logged: the caller's key is in them.
async fn tell_status(State(runs): State<Runs>, headers: HeaderMap, body: Body) -> Answer {
    let span = telemetry::run_span(name(&headers, INVOCATION_ID).as_deref().unwrap_or("unknown"));
    async {
        let wanted = match read(body).await {
            Ok(body) => Wanted::parse(&body),
            Err(refusal) => return refusal.answer(),
        };
        let begun = Instant::now();
        let standing = match telemetry::caught(runs.status()).await {
            Ok(standing) => standing,
            Err(panic) => {
                tracing::error!("the status could not be told: it {panic}");
                return Answer::failed(&format!("the status {panic}"));
            }
        };
        let milliseconds = begun.elapsed().as_millis();
        tracing::info!(
            healthy = standing.is_healthy(),
            problems = standing.problems(),
            milliseconds,
            "the status was asked for"
        );
        status::answer(wanted, &standing)
    }
    .instrument(span)
    .await
}

/// Answers a request that asks for nothing there is. Its body may hold a caller's key: it is read, so that the answer
/// arrives and the connection stays of use, and dropped.
async fn refuse(body: Body, answer: Answer) -> Answer {
    match read(body).await {
        Ok(_) | Err(Refusal::TooLarge) => answer,
        Err(broken @ Refusal::Broken) => broken.answer(),
    }
}

/// Why a body was not read.
enum Refusal {
    TooLarge,
    Broken,
}

impl Refusal {
    fn answer(&self) -> Answer {
        match self {
            Self::TooLarge => Answer::too_large(BODY_LIMIT),
            Self::Broken => Answer::broken(),
        }
    }

    const fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge => "its body is too large for one of the host's",
            Self::Broken => "its body broke off or is not HTTP",
        }
    }
}

/// The whole body. No more than [`BODY_LIMIT`] of it is ever held.
async fn read(body: Body) -> Result<Vec<u8>, Refusal> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut seen = 0_usize;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_broken| Refusal::Broken)?;
        seen = seen.saturating_add(chunk.len());
        if seen > DRAIN_LIMIT {
            break;
        }
        if seen > BODY_LIMIT {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
    if seen > BODY_LIMIT { Err(Refusal::TooLarge) } else { Ok(bytes) }
}

/// The header `key`, where it is a plain short text.
fn name(headers: &HeaderMap, key: &str) -> Option<String> {
    let text = headers.get(key)?.to_str().ok()?.trim();
    (!text.is_empty() && text.len() <= NAME_LIMIT).then(|| text.to_owned())
}
