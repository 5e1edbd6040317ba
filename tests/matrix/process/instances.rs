//! Several processes over one state.

use labelstream_simulator::{Effect, Endpoint, Fault, When};

use crate::{case::Case, host::Host, scene::Doubles};

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("process", "two instances and a manual run at once, five times", 520, |mut scene| {
            Box::pin(async move {
                let other = std::sync::Arc::new(scene.world.start().await);
                let mut contents = 0;
                let mut refused = 0;
                scene.strike(Fault::new(Endpoint::Retrieve, When::Every(3), Effect::Delay(50)));
                for _ in 0..5 {
                    contents += scene.publish_batches();
                    scene.begin().await;
                    let beside = ["timer-later.http", "manual-empty.http"].map(|sample| {
                        let other = std::sync::Arc::clone(&other);
                        tokio::task::spawn_blocking(move || other.send(&crate::host::request(sample)))
                    });
                    let mut answers = vec![scene.end_answering(200).await];
                    for answer in beside {
                        answers.push(answer.await.unwrap());
                    }
                    refused += answers.iter().filter(|answer| is_refused(answer)).count() as u64;
                }
                assert!(refused >= 5, "they did not run at once: {refused}");
                scene.struck += refused;
                // Whoever came late took over what was left, and fetched nothing that another had.
                scene.clear_faults();
                scene.tick_once_free().await;
                assert_eq!(scene.calls(Endpoint::Retrieve), contents);
                scene
            })
        }),
        Case::new("process", "frozen for longer than its lock holds, while another takes over", 521, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                // The run has answers to wait for when it is frozen, and rows that are not posted yet.
                scene.strike(Fault::new(Endpoint::Retrieve, When::Every(2), Effect::Delay(100)));
                scene.strike(Fault::new(Endpoint::Ingest, When::Every(2), Effect::DelayAnswer(100)));
                scene.begin().await;
                assert!(scene.until(|scene| scene.calls(Endpoint::Ingest) >= 3).await);
                let (frozen, connection) = scene.take_host();
                frozen.signal("STOP");
                scene.sender().gone();
                scene.doubles = Doubles::Excused;
                scene.struck += 1;
                let (before, sender) = (scene.world.simulator.report(), scene.sender().clone());
                assert!(before.missing > 0, "it was not frozen in the middle");

                // Another one takes over once the lock has run out.
                let answered = scene.tick_once_free().await;
                assert_eq!(answered.status, 200, "{answered:?}");
                let taken_over = scene.world.simulator.report();
                assert_eq!(taken_over.missing, 0);

                frozen.signal("CONT");
                let (frozen, answered) = thawed(frozen, connection.unwrap()).await;
                assert_eq!(answered.status, 500);
                assert!(answered.body.to_string().contains("the lock is held by another run"), "{answered:?}");
                let after = scene.world.simulator.report();
                let late = after.totals.posts - taken_over.totals.posts;
                assert!(late <= 4, "{late} posts after it was thawed: more than were in flight");
                sender.back();

                // It goes on to be of use.
                scene.publish_more();
                let answered = crate::world::tick(frozen).await.1;
                assert_eq!(answered.status, 200, "{answered:?}");
                scene
            })
        }),
    ]
}

fn is_refused(answer: &crate::host::Answered) -> bool {
    answer.logs().concat().contains("Another run is under way")
}

async fn thawed(host: Host, connection: std::net::TcpStream) -> (Host, crate::host::Answered) {
    let waiting = tokio::task::spawn_blocking(move || {
        let answered = host.answer(connection);
        (host, answered)
    });
    waiting.await.unwrap()
}
