//! How long failures of a POST are borne, as values.

use std::time::Duration;

use super::IngestionError;
use crate::retry::{Backoff, Policy};

/// How failures and throttling are borne. Both are counted from the last answer that told something of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For failing servers and connections.
    pub failures: Policy,
    /// For 429. Bounded like the others: a rule that takes nothing for this long is for a later run.
    pub throttles: Policy,
    /// No `Retry-After` makes a pause longer than this.
    pub longest_retry_after: Duration,
    /// How long the answer of a POST that is under way is still waited for when the run is told to stop or its
    /// deadline has come: to give it up means to send its rows again.
    pub last_answer: Duration,
}

impl Patience {
    /// What suits the service: its limits are counted per minute (Azure Monitor service limits for data collection
    /// rules), so that a pause of more than a minute is of no use; five tries from 2 s ride out a restart of the gateway.
    pub const SERVICE: Self = Self {
        failures: Policy { tries: 5, first: Duration::from_secs(2), longest: Duration::from_secs(30) },
        throttles: Policy { tries: 8, first: Duration::from_secs(5), longest: Duration::from_secs(60) },
        longest_retry_after: Duration::from_secs(60),
        last_answer: Duration::from_secs(5),
    };
}

impl Default for Patience {
    fn default() -> Self {
        Self::SERVICE
    }
}

/// What has been borne since the last answer that told something of the rows.
#[derive(Debug)]
pub struct Borne {
    patience: Patience,
    failures: Backoff,
    throttles: Backoff,
    had_new_token: bool,
}

impl Borne {
    /// Nothing so far.
    #[must_use]
    pub const fn new(patience: Patience) -> Self {
        Self {
            patience,
            failures: Backoff::new(patience.failures),
            throttles: Backoff::new(patience.throttles),
            had_new_token: false,
        }
    }

    /// The endpoint accepted or refused rows: it works.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.patience);
    }

    pub(super) const fn last_answer(&self) -> Duration {
        self.patience.last_answer
    }

    /// The pause before the same POST is made again, or `None` when there is to be no other.
    pub fn pause(&mut self, error: &IngestionError) -> Option<Duration> {
        let pause = match error {
            // A token may have been withdrawn before its time; a new one that is refused as well is no accident.
            IngestionError::Unauthorized(_) if !self.had_new_token => {
                self.had_new_token = true;
                return Some(Duration::ZERO);
            }
            IngestionError::Throttled { .. } => self.throttles.pause()?,
            _ if error.is_retryable() => self.failures.pause()?,
            _ => return None,
        };
        let asked = error.retry_after().unwrap_or_default().min(self.patience.longest_retry_after);
        Some(pause.max(asked))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{
        StatusCode,
        header::{HeaderMap, HeaderValue, RETRY_AFTER},
    };
    use uuid::Uuid;

    use super::*;
    use crate::{identity::Token, ingestion::classify};

    const PATIENCE: Patience = Patience {
        failures: Policy { tries: 3, first: Duration::from_secs(2), longest: Duration::from_secs(30) },
        throttles: Policy { tries: 4, first: Duration::from_secs(8), longest: Duration::from_secs(8) },
        longest_retry_after: Duration::from_secs(60),
        last_answer: Duration::from_secs(5),
    };

    fn error(status: u16, retry_after: Option<&'static str>) -> IngestionError {
        let headers: HeaderMap =
            retry_after.map(|value| (RETRY_AFTER, HeaderValue::from_static(value))).into_iter().collect();
        classify(StatusCode::from_u16(status).unwrap(), &headers, b"", Uuid::nil(), &Token::new("sent", 1))
    }

    #[test]
    fn the_longer_of_retry_after_and_back_off_counts() {
        for status in [429, 503] {
            let pause = |after| Borne::new(PATIENCE).pause(&error(status, after)).unwrap().as_secs_f64();
            assert_eq!(pause(Some("45")), 45.0);
            assert_eq!(pause(Some("3600")), 60.0, "bounded");
            assert!((1.0..=8.0).contains(&pause(None)));
            assert!((1.0..=8.0).contains(&pause(Some("0"))));
        }
    }

    #[test]
    fn failures_and_throttles_end_each_by_its_own_policy() {
        let pauses = |status| {
            let mut borne = Borne::new(PATIENCE);
            std::iter::from_fn(|| borne.pause(&error(status, Some("10")))).count()
        };
        assert_eq!((pauses(503), pauses(429)), (2, 3));
        let mut borne = Borne::new(PATIENCE);
        let alternating: Vec<_> = [503, 429, 503, 429, 503].map(|status| borne.pause(&error(status, None))).into();
        assert_eq!(alternating.iter().flatten().count(), 4);
        assert_eq!(alternating[4], None);
    }

    #[test]
    fn a_refused_token_is_replaced_once_until_rows_are_answered() {
        let mut borne = Borne::new(PATIENCE);
        assert_eq!(borne.pause(&error(401, None)), Some(Duration::ZERO));
        assert_eq!(borne.pause(&error(401, None)), None);
        borne.forget();
        assert_eq!(borne.pause(&error(401, None)), Some(Duration::ZERO));
    }

    #[test]
    fn nothing_else_is_tried_again() {
        for status in [307, 400, 403, 404, 413] {
            assert_eq!(Borne::new(PATIENCE).pause(&error(status, Some("1"))), None, "{status}");
        }
    }
}
