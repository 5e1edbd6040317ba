//! Processes that are killed, stopped, short of time or of memory.

mod budget;
mod endings;
mod instances;
mod kills;
mod memory;
mod soak;

use crate::case::Case;

/// The rows of this group.
pub fn cases() -> Vec<Case> {
    [kills::cases(), endings::cases(), instances::cases(), budget::cases(), memory::cases(), soak::cases()].concat()
}
