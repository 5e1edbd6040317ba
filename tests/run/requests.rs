//! What runs cost in requests that have nothing to deliver.

use labelstream_simulator::{Config, ContentType, Endpoint};
use time::Duration;

use crate::{
    azurite::{Azurite, KEY, connection_string},
    front::Front,
    host::Host,
    listings::turn_back,
    world::{World, minutes_ago, tick},
};

/// Ticks a day at the schedule of the sample settings, every five minutes.
const TICKS_A_DAY: u64 = 24 * 12;

/// Contents in seven days: so many that the first run just keeps below the feed's limit of a minute, which it would wait
/// for.
const CONTENTS: u32 = 1_800;

/// Requests to the feed so far: listings, contents, subscriptions.
fn requests(world: &World) -> u64 {
    world
        .simulator
        .requests()
        .by_endpoint
        .iter()
        .filter(|(endpoint, _)| endpoint.is_feed())
        .map(|(_, count)| count)
        .sum()
}

/// What a tick costs that has nothing to deliver.
async fn idle(world: &World, host: Host) -> (Host, u64) {
    let before = requests(world);
    let (host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    (host, requests(world) - before)
}

/// Run with `--nocapture` for the figures.
#[tokio::test(flavor = "multi_thread")]
async fn the_looks_back_cost_listings_alone_and_few_of_them() {
    // The service names no page size; a hundred is what the simulator has.
    let world = World::new(Config { page_size: 100, ..Config::default() }).await;
    for number in 0..CONTENTS {
        let content_type = ContentType::WITH_LABELS[number as usize % 3];
        let age = 7.0 * 24.0 * 60.0 - 15.0;
        let created = minutes_ago(age - (age - 3.0) * f64::from(number) / f64::from(CONTENTS));
        world.simulator.publish(content_type, created, u32::from(number % 10 == 0), 1);
    }
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    let first = requests(&world);

    let (host, tick_alone) = idle(&world, host).await;
    turn_back(&world, |watermark| watermark.looked_day_back = Some(minutes_ago(61.0))).await;
    let (host, with_day) = idle(&world, host).await;
    turn_back(&world, |watermark| watermark.looked_week_back = Some(minutes_ago(24.0 * 60.0 + 1.0))).await;
    let (host, with_week) = idle(&world, host).await;
    // The list of subscriptions is asked for once an hour besides.
    let a_day = (TICKS_A_DAY - 24) * tick_alone + 23 * with_day + with_week + 24;
    println!(
        "3 content types, {CONTENTS} contents in 7 days, 100 a page: the first run {first} requests, an idle tick \
         {tick_alone}, with the look back of a day {with_day}, of a week {with_week}; {a_day} a day, {:.1} a minute",
        a_day as f64 / 1440.0
    );
    let types = ContentType::WITH_LABELS.len() as u64;
    assert_eq!(tick_alone, types, "one window");
    assert_eq!(with_day, types * 2, "and one of 23 hours");
    assert!(with_week <= types * (1 + 8), "and the seven days, window by window: {with_week}");
    assert!(a_day < 1_200, "{a_day}");
    let gone_on = world.simulator.requests();
    assert_eq!(gone_on.retrieved_again, Default::default(), "no content is fetched twice");
    assert_eq!(gone_on.by_endpoint[&Endpoint::Retrieve], u64::from(CONTENTS));

    // Time passes, and nothing is looked for twice.
    let (_host, tick_alone) = idle(&world, host).await;
    assert_eq!(tick_alone, types, "the looks were noted; {} later they are due again", Duration::HOUR);
}

/// The requests of an idle tick to the feed and to the storage, and how many of them the time that it took may add: a lock
/// is renewed, and a document saved, every five seconds.
async fn idle_tick(content_types: &str) -> (u64, Vec<String>, u64) {
    let mut world = World::new(Config::default()).await;
    world.set("CONTENT_TYPES", content_types);
    let front = Front::before(Azurite::shared().port()).await;
    world.set("AzureWebJobsStorage", &connection_string(front.port(), KEY));
    for content_type in ContentType::WITH_LABELS {
        if content_types.contains(content_type.as_str()) {
            world.simulator.publish(content_type, minutes_ago(5.0), 2, 1);
        }
    }
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    front.take_seen();
    let began = std::time::Instant::now();
    let (_host, to_feed) = idle(&world, host).await;
    (to_feed, front.take_seen(), began.elapsed().as_secs() / 5 * 2)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_tick_of_one_content_type_asks_eight_times() {
    let (to_feed, to_storage, by_time) = idle_tick("Audit.SharePoint").await;
    assert_eq!(to_feed, 1);
    let all = to_feed + to_storage.len() as u64;
    assert!(all <= 8 + by_time, "{to_storage:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_type_adds_two_requests() {
    let (to_feed, to_storage, by_time) = idle_tick("Audit.General,Audit.SharePoint,Audit.Exchange").await;
    assert_eq!(to_feed, 3);
    let all = to_feed + to_storage.len() as u64;
    assert!(all <= 8 + 2 * 2 + by_time, "{to_storage:#?}");
}
