//! `labelstream doctor`: the real binary in a function app's folder, against the simulator and Azurite, with each
//! prerequisite broken in turn.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by a panic; the table of what was broken and found is printed"
)]

#[path = "support/azurite.rs"]
mod azurite;
#[path = "support/gate.rs"]
mod gate;
#[path = "support/storage.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod storage;

#[path = "doctor/broken.rs"]
mod broken;
#[path = "doctor/cases/mod.rs"]
mod cases;
#[path = "doctor/healthy.rs"]
mod healthy;
#[path = "doctor/patient.rs"]
mod patient;
