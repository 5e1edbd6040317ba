//! What to do after a failed try of one call: a pure decision.

use std::time::Duration;

use super::error::{FeedError, FeedErrorKind};
use crate::retry::{Backoff, Policy};

/// How long one call is kept up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Tries and pauses where the service or the network fails.
    pub failures: Policy,
    /// How often one call waits for throttling to end, beyond its first try.
    pub throttles: u32,
    /// How long the headers of an answer may take.
    pub answer: Duration,
    /// How long a body may send nothing.
    pub idle: Duration,
}

impl Patience {
    /// The patience with the real service. The pauses after failures add up to 15 s; slow answers and throttling may
    /// take longer than a run has, which drops the call then.
    pub const SERVICE: Self = Self {
        failures: Policy { tries: 5, first: Duration::from_secs(1), longest: Duration::from_secs(20) },
        throttles: 5,
        // Longer than what gateways grant the service behind them (half a minute to a minute as a rule).
        answer: Duration::from_secs(90),
        idle: Duration::from_secs(30),
    };

    /// The patience where a person waits for the answer: one more try after a failure, and no waiting for throttling.
    pub const ATTENDED: Self = Self {
        failures: Policy { tries: 2, ..Self::SERVICE.failures },
        throttles: 0,
        answer: Duration::from_secs(30),
        ..Self::SERVICE
    };
}

/// The longest wait that a failing service (not a throttling one) is granted by its `Retry-After`. What asks for more
/// is left to the next run.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// What follows a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try at once: with a new token, or as soon as the shared budget lets the call through.
    Again,
    /// Try after this pause.
    After(Duration),
    /// The error stands.
    GiveUp,
}

/// The tries of one call.
#[derive(Debug)]
pub struct Attempts {
    failures: Backoff,
    throttles_left: u32,
    token_renewed: bool,
}

impl Attempts {
    /// A call that was not tried yet.
    #[must_use]
    pub const fn new(patience: &Patience) -> Self {
        Self { failures: Backoff::new(patience.failures), throttles_left: patience.throttles, token_renewed: false }
    }

    /// Decides on the failure of the last try. `chance` (0 to 1) spreads the pauses.
    pub fn next(&mut self, error: &FeedError, chance: f64) -> Next {
        use FeedErrorKind::{Malformed, Server, Throttled, Transport};
        if error.refuses_token() {
            let renewed = std::mem::replace(&mut self.token_renewed, true);
            return if renewed { Next::GiveUp } else { Next::Again };
        }
        match error.kind() {
            // The budget pauses all workers for it. Under a success status it is found too late for that.
            Throttled { .. } if error.status() != Some(200) => match self.throttles_left.checked_sub(1) {
                Some(left) => {
                    self.throttles_left = left;
                    Next::Again
                }
                None => Next::GiveUp,
            },
            Throttled { .. } | Server { .. } | Transport | Malformed => {
                let asked = error.retry_after().unwrap_or_default();
                match self.failures.pause_with(chance) {
                    Some(pause) if asked <= LONGEST_RETRY_AFTER => Next::After(pause.max(asked)),
                    _ => Next::GiveUp,
                }
            }
            _ => Next::GiveUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Operation;

    fn failed(kind: FeedErrorKind) -> FeedError {
        FeedError::new(kind, &Operation::Subscriptions, "")
    }

    fn server(seconds: Option<u64>) -> FeedError {
        failed(FeedErrorKind::Server { retry_after: seconds.map(Duration::from_secs) })
    }

    fn decide(errors: impl IntoIterator<Item = FeedError>) -> Vec<Next> {
        let mut attempts = Attempts::new(&Patience::SERVICE);
        errors.into_iter().map(|error| attempts.next(&error, 1.0)).collect()
    }

    #[test]
    fn failures_are_tried_again_with_growing_pauses() {
        let after = |seconds| Next::After(Duration::from_secs(seconds));
        let all = [
            failed(FeedErrorKind::Transport),
            server(None),
            failed(FeedErrorKind::Malformed),
            server(None),
            server(None),
        ];
        assert_eq!(decide(all), [after(1), after(2), after(4), after(8), Next::GiveUp]);
    }

    #[test]
    fn the_service_may_name_its_pause_within_reason() {
        let after = |seconds| Next::After(Duration::from_secs(seconds));
        assert_eq!(decide([server(Some(60)), server(Some(0)), server(Some(61))]), [after(60), after(2), Next::GiveUp]);
    }

    #[test]
    fn throttling_is_waited_for_a_bounded_number_of_times() {
        let throttled = failed(FeedErrorKind::Throttled { retry_after: None });
        let next = decide(std::iter::repeat_n(throttled, 7));
        assert_eq!(next, [Next::Again, Next::Again, Next::Again, Next::Again, Next::Again, Next::GiveUp, Next::GiveUp]);
    }

    #[test]
    fn throttling_under_a_success_status_has_a_pause_of_its_own() {
        let throttled = failed(FeedErrorKind::Throttled { retry_after: None }).answered(200, None);
        assert_eq!(decide([throttled]), [Next::After(Duration::from_secs(1))]);
    }

    #[test]
    fn one_new_token_is_asked_for() {
        let refused = || failed(FeedErrorKind::Unauthorized).answered(401, None);
        assert_eq!(decide([refused(), refused()]), [Next::Again, Next::GiveUp]);
        let unpermitted = failed(FeedErrorKind::NotPermitted).answered(401, None);
        assert_eq!(decide([unpermitted, refused()]), [Next::Again, Next::GiveUp]);
    }

    #[test]
    fn nothing_else_is_tried_again() {
        use FeedErrorKind::{
            AlreadyEnabled, AuditingOff, BadWindow, ContentGone, ForeignAddress, Misconfigured, NoSubscription,
            NoToken, NotPermitted, Refused, StalePage, StartThrottled, SubscriptionDisabled,
        };
        for kind in [
            StartThrottled { retry_after: None },
            NoToken,
            NotPermitted,
            Misconfigured,
            AuditingOff,
            NoSubscription,
            SubscriptionDisabled,
            AlreadyEnabled,
            BadWindow,
            StalePage,
            ContentGone,
            ForeignAddress,
            Refused,
        ] {
            assert_eq!(decide([failed(kind)]), [Next::GiveUp], "{kind:?}");
        }
    }
}
