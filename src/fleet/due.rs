//! Which tenants get a message: those that are due, and none whose message still waits.
//!
//! A queue cannot be asked whose messages are in it. What is known is when a message was put ([`super::document`]), when a
//! run last ended (the last change of `{tenant}/runs.json`, which every run writes), which tenants a run put again because
//! it left work ([`super::again`]), and how many messages there are, hidden ones too. The storage's own clock gave all of
//! these times, and the number is never too low, so that no message is put beside one that waits.

use time::{Duration, OffsetDateTime};

/// A message that has waited for so long may be lost: one that the host put into the poison queue, for example. Whether
/// any is lost is told by the number of messages. Less than the hour after which silence is an alert.
const LOST_AFTER: Duration = Duration::minutes(30);

/// What is known of a tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// When the timer last put a message for it.
    pub put: Option<OffsetDateTime>,
    /// When a run put its message again, and no run left nothing since.
    pub again: Option<OffsetDateTime>,
    /// When its last run ended. It is looked at where [`Standing::turns_on_end`] says so.
    pub ended: Option<OffsetDateTime>,
}

impl Standing {
    /// Whether the end of its last run decides.
    #[must_use]
    pub const fn turns_on_end(&self, messages: u64) -> bool {
        messages > 0 && self.again.is_none() && self.put.is_some()
    }

    /// Since when its message waits, or is worked on, as far as can be told.
    fn since(&self) -> Option<OffsetDateTime> {
        match (self.put, self.again) {
            (put, Some(again)) => Some(put.map_or(again, |put| put.max(again))),
            // In the same second: the timer puts no message in the second of an end before it.
            (Some(put), None) if self.ended.is_some_and(|ended| ended >= put) => None,
            (put, None) => put,
        }
    }
}

/// The places of the tenants that get a message, those first that got none for longest: where there is no time for all, the
/// others come first at the next firing. `messages` is how many the queue has.
///
/// Where there are fewer than tenants whose message waits, some are lost. Those that have waited longest are put again, no
/// more than are missing: a queue that is only slow is not filled further.
#[must_use]
pub fn due(tenants: &[Standing], messages: u64, now: OffsetDateTime) -> Vec<usize> {
    let waiting = |tenant: &Standing| tenant.since().filter(|_| messages > 0);
    let mut due = Vec::new();
    let mut old = Vec::new();
    let mut waits = 0_usize;
    for (place, tenant) in tenants.iter().enumerate() {
        match waiting(tenant) {
            None => due.push(place),
            Some(since) => {
                waits += 1;
                if now - since > LOST_AFTER {
                    old.push((since, place));
                }
            }
        }
    }
    old.sort_unstable();
    let missing = waits.saturating_sub(usize::try_from(messages).unwrap_or(usize::MAX));
    due.extend(old.into_iter().take(missing).map(|(_, place)| place));
    due.sort_unstable_by_key(|place| (tenants.get(*place).and_then(|tenant| tenant.put), *place));
    due
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;
