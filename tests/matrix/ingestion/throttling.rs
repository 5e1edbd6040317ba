//! An endpoint that asks to wait.

use std::time::{Duration, Instant};

use labelstream_simulator::{Effect, Endpoint, Fault, RetryAfter, When};

use super::{AT_ONCE, answered_with, publish_batches};
use crate::case::Case;

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("ingestion", "429 with a Retry-After that is longer than the run", 320, |mut scene| {
            Box::pin(async move {
                scene.world.set("RUN_BUDGET_SECONDS", "16");
                publish_batches(&scene);
                let effect = Effect::throttled(RetryAfter::Seconds(20));
                scene.strike(Fault::new(Endpoint::Ingest, When::Always, effect));
                let waited = Instant::now();
                for _ in 0..3 {
                    let logs = scene.tick_answering(200).await.logs().join("\n");
                    assert!(logs.contains("; 0 rows sent in"), "{logs}");
                    assert!(logs.matches(" 0 unfinished").count() < 3, "it says that something is left: {logs}");
                }
                let posts = answered_with(&scene, 429);
                assert!((1..=AT_ONCE).contains(&posts), "three runs within the wait made {posts} posts");
                scene.clear_faults();
                // What the service asked for: no run can send before that.
                tokio::time::sleep(Duration::from_secs(21).saturating_sub(waited.elapsed())).await;
                scene
            })
        }),
        Case::new("ingestion", "429 with Retry-After as an HTTP date", 321, |mut scene| {
            Box::pin(async move {
                // The process is up and the subscriptions are on before the time that is spoken of begins.
                scene.tick_answering(200).await;
                publish_batches(&scene);
                let end = time::OffsetDateTime::now_utc() + time::Duration::seconds(12);
                let effect = Effect::throttled(RetryAfter::DateIn(13));
                scene.strike(Fault::new(Endpoint::Ingest, When::Until(end), effect));
                scene.tick_answering(200).await;
                let posts = answered_with(&scene, 429);
                assert!((1..=AT_ONCE).contains(&posts), "{posts} posts before the date");
                assert_eq!(scene.missing(), [""; 0], "the same run sends all after the date");
                scene
            })
        }),
        Case::new("ingestion", "429 without Retry-After", 322, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Nth(2), Effect::status(429)));
                scene.tick_answering(200).await;
                assert_eq!(scene.missing(), [""; 0]);
                scene
            })
        }),
        Case::new("ingestion", "429 for a third of the posts", 323, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                let when = When::Share { share: 0.34, seed: scene.seed };
                scene.strike(Fault::new(Endpoint::Ingest, When::Nth(1), Effect::throttled(RetryAfter::Seconds(1))));
                scene.strike(Fault::new(Endpoint::Ingest, when, Effect::throttled(RetryAfter::Seconds(1))));
                scene.tick_answering(200).await;
                assert_eq!(scene.missing(), [""; 0]);
                scene
            })
        }),
    ]
}
