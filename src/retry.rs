//! When to try again: a value, so that the loops around it read as prose and tests need no clock.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// How often and how fast one kind of call is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Tries in all, the first one included.
    pub tries: u32,
    /// The pause after the first failure; it doubles from there.
    pub first: Duration,
    /// No pause is longer than this, before jitter.
    pub longest: Duration,
}

/// The state of one call's retries.
#[derive(Debug, Clone)]
pub struct Backoff {
    policy: Policy,
    failed: u32,
}

impl Backoff {
    /// A call that has not been tried yet.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self { policy, failed: 0 }
    }

    /// How often the call has failed so far.
    #[must_use]
    pub const fn failed(&self) -> u32 {
        self.failed
    }

    /// Notes a failure. The pause before the next try (half of it to all of it by chance, so that workers do not come
    /// back together), or `None` when there is to be no other.
    pub fn pause(&mut self) -> Option<Duration> {
        self.pause_with(fastrand::f64())
    }

    /// As [`Backoff::pause`], with the chance given: `0.0` is half of the pause, `1.0` all of it.
    pub fn pause_with(&mut self, chance: f64) -> Option<Duration> {
        self.failed += 1;
        if self.failed >= self.policy.tries {
            return None;
        }
        let doubled = self.policy.first.saturating_mul(1 << (self.failed - 1).min(16));
        let pause = doubled.min(self.policy.longest);
        Some(pause / 2 + (pause / 2).mul_f64(chance.clamp(0.0, 1.0)))
    }
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110, 10.2.3); a date that has passed is no wait at all.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = OffsetDateTime::parse(value, &Rfc2822).ok()?;
    Some(Duration::try_from(date - now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const POLICY: Policy = Policy { tries: 4, first: Duration::from_secs(1), longest: Duration::from_secs(3) };

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let mut backoff = Backoff::new(POLICY);
        let pauses: Vec<_> = std::iter::from_fn(|| backoff.pause_with(1.0)).collect();
        assert_eq!(pauses, [1, 2, 3].map(Duration::from_secs));
        assert_eq!(backoff.failed(), 4);
    }

    #[test]
    fn chance_takes_at_most_half_of_a_pause() {
        assert_eq!(Backoff::new(POLICY).pause_with(0.0), Some(Duration::from_millis(500)));
    }

    #[test]
    fn many_failures_do_not_overflow() {
        let mut backoff = Backoff::new(Policy { tries: u32::MAX, ..POLICY });
        for _ in 0..100 {
            assert!(backoff.pause_with(1.0) <= Some(POLICY.longest));
        }
    }

    #[test]
    fn a_service_asks_in_seconds_or_by_a_date() {
        let mut headers = HeaderMap::new();
        let now = datetime!(2026-08-20 12:00:00 UTC);
        for (value, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Thu, 20 Aug 2026 12:01:30 GMT", Some(90)),
            ("Thu, 20 Aug 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
        ] {
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
