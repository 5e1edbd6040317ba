//! Runs that are told to end.

use labelstream_simulator::{Effect, Endpoint, Fault, When};

use crate::{case::Case, scene::Scene};

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("process", "SIGTERM in the middle of a run", 510, |mut scene| {
            Box::pin(async move {
                let contents = begin_in_the_middle(&mut scene).await;
                let (host, connection) = scene.take_host();
                host.signal("TERM");
                let status = tokio::task::spawn_blocking(move || host.ended()).await.unwrap();
                drop(connection);
                assert_eq!(status, Some(143), "128 and the signal's number, never 0");
                finish_without_fetching_twice(&mut scene, contents).await;
                scene
            })
        }),
        Case::new("process", "the host closes the connection in the middle of a run", 511, |mut scene| {
            Box::pin(async move {
                let contents = begin_in_the_middle(&mut scene).await;
                let (host, connection) = scene.take_host();
                drop(connection);
                let ended = tokio::task::spawn_blocking(move || {
                    while host.ended_runs() == 0 {
                        std::thread::sleep(std::time::Duration::from_millis(2));
                    }
                    host.lines()
                });
                let lines = ended.await.unwrap();
                assert!(lines.iter().any(|(_, line)| line.contains("the host closed the connection")), "{lines:?}");
                finish_without_fetching_twice(&mut scene, contents).await;
                scene
            })
        }),
    ]
}

/// A run that has fetched some contents, of many that take their time. Returns how many there are.
async fn begin_in_the_middle(scene: &mut Scene) -> u64 {
    let contents = scene.publish_batches() + scene.publish_batches() + scene.publish_batches();
    scene.strike(Fault::new(Endpoint::Retrieve, When::Always, Effect::Delay(150)));
    scene.begin().await;
    assert!(scene.until(|scene| scene.calls(Endpoint::Retrieve) >= 20).await);
    contents
}

/// What was read before the end was saved: each content is fetched once.
async fn finish_without_fetching_twice(scene: &mut Scene, contents: u64) {
    let before = scene.calls(Endpoint::Retrieve);
    assert!(before < contents, "it was not in the middle");
    assert!(scene.world.simulator.report().arrived > 0, "nothing of it was sent");
    scene.clear_faults();
    scene.tick_answering(200).await;
    assert_eq!(scene.calls(Endpoint::Retrieve), contents);
}
