//! Tokens: refused ones, missing ones, and that none is shown or sent in the clear.

use super::*;

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
async fn without_a_token_nothing_is_sent() {
    let server = Canned::queue([]).await;
    let client = client_with(&server.url, Arc::new(NoTokens));
    let delivery =
        deliver(&client, &batch(1), Blame::Either, &QUICK, &until(&CancellationToken::new(), in_an_hour())).await;
    assert!(matches!(&delivery.stopped, Some(error @ IngestionError::NoToken(_)) if error.ends_the_run()));
    assert_eq!((delivery.posts, delivery.bytes_sent, server.requests().len()), (0, 0, 0));
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
            deliver(&client, &batch(5), Blame::Either, &QUICK, &until(&CancellationToken::new(), in_an_hour())).await
        });
    }
    while let Some(delivery) = workers.join_next().await {
        assert_eq!(delivery.unwrap().accepted, all(5));
    }
    assert_eq!(tokens.generation.load(Ordering::SeqCst), 1);
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
        let delivery =
            deliver(&client, &batch(2), Blame::Either, &QUICK, &until(&CancellationToken::new(), in_an_hour())).await;
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
    let delivery =
        deliver(&client, &batch(1), Blame::Either, &QUICK, &until(&CancellationToken::new(), in_an_hour())).await;
    let error = delivery.stopped.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(error.contains("Denied: Bearer ") && !error.contains(SECRET), "{error}");
}
