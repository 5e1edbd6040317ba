//! Why the queue cannot be used.

use crate::state::{
    connection::{Access, Service},
    refusal::{Refusal, advice, code_of, describe},
};

/// Why the queue could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The storage refuses the identity, the account key or the signature.
    #[error("the queue {queue}: the storage refuses access: {reason}")]
    Denied {
        /// The queue's name.
        queue: String,
        /// What the storage said and what to do, without any secret.
        reason: String,
    },
    /// The storage cannot be reached or fails.
    #[error("the queue {queue}: {reason}")]
    Unavailable {
        /// The queue's name.
        queue: String,
        /// What went wrong, without any secret.
        reason: String,
    },
}

impl QueueError {
    /// What the SDK's error means to who uses `queue`.
    pub(super) fn of(queue: &str, access: &Access, error: azure_core::Error) -> Self {
        let queue = queue.to_owned();
        match Refusal::of(&error) {
            Refusal::Denied => {
                let advice = advice(Service::Queue, access, code_of(&error));
                Self::Denied { queue, reason: format!("{}; {advice}", describe(error)) }
            }
            _ => Self::Unavailable { queue, reason: describe(error) },
        }
    }
}
