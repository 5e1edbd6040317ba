//! Runs of the real binary, started as the Functions host starts it, with Azurite for the state and the simulator for
//! Microsoft. The simulator's ledger is the judge of what arrived.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by a panic, outside of its own function too"
)]

#[path = "support/azurite.rs"]
mod azurite;
#[path = "support/front.rs"]
mod front;
#[path = "support/host.rs"]
#[expect(dead_code, reason = "the host's contract uses the rest")]
mod host;
#[path = "run/inside.rs"]
mod inside;
#[path = "support/of_settings.rs"]
mod of_settings;
#[path = "support/world.rs"]
mod world;

#[path = "run/backlog.rs"]
mod backlog;
#[path = "run/endings.rs"]
mod endings;
#[path = "run/failures.rs"]
mod failures;
#[path = "run/heartbeats.rs"]
mod heartbeats;
#[path = "run/lines.rs"]
mod lines;
#[path = "run/listings.rs"]
mod listings;
#[path = "run/memory.rs"]
mod memory;
#[path = "run/published.rs"]
mod published;
#[path = "run/refusals.rs"]
mod refusals;
#[path = "run/requests.rs"]
mod requests;
#[path = "run/saving.rs"]
mod saving;
#[path = "run/start.rs"]
mod start;
#[path = "run/storage.rs"]
mod storage;
#[path = "run/ticks.rs"]
mod ticks;
