//! One token and what becomes of it: when it is used, when another is fetched. No clock and no network.

use time::{Duration, OffsetDateTime};

use super::Token;

/// A token is replaced this long before it expires, so that it outlives the requests that it goes out with. The SDK's
/// own credentials hold to the same.
pub(super) const REFRESH_BEFORE_EXPIRY: Duration = Duration::minutes(5);

/// No token is fetched sooner than this after another, or after a failure that leaves one to use. It keeps a provider
/// that is down, or that gives out tokens about to expire, from being asked for every request.
pub(super) const PAUSE_BETWEEN_FETCHES: Duration = Duration::seconds(30);

/// What there is to hand out.
#[derive(Debug)]
pub(super) enum Lookup {
    /// To be used as it is.
    Fresh(Token),
    /// There is one that is valid, and it is to be replaced; [`Cache::postpone`] gives it where that fails.
    Stale,
    /// Nothing: a token has to be fetched.
    Empty,
}

#[derive(Debug)]
struct Held {
    token: Token,
    expires: OffsetDateTime,
    fetch_at: OffsetDateTime,
}

/// The token of one audience.
#[derive(Debug, Default)]
pub(super) struct Cache {
    held: Option<Held>,
    generation: u64,
}

impl Cache {
    pub(super) fn lookup(&self, now: OffsetDateTime) -> Lookup {
        match &self.held {
            Some(held) if now < held.fetch_at => Lookup::Fresh(held.token.clone()),
            Some(held) if now < held.expires => Lookup::Stale,
            _ => Lookup::Empty,
        }
    }

    /// Keeps a token that was fetched just now. One that seems to have expired already is used for a while all the
    /// same: more likely the clock here is fast, and the service has the last word.
    pub(super) fn store(&mut self, secret: &str, expires: OffsetDateTime, now: OffsetDateTime) -> Token {
        self.generation += 1;
        let token = Token::new(secret, self.generation);
        let fetch_at = expires.saturating_sub(REFRESH_BEFORE_EXPIRY).max(now + PAUSE_BETWEEN_FETCHES);
        self.held = Some(Held { token: token.clone(), expires, fetch_at });
        token
    }

    /// A fetch failed: the token that is held, if it is still valid, is used for a while before the next one.
    pub(super) fn postpone(&mut self, now: OffsetDateTime) -> Option<Token> {
        let held = self.held.as_mut().filter(|held| now < held.expires)?;
        held.fetch_at = (now + PAUSE_BETWEEN_FETCHES).min(held.expires);
        Some(held.token.clone())
    }

    /// Drops `token`, unless it was replaced already.
    pub(super) fn refuse(&mut self, token: &Token) {
        if self.held.as_ref().is_some_and(|held| held.token.generation() == token.generation()) {
            self.held = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);
    const HOUR: Duration = Duration::hours(1);

    fn filled() -> Cache {
        let mut cache = Cache::default();
        cache.store("first", NOW + HOUR, NOW);
        cache
    }

    fn fresh(cache: &Cache, now: OffsetDateTime) -> bool {
        matches!(cache.lookup(now), Lookup::Fresh(_))
    }

    #[test]
    fn a_token_is_fresh_until_five_minutes_before_it_expires() {
        let cache = filled();
        let due = NOW + HOUR - REFRESH_BEFORE_EXPIRY;
        assert!(fresh(&cache, due - Duration::seconds(1)));
        assert!(matches!(cache.lookup(due), Lookup::Stale));
        assert!(matches!(cache.lookup(NOW + HOUR - Duration::seconds(1)), Lookup::Stale));
        assert!(matches!(cache.lookup(NOW + HOUR), Lookup::Empty));
        assert!(matches!(Cache::default().lookup(NOW), Lookup::Empty));
    }

    #[test]
    fn a_refused_token_is_gone_and_its_successor_is_not() {
        let mut cache = filled();
        let Lookup::Fresh(first) = cache.lookup(NOW) else { panic!("nothing held") };
        cache.refuse(&first);
        assert!(matches!(cache.lookup(NOW), Lookup::Empty));
        let second = cache.store("second", NOW + HOUR, NOW);
        cache.refuse(&first);
        assert!(fresh(&cache, NOW));
        cache.refuse(&second);
        assert!(matches!(cache.lookup(NOW), Lookup::Empty));
    }

    #[test]
    fn after_a_failure_the_valid_token_is_used_for_a_while() {
        let mut cache = filled();
        let due = NOW + HOUR - REFRESH_BEFORE_EXPIRY;
        assert_eq!(cache.postpone(due).unwrap().secret(), "first");
        assert!(fresh(&cache, due + PAUSE_BETWEEN_FETCHES - Duration::seconds(1)));
        assert!(matches!(cache.lookup(due + PAUSE_BETWEEN_FETCHES), Lookup::Stale));
        assert!(cache.postpone(NOW + HOUR).is_none());
        assert!(matches!(cache.lookup(NOW + HOUR), Lookup::Empty));
    }

    #[test]
    fn a_short_lived_token_does_not_cause_a_fetch_for_each_request() {
        let mut cache = Cache::default();
        cache.store("short", NOW + Duration::seconds(60), NOW);
        assert!(fresh(&cache, NOW + Duration::seconds(29)));
        cache.store("expired by our clock", NOW - HOUR, NOW);
        assert!(fresh(&cache, NOW));
        assert!(matches!(cache.lookup(NOW + PAUSE_BETWEEN_FETCHES), Lookup::Empty));
    }

    proptest! {
        /// Generations only grow, a refused token never comes back, and no fetch follows another within the pause.
        #[test]
        fn refused_tokens_stay_away(steps in proptest::collection::vec((0_u8..3, 0_i64..4000), 1..60)) {
            let (mut cache, mut now) = (Cache::default(), NOW);
            let mut refused = Vec::new();
            let mut stored = Vec::new();
            for (step, seconds) in steps {
                now += Duration::seconds(seconds);
                match step {
                    0 => {
                        let token = cache.store("secret", now + Duration::seconds(seconds), now);
                        prop_assert!(stored.last().is_none_or(|last| *last < token.generation()));
                        prop_assert!(fresh(&cache, now + PAUSE_BETWEEN_FETCHES - Duration::seconds(1)));
                        stored.push(token.generation());
                    }
                    1 => {
                        if let Lookup::Fresh(token) = cache.lookup(now) {
                            cache.refuse(&token);
                            refused.push(token.generation());
                        }
                    }
                    _ => drop(cache.postpone(now)),
                }
                let valid = match cache.lookup(now) {
                    Lookup::Fresh(token) => Some(token),
                    Lookup::Stale => cache.postpone(now),
                    Lookup::Empty => None,
                };
                if let Some(token) = valid {
                    prop_assert!(!refused.contains(&token.generation()));
                    prop_assert_eq!(Some(&token.generation()), stored.last());
                }
            }
        }
    }
}
