//! What must hold for any bytes: one file for each fuzz target, with the function that the target runs on every input.
//! `tests/corpus.rs` runs the same functions over the committed corpus.
//!
//! A `check` panics where a promise is broken, and returns what the input reached, so that a corpus that reaches nothing
//! is noticed.

pub mod error_body;
pub mod ids;
pub mod label_map;
pub mod listing;
pub mod record_to_row;
pub mod settings;
pub mod trigger_payload;
pub mod watermark_document;

mod column;
mod expand;
mod label_event;
mod shelf;
mod shown;

/// What an input reached, of the list that its module has.
pub type Reached = Vec<&'static str>;

/// A target: its name, its check, and all that its corpus is to reach.
pub type Target = (&'static str, fn(&[u8]) -> Reached, &'static [&'static str]);

/// Every target.
pub const TARGETS: [Target; 8] = [
    ("error_body", error_body::check, error_body::REACHES),
    ("ids", ids::check, ids::REACHES),
    ("label_map", label_map::check, label_map::REACHES),
    ("listing", listing::check, listing::REACHES),
    ("record_to_row", record_to_row::check, record_to_row::REACHES),
    ("settings", settings::check, settings::REACHES),
    ("trigger_payload", trigger_payload::check, trigger_payload::REACHES),
    ("watermark_document", watermark_document::check, watermark_document::REACHES),
];
