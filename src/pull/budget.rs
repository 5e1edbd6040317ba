//! The times of a run: when it takes no more work, and when it drops what it still waits for.

use std::time::Duration;

/// How long a run may take, in three steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// From here on no content is begun; what is under way goes on.
    pub last_work: Duration,
    /// From here on nothing is waited for any more; what was answered is saved.
    pub last_wait: Duration,
    /// By then the run has been saved and answered.
    pub end: Duration,
}

impl Budget {
    /// The steps of a run that is to be answered after `end` at the latest: an eighth of it (30 s at most) is for what
    /// is under way, and a sixteenth (10 s at most) for saving.
    #[must_use]
    pub fn of(end: Duration) -> Self {
        let saving = (end / 16).min(Duration::from_secs(10));
        let draining = (end / 8).min(Duration::from_secs(30));
        Self { last_work: end - saving - draining, last_wait: end - saving, end }
    }

    /// How long a POST under way at [`Budget::last_wait`] may still wait for its answer: half of what is left, so that
    /// the answer can be saved.
    #[must_use]
    pub fn last_answer(&self) -> Duration {
        ((self.end - self.last_wait) / 2).min(Duration::from_secs(5))
    }

    /// A run that may take as long as it needs.
    #[must_use]
    pub fn unlimited() -> Self {
        let long = Duration::from_secs(365 * 86_400);
        Self { last_work: long, last_wait: long, end: long + Duration::from_secs(20) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_leaves_time_to_drain_and_to_save() {
        let seconds = |s| Duration::from_secs(s);
        let expected = Budget { last_work: seconds(200), last_wait: seconds(230), end: seconds(240) };
        assert_eq!(Budget::of(seconds(240)), expected);
    }

    #[test]
    fn the_steps_keep_their_order_however_short_a_run_is() {
        for millis in [1, 100, 10_000, 3_600_000] {
            let budget = Budget::of(Duration::from_millis(millis));
            assert!(budget.last_work <= budget.last_wait && budget.last_wait <= budget.end, "{budget:?}");
        }
    }
}
