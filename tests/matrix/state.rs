//! Faults of the storage.

use labelstream_simulator::When;

use crate::{
    case::Case,
    storage::{StorageFault, Trouble},
};

/// The rows of this group.
pub fn cases() -> Vec<Case> {
    vec![Case::new("state", "the answer to a save of records is lost", 40, |mut scene| {
        Box::pin(async move {
            scene.world.publish_an_hour(6);
            scene.strike_storage(StorageFault {
                method: None,
                matching: "/records/",
                when: When::Nth(2),
                trouble: Trouble::AnswerLost,
            });
            scene.tick().await;
            scene
        })
    })]
}
