//! Faults of the Management Activity API.

use labelstream_simulator::{Effect, Endpoint, Fault, RetryAfter, When};

use crate::case::Case;

/// The rows of this group.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "429 with Retry-After in seconds", 1, |mut scene| {
            Box::pin(async move {
                scene.world.publish_an_hour(6);
                let retry_after = Some(RetryAfter::Seconds(1));
                let effect = Effect::Af { code: "AF429".to_owned(), retry_after };
                scene.strike(Fault::new(Endpoint::Retrieve, When::Every(5), effect.clone()));
                scene.strike(Fault::new(Endpoint::List, When::Every(5), effect));
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("feed", "reset before the answer", 2, |mut scene| {
            Box::pin(async move {
                scene.world.publish_an_hour(6);
                let effect = Effect::Reset(labelstream_simulator::ResetAt::Before);
                scene.strike(Fault::new(Endpoint::Retrieve, When::Every(3), effect));
                scene.tick().await;
                scene
            })
        }),
    ]
}
