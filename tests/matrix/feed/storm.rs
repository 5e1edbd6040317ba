//! Everything at once.

use labelstream_simulator::{Answer, Effect, Endpoint, ResetAt, RetryAfter, Spoil, When};

use super::{missing, publish_since, strike};
use crate::{case::Case, scene::Scene};

pub(super) fn cases() -> Vec<Case> {
    vec![Case::new("feed", "one request in ten meets a fault of any kind, for three runs", 180, |scene| {
        Box::pin(storm(scene))
    })]
}

/// What can strike a listing and a content alike.
fn either() -> Vec<Effect> {
    let html = Answer { status: 503, body: "<html>Service Unavailable</html>".to_owned(), ..Answer::default() };
    vec![
        Effect::Af { code: "AF429".to_owned(), retry_after: Some(RetryAfter::Seconds(1)) },
        Effect::throttled(RetryAfter::DateIn(1)),
        Effect::af("AF50000"),
        Effect::Answer(html),
        Effect::status(502),
        Effect::Reset(ResetAt::Before),
        Effect::Reset(ResetAt::InBody),
        Effect::Reset(ResetAt::AfterBody),
        Effect::Truncate { bytes: 150 },
        Effect::RevokeTokens,
        Effect::status(401),
        Effect::Delay(200),
        Effect::SlowBody { piece: 200, pause_ms: 20 },
    ]
}

fn for_listings() -> Vec<Effect> {
    let foreign = "https://elsewhere.example".to_owned();
    let own = vec![
        Effect::StaleNextPage,
        Effect::DuplicateListing,
        Effect::ForeignHost(foreign.clone()),
        Effect::ForeignPage(foreign),
        Effect::MalformedUri("no uri".to_owned()),
        Effect::af("AF20030"),
        Effect::af("AF20022"),
    ];
    [either(), own].concat()
}

fn for_contents() -> Vec<Effect> {
    let spoils =
        [Spoil::CutJson, Spoil::CutGzip, Spoil::BadGzip, Spoil::Html, Spoil::Empty, Spoil::Object, Spoil::Null];
    [either(), vec![Effect::af("AF20050")], spoils.map(Effect::Spoil).into()].concat()
}

async fn storm(mut scene: Scene) -> Scene {
    let mut seed = scene.seed << 8;
    for (on, effects) in [
        (Endpoint::List, for_listings()),
        (Endpoint::Retrieve, for_contents()),
        (Endpoint::ManagedIdentity, vec![Effect::status(500), Effect::Delay(300)]),
    ] {
        let share = 0.1 / effects.len() as f64;
        for effect in effects {
            seed += 1;
            strike(&scene, on, When::Share { share, seed }, effect);
        }
    }
    let mut left = 0;
    for run in 1..=3 {
        publish_since(&mut scene, 50.0, 50..60);
        let before = missing(&scene) - left;
        let answered = scene.tick().await;
        left = missing(&scene);
        // A listing that is refused for good leaves the whole run nothing to deliver; it then must say that it failed.
        let honest = answered.status == 500 || (answered.status == 200 && left < before);
        assert!(honest, "run {run} delivered nothing and does not say so: {answered:?}");
    }
    scene
}
