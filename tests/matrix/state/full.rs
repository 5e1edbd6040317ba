//! The storage holds much that is old.

use std::sync::Arc;

use axum::http::Method;
use bytes::Bytes;
use labelstream::state::Store as _;
use labelstream_simulator::ContentType;
use time::{Duration, OffsetDateTime};
use tokio::task::JoinSet;

use super::log_keys;
use crate::case::Case;

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![Case::new("state", "ids of a year, one log a day and kind", 460, |mut scene| {
        Box::pin(async move {
            let (store, tenant) = (Arc::new(scene.world.store()), scene.world.simulator.tenant().id.clone());
            let kinds = ["records".to_owned()].into_iter();
            let kinds = kinds.chain(ContentType::WITH_LABELS.map(|kind| format!("contents/{}", kind.as_str())));
            let mut writes = JoinSet::new();
            for kind in kinds {
                let (store, prefix) = (Arc::clone(&store), format!("{tenant}/{kind}"));
                writes.spawn(async move {
                    for age in 10..=365 {
                        let day = (OffsetDateTime::now_utc() - Duration::days(age)).date();
                        store.append(&format!("{prefix}/{day}.ids"), 0, Bytes::from(vec![7; 1_600])).await.unwrap();
                    }
                });
            }
            while let Some(written) = writes.join_next().await {
                written.unwrap();
            }
            scene.publish_batches();
            scene.tick_answering(200).await;
            for kind in ["records", "contents"] {
                for key in log_keys(&scene, kind).await {
                    let day = key.rsplit('/').next().unwrap();
                    let oldest = (OffsetDateTime::now_utc() - Duration::days(8)).date().to_string();
                    assert!(day >= oldest.as_str(), "{key} was not removed");
                }
            }
            scene.struck = scene.storage.requests(Some(&Method::DELETE), ".ids") as u64;
            assert_eq!(scene.struck, 4 * 356);
            // Old ones are not read: two days of contents for each content type at most, and the records' own.
            let read = scene.storage.requests(Some(&Method::GET), ".ids");
            assert!(read <= 40, "{read} logs were read");
            scene
        })
    })]
}
