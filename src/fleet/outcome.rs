//! What becomes of a message once its run ended.

use std::time::Duration;

use crate::{
    pull::{RunError, RunFailed, Summary},
    state::LOCK_SECONDS,
};

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is done with: the timer asks for the next run.
    Done,
    /// The run left work that another can go on with at once: a message goes behind the others.
    Again,
    /// The lock was held by a process that is gone, as it seems: a message comes once that lock has run out.
    Later(Duration),
}

/// What becomes of the message of a run that did not fail. `dequeue_count` is how often it was handed over; `stopped`
/// says that the host is gone or going, which then hands the message over itself.
#[must_use]
pub fn after(summary: &Summary, dequeue_count: u64, stopped: bool) -> Next {
    if stopped {
        return Next::Done;
    }
    if summary.under_way {
        // Who holds the lock does the work, and puts the message again where some is left: two messages for one tenant
        // become one. But a message that comes for a second time may be that of the very run that held the lock, whose
        // process was killed.
        return if dequeue_count > 1 { Next::Later(Duration::from_secs(LOCK_SECONDS as u64)) } else { Next::Done };
    }
    // Where a whole run got nothing through, the next tick is soon enough.
    if leaves_work(summary) && got_on(summary) { Next::Again } else { Next::Done }
}

const fn got_on(summary: &Summary) -> bool {
    summary.contents_read > 0 || summary.rows > 0
}

/// Whether there is more to be read at once. What failed and is tried again by later runs is not.
fn leaves_work(summary: &Summary) -> bool {
    summary.cut_short || summary.content_types.values().any(|kind| kind.unfinished > 0)
}

/// Whether the state could not be used, so that no run began: the host tries the message again.
#[must_use]
pub fn never_began(failed: &RunFailed) -> bool {
    failed.summary.content_types.is_empty() && failed.errors.iter().all(|error| matches!(error, RunError::State(_)))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::{content::ContentType, pull::TypeSummary, state::StateError};

    fn summary(unfinished: usize) -> Summary {
        let kind = TypeSummary {
            listed_through: datetime!(2026-11-22 19:00 UTC),
            lag_seconds: 0,
            pending: 3,
            unfinished,
            last_content: None,
            range_through: None,
            range_stands_still: false,
        };
        Summary { content_types: [(ContentType::General, kind)].into(), ..Summary::default() }
    }

    #[test]
    fn a_run_that_left_work_and_got_on_is_followed_by_another() {
        let got_on = Summary { contents_read: 1, ..summary(0) };
        assert_eq!(after(&got_on, 1, false), Next::Done, "what failed waits for the next tick");
        assert_eq!(after(&Summary { cut_short: true, ..got_on.clone() }, 1, false), Next::Again);
        assert_eq!(after(&Summary { rows: 1, ..summary(1) }, 1, false), Next::Again);
        assert_eq!(after(&summary(1), 1, false), Next::Done, "throttled from begin to end");
        assert_eq!(after(&Summary { cut_short: true, ..got_on }, 1, true), Next::Done, "the host has the message");
    }

    #[test]
    fn a_message_beside_a_run_is_dropped_unless_it_may_be_the_killed_runs_own() {
        let held = Summary::of_another_run();
        assert_eq!(after(&held, 1, false), Next::Done);
        assert_eq!(after(&held, 2, false), Next::Later(Duration::from_secs(60)));
        assert_eq!(after(&held, 2, true), Next::Done);
    }

    #[test]
    fn a_run_that_never_began_is_told_from_one_that_failed() {
        let failed = |errors: Vec<RunError>, summary: Summary| RunFailed { errors, summary: Box::new(summary) };
        let away = || RunError::State(StateError::Unavailable { key: "k".to_owned(), reason: "away".to_owned() });
        assert!(never_began(&failed(vec![away()], Summary::default())));
        assert!(!never_began(&failed(vec![away()], summary(0))), "it is saved as far as it came");
        let broken = RunError::Broken("x".to_owned());
        assert!(!never_began(&failed(vec![away(), broken], Summary::default())));
    }
}
