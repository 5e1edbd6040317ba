//! Replays beside runs and beside each other.

use labelstream_simulator::{ContentType, Effect, Endpoint, When};

use crate::world::{World, ended, minutes_ago, texts, until};

const REPLAY: [&str; 3] = ["dead-letters", "replay", "--all"];

#[tokio::test(flavor = "multi_thread")]
async fn a_run_under_way_is_waited_for_or_told() {
    for world in [World::in_a_folder().await, World::in_a_container().await] {
        world.refuse_rows(2).await;
        world.simulator.publish(ContentType::General, minutes_ago(5), 3, 0);
        world.fault(Endpoint::List, When::Always, Effect::Delay(600_000));
        let listed = world.asked(Endpoint::List);
        let run = world.start(&["pull"]);
        until("the run lists", || world.asked(Endpoint::List) > listed).await;
        let (_, said) = world.expect(1, &[&REPLAY[..], &["--wait", "0"]].concat()).await;
        assert!(said.contains("A run is under way") && said.contains("RUN_BUDGET_SECONDS"), "{said}");
        assert_eq!(world.letters().await.len(), 2);
        let waiting = world.start(&REPLAY);
        let ended_by = std::process::Command::new("kill").args(["-s", "TERM", &run.id().to_string()]).status().unwrap();
        assert!(ended_by.success());
        ended(run).await;
        let output = ended(waiting).await;
        assert_eq!(output.status.code(), Some(0), "{:?}", texts(&output));
        world.simulator.clear_faults();
        world.expect(0, &["pull"]).await;
        world.assert_delivered();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replays_at_once_send_each_row_once() {
    for world in [World::in_a_folder().await, World::in_a_container().await] {
        world.refuse_rows(4).await;
        // The first is under way for a while when the second begins.
        world.fault(Endpoint::Ingest, When::Always, Effect::DelayAnswer(300));
        let replays = [world.start(&REPLAY), world.start(&REPLAY)];
        for replay in replays {
            let output = ended(replay).await;
            assert_eq!(output.status.code(), Some(0), "{:?}", texts(&output));
        }
        assert_eq!(world.letters().await.len(), 0);
        world.assert_delivered();
    }
}
