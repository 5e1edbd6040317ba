//! Rows and batches that the endpoint does not take.

use labelstream::{dead_letter::Kind, ingestion::SYSTEMATIC_AFTER};
use labelstream_simulator::{Answer, Effect, Endpoint, Fault, When};

use super::{answered_with, arrived, choose, publish_batches, with_row};
use crate::{case::Case, scene::Scene};

/// Halvings from a batch down to a row: a batch has fewer than 1,024 rows.
const HALVINGS: u64 = 10;

/// There are no more batches than this.
const BATCHES: u64 = 8;

/// What the endpoint says to a body that it cannot take in.
fn bad_request() -> Effect {
    let body = r#"{"error":{"code":"InvalidPayload","message":"The request payload cannot be processed."}}"#.to_owned();
    Effect::Answer(Answer { status: 400, body, ..Answer::default() })
}

/// Some rows of the scene are refused with `effect` wherever they are.
fn refuse_rows(scene: &mut Scene, count: usize, effect: &Effect) {
    scene.buried = choose(scene, count);
    scene.dead_letters = count;
    for id in &scene.buried {
        scene.strike(with_row(Fault::new(Endpoint::Ingest, When::Always, effect.clone()), id));
    }
}

/// The refused rows lie in the dead letters, each by itself with what the endpoint said, and all others arrived.
async fn assert_set_aside(scene: &Scene, status: u16, reason: &str) {
    let letters = scene.letters().await;
    assert_eq!(letters.len(), scene.buried.len());
    for letter in letters {
        assert_eq!(letter.kind, Kind::Row);
        assert!(letter.reason.contains(reason), "{}", letter.reason);
        let row: serde_json::Value = serde_json::from_str(letter.body.as_deref().unwrap()).unwrap();
        assert!(scene.buried.iter().any(|id| row["AuditRecordId"] == id.as_str()), "{row}");
    }
    assert_eq!(scene.missing().len(), scene.buried.len(), "the run sent all the others");
    let posts = answered_with(scene, status);
    let most = scene.buried.len() as u64 * (HALVINGS + 1);
    assert!(posts <= most, "{posts} posts with {status} for {} rows, at most {most}", scene.buried.len());
}

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("ingestion", "400 for one bad row among thousands", 300, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                refuse_rows(&mut scene, 1, &bad_request());
                scene.tick_answering(200).await;
                assert_set_aside(&scene, 400, "InvalidPayload").await;
                scene
            })
        }),
        Case::new("ingestion", "400 for a dozen bad rows in several batches", 301, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                refuse_rows(&mut scene, 12, &bad_request());
                scene.tick_answering(200).await;
                assert_set_aside(&scene, 400, "InvalidPayload").await;
                scene
            })
        }),
        Case::new("ingestion", "400 for every row, for two runs", 302, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Always, bad_request()));
                for run in 1..=2 {
                    let said = scene.tick_answering(500).await.body.to_string();
                    assert!(said.contains("LOGS_DCR_STREAM_NAME"), "{said}");
                    // Ten rows by themselves and one of each half that is left, then it is not the rows.
                    let most = run * BATCHES * 2 * (SYSTEMATIC_AFTER as u64 + HALVINGS);
                    let posts = answered_with(&scene, 400);
                    assert!(posts <= most, "{posts} posts in {run} runs, at most {most}");
                }
                assert_eq!((arrived(&scene), scene.letters().await.len()), (0, 0), "nothing is given up");
                scene
            })
        }),
        Case::new("ingestion", "413 for every post over 200 KB", 303, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                let effect = Effect::status(413);
                scene.strike(Fault::new(Endpoint::Ingest, When::Always, effect).longer_than(200_000));
                scene.tick_answering(200).await;
                assert_eq!(scene.missing(), [""; 0]);
                // A batch has 1 MB: it is halved three times, which is seven posts too large.
                let (refused, posts) = (answered_with(&scene, 413), answered_with(&scene, 204));
                assert!(refused < posts, "{refused} posts were too large for {posts} that were not");
                scene
            })
        }),
        Case::new("ingestion", "413 for a row by itself", 304, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                refuse_rows(&mut scene, 2, &Effect::status(413));
                scene.tick_answering(200).await;
                assert_set_aside(&scene, 413, "too many bytes").await;
                scene
            })
        }),
        Case::new("ingestion", "400 for bad rows and answers lost at once", 305, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                refuse_rows(&mut scene, 3, &bad_request());
                scene.strike(Fault::new(Endpoint::Ingest, When::Nth(2), Effect::LoseAnswer));
                scene.tick_answering(200).await;
                assert_eq!(scene.missing().len(), 3);
                scene
            })
        }),
    ]
}
