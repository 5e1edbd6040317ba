//! The lock is lost while a run is under way.

use axum::http::Method;
use labelstream::state::{Lock, Store as _};
use labelstream_simulator::{Effect, Endpoint, Fault, When};

use crate::{
    case::Case,
    scene::Scene,
    storage::{StorageFault, Trouble},
};

/// Posts that a run has under way at once.
const PLACES: u64 = 4;

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("state", "the answer to taking the lock is lost", 440, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                let (method, matching, when) = (Some(Method::PUT), "comp=lease", When::Nth(2));
                scene.strike_storage(StorageFault { method, matching, when, trouble: Trouble::AnswerLost });
                scene.tick_answering(200).await;
                assert_eq!(scene.world.simulator.report().missing, 0);
                scene
            })
        }),
        Case::new("state", "the lock is broken in the middle of a run", 441, |mut scene| {
            Box::pin(async move {
                lose_lock(&mut scene, false).await;
                scene
            })
        }),
        Case::new("state", "the lock is taken by another in the middle of a run", 442, |mut scene| {
            Box::pin(async move {
                lose_lock(&mut scene, true).await;
                scene
            })
        }),
        Case::new("state", "the lock cannot be renewed until it has run out", 443, |mut scene| {
            Box::pin(async move {
                // Four posts at once of 16 s each: there is something to post for longer than a minute.
                for _ in 0..4 {
                    scene.publish_batches();
                }
                scene.strike(Fault::new(Endpoint::Ingest, When::Always, Effect::DelayAnswer(16_000)));
                scene.begin().await;
                assert!(scene.until(|scene| scene.calls(Endpoint::Ingest) >= 1).await);
                let (method, when) = (Some(Method::PUT), When::Always);
                let trouble = Trouble::Refused(503, "ServerBusy");
                scene.strike_storage(StorageFault { method, matching: "comp=lease", when, trouble });
                let said = scene.end_answering(500).await.body.to_string();
                assert!(said.contains("the lock is held by another run"), "{said}");
                assert!(scene.world.simulator.report().missing > 0, "it stopped sending");
                scene
            })
        }),
    ]
}

/// Takes the lock from a run. It finds out when it renews it, and begins no POST from then on.
async fn lose_lock(scene: &mut Scene, by_another: bool) {
    for _ in 0..3 {
        scene.publish_batches();
    }
    // A post a second, for some 20 s.
    scene.strike(Fault::new(Endpoint::Ingest, When::Always, Effect::DelayAnswer(4_000)));
    scene.begin().await;
    assert!(scene.until(|scene| scene.calls(Endpoint::Ingest) >= 1).await);
    let renewals = scene.storage.requests(Some(&Method::PUT), "comp=lease");
    assert!(scene.world.break_lease().await);
    let mut other: Option<Box<dyn Lock>> = None;
    if by_another {
        other = scene.world.store().lock(&scene.world.lock_key()).await.unwrap();
        assert!(other.is_some());
    }
    assert!(scene.until(|scene| scene.storage.requests(Some(&Method::PUT), "comp=lease") > renewals).await);
    let begun = scene.calls(Endpoint::Ingest);
    let said = scene.end_answering(500).await.body.to_string();
    assert!(said.contains("the lock is held by another run"), "{said}");
    // Until the answer to the renewal is there, each place may begin one more.
    let after = scene.calls(Endpoint::Ingest) - begun;
    assert!(after <= PLACES, "{after} posts began after the loss was noticed");
    assert!(scene.world.simulator.report().missing > 0, "there was nothing left to send");
    scene.struck += 1;
    if let Some(other) = other {
        let refused = scene.tick_answering(200).await;
        assert!(refused.logs().concat().contains("Another run is under way"), "{refused:?}");
        other.release().await.unwrap();
    }
}
