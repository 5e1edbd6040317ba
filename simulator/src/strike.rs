//! Carries faults out: before a request is handled, on its answer, and on the connection.

use std::{io, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use time::OffsetDateTime;
use tokio::time::sleep;

use crate::{
    answer::{Refusal, text},
    faults::{Answer, Effect, ResetAt, RetryAfter},
    ingestion::Stored,
    wire::Wire,
};

/// How long a half-sent body is given to leave before its connection is cut.
const TIME_TO_LEAVE: Duration = Duration::from_millis(30);

/// Handles a request that `effects` strike.
pub(crate) async fn strike(effects: Vec<Effect>, wire: Wire, mut request: Request, next: Next) -> Response {
    for effect in &effects {
        if let Effect::Delay(milliseconds) = effect {
            sleep(Duration::from_millis(*milliseconds)).await;
        }
    }
    let refusal = effects.iter().find_map(|effect| match effect {
        Effect::Answer(answer) if !answer.after_effect => Some(other_answer(answer)),
        Effect::Af { code, retry_after } => Some(refusal(code, *retry_after)),
        Effect::Reset(ResetAt::Before) => {
            wire.cut();
            Some(StatusCode::OK.into_response())
        }
        _ => None,
    });
    if let Some(refusal) = refusal {
        return on_the_way(&effects, &wire, refusal).await;
    }
    request.extensions_mut().insert(Struck(effects.clone()));
    let mut response = next.run(request).await;
    // While it lives, a stored batch counts as one that its sender has not heard of.
    let unanswered = response.extensions_mut().remove::<Stored>();
    for effect in &effects {
        match effect {
            Effect::DelayAnswer(milliseconds) => sleep(Duration::from_millis(*milliseconds)).await,
            Effect::LoseAnswer => {
                wire.cut();
                return response;
            }
            Effect::Answer(answer) if answer.after_effect => {
                if let Some(stored) = unanswered.filter(|_| (200..300).contains(&answer.status)) {
                    stored.answered();
                }
                return on_the_way(&effects, &wire, other_answer(answer)).await;
            }
            // An answer without a body has no middle: it is lost.
            Effect::Reset(ResetAt::InBody) if response.status() == StatusCode::NO_CONTENT => {
                wire.cut();
                return response;
            }
            _ => {}
        }
    }
    if let Some(stored) = unanswered {
        stored.answered();
    }
    on_the_way(&effects, &wire, response).await
}

/// The effects that strike a request, for the handlers whose answer they change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Struck(pub Vec<Effect>);

fn other_answer(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = text(status, answer.body.clone());
    for (name, value) in &answer.headers {
        // `Fault::check` has refused all others.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    with_retry_after(response, answer.retry_after)
}

fn refusal(code: &str, retry_after: Option<RetryAfter>) -> Response {
    let message = match code {
        "AF429" => "Too many requests. Method=GetBlob, PublisherId=00000000-0000-0000-0000-000000000000",
        "AF50000" => "An internal server error occurred. Retry the request.",
        "AF20023" => "The subscription was disabled by a tenant admin.",
        "AF20050" => "The specified content does not exist.",
        "AF20051" => {
            "Content requested with the key has already expired. Content older than 7 days cannot be retrieved."
        }
        _ => "The request failed.",
    };
    with_retry_after(Refusal::new(code, message).into_response(), retry_after)
}

fn with_retry_after(mut response: Response, retry_after: Option<RetryAfter>) -> Response {
    let value = retry_after.and_then(|after| HeaderValue::try_from(after.text(OffsetDateTime::now_utc())).ok());
    if let Some(value) = value {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// What happens to an answer's body on its way.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// The first so many bytes, then the end of the connection: a reset, or a close.
    Short { bytes: usize, reset: bool },
    /// The first so many bytes, and then nothing.
    Hangs { bytes: usize },
    /// All of it, then a reset.
    ThenReset,
    /// In pieces.
    Slow { piece: usize, pause: Duration },
}

async fn on_the_way(effects: &[Effect], wire: &Wire, response: Response) -> Response {
    let way = |length: usize| {
        effects.iter().find_map(|effect| match effect {
            Effect::Reset(ResetAt::InBody) => Some(Way::Short { bytes: length / 2, reset: true }),
            Effect::Truncate { bytes } => Some(Way::Short { bytes: (*bytes).min(length), reset: false }),
            Effect::HangBody { bytes } => Some(Way::Hangs { bytes: (*bytes).min(length) }),
            Effect::Reset(ResetAt::AfterBody) => Some(Way::ThenReset),
            Effect::SlowBody { piece, pause_ms } => {
                Some(Way::Slow { piece: (*piece).max(1), pause: Duration::from_millis(*pause_ms) })
            }
            _ => None,
        })
    };
    if way(0).is_none() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let Some(way) = way(bytes.len()) else { return Response::from_parts(parts, Body::from(bytes)) };
    if parts.status != StatusCode::NO_CONTENT {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    let body = match way {
        Way::Short { bytes: short, reset } => cut_short(bytes.slice(..short), reset.then(|| wire.clone())),
        Way::Hangs { bytes: short } => hang_after(bytes.slice(..short)),
        Way::ThenReset => then_reset(bytes, wire.clone()),
        Way::Slow { piece, pause } => slow(bytes, piece, pause),
    };
    Response::from_parts(parts, body)
}

/// `head`, a moment for it to leave, and then an error that closes the connection, reset where there is a wire.
fn cut_short(head: Bytes, wire: Option<Wire>) -> Body {
    Body::from_stream(stream::unfold(Some(head), move |head| {
        let wire = wire.clone();
        async move {
            match head {
                Some(head) if !head.is_empty() => Some((Ok(head), Some(Bytes::new()))),
                Some(_) => {
                    sleep(TIME_TO_LEAVE).await;
                    if let Some(wire) = &wire {
                        wire.cut();
                    }
                    Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None))
                }
                None => None,
            }
        }
    }))
}

/// `head`, and then nothing for as long as the client waits.
fn hang_after(head: Bytes) -> Body {
    Body::from_stream(stream::unfold(Some(head), |head| async move {
        match head {
            Some(head) => Some((Ok::<_, io::Error>(head), None)),
            None => std::future::pending().await,
        }
    }))
}

/// Cuts the wire, once what was written is out, when the body it belongs to is done with.
struct CutWhenDone(Wire);

impl Drop for CutWhenDone {
    fn drop(&mut self) {
        self.0.cut_after_flush();
    }
}

fn then_reset(bytes: Bytes, wire: Wire) -> Body {
    let guard = CutWhenDone(wire);
    Body::from_stream(stream::unfold((Some(bytes), guard), |(bytes, guard)| async move {
        bytes.map(|bytes| (Ok::<_, io::Error>(bytes), (None, guard)))
    }))
}

fn slow(bytes: Bytes, piece: usize, pause: Duration) -> Body {
    Body::from_stream(stream::unfold(bytes, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        sleep(pause).await;
        let head = rest.split_to(piece.min(rest.len()));
        Some((Ok::<_, io::Error>(head), rest))
    }))
}
