//! The subcommands for many tenants: the real binary at a shell, a simulated provider with its tenants behind a login over
//! TLS, and its state in a folder or in Azurite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

#[path = "support/azurite.rs"]
#[expect(dead_code, reason = "the tests of the state use the rest")]
mod azurite;
#[path = "tenants/world.rs"]
mod world;

#[path = "tenants/chosen.rs"]
mod chosen;
#[path = "tenants/doctor.rs"]
mod doctor;
#[path = "tenants/letters.rs"]
mod letters;
#[path = "tenants/listed.rs"]
mod listed;
#[path = "tenants/pull.rs"]
mod pull;
#[path = "tenants/purge.rs"]
mod purge;
#[path = "tenants/status.rs"]
mod status;
#[path = "tenants/subscriptions.rs"]
mod subscriptions;
