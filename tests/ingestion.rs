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
