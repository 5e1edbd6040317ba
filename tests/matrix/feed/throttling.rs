//! The feed asks for fewer requests.

use labelstream_simulator::{Answer, Config, Effect, Endpoint, RetryAfter, When};

use super::{answers, missing, publish_an_hour, publish_since, requests, strike};
use crate::{case::Case, scene::Scene};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "429 with Retry-After in seconds", 1, |scene| Box::pin(in_seconds(scene))),
        Case::new("feed", "429 with Retry-After as HTTP date", 2, |scene| Box::pin(as_date(scene))),
        Case::new("feed", "429 without Retry-After", 3, |scene| Box::pin(without(scene))),
        Case::new("feed", "AF429 as HTTP 403, in single quotes", 4, |scene| Box::pin(in_single_quotes(scene))),
        Case::new("feed", "throttled for longer than a run has", 5, |scene| Box::pin(beyond_the_budget(scene))),
        Case::new("feed", "the tenant's requests of a minute are used up", 6, |scene| Box::pin(quota(scene))),
    ]
}

async fn in_seconds(scene: Scene) -> Scene {
    throttled(scene, [When::Every(6), When::Every(7)], Effect::throttled(RetryAfter::Seconds(1))).await
}

async fn as_date(scene: Scene) -> Scene {
    throttled(scene, [When::Nth(2), When::Every(9)], Effect::throttled(RetryAfter::DateIn(2))).await
}

async fn without(scene: Scene) -> Scene {
    let effect = Effect::Answer(Answer { status: 429, ..Answer::default() });
    throttled(scene, [When::Nth(4), When::Nth(6)], effect).await
}

async fn in_single_quotes(scene: Scene) -> Scene {
    let retry_after = Some(RetryAfter::Seconds(1));
    strike(&scene, Endpoint::Retrieve, When::Every(8), Effect::Af { code: "AF429".to_owned(), retry_after });
    throttled(scene, [When::Nth(3), When::Nth(5)], Effect::af("AF429")).await
}

/// Throttled at times, among the listings and among the contents: the run waits, asks each of them once more, and ends
/// with all delivered.
async fn throttled(mut scene: Scene, [listings, contents]: [When; 2], effect: Effect) -> Scene {
    let published = publish_an_hour(&mut scene).len() as u64;
    strike(&scene, Endpoint::List, listings, effect.clone());
    strike(&scene, Endpoint::Retrieve, contents, effect);
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0, "the run had the time to wait");
    let refused = answers(&scene, Endpoint::Retrieve, 429) + answers(&scene, Endpoint::Retrieve, 403);
    assert!(refused > 0 && answers(&scene, Endpoint::List, 429) + answers(&scene, Endpoint::List, 403) > 0);
    assert_eq!(requests(&scene, Endpoint::Retrieve), published + refused, "each is asked for once more");
    scene
}

async fn beyond_the_budget(mut scene: Scene) -> Scene {
    scene.world.set("RUN_BUDGET_SECONDS", "10");
    publish_since(&mut scene, 58.0, 14..18);
    strike(&scene, Endpoint::Retrieve, When::Nth(20), Effect::throttled(RetryAfter::Seconds(15)));
    let answered = scene.tick_answering(200).await;
    let left = missing(&scene);
    assert!(left > 0 && answered.logs().concat().contains(" unfinished"), "{answered:?}");
    assert!(scene.world.simulator.report().arrived > 0, "what came before the pause is delivered: {answered:?}");
    scene
}

/// Another reader has used up what the tenant has: the feed refuses whatever comes until the minute is over.
async fn quota(scene: Scene) -> Scene {
    let seed = scene.seed;
    let mut scene =
        Scene::with(Config { seed, page_size: 5, feed_calls_per_minute: Some(150), ..Config::default() }).await;
    publish_since(&mut scene, 58.0, 45..50);
    scene.tick_answering(200).await;
    let refused = answers(&scene, Endpoint::Retrieve, 403) + answers(&scene, Endpoint::List, 403);
    assert!(refused > 0, "{:?}", scene.world.simulator.requests());
    scene.struck += refused;
    scene
}
