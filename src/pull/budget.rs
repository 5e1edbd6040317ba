//! The times of a run: when it takes no more work, when it begins no more POSTs, and when it gives up what hangs.

use std::time::Duration;

use crate::ingestion::POST_TIMEOUT;

/// How long what was begun may take to become rows at the end of a run: some contents and a batch.
const LONGEST_FETCHING: Duration = Duration::from_secs(20);

/// How long what follows the last answer may take: dead letters, and saving the records.
const LONGEST_SETTLING: Duration = Duration::from_secs(2);

/// How long the last save may take: three writes to a storage that answers slowly.
const LONGEST_SAVING: Duration = Duration::from_secs(10);

/// How long a run may take, in steps. Each is counted from its begin, before it asked for its lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// From here on no content is begun; what is under way goes on.
    pub last_work: Duration,
    /// From here on no POST is begun, and nothing is waited for but the answers to those under way.
    pub last_post: Duration,
    /// How long a POST may still wait for its answer once no other is begun. To give it up means to send its rows again.
    pub last_answer: Duration,
    /// From here on nothing is waited for any more; what was answered is saved.
    pub last_wait: Duration,
    /// By then the run has been saved and answered.
    pub end: Duration,
}

impl Budget {
    /// The steps of a run that is to be answered after `end` at the latest. From 240 s on a POST has all of its
    /// [`POST_TIMEOUT`] at the end; shorter runs are scaled down.
    #[must_use]
    pub fn of(end: Duration) -> Self {
        let last_wait = end - (end / 8).min(LONGEST_SAVING);
        let last_answer = (end / 8).min(POST_TIMEOUT);
        let last_post = last_wait - last_answer - (end / 96).min(LONGEST_SETTLING);
        let last_work = last_post - (end / 12).min(LONGEST_FETCHING);
        Self { last_work, last_post, last_answer, last_wait, end }
    }

    /// A run that may take as long as it needs. Told to stop, it has the same times to end as one of 240 s.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::of(Duration::from_secs(365 * 86_400))
    }

    /// When a run that took no more work after `stopped` begins no more POSTs.
    #[must_use]
    pub fn last_post_after(&self, stopped: Duration) -> Duration {
        (stopped + (self.last_post - self.last_work)).min(self.last_post)
    }

    /// When a run that began no more POSTs after `halted` waits for nothing any more.
    #[must_use]
    pub fn last_wait_after(&self, halted: Duration) -> Duration {
        (halted + (self.last_wait - self.last_post)).min(self.last_wait)
    }

    /// When a run that nobody told to end must have been saved: it has what is left of its time. An eighth of the time of
    /// a save is left for giving back the lock.
    #[must_use]
    pub fn last_save(&self) -> Duration {
        self.end - (self.end - self.last_wait) / 8
    }

    /// When a run that was told to end, and waited for nothing any more after `waited`, must have been saved.
    #[must_use]
    pub fn last_save_after(&self, waited: Duration) -> Duration {
        let saving = self.end - self.last_wait;
        (waited + saving - saving / 8).min(self.last_save())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_default_leaves_time_for_a_whole_post_and_a_save() {
        let expected = Budget {
            last_work: seconds(178),
            last_post: seconds(198),
            last_answer: POST_TIMEOUT,
            last_wait: seconds(230),
            end: seconds(240),
        };
        assert_eq!(Budget::of(seconds(240)), expected);
    }

    #[test]
    fn a_run_without_a_limit_ends_after_a_signal_as_the_default_does() {
        let (unlimited, default) = (Budget::unlimited(), Budget::of(seconds(240)));
        assert_eq!(unlimited.last_answer, default.last_answer);
        for budget in [unlimited, default] {
            assert_eq!(budget.last_post_after(seconds(5)), seconds(25));
            assert_eq!(budget.last_wait_after(seconds(25)), seconds(57));
            assert_eq!(budget.last_save_after(seconds(57)), seconds(67) - Duration::from_millis(1250));
        }
    }

    proptest! {
        #[test]
        fn the_steps_keep_their_order_however_short_a_run_is_and_whenever_it_stops(
            end in 1_u64..100_000_000, stopped in 0_u64..100_000_000, early in 0_u64..100_000_000,
        ) {
            let budget = Budget::of(Duration::from_millis(end));
            prop_assert!(budget.last_work <= budget.last_post, "{budget:?}");
            prop_assert!(budget.last_post + budget.last_answer <= budget.last_wait, "{budget:?}");
            prop_assert!(budget.last_wait <= budget.end, "{budget:?}");
            let stopped = Duration::from_millis(stopped).min(budget.last_work);
            let halted = Duration::from_millis(early).min(budget.last_post_after(stopped));
            let waited = budget.last_wait_after(halted);
            prop_assert!(halted <= budget.last_post && waited <= budget.last_wait);
            prop_assert!(halted + budget.last_answer <= waited, "each POST has its time");
            let saved = budget.last_save_after(waited);
            prop_assert!(saved <= budget.last_save() && saved >= waited, "the save has its time");
            prop_assert!(budget.last_wait <= budget.last_save() && budget.last_save() <= budget.end);
        }
    }
}
