//! One run: list → fetch → filter → row → batch → post → save, as one stream with bounded buffers.
//!
//! This module alone knows the order of things. Its stages run side by side:
//! - `listing` asks each content type for its windows and hands over the contents that are new;
//! - `fetching` fetches several contents at once; `reading` reads each, keeps the label events and makes rows of them;
//! - `posting` gathers rows into batches and posts several at once;
//! - `saving` saves what was answered, before another batch may take the answered one's place.
//!
//! `replay` sends dead letters again: it stands in the place of the first two, and the others are the same.
//!
//! Before them, `opening` takes the lock and reads what the run goes on from, while `tokens` are asked for, and
//! `subscriptions` sees to it that there is something to list. `stages` begins and ends them. They share one `run::Run`,
//! whose `Progress` decides what is settled. What a run could not save is `left_over` for the next one of its process. What
//! several runs of a process may do at once together is bounded by their `capacity`.

mod budget;
mod capacity;
mod connector;
mod error;
mod fetching;
mod left_over;
mod listing;
mod lock;
mod names;
mod opening;
mod posting;
mod reading;
mod refusals;
mod replay;
mod run;
mod saving;
mod sink;
mod stages;
mod subscriptions;
mod summary;
mod tokens;

pub use budget::Budget;
pub use capacity::{Bound, Capacity, Limits, Place};
pub use connector::{Connector, Range, Request};
pub use error::{RunError, RunFailed};
pub use left_over::LeftOver;
pub use opening::Begun;
pub use sink::{LinesSink, LinesWriter, Sink};
pub use summary::{Counts, Summary, TypeSummary};
