//! The lock between runs: held as long as one goes on, on whatever machine.

use std::time::Duration;

use tokio::time::Instant;

use super::run::Run;
use crate::state::{LOCK_RENEWAL, LOCK_SECONDS, Lock, StateError};

/// Renews the lock until it is dropped. A renewal that fails is tried again while the lock still holds; once it may have
/// run out, the run must stop sending.
pub async fn keep(run: &Run, lock: &dyn Lock) {
    // A margin for the answer's way: by then another run may hold it.
    let holds = Duration::from_secs(u64::from(LOCK_SECONDS)) - Duration::from_secs(5);
    let mut renewed = Instant::now();
    let mut pause = LOCK_RENEWAL;
    loop {
        tokio::time::sleep(pause).await;
        let tried = Instant::now();
        match tokio::time::timeout_at(renewed + holds, lock.renew()).await {
            Ok(Ok(())) => {
                renewed = tried;
                pause = LOCK_RENEWAL;
            }
            Ok(Err(error @ StateError::LockLost { .. })) => return run.fail(error.into()),
            Ok(Err(error)) if renewed.elapsed() < holds => {
                tracing::warn!(%error, "the lock could not be renewed; trying again");
                pause = Duration::from_secs(2);
            }
            Ok(Err(_)) | Err(_) => {
                return run.fail(StateError::LockLost { key: "lock".to_owned() }.into());
            }
        }
    }
}
