//! Rows that the endpoint refuses, and parts that are too large for it.

use super::*;

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
    assert!(*rows >= SYSTEMATIC_AFTER && !error.ends_the_run(), "another batch may well be accepted");
    assert!(error.to_string().contains("LOGS_DCR_STREAM_NAME"), "{error}");
    assert!(delivery.posts < 50, "{} posts", delivery.posts);
}

#[tokio::test]
async fn where_the_rows_are_to_blame_a_batch_of_bad_ones_is_refused_row_by_row() {
    let server = picky(0..100, 100).await;
    let stop = CancellationToken::new();
    let delivery = deliver(&client(&server), &batch(100), Blame::Rows, &QUICK, &until(&stop, in_an_hour())).await;
    assert!(delivery.stopped.is_none(), "{delivery:?}");
    assert_eq!((delivery.accepted, delivery.refused.len(), delivery.posts), (vec![], 100, 199));
}

#[tokio::test]
async fn a_batch_that_costs_too_many_posts_is_left_with_what_was_found() {
    let server = picky(0..1000, 1000).await;
    let stop = CancellationToken::new();
    let delivery = deliver(&client(&server), &batch(1000), Blame::Rows, &QUICK, &until(&stop, in_an_hour())).await;
    assert!(matches!(&delivery.stopped, Some(error @ IngestionError::ManyRefused) if !error.ends_the_run()));
    assert_eq!((delivery.posts as usize, delivery.accepted), (REFUSALS_AT_MOST, vec![]));
    assert!(delivery.refused.len() > REFUSALS_AT_MOST / 5, "{}", delivery.refused.len());
}
