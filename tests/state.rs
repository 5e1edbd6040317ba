//! The state: one suite on a folder and on a blob service alike, and what each of the two has for itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by a panic, outside of its own function too"
)]

#[path = "support/azurite.rs"]
mod azurite;
#[path = "support/lossy.rs"]
mod lossy;

#[path = "state/in_a_container.rs"]
mod in_a_container;
#[path = "state/in_a_folder.rs"]
mod in_a_folder;
#[path = "state/in_an_overlay.rs"]
mod in_an_overlay;
#[path = "state/suite.rs"]
mod suite;
