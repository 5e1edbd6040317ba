//! An endpoint that does not let the connector in, or is not there.

use std::net::TcpListener;

use labelstream_simulator::{Answer, Effect, Endpoint, Fault, When};

use super::{AT_ONCE, answered_with, arrived, publish_batches};
use crate::{case::Case, scene::Scene};

/// An error of the service, in the form of its bodies.
fn error(status: u16, code: &str, message: &str) -> Effect {
    let body = serde_json::json!({"error": {"code": code, "message": message}}).to_string();
    Effect::Answer(Answer { status, body, ..Answer::default() })
}

/// The endpoint takes nothing for so many runs: each is answered 500 and says `reason`, posts no more than what is in
/// flight at once, and gives nothing up.
async fn closed_for(scene: &mut Scene, runs: u64, effect: Effect, status: u16, reason: &str) {
    publish_batches(scene);
    scene.strike(Fault::new(Endpoint::Ingest, When::Always, effect));
    for run in 1..=runs {
        let said = scene.tick_answering(500).await.body.to_string();
        assert!(said.contains(reason), "{said}");
        let posts = answered_with(scene, status);
        assert!(posts <= run * AT_ONCE, "{posts} posts in {run} runs");
    }
    assert_eq!((arrived(scene), scene.letters().await.len()), (0, 0));
}

/// The endpoint refuses every third post: what was accepted beside it counts, and the run is answered 500.
async fn closed_now_and_then(scene: &mut Scene, effect: Effect, reason: &str) {
    publish_batches(scene);
    scene.strike(Fault::new(Endpoint::Ingest, When::Every(3), effect));
    let said = scene.tick_answering(500).await.body.to_string();
    assert!(said.contains(reason), "{said}");
    assert!(arrived(scene) > 0 && !scene.missing().is_empty(), "it struck in the middle");
    assert_eq!(scene.letters().await.len(), 0);
}

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("ingestion", "403 for the first runs: the role is not there yet", 310, |mut scene| {
            Box::pin(async move {
                closed_for(&mut scene, 4, Effect::not_granted(), 403, "Monitoring Metrics Publisher").await;
                scene
            })
        }),
        Case::new("ingestion", "403 in the middle of a run", 311, |mut scene| {
            Box::pin(async move {
                closed_now_and_then(&mut scene, Effect::not_granted(), "Monitoring Metrics Publisher").await;
                scene
            })
        }),
        Case::new("ingestion", "404: the rule is gone for two runs", 312, |mut scene| {
            Box::pin(async move {
                let gone = error(404, "NotFound", "Data collection rule with immutable Id 'dcr' not found.");
                closed_for(&mut scene, 2, gone, 404, "LOGS_DCR_RULE_ID").await;
                scene
            })
        }),
        Case::new("ingestion", "404 in the middle of a run: the stream is gone", 313, |mut scene| {
            Box::pin(async move {
                let gone = error(404, "InvalidStream", "The stream was not configured for the data collection rule.");
                closed_now_and_then(&mut scene, gone, "LOGS_DCR_STREAM_NAME").await;
                scene
            })
        }),
        Case::new("ingestion", "400 that names the stream: no row is to blame", 314, |mut scene| {
            Box::pin(async move {
                let gone = error(400, "InvalidStream", "The stream was not configured for the data collection rule.");
                closed_for(&mut scene, 2, gone, 400, "LOGS_DCR_STREAM_NAME").await;
                scene
            })
        }),
        Case::new("ingestion", "tokens revoked in the middle", 315, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Nth(3), Effect::RevokeTokens));
                scene.tick_answering(200).await;
                assert!((1..=AT_ONCE).contains(&answered_with(&scene, 401)));
                assert_eq!(scene.missing(), [""; 0], "with a new token the same run sends all");
                scene
            })
        }),
        Case::new("ingestion", "401 for two runs: new tokens are refused as well", 316, |mut scene| {
            Box::pin(async move {
                publish_batches(&scene);
                scene.strike(Fault::new(Endpoint::Ingest, When::Always, Effect::status(401)));
                for _ in 0..2 {
                    let said = scene.tick_answering(500).await.body.to_string();
                    assert!(said.contains("M365_CLOUD"), "{said}");
                }
                assert!(answered_with(&scene, 401) <= 2 * 2 * AT_ONCE, "each batch asks for one new token");
                assert_eq!((arrived(&scene), scene.letters().await.len()), (0, 0));
                scene
            })
        }),
        Case::new("ingestion", "redirects to a foreign host", 317, |mut scene| {
            Box::pin(async move {
                let foreign = TcpListener::bind(("127.0.0.1", 0)).unwrap();
                foreign.set_nonblocking(true).unwrap();
                let location = format!("http://{}/rows", foreign.local_addr().unwrap());
                publish_batches(&scene);
                for status in [307, 308, 302] {
                    let headers = vec![("Location".to_owned(), location.clone())];
                    let effect = Effect::Answer(Answer { status, headers, ..Answer::default() });
                    scene.strike(Fault::new(Endpoint::Ingest, When::Always, effect));
                    let said = scene.tick_answering(500).await.body.to_string();
                    assert!(said.contains("redirects are not followed"), "{said}");
                    scene.clear_faults();
                }
                let nobody = foreign.accept().map(drop).unwrap_err().kind();
                assert_eq!(nobody, std::io::ErrorKind::WouldBlock, "neither rows nor token reach the other host");
                assert_eq!((arrived(&scene), scene.letters().await.len()), (0, 0));
                scene
            })
        }),
    ]
}
