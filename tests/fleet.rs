//! Many tenants: the real binary as the host starts it, with the timer and the messages that a host sends, a provider of
//! simulated tenants, and the emulator's blobs and queues.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by a panic, outside of its own function too"
)]

#[path = "support/account.rs"]
mod account;
#[path = "support/azurite.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod azurite;
#[path = "support/host.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod host;
#[path = "support/queue.rs"]
#[expect(dead_code, reason = "the tests of the dispatcher use the rest")]
mod queue;

#[path = "fleet/deployment.rs"]
mod deployment;
#[path = "fleet/messages.rs"]
mod messages;
#[path = "fleet/queue_client.rs"]
mod queue_client;
#[path = "fleet/status.rs"]
mod status;
#[path = "fleet/timer.rs"]
mod timer;
