//! Runs that are shorter than what they have to do.

use std::time::{Duration, Instant};

use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, When};

use crate::{case::Case, world::minutes_ago};

/// The shortest budget that the settings allow, in seconds.
const SHORTEST: u64 = 10;

/// When a run of the shortest budget must have been answered, on however busy a machine.
const ANSWERED: Duration = Duration::from_secs(SHORTEST + 5);

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("process", "a budget shorter than one content takes", 530, |mut scene| {
            Box::pin(async move {
                scene.world.set("RUN_BUDGET_SECONDS", &SHORTEST.to_string());
                scene.world.publish_an_hour(4);
                let large = scene.world.simulator.publish(ContentType::Exchange, minutes_ago(30.0), 200, 0);
                // Twenty seconds and more for its body.
                let slow = Effect::SlowBody { piece: 1_000, pause_ms: 2_000 };
                scene.strike(Fault::new(Endpoint::Retrieve, When::Always, slow).matching(&large.id));
                for _ in 0..2 {
                    let begun = Instant::now();
                    let answered = scene.tick().await;
                    assert!(begun.elapsed() < ANSWERED, "{:?}", begun.elapsed());
                    assert_eq!(answered.status, 200, "{answered:?}");
                    let report = scene.world.simulator.report();
                    assert!(report.missing > 0 && report.missing <= 200, "the others arrived: {}", report.missing);
                }
                scene
            })
        }),
        Case::new("process", "a budget shorter than one post takes", 531, |mut scene| {
            Box::pin(async move {
                scene.world.set("RUN_BUDGET_SECONDS", &SHORTEST.to_string());
                scene.publish_batches();
                scene.strike(Fault::new(Endpoint::Ingest, When::First(3), Effect::DelayAnswer(20_000)));
                let begun = Instant::now();
                let answered = scene.tick().await;
                assert!(begun.elapsed() < ANSWERED, "{:?}", begun.elapsed());
                // What was left over is no failure; the batches whose answer did not come go out again.
                assert_eq!(answered.status, 200, "{answered:?}");
                assert!(scene.world.simulator.report().totals.posts >= 3);
                scene
            })
        }),
        Case::new("process", "a budget shorter than the backlog takes", 532, |mut scene| {
            Box::pin(async move {
                scene.world.set("RUN_BUDGET_SECONDS", &SHORTEST.to_string());
                for _ in 0..14 {
                    scene.publish_batches();
                }
                scene.strike(Fault::new(Endpoint::Retrieve, When::Always, Effect::Delay(1_500)));
                let begun = Instant::now();
                let answered = scene.tick_answering(200).await;
                assert!(begun.elapsed() < ANSWERED, "{:?}", begun.elapsed());
                let report = scene.world.simulator.report();
                assert!(report.arrived > 0 && report.missing > 0, "it ended in the middle: {report:?}");
                let logs = answered.logs();
                let left = logs.iter().any(|line| line.contains(" unfinished.") && !line.contains(", 0 unfinished."));
                assert!(left, "it says what is left: {logs:?}");
                scene.clear_faults();
                // Each run begins where the one before was saved.
                let mut missing = report.missing;
                while missing > 0 {
                    scene.tick_answering(200).await;
                    let left = scene.world.simulator.report().missing;
                    assert!(left < missing, "a run brought nothing: {left} of {missing} are left");
                    missing = left;
                }
                scene
            })
        }),
    ]
}
