//! Contents and entries of listings that are fetched again.

use labelstream::{dead_letter::Kind, state::Expect, watermark::Document};
use labelstream_simulator::{Answer, ContentType, Effect, Endpoint, Fault, Spoil, When};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::world::{World, minutes_ago};

const REPLAY: [&str; 3] = ["dead-letters", "replay", "--all"];

/// Makes the next run look as far back as the feed lists.
async fn look_back(world: &World) {
    let key = format!("{}/watermark.json", world.tenant());
    let (body, _) = world.store().get(&key).await.unwrap().unwrap();
    let mut document = Document::parse(&body).unwrap();
    for watermark in document.content_types.values_mut() {
        (watermark.looked_day_back, watermark.looked_week_back) = (None, None);
    }
    world.store().put(&key, document.to_json().unwrap().into(), &Expect::Any).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_is_fetched_again_and_not_when_the_feed_lists_it_again() {
    for world in [World::in_a_folder().await, World::in_a_container().await] {
        world.expire_contents(1, 5).await;
        let fetched = world.asked(Endpoint::Retrieve);
        let (lines, said) = world.expect(0, &[&REPLAY[..], &["--dry-run"]].concat()).await;
        assert!(lines.contains("rows to send: 5") && said.contains("5 rows would be sent"), "{lines} {said}");
        assert_eq!(world.simulator.report().arrived, 0);
        let (lines, _) = world.expect(0, &REPLAY).await;
        assert!(lines.contains("rows sent: 5"), "{lines}");
        assert_eq!((world.letters().await.len(), world.asked(Endpoint::Retrieve)), (0, fetched + 2));
        world.assert_delivered();
        for _ in 0..2 {
            look_back(&world).await;
            world.expect(0, &["pull"]).await;
        }
        assert_eq!(world.asked(Endpoint::Retrieve), fetched + 2, "it was listed, and is known");
        world.assert_delivered();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_that_the_feed_serves_no_more_stays() {
    let world = World::in_a_folder().await;
    world.expire_contents(1, 5).await;
    world.fault(Endpoint::Retrieve, When::Always, Effect::af("AF20050"));
    let (lines, _) = world.expect(1, &REPLAY).await;
    assert!(lines.contains("stays: ") && lines.contains("AF20050"), "{lines}");
    let (_, letter) = world.letters().await.remove(0);
    assert!(letter.tries == 2 && letter.reason.contains("AF20050") && letter.content.is_some(), "{letter:?}");
    // It does not become a content that runs try again.
    world.simulator.clear_faults();
    let fetched = world.asked(Endpoint::Retrieve);
    world.expect(0, &["pull"]).await;
    assert_eq!(world.asked(Endpoint::Retrieve), fetched);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_rows_that_are_missing_are_sent() {
    let world = World::in_a_folder().await;
    let content = world.simulator.publish(ContentType::General, minutes_ago(20), 40, 0);
    // It breaks off in the middle, and then it is gone.
    world.fault(Endpoint::Retrieve, When::Nth(1), Effect::Spoil(Spoil::CutJson));
    world.fault(Endpoint::Retrieve, When::Nth(2), Effect::af("AF20051"));
    world.run(&["pull"]).await;
    world.simulator.clear_faults();
    let arrived = world.simulator.report().arrived;
    assert!(arrived > 5 && arrived < 35, "half of it: {arrived}");
    assert_eq!(world.letters().await[0].1.content.as_ref().unwrap().id, content.id);
    let (lines, _) = world.expect(0, &REPLAY).await;
    assert!(lines.contains(&format!("rows sent: {}", 40 - arrived)), "{lines}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_in_which_too_much_is_bad_stays_with_all_of_its_letters() {
    let world = World::in_a_folder().await;
    let label = r#"{"Id":"6b9f9c3e-98a2-4f5f-8c0a-1d1e6f6f0001","RecordType":83,"Operation":"x"}"#;
    let records = (0..120).map(|number| number.to_string()).chain([label.to_owned()]);
    world.simulator.publish_records(ContentType::General, minutes_ago(20), records);
    world.expect(0, &["pull"]).await;
    let before = world.letters().await;
    assert_eq!(before.len(), 101);
    let (_, said) = world.expect(1, &["dead-letters", "replay", "content-"]).await;
    assert!(said.contains("0 dead letters removed, 1 stay, 0 are new. 101 lie there now."), "{said}");
    let after = world.letters().await;
    assert_eq!(after.iter().filter(|(_, letter)| letter.tries == 2).count(), 1);
    let others = |letters: &[(String, _)]| letters.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    assert_eq!(others(&before), others(&after));
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_content_that_are_refused_are_letters_of_their_own() {
    let world = World::in_a_folder().await;
    world.expire_contents(1, 2).await;
    world.fault(Endpoint::Ingest, When::First(2), Effect::status(400));
    let (_, said) = world.expect(1, &REPLAY).await;
    assert!(said.contains("1 rows sent; 1 dead letters removed, 0 stay, 1 are new. 1 lie there now."), "{said}");
    assert_eq!(world.letters().await[0].1.kind, Kind::Row);
    world.simulator.clear_faults();
    world.expect(0, &REPLAY).await;
    world.assert_delivered();
}

/// Lists these entries in place of what there is.
fn list(world: &World, entries: &[Value]) {
    let page = Effect::Answer(Answer { status: 200, body: json!(entries).to_string(), ..Answer::default() });
    let fault = Fault::new(Endpoint::List, When::Always, page).matching("contentType=Audit.General");
    world.simulator.fault(fault).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_without_an_id_is_fetched_by_its_address_and_told_no_more() {
    let world = World::in_a_folder().await;
    let content = world.simulator.publish(ContentType::General, minutes_ago(20), 5, 0);
    let good = world.simulator.publish(ContentType::General, minutes_ago(10), 5, 0);
    let uri = |id: &str| format!("{}/api/v1.0/{}/activity/feed/audit/{id}", world.simulator.base(), world.tenant());
    let created = |at: OffsetDateTime| at.format(&Rfc3339).unwrap();
    let listed = json!({"contentId": good.id, "contentUri": uri(&good.id), "contentCreated": created(good.created)});
    let addressed = json!({"contentUri": uri(&content.id), "contentCreated": created(content.created)});
    let lost = json!({"contentId": "x", "contentCreated": created(content.created)});
    list(&world, &[listed.clone(), addressed.clone(), lost.clone()]);
    world.expect(1, &["pull"]).await;
    assert_eq!((world.letters().await.len(), world.simulator.report().missing), (2, 5));
    let (lines, said) = world.expect(1, &REPLAY).await;
    assert!(lines.contains("rows sent: 5"), "{lines}");
    assert!(lines.contains("stays: ") && lines.contains("no contentUri") && lines.contains("only trace"), "{lines}");
    assert!(said.contains("1 dead letters removed, 1 stay"), "{said}");
    world.assert_delivered();
    let letters = world.letters().await;
    assert!(letters.len() == 1 && letters[0].1.body.as_deref() == Some(&*lost.to_string()), "{letters:?}");
    // The feed lists it as it was for some days more, beside others, alone, and as it should be.
    let whole =
        json!({"contentId": content.id, "contentUri": uri(&content.id), "contentCreated": created(content.created)});
    for entries in [&[listed, addressed.clone()][..], &[addressed], &[whole]] {
        world.simulator.clear_faults();
        list(&world, entries);
        look_back(&world).await;
        world.expect(0, &["pull"]).await;
        assert_eq!(world.letters().await.len(), 1, "{entries:?}");
    }
    world.assert_delivered();
}
