//! Rows and records that are sent again.

use labelstream::{
    content::{Content, ContentType as Kind},
    dead_letter::{COUNTED_AT_MOST, DeadLetter, Kind as Letter, name},
};
use labelstream_simulator::{ContentType, Effect, Endpoint, When};
use time::OffsetDateTime;

use crate::world::{World, minutes_ago};

const REPLAY: [&str; 3] = ["dead-letters", "replay", "--all"];

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_sent_once_and_their_letters_removed() {
    for world in [World::in_a_folder().await, World::in_a_container().await] {
        world.refuse_rows(3).await;
        let (lines, said) = world.expect(0, &[&REPLAY[..], &["--dry-run"]].concat()).await;
        assert!(lines.lines().count() == 3 && said.contains("3 rows would be sent"), "{lines} {said}");
        assert_eq!((world.simulator.report().missing, world.letters().await.len()), (3, 3), "a dry run sends nothing");
        let (lines, said) = world.expect(0, &REPLAY).await;
        assert_eq!(lines.lines().filter(|line| line.ends_with("rows sent: 1")).count(), 3, "{lines}");
        assert!(said.contains("3 rows sent; 3 dead letters removed, 0 stay, 0 are new. 0 lie there now."), "{said}");
        world.assert_delivered();
        assert_eq!(world.letters().await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_named_is_sent() {
    let world = World::in_a_folder().await;
    world.refuse_rows(2).await;
    let kept = world.letters().await.remove(1).0;
    let first = name(&world.letters().await[0].0).to_owned();
    world.expect(0, &["dead-letters", "replay", &first]).await;
    assert_eq!(world.letters().await.iter().map(|(key, _)| key).collect::<Vec<_>>(), [&kept]);
    assert_eq!(world.simulator.report().missing, 1);
    world.expect(0, &["dead-letters", "replay", "row-"]).await;
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_again_stays_with_its_new_reason() {
    let world = World::in_a_folder().await;
    world.refuse_rows(2).await;
    let before = world.letters().await;
    let body = r#"{"error":{"code":"InvalidPayload","message":"still no good"}}"#.to_owned();
    let refused = Effect::Answer(labelstream_simulator::Answer { status: 400, body, ..Default::default() });
    // Both rows together, and then each by itself.
    world.fault(Endpoint::Ingest, When::First(3), refused);
    let (lines, said) = world.expect(1, &REPLAY).await;
    assert_eq!(lines.lines().filter(|line| line.contains("stays: ") && line.contains("still no good")).count(), 2);
    assert!(said.contains("2 stay, 0 are new. 2 lie there now."), "{said}");
    let after = world.letters().await;
    for ((key, old), (same, new)) in before.iter().zip(&after) {
        assert_eq!((key, old.tries, &old.body), (same, 1, &new.body));
        assert!(new.tries == 2 && new.at > old.at && new.reason.contains("still no good"), "{new:?}");
    }
    world.simulator.clear_faults();
    world.expect(0, &REPLAY).await;
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_row_that_is_refused_stops_no_other() {
    let world = World::in_a_folder().await;
    world.refuse_rows(4).await;
    // All four, the first two, and the first by itself.
    world.fault(Endpoint::Ingest, When::First(3), Effect::status(400));
    let (_, said) = world.expect(1, &REPLAY).await;
    assert!(said.contains("3 rows sent; 3 dead letters removed, 1 stay"), "{said}");
    assert_eq!((world.letters().await.len(), world.simulator.report().missing), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_refuses_the_identity_leaves_every_letter_as_it_was() {
    let world = World::in_a_folder().await;
    world.refuse_rows(2).await;
    let before = world.letters().await;
    world.fault(Endpoint::Ingest, When::Always, Effect::not_granted());
    let (lines, said) = world.expect(1, &REPLAY).await;
    assert!(said.contains("Monitoring Metrics Publisher") && lines.contains("left as it is"), "{lines} {said}");
    assert_eq!(world.letters().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_sent_again_is_known_when_the_service_delivers_it_again() {
    let world = World::in_a_folder().await;
    let content = world.simulator.publish(ContentType::General, minutes_ago(20), 2, 0);
    world.fault(Endpoint::Ingest, When::First(2), Effect::status(400));
    world.expect(0, &["pull"]).await;
    world.simulator.clear_faults();
    // While the letter lies there the record is known, so that it is not refused anew.
    world.simulator.list_again(&content.id, None, minutes_ago(10), false).unwrap();
    world.expect(0, &["pull"]).await;
    assert_eq!((world.letters().await.len(), world.simulator.report().missing), (1, 1));
    world.expect(0, &REPLAY).await;
    world.simulator.list_again(&content.id, Some(ContentType::Exchange), minutes_ago(5), false).unwrap();
    world.expect(0, &["pull"]).await;
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_long_ago_is_remembered_from_its_replay_on() {
    let world = World::in_a_folder().await;
    world.refuse_rows(1).await;
    // As after nine days: the records of that time are forgotten.
    for entry in world.store().list(&format!("{}/records/", world.tenant())).await.unwrap() {
        world.store().delete(&entry.key).await.unwrap();
    }
    let (_, letter) = world.letters().await.remove(0);
    world.expect(0, &REPLAY).await;
    world.assert_delivered();
    let row: serde_json::Value = serde_json::from_str(letter.body.as_deref().unwrap()).unwrap();
    let id = row["AuditRecordId"].as_str().unwrap();
    let id = labelstream::record::Key::of_id(id).unwrap().0;
    let log = world.store().list(&format!("{}/records/", world.tenant())).await.unwrap().remove(0);
    let (log, _) = world.store().get(&log.key).await.unwrap().unwrap();
    assert!(log.as_chunks::<16>().0.contains(&id), "a run would send it again");
}

/// Letters of records as an earlier version left them, which could not read what this one reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_read_filtered_and_sent_by_the_present_code() {
    let world = World::in_a_folder().await;
    let label = |id: &str| format!(r#"{{{id}"RecordType":83,"CreationTime":"2026-11-20T10:00:00","Operation":"x"}}"#);
    let (known, nameless) = (label(r#""Id":"6b9f9c3e-98a2-4f5f-8c0a-1d1e6f6f0001","#), label(""));
    let content = world.simulator.publish_records(ContentType::General, minutes_ago(20), [known.clone()]);
    let tenant = world.tenant();
    let content = Content {
        content_type: Kind::General,
        id: content.id.clone(),
        uri: format!("{}/api/v1.0/{tenant}/activity/feed/audit/{}", world.simulator.base(), content.id),
        created: content.created,
        expires: None,
    };
    let other = r#"{"Id":"a","RecordType":6,"Operation":"FileAccessed"}"#;
    let at = OffsetDateTime::now_utc();
    let letter =
        |body: &str| DeadLetter::bytes(Letter::Record, Some(content.clone()), body.as_bytes(), "no".into(), at);
    let cut = DeadLetter { cut: true, ..letter("{\"Id\":") };
    for letter in [letter(&known), letter(&nameless), letter(other), letter("17"), letter(""), cut] {
        world.put(&letter).await;
    }
    let (lines, said) = world.expect(1, &REPLAY).await;
    assert!(said.contains("2 rows sent; 3 dead letters removed, 3 stay, 0 are new. 3 lie there now."), "{said}");
    assert_eq!(lines.lines().filter(|line| line.contains("the record is ")).count(), 3, "{lines}");
    let rows: Vec<_> = world.simulator.rows();
    assert!(rows.iter().all(|row| row.get().contains(&content.id)), "they tell their content: {rows:?}");
    assert_eq!(world.letters().await.iter().map(|(_, letter)| letter.tries).collect::<Vec<_>>(), [2, 2, 2]);
    // The content itself is listed as ever: what was sent is known.
    world.expect(0, &["pull"]).await;
    let report = world.simulator.report();
    assert!(report.is_clean() && report.totals.rows == 2, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_tells_the_new_letters_and_all_of_them() {
    let world = World::in_a_folder().await;
    world.refuse_rows(2).await;
    world.simulator.publish_records(ContentType::General, minutes_ago(5), ["17"]);
    let (_, said) = world.expect(0, &["pull"]).await;
    assert!(said.contains("1 dead letters (3 lie there in all)"), "{said}");
    let (_, said) = world.expect(0, &["pull"]).await;
    assert!(said.contains("0 dead letters (3 lie there in all)"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_letters_than_are_counted_are_counted_anew_once_they_are_fewer() {
    let world = World::in_a_folder().await;
    let folder = world.state_folder().join(world.tenant()).join("dead-letters");
    std::fs::create_dir_all(&folder).unwrap();
    // Written past the store, which makes each of them durable.
    for number in 0..=COUNTED_AT_MOST {
        let row = format!(r#"{{"AuditRecordId":"{number}","TimeGenerated":"2026-11-22T19:00:00Z"}}"#);
        let letter = DeadLetter::bytes(Letter::Row, None, row.as_bytes(), "no".into(), OffsetDateTime::now_utc());
        let file = folder.join(format!("{}.json", name(&letter.key(world.tenant()))));
        std::fs::write(file, serde_json::to_vec(&letter).unwrap()).unwrap();
    }
    let (_, said) = world.expect(0, &["pull"]).await;
    assert!(said.contains("0 dead letters (5000 or more lie there in all)"), "{said}");
    let (_, said) = world.expect(0, &["dead-letters", "replay", "row-0", "row-1"]).await;
    let left = world.letters().await.len();
    assert!((1_000..COUNTED_AT_MOST).contains(&left) && said.contains(&format!(" {left} lie there now.")), "{said}");
}
