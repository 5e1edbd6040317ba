//! Contents that are listed after the watermark passed their time of publication.

use labelstream_simulator::ContentType;
use time::{Duration, OffsetDateTime};

use super::{missing, publish, publish_an_hour, publish_since, turn_back};
use crate::{case::Case, scene::Scene, world::minutes_ago};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "listed late by minutes", 130, |scene| Box::pin(by_minutes(scene))),
        Case::new("feed", "listed late by 20 hours", 131, |scene| Box::pin(by_hours(scene, 20.0, Duration::hours(1)))),
        Case::new("feed", "listed late by 5 days", 132, |scene| {
            Box::pin(by_hours(scene, 5.0 * 24.0, Duration::hours(24)))
        }),
        Case::new("feed", "no run for three days", 133, |scene| Box::pin(no_run(scene))),
    ]
}

/// Contents of each content type with times of publication about so many minutes ago.
fn publish_late(scene: &mut Scene, minutes: f64) {
    for content_type in ContentType::WITH_LABELS {
        for _ in 0..7 {
            let created = minutes_ago(minutes + scene.rng.f64() * 10.0);
            publish(scene, content_type, created);
        }
    }
    scene.struck += 1;
}

async fn by_minutes(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    scene.tick_answering(200).await;
    for minutes in [2.0, 10.0, 40.0] {
        publish_late(&mut scene, minutes);
        scene.tick_answering(200).await;
        assert_eq!(missing(&scene), 0, "late by {minutes} minutes");
    }
    scene
}

/// Found by the next look back of that depth, which is due after `every`.
async fn by_hours(mut scene: Scene, hours: f64, every: Duration) -> Scene {
    publish_an_hour(&mut scene);
    scene.tick_answering(200).await;
    publish_late(&mut scene, hours * 60.0);
    scene.tick_answering(200).await;
    assert!(missing(&scene) > 0, "the look back that finds it is not due");
    turn_back(&scene, |watermark| {
        let earlier = |at: Option<OffsetDateTime>| Some(at.unwrap() - every);
        watermark.looked_day_back = earlier(watermark.looked_day_back);
        watermark.looked_week_back = earlier(watermark.looked_week_back);
    })
    .await;
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    assert_eq!(scene.world.simulator.requests().retrieved_again.len(), 0, "no content is fetched twice");
    scene
}

/// The gap is listed window by window: one over 24 hours may be answered in part.
async fn no_run(mut scene: Scene) -> Scene {
    publish_since(&mut scene, 6.5 * 24.0 * 60.0, 20..30);
    scene.tick_answering(200).await;
    publish_since(&mut scene, 3.0 * 24.0 * 60.0 - 30.0, 30..40);
    let back = Duration::days(3);
    turn_back(&scene, |watermark| watermark.listed_through -= back).await;
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    scene.struck += 1;
    scene
}
