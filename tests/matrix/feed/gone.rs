//! Contents that are listed and not served.

use std::sync::Arc;

use labelstream::dead_letter::Kind;
use labelstream_simulator::{ContentType, Effect, Endpoint, When, contents::Content};

use super::{letters, missing, publish, publish_an_hour, requests, strike_at};
use crate::{case::Case, scene::Scene, world::minutes_ago};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "contents have expired (AF20051)", 120, |scene| Box::pin(expired(scene))),
        Case::new("feed", "a content does not exist (AF20050)", 121, |scene| Box::pin(unknown(scene, "AF20050"))),
        Case::new("feed", "a content's id is not valid (AF20052)", 122, |scene| Box::pin(unknown(scene, "AF20052"))),
        Case::new("feed", "contents are listed some runs before they exist (AF20050)", 123, |scene| {
            Box::pin(listed_early(scene))
        }),
    ]
}

/// Loses one content of each content type, from among the others.
fn lose(scene: &Scene, published: &[Arc<Content>], code: &str) -> Vec<String> {
    let lost = ContentType::WITH_LABELS.map(|content_type| {
        let mut of = published.iter().filter(|content| content.content_type == content_type);
        of.nth(3).unwrap().id.clone()
    });
    assert!(lost.iter().all(|id| scene.world.simulator.lose(id, code)));
    lost.into()
}

/// The dead letters are these contents, with this code as the reason.
async fn assert_buried(scene: &Scene, ids: &[String], code: &str) {
    let letters = letters(scene).await;
    assert_eq!(letters.len(), ids.len(), "{letters:?}");
    for letter in letters {
        assert_eq!(letter.kind, Kind::Content);
        assert!(ids.contains(&letter.content.as_ref().unwrap().id) && letter.reason.contains(code), "{letter:?}");
    }
}

async fn expired(mut scene: Scene) -> Scene {
    let published = publish_an_hour(&mut scene);
    let lost = lose(&scene, &published, "AF20051");
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0, "the others arrive");
    assert_buried(&scene, &lost, "AF20051").await;
    let asked = requests(&scene, Endpoint::Retrieve);
    scene.tick_answering(200).await;
    assert_eq!(requests(&scene, Endpoint::Retrieve), asked, "they are asked for no more");
    (scene.dead_letters, scene.struck) = (3, 3);
    scene
}

/// Tried again for eight runs, as it may be the service's short fault, and given up at the ninth.
async fn unknown(mut scene: Scene, code: &str) -> Scene {
    let published = publish_an_hour(&mut scene);
    let lost = lose(&scene, &published, code);
    for run in 1..=9 {
        // A run tells that it is the content's own fault by the others that it reads.
        for content_type in ContentType::WITH_LABELS {
            publish(&mut scene, content_type, minutes_ago(5.0));
        }
        let answered = scene.tick_answering(200).await;
        assert_eq!(missing(&scene), 0, "run {run}: the others arrive");
        let waiting = answered.logs().concat().matches(" 1 contents to be tried again").count();
        assert_eq!(waiting, if run < 9 { 3 } else { 0 }, "run {run}: {answered:?}");
        scene.struck += 3;
    }
    assert_buried(&scene, &lost, code).await;
    let asked = requests(&scene, Endpoint::Retrieve);
    scene.tick_answering(200).await;
    assert_eq!(requests(&scene, Endpoint::Retrieve), asked, "they are asked for no more");
    scene.dead_letters = 3;
    scene
}

async fn listed_early(mut scene: Scene) -> Scene {
    let published = publish_an_hour(&mut scene);
    let early: Vec<_> = published.iter().filter(|content| content.content_type == ContentType::General).collect();
    for content in &early[1..4] {
        strike_at(&scene, Endpoint::Retrieve, &content.id, When::Always, Effect::af("AF20050"));
    }
    for _ in 0..4 {
        publish(&mut scene, ContentType::General, minutes_ago(5.0));
        let answered = scene.tick_answering(200).await;
        assert!(answered.logs().concat().contains(" 3 contents to be tried again"), "{answered:?}");
        assert!(missing(&scene) > 0);
    }
    scene
}
