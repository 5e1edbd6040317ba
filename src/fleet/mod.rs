//! Fleet: many tenants in one deployment. The timer queues a message for each tenant that is due, and the Functions host
//! hands the messages out over its instances: a message is one run of one tenant, by the same code as the timer's.

pub mod due;
mod message;

pub use message::{BINDING, Message, Unreadable, Work};
