//! Throttling, stops and deadlines.

use super::*;

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
    let delivery = deliver(&client, &batch(2), Blame::Either, &Patience::SERVICE, &until(&stop, deadline)).await;
    assert!(Instant::now() < deadline);
    let Some(IngestionError::Interrupted { why: Interruption::Deadline, last: Some(last), maybe_sent: false }) =
        delivery.stopped
    else {
        panic!("{delivery:?}")
    };
    assert!(matches!(*last, IngestionError::Throttled { .. }));
    // What throttles one delivery holds the others of the client, too.
    let other = deliver(&client, &batch(2), Blame::Either, &Patience::SERVICE, &until(&stop, deadline)).await;
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
    let delivery =
        deliver(&client(&server), &batch(2), Blame::Either, &Patience::SERVICE, &until(&stop, in_an_hour())).await;
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
    let delivery = deliver(&client(&server), &batch(10), Blame::Either, &QUICK, &until(&stop, in_an_hour())).await;
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
    let delivery = deliver(&client(&server), &batch(10), Blame::Either, &patience, &until(&stop, in_an_hour())).await;
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
    let delivery = deliver(&client(&server), &batch(8), Blame::Either, &QUICK, &leave).await;
    let Some(IngestionError::Interrupted { why: Interruption::Stop, maybe_sent: false, .. }) = delivery.stopped else {
        panic!("{delivery:?}")
    };
    assert_eq!((delivery.posts, server.requests().len()), (2, 2));
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
        let delivery = deliver(&client(&server), &batch(2), Blame::Either, &QUICK, &until(&stop, deadline)).await;
        assert!(matches!(delivery.stopped, Some(IngestionError::Interrupted { why: w, last: None, .. }) if w == why));
        assert_eq!((delivery.posts, server.requests().len()), (0, 0));
    }
}
