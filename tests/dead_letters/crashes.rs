//! Replays that are killed, lose an answer, or whose storage fails between two steps.

use std::{collections::HashSet, sync::Arc, time::Duration};

use labelstream::{
    dead_letter::Selection,
    pull::{Budget, Request, RunFailed, Summary},
    record::Key,
    state::Store as _,
};
use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, When};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    inside::{Failing, Inside},
    world::{World, ended, minutes_ago, texts, until},
};

const REPLAY: [&str; 3] = ["dead-letters", "replay", "--all"];

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_the_answer_is_awaited_doubles_those_rows_alone() {
    let world = World::in_a_folder().await;
    world.refuse_rows(3).await;
    let arrived = world.simulator.report().arrived;
    world.fault(Endpoint::Ingest, When::First(1), Effect::DelayAnswer(600_000));
    let mut replay = world.start(&REPLAY);
    until("the rows arrive", || world.simulator.report().arrived == arrived + 3).await;
    replay.kill().unwrap();
    ended(replay).await;
    assert_eq!(world.letters().await.len(), 3, "nothing was removed before its answer was saved");
    let (_, said) = world.expect(0, &REPLAY).await;
    assert!(said.contains("3 dead letters removed"), "{said}");
    until("the simulator knows that nobody waits", || world.simulator.report().surplus_rows_excused == 3).await;
    let report = world.simulator.report();
    assert!(report.is_clean() && report.surplus_rows == 3, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_the_rows_arrive_loses_nothing_and_doubles_nothing() {
    let world = World::in_a_folder().await;
    world.refuse_rows(3).await;
    let posts = world.asked(Endpoint::Ingest);
    world.fault(Endpoint::Ingest, When::First(1), Effect::Delay(600_000));
    let mut replay = world.start(&REPLAY);
    until("the POST is under way", || world.asked(Endpoint::Ingest) > posts).await;
    replay.kill().unwrap();
    ended(replay).await;
    assert_eq!(world.letters().await.len(), 3);
    world.expect(0, &REPLAY).await;
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_a_letter_is_removed_sends_nothing_again() {
    let world = World::in_a_folder().await;
    world.refuse_rows(2).await;
    let letters = world.letters().await;
    world.expect(0, &REPLAY).await;
    // As if the process had ended after it saved the ids.
    for (_, letter) in &letters {
        world.put(letter).await;
    }
    let (lines, said) = world.expect(0, &REPLAY).await;
    assert_eq!(lines.lines().filter(|line| line.contains("nothing to send: known already")).count(), 2, "{lines}");
    assert!(said.contains("0 rows sent; 2 dead letters removed"), "{said}");
    assert_eq!(world.letters().await, []);
    world.assert_delivered();
}

/// The records that are remembered as delivered.
async fn saved(world: &World) -> HashSet<[u8; 16]> {
    let store = world.store();
    let mut ids = HashSet::new();
    for entry in store.list(&format!("{}/records/", world.tenant())).await.unwrap() {
        ids.extend(store.get(&entry.key).await.unwrap().unwrap().0.as_chunks::<16>().0);
    }
    ids
}

/// Killed again and again: between batches, answers, saves and removals.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_killed_over_and_over_loses_nothing_and_sends_nothing_again_that_was_saved() {
    let world = World::in_a_folder().await;
    world.expire_contents(12, 400).await;
    world.fault(Endpoint::Ingest, When::Always, Effect::DelayAnswer(40));
    let mut kills = Vec::new();
    for kill in 0..6 {
        let (rows, ids) = (world.simulator.report().totals.rows, saved(&world).await.len());
        let mut replay = world.start(&REPLAY);
        // Before the answer, and once its rows are saved, in turn.
        while replay.try_wait().unwrap().is_none()
            && if kill % 2 == 0 {
                world.simulator.report().totals.rows == rows
            } else {
                saved(&world).await.len() == ids
            }
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        replay.kill().unwrap();
        ended(replay).await;
        kills.push((world.simulator.rows().len(), saved(&world).await));
    }
    world.expect(0, &REPLAY).await;
    let report = world.simulator.report();
    assert_eq!((report.published, report.missing, report.unexpected), (12 * 400, 0, 0), "{report:?}");
    assert_eq!(world.letters().await, []);
    let rows: Vec<_> = world.simulator.rows().iter().map(|row| id(row.get())).collect();
    for (arrived, saved) in &kills {
        assert!(!rows[*arrived..].iter().any(|id| saved.contains(id)), "it was saved, and is sent again");
    }
    assert!(kills.iter().any(|(_, saved)| !saved.is_empty()), "it was killed too early every time");
}

/// By what the record of a row is remembered.
fn id(row: &str) -> [u8; 16] {
    let row: Value = serde_json::from_str(row).unwrap();
    Key::of_id(row["AuditRecordId"].as_str().unwrap()).unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_doubles_that_batch_alone() {
    let world = World::in_a_folder().await;
    world.refuse_rows(2).await;
    world.fault(Endpoint::Ingest, When::First(1), Effect::LoseAnswer);
    world.expect(0, &REPLAY).await;
    let report = world.simulator.report();
    assert!(report.is_clean() && report.surplus_rows == 2, "{report:?}");
    assert_eq!(world.letters().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_replay_saved_with_its_status() {
    let world = World::in_a_folder().await;
    // More than are fetched at once, so that some are left.
    world.expire_contents(40, 5).await;
    world.fault(Endpoint::Retrieve, When::Always, Effect::Delay(500));
    let fetched = world.asked(Endpoint::Retrieve);
    let replay = world.start(&REPLAY);
    until("contents are asked for", || world.asked(Endpoint::Retrieve) >= fetched + 16).await;
    let told = std::process::Command::new("kill").args(["-s", "TERM", &replay.id().to_string()]).status().unwrap();
    assert!(told.success());
    let output = ended(replay).await;
    assert_eq!(output.status.code(), Some(143), "{:?}", texts(&output));
    let (lines, _) = texts(&output);
    let (sent, left) = (lines.matches("rows sent: 5").count(), lines.matches("left as it is").count());
    assert!(sent >= 16 && left > 0 && sent + left == 40, "{lines}");
    assert_eq!(world.letters().await.len(), left);
    world.simulator.clear_faults();
    world.expect(0, &REPLAY).await;
    world.assert_delivered();
}

/// A tenant with one row in the dead letters.
async fn with_a_row() -> Inside {
    let inside = Inside::new().await;
    inside.simulator.publish(ContentType::General, minutes_ago(20), 2, 0);
    inside.simulator.fault(Fault::new(Endpoint::Ingest, When::First(2), Effect::status(400))).unwrap();
    assert_eq!(inside.run(60).await.unwrap().dead_letters, 1);
    inside.simulator.clear_faults();
    inside
}

async fn replay(inside: &Inside) -> Result<Summary, RunFailed> {
    let request = Request::new(None, Budget::of(Duration::from_secs(60)));
    let connector = Arc::new(inside.connector());
    connector.replay(Selection::All, request, Duration::ZERO, CancellationToken::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_fails_between_two_steps_costs_no_row_twice() {
    for failing in [Failing::Refused, Failing::AnswerLost] {
        // Once only: the save at the end of the run makes good for it. Twice: another replay does.
        for times in [1, 2] {
            for (call, part) in [("append", "/records/"), ("delete", "/dead-letters/")] {
                let inside = with_a_row().await;
                (0..times).for_each(|_| inside.store.fail(call, part, 0, failing));
                let failed = replay(&inside).await.unwrap_err();
                assert!(inside.store.all_failed() && failed.to_string().contains("HTTP 503"), "{failed}");
                let again = replay(&inside).await.unwrap();
                assert!(inside.letters().await.is_empty(), "{call} {failing:?} {times}");
                // Where the ids were not saved after all, the row is one of the batch then in flight.
                let in_flight = (call, failing, times) == ("append", Failing::Refused, 2);
                assert_eq!(again.rows, u64::from(in_flight), "{call} {failing:?} {times}");
                let report = inside.simulator.report();
                assert_eq!((report.missing, report.surplus_rows), (0, u64::from(in_flight)), "{report:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_leaves_the_watermark_as_it_is() {
    let inside = with_a_row().await;
    let document = format!("{}/watermark.json", inside.simulator.tenant().id);
    let before = inside.store.get(&document).await.unwrap();
    replay(&inside).await.unwrap();
    assert_eq!(inside.store.get(&document).await.unwrap(), before);
    inside.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_does_not_count_fails_no_run() {
    for failing in [Failing::Refused, Failing::Hangs] {
        let inside = with_a_row().await;
        inside.store.fail("list", "/dead-letters/", 0, failing);
        let summary = inside.run(6).await.unwrap();
        assert_eq!(summary.dead_letters_in_all, None);
        assert!(summary.lines().concat().contains("how many lie there in all is not known"), "{summary:?}");
        assert_eq!(inside.run(6).await.unwrap().dead_letters_in_all.unwrap().to_string(), "1");
    }
}
