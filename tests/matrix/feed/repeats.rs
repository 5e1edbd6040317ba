//! What the feed delivers again.

use labelstream::state::Store as _;
use labelstream_simulator::{ContentType, Endpoint};
use time::{Duration, OffsetDateTime};

use super::{missing, publish_an_hour, publish_since, requests};
use crate::{case::Case, scene::Scene, world::minutes_ago};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "the same content on two pages of a listing", 140, |scene| Box::pin(on_two_pages(scene))),
        Case::new("feed", "the same content again five days later, under its id", 141, |scene| {
            Box::pin(five_days_later(scene, true))
        }),
        Case::new("feed", "the same content again five days later, under another id", 142, |scene| {
            Box::pin(five_days_later(scene, false))
        }),
        Case::new("feed", "the same records in another content", 143, |scene| Box::pin(in_another(scene, None))),
        Case::new("feed", "the same records in another content type", 144, |scene| {
            Box::pin(in_another(scene, Some(ContentType::Exchange)))
        }),
    ]
}

async fn on_two_pages(mut scene: Scene) -> Scene {
    let published = publish_an_hour(&mut scene);
    for content in &published {
        // Some stand on the page of the first one then, most on a later page.
        let created = content.created + Duration::seconds(scene.rng.i64(1..900));
        scene.world.simulator.list_again(&content.id, None, created, true).unwrap();
    }
    scene.struck += 1;
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    let expected = published.iter().map(|content| &content.id).collect::<std::collections::BTreeSet<_>>().len() as u64;
    assert!(requests(&scene, Endpoint::Retrieve) <= expected + 3, "each is fetched once, or twice around midnight");
    scene
}

/// As if five days had passed: the records are remembered as delivered then.
async fn five_days_pass(scene: &Scene) {
    let store = scene.world.store();
    let day = |at: OffsetDateTime| at.date().to_string();
    for entry in store.list(&format!("{}/records/", scene.world.simulator.tenant().id)).await.unwrap() {
        let (log, _) = store.get(&entry.key).await.unwrap().unwrap();
        let parts: Vec<&str> = entry.key.rsplitn(2, '/').collect();
        let (name, folder) = (parts[0], parts[1]);
        let then = day(minutes_ago(5.0 * 24.0 * 60.0));
        assert!(name.starts_with(&day(minutes_ago(0.0))), "it was delivered today: {name}");
        store.append(&format!("{folder}/{then}{}", &name[then.len()..]), 0, log).await.unwrap();
        store.delete(&entry.key).await.unwrap();
    }
}

async fn five_days_later(mut scene: Scene, same_id: bool) -> Scene {
    let published = publish_since(&mut scene, 5.2 * 24.0 * 60.0, 20..30);
    scene.tick_answering(200).await;
    let before = scene.world.simulator.report();
    assert_eq!(before.missing, 0);
    five_days_pass(&scene).await;
    // A process that started since then remembers nothing of its own.
    scene.restart().await;
    for content in published.iter().filter(|content| content.created < minutes_ago(4.0 * 24.0 * 60.0)) {
        let created = minutes_ago(3.0 + scene.rng.f64() * 30.0);
        scene.world.simulator.list_again(&content.id, None, created, same_id).unwrap();
        scene.struck += 1;
    }
    let answered = scene.tick_answering(200).await;
    assert!(!answered.logs()[0].starts_with("0 contents read"), "they are read again: {answered:?}");
    let after = scene.world.simulator.report();
    assert_eq!(after.totals.rows, before.totals.rows, "nothing is sent again: {answered:?}");
    scene
}

/// Some in the same run, so that they meet while the first is on its way, and some in a later one.
async fn in_another(mut scene: Scene, content_type: Option<ContentType>) -> Scene {
    let published = publish_an_hour(&mut scene);
    let again = |scene: &mut Scene, nth: usize| {
        for content in published.iter().skip(nth).step_by(2) {
            let created = content.created + Duration::seconds(scene.rng.i64(1..200));
            scene.world.simulator.list_again(&content.id, content_type, created, false).unwrap();
            scene.struck += 1;
        }
    };
    again(&mut scene, 0);
    scene.tick_answering(200).await;
    let report = scene.world.simulator.report();
    assert_eq!((report.missing, report.totals.rows), (0, report.published));
    again(&mut scene, 1);
    let answered = scene.tick_answering(200).await;
    assert!(!answered.logs()[0].starts_with("0 contents read"), "{answered:?}");
    assert_eq!(scene.world.simulator.report().totals.rows, report.published);
    scene
}
