//! Faults of the Management Activity API.

mod addresses;
mod bodies;
mod clocks;
mod connections;
mod gone;
mod late;
mod outages;
mod pages;
mod records;
mod repeats;
mod storm;
mod subscriptions;
mod throttling;
mod tokens;

use std::sync::Arc;

use labelstream::{
    content::ContentType as Kind,
    dead_letter::{self, DeadLetter},
    state::{Expect, Store as _},
    watermark::{Document, Watermark},
};
use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, When, contents::Content};

use crate::{case::Case, host::Answered, scene::Scene, world::minutes_ago};

/// The rows of this group.
pub fn cases() -> Vec<Case> {
    let groups = [
        throttling::cases(),
        outages::cases(),
        connections::cases(),
        bodies::cases(),
        tokens::cases(),
        pages::cases(),
        clocks::cases(),
        subscriptions::cases(),
        gone::cases(),
        late::cases(),
        repeats::cases(),
        records::cases(),
        addresses::cases(),
        storm::cases(),
    ];
    groups.into_iter().flatten().collect()
}

/// Publishes contents of each content type over the last hour: some pages of each, with amounts by the seed.
fn publish_an_hour(scene: &mut Scene) -> Vec<Arc<Content>> {
    publish_since(scene, 58.0, 7..15)
}

/// Publishes contents of each content type over the last week, some pages a day.
fn publish_a_week(scene: &mut Scene) -> Vec<Arc<Content>> {
    publish_since(scene, 6.9 * 24.0 * 60.0, 60..80)
}

/// Publishes so many contents of each content type, from so many minutes ago up to eight minutes ago.
fn publish_since(scene: &mut Scene, minutes: f64, contents: std::ops::Range<u32>) -> Vec<Arc<Content>> {
    let mut published = Vec::new();
    for content_type in ContentType::WITH_LABELS {
        let contents = scene.rng.u32(contents.clone());
        for number in 0..contents {
            let created = minutes_ago(minutes - (minutes - 8.0) * f64::from(number) / f64::from(contents));
            published.push(publish(scene, content_type, created));
        }
    }
    published
}

/// Publishes a content with some label events and noise.
fn publish(scene: &mut Scene, content_type: ContentType, created: time::OffsetDateTime) -> Arc<Content> {
    let (labels, noise) = (scene.rng.u32(2..7), scene.rng.u32(3..13));
    scene.world.simulator.publish(content_type, created, labels, noise)
}

/// Switches a fault on.
fn strike(scene: &Scene, on: Endpoint, when: When, effect: Effect) {
    scene.strike(Fault::new(on, when, effect));
}

/// Switches a fault on for the requests whose path and query hold `text`.
fn strike_at(scene: &Scene, on: Endpoint, text: &str, when: When, effect: Effect) {
    scene.strike(Fault::new(on, when, effect).matching(text));
}

/// Switches a fault on for every third content, for the first and maybe the second time that it is asked for. More than
/// two times within a run would be left to the next one.
fn strike_some(scene: &mut Scene, published: &[Arc<Content>], effect: &Effect) {
    for content in published.iter().skip(1).step_by(3) {
        let times = scene.rng.u64(1..=2);
        strike_at(scene, Endpoint::Retrieve, &content.id, When::First(times), effect.clone());
    }
}

/// Text that the listings of a content type hold.
fn listing_of(content_type: ContentType) -> String {
    format!("contentType={content_type}&")
}

/// Requests so far.
fn requests(scene: &Scene, endpoint: Endpoint) -> u64 {
    scene.world.simulator.requests().by_endpoint.get(&endpoint).copied().unwrap_or_default()
}

/// Answers of a status so far.
fn answers(scene: &Scene, endpoint: Endpoint, status: u16) -> u64 {
    let answers = scene.world.simulator.requests().answers;
    answers.get(&endpoint).and_then(|by_status| by_status.get(&status)).copied().unwrap_or_default()
}

/// Label events that have not arrived.
fn missing(scene: &Scene) -> u64 {
    scene.world.simulator.report().missing
}

/// Why a run failed, as it was answered.
fn error(answered: &Answered) -> String {
    assert_eq!(answered.status, 500, "{answered:?}");
    answered.body["error"].as_str().unwrap().to_owned()
}

/// The dead letters.
async fn letters(scene: &Scene) -> Vec<DeadLetter> {
    let store = scene.world.store();
    let mut letters = Vec::new();
    for entry in store.list(&dead_letter::prefix(&scene.world.simulator.tenant().id)).await.unwrap() {
        let (letter, _) = store.get(&entry.key).await.unwrap().unwrap();
        letters.push(serde_json::from_slice(&letter).unwrap());
    }
    letters
}

/// Changes the stored watermarks, as if time had passed.
async fn turn_back(scene: &Scene, change: impl Fn(&mut Watermark)) {
    let store = scene.world.store();
    let key = format!("{}/watermark.json", scene.world.simulator.tenant().id);
    let (body, _) = store.get(&key).await.unwrap().unwrap();
    let mut document = Document::parse(&body).unwrap();
    for kind in [Kind::General, Kind::SharePoint, Kind::Exchange] {
        change(document.content_types.get_mut(&kind).unwrap());
    }
    store.put(&key, document.to_json().unwrap().into(), &Expect::Any).await.unwrap();
}
