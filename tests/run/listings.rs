//! What a run makes of the feed's listings: entries that cannot be read, windows that are refused, contents that are
//! listed late, and subscriptions that are not ready.

use std::time::{Duration, Instant};

use labelstream::{
    content::ContentType as Kind,
    dead_letter::{self, DeadLetter},
    state::{Expect, Store as _},
    watermark::{Document, Watermark},
};
use labelstream_simulator::{Answer, Config, ContentType, Effect, Endpoint, Fault, RetryAfter, When};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    host::{Answered, Host},
    world::{World, minutes_ago, tick},
};

const GENERAL: &str = "contentType=Audit.General";

/// A page in place of the feed's own.
fn page(entries: &Value) -> Effect {
    Effect::Answer(Answer { status: 200, body: entries.to_string(), ..Answer::default() })
}

fn strike(world: &World, when: When, effect: Effect) {
    world.simulator.fault(Fault::new(Endpoint::List, when, effect).matching(GENERAL)).unwrap();
}

fn entry(world: &World, id: &str, created: &str) -> Value {
    let (base, tenant) = (world.simulator.base(), &world.simulator.tenant().id);
    let uri = format!("{base}/api/v1.0/{tenant}/activity/feed/audit/{id}");
    json!({"contentType": "Audit.General", "contentId": id, "contentUri": uri, "contentCreated": created})
}

fn document_key(world: &World) -> String {
    format!("{}/watermark.json", world.simulator.tenant().id)
}

async fn document(world: &World) -> Document {
    let (body, _) = world.store().get(&document_key(world)).await.unwrap().unwrap();
    Document::parse(&body).unwrap()
}

/// Changes the watermarks that are stored; makes those that are missing.
pub async fn turn_back(world: &World, change: impl Fn(&mut Watermark)) {
    let store = world.store();
    let stored = store.get(&document_key(world)).await.unwrap();
    let mut document = stored.map_or_else(Document::default, |(body, _)| Document::parse(&body).unwrap());
    for kind in [Kind::General, Kind::SharePoint, Kind::Exchange] {
        let watermark = document.content_types.entry(kind).or_insert_with(|| Watermark::starting_at(minutes_ago(5.0)));
        change(watermark);
    }
    let body = document.to_json().unwrap();
    store.put(&document_key(world), body.into(), &Expect::Any).await.unwrap();
}

fn listings(world: &World) -> u64 {
    world.simulator.requests().by_endpoint[&Endpoint::List]
}

fn wrote(host: &Host, text: &str) -> bool {
    host.lines().iter().any(|(_, line)| line.contains(text))
}

/// Waits until the process has written a line with `text`: its lines are read beside the answer.
async fn line(host: &Host, text: &str) {
    let begun = Instant::now();
    while !wrote(host, text) {
        assert!(begun.elapsed() < Duration::from_secs(20), "no line with {text:?}: {:?}", host.lines());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Why a run failed, as it was answered.
fn error(answered: &Answered) -> String {
    assert_eq!(answered.status, 500, "{answered:?}");
    answered.body["error"].as_str().unwrap().to_owned()
}

/// A run with the input that an operator gave in the portal.
async fn ask(host: Host, input: Value) -> (Host, Answered) {
    let metadata = json!({ "timer": serde_json::to_string(&input.to_string()).unwrap() });
    let body = json!({ "Data": { "timer": { "IsPastDue": false } }, "Metadata": metadata }).to_string();
    let head = "POST /TimerPull HTTP/1.1\r\nHost: h\r\nContent-Type: application/json";
    let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    tokio::task::spawn_blocking(move || {
        let answered = host.send(request.as_bytes());
        (host, answered)
    })
    .await
    .unwrap()
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_whose_time_cannot_be_read_is_delivered() {
    let world = World::with_small_pages().await;
    let content = world.simulator.publish(ContentType::General, minutes_ago(200.0), 5, 0);
    strike(&world, When::Always, page(&json!([entry(&world, &content.id, "11/22/2026 19:00:00")])));
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    line(&host, "contentCreated is no time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_names_no_content_is_kept_and_told_once() {
    let world = World::with_small_pages().await;
    let content = world.simulator.publish(ContentType::General, minutes_ago(200.0), 5, 0);
    let nameless = json!({"contentType": "Audit.General", "contentCreated": "2026-11-22T19:00:00.000Z"});
    let good = entry(&world, &content.id, &rfc3339(content.created));
    strike(&world, When::Always, page(&json!([nameless, good])));
    let (host, answered) = tick(world.start().await).await;
    assert!(error(&answered).contains("Audit.General: 1 entries of the listing name no content"), "{answered:?}");
    world.assert_delivered();
    let letters = world.store().list(&dead_letter::prefix(&world.simulator.tenant().id)).await.unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    let (letter, _) = world.store().get(&letters[0].key).await.unwrap().unwrap();
    let letter: DeadLetter = serde_json::from_slice(&letter).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&letter.body.unwrap()).unwrap(), nameless);
    // It is listed again for a week, and alone on its page some day: it was told.
    world.simulator.clear_faults();
    strike(&world, When::Always, page(&json!([nameless])));
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_names_no_content_and_is_alone_on_its_page_holds_nothing_up() {
    let world = World::with_small_pages().await;
    strike(&world, When::Always, page(&json!([{"contentType": "Audit.General", "contentId": ""}])));
    let (host, answered) = tick(world.start().await).await;
    assert!(error(&answered).contains("Audit.General: 1 entries of the listing name no content"), "{answered:?}");
    let letters = world.store().list(&dead_letter::prefix(&world.simulator.tenant().id)).await.unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    let stored = document(&world).await;
    assert!(stored.content_types[&Kind::General].listed_through > minutes_ago(60.0), "{stored:?}");
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_which_nothing_can_be_read_is_given_up_in_the_end_where_others_can_be() {
    let world = World::with_small_pages().await;
    world.simulator.publish(ContentType::General, minutes_ago(30.0), 5, 0);
    // In each run, the listing of the oldest window.
    let oldest = (minutes_ago(7.0 * 24.0 * 60.0 - 30.0).date()).to_string();
    let fault = Fault::new(Endpoint::List, When::Always, page(&json!([{"id": "a"}, {"id": "b"}])));
    world.simulator.fault(fault.matching(format!("{GENERAL}&startTime={oldest}"))).unwrap();
    let mut host = world.start().await;
    for run in 1..=8 {
        let (same, answered) = tick(host).await;
        host = same;
        assert!(error(&answered).contains("none of the 2 entries"), "run {run}: {answered:?}");
        assert_eq!(world.simulator.report().missing, 0, "run {run}: what other windows list arrives");
    }
    let (host, answered) = tick(host).await;
    assert!(error(&answered).contains("Audit.General: 2 entries of the listing name no content"), "{answered:?}");
    let stored = document(&world).await;
    assert!(stored.content_types[&Kind::General].listed_through > minutes_ago(60.0), "{stored:?}");
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_which_nothing_can_be_read_holds_the_watermark_and_nothing_else() {
    let world = World::with_small_pages().await;
    world.simulator.publish(ContentType::General, minutes_ago(6.9 * 24.0 * 60.0), 5, 0);
    world.simulator.publish(ContentType::General, minutes_ago(30.0), 5, 0);
    strike(&world, When::First(1), page(&json!([{"id": "a"}, {"id": "b"}])));
    let (host, answered) = tick(world.start().await).await;
    assert!(error(&answered).contains("Audit.General: none of the 2 entries"), "{answered:?}");
    assert_eq!(world.simulator.report().missing, 5, "what other windows list arrives");
    let stored = document(&world).await;
    assert!(stored.content_types[&Kind::General].listed_through < minutes_ago(6.5 * 24.0 * 60.0), "{stored:?}");
    assert!(stored.content_types[&Kind::Exchange].listed_through > minutes_ago(60.0), "{stored:?}");
    world.simulator.clear_faults();
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_is_refused_for_no_reason_loses_nothing() {
    for code in ["AF20030", "AF20031", "AF20055"] {
        let world = World::new(Config::default()).await;
        for number in 0..1_000 {
            world.simulator.publish(ContentType::General, minutes_ago(10.0 * f64::from(number) + 3.0), 1, 0);
        }
        // The third window of the week, in the midst of what the feed serves.
        strike(&world, When::Nth(3), Effect::af(code));
        let (_host, answered) = tick(world.start().await).await;
        assert_eq!(answered.status, 200, "{code}: {answered:?}");
        world.assert_delivered();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_name_each_other_fail_the_content_type() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(2);
    let (base, tenant) = (world.simulator.base(), &world.simulator.tenant().id);
    let address = format!("{base}/api/v1.0/{tenant}/activity/feed/subscriptions/content?{GENERAL}&nextPage=");
    let naming = |next: &str| {
        let headers = vec![("NextPageUri".to_owned(), format!("{address}{next}"))];
        Effect::Answer(Answer { status: 200, headers, body: "[]".to_owned(), ..Answer::default() })
    };
    strike(&world, When::Nth(1), naming("a"));
    for (page, next) in [("a", "b"), ("b", "a")] {
        let on = Fault::new(Endpoint::List, When::Always, naming(next)).matching(format!("nextPage={page}"));
        world.simulator.fault(on).unwrap();
    }
    let (host, answered) = tick(world.start().await).await;
    assert!(error(&answered).contains("name each other as the next one without end"), "{answered:?}");
    assert_eq!(world.simulator.report().missing, 2 * 4, "the other two arrived");
    world.simulator.clear_faults();
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_back_fill_after_a_start_is_delivered() {
    let world = World::with_small_pages().await;
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    for hours in 1..=22 {
        world.simulator.publish(ContentType::General, minutes_ago(f64::from(hours) * 60.0 - 5.0), 2, 0);
    }
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_late_is_found_by_a_deeper_look_and_an_idle_tick_stays_cheap() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(1);
    let (host, _) = tick(world.start().await).await;
    world.assert_delivered();
    let before = listings(&world);
    let (host, _) = tick(host).await;
    assert_eq!(listings(&world) - before, 3, "one window for each content type");

    let hours = time::Duration::hours;
    for (age, look) in [(20.0, 1), (140.0, 24)] {
        world.simulator.publish(ContentType::General, minutes_ago(age * 60.0), 3, 0);
        turn_back(&world, |watermark| {
            let earlier = |at: Option<OffsetDateTime>| Some(at.expect("a look was noted") - hours(look));
            watermark.looked_day_back = earlier(watermark.looked_day_back);
            watermark.looked_week_back = earlier(watermark.looked_week_back);
        })
        .await;
    }
    // The first of them is due after an hour, the second after a day; both are set back by now.
    let (host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    assert_eq!(world.simulator.requests().retrieved_again, Default::default(), "no content is fetched twice");
    let before = listings(&world);
    tick(host).await;
    assert_eq!(listings(&world) - before, 3, "the looks were noted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_back_stays_within_the_first_lookback() {
    let mut world = World::with_small_pages().await;
    world.set("INITIAL_LOOKBACK_HOURS", "2");
    world.simulator.publish(ContentType::General, minutes_ago(150.0), 3, 0);
    let mut host = world.start().await;
    for _ in 0..2 {
        let (same, answered) = tick(host).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        host = same;
    }
    assert_eq!(world.simulator.report().arrived, 0, "it was published before what was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_the_subscriptions_that_is_throttled_holds_nothing_up() {
    let mut world = World::with_small_pages().await;
    world.set("RUN_BUDGET_SECONDS", "10");
    world.publish_an_hour(2);
    let throttled = Effect::Af { code: "AF429".to_owned(), retry_after: Some(RetryAfter::Seconds(600)) };
    world.simulator.fault(Fault::new(Endpoint::Subscriptions, When::Always, throttled)).unwrap();
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "not done is not failed: {answered:?}");
    assert_eq!(document(&world).await.subscriptions_checked, None, "it is looked at again");
    // The pause that the feed asked for is remembered by this process; a new one asks anew.
    drop(host);
    world.simulator.clear_faults();
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    assert!(document(&world).await.subscriptions_checked.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_hangs_holds_nothing_up() {
    let mut world = World::with_small_pages().await;
    world.set("RUN_BUDGET_SECONDS", "10");
    world.publish_an_hour(2);
    world.simulator.fault(Fault::new(Endpoint::Start, When::Always, Effect::DelayAnswer(60_000))).unwrap();
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "not done is not failed: {answered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_was_just_started_is_waited_for() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(2);
    strike(&world, When::Always, Effect::af("AF20022"));
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    line(&host, "not ready yet").await;
    let stored = document(&world).await;
    assert!(stored.content_types[&Kind::General].listed_through < minutes_ago(6.0 * 24.0 * 60.0), "{stored:?}");
    // An hour later it is a failure.
    turn_back(&world, |watermark| watermark.started = watermark.started.map(|at| at - time::Duration::minutes(61)))
        .await;
    let (host, answered) = tick(host).await;
    assert_eq!(answered.status, 500, "{answered:?}");
    world.simulator.clear_faults();
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_is_told_from_the_watermark_on_and_not_of_a_new_tenant() {
    let world = World::with_small_pages().await;
    // The edge of the feed's reach moves on between the start of the run and its first listing.
    world.simulator.fault(Fault::new(Endpoint::Subscriptions, When::Always, Effect::Delay(1_500))).unwrap();
    let (host, _) = tick(world.start().await).await;
    // The last line of a run comes after all others.
    line(&host, "Audit.Exchange: listed through").await;
    assert!(!wrote(&host, "is lost"), "{:?}", host.lines());
    // 7 days less 5 minutes are listed.
    turn_back(&world, |watermark| watermark.listed_through = minutes_ago((8.0 * 24.0 + 1.0) * 60.0)).await;
    let (host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    line(&host, "in the 25 h 5 min after the watermark").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_without_a_beginning_begins_where_the_feed_does() {
    let world = World::with_small_pages().await;
    world.simulator.publish(ContentType::General, minutes_ago(300.0), 5, 0);
    let (host, _) = tick(world.start().await).await;
    let (host, answered) = ask(host, json!({ "until": rfc3339(minutes_ago(120.0)) })).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    line(&host, "1 contents read").await;
    assert!(answered.logs()[0].starts_with("1 contents read"), "{answered:?}");
    assert!(!answered.logs().concat().contains("ask again"), "{answered:?}");
    assert!(!wrote(&host, "the range begins there"), "{:?}", host.lines());
    let (host, _) = ask(host, json!({ "since": "2026-01-01" })).await;
    line(&host, "the range begins there").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_outlasts_the_budget_says_where_to_go_on() {
    let mut world = World::new(Config { latency: Duration::from_millis(300), ..Config::default() }).await;
    world.set("RUN_BUDGET_SECONDS", "10");
    for number in 0..1_200 {
        world.simulator.publish(ContentType::General, minutes_ago(470.0 - 0.375 * f64::from(number)), 1, 0);
    }
    let mut host = world.start().await;
    let mut since = rfc3339(minutes_ago(480.0));
    for run in 1.. {
        let (same, answered) = ask(host, json!({ "since": since })).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        host = same;
        let logs = answered.logs();
        let left = logs.iter().find_map(|line| line.strip_prefix("Audit.General: range listed through "));
        let Some(left) = left else {
            assert!(run > 1, "the budget was meant to be too short");
            break;
        };
        let (through, again) = left.split_once("; ask again with since = ").unwrap();
        assert_eq!(format!("{through}."), again);
        assert!(through > since.as_str(), "it must go on: {since}, {through}");
        since = through.to_owned();
    }
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_one_hour_of_which_outlasts_the_budget_goes_on_all_the_same() {
    let mut world = World::new(Config { latency: Duration::from_millis(300), ..Config::default() }).await;
    world.set("RUN_BUDGET_SECONDS", "10");
    let end = minutes_ago(60.0);
    for number in 0..1_200_i64 {
        world.simulator.publish(ContentType::General, end - time::Duration::milliseconds(2_500 * number), 1, 0);
    }
    let mut host = world.start().await;
    let mut since = rfc3339(end - time::Duration::minutes(58));
    for run in 1.. {
        let (same, answered) =
            ask(host, json!({ "since": since, "until": rfc3339(end + time::Duration::SECOND) })).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        host = same;
        let logs = answered.logs();
        let left = logs.iter().find_map(|line| line.strip_prefix("Audit.General: range listed through "));
        let Some(left) = left else {
            assert!(run > 1, "the budget was meant to be too short");
            break;
        };
        let through = left.split(';').next().unwrap();
        assert!(through > since.as_str() && run < 12, "it must go on: {since}, {through}");
        since = through.to_owned();
    }
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_which_nothing_fits_into_a_run_says_what_helps() {
    let mut world = World::with_small_pages().await;
    world.set("RUN_BUDGET_SECONDS", "10");
    let content = world.simulator.publish(ContentType::General, minutes_ago(60.0), 1, 0);
    strike(&world, When::Always, Effect::Delay(30_000));
    let (_host, answered) = ask(world.start().await, json!({ "since": rfc3339(content.created) })).await;
    let logs = answered.logs().concat();
    assert!(logs.contains("Audit.General: this run finished nothing of the range"), "{logs}");
    assert!(!logs.contains("Audit.Exchange: this run finished nothing"), "{logs}");
}
