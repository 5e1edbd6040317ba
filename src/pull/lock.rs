//! The lock between runs: held as long as one goes on, on whatever machine.

use std::time::Duration;

use tokio::time::Instant;

use super::run::Run;
use crate::state::{LOCK_RENEWAL, LOCK_SECONDS, Lock, StateError};

/// How long a lock surely holds after the request that took or renewed it was begun, with a margin for the way of what
/// is sent at the last moment.
pub const HOLDS: Duration = Duration::from_secs(LOCK_SECONDS as u64 - 5);

/// The pause after a renewal that failed.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// Renews the lock, asked for at `taken`, until it is dropped, and tells the run how long it holds. A renewal that fails
/// is tried again while the lock still holds; once it may have run out the run fails, and this returns.
pub async fn keep(run: &Run, lock: &dyn Lock, taken: Instant) {
    let mut renewed = taken;
    let mut next = taken + LOCK_RENEWAL;
    loop {
        tokio::time::sleep_until(next).await;
        let tried = Instant::now();
        match tokio::time::timeout_at(renewed + HOLDS, lock.renew()).await {
            Ok(Ok(())) => {
                renewed = tried;
                run.hold_until(renewed + HOLDS);
                next = tried + LOCK_RENEWAL;
            }
            Ok(Err(error @ StateError::LockLost { .. })) => return run.fail(error.into()),
            Ok(Err(error)) if renewed.elapsed() < HOLDS => {
                tracing::warn!(%error, "the lock could not be renewed; trying again");
                next = Instant::now() + TRY_AGAIN;
            }
            Ok(Err(_)) | Err(_) => {
                // Nobody renewed it in time: the run finds out and fails, unless it did already.
                run.check_lock().ok();
                return;
            }
        }
    }
}
