//! Ingestion: batches to the data collection rule (DCR), through the Logs Ingestion API.
//!
//! [`IngestionClient`] makes one POST. [`deliver`] sees a batch through: it tries again, halves what is too large,
//! finds the rows that are refused, and reports what became of every row. What it does next is decided by values
//! without I/O: [`classify`] tells the answers apart, [`Plan`] says which rows the next POST carries, and [`Patience`]
//! how long failures are borne. [`post_row`] is for a row of little worth, posted by itself.

mod client;
mod delivery;
mod error;
mod gzip;
mod patience;
mod plan;
mod single;

pub use client::{IngestionClient, POST_TIMEOUT};
pub use delivery::{Delivery, Leave, deliver};
pub use error::{Answer, IngestionError, Interruption, classify};
pub use gzip::Packer;
pub use patience::{Borne, Patience};
pub use plan::{Blame, Plan, REFUSALS_AT_MOST, Refused, SYSTEMATIC_AFTER, Systematic};
pub use single::{RowError, post_row};
