//! The watermark: how far each content type of a tenant has been listed, and what of it is still to be delivered.
//!
//! Three things are remembered between runs, apart from each other so that an idle run reads and writes little:
//! - the [`Document`], small, with a [`Watermark`] for each content type;
//! - the contents delivered, 16 bytes each, by content type and day of publication;
//! - the records delivered, 16 bytes each, by day of delivery.
//!
//! [`Progress`] is what a run knows on top of it. Both are values without I/O; [`Memory`] reads and writes them.

mod document;
mod failure;
mod ids;
mod letters;
mod listing;
mod look_back;
mod memory;
#[cfg(test)]
mod model;
mod progress;
#[cfg(test)]
mod tests;
mod windows;

pub use document::{Document, DocumentError, FORMAT, Pending, Watermark};
pub use failure::{Failure, Verdict};
pub use ids::{Id, IdSet, content_id};
pub use letters::{Answered, Letters, Outcome};
pub use listing::{Listing, Slot};
pub use look_back::{LookBack, Span};
pub use memory::{Loaded, Memory, RECORD_LOGS, REMEMBERED_DAYS};
pub use progress::{Admission, Progress, Unsaved};
