//! A limit of memory.

use labelstream_simulator::{Bulk, Config};

use crate::{case::Case, host::Host, scene::Scene};

/// The limit: what the smallest plan of Functions leaves to one of several processes, with room.
const LIMIT: u64 = 256 * 1024 * 1024;

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![Case::new("process", "a memory limit of 256 MiB, with a backlog of 50,000 records", 540, |scene| {
        Box::pin(async move {
            let mut scene = Scene::with(Config { seed: scene.seed, keep_rows: false, ..Config::default() }).await;
            let published = scene.world.simulator.publish_bulk(&Bulk {
                contents: 60,
                records_per_content: 850,
                label_share: 0.4,
                age_seconds: 20 * 3_600,
            });
            assert!(published.records >= 50_000);
            let settings = scene.world.settings.clone();
            let host = tokio::task::spawn_blocking(move || Host::start_within(&settings, LIMIT)).await.unwrap();
            scene.put_host(host);
            scene.tick_answering(200).await;
            let peak = scene.host().await.peak_memory().unwrap();
            assert!(peak < LIMIT, "{peak} bytes");
            // All but maybe the newest content, which is just old enough to be listed.
            let missing = scene.world.simulator.report().missing;
            assert!(missing <= published.label_events / 60, "{missing}");
            scene.struck = 1;
            scene
        })
    })]
}
