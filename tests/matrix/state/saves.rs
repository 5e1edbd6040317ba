//! Saves that are refused, or whose answer is lost.

use axum::http::Method;
use labelstream_simulator::When;

use crate::{
    case::Case,
    scene::Scene,
    storage::{StorageFault, Trouble},
};

/// Tries of one call by the storage client.
const TRIES: u64 = 3;

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("state", "saving records is refused once, to all tries", 430, |mut scene| {
            Box::pin(async move {
                // One save: of two that go on at once neither might meet them all.
                scene.publish_more();
                refused(&mut scene, "/records/", When::First(TRIES)).await;
                scene
            })
        }),
        Case::new("state", "saving records is refused to all tries of two saves at once", 439, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                refused(&mut scene, "/records/", When::First(2 * TRIES)).await;
                scene
            })
        }),
        Case::new("state", "saving contents is refused once, to all tries", 431, |mut scene| {
            Box::pin(async move {
                // Several logs are written at once: none of this run is.
                scene.publish_batches();
                refused(&mut scene, "/contents/", When::Always).await;
                scene.clear_faults();
                scene
            })
        }),
        Case::new("state", "saving the document is refused once, to all tries", 432, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                refused(&mut scene, "/watermark.json", When::First(TRIES)).await;
                scene
            })
        }),
        Case::new("state", "the answer to a save of records is lost", 433, |mut scene| {
            Box::pin(async move {
                answer_lost(&mut scene, "/records/").await;
                scene
            })
        }),
        Case::new("state", "the answer to a save of contents is lost", 434, |mut scene| {
            Box::pin(async move {
                answer_lost(&mut scene, "/contents/").await;
                scene
            })
        }),
        Case::new("state", "the answer to a save of the document is lost", 435, |mut scene| {
            Box::pin(async move {
                answer_lost(&mut scene, "/watermark.json").await;
                scene
            })
        }),
        Case::new("state", "an answer of the storage in seven is lost", 436, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                let when = When::Share { share: 0.15, seed: scene.seed };
                let trouble = Trouble::AnswerLost;
                scene.strike_storage(StorageFault { method: None, matching: "", when, trouble });
                for _ in 0..3 {
                    scene.tick_once_free().await;
                    scene.publish_more();
                }
                scene
            })
        }),
        Case::new("state", "each request to the storage takes 300 ms", 437, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                let trouble = Trouble::Slow(300);
                scene.strike_storage(StorageFault { method: None, matching: "", when: When::Always, trouble });
                scene.tick_answering(200).await;
                assert_eq!(scene.world.simulator.report().missing, 0);
                scene
            })
        }),
        Case::new("state", "each request to the storage takes 300 ms, and a run 20 s at most", 438, |mut scene| {
            Box::pin(async move {
                scene.world.set("RUN_BUDGET_SECONDS", "20");
                scene.world.publish_an_hour(4);
                let trouble = Trouble::Slow(300);
                scene.strike_storage(StorageFault { method: None, matching: "", when: When::Always, trouble });
                while scene.world.simulator.report().missing > 0 {
                    scene.tick_answering(200).await;
                }
                scene
            })
        }),
    ]
}

/// The first save and all its tries are refused: the run fails, names it, and saves at its end all the same.
async fn refused(scene: &mut Scene, matching: &'static str, when: When) {
    let method = Some(Method::PUT);
    let trouble = Trouble::Refused(503, "ServerBusy");
    scene.strike_storage(StorageFault { method, matching, when, trouble });
    let said = scene.tick_answering(500).await.body.to_string();
    assert!(said.contains(matching) && said.contains("503"), "{said}");
}

/// The save that is done when its answer is lost is recognised.
async fn answer_lost(scene: &mut Scene, matching: &'static str) {
    scene.publish_batches();
    let (method, when) = (Some(Method::PUT), When::Nth(scene.rng.u64(1..3)));
    scene.strike_storage(StorageFault { method, matching, when, trouble: Trouble::AnswerLost });
    scene.tick_answering(200).await;
    scene.publish_more();
    scene.tick_answering(200).await;
}
