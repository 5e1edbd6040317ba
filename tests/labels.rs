//! Label names: the real binary against a simulated Graph that works, changes and fails, with its state in a folder or in
//! Azurite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by a panic, outside of its own function too; the share of names is printed"
)]

#[path = "support/azurite.rs"]
#[expect(dead_code, reason = "the tests of the state use the rest")]
mod azurite;
#[path = "support/host.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod host;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod world;

#[path = "labels/client.rs"]
mod client;
#[path = "labels/command.rs"]
mod command;
#[path = "labels/failing.rs"]
mod failing;
#[path = "labels/maps.rs"]
mod maps;
#[path = "labels/requests.rs"]
mod requests;
#[path = "labels/rows.rs"]
mod rows;
#[path = "labels/serving.rs"]
mod serving;
#[path = "labels/share.rs"]
mod share;
#[path = "labels/shell.rs"]
mod shell;
