//! An endpoint that fails before it stores anything.

use labelstream_simulator::{Effect, Endpoint, Fault, ResetAt, RetryAfter, When};

use super::{arrived, publish_batches};
use crate::case::Case;

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("ingestion", "503 once", 330, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Nth(2), Effect::status(503)));
                scene.tick_answering(200).await;
                assert_eq!(scene.missing(), [""; 0]);
                scene
            })
        }),
        Case::new("ingestion", "500 and 503 for half of the posts", 331, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                let share = |seed| When::Share { share: 0.3, seed };
                scene.strike(Fault::new(Endpoint::Ingest, When::Nth(1), Effect::status(500)));
                scene.strike(Fault::new(Endpoint::Ingest, share(scene.seed), Effect::status(500)));
                scene.strike(Fault::new(Endpoint::Ingest, share(scene.seed + 1), Effect::status(503)));
                scene.tick().await;
                assert_eq!(scene.letters().await.len(), 0);
                scene
            })
        }),
        Case::new("ingestion", "503 for longer than a run", 332, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Always, Effect::status(503)));
                let said = scene.tick_answering(500).await.body.to_string();
                assert!(said.contains("the data collection endpoint fails (HTTP 503"), "{said}");
                assert_eq!((arrived(&scene), scene.letters().await.len()), (0, 0));
                scene
            })
        }),
        Case::new("ingestion", "503 until the time of a run is over", 335, |mut scene| {
            Box::pin(async move {
                // Too short for all the tries: what ends the run is its time.
                scene.world.set("RUN_BUDGET_SECONDS", "12");
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Always, Effect::status(503)));
                let said = scene.tick_answering(500).await.body.to_string();
                assert!(said.contains("the data collection endpoint fails (HTTP 503"), "{said}");
                assert_eq!((arrived(&scene), scene.letters().await.len()), (0, 0));
                scene
            })
        }),
        Case::new("ingestion", "503 with a Retry-After", 333, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                let answer = labelstream_simulator::Answer {
                    status: 503,
                    retry_after: Some(RetryAfter::Seconds(3)),
                    ..labelstream_simulator::Answer::default()
                };
                scene.strike(Fault::new(Endpoint::Ingest, When::First(3), Effect::Answer(answer)));
                scene.tick_answering(200).await;
                assert_eq!(scene.missing(), [""; 0]);
                scene
            })
        }),
        Case::new("ingestion", "reset before the answer, every second post", 334, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Every(2), Effect::Reset(ResetAt::Before)));
                scene.tick_answering(200).await;
                assert_eq!(scene.missing(), [""; 0]);
                scene
            })
        }),
    ]
}
