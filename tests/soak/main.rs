//! The soak: two handler processes over one state, with faults, kills and outages as a seed says, and the ledger as the
//! judge. `./scripts/soak --minutes 30 --seed 1` builds a release and runs it; docs/guarantees.md has the figures of one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by a panic, outside of its own function too"
)]

#[path = "../support/admin.rs"]
#[allow(dead_code, reason = "the matrix uses the rest")]
mod admin;
#[path = "../support/azurite.rs"]
mod azurite;
#[path = "../support/control.rs"]
#[allow(dead_code, reason = "the matrix uses the rest")]
mod control;
#[path = "../support/gate.rs"]
mod gate;
#[path = "../support/host.rs"]
#[allow(dead_code, reason = "the matrix uses the rest")]
mod host;
#[path = "../support/storage.rs"]
#[allow(dead_code, reason = "the matrix uses the rest")]
mod storage;
#[path = "../support/world.rs"]
#[allow(dead_code, reason = "the matrix uses the rest")]
mod world;

mod backlog;
#[allow(dead_code, reason = "the matrix uses the rest")]
mod play;

use std::{process::ExitCode, time::Duration};

use clap::Parser;

/// Plays faults, kills and outages against the connector and judges what arrived.
#[derive(Debug, Parser)]
#[command(name = "soak")]
struct Arguments {
    /// How long faults are played; the end takes some minutes more.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// What is played.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// In place of a soak: a backlog of so many records, read by a process with 256 MiB.
    #[arg(long, value_name = "RECORDS")]
    backlog: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Some(records) = arguments.backlog {
        let held = runtime.block_on(backlog::play(records, arguments.seed));
        return if held { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let plan = play::Plan { length: Duration::from_secs_f64(arguments.minutes * 60.0), seed: arguments.seed };
    let outcome = runtime.block_on(play::play(plan, |line| println!("{line}")));
    println!("\n{outcome}");
    if outcome.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
