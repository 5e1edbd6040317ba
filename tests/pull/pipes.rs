//! Rows on standard output, with a reader that is slow or goes away.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout},
};

use crate::{INGESTION, Shell, ended, rows, said, signal};

/// Reads the first line, off the runtime's threads, and gives back the rest. A pipe holds 64 KiB, so that with rows of
/// more than that the run now stands in its first write.
async fn first_line(child: &mut Child) -> (String, BufReader<ChildStdout>) {
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        (line, reader)
    })
    .await
    .unwrap()
}

async fn rest(mut reader: BufReader<ChildStdout>) -> Vec<u8> {
    tokio::task::spawn_blocking(move || {
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        rest
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_ends_the_run_quietly() {
    let shell = Shell::with(20, 100).await;
    for state in [&["--dry-run"][..], &["--state", &shell.path("state")]] {
        let mut run = shell.start(&[&["pull", "--output", "-"], state].concat());
        let (line, reader) = first_line(&mut run).await;
        assert_eq!(rows(line.as_bytes()).len(), 1);
        drop(reader);
        let output = ended(run).await;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let said = said(&output);
        assert!(!said.contains("failed:") && !said.contains("roken pipe"), "{said}");
    }
    // The batch that did not go out whole was not accepted, nor were those behind it.
    let output = shell.run(&["pull", "--state", &shell.path("state"), "--output", "-"], &INGESTION).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(rows(&output.stdout).len(), 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_does_not_mind_a_live_run_beside_it() {
    let shell = Shell::with(2, 3).await;
    let state = shell.path("state");
    let live = ["pull", "--state", &state];
    // The logs and the document are there, and change while the dry run goes on.
    let output = shell.run(&live, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    shell.publish(20, 100);
    let mut dry = shell.start(&["pull", "--dry-run", "--state", &state, "--output", "-"]);
    let (first, reader) = first_line(&mut dry).await;
    let output = shell.run(&live, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let rest = rest(reader).await;
    let output = ended(dry).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(rows(first.as_bytes()).len() + rows(&rest).len(), 2_000);
    let report = shell.simulator.report();
    assert!(report.is_clean() && report.surplus_rows == 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_reader_does_not_keep_a_run_from_ending() {
    let shell = Shell::with(20, 100).await;
    let arguments = ["pull", "--state", &shell.path("state"), "--output", "-"];
    let mut run = shell.start(&arguments);
    let (_, reader) = first_line(&mut run).await;
    signal(&run, "TERM");
    let output = ended(run).await;
    drop(reader);
    assert_eq!(output.status.code(), Some(143), "{}", said(&output));
    let output = shell.run(&arguments, &INGESTION).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(rows(&output.stdout).len(), 2_000, "what nobody took is not delivered");
}
