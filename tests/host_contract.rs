//! The contract with the Azure Functions host: the real binary, started as the host starts it, is asked what a host asked
//! (`tests/samples/host`), byte for byte, and each answer is judged by the host's rules. What there is to be asked is read
//! from `host.json` and the functions' folders. `docs/host-contract.md` has the rules, each with its test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by a panic, outside of its own function too"
)]

#[path = "support/azurite.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod azurite;
#[path = "handler/bodies.rs"]
mod bodies;
#[path = "support/host.rs"]
mod host;
#[path = "handler/oracle.rs"]
mod oracle;
#[path = "handler/wire.rs"]
#[expect(dead_code, reason = "the tests of the handler use the rest")]
mod wire;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod world;

#[path = "host_contract/admin.rs"]
mod admin;
#[path = "host_contract/answers.rs"]
mod answers;
#[path = "host_contract/app.rs"]
mod app;
#[path = "host_contract/ends.rs"]
mod ends;
#[path = "host_contract/fleet.rs"]
mod fleet;
#[path = "host_contract/overlap.rs"]
mod overlap;
#[path = "host_contract/pages.rs"]
mod pages;
#[path = "host_contract/replays.rs"]
mod replays;
#[path = "host_contract/starts.rs"]
mod starts;
#[path = "host_contract/status.rs"]
mod status;
