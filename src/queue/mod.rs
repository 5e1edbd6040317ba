//! The work queue of many tenants: a message is one run of one tenant.
//!
//! The Functions host takes the messages and posts them to the handler; here they are put, and counted. The account is
//! the one that holds the state, entered in the same way.

mod client;
mod error;

pub use client::{Sent, WORK_QUEUE, WorkQueue};
pub use error::QueueError;
