//! The request budget that all workers of one (tenant, publisher) share.
//!
//! [`Pace`] decides and has no clock; [`Budget`] waits.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// How fast the feed may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests in any [`Limits::period`], at least one.
    pub requests: usize,
    /// The span in which requests are counted.
    pub period: Duration,
    /// The pause after a first throttled answer that names none; it doubles with each further one.
    pub first_pause: Duration,
    /// To how much it doubles at most.
    pub longest_unnamed: Duration,
    /// No pause is longer, whatever the service asks for.
    pub longest_pause: Duration,
}

impl Limits {
    /// What the service grants any tenant: 2,000 requests a minute (Management Activity API reference, "API
    /// throttling"). 50 are left for whoever else reads the feed with the same publisher, `doctor` for one.
    pub const SERVICE: Self = Self {
        requests: 1_950,
        period: Duration::from_secs(60),
        // The service promises no `Retry-After`; its quota is by the minute, which five pauses outlast as a rule. Each
        // costs one request, so that longer ones would only keep a run from going on once it may.
        first_pause: Duration::from_secs(5),
        longest_unnamed: Duration::from_secs(30),
        // A pause is for throttling, not for an outage: longer than a run, so that the run ends saved and the next
        // one finds out.
        longest_pause: Duration::from_secs(600),
    };

    /// The same where a person waits for the answer: who is throttled is told so, and what is asked next is asked at once.
    pub const ATTENDED: Self = Self { longest_pause: Duration::ZERO, ..Self::SERVICE };
}

/// How long a request that finds out whether throttling is over may take, before another does.
const FINDS_OUT: Duration = Duration::from_secs(10);

/// How often those that wait for its answer ask.
const ASKS_AGAIN: Duration = Duration::from_millis(50);

/// Whether a request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admit {
    /// Now; it has been counted.
    Go,
    /// Not before this instant. Ask again then: others may have come first.
    WaitUntil(Instant),
}

/// The state of the budget: what went out within the last period, and the pause that throttling caused.
#[derive(Debug)]
pub struct Pace {
    limits: Limits,
    /// When the requests of the last period were admitted, oldest first; never more than `limits.requests`.
    admitted: VecDeque<Instant>,
    paused_until: Option<Instant>,
    throttled_at: Option<Instant>,
    /// When the request went out that finds out whether throttling is over. Refused requests count against the quota as
    /// well, so that no other goes out until it is answered.
    finding_out: Option<Instant>,
    in_a_row: u32,
    /// The latest instant that anyone was told to wait for.
    held_until: Option<Instant>,
}

impl Pace {
    /// A budget of which nothing is used.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            admitted: VecDeque::new(),
            paused_until: None,
            throttled_at: None,
            finding_out: None,
            in_a_row: 0,
            held_until: None,
        }
    }

    /// Asks to send one request at `now`.
    pub fn admit(&mut self, now: Instant) -> Admit {
        let admit = self.decide(now);
        if let Admit::WaitUntil(until) = admit {
            self.held_until = self.held_until.max(Some(until));
        }
        admit
    }

    fn decide(&mut self, now: Instant) -> Admit {
        if let Some(until) = self.paused_until.filter(|&until| until > now) {
            return Admit::WaitUntil(until);
        }
        while self.admitted.front().is_some_and(|&sent| sent + self.limits.period <= now) {
            self.admitted.pop_front();
        }
        match self.admitted.front() {
            Some(&oldest) if self.admitted.len() >= self.limits.requests => {
                Admit::WaitUntil(oldest + self.limits.period)
            }
            _ => match self.finding_out.filter(|_| self.throttled_at.is_some()) {
                Some(sent) if sent + FINDS_OUT > now => Admit::WaitUntil((now + ASKS_AGAIN).min(sent + FINDS_OUT)),
                _ => {
                    let is_pausing = self.throttled_at.is_some() && !self.limits.longest_pause.is_zero();
                    self.finding_out = is_pausing.then_some(now);
                    self.admitted.push_back(now);
                    Admit::Go
                }
            },
        }
    }

    /// Notes at `now` that a request admitted at `admitted` was throttled, and pauses all. Requests that were under
    /// way already when the pause began tell nothing new: they may prolong it by their `retry_after` but do not
    /// double it. `chance` (0 to 1) shortens a pause that the service did not name by up to half.
    pub fn throttled(&mut self, admitted: Instant, now: Instant, retry_after: Option<Duration>, chance: f64) {
        let news = self.throttled_at.is_none_or(|noted| admitted > noted);
        if news {
            self.in_a_row = self.in_a_row.saturating_add(1);
            self.throttled_at = Some(now);
            self.finding_out = None;
        }
        let pause = match retry_after {
            Some(asked) => asked.min(self.limits.longest_pause),
            None if news => {
                let doubled = self.limits.first_pause.saturating_mul(1 << (self.in_a_row - 1).min(16));
                let pause = doubled.min(self.limits.longest_unnamed).min(self.limits.longest_pause);
                pause - (pause / 2).mul_f64(chance.clamp(0.0, 1.0))
            }
            None => return,
        };
        self.paused_until = self.paused_until.max(Some(now + pause));
    }

    /// Notes that a request admitted at `admitted` was answered: throttling, if any, is over. The answer to a request
    /// from before the last pause does not tell that.
    pub fn answered(&mut self, admitted: Instant) {
        if self.throttled_at.is_some_and(|noted| admitted > noted) || self.finding_out == Some(admitted) {
            self.throttled_at = None;
            self.finding_out = None;
            self.in_a_row = 0;
        }
    }
}

/// What a budget has seen since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests admitted.
    pub requests: u64,
    /// Throttled answers.
    pub throttled: u64,
    /// Time spent waiting, summed over all workers.
    pub waited: Duration,
}

/// That one request may go out; says when it was admitted.
#[derive(Debug)]
#[must_use = "it stands for one request"]
pub struct Permit {
    admitted: Instant,
}

/// The shared budget. Make one for each pair of tenant and publisher: that is what the service counts by.
#[derive(Debug)]
pub struct Budget {
    pace: Mutex<Pace>,
    requests: AtomicU64,
    throttled: AtomicU64,
    waited_nanos: AtomicU64,
}

impl Budget {
    /// A budget of which nothing is used.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        let (requests, throttled, waited_nanos) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { pace: Mutex::new(Pace::new(limits)), requests, throttled, waited_nanos }
    }

    /// Waits until a request may go out. Dropping the future before it is ready uses nothing of the budget.
    pub async fn take(&self) -> Permit {
        loop {
            let now = Instant::now();
            // Bound to a name, so that the lock is free while the worker waits.
            let admit = self.pace().admit(now);
            match admit {
                Admit::Go => {
                    self.requests.fetch_add(1, Relaxed);
                    return Permit { admitted: now };
                }
                Admit::WaitUntil(until) => {
                    let _waiting = Waiting { since: now, total: &self.waited_nanos };
                    sleep_until(until).await;
                }
            }
        }
    }

    /// Notes that the request of `permit` was throttled; all workers wait.
    pub fn throttled(&self, permit: &Permit, retry_after: Option<Duration>) {
        self.throttled.fetch_add(1, Relaxed);
        self.pace().throttled(permit.admitted, Instant::now(), retry_after, fastrand::f64());
    }

    /// Notes that the request of `permit` was answered and not throttled.
    pub fn answered(&self, permit: &Permit) {
        self.pace().answered(permit.admitted);
    }

    /// Until when requests were, or are, held back; `None` where none ever was. A limit on how long the feed may take is
    /// counted from there: waiting for leave to ask is no fault of the feed.
    #[must_use]
    pub fn held_until(&self) -> Option<Instant> {
        self.pace().held_until
    }

    /// What has been counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            requests: self.requests.load(Relaxed),
            throttled: self.throttled.load(Relaxed),
            waited: Duration::from_nanos(self.waited_nanos.load(Relaxed)),
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // No method of `Pace` stops half way, so a panic elsewhere leaves nothing wrong behind.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a wait, also one that is given up.
struct Waiting<'a> {
    since: Instant,
    total: &'a AtomicU64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let nanos = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.total.fetch_add(nanos, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { requests: 3, ..Limits::SERVICE };

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_window_slides() {
        let (mut pace, start) = (Pace::new(LIMITS), Instant::now());
        for second in [0, 10, 20] {
            assert_eq!(pace.admit(start + secs(second)), Admit::Go);
        }
        assert_eq!(pace.admit(start + secs(59)), Admit::WaitUntil(start + secs(60)));
        assert_eq!(pace.admit(start + secs(60)), Admit::Go);
        assert_eq!(pace.admit(start + secs(60)), Admit::WaitUntil(start + secs(70)));
    }

    #[test]
    fn a_pause_holds_everyone_and_is_bounded() {
        let (mut pace, start) = (Pace::new(LIMITS), Instant::now());
        assert_eq!(pace.admit(start), Admit::Go);
        pace.throttled(start, start + secs(1), Some(secs(30)), 0.0);
        assert_eq!(pace.admit(start + secs(2)), Admit::WaitUntil(start + secs(31)));
        assert_eq!(pace.admit(start + secs(31)), Admit::Go);
        pace.throttled(start + secs(31), start + secs(40), Some(secs(86_400)), 0.0);
        assert_eq!(pace.admit(start + secs(41)), Admit::WaitUntil(start + secs(640)));
    }

    #[test]
    fn pauses_double_until_an_answer() {
        let (mut pace, start) = (Pace::new(LIMITS), Instant::now());
        let mut now = start;
        for pause in [5, 10, 20, 30, 30] {
            pace.throttled(now, now, None, 0.0);
            assert_eq!(pace.admit(now), Admit::WaitUntil(now + secs(pause)));
            now += secs(pause);
        }
        pace.answered(start);
        pace.throttled(now, now, None, 0.0);
        assert_eq!(pace.admit(now), Admit::WaitUntil(now + secs(30)), "an answer from before the pause");
        now += secs(30);
        pace.answered(now);
        pace.throttled(now, now, None, 1.0);
        assert_eq!(pace.admit(now), Admit::WaitUntil(now + Duration::from_millis(2500)), "chance takes half");
    }

    #[test]
    fn one_request_finds_out_whether_throttling_is_over() {
        let (mut pace, start) = (Pace::new(Limits::SERVICE), Instant::now());
        assert_eq!(pace.admit(start), Admit::Go);
        pace.throttled(start, start, Some(secs(5)), 0.0);
        let after = start + secs(5);
        assert_eq!(pace.admit(after), Admit::Go);
        assert_eq!(pace.admit(after), Admit::WaitUntil(after + ASKS_AGAIN), "the others wait for its answer");
        pace.throttled(after, after + secs(1), Some(secs(5)), 0.0);
        let after = after + secs(6);
        assert_eq!(pace.admit(after), Admit::Go, "another finds out");
        assert_eq!(pace.admit(after + secs(9)), Admit::WaitUntil(after + secs(9) + ASKS_AGAIN));
        let later = after + FINDS_OUT;
        assert_eq!(pace.admit(later), Admit::Go, "one without an answer is not waited for without end");
        pace.answered(later);
        for _ in 0..100 {
            assert_eq!(pace.admit(later), Admit::Go, "it is over");
        }
        let mut attended = Pace::new(Limits::ATTENDED);
        assert_eq!(attended.admit(start), Admit::Go);
        attended.throttled(start, start, None, 0.0);
        assert_eq!([attended.admit(start), attended.admit(start)], [Admit::Go; 2], "where a person waits nobody does");
    }

    #[test]
    fn one_burst_counts_once() {
        let (mut pace, start) = (Pace::new(LIMITS), Instant::now());
        for late in [1, 2, 3] {
            pace.throttled(start, start + secs(late), None, 0.0);
        }
        assert_eq!(pace.admit(start + secs(4)), Admit::WaitUntil(start + secs(6)));
        pace.throttled(start, start + secs(4), Some(secs(20)), 0.0);
        assert_eq!(pace.admit(start + secs(4)), Admit::WaitUntil(start + secs(24)), "a longer wait still holds");
        pace.throttled(start, start + secs(5), Some(secs(1)), 0.0);
        assert_eq!(pace.admit(start + secs(6)), Admit::WaitUntil(start + secs(24)), "a shorter one does not cut it");
    }

    proptest! {
        #[test]
        fn no_period_holds_more_than_its_requests(limit in 1_usize..6, steps in prop::collection::vec((0_u64..30, 0_u8..8), 1..120)) {
            let limits = Limits { requests: limit, ..Limits::SERVICE };
            let (mut pace, mut now) = (Pace::new(limits), Instant::now());
            let mut sent: Vec<Instant> = Vec::new();
            let mut paused_until = now;
            for (step, event) in steps {
                now += secs(step);
                match pace.admit(now) {
                    Admit::Go => {
                        prop_assert!(now >= paused_until);
                        sent.push(now);
                    }
                    Admit::WaitUntil(until) => {
                        prop_assert!(until > now);
                        prop_assert!(until <= now + limits.longest_pause.max(limits.period));
                    }
                }
                if let (0, Some(&last)) = (event, sent.last()) {
                    pace.throttled(last, now, Some(secs(step)), 0.5);
                    paused_until = paused_until.max(now + secs(step));
                }
            }
            for (index, first) in sent.iter().enumerate() {
                let within = sent[index..].iter().filter(|&&other| other < *first + limits.period).count();
                prop_assert!(within <= limit);
            }
        }

        #[test]
        fn whoever_waits_as_told_gets_in(limit in 1_usize..6, workers in 1_usize..20) {
            let (mut pace, mut now) = (Pace::new(Limits { requests: limit, ..Limits::SERVICE }), Instant::now());
            let mut asked = 0;
            for _ in 0..workers {
                while let Admit::WaitUntil(until) = pace.admit(now) {
                    now = until;
                    asked += 1;
                }
            }
            prop_assert_eq!(asked, (workers - 1) / limit);
        }
    }

    #[test]
    fn the_latest_wait_is_known() {
        let (budget, start) = (Budget::new(LIMITS), Instant::now());
        assert_eq!(budget.held_until(), None);
        for second in [0, 10, 20] {
            budget.pace().admit(start + secs(second));
        }
        assert_eq!(budget.held_until(), None, "nobody waited");
        budget.pace().admit(start + secs(30));
        assert_eq!(budget.held_until(), Some(start + secs(60)));
        budget.pace().throttled(start, start + secs(31), Some(secs(100)), 0.0);
        budget.pace().admit(start + secs(32));
        assert_eq!(budget.held_until(), Some(start + secs(131)));
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_uses_nothing() {
        let budget = Budget::new(Limits { requests: 1, ..Limits::SERVICE });
        let first = budget.take().await;
        let mut second = Box::pin(budget.take());
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(second);
        assert_eq!(budget.counts().requests, 1);
        assert!(budget.counts().waited > Duration::ZERO);
        budget.throttled(&first, None);
        assert_eq!(budget.counts().throttled, 1);
    }

    #[tokio::test]
    async fn workers_share_one_budget() {
        let period = Duration::from_millis(20);
        let budget = Budget::new(Limits { requests: 2, period, ..Limits::SERVICE });
        let taken = futures_util::future::join_all((0..5).map(|_| budget.take())).await;
        let mut admitted: Vec<_> = taken.iter().map(|permit| permit.admitted).collect();
        admitted.sort();
        for three in admitted.windows(3) {
            assert!(three[2] - three[0] >= period);
        }
        assert_eq!(budget.counts().requests, 5);
    }
}
