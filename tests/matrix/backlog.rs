//! What scripts publish where one batch would not do.

use labelstream_simulator::ContentType;

use crate::{scene::Scene, world::minutes_ago};

impl Scene {
    /// Publishes contents of each content type over the last hour, whose rows make several batches; how many and how
    /// large the seed says. Returns how many contents.
    pub fn publish_batches(&mut self) -> u64 {
        let contents = self.rng.u64(18..27);
        for number in 0..contents {
            let content_type = ContentType::WITH_LABELS[number as usize % ContentType::WITH_LABELS.len()];
            let created = minutes_ago(58.0 - 50.0 * number as f64 / contents as f64);
            self.world.simulator.publish(content_type, created, self.rng.u32(150..300), self.rng.u32(0..30));
        }
        contents
    }

    /// Publishes a few contents of each content type, later than what was published before, and as late as a listing may
    /// be sure to be complete.
    pub fn publish_more(&mut self) {
        for content_type in ContentType::WITH_LABELS {
            self.world.simulator.publish(content_type, minutes_ago(1.2), self.rng.u32(3..20), self.rng.u32(0..9));
        }
    }
}
