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

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

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

/// Whether a request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admit {
    /// Now; it has been counted.
    Go,
    /// Not before this instant, or before it is found out whether throttling is over. Ask again then: others may have
    /// come first.
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
    /// well, so that no other goes out before its fate is told. Only where `throttled_at` is.
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
        if let Some(&oldest) = self.admitted.front()
            && self.admitted.len() >= self.limits.requests
        {
            return Admit::WaitUntil(oldest + self.limits.period);
        }
        if let Some(late) = self.finding_out.map(|sent| sent + FINDS_OUT).filter(|&late| late > now) {
            return Admit::WaitUntil(late);
        }
        if self.throttled_at.is_some() && !self.limits.longest_pause.is_zero() {
            self.finding_out = Some(now);
        }
        self.admitted.push_back(now);
        Admit::Go
    }

    /// Notes at `now` that a request admitted at `admitted` was throttled, and pauses all. Requests that were under
    /// way already when the pause began tell nothing new: they may prolong it by their `retry_after` but do not
    /// double it. `chance` (0 to 1) shortens a pause that the service did not name by up to half.
    pub fn throttled(&mut self, admitted: Instant, now: Instant, retry_after: Option<Duration>, chance: f64) {
        let news = self.throttled_at.is_none_or(|noted| admitted >= noted);
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
        if self.throttled_at.is_some_and(|noted| admitted >= noted) {
            self.throttled_at = None;
            self.finding_out = None;
            self.in_a_row = 0;
        }
    }

    /// Notes that nothing is to be learnt from a request admitted at `admitted`: it was dropped, or failed on its way.
    /// Another finds out whether throttling is over.
    pub fn untold(&mut self, admitted: Instant) {
        self.finding_out.take_if(|sent| *sent == admitted);
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

/// That one request may go out. What came of the request is told to it; where it is dropped without, nothing is known.
#[derive(Debug)]
#[must_use = "it stands for one request"]
pub struct Permit<'a> {
    budget: &'a Budget,
    admitted: Instant,
}

impl Permit<'_> {
    /// Notes that the request was throttled; all workers wait.
    pub fn throttled(self, retry_after: Option<Duration>) {
        self.budget.throttled.fetch_add(1, Relaxed);
        self.budget.tell(|pace| pace.throttled(self.admitted, Instant::now(), retry_after, fastrand::f64()));
    }

    /// Notes that the request was answered and not throttled.
    pub fn answered(self) {
        self.budget.tell(|pace| pace.answered(self.admitted));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.budget.tell(|pace| pace.untold(self.admitted));
    }
}

/// The shared budget. Make one for each pair of tenant and publisher: that is what the service counts by.
#[derive(Debug)]
pub struct Budget {
    pace: Mutex<Pace>,
    /// Wakes those that wait once nobody finds out any more whether throttling is over.
    found_out: Notify,
    requests: AtomicU64,
    throttled: AtomicU64,
    waited_nanos: AtomicU64,
}

impl Budget {
    /// A budget of which nothing is used.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        let (requests, throttled, waited_nanos) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { pace: Mutex::new(Pace::new(limits)), found_out: Notify::const_new(), requests, throttled, waited_nanos }
    }

    /// Waits until a request may go out. Dropping the future before it is ready uses nothing of the budget.
    pub async fn take(&self) -> Permit<'_> {
        loop {
            // Made before asking, so that what is found out from here on wakes it.
            let found_out = self.found_out.notified();
            let now = Instant::now();
            // Bound to a name, so that the lock is free while the worker waits.
            let admit = self.pace().admit(now);
            match admit {
                Admit::Go => {
                    self.requests.fetch_add(1, Relaxed);
                    return Permit { budget: self, admitted: now };
                }
                Admit::WaitUntil(until) => {
                    let _waiting = Waiting { since: now, total: &self.waited_nanos };
                    tokio::select! {
                        () = sleep_until(until) => {}
                        () = found_out => {}
                    }
                }
            }
        }
    }

    /// Until when requests were, or are, held back at most; `None` where none ever was. A limit on how long the feed may take is
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

    fn tell(&self, what: impl FnOnce(&mut Pace)) {
        let mut pace = self.pace();
        let was_finding_out = pace.finding_out.is_some();
        what(&mut pace);
        let is_finding_out = pace.finding_out.is_some();
        drop(pace);
        if was_finding_out && !is_finding_out {
            self.found_out.notify_waiters();
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
#[path = "budget_tests.rs"]
mod tests;
