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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::pull::{RunError, run::tests::run};

    /// Renews so often, and then hangs.
    #[derive(Debug)]
    struct Renewing(AtomicU32);

    #[async_trait]
    impl Lock for Renewing {
        async fn renew(&self) -> Result<(), StateError> {
            if self.0.fetch_sub(1, Ordering::SeqCst) == 0 {
                std::future::pending::<()>().await;
            }
            Ok(())
        }

        async fn release(&self) -> Result<(), StateError> {
            Ok(())
        }
    }

    fn ago(span: Duration) -> Instant {
        Instant::now().checked_sub(span).unwrap()
    }

    #[tokio::test]
    async fn a_renewal_is_counted_from_when_it_was_asked_for_and_due_from_when_the_lock_was() {
        let run = run(Instant::now());
        assert!(!run.holds_lock());
        let renewed = async {
            while !run.holds_lock() {
                tokio::task::yield_now().await;
            }
        };
        let lock = Renewing(AtomicU32::new(1));
        tokio::select! {
            () = keep(&run, &lock, ago(LOCK_RENEWAL)) => panic!("the lock is kept"),
            () = renewed => {}
        }
        assert!(!run.halt.is_cancelled());
    }

    #[tokio::test]
    async fn a_renewal_without_an_answer_ends_the_run_once_the_lock_may_have_run_out() {
        let taken = ago(HOLDS - Duration::from_millis(50));
        let run = run(taken + HOLDS);
        keep(&run, &Renewing(AtomicU32::new(0)), taken).await;
        assert!(taken.elapsed() >= HOLDS && run.halt.is_cancelled() && !run.may_save());
        assert!(matches!(run.take_errors()[..], [RunError::State(StateError::LockLost { .. })]));
    }
}
