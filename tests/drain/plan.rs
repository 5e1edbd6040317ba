//! What is played: how many tenants of which size, on how many processes.

use std::time::Duration;

use labelstream_simulator::{Bulk, Trouble};

use crate::dispatcher::Rules;

/// A play.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The tenants, those among them that are broken, disabled, or have a rule of their own.
    pub tenants: u32,
    /// Whether they are all small and well.
    pub all_small: bool,
    /// What the big tenant has to catch up with; without it that one is as small as the others.
    pub backlog: Option<Bulk>,
    /// Wait before each content of the big tenant.
    pub slow: Duration,
    /// Wait before every other answer but the storage's.
    pub latency: Duration,
    /// Handler processes, each under a host of its own.
    pub processes: usize,
    /// `RUN_BUDGET_SECONDS`.
    pub budget: u32,
    /// Between two firings of the timer.
    pub interval: Duration,
    /// The timer goes on for so long at least, and until the big tenant has caught up.
    pub length: Duration,
    /// Kills of processes that have messages under way.
    pub kills: u32,
    /// Whether the locks of a killed process are over at once, in place of a minute later.
    pub break_leases: bool,
    /// The hosts' rules.
    pub rules: Rules,
    pub seed: u64,
}

/// What a tenant is in the play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one with the backlog.
    Big,
    Broken(Trouble),
    /// It is in the list, and not to be read.
    Disabled,
    /// It has a data collection rule of its own.
    OwnRule,
    Small,
}

impl Plan {
    /// The role of the tenant at this place.
    pub fn role(&self, place: usize) -> Role {
        if self.all_small { Role::Small } else { Role::of(place) }
    }
}

impl Role {
    fn of(place: usize) -> Self {
        match place {
            0 => Self::Big,
            1..=5 => Self::Broken(Trouble::ALL[place - 1]),
            6 => Self::Disabled,
            7..=9 => Self::OwnRule,
            _ => Self::Small,
        }
    }

    /// Whether all of its label events have to arrive.
    pub fn is_read(self) -> bool {
        matches!(self, Self::Big | Self::OwnRule | Self::Small | Self::Broken(Trouble::PoisonedContent))
    }

    /// Whether `status` has to name it.
    pub const fn is_broken(self) -> bool {
        matches!(self, Self::Broken(_))
    }
}

/// How many contents a small tenant begins with: half of them three at most, one in a hundred some thirty.
pub fn contents(rng: &mut fastrand::Rng) -> u32 {
    // The sum of twelve even numbers is as good as normal.
    let normal = (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
    ((3.0_f64.ln() + normal).exp().round() as u32).clamp(1, 200)
}

/// The middle and the 95th of a hundred, of any number; zero of none.
pub fn quantiles(mut of: Vec<Duration>) -> (Duration, Duration) {
    of.sort_unstable();
    let at = |share: usize| of.get((of.len() * share / 100).min(of.len().saturating_sub(1))).copied();
    (at(50).unwrap_or_default(), at(95).unwrap_or_default())
}
