//! The dispatcher that stands for the Functions host's queue trigger: its rules, against a real queue and a handler that does
//! as it is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

#[path = "support/azurite.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod azurite;
#[path = "support/dispatcher/mod.rs"]
mod dispatcher;
#[path = "support/host.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod host;
#[path = "handler/oracle.rs"]
mod oracle;
#[path = "support/queue.rs"]
mod queue;
#[path = "handler/wire.rs"]
#[expect(dead_code, reason = "the tests of the handler use the rest")]
mod wire;

#[path = "dispatcher/bytes.rs"]
mod bytes;
#[path = "dispatcher/ends.rs"]
mod ends;
#[path = "dispatcher/fates.rs"]
mod fates;
#[path = "dispatcher/rules.rs"]
mod rules;
#[path = "dispatcher/scripted.rs"]
mod scripted;
