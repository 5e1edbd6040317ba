//! SIGKILL.

use axum::http::Method;
use labelstream_simulator::{Effect, Endpoint, Fault, When};

use crate::{
    case::Case,
    scene::Scene,
    storage::{StorageFault, Trouble},
};

/// Kills of one row.
const KILLS: u32 = 12;

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("process", "killed 12 times after some request to the services", 500, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                slow_answers(&scene);
                while scene.struck < KILLS.into() {
                    let endpoint = [Endpoint::List, Endpoint::Retrieve, Endpoint::Ingest][scene.rng.usize(..3)];
                    let calls = scene.calls(endpoint) + scene.rng.u64(1..5);
                    run_and_kill(&mut scene, |scene| scene.calls(endpoint) >= calls).await;
                }
                scene
            })
        }),
        Case::new("process", "killed 12 times in the middle of some save", 501, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                slow_answers(&scene);
                while scene.struck < KILLS.into() {
                    // The kill hits while the request waits, or after its answer.
                    let saves = ["/records/", "/contents/", "/watermark.json", "comp=lease"];
                    let nth = When::Nth(scene.rng.u64(1..3));
                    let trouble = Trouble::Slow(scene.rng.u64(0..60));
                    let matching = saves[scene.rng.usize(..saves.len())];
                    scene.strike_storage(StorageFault { method: Some(Method::PUT), matching, when: nth, trouble });
                    run_and_kill(&mut scene, |scene| scene.storage.struck() > 0).await;
                    scene.storage.clear_faults();
                }
                scene
            })
        }),
        Case::new("process", "killed 12 times at any moment", 502, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                slow_answers(&scene);
                while scene.struck < KILLS.into() {
                    let moment = std::time::Instant::now() + std::time::Duration::from_millis(scene.rng.u64(0..1_500));
                    run_and_kill(&mut scene, |_| std::time::Instant::now() >= moment).await;
                }
                scene
            })
        }),
        Case::new("process", "killed when batches are stored and not saved", 503, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                let when = When::Always;
                let trouble = Trouble::Slow(60_000);
                let (method, matching) = (Some(Method::PUT), "/records/");
                scene.strike_storage(StorageFault { method, matching, when, trouble });
                scene.begin().await;
                // The first waits for its save; no fifth may be posted before.
                let stored = |scene: &Scene| scene.world.simulator.report().totals.posts;
                assert!(scene.until(|scene| stored(scene) >= 4 && scene.storage.struck() >= 1).await);
                let in_flight = scene.world.simulator.report().totals.rows;
                scene.kill().await;
                scene.storage.clear_faults();
                scene.struck = 4;
                assert!(scene.world.break_lease().await);
                assert_eq!(stored(&scene), 4);
                scene.doubles = crate::scene::Doubles::Exactly(in_flight);
                scene
            })
        }),
        Case::new("process", "killed, and its lock runs out by itself", 504, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                slow_answers(&scene);
                scene.begin().await;
                assert!(scene.until(|scene| scene.calls(Endpoint::Ingest) >= 3).await);
                scene.kill().await;
                scene.struck = 1;
                let refused = scene.tick_answering(200).await;
                assert!(refused.logs().concat().contains("Another run is under way"), "{refused:?}");
                scene
            })
        }),
    ]
}

/// Answers that take a moment, so that a kill finds requests under way.
fn slow_answers(scene: &Scene) {
    for (endpoint, milliseconds) in [(Endpoint::List, 10), (Endpoint::Retrieve, 40), (Endpoint::Ingest, 30)] {
        scene.world.simulator.fault(Fault::new(endpoint, When::Every(2), Effect::DelayAnswer(milliseconds))).unwrap();
    }
}

/// Begins a run and kills it once `reached`; one that ended before is answered, and the next begins with more to do.
async fn run_and_kill(scene: &mut Scene, reached: impl Fn(&Scene) -> bool) {
    scene.begin().await;
    if scene.until(reached).await {
        scene.kill().await;
        scene.struck += 1;
        // As if its time were over; where the kill came before it was taken, there is none.
        scene.world.break_lease().await;
    } else {
        scene.end_answering(200).await;
        scene.publish_batches();
    }
}
