//! Subscriptions that end, by whomever.

use labelstream_simulator::{Config, ContentType, Effect, Endpoint, When};
use time::Duration;

use super::{error, listing_of, missing, publish_an_hour, requests, strike_at, turn_back};
use crate::{case::Case, scene::Scene};

const DROPPED: ContentType = ContentType::SharePoint;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "a subscription is dropped between two runs (AF20022)", 110, |scene| {
            Box::pin(dropped(scene))
        }),
        Case::new("feed", "a subscription is dropped in the middle of its pages (AF20022)", 111, |scene| {
            Box::pin(in_the_middle(scene, "AF20022"))
        }),
        Case::new("feed", "a subscription is disabled in the middle of its pages (AF20023)", 112, |scene| {
            Box::pin(in_the_middle(scene, "AF20023"))
        }),
        Case::new("feed", "a subscription stays disabled until an administrator enables it (AF20023)", 113, |scene| {
            Box::pin(disabled(scene))
        }),
        Case::new("feed", "a subscription is dropped a moment after its start (AF20022)", 114, |scene| {
            Box::pin(dropped_at_once(scene))
        }),
    ]
}

/// A tenant whose subscriptions somebody started long ago.
async fn subscribed(scene: &Scene) -> Scene {
    Scene::with(Config { seed: scene.seed, page_size: 5, subscribed: true, ..Config::default() }).await
}

async fn dropped(scene: Scene) -> Scene {
    let mut scene = subscribed(&scene).await;
    publish_an_hour(&mut scene);
    scene.tick_answering(200).await;
    assert_eq!(requests(&scene, Endpoint::Start), 0);
    assert!(scene.world.simulator.stop_subscription(DROPPED));
    publish_an_hour(&mut scene);
    scene.tick_answering(200).await;
    assert_eq!((missing(&scene), requests(&scene, Endpoint::Start)), (0, 1), "it is started and listed at once");
    scene.struck += 1;
    scene
}

async fn in_the_middle(scene: Scene, code: &str) -> Scene {
    let mut scene = subscribed(&scene).await;
    publish_an_hour(&mut scene);
    // The first page of the last window is number 7.
    strike_at(&scene, Endpoint::List, &listing_of(DROPPED), When::Nth(8), Effect::af(code));
    scene.tick_answering(200).await;
    assert_eq!((missing(&scene), requests(&scene, Endpoint::Start)), (0, 1));
    scene
}

async fn disabled(scene: Scene) -> Scene {
    let mut scene = subscribed(&scene).await;
    strike_at(&scene, Endpoint::List, &listing_of(DROPPED), When::Always, Effect::af("AF20023"));
    strike_at(&scene, Endpoint::Start, "", When::Always, Effect::af("AF20023"));
    for run in 1..=3 {
        let published = publish_an_hour(&mut scene);
        let before = requests(&scene, Endpoint::Retrieve);
        let said = error(&scene.tick().await);
        assert!(said.starts_with("Audit.SharePoint: "), "{said}");
        assert!(said.contains("the subscription is disabled") && said.contains("administrator"), "{said}");
        let others = published.iter().filter(|content| content.content_type != DROPPED).count() as u64;
        assert_eq!(requests(&scene, Endpoint::Retrieve) - before, others, "run {run}: the other two arrive");
        assert_eq!(requests(&scene, Endpoint::Start), 1, "run {run}: no second start within 15 minutes");
    }
    scene
}

async fn dropped_at_once(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    scene.tick_answering(200).await;
    assert_eq!(requests(&scene, Endpoint::Start), 3);
    assert!(scene.world.simulator.stop_subscription(DROPPED));
    publish_an_hour(&mut scene);
    // For an hour after a start the feed may not know of it yet: no failure.
    scene.tick_answering(200).await;
    assert!(missing(&scene) > 0);
    assert_eq!(requests(&scene, Endpoint::Start), 3, "no second start within 15 minutes");
    let earlier = |at: Option<time::OffsetDateTime>| at.map(|at| at - Duration::minutes(16));
    turn_back(&scene, |watermark| watermark.start_tried = earlier(watermark.start_tried)).await;
    scene.tick_answering(200).await;
    assert_eq!((missing(&scene), requests(&scene, Endpoint::Start)), (0, 4));
    scene.struck += 1;
    scene
}
