//! The feed's clock and the connector's differ by ten minutes.

use labelstream_simulator::{Config, ContentType, Endpoint};
use time::Duration;

use super::{answers, letters, missing, turn_back};
use crate::{case::Case, scene::Scene};

const WEEK: Duration = Duration::days(7);

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "the connector's clock is ten minutes fast", 100, |scene| Box::pin(fast(scene))),
        Case::new("feed", "the connector's clock is ten minutes slow (AF20055)", 101, |scene| Box::pin(slow(scene))),
        Case::new("feed", "slow by ten minutes, and what has expired is listed (AF20051)", 102, |scene| {
            Box::pin(slow_and_expired(scene))
        }),
    ]
}

/// A tenant whose feed is so many minutes ahead, and lists as far back as `reach`.
async fn ahead_by(minutes: i64, reach: Duration, scene: &Scene) -> Scene {
    let clock_offset = Duration::minutes(minutes);
    Scene::with(Config { seed: scene.seed, page_size: 5, clock_offset, reach, ..Config::default() }).await
}

/// Publishes a content of each content type, so long before now by the feed's clock.
fn publish_ago(scene: &mut Scene, ago: Duration) {
    for content_type in ContentType::WITH_LABELS {
        let (created, labels) = (scene.world.simulator.now() - ago, scene.rng.u32(2..7));
        scene.world.simulator.publish(content_type, created, labels, 5);
    }
}

/// Windows end in the feed's future: what is published in them after they were listed must not be passed over.
async fn fast(scene: Scene) -> Scene {
    let mut scene = ahead_by(-10, WEEK, &scene).await;
    publish_ago(&mut scene, WEEK - Duration::minutes(20));
    for minutes in [5, 15, 40] {
        publish_ago(&mut scene, Duration::minutes(minutes));
    }
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    for _ in 0..3 {
        publish_ago(&mut scene, Duration::ZERO);
        assert!(missing(&scene) > 0);
        scene.tick_answering(200).await;
        assert_eq!(missing(&scene), 0, "listed in a window that had been listed before");
        scene.struck += 1;
    }
    scene
}

/// The first window begins before the feed's reach.
async fn slow(scene: Scene) -> Scene {
    let mut scene = ahead_by(10, WEEK, &scene).await;
    publish_ago(&mut scene, WEEK - Duration::minutes(12));
    for minutes in [13, 40, 24 * 60, 5 * 24 * 60] {
        publish_ago(&mut scene, Duration::minutes(minutes));
    }
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    let refused = answers(&scene, Endpoint::List, 400);
    assert_eq!(refused, 3, "the first window of each content type, once");
    scene.struck += refused;
    // The daily look back begins there too.
    turn_back(&scene, |watermark| watermark.looked_week_back = None).await;
    publish_ago(&mut scene, Duration::days(6));
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    scene
}

async fn slow_and_expired(scene: Scene) -> Scene {
    let mut scene = ahead_by(10, WEEK + Duration::HOUR, &scene).await;
    let created = scene.world.simulator.now() - WEEK - Duration::minutes(2);
    for content_type in ContentType::WITH_LABELS {
        let expired = scene.world.simulator.publish(content_type, created, 3, 3);
        // Nobody can read it, as its time is over.
        assert!(scene.world.simulator.lose(&expired.id, "AF20051"));
    }
    for hours in [1, 30, 167] {
        publish_ago(&mut scene, Duration::hours(hours));
    }
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    let letters = letters(&scene).await;
    assert!(letters.iter().all(|letter| letter.reason.contains("AF20051")), "{letters:?}");
    scene.dead_letters = 3;
    scene.struck += 3;
    scene
}
