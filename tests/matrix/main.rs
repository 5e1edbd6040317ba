//! The fault matrix: the real binary under the Functions host's part, Azurite behind a proxy that fails, the simulator
//! with a fault switched on, and its ledger as the judge. Each row is a test; the table of all rows is printed at the
//! end, as docs/guarantees.md has it.
//!
//! `cargo test --test matrix` runs all rows, `cargo test --test matrix -- feed` those of a group.
//! `MATRIX_SEED=7` adds 7 to each row's seed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by a panic, outside of its own function too"
)]

#[path = "../support/admin.rs"]
mod admin;
#[path = "../support/azurite.rs"]
mod azurite;
#[path = "../support/control.rs"]
mod control;
#[path = "../support/gate.rs"]
mod gate;
#[path = "../support/host.rs"]
#[expect(dead_code, reason = "the host's contract uses the rest")]
mod host;
#[path = "../soak/play/mod.rs"]
mod play;
#[path = "../support/storage.rs"]
mod storage;
#[path = "../support/world.rs"]
#[allow(dead_code, reason = "the tests of a run use the rest")]
mod world;

mod backlog;
mod case;
mod feed;
mod ingestion;
mod process;
mod records;
mod scene;
mod state;
mod table;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Trial};

use crate::{case::Case, table::Table};

/// Rows that run at once where the caller does not say: most of their time they wait.
const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let groups = [feed::cases(), records::cases(), ingestion::cases(), state::cases(), process::cases()];
    let cases: Vec<Case> = groups.into_iter().flatten().collect();
    let table = Arc::new(Table::of(&cases));
    let trials = cases.into_iter().enumerate().map(|(place, case)| {
        let table = Arc::clone(&table);
        Trial::test(case.title(), move || {
            table.enter(place, case.run());
            Ok(())
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if !arguments.list {
        print!("\n{table}\n");
    }
    conclusion.exit_code()
}
