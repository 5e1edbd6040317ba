//! Faults of the storage, and states that are not as they were left.

mod away;
mod container;
mod document;
mod full;
mod ids;
mod lock;
mod saves;

use labelstream::state::Store as _;

use crate::{case::Case, scene::Scene};

/// The rows of this group.
pub fn cases() -> Vec<Case> {
    [container::cases(), document::cases(), ids::cases(), saves::cases(), lock::cases(), away::cases(), full::cases()]
        .concat()
}

/// The key of the tenant's watermark document.
fn document_key(scene: &Scene) -> String {
    format!("{}/watermark.json", scene.world.simulator.tenant().id)
}

/// The keys of the logs of ids: `records` or `contents`.
async fn log_keys(scene: &Scene, kind: &str) -> Vec<String> {
    let prefix = format!("{}/{kind}/", scene.world.simulator.tenant().id);
    let entries = scene.world.store().list(&prefix).await.unwrap();
    assert!(!entries.is_empty(), "there is no log of {kind}");
    entries.into_iter().map(|entry| entry.key).collect()
}

/// A run in its middle: some batches are answered and saved, others are under way, and more is to come.
async fn begin_in_the_middle(scene: &mut Scene) {
    use labelstream_simulator::{Effect, Endpoint, Fault, When};
    scene.publish_batches();
    scene.publish_batches();
    let slow = |endpoint, effect| Fault::new(endpoint, When::Always, effect);
    scene.world.simulator.fault(slow(Endpoint::Retrieve, Effect::Delay(100))).unwrap();
    scene.world.simulator.fault(slow(Endpoint::Ingest, Effect::DelayAnswer(500))).unwrap();
    scene.begin().await;
    assert!(scene.until(|scene| scene.world.simulator.report().totals.posts > 4).await);
    assert!(!log_keys(scene, "records").await.is_empty());
}
