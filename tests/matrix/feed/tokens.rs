//! Tokens that run out, are revoked, or are not to be had.

use std::time::Duration;

use labelstream_simulator::{Config, Effect, Endpoint, When};

use super::{answers, error, missing, publish_an_hour, publish_since, requests, strike};
use crate::{case::Case, scene::Scene};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "the identity endpoint hangs", 50, |scene| Box::pin(identity_hangs(scene))),
        Case::new("feed", "the identity endpoint fails", 51, |scene| Box::pin(identity_fails(scene))),
        Case::new("feed", "the identity endpoint is slow", 52, |scene| Box::pin(identity_is_slow(scene))),
        Case::new("feed", "the token is revoked while contents are fetched", 53, |scene| {
            Box::pin(revoked(scene, Endpoint::Retrieve, When::Nth(7)))
        }),
        Case::new("feed", "the token is revoked while a page is listed", 54, |scene| {
            Box::pin(revoked(scene, Endpoint::List, When::Nth(24)))
        }),
        Case::new("feed", "tokens expire in the middle of a run", 55, |scene| Box::pin(expire(scene))),
        Case::new("feed", "401 for every listing", 56, |scene| Box::pin(refused_for_listings(scene))),
        Case::new("feed", "401 for every content", 57, |scene| Box::pin(refused_for_contents(scene))),
        Case::new("feed", "the token is revoked and no other is to be had", 58, |scene| {
            Box::pin(revoked_and_none_other(scene))
        }),
    ]
}

async fn revoked(mut scene: Scene, on: Endpoint, when: When) -> Scene {
    publish_an_hour(&mut scene);
    strike(&scene, on, when, Effect::RevokeTokens);
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    assert!(answers(&scene, on, 401) > 0);
    scene
}

/// Two seconds are less than the run takes, and less than the while for which a token is used at the least.
async fn expire(scene: Scene) -> Scene {
    let token_lifetime = Duration::from_secs(2);
    let seed = scene.seed;
    let mut scene = Scene::with(Config { seed, page_size: 5, token_lifetime, ..Config::default() }).await;
    publish_since(&mut scene, 58.0, 50..60);
    strike(&scene, Endpoint::Retrieve, When::Always, Effect::Delay(600));
    scene.tick_answering(200).await;
    assert!(answers(&scene, Endpoint::Retrieve, 401) > 0, "{:?}", scene.world.simulator.requests());
    scene
}

async fn refused_for_listings(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    strike(&scene, Endpoint::List, When::Always, Effect::status(401));
    let said = error(&scene.tick().await);
    assert!(said.contains("the feed refuses the token (HTTP 401") && said.contains("M365_CLOUD"), "{said}");
    assert_eq!(requests(&scene, Endpoint::List), 3 * 2, "one new token for each content type, and no loop");
    scene
}

async fn refused_for_contents(mut scene: Scene) -> Scene {
    let contents = publish_an_hour(&mut scene).len() as u64;
    strike(&scene, Endpoint::Retrieve, When::Always, Effect::status(401));
    let said = error(&scene.tick().await);
    assert_eq!(said.matches("the feed refuses the token").count(), 3, "{said}");
    assert!(requests(&scene, Endpoint::Retrieve) <= 2 * contents, "one new token for each, and no loop");
    scene
}

async fn revoked_and_none_other(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    scene.tick_answering(200).await;
    let before = scene.world.simulator.report().arrived;
    publish_an_hour(&mut scene);
    strike(&scene, Endpoint::Retrieve, When::Nth(4), Effect::RevokeTokens);
    strike(&scene, Endpoint::ManagedIdentity, When::Always, Effect::status(500));
    let said = error(&scene.tick().await);
    assert!(said.contains("no token for"), "{said}");
    assert!(scene.world.simulator.report().arrived < before * 2, "it was revoked in the middle");
    scene
}

async fn identity_fails(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    strike(&scene, Endpoint::ManagedIdentity, When::Always, Effect::status(500));
    let said = error(&scene.tick().await);
    assert!(said.contains("no token for https://manage.office.com"), "{said}");
    assert_eq!(requests(&scene, Endpoint::List) + requests(&scene, Endpoint::Retrieve), 0, "nothing goes out without");
    scene
}

async fn identity_hangs(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    strike(&scene, Endpoint::ManagedIdentity, When::Always, Effect::Delay(600_000));
    let said = error(&scene.tick().await);
    assert!(said.contains("no token for") && said.contains("no answer within 30 seconds"), "{said}");
    scene
}

async fn identity_is_slow(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    strike(&scene, Endpoint::ManagedIdentity, When::Always, Effect::Delay(4_000));
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    scene
}
