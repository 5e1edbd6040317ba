//! Why the timer or a message could not be worked on, so that the host is answered 500.

use super::message::Unreadable;
use crate::{assembly::AssemblyError, queue::QueueError, state::StateError, tenants::ReadError};

/// Why the timer or a message could not be worked on.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The app settings that hold for the whole deployment are missing or wrong; all of them, in one line.
    #[error("{0}")]
    Settings(String),
    /// The deployment cannot be put together.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// There is no list of tenants.
    #[error(transparent)]
    List(#[from] ReadError),
    /// The state cannot be read or written.
    #[error("state: {0}")]
    State(#[from] StateError),
    /// The queue cannot be read or written.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The message is none.
    #[error(transparent)]
    Message(#[from] Unreadable),
    /// The run of a tenant could not begin, because the state could not be used.
    #[error("{tenant}: {reason}")]
    NeverBegan {
        /// The tenant, as people know it.
        tenant: String,
        /// Why not.
        reason: String,
    },
    /// The process ends before the run of a tenant began.
    #[error("{tenant}: the process is stopping and begins no run")]
    Stopping {
        /// The tenant, as people know it.
        tenant: String,
    },
    /// The storage did not answer in time.
    #[error("{what}: the storage did not answer in time; the host, or the next tick, tries again")]
    NoAnswer {
        /// What was asked for.
        what: &'static str,
    },
    /// The run of a tenant did not end in its time, and was given up.
    #[error(
        "{tenant}: the run did not end with RUN_BUDGET_SECONDS and was given up; what it saved is kept, and its lock runs \
         out within a minute"
    )]
    Hung {
        /// The tenant, as people know it.
        tenant: String,
    },
}
