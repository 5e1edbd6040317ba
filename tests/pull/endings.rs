//! Runs that end before their work is done, and the ones that go on.

use std::time::Duration;

use labelstream_simulator::{Effect, Endpoint, Fault, When};

use crate::{Shell, ended, said, signal};

/// Contents that take their time, so that a run can be met in its middle.
fn slow_down(shell: &Shell, milliseconds: u64) {
    let delay = Effect::Delay(milliseconds);
    shell.simulator.fault(Fault::new(Endpoint::Retrieve, When::Always, delay)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_ends_saved_with_the_status_of_its_signal() {
    let shell = Shell::with(400, 50).await;
    let state = shell.path("state");
    slow_down(&shell, 200);
    shell.simulator.fault(Fault::new(Endpoint::Ingest, When::Always, Effect::DelayAnswer(50))).unwrap();
    for (name, status) in [("TERM", 143), ("INT", 130)] {
        let before = shell.simulator.report().totals.posts;
        let run = shell.start(&["pull", "--state", &state]);
        while shell.simulator.report().totals.posts < before + 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        signal(&run, name);
        let output = ended(run).await;
        assert_eq!(output.status.code(), Some(status), "{}", said(&output));
        assert!(said(&output).contains("the next run of this command goes on from there"), "{}", said(&output));
        let report = shell.simulator.report();
        assert!(report.missing > 0, "it was interrupted too late: {report:?}");
    }
    shell.simulator.clear_faults();
    let output = shell.run(&["pull", "--state", &state], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report = shell.simulator.report();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.surplus_rows, 0, "what was sent was saved: {report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_is_1_also_where_it_was_interrupted() {
    let shell = Shell::with(40, 5).await;
    slow_down(&shell, 250);
    // Exchange cannot be listed, and the rest goes on until the signal comes.
    let refused = Fault::new(Endpoint::List, When::Always, Effect::af("AF10001")).matching("Audit.Exchange");
    shell.simulator.fault(refused).unwrap();
    let run = shell.start(&["pull", "--state", &shell.path("state")]);
    while shell.asked(Endpoint::Retrieve) < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    signal(&run, "TERM");
    let output = ended(run).await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("failed: Audit.Exchange"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_ends_a_run_saved_and_the_next_one_goes_on() {
    // 1,000 contents of 250 ms each, 36 at once, take longer than four seconds on any machine.
    let shell = Shell::with(1_000, 2).await;
    let state = shell.path("state");
    slow_down(&shell, 250);
    let output = shell.run(&["pull", "--state", &state, "--budget", "4"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "not done is not failed: {}", said(&output));
    assert!(said(&output).contains(" unfinished."), "{}", said(&output));
    let first = shell.simulator.report();
    assert!(first.arrived > 0 && first.missing > 0, "{first:?}");
    shell.simulator.clear_faults();
    let output = shell.run(&["pull", "--state", &state], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report = shell.simulator.report();
    assert!(report.is_clean() && report.surplus_rows == 0, "{report:?}");
}
