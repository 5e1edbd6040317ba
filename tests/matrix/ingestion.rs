//! Faults of the ingestion endpoint. Each row has several batches, so that a fault strikes among others that are whole.

mod access;
mod answers;
mod failures;
mod refusals;
mod throttling;

use labelstream_simulator::{ContentType, Endpoint, Fault};

use crate::{case::Case, scene::Scene, world::minutes_ago};

/// Batches that a run posts at once at most.
const AT_ONCE: u64 = 4;

/// The rows of this group.
pub fn cases() -> Vec<Case> {
    [refusals::cases(), access::cases(), throttling::cases(), failures::cases(), answers::cases()].concat()
}

/// Contents of hundreds of label events each, spread over the last hour: some thousand rows, in four batches or more.
fn publish_batches(scene: &Scene) {
    let mut rng = fastrand::Rng::with_seed(scene.seed);
    for content_type in ContentType::WITH_LABELS {
        for _ in 0..rng.u32(3..5) {
            let created = minutes_ago(2.0 + 55.0 * rng.f64());
            scene.world.simulator.publish(content_type, created, rng.u32(250..350), rng.u32(0..50));
        }
    }
}

/// How many posts were answered with `status` by now.
fn answered_with(scene: &Scene, status: u16) -> u64 {
    let requests = scene.world.simulator.requests();
    requests.answers.get(&Endpoint::Ingest).and_then(|answers| answers.get(&status)).copied().unwrap_or_default()
}

/// How many rows arrived by now, each counted once.
fn arrived(scene: &Scene) -> u64 {
    scene.world.simulator.report().arrived
}

/// Ids of so many label events, of those that have not arrived, chosen by the seed.
fn choose(scene: &Scene, count: usize) -> Vec<String> {
    let mut rng = fastrand::Rng::with_seed(scene.seed);
    rng.choose_multiple(scene.missing(), count)
}

/// The fault, for posts that hold the row of this record.
fn with_row(fault: Fault, id: &str) -> Fault {
    fault.holding(format!("\"AuditRecordId\":\"{id}\""))
}
