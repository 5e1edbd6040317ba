//! One POST and what it is answered: success, settings that are wrong, servers and connections that fail.

use super::*;

#[tokio::test]
async fn a_batch_is_one_gzipped_post() {
    let server = Canned::queue([Answer::status(204)]).await;
    let batch = batch(3);
    let delivery =
        deliver(&client(&server), &batch, Blame::Either, &QUICK, &until(&CancellationToken::new(), in_an_hour())).await;
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
    let delivery =
        deliver(&client, &batch(2), Blame::Either, &QUICK, &until(&CancellationToken::new(), in_an_hour())).await;
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
