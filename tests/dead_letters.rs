//! `labelstream dead-letters`: the real binary at a shell, with its state in a folder or in Azurite, and the simulator's
//! ledger as the judge of what arrived. Where the storage has to fail at one point, a connector inside this process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

#[path = "support/azurite.rs"]
#[expect(dead_code, reason = "the tests of the state use the rest")]
mod azurite;
#[path = "run/inside.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod inside;
#[path = "support/of_settings.rs"]
mod of_settings;
#[path = "dead_letters/world.rs"]
mod world;

#[path = "dead_letters/contents.rs"]
mod contents;
#[path = "dead_letters/crashes.rs"]
mod crashes;
#[path = "dead_letters/locks.rs"]
mod locks;
#[path = "dead_letters/rows.rs"]
mod rows;
#[path = "dead_letters/shown.rs"]
mod shown;
