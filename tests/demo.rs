//! The demo: the program as a newcomer starts it, and the tests of its parts, which `cargo test` does not run where an
//! example has them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(dead_code, reason = "the program uses the parts, these are their tests")]

#[path = "../examples/demo/event.rs"]
mod event;
#[path = "../examples/demo/message.rs"]
mod message;
#[path = "../examples/demo/picture.rs"]
mod picture;
#[path = "../examples/demo/places.rs"]
mod places;
#[path = "../examples/demo/progress.rs"]
mod progress;
#[path = "../examples/demo/proof.rs"]
mod proof;
#[path = "../examples/demo/tally.rs"]
mod tally;
#[path = "../examples/demo/text.rs"]
mod text;
#[path = "../examples/demo/told.rs"]
mod told;
#[path = "../examples/demo/week.rs"]
mod week;

#[path = "demo/program.rs"]
mod program;
