//! The subcommands that look on or act on the tenant: `status`, `connect`, `disconnect`, `completions`, and the help of
//! all. The real binary at a shell, with its state in a folder or in Azurite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

#[path = "support/azurite.rs"]
#[expect(dead_code, reason = "the tests of the state use the rest")]
mod azurite;

#[path = "commands/help.rs"]
mod help;
#[path = "commands/shell.rs"]
mod shell;
#[path = "commands/status.rs"]
mod status;
#[path = "commands/subscriptions.rs"]
mod subscriptions;
