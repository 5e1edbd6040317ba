//! The watermark document is not the one that was saved.

use bytes::Bytes;
use labelstream::state::{Expect, Store as _};

use super::{begin_in_the_middle, document_key};
use crate::{case::Case, scene::Scene};

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("state", "document deleted", 410, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                scene.tick_answering(200).await;
                scene.world.store().delete(&document_key(&scene)).await.unwrap();
                go_on(&mut scene).await;
                scene
            })
        }),
        Case::new("state", "document is garbage", 411, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                scene.tick_answering(200).await;
                let length = scene.rng.usize(0..5_000);
                let garbage: Vec<u8> = std::iter::repeat_with(|| scene.rng.u8(..)).take(length).collect();
                replace(&scene, &garbage).await;
                go_on(&mut scene).await;
                assert_set_aside(&scene, &garbage).await;
                scene
            })
        }),
        Case::new("state", "document was cut short", 412, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                scene.tick_answering(200).await;
                let (whole, _) = scene.world.store().get(&document_key(&scene)).await.unwrap().unwrap();
                let cut = &whole[..scene.rng.usize(..whole.len())];
                replace(&scene, cut).await;
                go_on(&mut scene).await;
                assert_set_aside(&scene, cut).await;
                scene
            })
        }),
        Case::new("state", "document of an older format", 413, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                scene.tick_answering(200).await;
                // No more than the first version could have said.
                let (stored, _) = scene.world.store().get(&document_key(&scene)).await.unwrap().unwrap();
                let mut document: serde_json::Value = serde_json::from_slice(&stored).unwrap();
                document["format"] = 0.into();
                for watermark in document["contentTypes"].as_object_mut().unwrap().values_mut() {
                    watermark.as_object_mut().unwrap().retain(|member, _| member == "listedThrough");
                }
                replace(&scene, document.to_string().as_bytes()).await;
                go_on(&mut scene).await;
                let (stored, _) = scene.world.store().get(&document_key(&scene)).await.unwrap().unwrap();
                let document: serde_json::Value = serde_json::from_slice(&stored).unwrap();
                assert_eq!(document["format"], 1, "it is written as of now");
                scene
            })
        }),
        Case::new("state", "document of a newer format", 414, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                scene.tick_answering(200).await;
                let (whole, _) = scene.world.store().get(&document_key(&scene)).await.unwrap().unwrap();
                let newer = r#"{"format": 7, "contentTypes": ["who knows"]}"#;
                replace(&scene, newer.as_bytes()).await;
                scene.publish_more();
                let posts = scene.world.simulator.report().totals.posts;
                for _ in 0..2 {
                    let said = scene.tick_answering(500).await.body.to_string();
                    assert!(said.contains("format 7") && said.contains("newer version"), "{said}");
                }
                assert_eq!(scene.world.simulator.report().totals.posts, posts, "nothing is sent");
                let (kept, _) = scene.world.store().get(&document_key(&scene)).await.unwrap().unwrap();
                assert_eq!(kept, newer.as_bytes(), "it is not touched");
                replace(&scene, &whole).await;
                scene.struck = 1;
                scene
            })
        }),
        Case::new("state", "412: another writer saves the document in the middle of a run", 415, |mut scene| {
            Box::pin(async move {
                begin_in_the_middle(&mut scene).await;
                replace(&scene, br#"{"format": 1, "contentTypes": {}}"#).await;
                // The lock is held: it can only be a late write of an earlier run, and the save goes over it.
                scene.end_answering(200).await;
                assert_eq!(scene.world.simulator.report().missing, 0);
                scene.struck = 1;
                scene
            })
        }),
    ]
}

async fn replace(scene: &Scene, body: &[u8]) {
    let body = Bytes::copy_from_slice(body);
    scene.world.store().put(&document_key(scene), body, &Expect::Any).await.unwrap();
}

/// The ids are still there: what is new is sent, and nothing else.
async fn go_on(scene: &mut Scene) {
    scene.struck = 1;
    scene.publish_more();
    let rows = scene.world.simulator.report().totals.rows;
    let missing = scene.world.simulator.report().missing;
    scene.tick_answering(200).await;
    assert_eq!(scene.world.simulator.report().totals.rows, rows + missing);
}

/// What could not be read is kept for whoever wants to look at it.
async fn assert_set_aside(scene: &Scene, body: &[u8]) {
    let prefix = format!("{}.unreadable-", document_key(scene));
    let aside = scene.world.store().list(&prefix).await.unwrap();
    assert_eq!(aside.len(), 1);
    assert_eq!(scene.world.store().get(&aside[0].key).await.unwrap().unwrap().0, body);
}
