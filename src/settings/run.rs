//! How long a run may take.

use std::{ops::RangeInclusive, time::Duration};

use super::{reader::Reader, table, value::number};

/// Below ten seconds not even one slow answer fits; above an hour a timer's runs would only wait for each other.
const BUDGET_SECONDS: RangeInclusive<u32> = 10..=3600;

/// How long a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunSettings {
    /// A run stops taking work in time to be saved and answered by then.
    pub budget: Duration,
}

impl RunSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let seconds = reader.or_default(&table::RUN_BUDGET_SECONDS, |text| number(text, &BUDGET_SECONDS, "seconds"))?;
        Some(Self { budget: Duration::from_secs(seconds.into()) })
    }
}
