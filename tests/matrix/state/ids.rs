//! The logs of ids are not as they were left.

use bytes::Bytes;
use labelstream::state::Store as _;

use labelstream_simulator::{Effect, Endpoint, Fault, When};

use super::{begin_in_the_middle, document_key, log_keys};
use crate::{
    case::Case,
    scene::{Doubles, Scene},
};

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("state", "ids of records deleted", 420, |mut scene| {
            Box::pin(async move {
                delivered(&mut scene).await;
                // The contents are still known: nothing is fetched again.
                delete(&scene, "records").await;
                scene
            })
        }),
        Case::new("state", "ids of contents deleted", 421, |mut scene| {
            Box::pin(async move {
                delivered(&mut scene).await;
                // What the look back finds is fetched again, and none of it sent.
                delete(&scene, "contents").await;
                scene
            })
        }),
        Case::new("state", "ids of contents and document deleted", 422, |mut scene| {
            Box::pin(async move {
                delivered(&mut scene).await;
                delete(&scene, "contents").await;
                scene.world.store().delete(&document_key(&scene)).await.unwrap();
                scene
            })
        }),
        Case::new("state", "ids of records deleted, and their contents are listed again", 423, |mut scene| {
            Box::pin(async move {
                delivered(&mut scene).await;
                let sent = scene.world.simulator.report().totals.rows;
                delete(&scene, "records").await;
                delete(&scene, "contents").await;
                scene.world.store().delete(&document_key(&scene)).await.unwrap();
                scene.world.simulator.state_lost();
                scene.doubles = Doubles::Exactly(sent);
                scene
            })
        }),
        Case::new("state", "ids of records deleted in the middle of a run", 424, |mut scene| {
            Box::pin(async move {
                begin_in_the_middle(&mut scene).await;
                delete(&scene, "records").await;
                let said = scene.end_answering(500).await.body.to_string();
                assert!(said.contains("/records/") && said.contains("another writer"), "{said}");
                scene.world.simulator.state_lost();
                scene.doubles = Doubles::Excused;
                scene
            })
        }),
        Case::new("state", "garbage at the end of the logs", 425, |mut scene| {
            Box::pin(async move {
                delivered(&mut scene).await;
                let keys = [log_keys(&scene, "records").await, log_keys(&scene, "contents").await].concat();
                for key in keys {
                    append_torn(&mut scene, &key).await;
                }
                // Twice: what is appended behind the garbage must be found again.
                for _ in 0..2 {
                    scene.publish_more();
                    scene.tick_answering(200).await;
                }
                scene.world.store().delete(&document_key(&scene)).await.unwrap();
                scene.struck = 1;
                scene
            })
        }),
        Case::new("state", "another writer appends to the ids in the middle of a run", 426, |mut scene| {
            Box::pin(async move {
                begin_in_the_middle(&mut scene).await;
                scene.strike(Fault::new(Endpoint::Ingest, When::Always, Effect::Delay(2_000)));
                for key in log_keys(&scene, "records").await {
                    // It may lose against the run itself.
                    while !append_torn(&mut scene, &key).await {}
                }
                // The lock is held: it can only be a late write of an earlier run, and the save goes on behind it.
                scene.end_answering(200).await;
                scene.struck = 1;
                scene
            })
        }),
    ]
}

/// A tenant that is up to date, and new contents.
async fn delivered(scene: &mut Scene) {
    scene.publish_batches();
    scene.tick_answering(200).await;
    assert_eq!(scene.world.simulator.report().missing, 0);
    scene.publish_more();
    scene.struck = 1;
}

async fn delete(scene: &Scene, kind: &str) {
    for key in log_keys(scene, kind).await {
        scene.world.store().delete(&key).await.unwrap();
    }
}

/// Appends some bytes that are no whole number of ids; whether nobody else appended at the same time.
async fn append_torn(scene: &mut Scene, key: &str) -> bool {
    let length = scene.world.store().get(key).await.unwrap().unwrap().0.len() as u64;
    let torn: Vec<u8> = (0..16 * scene.rng.usize(..4) + scene.rng.usize(1..16)).map(|byte| byte as u8).collect();
    scene.world.store().append(key, length, Bytes::from(torn)).await.is_ok()
}
