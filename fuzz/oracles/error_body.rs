//! Error answers of the feed and of the ingestion endpoint.
//!
//! Input: a line with what was asked (`s`, `+`, `-`, `l` or `f`) and the status, a line with `Retry-After`, a line with
//! `Date`, then the body ([`expand`]). In the body 0x02 stands for the token that was sent, and 0x03 with two bytes for the
//! piece of it that they name. Judged are:
//! - what people are told is one line, and holds no piece of the token;
//! - however long the service asks to wait, the waits are bounded, and so is their number;
//! - a body that is the documented error object is known by its code, whatever the status.

use std::{collections::HashSet, sync::LazyLock, time::Duration};

use labelstream::{
    content::ContentType,
    feed::{
        FeedError, FeedErrorKind, Limits, Operation, Patience,
        attempts::{Attempts, Next},
        budget::{Admit, Pace},
        classify::{Answer, classify},
    },
    identity::Token,
    ingestion::{self, Borne, IngestionError},
};
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde_json::Value;
use time::{OffsetDateTime, macros::datetime};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Reached, expand::expand, shown::one_line};

/// What the corpus is to reach.
pub const REACHES: &[&str] = &[
    "feed: throttled",
    "feed: start throttled",
    "feed: server",
    "feed: unauthorized",
    "feed: not permitted",
    "feed: misconfigured",
    "feed: auditing off",
    "feed: no subscription",
    "feed: subscription disabled",
    "feed: already enabled",
    "feed: bad window",
    "feed: stale page",
    "feed: content gone",
    "feed: refused",
    "feed: a wait",
    "ingestion: throttled",
    "ingestion: server",
    "ingestion: stream",
    "ingestion: other",
    "ingestion: a wait",
    "an echo of the token",
    "a documented code",
];

/// As long as a token of the service, and of its alphabet.
const TOKEN: &str = concat!(
    "eyJ0eXAiOiJKV1QiLCJub25jZSI6IlBhN0xqWW1XQTVXZUlxTVFWdUJ0UkRXbkxKRW9wQ2VfcyIsImFsZyI6IlJTMjU2IiwieDV0IjoiSDluajVB",
    "T1Nzd01waDFTRngwMDR2N1hVIn0.eyJhdWQiOiJodHRwczovL21hbmFnZS5vZmZpY2UuY29tIiwiaXNzIjoiaHR0cHM6Ly9zdHMuZXhhbXBsZS8i",
    "LCJyb2xlcyI6WyJBY3Rpdml0eUZlZWQuUmVhZCJdfQ.Qk9Uq3Z0d2VydHp1aW9wYXNkZmdoamtsX3l4Y3Zibm0tMTIzNDU2Nzg5MEFTREZHSEpLT",
);

/// A piece of the token that is too long for chance.
const PIECE: usize = 24;

/// The most characters of an error.
const MOST: usize = 1200;

/// How much of an error's body the clients read: the feed's and the ingestion endpoint's.
const FEED_BODY: usize = 64 << 10;
const INGESTION_BODY: usize = 8 << 10;

const NOW: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);

/// Runs one input.
pub fn check(data: &[u8]) -> Reached {
    let mut reached = Reached::new();
    let mut lines = data.splitn(4, |&byte| byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (asked, retry_after, date, body) = (line(), line(), line(), echoing(&expand(line()), &mut reached));
    let Some((operation, status)) = asked.split_first().map(|(&asked, status)| (operation(asked), status)) else {
        return reached;
    };
    let Some(status) = std::str::from_utf8(status).ok().and_then(|text| text.trim().parse::<u16>().ok()) else {
        return reached;
    };
    let mut headers = HeaderMap::new();
    for (name, value) in [(RETRY_AFTER, retry_after), (DATE, date)] {
        insert(&mut headers, name, value);
    }
    feed(&operation, status, &headers, &body, &mut reached);
    // The client takes a success for one, and nothing but three digits is a status.
    if let Ok(status) = StatusCode::from_u16(status)
        && !status.is_success()
    {
        ingestion(status, &headers, &body, &mut reached);
    }
    reached
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &[u8]) {
    if !value.is_empty()
        && let Ok(value) = HeaderValue::from_bytes(value)
    {
        headers.insert(name, value);
    }
}

fn operation(asked: u8) -> Operation {
    match asked {
        b's' => Operation::Subscriptions,
        b'+' => Operation::Start(ContentType::General),
        b'-' => Operation::Stop(ContentType::SharePoint),
        b'f' => Operation::Fetch { content_type: ContentType::Exchange, id: "20260803$audit_exchange".to_owned() },
        _ => Operation::List(ContentType::General),
    }
}

/// The body with the token where it stands for it.
fn echoing(body: &[u8], reached: &mut Reached) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (0x02, _) => out.extend_from_slice(TOKEN.as_bytes()),
            (0x03, [from, len, after @ ..]) => {
                let from = usize::from(*from).min(TOKEN.len());
                out.extend_from_slice(&TOKEN.as_bytes()[from..(from + usize::from(*len)).min(TOKEN.len())]);
                rest = after;
            }
            _ => {
                out.push(byte);
                continue;
            }
        }
        reached.push("an echo of the token");
    }
    out
}

fn without_token(text: &str) {
    static PIECES: LazyLock<HashSet<&[u8]>> = LazyLock::new(|| TOKEN.as_bytes().windows(PIECE).collect());
    let shown = text.as_bytes().windows(PIECE).any(|piece| PIECES.contains(piece));
    assert!(!shown, "a piece of the token is shown: {text}");
}

fn feed(operation: &Operation, status: u16, headers: &HeaderMap, body: &[u8], reached: &mut Reached) {
    let body = String::from_utf8_lossy(&body[..body.len().min(FEED_BODY)]);
    let answer = Answer { status, headers, body: &body, now: NOW };
    let error = classify(operation, &answer).without(&Token::new(TOKEN, 1));
    let text = error.to_string();
    one_line(&text, MOST);
    without_token(&text);
    without_token(&format!("{error:?}"));
    reached.push(kind(&error));
    documented(operation, &error, &body, reached);
    waits(&error, reached);
}

const fn kind(error: &FeedError) -> &'static str {
    match error.kind() {
        FeedErrorKind::Throttled { .. } => "feed: throttled",
        FeedErrorKind::StartThrottled { .. } => "feed: start throttled",
        FeedErrorKind::Server { .. } => "feed: server",
        FeedErrorKind::Unauthorized => "feed: unauthorized",
        FeedErrorKind::NotPermitted => "feed: not permitted",
        FeedErrorKind::Misconfigured => "feed: misconfigured",
        FeedErrorKind::AuditingOff => "feed: auditing off",
        FeedErrorKind::NoSubscription => "feed: no subscription",
        FeedErrorKind::SubscriptionDisabled => "feed: subscription disabled",
        FeedErrorKind::AlreadyEnabled => "feed: already enabled",
        FeedErrorKind::BadWindow => "feed: bad window",
        FeedErrorKind::StalePage => "feed: stale page",
        FeedErrorKind::ContentGone => "feed: content gone",
        FeedErrorKind::Refused => "feed: refused",
        FeedErrorKind::NoToken
        | FeedErrorKind::Transport
        | FeedErrorKind::Malformed
        | FeedErrorKind::ForeignAddress => panic!("no answer of the service means that"),
    }
}

/// The codes of the API's reference ("Errors"), where the message does not say that the tenant is unknown.
fn documented(operation: &Operation, error: &FeedError, body: &str, reached: &mut Reached) {
    let Ok(json) = serde_json::from_str::<Value>(body) else { return };
    let (Some(code), Some(message)) = (json["error"]["code"].as_str(), json["error"]["message"].as_str()) else {
        return;
    };
    if message.to_lowercase().contains("exist") || message.trim().is_empty() {
        return;
    }
    let starts = matches!(operation, Operation::Start(_));
    let fits = match code {
        "AF429" => error.is_throttled(),
        "429" if !starts => error.is_throttled(),
        "AF10001" => error.kind() == FeedErrorKind::NotPermitted,
        "AF20022" | "AF20023" => error.needs_start(),
        "AF20030" | "AF20031" | "AF20055" => error.restarts_listing(),
        "AF20050" | "AF20051" | "AF20052" => error.is_gone(),
        "AF50000" | "AF50005" => matches!(error.kind(), FeedErrorKind::Server { .. }),
        _ => return,
    };
    assert!(fits, "{code} is taken for {error:?}");
    assert_eq!(error.code(), Some(code));
    reached.push("a documented code");
}

/// All waits that one error can cause: of the one call, and of every worker.
fn waits(error: &FeedError, reached: &mut Reached) {
    let mut attempts = Attempts::new(&Patience::SERVICE);
    let mut tries = 0;
    loop {
        match attempts.next(error, 1.0) {
            Next::GiveUp => break,
            Next::Again => {}
            Next::After(pause) => assert!(pause <= Duration::from_secs(60), "a pause of {pause:?}"),
        }
        tries += 1;
        assert!(tries < 20, "a call is tried without end");
    }
    let (mut pace, now) = (Pace::new(Limits::SERVICE), Instant::now());
    assert_eq!(pace.admit(now), Admit::Go);
    pace.throttled(now, now, error.retry_after(), 0.0);
    if let Admit::WaitUntil(until) = pace.admit(now) {
        assert!(until - now <= Duration::from_secs(600), "all workers wait for {:?}", until - now);
        reached.push("feed: a wait");
    }
}

fn ingestion(status: StatusCode, headers: &HeaderMap, body: &[u8], reached: &mut Reached) {
    let body = &body[..body.len().min(INGESTION_BODY)];
    let error = ingestion::classify(status, headers, body, Uuid::nil(), &Token::new(TOKEN, 1));
    let text = error.to_string();
    one_line(&text, MOST);
    without_token(&text);
    without_token(&format!("{error:?}"));
    reached.push(match &error {
        IngestionError::Throttled { .. } => "ingestion: throttled",
        IngestionError::Server { .. } => "ingestion: server",
        IngestionError::NotFound(answer) if answer.status == 400 => "ingestion: stream",
        _ => "ingestion: other",
    });
    let mut borne = Borne::new(ingestion::Patience::SERVICE);
    let mut pauses = 0;
    while let Some(pause) = borne.pause(&error) {
        assert!(pause <= Duration::from_secs(60), "a pause of {pause:?}");
        pauses += 1;
        assert!(pauses < 20, "a batch is posted without end");
        reached.push("ingestion: a wait");
    }
}
