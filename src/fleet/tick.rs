//! What one firing of the timer did, for people.

use time::OffsetDateTime;

use crate::queue::QueueError;

/// How many bad entries a line names, so that it stays one that is read.
const NAMED: usize = 20;

/// What became of a tenant that is due.
#[derive(Debug)]
pub(super) enum Fate {
    /// Its message was put, then by the clock of the storage.
    Put(OffsetDateTime),
    /// A run of it is under way.
    UnderWay,
    /// There was no time for it.
    Left,
    /// Its message could not be put.
    Failed(QueueError),
}

/// What one firing did.
#[derive(Debug, Default)]
pub struct Tick {
    /// Messages that were put.
    pub put: usize,
    /// Tenants whose message of before still waits.
    pub waiting: usize,
    /// Tenants of which a run is under way.
    pub under_way: usize,
    /// Tenants that are not to be read.
    pub disabled: usize,
    /// Tenants for which there was no time.
    pub left: usize,
    /// Entries that are bad, each with its faults.
    pub bad: Vec<String>,
    /// Tenants whose message could not be put, and why.
    pub failed: Vec<(String, QueueError)>,
}

impl Tick {
    /// Counts what became of a tenant.
    pub(super) fn count(&mut self, label: &str, fate: Fate) {
        match fate {
            Fate::Put(_) => self.put += 1,
            Fate::UnderWay => self.under_way += 1,
            Fate::Left => {} // whoever is not judged is left
            Fate::Failed(error) => self.failed.push((label.to_owned(), error)),
        }
    }

    /// How many tenants were looked after.
    pub(super) const fn judged(&self) -> usize {
        self.put + self.under_way + self.failed.len()
    }

    /// Why the queue cannot be used, where it took nothing.
    pub(super) fn refused(&self) -> Option<&QueueError> {
        self.failed.first().filter(|_| self.put == 0).map(|(_, error)| error)
    }

    /// The bad entries, in one line.
    #[must_use]
    pub fn faults(&self) -> Option<String> {
        let named = self.bad.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(" | ");
        match self.bad.len() {
            0 => None,
            1 => Some(format!("an entry of the list of tenants is bad, and this tenant is not read: {named}")),
            all if all > NAMED => Some(format!(
                "{all} entries of the list of tenants are bad, and these tenants are not read: {named} | and {} more; \
                 `labelstream tenants list` shows them all",
                all - NAMED
            )),
            all => {
                Some(format!("{all} entries of the list of tenants are bad, and these tenants are not read: {named}"))
            }
        }
    }

    /// What could not be put, in one line.
    #[must_use]
    pub fn failures(&self) -> Option<String> {
        let (label, error) = self.failed.first()?;
        let others = match self.failed.len() {
            1 => String::new(),
            all => format!(" (and those of {} more)", all - 1),
        };
        Some(format!("the message of {label}{others} could not be put, and is put by the next tick: {error}"))
    }

    /// What was done, one fact a line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let Self { put, waiting, under_way, disabled, left, bad, failed } = self;
        let mut line = format!(
            "{put} messages put; {waiting} tenants whose message still waits, {under_way} with a run under way, {disabled} \
             disabled, {} with a bad entry, {} whose message could not be put",
            bad.len(),
            failed.len()
        );
        match left {
            0 => line.push('.'),
            left => line.push_str(&format!(", {left} for which there was no time: the next tick goes on.")),
        }
        [Some(line), self.faults(), self.failures()].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn refused() -> QueueError {
        QueueError::Unavailable { queue: "q".to_owned(), reason: "away".to_owned() }
    }

    #[test]
    fn each_tenant_is_counted_once_and_the_worst_is_told() {
        let mut tick = Tick {
            waiting: 2,
            disabled: 1,
            left: 4,
            bad: vec!["Contoso: cloud is no cloud".to_owned()],
            ..Tick::default()
        };
        let fates = [Fate::Put(datetime!(2026-11-22 19:00 UTC)), Fate::UnderWay, Fate::Left, Fate::Failed(refused())];
        for fate in fates {
            tick.count("Fabrikam", fate);
        }
        assert_eq!((tick.judged(), tick.refused()), (3, None));
        assert_eq!(
            tick.lines(),
            [
                "1 messages put; 2 tenants whose message still waits, 1 with a run under way, 1 disabled, 1 with a bad \
                 entry, 1 whose message could not be put, 4 for which there was no time: the next tick goes on.",
                "an entry of the list of tenants is bad, and this tenant is not read: Contoso: cloud is no cloud",
                "the message of Fabrikam could not be put, and is put by the next tick: the queue q: away",
            ]
        );
    }

    #[test]
    fn a_queue_that_takes_nothing_is_a_failure() {
        let mut tick = Tick::default();
        tick.count("Fabrikam", Fate::UnderWay);
        assert_eq!(tick.refused(), None);
        tick.count("Fabrikam", Fate::Failed(refused()));
        tick.count("Contoso", Fate::Failed(refused()));
        assert_eq!(tick.refused(), Some(&refused()));
        assert!(tick.failures().unwrap().contains("(and those of 1 more)"));
    }

    #[test]
    fn a_line_of_bad_entries_has_an_end() {
        let tick = Tick { bad: (0..100).map(|number| format!("entry {number}: bad")).collect(), ..Tick::default() };
        let line = tick.faults().unwrap();
        assert!(line.contains("entry 19: bad | and 80 more") && !line.contains("entry 20:"), "{line}");
    }
}
