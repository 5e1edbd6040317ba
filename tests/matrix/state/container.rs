//! The state container is not there.

use axum::http::Method;
use labelstream_simulator::When;

use super::begin_in_the_middle;
use crate::{
    case::Case,
    scene::Doubles,
    storage::{StorageFault, Trouble},
};

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("state", "container missing, and not to be made for a while", 400, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                // What the service says for half a minute after a container of this name was deleted.
                let trouble = Trouble::Refused(409, "ContainerBeingDeleted");
                let (method, matching) = (Some(Method::PUT), "restype=container");
                scene.strike_storage(StorageFault { method, matching, when: When::Always, trouble });
                scene.tick_answering(500).await;
                assert_eq!(scene.world.simulator.report().totals.posts, 0, "nothing is sent without a lock");
                scene
            })
        }),
        Case::new("state", "container deleted between two runs", 401, |mut scene| {
            Box::pin(async move {
                scene.publish_batches();
                scene.tick_answering(200).await;
                let sent = scene.world.simulator.report().totals.rows;
                scene.world.delete_container().await;
                scene.world.simulator.state_lost();
                scene.struck = 1;
                // Nothing is known any more: all that the feed serves comes again, once.
                scene.doubles = Doubles::Exactly(sent);
                scene.publish_more();
                scene.tick_answering(200).await;
                scene
            })
        }),
        Case::new("state", "container deleted in the middle of a run", 402, |mut scene| {
            Box::pin(async move {
                begin_in_the_middle(&mut scene).await;
                scene.world.delete_container().await;
                let answered = scene.end_answering(500).await;
                let said = answered.body.to_string();
                assert!(said.contains("state: "), "{said}");
                assert!(scene.world.simulator.report().missing > 0, "it stopped sending");
                scene.world.simulator.state_lost();
                scene.struck = 1;
                scene.doubles = Doubles::Excused;
                scene
            })
        }),
    ]
}
