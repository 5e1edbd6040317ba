//! Faults of the ingestion endpoint.

use labelstream_simulator::{Effect, Endpoint, Fault, When};

use crate::case::Case;

/// The rows of this group.
pub fn cases() -> Vec<Case> {
    vec![Case::new("ingestion", "the answer is lost after the batch was stored", 20, |mut scene| {
        Box::pin(async move {
            scene.world.publish_an_hour(6);
            scene.strike(Fault::new(Endpoint::Ingest, When::Nth(1), Effect::LoseAnswer));
            scene.tick().await;
            scene
        })
    })]
}
