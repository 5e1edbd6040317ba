//! The feed's client against a scripted server on loopback.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where its setup fails")]

#[path = "support/feed_script.rs"]
mod feed_script;

use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use feed_script::{Log, Reply, Script};
use labelstream::{
    content::{Content, ContentType},
    feed::{Body, Budget, FeedClient, FeedError, FeedErrorKind, Limits, Patience, Window, http_client, window},
    identity::{IdentityError, Token, TokenSource},
    retry::Policy,
};
use time::{OffsetDateTime, macros::datetime};

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const PUBLISHER: &str = "22222222-2222-4222-8222-222222222222";
const ROOT: &str = "/api/v1.0/11111111-1111-4111-8111-111111111111/activity/feed";
const BY: &str = "PublisherIdentifier=22222222-2222-4222-8222-222222222222";
const WINDOW: Window = Window { start: datetime!(2026-08-20 00:00:00 UTC), end: datetime!(2026-08-20 12:00:00 UTC) };

/// Numbered tokens; a refused one is replaced by the next.
#[derive(Debug)]
struct Tokens {
    current: AtomicU64,
    refused: Mutex<Vec<u64>>,
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self) -> Result<Token, IdentityError> {
        let generation = self.current.load(SeqCst);
        Ok(Token::new(&format!("secret-{generation}"), generation))
    }

    fn refuse(&self, token: &Token) {
        self.refused.lock().unwrap().push(token.generation());
        self.current.store(token.generation() + 1, SeqCst);
    }
}

/// No token at all.
#[derive(Debug)]
struct NoTokens;

#[async_trait]
impl TokenSource for NoTokens {
    async fn token(&self) -> Result<Token, IdentityError> {
        Err(IdentityError {
            audience: "https://manage.office.com".to_owned(),
            reason: "IDENTITY_ENDPOINT is gone".to_owned(),
        })
    }

    fn refuse(&self, _: &Token) {}
}

struct Feed {
    client: FeedClient,
    tokens: Arc<Tokens>,
}

fn feed(base: &str) -> Feed {
    let tokens = Arc::new(Tokens { current: AtomicU64::new(1), refused: Mutex::default() });
    Feed { client: client(base, tokens.clone()), tokens }
}

const PAUSE: Duration = Duration::from_millis(1);

fn patience() -> Patience {
    Patience { failures: Policy { tries: 4, first: PAUSE, longest: PAUSE }, throttles: 3, ..Patience::SERVICE }
}

fn client(base: &str, tokens: Arc<dyn TokenSource>) -> FeedClient {
    let budget = Budget::new(Limits { first_pause: PAUSE, longest_pause: PAUSE, ..Limits::SERVICE });
    let base = base.parse().unwrap();
    let client = FeedClient::new(http_client().unwrap(), &base, TENANT, PUBLISHER, tokens, Arc::new(budget));
    client.unwrap().with_patience(patience())
}

async fn script(replies: impl IntoIterator<Item = Reply>) -> (Feed, Log) {
    let script = Script::bind().await;
    let feed = feed(&script.base());
    (feed, script.serve(replies))
}

fn content(uri: String) -> Content {
    let created = datetime!(2026-08-20 01:00:00 UTC);
    Content { content_type: ContentType::SharePoint, id: "1$2$audit".to_owned(), uri, created, expires: None }
}

async fn whole(mut body: Body) -> Result<Vec<u8>, FeedError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn error(code: &str) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"It says why."}}}}"#)
}

#[tokio::test]
async fn three_pages_and_their_content() {
    let script = Script::bind().await;
    let base = script.base();
    let feed = feed(&base);
    let next = |page: u8| {
        format!("{base}/api/v1/{TENANT}/activity/feed/subscriptions/content?contentType=A&nextPage={page}%3D$")
    };
    let entry = |id: &str| {
        let uri = format!("{base}{ROOT}/audit/{id}");
        format!(
            r#"{{"contentType":"Audit.SharePoint","contentId":"{id}","contentUri":"{uri}","contentCreated":"2026-08-20T01:00:00.000Z"}}"#
        )
    };
    let records = br#"[{"Id":"a"},{"Id":"b"}]"#;
    let log = script.serve([
        Reply::ok(format!("[{}]", entry("1$2$audit"))).header("NextPageUri", &next(2)).header("X-After", "x"),
        Reply::ok(gzip(b"[]")).header("content-encoding", "gzip").header("nextpageuri", &format!("  {} ", next(3))),
        Reply::ok(format!("[{},{}]", entry("3$4"), entry("5$6"))).chunked().header("NEXTPAGEURI", ""),
        Reply::ok(gzip(records)).header("Content-Encoding", "gzip").chunked(),
    ]);

    let mut contents = Vec::new();
    let mut page = None;
    loop {
        let listed = feed.client.list(ContentType::SharePoint, &WINDOW, page.as_ref()).await.unwrap();
        assert_eq!(listed.skipped, []);
        contents.extend(listed.contents);
        page = listed.next;
        if page.is_none() {
            break;
        }
    }
    let ids: Vec<_> = contents.iter().map(|content| content.id.as_str()).collect();
    assert_eq!(ids, ["1$2$audit", "3$4", "5$6"]);
    assert_eq!(whole(feed.client.fetch(&contents[0]).await.unwrap()).await.unwrap(), records);

    let first = "contentType=Audit.SharePoint&startTime=2026-08-20T00:00:00&endTime=2026-08-20T12:00:00";
    let v1 = format!("/api/v1/{TENANT}/activity/feed/subscriptions/content?contentType=A&nextPage");
    assert_eq!(
        log.lines(),
        [
            format!("GET {ROOT}/subscriptions/content?{first}&{BY}"),
            format!("GET {v1}=2%3D$&{BY}"),
            format!("GET {v1}=3%3D$&{BY}"),
            format!("GET {ROOT}/audit/1$2$audit?{BY}"),
        ]
    );
    for seen in log.requests() {
        assert_eq!(seen.header("authorization"), Some("Bearer secret-1"));
        assert!(seen.header("accept-encoding").unwrap().contains("gzip"));
    }
    assert_eq!(feed.client.budget().counts().requests, 4);
}

#[tokio::test]
async fn an_empty_tenant_lists_nothing_in_every_window() {
    let now = OffsetDateTime::now_utc();
    let windows: Vec<_> = window::windows(now - window::REACH, now, now).collect();
    let (feed, log) = script(vec![Reply::ok("[]"); windows.len()]).await;
    for window in &windows {
        let page = feed.client.list(ContentType::General, window, None).await.unwrap();
        assert!(page.contents.is_empty() && page.next.is_none() && page.skipped.is_empty());
    }
    assert_eq!((windows.len(), log.lines().len()), (7, 7));
}

#[tokio::test]
async fn subscriptions_are_listed_started_and_stopped() {
    let (feed, log) = script([
        Reply::ok(include_str!("samples/api/subscriptions_list.json")),
        Reply::ok(include_str!("samples/api/subscriptions_start.json")),
        Reply::status(400, error("AF20024")),
        Reply::ok(""),
        Reply::status(400, error("AF20022")),
    ])
    .await;
    let listed = feed.client.subscriptions().await.unwrap();
    assert_eq!((listed[0].content_type.as_str(), listed[0].status.as_deref()), ("Audit.SharePoint", Some("enabled")));
    assert_eq!((listed[1].content_type.as_str(), listed[1].status.as_deref()), ("Audit.Exchange", None));
    feed.client.start(ContentType::General).await.unwrap();
    feed.client.start(ContentType::General).await.unwrap();
    feed.client.stop(ContentType::General).await.unwrap();
    feed.client.stop(ContentType::General).await.unwrap();
    let lines = log.lines();
    assert_eq!(lines[0], format!("GET {ROOT}/subscriptions/list?{BY}"));
    assert_eq!(lines[1], format!("POST {ROOT}/subscriptions/start?contentType=Audit.General&{BY}"));
    assert_eq!(lines[3], format!("POST {ROOT}/subscriptions/stop?contentType=Audit.General&{BY}"));
    assert_eq!(log.requests()[1].header("content-length"), Some("0"));
}

#[tokio::test]
async fn a_throttled_start_is_told_and_pauses_nobody() {
    let body = r#"{"error":{"code":"429","message":"Too many frequent subscription start requests. Please retry again after 8m 46s"}}"#;
    let (feed, log) = script([Reply::status(403, body)]).await;
    let error = feed.client.start(ContentType::General).await.unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::StartThrottled { retry_after: Some(Duration::from_secs(526)) });
    assert_eq!((log.lines().len(), feed.client.budget().counts().throttled), (1, 0));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (feed, log) =
        script([Reply::status(401, ""), Reply::ok("[]"), Reply::status(401, ""), Reply::status(401, "")]).await;
    feed.client.list(ContentType::General, &WINDOW, None).await.unwrap();
    let sent = |log: &Log| {
        log.requests().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sent(&log), ["Bearer secret-1", "Bearer secret-2"]);
    assert_eq!(*feed.tokens.refused.lock().unwrap(), [1]);

    let error = feed.client.list(ContentType::General, &WINDOW, None).await.unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::Unauthorized);
    assert_eq!(sent(&log)[2..], ["Bearer secret-2", "Bearer secret-3"]);
}

#[tokio::test]
async fn without_a_token_nothing_is_asked() {
    let script = Script::bind().await;
    let client = client(&script.base(), Arc::new(NoTokens));
    let error = client.subscriptions().await.unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::NoToken);
    assert!(error.to_string().contains("IDENTITY_ENDPOINT is gone") && error.stops_tenant());
    assert!(script.is_untouched().await);
}

#[tokio::test]
async fn throttling_is_waited_for_and_counted() {
    let single = "{'error':{'code':'AF429','message':'Too many requests. Method=GetBlob'}}";
    let (feed, log) = script([
        Reply::status(429, "").header("Retry-After", "0"),
        Reply::status(403, single),
        Reply::status(429, "").header("retry-after", "3600"),
        Reply::ok("[]"),
    ])
    .await;
    feed.client.list(ContentType::General, &WINDOW, None).await.unwrap();
    let counts = feed.client.budget().counts();
    assert_eq!((log.lines().len(), counts.requests, counts.throttled), (4, 4, 3));
}

#[tokio::test]
async fn after_throttling_a_request_that_fails_holds_nobody_up() {
    let (feed, log) = script([
        Reply::status(429, "").header("Retry-After", "0"),
        Reply::nothing(),
        Reply::status(503, ""),
        Reply::status(403, error("AF10001")),
        Reply::ok("[]"),
        Reply::ok("[]"),
    ])
    .await;
    let once = Patience { throttles: 0, ..patience() };
    let client = feed.client.with_patience(once);
    let list = || client.list(ContentType::General, &WINDOW, None);
    assert!(list().await.unwrap_err().is_throttled());
    let listed = tokio::join!(list(), list(), list());
    let refused = [listed.0, listed.1, listed.2].into_iter().filter_map(Result::err).map(|error| error.kind());
    assert_eq!(refused.collect::<Vec<_>>(), [FeedErrorKind::NotPermitted]);
    let counts = client.budget().counts();
    assert_eq!((log.lines().len(), counts.requests, counts.throttled), (6, 6, 1));
    assert!(counts.waited < Duration::from_secs(10), "{counts:?}");
}

#[tokio::test]
async fn throttling_without_end_is_an_error() {
    let (feed, log) = script(vec![Reply::status(429, "").header("Retry-After", "7"); 9]).await;
    let error = feed.client.list(ContentType::General, &WINDOW, None).await.unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::Throttled { retry_after: Some(Duration::from_secs(7)) });
    assert_eq!(log.lines().len(), 4);
}

#[tokio::test]
async fn failures_on_the_way_are_tried_again() {
    let (feed, log) = script([
        Reply::status(503, "<html>busy</html>"),
        Reply::nothing(),
        Reply::ok(r#"[{"contentId":"a","#),
        Reply::ok("[]"),
        Reply::ok("[]   ").cut(2),
        Reply::status(408, ""),
        Reply::status(400, error("AF50005")),
        Reply::ok("[]"),
    ])
    .await;
    for tries in [4, 8] {
        feed.client.list(ContentType::General, &WINDOW, None).await.unwrap();
        assert_eq!(log.lines().len(), tries);
    }
}

#[tokio::test]
async fn a_listing_that_fails_for_good_is_an_error() {
    let (feed, log) = script(vec![Reply::status(500, include_str!("samples/api/error_AF50000.json")); 9]).await;
    let error = feed.client.list(ContentType::General, &WINDOW, None).await.unwrap_err();
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(text.contains("HTTP 500, AF50000") && text.contains("subscriptions/content"), "{text}");
    assert!(!text.contains(PUBLISHER) && !text.contains('?'), "{text}");
    assert_eq!(log.lines().len(), 4);
}

#[tokio::test]
async fn what_is_final_is_asked_once() {
    for (code, holds) in [
        ("AF20022", FeedError::needs_start as fn(&FeedError) -> bool),
        ("AF20023", FeedError::needs_start),
        ("AF20055", FeedError::restarts_listing),
        ("AF20031", FeedError::restarts_listing),
        ("AF20051", FeedError::is_gone),
        ("AF10001", FeedError::stops_tenant),
    ] {
        let (feed, log) = script([Reply::status(400, error(code))]).await;
        let error = feed.client.list(ContentType::General, &WINDOW, None).await.unwrap_err();
        assert!(holds(&error) && !error.is_retryable(), "{error}");
        assert_eq!((log.lines().len(), error.code()), (1, Some(code)));
    }
}

#[tokio::test]
async fn a_large_body_comes_through_whole() {
    let records: Vec<u8> =
        (0..400_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    let script = Script::bind().await;
    let (feed, uri) = (feed(&script.base()), format!("{}/audit/1", script.base()));
    script.serve([Reply::ok(gzip(&records)).header("Content-Encoding", "gzip")]);
    let body = feed.client.fetch(&content(uri)).await.unwrap();
    assert!(whole(body).await.unwrap() == records);
}

#[tokio::test]
async fn a_large_body_comes_in_small_chunks() {
    let records: Vec<u8> = (0..800_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for body in [Reply::ok(records.clone()), Reply::ok(gzip(&records)).header("Content-Encoding", "gzip")] {
        let script = Script::bind().await;
        let (feed, uri) = (feed(&script.base()), format!("{}/audit/1", script.base()));
        script.serve([body]);
        let mut body = feed.client.fetch(&content(uri)).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(chunk) = body.chunk().await.unwrap() {
            assert!(chunk.len() <= 64 * 1024, "{}", chunk.len());
            bytes.extend_from_slice(&chunk);
        }
        assert!(bytes == records);
    }
}

#[tokio::test]
async fn a_body_that_breaks_is_never_taken_for_whole() {
    let records = b"[{\"Id\":\"a\"},{\"Id\":\"b\"}]".repeat(500);
    let packed = gzip(&records);
    let half = packed.len() / 2;
    let gzipped = |body: Vec<u8>| Reply::ok(body).header("Content-Encoding", "gzip");
    let broken = [
        ("cut by length", Reply::ok(records.clone()).cut(9_000)),
        ("cut by length and reset", Reply::ok(records.clone()).cut(9_000).reset()),
        ("cut between chunks", Reply::ok(records.clone()).cut(700).chunked()),
        ("gzip cut by length", gzipped(packed.clone()).cut(half)),
        ("gzip that is short itself", gzipped(packed[..half].to_vec())),
        ("gzip without its trailer", gzipped(packed[..packed.len() - 4].to_vec())),
        ("gzip that is none", gzipped(records.clone())),
    ];
    for (name, reply) in broken {
        let script = Script::bind().await;
        let (feed, uri) = (feed(&script.base()), format!("{}/audit/1", script.base()));
        let log = script.serve([reply]);
        let mut body = feed.client.fetch(&content(uri)).await.unwrap();
        let error = loop {
            match body.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{name}: taken for whole"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), FeedErrorKind::Transport, "{name}: {error}");
        assert!(error.to_string().starts_with("fetching content 1$2$audit of Audit.SharePoint"), "{error}");
        assert!(body.chunk().await.is_err(), "{name}: the error stays");
        assert_eq!(log.lines().len(), 1);
    }
}

#[tokio::test]
async fn silence_is_an_error() {
    let script = Script::bind().await;
    let (feed, uri) = (feed(&script.base()), format!("{}/audit/1", script.base()));
    let silent = Duration::from_millis(50);
    let failures = Policy { tries: 1, first: silent, longest: silent };
    let client =
        feed.client.with_patience(Patience { failures, throttles: 0, answer: Duration::from_secs(60), idle: silent });
    script.serve([Reply::ok("[{},{}]").cut(4).stall(), Reply::nothing().stall()]);
    let mut body = client.fetch(&content(uri.clone())).await.unwrap();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "[{},");
    let error = body.chunk().await.unwrap_err();
    assert!(error.to_string().contains("nothing came for 0.05 s"), "{error}");

    let client = client.with_patience(Patience { failures, throttles: 0, answer: silent, idle: silent });
    let error = client.fetch(&content(uri)).await.unwrap_err();
    assert!(error.to_string().contains("no answer within 0.05 s"), "{error}");
}

#[tokio::test]
async fn no_foreign_host_sees_a_token() {
    let foreign = Script::bind().await;
    let script = Script::bind().await;
    let (base, elsewhere) = (script.base(), foreign.base());
    let feed = feed(&base);
    let log = script.serve([
        Reply::ok("[]").header("NextPageUri", &format!("{elsewhere}/next?nextPage=2")),
        Reply::status(302, "").header("Location", &format!("{elsewhere}/moved")),
        Reply::status(307, "").header("Location", &format!("{base}/moved")),
    ]);
    for uri in [format!("{elsewhere}/audit/1"), base.replace("http://", "https://"), "/audit/1".to_owned()] {
        let error = feed.client.fetch(&content(uri)).await.unwrap_err();
        assert_eq!(error.kind(), FeedErrorKind::ForeignAddress, "{error}");
    }
    let error = feed.client.list(ContentType::General, &WINDOW, None).await.unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::ForeignAddress);
    let stored = serde_json::from_value(format!("{elsewhere}/next?nextPage=2").into()).unwrap();
    let error = feed.client.list(ContentType::General, &WINDOW, Some(&stored)).await.unwrap_err();
    assert_eq!(error.kind(), FeedErrorKind::ForeignAddress);
    for _ in 0..2 {
        let error = feed.client.fetch(&content(format!("{base}/audit/1"))).await.unwrap_err();
        assert_eq!(error.kind(), FeedErrorKind::Refused, "{error}");
        assert!(error.to_string().contains("Redirects are not followed"));
    }
    assert_eq!(log.lines().len(), 3);
    assert!(foreign.is_untouched().await);
}

#[tokio::test]
async fn a_token_that_is_echoed_stays_out_of_the_error() {
    let echo = "You sent Authorization: Bearer secret-1, which I do not like";
    let (feed, _) = script([Reply::status(400, echo)]).await;
    let error = feed.client.subscriptions().await.unwrap_err();
    assert!(error.to_string().contains("Bearer ***, which"), "{error}");
    assert!(!format!("{error:?}{:?}", feed.client).contains("secret-1"));
}

#[tokio::test]
async fn an_echo_in_another_form_or_under_a_success_status_stays_out_of_the_error_too() {
    let escaped = r#"{"error":{"code":"AF50000","message":"sent Bearer \u0073ecret-1"}}"#;
    for reply in [Reply::status(400, escaped), Reply::ok(escaped), Reply::ok("<p>sent Bearer secret-1</p>")] {
        let (feed, _) = script([reply]).await;
        let patience = Patience { failures: Policy { tries: 1, ..Patience::SERVICE.failures }, ..Patience::SERVICE };
        let client = feed.client.with_patience(patience);
        let error = client.list(ContentType::General, &WINDOW, None).await.unwrap_err();
        assert!(error.to_string().contains("sent Bearer "), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret-1"), "{error}");
    }
}

#[tokio::test]
async fn an_error_whose_text_breaks_off_keeps_its_meaning() {
    let (feed, _) = script([Reply::status(400, format!("{}{}", error("AF20022"), " ".repeat(100))).cut(60)]).await;
    let error = feed.client.list(ContentType::General, &WINDOW, None).await.unwrap_err();
    assert!(error.needs_start(), "{error}");
}

#[tokio::test]
async fn calls_can_be_made_by_spawned_workers() {
    let (feed, log) = script(vec![Reply::ok("[]"); 8]).await;
    let client = Arc::new(feed.client);
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.list(ContentType::General, &WINDOW, None).await })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
    assert_eq!(log.lines().len(), 8);
}

#[test]
fn plain_http_is_for_loopback() {
    let tokens = Arc::new(NoTokens);
    let base = "http://manage.office.com".parse().unwrap();
    let budget = Arc::new(Budget::new(Limits::SERVICE));
    let error = FeedClient::new(http_client().unwrap(), &base, TENANT, PUBLISHER, tokens, budget).unwrap_err();
    assert!(error.to_string().contains("M365_MANAGEMENT_ENDPOINT") && error.stops_tenant(), "{error}");
}
