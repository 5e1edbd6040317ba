//! A short soak.

use std::time::Duration;

use crate::{
    case::Case,
    play::{self, Plan},
    scene::Verdict,
};

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![Case::whole("process", "20 seconds of the soak: everything at once", 550, |seed| {
        Box::pin(async move {
            let outcome = play::play(Plan { length: Duration::from_secs(20), seed }, |_| ()).await;
            assert!(outcome.broken.is_empty(), "{outcome}");
            Verdict {
                struck: outcome.struck(),
                runs: outcome.runs(),
                kills: outcome.kills(),
                dead_letters: 0,
                buried: 0,
                time: outcome.time,
                report: outcome.report,
            }
        })
    })]
}
