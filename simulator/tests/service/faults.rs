use labelstream_simulator::{Answer, Config, ContentType, Effect, Endpoint, Fault, ResetAt, RetryAfter, Spoil, When};
use reqwest::{Method, Response};
use serde_json::Value;

use crate::client::{World, af_code, ago, gzip, json};

async fn with(on: Endpoint, effect: Effect) -> World {
    let world = World::subscribed().await;
    world.simulator.publish(ContentType::General, ago(10), 5, 5);
    world.simulator.fault(Fault::new(on, When::First(1), effect)).unwrap();
    world
}

async fn retrieve(world: &World) -> reqwest::Result<Response> {
    let (contents, _) = world.listed("Audit.General").await;
    world.get(contents[0]["contentUri"].as_str().unwrap()).send().await
}

/// One row of an id that was never published, so that only its own deliveries are counted.
fn row(world: &World) -> reqwest::RequestBuilder {
    world.post(r#"[{"AuditRecordId":"a"}]"#)
}

#[tokio::test]
async fn canned_errors_have_their_status_and_their_wait() {
    let effect = Effect::Af { code: "AF429".to_owned(), retry_after: Some(RetryAfter::Seconds(7)) };
    let world = with(Endpoint::List, effect).await;
    let refused = world.listing("Audit.General", 1).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (403, "7"));
    assert!(refused.text().await.unwrap().starts_with("{'error'"));
    assert_eq!(world.listing("Audit.General", 1).send().await.unwrap().status(), 200, "the first only");
    assert_eq!((world.simulator.faults()[0].seen, world.simulator.faults()[0].struck), (2, 1));

    let world = with(Endpoint::Retrieve, Effect::af("AF50000")).await;
    let refused = retrieve(&world).await.unwrap();
    assert_eq!(refused.status(), 500);
    assert_eq!(af_code(refused).await, "AF50000");

    let world = with(Endpoint::Ingest, Effect::throttled(RetryAfter::DateIn(60))).await;
    let refused = row(&world).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers()["retry-after"].to_str().unwrap().ends_with("GMT"));
    assert_eq!(world.simulator.report().totals.posts, 0);
}

#[tokio::test]
async fn resets_strike_before_in_and_after_the_body() {
    let world = with(Endpoint::Retrieve, Effect::Reset(ResetAt::Before)).await;
    assert!(retrieve(&world).await.is_err());
    assert_eq!(retrieve(&world).await.unwrap().status(), 200);

    let world = with(Endpoint::Retrieve, Effect::Reset(ResetAt::InBody)).await;
    assert!(retrieve(&world).await.unwrap().bytes().await.is_err(), "the headers come, the body does not");

    let world = with(Endpoint::Retrieve, Effect::Reset(ResetAt::AfterBody)).await;
    assert_eq!(json(retrieve(&world).await.unwrap()).await.as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn a_connection_that_was_reset_after_its_answer_takes_no_other_request() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let world = with(Endpoint::Subscriptions, Effect::Reset(ResetAt::AfterBody)).await;
    let mut stream = tokio::net::TcpStream::connect(world.simulator.address()).await.unwrap();
    let path = format!("/api/v1.0/{}/activity/feed/subscriptions/list", world.simulator.tenant().id);
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", world.feed_token);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer).await;
    assert!(String::from_utf8_lossy(&answer).ends_with(']'), "the answer is whole");
    assert!(end.is_err(), "and the connection was reset, not closed");
}

#[tokio::test]
async fn truncated_and_slow_bodies() {
    let world = with(Endpoint::Retrieve, Effect::Truncate { bytes: 20 }).await;
    let cut = retrieve(&world).await.unwrap();
    assert!(cut.content_length().is_none_or(|length| length > 20));
    assert!(cut.bytes().await.is_err());

    let world = with(Endpoint::Retrieve, Effect::SlowBody { piece: 500, pause_ms: 1 }).await;
    assert_eq!(json(retrieve(&world).await.unwrap()).await.as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn a_body_can_hang() {
    let world = with(Endpoint::Retrieve, Effect::HangBody { bytes: 20 }).await;
    let mut hanging = retrieve(&world).await.unwrap();
    let wait = std::time::Duration::from_millis(50);
    while let Ok(chunk) = tokio::time::timeout(wait, hanging.chunk()).await {
        assert!(chunk.unwrap().is_some(), "it neither ends nor breaks");
    }
    assert_eq!(retrieve(&world).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_lost_answer_is_stored_and_excuses_the_second_delivery() {
    let lost = [
        Effect::LoseAnswer,
        Effect::Reset(ResetAt::InBody),
        Effect::Answer(Answer { status: 503, after_effect: true, ..Answer::default() }),
    ];
    for effect in lost {
        let world = with(Endpoint::Ingest, effect.clone()).await;
        let first = row(&world).send().await;
        assert!(first.is_err() || first.unwrap().status() == 503, "{effect:?}");
        assert_eq!(row(&world).send().await.unwrap().status(), 204);
        let report = world.simulator.report();
        assert_eq!((report.totals.rows, report.surplus_rows, report.surplus_rows_excused), (2, 1, 1), "{effect:?}");
        assert_eq!((report.totals.posts_unanswered, report.doubled_unexcused), (1, 0), "{effect:?}");
        assert_eq!(row(&world).send().await.unwrap().status(), 204);
        assert_eq!(world.simulator.report().doubled_unexcused, 1, "{effect:?}");
    }
    let world = with(Endpoint::Ingest, Effect::Reset(ResetAt::Before)).await;
    assert!(row(&world).send().await.is_err());
    assert_eq!(world.simulator.report().totals.rows, 0, "nothing was stored");
}

#[tokio::test]
async fn another_2xx_after_the_batch_was_stored_is_an_answer() {
    for status in [200, 202] {
        let answer = Answer { status, body: "{}".to_owned(), after_effect: true, ..Answer::default() };
        let world = with(Endpoint::Ingest, Effect::Answer(answer)).await;
        assert_eq!(row(&world).send().await.unwrap().status(), status);
        assert_eq!((world.simulator.report().totals.rows, world.simulator.report().totals.posts_unanswered), (1, 0));
        assert_eq!(row(&world).send().await.unwrap().status(), 204);
        assert_eq!(world.simulator.report().doubled_unexcused, 1, "nothing excuses the second delivery");
    }
}

#[tokio::test]
async fn a_fault_may_look_into_the_body() {
    let world = World::new(Config::default()).await;
    let post = async |rows: &str, packed: bool| {
        let request = if packed {
            world.post(gzip(rows)).header("Content-Encoding", "gzip")
        } else {
            world.post(rows.to_owned())
        };
        request.send().await.unwrap().status().as_u16()
    };
    let bad = Fault::new(Endpoint::Ingest, When::Always, Effect::status(400)).holding(r#""AuditRecordId":"bad""#);
    world.simulator.fault(bad).unwrap();
    let long = Fault::new(Endpoint::Ingest, When::Always, Effect::status(413)).longer_than(60);
    world.simulator.fault(long).unwrap();
    for packed in [false, true] {
        assert_eq!(post(r#"[{"AuditRecordId":"a"}]"#, packed).await, 204);
        assert_eq!(post(r#"[{"AuditRecordId":"a"},{"AuditRecordId":"bad"}]"#, packed).await, 400);
        let rows = r#"[{"AuditRecordId":"a"},{"AuditRecordId":"b"},{"AuditRecordId":"c"}]"#;
        assert_eq!(post(rows, packed).await, 413);
    }
    assert_eq!(world.simulator.report().totals.rows, 2, "what was let through was stored as it was");
    let struck: Vec<_> = world.simulator.faults().iter().map(|active| active.struck).collect();
    assert_eq!(struck, [2, 2]);
}

#[tokio::test]
async fn a_sender_that_leaves_before_the_answer_was_not_answered() {
    let world = with(Endpoint::Ingest, Effect::DelayAnswer(60_000)).await;
    let sender = tokio::spawn(row(&world).send());
    while world.simulator.report().totals.rows == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.simulator.report().totals.posts_unanswered, 0, "it still waits");
    sender.abort();
    while world.simulator.report().totals.posts_unanswered == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn delays_only_delay() {
    for effect in [Effect::Delay(1), Effect::DelayAnswer(1)] {
        let world = with(Endpoint::Ingest, effect).await;
        assert_eq!(row(&world).send().await.unwrap().status(), 204);
        assert_eq!(world.simulator.report().totals.posts_unanswered, 0);
    }
}

#[tokio::test]
async fn listings_can_lie() {
    let world = with(Endpoint::List, Effect::DuplicateListing).await;
    let (contents, _) = world.listed("Audit.General").await;
    assert_eq!(contents.len(), 2);
    assert_eq!(contents[0], contents[1]);

    let world = with(Endpoint::List, Effect::ForeignHost("https://elsewhere.example".to_owned())).await;
    let (contents, _) = world.listed("Audit.General").await;
    assert!(contents[0]["contentUri"].as_str().unwrap().starts_with("https://elsewhere.example/api/"));

    let world = with(Endpoint::List, Effect::ForeignPage("https://elsewhere.example".to_owned())).await;
    for _ in 0..100 {
        world.simulator.publish(ContentType::General, ago(5), 0, 1);
    }
    let first = world.listing("Audit.General", 24).send().await.unwrap();
    let next = first.headers()["NextPageUri"].to_str().unwrap().to_owned();
    assert!(next.starts_with("https://elsewhere.example/api/"), "{next}");
    assert!(json(first).await[0]["contentUri"].as_str().unwrap().starts_with(world.simulator.base()));

    let world = with(Endpoint::List, Effect::MalformedUri("no uri".to_owned())).await;
    assert_eq!(world.listed("Audit.General").await.0[0]["contentUri"], "no uri");

    let world = with(Endpoint::List, Effect::StaleNextPage).await;
    let first = world.listing("Audit.General", 24).send().await.unwrap();
    let next = first.headers()["NextPageUri"].to_str().unwrap().to_owned();
    assert_eq!(af_code(world.get(&next).send().await.unwrap()).await, "AF20031");
}

#[tokio::test]
async fn contents_can_be_spoilt_for_one_answer() {
    let spoils = [
        Spoil::CutJson,
        Spoil::Html,
        Spoil::Empty,
        Spoil::Object,
        Spoil::Null,
        Spoil::BadRecord,
        Spoil::Bom,
        Spoil::BadUtf8,
        Spoil::BadGzip,
        Spoil::CutGzip,
    ];
    for spoil in spoils {
        let world = with(Endpoint::Retrieve, Effect::Spoil(spoil)).await;
        let bytes = retrieve(&world).await.unwrap().bytes().await;
        let value = bytes.ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let records = value.as_ref().and_then(Value::as_array);
        match spoil {
            Spoil::Object => assert!(value.unwrap().is_object()),
            Spoil::Null => assert!(value.unwrap().is_null()),
            Spoil::BadRecord => {
                assert_eq!(records.unwrap().len(), 11);
                assert!(records.unwrap()[0].is_string() && records.unwrap()[1].is_object());
            }
            _ => assert!(value.is_none(), "{spoil:?}"),
        }
        assert_eq!(json(retrieve(&world).await.unwrap()).await.as_array().unwrap().len(), 10, "{spoil:?}");
    }
}

#[tokio::test]
async fn tokens_can_be_revoked_in_the_middle() {
    let world = with(Endpoint::Subscriptions, Effect::RevokeTokens).await;
    let list = || world.feed(Method::GET, "subscriptions/list").send();
    assert_eq!(list().await.unwrap().status(), 401);
    assert_eq!(list().await.unwrap().status(), 401, "revoked for good");
}
