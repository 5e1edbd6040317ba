//! Batches on their way to a data collection rule, over loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/canned.rs"]
mod canned;

#[path = "ingestion/answers.rs"]
mod answers;
#[path = "ingestion/refusals.rs"]
mod refusals;
#[path = "ingestion/tokens.rs"]
mod tokens;
#[path = "ingestion/waiting.rs"]
mod waiting;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use canned::{Answer, Canned, Request};
use labelstream::{
    batch::{Batch, Builder},
    identity::{IdentityError, Token, TokenSource},
    ingestion::{
        Blame, Delivery, IngestionClient, IngestionError, Interruption, Leave, Patience, REFUSALS_AT_MOST, Refused,
        SYSTEMATIC_AFTER, deliver,
    },
    retry::Policy,
};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

const STREAM: &str = "Custom-MicrosoftPurviewInformationProtection_CL";
const SECRET: &str = "very-secret-token";

/// Pauses of a millisecond, so that tests are quick; what is decided is the same.
const QUICK: Patience = {
    let policy = Policy { tries: 3, first: Duration::from_millis(1), longest: Duration::from_millis(1) };
    Patience {
        failures: policy,
        throttles: policy,
        longest_retry_after: Duration::from_millis(2),
        last_answer: Duration::from_secs(3600),
    }
};

/// Hands out `very-secret-token-0`, then `-1` once that is refused, and so on.
#[derive(Debug, Default)]
struct Tokens {
    generation: AtomicU64,
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self) -> Result<Token, IdentityError> {
        let generation = self.generation.load(Ordering::SeqCst);
        Ok(Token::new(&format!("{SECRET}-{generation}"), generation))
    }

    fn refuse(&self, token: &Token) {
        self.generation.fetch_max(token.generation() + 1, Ordering::SeqCst);
    }
}

/// Has no token to give.
#[derive(Debug)]
struct NoTokens;

#[async_trait]
impl TokenSource for NoTokens {
    async fn token(&self) -> Result<Token, IdentityError> {
        Err(IdentityError { audience: "https://monitor.azure.com".to_owned(), reason: "no identity".to_owned() })
    }

    fn refuse(&self, _: &Token) {}
}

fn client_with(endpoint: &str, tokens: Arc<dyn TokenSource>) -> IngestionClient {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    IngestionClient::new(http, Url::parse(endpoint).unwrap(), "dcr-1", STREAM, tokens).unwrap()
}

fn client(server: &Canned) -> IngestionClient {
    client_with(&server.url, Arc::new(Tokens::default()))
}

fn batch(rows: usize) -> Batch<usize> {
    let mut builder = Builder::new();
    for row in 0..rows {
        assert!(builder.push(json!({ "row": row }).to_string().as_bytes(), row).is_none());
    }
    builder.take().unwrap()
}

fn in_an_hour() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

fn until(stop: &CancellationToken, deadline: Instant) -> Leave<'_> {
    Leave { stop, deadline, still: &|| true }
}

async fn deliver_to(server: &Canned, rows: usize) -> Delivery {
    deliver(&client(server), &batch(rows), Blame::Either, &QUICK, &until(&CancellationToken::new(), in_an_hour())).await
}

/// The numbers of the rows in a request.
fn rows_in(request: &Request) -> Vec<usize> {
    let row = |row: &serde_json::Value| usize::try_from(row["row"].as_u64().unwrap()).unwrap();
    request.json().as_array().unwrap().iter().map(row).collect()
}

/// Accepts what holds no row of `bad` and no more than `most` rows.
async fn picky(bad: impl IntoIterator<Item = usize>, most: usize) -> Canned {
    let bad: HashSet<_> = bad.into_iter().collect();
    Canned::answering(move |request| {
        let rows = rows_in(request);
        if rows.len() > most {
            return Answer::status(413)
                .body(r#"{"error":{"code":"ContentLengthLimitExceeded","message":"Too long."}}"#);
        }
        match rows.iter().find(|row| bad.contains(row)) {
            Some(row) => Answer::status(400)
                .body(&json!({ "error": { "code": "InvalidPayload", "message": format!("Row {row}.") } }).to_string()),
            None => Answer::status(204),
        }
    })
    .await
}

fn all(rows: usize) -> Vec<usize> {
    (0..rows).collect()
}

fn refused(delivery: &Delivery) -> Vec<usize> {
    delivery.refused.iter().map(|refused| refused.row).collect()
}
<<<<<<< HEAD
=======

#[tokio::test]
async fn a_batch_is_one_gzipped_post() {
    let server = Canned::queue([Answer::status(204)]).await;
    let batch = batch(3);
    let delivery = deliver(&client(&server), &batch, &QUICK, &until(&CancellationToken::new(), in_an_hour())).await;
    assert!(delivery.stopped.is_none(), "{delivery:?}");
    assert_eq!((delivery.accepted, delivery.refused, delivery.posts, delivery.unanswered), (all(3), vec![], 1, 0));
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert_eq!(request.method, "POST");
    assert_eq!(request.target, format!("/dataCollectionRules/dcr-1/streams/{STREAM}?api-version=2023-01-01"));
    assert_eq!(request.header("authorization"), format!("Bearer {SECRET}-0"));
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("content-encoding"), "gzip");
    assert!(Uuid::parse_str(request.header("x-ms-client-request-id")).is_ok());
    assert_eq!(&request.body, batch.body());
    assert_eq!(delivery.bytes_sent.to_string(), request.header("content-length"));
    assert_eq!(delivery.bytes_rows, batch.body().len() as u64);
    assert!(batch.body().is_unique(), "nothing holds on to the rows, so that their buffer can go round");
}

#[tokio::test]
async fn every_2xx_is_success() {
    for status in [200, 202, 204] {
        let server = Canned::queue([Answer::status(status)]).await;
        let delivery = deliver_to(&server, 2).await;
        assert!(delivery.stopped.is_none() && delivery.accepted == all(2), "{status}: {delivery:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_halved() {
    let server = picky([], 300).await;
    let delivery = deliver_to(&server, 1000).await;
    assert!(delivery.stopped.is_none());
    assert_eq!((delivery.accepted, delivery.refused), (all(1000), vec![]));
    let posted: Vec<_> = server.requests().iter().map(|request| rows_in(request).len()).collect();
    assert_eq!(posted, [1000, 500, 250, 250, 500, 250, 250]);
    assert_eq!(delivery.posts, 7);
}

#[tokio::test]
async fn a_row_that_is_too_large_by_itself_is_refused() {
    let server = Canned::queue([Answer::status(413)]).await;
    let delivery = deliver_to(&server, 1).await;
    assert!(delivery.stopped.is_none());
    let [Refused { row: 0, reason, too_large: true }] = &delivery.refused[..] else { panic!("{delivery:?}") };
    assert!(reason.contains("HTTP 413"), "{reason}");
}

#[tokio::test]
async fn one_bad_row_among_a_thousand_is_refused_alone() {
    let server = picky([617], 1000).await;
    let delivery = deliver_to(&server, 1000).await;
    assert!(delivery.stopped.is_none());
    assert_eq!(delivery.accepted, all(1000).into_iter().filter(|row| *row != 617).collect::<Vec<_>>());
    let [Refused { row: 617, reason, too_large: false }] = &delivery.refused[..] else { panic!("{delivery:?}") };
    assert!(reason.contains("InvalidPayload: Row 617."), "{reason}");
    assert!(delivery.posts <= 21, "{} posts", delivery.posts);
    let ids: HashSet<_> = server.requests().iter().map(|r| r.header("x-ms-client-request-id").to_owned()).collect();
    assert_eq!(ids.len(), delivery.posts as usize, "every POST has an id of its own");
}

#[tokio::test]
async fn bad_rows_and_outsize_parts_do_not_disturb_each_other() {
    let server = picky([0, 99], 40).await;
    let delivery = deliver_to(&server, 100).await;
    assert!(delivery.stopped.is_none());
    assert_eq!((refused(&delivery), delivery.accepted), (vec![0, 99], (1..99).collect()));
}

#[tokio::test]
async fn a_stream_that_refuses_every_row_stops_and_none_is_set_aside() {
    let server = picky(0..1000, 1000).await;
    let delivery = deliver_to(&server, 1000).await;
    assert_eq!((&delivery.accepted, &delivery.refused), (&vec![], &vec![]));
    let Some(error @ IngestionError::EveryRowRefused { rows, .. }) = &delivery.stopped else { panic!("{delivery:?}") };
    assert!(*rows >= SYSTEMATIC_AFTER && error.ends_the_run());
    assert!(error.to_string().contains("LOGS_DCR_STREAM_NAME"), "{error}");
    assert!(delivery.posts < 50, "{} posts", delivery.posts);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = Canned::queue([Answer::status(401), Answer::status(204)]).await;
    let delivery = deliver_to(&server, 2).await;
    assert!(delivery.stopped.is_none() && delivery.accepted == all(2), "{delivery:?}");
    let tokens: Vec<_> = server.requests().iter().map(|request| request.header("authorization").to_owned()).collect();
    assert_eq!(tokens, [format!("Bearer {SECRET}-0"), format!("Bearer {SECRET}-1")]);
}

#[tokio::test]
async fn a_new_token_that_is_refused_as_well_stops() {
    let server = Canned::queue([Answer::status(401), Answer::status(401)]).await;
    let delivery = deliver_to(&server, 2).await;
    assert!(matches!(&delivery.stopped, Some(error @ IngestionError::Unauthorized(_)) if error.ends_the_run()));
    assert_eq!((delivery.accepted, delivery.posts, server.requests().len()), (vec![], 2, 2));
}

#[tokio::test]
async fn what_a_setting_must_cure_stops_at_once() {
    for (status, hint) in
        [(403, "Monitoring Metrics Publisher"), (404, "LOGS_DCR_RULE_ID"), (405, "DATA_COLLECTION_ENDPOINT")]
    {
        let server = Canned::queue([Answer::status(status)]).await;
        let delivery = deliver_to(&server, 2).await;
        let error = delivery.stopped.unwrap();
        assert!(error.ends_the_run() && error.to_string().contains(hint), "{status}: {error}");
        assert_eq!((delivery.accepted, delivery.posts, server.requests().len()), (vec![], 1, 1));
    }
}

#[tokio::test]
async fn what_was_accepted_before_a_stop_counts() {
    let server = Canned::queue([Answer::status(413), Answer::status(204), Answer::status(403)]).await;
    let delivery = deliver_to(&server, 10).await;
    assert!(matches!(delivery.stopped, Some(IngestionError::Forbidden(_))));
    assert_eq!((delivery.accepted, delivery.refused, delivery.posts), (all(5), vec![], 3));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let server = Canned::queue([]).await;
    let client = client_with(&server.url, Arc::new(NoTokens));
    let delivery = deliver(&client, &batch(1), &QUICK, &until(&CancellationToken::new(), in_an_hour())).await;
    assert!(matches!(&delivery.stopped, Some(error @ IngestionError::NoToken(_)) if error.ends_the_run()));
    assert_eq!((delivery.posts, delivery.bytes_sent, server.requests().len()), (0, 0, 0));
}

#[tokio::test]
async fn throttling_is_waited_for() {
    // The back-off is half a millisecond at least; an hour of Retry-After is cut to what is borne.
    let cases = [
        (Answer::status(429), QUICK.throttles.first / 2),
        (Answer::status(429).with("Retry-After", "3600"), QUICK.longest_retry_after),
    ];
    for (throttled, pause) in cases {
        let server = Canned::queue([throttled.clone(), throttled, Answer::status(204)]).await;
        let delivery = deliver_to(&server, 2).await;
        assert!(delivery.stopped.is_none() && delivery.accepted == all(2), "{delivery:?}");
        assert_eq!((delivery.posts, delivery.unanswered), (3, 0));
        assert!(delivery.throttled_wait >= 2 * pause, "{delivery:?}");
    }
}

#[tokio::test]
async fn throttling_without_end_stops() {
    let server = Canned::answering(|_| Answer::status(429)).await;
    let delivery = deliver_to(&server, 2).await;
    assert!(matches!(delivery.stopped, Some(IngestionError::Throttled { .. })), "{delivery:?}");
    assert_eq!((delivery.accepted, delivery.posts), (vec![], QUICK.throttles.tries));
}

#[tokio::test]
async fn throttling_that_outlasts_the_deadline_is_not_waited_for() {
    let server = Canned::queue([Answer::status(429).with("Retry-After", "60")]).await;
    let deadline = Instant::now() + Duration::from_secs(30);
    let client = client(&server);
    let stop = CancellationToken::new();
    let delivery = deliver(&client, &batch(2), &Patience::SERVICE, &until(&stop, deadline)).await;
    assert!(Instant::now() < deadline);
    let Some(IngestionError::Interrupted { why: Interruption::Deadline, last: Some(last), maybe_sent: false }) =
        delivery.stopped
    else {
        panic!("{delivery:?}")
    };
    assert!(matches!(*last, IngestionError::Throttled { .. }));
    // What throttles one delivery holds the others of the client, too.
    let other = deliver(&client, &batch(2), &Patience::SERVICE, &until(&stop, deadline)).await;
    assert!(other.stopped.is_some_and(|error| error.is_interruption()));
    assert_eq!((other.posts, server.requests().len()), (0, 1));
}

#[tokio::test]
async fn a_stop_ends_a_wait() {
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let server = Canned::answering(move |_| {
        stopping.cancel();
        Answer::status(503).with("Retry-After", "60")
    })
    .await;
    let delivery = deliver(&client(&server), &batch(2), &Patience::SERVICE, &until(&stop, in_an_hour())).await;
    let Some(IngestionError::Interrupted { why: Interruption::Stop, last: Some(last), .. }) = delivery.stopped else {
        panic!("{delivery:?}")
    };
    assert!(matches!(*last, IngestionError::Server { .. }));
    assert_eq!((delivery.posts, server.requests().len()), (1, 1));
}

#[tokio::test]
async fn an_answer_under_way_is_taken_after_a_stop_and_no_post_follows() {
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let mut answers = [Answer::status(413), Answer::status(204)].into_iter();
    let server = Canned::answering(move |request| {
        if rows_in(request).len() == 5 {
            stopping.cancel();
        }
        answers.next().unwrap_or_else(|| Answer::status(501))
    })
    .await;
    let delivery = deliver(&client(&server), &batch(10), &QUICK, &until(&stop, in_an_hour())).await;
    assert!(matches!(delivery.stopped, Some(IngestionError::Interrupted { why: Interruption::Stop, .. })));
    assert_eq!((delivery.accepted, server.requests().len()), (all(5), 2));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up_after_a_stop() {
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let server = Canned::answering(move |_| {
        stopping.cancel();
        Answer::Silence
    })
    .await;
    let patience = Patience { last_answer: Duration::from_millis(1), ..QUICK };
    let delivery = deliver(&client(&server), &batch(10), &patience, &until(&stop, in_an_hour())).await;
    let Some(IngestionError::Interrupted { why: Interruption::Stop, maybe_sent: true, .. }) = delivery.stopped else {
        panic!("{delivery:?}")
    };
    assert_eq!((delivery.accepted, delivery.posts, delivery.unanswered), (vec![], 1, 1));
}

#[tokio::test]
async fn each_post_asks_whether_it_may_still_be_made() {
    let server = Canned::answering(|_| Answer::status(413)).await;
    let asked = AtomicU64::new(0);
    let still = || asked.fetch_add(1, Ordering::SeqCst) < 2;
    let stop = CancellationToken::new();
    let leave = Leave { still: &still, ..until(&stop, in_an_hour()) };
    let delivery = deliver(&client(&server), &batch(8), &QUICK, &leave).await;
    let Some(IngestionError::Interrupted { why: Interruption::Stop, maybe_sent: false, .. }) = delivery.stopped else {
        panic!("{delivery:?}")
    };
    assert_eq!((delivery.posts, server.requests().len()), (2, 2));
}

#[tokio::test]
async fn workers_share_a_client_and_one_new_token() {
    let refused = format!("Bearer {SECRET}-0");
    let server = Canned::answering(move |request| {
        Answer::status(if request.header("authorization") == refused { 401 } else { 204 })
    })
    .await;
    let tokens = Arc::new(Tokens::default());
    let client = Arc::new(client_with(&server.url, tokens.clone()));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let client = Arc::clone(&client);
        workers.spawn(async move {
            deliver(&client, &batch(5), &QUICK, &until(&CancellationToken::new(), in_an_hour())).await
        });
    }
    while let Some(delivery) = workers.join_next().await {
        assert_eq!(delivery.unwrap().accepted, all(5));
    }
    assert_eq!(tokens.generation.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn after_the_deadline_or_a_stop_nothing_is_sent() {
    let server = Canned::queue([]).await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    let cases = [
        (stopped, in_an_hour(), Interruption::Stop),
        (CancellationToken::new(), Instant::now(), Interruption::Deadline),
    ];
    for (stop, deadline, why) in cases {
        let delivery = deliver(&client(&server), &batch(2), &QUICK, &until(&stop, deadline)).await;
        assert!(matches!(delivery.stopped, Some(IngestionError::Interrupted { why: w, last: None, .. }) if w == why));
        assert_eq!((delivery.posts, server.requests().len()), (0, 0));
    }
}

#[tokio::test]
async fn a_failing_server_is_tried_again() {
    for failure in [503, 500, 408] {
        let server = Canned::queue([Answer::status(failure), Answer::status(204)]).await;
        let delivery = deliver_to(&server, 2).await;
        assert!(delivery.stopped.is_none() && delivery.accepted == all(2), "{failure}: {delivery:?}");
        assert_eq!((delivery.posts, delivery.throttled_wait), (2, Duration::ZERO));
    }
}

#[tokio::test]
async fn every_part_of_a_batch_may_fail_as_often() {
    let half = [503, 503, 204].map(Answer::status);
    let server = Canned::queue([vec![Answer::status(413)], half.to_vec(), half.to_vec()].concat()).await;
    let delivery = deliver_to(&server, 2).await;
    assert!(delivery.stopped.is_none() && delivery.accepted == all(2), "{delivery:?}");
    assert_eq!(delivery.posts, 7);
}

#[tokio::test]
async fn a_server_that_keeps_failing_stops_the_batch_but_not_the_run() {
    let server = Canned::answering(|_| Answer::status(503).body("<h1>no backend</h1>")).await;
    let delivery = deliver_to(&server, 2).await;
    let error = delivery.stopped.unwrap();
    assert!(matches!(error, IngestionError::Server { .. }) && !error.ends_the_run());
    assert!(error.to_string().contains("<h1>no backend</h1>"), "{error}");
    assert_eq!((delivery.accepted, delivery.posts), (vec![], QUICK.failures.tries));
}

#[tokio::test]
async fn a_reset_before_the_answer_is_tried_again_and_counted() {
    let server = Canned::queue([Answer::Reset, Answer::status(204)]).await;
    let delivery = deliver_to(&server, 2).await;
    assert!(delivery.stopped.is_none(), "{delivery:?}");
    assert_eq!((delivery.accepted, delivery.posts, delivery.unanswered), (all(2), 2, 1));
    assert_eq!(server.requests()[0].body, server.requests()[1].body);
}

#[tokio::test]
async fn a_closed_port_is_told_and_nothing_can_have_arrived() {
    // A port that is taken, but not listened on.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let client = client_with(&format!("http://{}", socket.local_addr().unwrap()), Arc::new(Tokens::default()));
    let delivery = deliver(&client, &batch(2), &QUICK, &until(&CancellationToken::new(), in_an_hour())).await;
    let Some(error @ IngestionError::Transport { maybe_sent: false, .. }) = &delivery.stopped else {
        panic!("{delivery:?}")
    };
    assert!(error.to_string().contains("DATA_COLLECTION_ENDPOINT"), "{error}");
    assert_eq!((delivery.posts, delivery.unanswered), (QUICK.failures.tries, 0));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Canned::queue([Answer::status(204)]).await;
    let server = Canned::queue([Answer::status(307).with("Location", &elsewhere.url)]).await;
    let delivery = deliver_to(&server, 2).await;
    assert!(matches!(&delivery.stopped, Some(error @ IngestionError::Unexpected(_)) if error.ends_the_run()));
    assert_eq!((delivery.accepted, elsewhere.requests().len()), (vec![], 0));
}

#[tokio::test]
async fn no_client_sends_a_token_in_the_clear() {
    for endpoint in ["http://ingest.example", "http://192.0.2.1", "ws://127.0.0.1"] {
        let url = Url::parse(endpoint).unwrap();
        let error = IngestionClient::new(reqwest::Client::new(), url, "dcr-1", STREAM, Arc::new(NoTokens)).unwrap_err();
        assert!(
            matches!(error, IngestionError::Setting { name: "DATA_COLLECTION_ENDPOINT", .. }),
            "{endpoint}: {error}"
        );
    }
}

#[tokio::test]
async fn no_token_is_shown() {
    // The worst gateway: it quotes the token that it was sent.
    for status in [400, 401, 403, 404, 413, 429, 500, 307] {
        let server =
            Canned::answering(move |request| Answer::status(status).body(request.header("authorization"))).await;
        let client = client(&server);
        let delivery = deliver(&client, &batch(2), &QUICK, &until(&CancellationToken::new(), in_an_hour())).await;
        let error = delivery.stopped.as_ref().map(ToString::to_string).unwrap_or_default();
        let shown = format!("{client:?} {delivery:?} {error}");
        assert!(shown.contains("Bearer ***") && !shown.contains(SECRET), "{shown}");
    }
}

#[tokio::test]
async fn a_token_that_is_quoted_in_escapes_is_not_shown() {
    let server = Canned::answering(move |request| {
        let quoted = request.header("authorization").replace("very", "\\u0076ery");
        Answer::status(403).body(&format!(r#"{{"error":{{"code":"Denied","message":"{quoted}"}}}}"#))
    })
    .await;
    let client = client(&server);
    let delivery = deliver(&client, &batch(1), &QUICK, &until(&CancellationToken::new(), in_an_hour())).await;
    let error = delivery.stopped.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(error.contains("Denied: Bearer ") && !error.contains(SECRET), "{error}");
}
>>>>>>> fuzz
