//! The storage is away, or refuses access, for a while.

use labelstream_simulator::{Endpoint, When};

use super::begin_in_the_middle;
use crate::{
    azurite::KEY,
    case::Case,
    scene::Scene,
    storage::{StorageFault, Trouble},
};

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("state", "storage answers 503 when a run begins", 450, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                scene.storage.away();
                fails_without_sending(&mut scene).await;
                scene
            })
        }),
        Case::new("state", "storage refuses connections when a run begins", 451, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                scene.tick_answering(200).await;
                scene.publish_more();
                scene.storage.shut();
                fails_without_sending(&mut scene).await;
                scene.storage.open();
                scene.struck += 1;
                scene
            })
        }),
        Case::new("state", "storage answers 503 in the middle of a run", 452, |mut scene| {
            Box::pin(async move {
                begin_in_the_middle(&mut scene).await;
                scene.storage.away();
                ends_early(&mut scene).await;
                scene
            })
        }),
        Case::new("state", "storage refuses connections in the middle of a run", 453, |mut scene| {
            Box::pin(async move {
                begin_in_the_middle(&mut scene).await;
                scene.storage.shut();
                ends_early(&mut scene).await;
                scene.storage.open();
                scene.struck += 1;
                break_lock(&scene).await;
                scene
            })
        }),
        Case::new("state", "storage answers 503 for the last saves of a run", 454, |mut scene| {
            Box::pin(async move {
                let contents = scene.publish_batches();
                scene.begin().await;
                assert!(scene.until(|scene| scene.calls(Endpoint::Retrieve) >= contents).await);
                scene.storage.away();
                scene.end_answering(500).await;
                break_lock(&scene).await;
                scene
            })
        }),
        Case::new("state", "storage answers 403 from the middle of a run on: the key was rotated", 455, |mut scene| {
            Box::pin(async move {
                begin_in_the_middle(&mut scene).await;
                let trouble = Trouble::Refused(403, "AuthenticationFailed");
                scene.strike_storage(StorageFault { method: None, matching: "", when: When::Always, trouble });
                let said = ends_early(&mut scene).await;
                assert!(said.contains("AccountKey in AzureWebJobsStorage"), "{said}");
                let said = scene.tick_answering(500).await.body.to_string();
                assert!(said.contains("AccountKey in AzureWebJobsStorage") && !said.contains(KEY), "{said}");
                break_lock(&scene).await;
                scene
            })
        }),
    ]
}

/// As if the minute were over for which a run holds its lock that could not give it back.
async fn break_lock(scene: &Scene) {
    assert!(scene.world.break_lease().await);
}

/// A run that cannot have its lock sends nothing and says what failed.
async fn fails_without_sending(scene: &mut Scene) {
    let calls = scene.calls(Endpoint::Ingest);
    for _ in 0..2 {
        let said = scene.tick_answering(500).await.body.to_string();
        assert!(said.contains("state: ") && said.contains("/lock"), "{said}");
    }
    assert_eq!(scene.calls(Endpoint::Ingest), calls, "nothing is sent");
}

/// The run under way ends with what failed, and sends no more than what was in flight.
async fn ends_early(scene: &mut Scene) -> String {
    let posts = scene.calls(Endpoint::Ingest);
    let said = scene.end_answering(500).await.body.to_string();
    assert!(said.contains("state: "), "{said}");
    let more = scene.calls(Endpoint::Ingest) - posts;
    assert!(more <= 4, "{more} posts began whose rows could not be saved");
    assert!(scene.world.simulator.report().missing > 0, "it was not in the middle");
    said
}
