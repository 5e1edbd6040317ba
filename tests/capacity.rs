//! Several runs at once in one process, each for a tenant of its own: what they take together is bounded, and none waits for
//! another. The simulators' ledgers are the judges of what arrived.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by a panic, outside of its own function too"
)]

#[path = "support/of_settings.rs"]
mod of_settings;

#[path = "capacity/bounds.rs"]
mod bounds;
#[path = "capacity/hanging.rs"]
mod hanging;
#[path = "capacity/memory.rs"]
mod memory;
#[path = "capacity/provider.rs"]
mod provider;
