//! Batches that were stored, and answers to them that are lost, late or unusual. Whether their rows come twice, and no
//! others, is what the verdict counts.

use labelstream_simulator::{Answer, Effect, Endpoint, Fault, When};

use super::publish_batches;
use crate::case::Case;

/// A batch is stored, and answered so.
fn stored_and(status: u16, body: &str) -> Effect {
    Effect::Answer(Answer { status, body: body.to_owned(), after_effect: true, ..Answer::default() })
}

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("ingestion", "an answer is lost after the batch was stored", 340, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Nth(2), Effect::LoseAnswer));
                scene.tick_answering(200).await;
                assert_eq!(scene.world.simulator.report().totals.posts_unanswered, 1);
                scene
            })
        }),
        Case::new("ingestion", "every third answer is lost after the batch was stored", 341, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Every(3), Effect::LoseAnswer));
                scene.tick_answering(200).await;
                assert_eq!(scene.missing(), [""; 0]);
                scene
            })
        }),
        Case::new("ingestion", "500 after the batch was stored", 342, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::First(2), stored_and(500, "")));
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("ingestion", "429 after the batch was stored", 343, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Nth(3), stored_and(429, "")));
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("ingestion", "200 and 202 in place of 204", 344, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Every(2), stored_and(200, "{}")));
                scene.strike(Fault::new(Endpoint::Ingest, When::Every(3), stored_and(202, "<html></html>")));
                scene.tick_answering(200).await;
                assert_eq!(scene.world.simulator.report().surplus_rows, 0);
                scene
            })
        }),
        Case::new("ingestion", "a 200 whose body breaks off", 345, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                let whole = stored_and(200, &"x".repeat(1_000));
                // Its status is the answer: nothing more is to be learnt from the rest. The connection is closed and not
                // reset, since a reset may take the status with it.
                for effect in [whole, Effect::Truncate { bytes: 500 }] {
                    scene.strike(Fault::new(Endpoint::Ingest, When::Every(2), effect));
                }
                scene.tick_answering(200).await;
                assert_eq!(scene.world.simulator.report().surplus_rows, 0);
                scene
            })
        }),
        Case::new("ingestion", "slow answers, in time", 346, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Always, Effect::DelayAnswer(1_500)));
                scene.tick_answering(200).await;
                assert_eq!(scene.world.simulator.report().surplus_rows, 0);
                scene
            })
        }),
        Case::new("ingestion", "answers slower than the sender waits", 347, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::First(2), Effect::DelayAnswer(60_000)));
                scene.tick_answering(200).await;
                assert_eq!(scene.world.simulator.report().totals.posts_unanswered, 2);
                scene
            })
        }),
        Case::new("ingestion", "answers that are still under way when the run ends", 348, |mut scene| {
            Box::pin(async move {
                scene.world.set("RUN_BUDGET_SECONDS", "10");
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Nth(3), Effect::DelayAnswer(60_000)));
                scene.tick_answering(200).await;
                assert_eq!(scene.world.simulator.report().totals.posts_unanswered, 1);
                scene
            })
        }),
    ]
}
