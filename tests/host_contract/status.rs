//! The status over HTTP, as its caller gets it through the host.

use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, When};
use serde_json::{Value, json};

use crate::{
    host::{Host, Stream, request},
    oracle::{Caller, carry_out},
    wire,
    wire::Connection,
    world::{World, minutes_ago, tick},
};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Asks for the status with this `Accept`.
async fn ask(host: &Host, accept: &str) -> Caller {
    let headers = json!({"Accept": [accept], "x-functions-key": ["0123456789abcdef-function-key"]});
    let caller = json!({"Url": "http://h/api/status?code=0123456789abcdef-function-key", "Method": "GET",
        "Query": {}, "Headers": headers, "Params": {}});
    let body = json!({"Data": {"req": caller}, "Metadata": {}}).to_string();
    let mut connection = Connection::open(host.address()).await;
    let reply = connection.ask(&wire::request("POST", "/Status", "status-run", body.as_bytes())).await;
    carry_out(&reply).unwrap()
}

async fn told(host: &Host) -> (u16, Value) {
    let caller = ask(host, "*/*").await;
    (caller.status, serde_json::from_str(&caller.body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_what_the_runs_left() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(2);
    let host = world.start().await;
    let (status, before) = told(&host).await;
    assert_eq!((status, before["problems"].as_array().unwrap().len()), (503, 1), "{before}");
    assert!(before["problems"][0].as_str().unwrap().contains("No run has ended yet"));

    let (host, _) = tick(host).await;
    let (status, after) = told(&host).await;
    assert_eq!((status, &after["healthy"], &after["problems"]), (200, &json!(true), &json!([])), "{after}");
    assert_eq!(after["tenantId"], world.simulator.tenant().id.as_str());
    assert_eq!((after["runs"].as_array().unwrap().len(), &after["runs"][0]["outcome"]), (1, &json!("Done")));
    assert_eq!(after["runs"][0]["rows"].as_u64(), Some(world.assert_delivered().totals.rows));
    for content_type in ContentType::WITH_LABELS {
        let kind = &after["contentTypes"][content_type.to_string()];
        assert!(kind["lagSeconds"].as_i64().unwrap() < 3_600 && kind["lastContent"].is_string(), "{kind}");
        assert_eq!((&kind["pending"], &kind["unfinished"]), (&json!(0), &json!(0)));
    }
    assert!(after["lastAccepted"].is_string() && after["deadLetters"]["number"] == 0, "{after}");
    assert_documented(&after);
}

/// `docs/health.md` names each member of the answer, and no other.
fn assert_documented(told: &Value) {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/health.md")).unwrap();
    let table = page.split("| in the JSON |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
    let names = rows.flat_map(|(names, _)| names.split(['`', ',', ' ']).filter(|name| !name.is_empty()));
    let mut documented: Vec<_> = names.collect();
    documented.sort_unstable();
    let mut members: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(documented, members);
    let inner = |name: &str| table.lines().find(|line| line.starts_with(&format!("| `{name}`"))).unwrap();
    for member in told["contentTypes"]["Audit.General"].as_object().unwrap().keys() {
        assert!(inner("contentTypes").contains(&format!("`{member}`")), "{member}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_a_page_that_loads_nothing() {
    let world = World::with_small_pages().await;
    let (host, _) = tick(world.start().await).await;
    let page = ask(&host, BROWSER).await;
    assert_eq!((page.status, page.headers["content-type"].as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.body.starts_with("<!DOCTYPE html>") && page.body.contains("Healthy"), "{}", page.body);
    assert!(page.headers["content-security-policy"].starts_with("default-src 'none'; "));
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["referrer-policy"], "no-referrer", "the key may stand in the address");
    assert!(!page.body.contains("0123456789abcdef"), "the key is not repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_answered_while_a_run_is_under_way() {
    let world = World::new(Config::default()).await;
    world.simulator.publish(ContentType::General, minutes_ago(5.0), 3, 3);
    world.simulator.fault(Fault::new(Endpoint::Retrieve, When::Always, Effect::Delay(60_000))).unwrap();
    let host = world.start().await;
    let busy = host.begin(&request("timer-later.http"));
    while !world.simulator.requests().by_endpoint.contains_key(&Endpoint::Retrieve) {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let (status, body) = told(&host).await;
    assert_eq!((status, host.ended_runs(), &body["runUnderWay"]), (503, 0, &json!(true)), "{body}");
    drop(busy);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_the_storage_is_away() {
    let mut world = World::new(Config::default()).await;
    // A port of its own at which nobody listens.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    world.set("AzureWebJobsStorage", &crate::azurite::connection_string(nobody, crate::azurite::KEY));
    let host = world.start().await;
    let (status, body) = told(&host).await;
    let problem = body["problems"][0].as_str().unwrap();
    assert!(status == 503 && problem.starts_with("The state cannot be read: "), "{body}");
    assert!(!problem.contains(crate::azurite::KEY), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_no_longer_for_a_storage_that_says_nothing() {
    let mut world = World::new(Config::default()).await;
    // It takes connections and never answers: without a limit, the caller would wait for ever.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    world.set("AzureWebJobsStorage", &crate::azurite::connection_string(port, crate::azurite::KEY));
    let host = world.start().await;
    let (status, body) = told(&host).await;
    let problem = "The state cannot be read: the storage did not answer within 5 s.";
    assert_eq!((status, body["problems"].clone()), (503, json!([problem])));
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_settings_gone_bad_it_still_shows_what_was_done() {
    let mut world = World::with_small_pages().await;
    let (host, _) = tick(world.start().await).await;
    drop(host);
    world.set("LOGS_DCR_RULE_ID", "");
    let host = world.start().await;
    let (status, body) = told(&host).await;
    assert!(status == 503 && body["problems"][0].as_str().unwrap().contains("LOGS_DCR_RULE_ID"), "{body}");
    assert_eq!(body["runs"].as_array().unwrap().len(), 1, "{body}");
    assert!(body["contentTypes"]["Audit.General"]["listedThrough"].is_string(), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_be_read_is_told_and_left_alone() {
    use labelstream::{state::Expect, state::Store as _, watermark::Memory};
    let world = World::with_small_pages().await;
    let (host, _) = tick(world.start().await).await;
    let (store, key) = (world.store(), Memory::document_key(&world.simulator.tenant().id));
    store.put(&key, bytes::Bytes::from_static(b"\0"), &Expect::Any).await.unwrap();
    let (status, body) = told(&host).await;
    assert!(status == 503 && body["problems"][0].as_str().unwrap().contains("watermark.json"), "{body}");
    let (stored, _) = store.get(&key).await.unwrap().unwrap();
    assert_eq!(stored, b"\0"[..], "who looks changes nothing");
    let errors: Vec<_> = host.lines().into_iter().filter(|(stream, _)| *stream == Stream::Err).collect();
    assert!(errors.is_empty(), "a status that is not well is no failed invocation: {errors:?}");
}
