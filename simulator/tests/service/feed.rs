use labelstream_simulator::{Config, ContentType, Endpoint, History};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{World, af_code, ago, json};

#[tokio::test]
async fn subscriptions_start_once_and_stop() {
    let world = World::new(Config::default()).await;
    let call = |method: Method, operation: &'static str| world.feed(method, operation).send();
    assert_eq!(af_code(world.listing("Audit.General", 1).send().await.unwrap()).await, "AF20022");
    let start = "subscriptions/start?contentType=Audit.General&PublisherIdentifier=me";
    let started = call(Method::POST, start).await.unwrap();
    assert_eq!(started.status(), 200);
    assert_eq!(json(started).await, json!({"contentType": "Audit.General", "status": "enabled", "webhook": null}));
    let again = call(Method::POST, start).await.unwrap();
    assert_eq!(again.status(), 400);
    assert_eq!(af_code(again).await, "AF20024");
    assert_eq!(world.listing("Audit.General", 1).send().await.unwrap().status(), 200);
    let list = json(call(Method::GET, "subscriptions/list").await.unwrap()).await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    let stop = "subscriptions/stop?contentType=Audit.General";
    assert_eq!(call(Method::POST, stop).await.unwrap().status(), 200);
    assert_eq!(af_code(world.listing("Audit.General", 1).send().await.unwrap()).await, "AF20022");
    let unknown = call(Method::POST, "subscriptions/start?contentType=Audit.Nothing").await.unwrap();
    assert_eq!(af_code(unknown).await, "AF20020");
    let requests = world.simulator.requests();
    assert_eq!(requests.by_endpoint[&Endpoint::Start], 3);
    assert_eq!(requests.without_publisher, 3, "list, stop and the unknown start carried none");
}

#[tokio::test]
async fn a_second_start_within_a_quarter_of_an_hour_is_refused_where_it_is_switched_on() {
    let world = World::new(Config { strict_start_interval: true, ..Config::default() }).await;
    let start = || world.feed(Method::POST, "subscriptions/start?contentType=Audit.General").send();
    assert_eq!(start().await.unwrap().status(), 200);
    assert_eq!(start().await.unwrap().status(), 429);
}

#[tokio::test]
async fn pages_list_everything_once_and_lead_on_by_both_paths() {
    let world = World::new(Config { subscribed: true, page_size: 3, ..Config::default() }).await;
    for minute in 1..=10 {
        world.simulator.publish(ContentType::Exchange, ago(minute * 5), 1, 2);
    }
    world.simulator.publish(ContentType::General, ago(5), 1, 0);
    let (contents, pages) = world.listed("Audit.Exchange").await;
    assert_eq!((contents.len(), pages), (10, 4));
    let created: Vec<&str> = contents.iter().map(|content| content["contentCreated"].as_str().unwrap()).collect();
    assert!(created.is_sorted());
    let first = world.listing("Audit.Exchange", 24).send().await.unwrap();
    let next = first.headers()["NextPageUri"].to_str().unwrap();
    assert!(next.contains("/api/v1.0/") && !next.contains("PublisherIdentifier"), "{next}");
    let spoilt = next.split("nextPage=").next().unwrap().to_owned() + "nextPage=gone";
    assert_eq!(af_code(world.get(&spoilt).send().await.unwrap()).await, "AF20031");
}

#[tokio::test]
async fn windows_are_held_to_the_rules() {
    let world = World::subscribed().await;
    let ask = async |times: &str| {
        let request = world.feed(Method::GET, &format!("subscriptions/content?contentType=Audit.General{times}"));
        let response = request.send().await.unwrap();
        if response.status() == 200 { "OK".to_owned() } else { af_code(response).await }
    };
    assert_eq!(ask("").await, "OK");
    assert_eq!(ask("&startTime=2020-01-01").await, "AF20030");
    assert_eq!(ask("&startTime=2020-01-01&endTime=2020-01-02").await, "AF20055");
    assert_eq!(ask("&startTime=2020-01-01&endTime=2020-01-03").await, "AF20030");
}

#[tokio::test]
async fn contents_are_served_zipped_or_plain_until_they_expire() {
    let world = World::subscribed().await;
    world.simulator.publish(ContentType::SharePoint, ago(30), 3, 4);
    let old = world.simulator.publish(ContentType::SharePoint, ago(7 * 24 * 60 + 10), 1, 0);
    let future = world.simulator.publish(ContentType::SharePoint, ago(-60), 1, 0);
    let (contents, _) = world.listed("Audit.SharePoint").await;
    assert_eq!(contents.len(), 1);
    let uri = contents[0]["contentUri"].as_str().unwrap();
    assert!(uri.contains('$') && uri.starts_with(world.simulator.base()));
    let unzipped = world.get(&format!("{uri}?PublisherIdentifier=me")).send().await.unwrap();
    let records = json(unzipped).await;
    assert_eq!(records.as_array().unwrap().len(), 7);
    let plain = world.get(uri).header("Accept-Encoding", "identity").send().await.unwrap();
    assert!(!plain.headers().contains_key("content-encoding"));
    assert_eq!(json(plain).await, records);
    let retrieve = async |id: &str| world.feed(Method::GET, &format!("audit/{id}")).send().await.unwrap();
    assert_eq!(af_code(retrieve(&old.id).await).await, "AF20051");
    assert_eq!(af_code(retrieve(&future.id).await).await, "AF20050");
    assert_eq!(af_code(retrieve("nothing").await).await, "AF20050");
    assert_eq!(world.simulator.requests().retrieved_again.len(), 1);
}

#[tokio::test]
async fn the_feed_has_a_clock_of_its_own() {
    let minutes = time::Duration::minutes;
    for offset in [-10, 10] {
        let config = Config { subscribed: true, clock_offset: minutes(offset), ..Config::default() };
        let world = World::new(config).await;
        assert!((world.simulator.now() - ago(-offset)).abs() < minutes(1));
        world.simulator.publish_now(ContentType::General, 1, 0);
        world.simulator.publish(ContentType::General, world.simulator.now() + minutes(1), 1, 0);
        assert_eq!(world.simulator.report().published, 1, "the other one is published in a minute");
        // A window that ends now by this machine's clock.
        let (listed, _) = world.listed("Audit.General").await;
        assert_eq!(listed.len(), usize::from(offset < 0));
    }
}

#[tokio::test]
async fn the_feeds_clock_is_in_its_answers() {
    use time::{Duration, OffsetDateTime, format_description::well_known::Rfc2822};
    let world = World::new(Config { clock_offset: Duration::hours(2), ..Config::default() }).await;
    for url in [world.simulator.base().to_owned(), format!("{}/msi/token", world.simulator.base())] {
        let answer = world.http.get(&url).send().await.unwrap();
        let date = OffsetDateTime::parse(answer.headers()["date"].to_str().unwrap(), &Rfc2822).unwrap();
        let ahead = if url.ends_with("token") { Duration::ZERO } else { Duration::hours(2) };
        assert!((date - OffsetDateTime::now_utc() - ahead).abs() < Duration::MINUTE, "{url}: {date}");
    }
}

#[tokio::test]
async fn the_reach_of_a_listing_can_be_what_the_reference_says() {
    let days = |days| ((days * 24.0 * 60.0) as i64, 24);
    for (reach, age, status) in [(7, 6.9, 200), (7, 7.01, 400), (8, 7.01, 200)] {
        let reach = time::Duration::days(reach);
        let world = World::new(Config { subscribed: true, reach, ..Config::default() }).await;
        let (start, hours) = days(age);
        let (start, end) = (ago(start), ago(start - hours * 60));
        let form = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
        let window = format!("startTime={}&endTime={}", start.format(form).unwrap(), end.format(form).unwrap());
        let listing = format!("subscriptions/content?contentType=Audit.General&{window}");
        let answer = world.feed(Method::GET, &listing).send().await.unwrap();
        assert_eq!(answer.status(), status, "{age} days with a reach of {reach}");
    }
}

#[tokio::test]
async fn a_content_that_is_lost_is_listed_and_leaves_the_ledger() {
    let world = World::subscribed().await;
    let lost = world.simulator.publish(ContentType::General, ago(9), 3, 1);
    let twice = world.simulator.publish(ContentType::General, ago(8), 2, 1);
    world.simulator.list_again(&twice.id, None, ago(7), false).unwrap();
    assert_eq!(world.simulator.report().published, 5);
    for content in [&lost, &twice] {
        assert!(world.simulator.lose(&content.id, "AF20051"));
    }
    assert!(!world.simulator.lose("none", "AF20051"));
    assert_eq!(world.simulator.report().published, 2, "another content serves them");
    assert_eq!(world.listed("Audit.General").await.0.len(), 3);
    let retrieved = world.feed(Method::GET, &format!("audit/{}", lost.id)).send().await.unwrap();
    assert_eq!(af_code(retrieved).await, "AF20051");
}

#[tokio::test]
async fn a_subscription_can_end_behind_the_clients_back() {
    let world = World::subscribed().await;
    assert!(world.simulator.stop_subscription(ContentType::General));
    assert!(!world.simulator.stop_subscription(ContentType::General));
    assert_eq!(af_code(world.listing("Audit.General", 1).send().await.unwrap()).await, "AF20022");
    assert_eq!(world.listing("Audit.Exchange", 1).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn tokens_and_tenants_must_fit() {
    let world = World::subscribed().await;
    let list = "subscriptions/list";
    assert_eq!(world.feed(Method::GET, list).send().await.unwrap().status(), 200);
    let base = world.simulator.base();
    let own = format!("{base}/api/v1.0/{}/activity/feed/{list}", world.simulator.tenant().id);
    assert_eq!(world.http.get(&own).send().await.unwrap().status(), 401);
    assert_eq!(world.http.get(&own).bearer_auth(&world.monitor_token).send().await.unwrap().status(), 401);
    let of = async |tenant: &str| {
        af_code(world.get(&format!("{base}/api/v1.0/{tenant}/activity/feed/{list}")).send().await.unwrap()).await
    };
    assert_eq!(of("fabrikam").await, "AF20013");
    assert_eq!(of("00000000-0000-4000-8000-000000000000").await, "AF20010");
    world.simulator.revoke_tokens();
    assert_eq!(world.feed(Method::GET, list).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_quota_answers_as_the_service_does() {
    let world = World::new(Config { subscribed: true, feed_calls_per_minute: Some(2), ..Config::default() }).await;
    let list = || world.feed(Method::GET, "subscriptions/list").send();
    assert_eq!(list().await.unwrap().status(), 200);
    assert_eq!(list().await.unwrap().status(), 200);
    let refused = list().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("'AF429'"));
    assert_eq!(world.simulator.requests().busiest_minute, 3);
}

#[tokio::test]
async fn a_history_is_listed_day_by_day_and_the_ledger_knows_it() {
    let world = World::subscribed().await;
    let history = History { days: 1.0, records: 600, label_share: 0.2, records_per_content: 50, delivered_again: 0.5 };
    let published = world.simulator.publish_history(&history);
    let (mut records, mut deliveries) = (0, 0);
    for content_type in ["Audit.General", "Audit.SharePoint", "Audit.Exchange"] {
        let (contents, _) = world.listed(content_type).await;
        deliveries += contents.len();
        for content in contents {
            let body: Value = json(world.get(content["contentUri"].as_str().unwrap()).send().await.unwrap()).await;
            records += body.as_array().unwrap().len();
        }
    }
    let report = world.simulator.report();
    assert_eq!(published.records, 600);
    assert_eq!((report.published, published.label_events), (120, 120));
    assert!(deliveries > published.contents.len(), "some were delivered again");
    assert_eq!(report.totals.published_records, records as u64);
    assert_eq!(report.totals.published_contents, deliveries as u64);
}

#[tokio::test]
async fn bodies_are_served_as_they_were_published() {
    let world = World::subscribed().await;
    let broken = b"[{\"Id\":\"a\"},{\xff";
    let content = world.simulator.publish_body(ContentType::General, ago(10), &broken[..], &["a", "b"]);
    let record = b"{\"Id\":\"c\",\"RecordType\":43,\"UserId\":\"\xff\"}".to_vec();
    world.simulator.publish_records(ContentType::General, ago(9), [record.clone()]);
    let uris: Vec<String> = world
        .listed("Audit.General")
        .await
        .0
        .iter()
        .map(|entry| entry["contentUri"].as_str().unwrap().to_owned())
        .collect();
    assert!(uris[0].ends_with(&content.id));
    let body = async |uri: &str| world.get(uri).send().await.unwrap().bytes().await.unwrap().to_vec();
    assert_eq!(body(&uris[0]).await, broken);
    assert_eq!(body(&uris[1]).await, [b"[", record.as_slice(), b"]"].concat());
    assert_eq!(world.simulator.report().missing_ids, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_content_listed_again_under_its_old_id_has_no_more_records_without_an_id() {
    let world = World::subscribed().await;
    let records = [json!({"RecordType": 43}), json!({"RecordType": 43, "Id": "a"})];
    let content = world.simulator.publish_records(ContentType::General, ago(10), records);
    world.simulator.list_again(&content.id, None, ago(5), true).unwrap();
    assert_eq!(world.simulator.report().totals.published_without_id, 1);
    world.simulator.list_again(&content.id, None, ago(4), false).unwrap();
    assert_eq!(world.simulator.report().totals.published_without_id, 2);
}

#[tokio::test]
async fn held_contents_are_those_that_are_rendered_on_demand() {
    let created = ago(30);
    let mut bodies = Vec::new();
    for hold_contents in [false, true] {
        let world = World::new(Config { subscribed: true, hold_contents, ..Config::default() }).await;
        let content = world.simulator.publish(ContentType::General, created, 20, 30);
        let path = format!("audit/{}", content.id);
        let plain = world.feed(Method::GET, &path).header("Accept-Encoding", "identity").send().await.unwrap();
        let plain = plain.bytes().await.unwrap();
        let unzipped = world.feed(Method::GET, &path).send().await.unwrap();
        assert_eq!(unzipped.bytes().await.unwrap(), plain);
        let mut written = Vec::new();
        world.simulator.write_contents(&mut written).unwrap();
        assert_eq!(written, [plain.as_ref(), b"\n"].concat());
        assert!(world.simulator.lose(&content.id, "AF20051"));
        assert_eq!(world.simulator.report().missing, 0, "its label events leave the ledger");
        bodies.push(plain);
    }
    assert_eq!(bodies[0], bodies[1]);
}
