//! What is shown of dead letters, and wrong use.

use labelstream::dead_letter::{DeadLetter, Kind, name};
use labelstream::state::Expect;
use time::{Duration, OffsetDateTime};

use crate::world::{World, json};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_there_is_said_and_no_failure() {
    for world in [World::in_a_folder().await, World::in_a_container().await] {
        for arguments in [&["list"][..], &["list", "--json"], &["replay", "--all"], &["replay", "--all", "--dry-run"]] {
            let (data, said) = world.expect(0, &[&["dead-letters"], arguments].concat()).await;
            assert!(data.is_empty() && said.contains("There are no dead letters"), "{data} {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_listed_newest_last_and_shown_with_their_body() {
    let world = World::in_a_folder().await;
    let at = OffsetDateTime::now_utc();
    for (number, age) in [(1, 5), (2, 9), (3, 7)] {
        let row =
            format!(r#"{{"AuditRecordId":"record-{number}","FeedContentType":"Audit.Exchange","ContentId":"c"}}"#);
        let reason = format!("not {number}\nand \x1b[2J not ever");
        world.put(&DeadLetter::bytes(Kind::Row, None, row.as_bytes(), reason, at - Duration::hours(age))).await;
    }
    let (lines, _) = world.expect(0, &["dead-letters", "list"]).await;
    let order: Vec<_> = lines.lines().map(|line| line.split("record-").nth(1).unwrap()[..1].to_owned()).collect();
    assert_eq!(order, ["2", "3", "1"], "{lines}");
    assert!(!lines.contains('\x1b') && lines.contains("not 2\\nand \\u{1b}[2J not ever"), "{lines}");
    let (lines, _) = world.expect(0, &["dead-letters", "list", "--json"]).await;
    let facts = json(&lines);
    assert_eq!(
        facts.iter().map(|facts| facts["recordId"].as_str().unwrap()).collect::<Vec<_>>(),
        ["record-2", "record-3", "record-1"]
    );
    assert_eq!((&facts[0]["kind"], &facts[0]["contentType"]), (&"row".into(), &"Audit.Exchange".into()));
    assert!(facts[0].get("body").is_none() && facts[0]["bytes"].as_u64() > Some(50), "{lines}");
    let (letter, _) = world.expect(0, &["dead-letters", "show", facts[0]["key"].as_str().unwrap()]).await;
    let letter: DeadLetter = serde_json::from_str(&letter).unwrap();
    assert!(letter.body.unwrap().contains("record-2"));
    let (_, said) = world.expect(2, &["dead-letters", "show", "row-"]).await;
    assert!(said.contains("several"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_use_is_2_and_sends_nothing() {
    let world = World::in_a_folder().await;
    world.refuse_rows(1).await;
    let posts = world.simulator.report().totals.posts;
    let key = name(&world.letters().await[0].0).to_owned();
    for arguments in [
        &["replay"][..],
        &["replay", "--all", &key],
        &["replay", &key, "row-nothing"],
        &["replay", ""],
        &["show", "content-"],
        &["list", "--state", "elsewhere"],
        &[],
    ] {
        let output = world.run(&[&["dead-letters"], arguments].concat()).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
    assert_eq!((world.simulator.report().totals.posts, world.letters().await.len()), (posts, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_and_harms_no_other() {
    let world = World::in_a_folder().await;
    world.refuse_rows(1).await;
    let key = format!("{}/dead-letters/row-00.json", world.tenant());
    world.store().put(&key, "{".into(), &Expect::Any).await.unwrap();
    let (lines, said) = world.expect(1, &["dead-letters", "list"]).await;
    assert!(lines.lines().count() == 1 && said.contains(&key), "{lines} {said}");
    assert_eq!(world.expect(0, &["dead-letters", "show", "row-00"]).await.0, "{\n");
    let (lines, _) = world.expect(1, &["dead-letters", "replay", "--all"]).await;
    assert!(lines.contains("row-00  stays: ") && lines.contains("rows sent: 1"), "{lines}");
    world.assert_delivered();
    assert_eq!(world.store().get(&key).await.unwrap().unwrap().0, "{", "it lies there as it was");
}
