//! The corpus of the fuzz targets as a regression suite: what the targets check on any bytes, checked on the inputs that
//! they found worth keeping, without a fuzzer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and names the input before"
)]

#[path = "../fuzz/oracles/mod.rs"]
mod oracles;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use oracles::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Runs the corpus of a target. Everything that its check can reach must be reached.
fn run(target: &str) {
    let (_, check, reaches) = TARGETS.into_iter().find(|(name, ..)| *name == target).unwrap();
    let mut missing: BTreeSet<_> = reaches.iter().copied().collect();
    let mut inputs: Vec<_> =
        fs::read_dir(fuzz().join("corpus").join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    for input in inputs {
        eprintln!("{}", input.display());
        for reached in check(&fs::read(&input).unwrap()) {
            assert!(reaches.contains(&reached), "{reached:?} is not in the list of what {target} reaches");
            missing.remove(reached);
        }
    }
    assert!(missing.is_empty(), "no input of {target} reaches {missing:?}");
}

macro_rules! corpora {
    ($($target:ident),+) => {
        $(
            #[test]
            fn $target() {
                run(stringify!($target));
            }
        )+

        const RUN: &[&str] = &[$(stringify!($target)),+];
    };
}

corpora!(error_body, ids, label_map, listing, record_to_row, settings, trigger_payload, watermark_document);

#[test]
fn every_target_is_run_here_and_by_the_script() {
    assert_eq!(RUN, TARGETS.map(|(name, ..)| name));
    let mut files: Vec<_> = fs::read_dir(fuzz().join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert_eq!(files, RUN);
}
