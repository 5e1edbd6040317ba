//! Connections that break.

use labelstream_simulator::{Effect, Endpoint, ResetAt, When};

use super::{missing, publish_an_hour, strike, strike_some};
use crate::{case::Case, scene::Scene};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "reset before the answer of a content", 20, |scene| {
            Box::pin(reset(scene, Endpoint::Retrieve, ResetAt::Before))
        }),
        Case::new("feed", "reset in the body of a content", 21, |scene| {
            Box::pin(reset(scene, Endpoint::Retrieve, ResetAt::InBody))
        }),
        Case::new("feed", "reset after the body of a content", 22, |scene| {
            Box::pin(reset(scene, Endpoint::Retrieve, ResetAt::AfterBody))
        }),
        Case::new("feed", "reset before the answer of a listing", 23, |scene| {
            Box::pin(reset(scene, Endpoint::List, ResetAt::Before))
        }),
        Case::new("feed", "reset in the body of a listing", 24, |scene| {
            Box::pin(reset(scene, Endpoint::List, ResetAt::InBody))
        }),
        Case::new("feed", "reset after the body of a listing", 25, |scene| {
            Box::pin(reset(scene, Endpoint::List, ResetAt::AfterBody))
        }),
    ]
}

async fn reset(mut scene: Scene, on: Endpoint, at: ResetAt) -> Scene {
    let published = publish_an_hour(&mut scene);
    if on == Endpoint::Retrieve {
        strike_some(&mut scene, &published, &Effect::Reset(at));
    } else {
        strike(&scene, on, When::Every(3), Effect::Reset(at));
    }
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0, "a run outlasts a broken connection");
    scene
}
