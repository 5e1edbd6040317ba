//! What the tenant publishes while it is played.

use labelstream_simulator::{ContentType, History, Simulator};

use crate::world::minutes_ago;

/// What may be listed again.
pub struct Publishing {
    contents: Vec<String>,
}

impl Publishing {
    /// The tenant's past, and its first contents.
    pub fn begin(simulator: &Simulator, rng: &mut fastrand::Rng) -> Self {
        let history = History {
            days: 2.0 + 3.0 * rng.f64(),
            records: rng.u64(8_000..16_000),
            label_share: 0.3,
            records_per_content: 60,
            delivered_again: 0.05,
        };
        Self { contents: simulator.publish_history(&history).contents }
    }

    /// Some contents: most a minute old, which is when a listing holds them for sure, some found late, some listed a second
    /// time, under their old id or a new one or another content type.
    pub fn step(&mut self, simulator: &Simulator, rng: &mut fastrand::Rng) {
        for _ in 0..rng.u8(..4) {
            let content_type = ContentType::ALL[rng.usize(..ContentType::ALL.len())];
            // An hour before the watermark is listed by every run.
            let age = if rng.u8(..5) == 0 { 45.0 * rng.f64() } else { 1.1 };
            let labels = if rng.u8(..12) == 0 { rng.u32(100..500) } else { rng.u32(..25) };
            let content = simulator.publish(content_type, minutes_ago(1.1 + age), labels, rng.u32(..60));
            self.contents.push(content.id.clone());
        }
        if rng.u8(..4) == 0 {
            let id = self.contents[rng.usize(..self.contents.len())].clone();
            let content_type = rng.bool().then(|| ContentType::WITH_LABELS[rng.usize(..3)]);
            let same_id = content_type.is_none() && rng.bool();
            let again = simulator.list_again(&id, content_type, minutes_ago(1.1 + 20.0 * rng.f64()), same_id);
            assert!(again.is_some(), "{id} was published");
        }
    }
}
