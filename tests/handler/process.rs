//! The lines of a whole process, as the Functions host reads them from its two streams.

use std::{env, process::Command};

use labelstream::telemetry;

use super::{
    EMPTY_TIMER,
    script::{Served, done, failed},
    wire::{Connection, timer_pull},
};

/// Set in the process whose lines are looked at: `host` or `command line`.
const ROLE: &str = "LABELSTREAM_TEST_ROLE";

/// The lines on stdout and stderr of this test, run again as a process of its own.
fn lines_as(test: &str, role: &str) -> (Vec<String>, Vec<String>) {
    let again = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .output()
        .unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let lines = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect();
    (lines(again.stdout), lines(again.stderr))
}

/// A good run, one that panics, and one of whose tasks panics.
fn three_runs() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let served = Served::new(|trigger, _| async move {
            match trigger.invocation_id.as_deref() {
                Some("panics") => panic!("a warning:\nthe state is torn"),
                Some("worker-panics") => {
                    let worker = tokio::spawn(async { panic!("the worker tripped") });
                    failed(&format!("a worker is gone: {}", worker.await.unwrap_err().is_panic()))
                }
                _ => done("nothing new"),
            }
        })
        .await;
        let mut connection = Connection::open(served.address).await;
        for (run, status) in [("good", 200), ("panics", 500), ("worker-panics", 500)] {
            assert_eq!(connection.ask(&timer_pull(run, EMPTY_TIMER)).await.status, status, "{run}");
        }
        served.shutdown.cancel();
        served.serving.await.unwrap().unwrap();
    });
}

#[test]
fn the_host_reads_levels_from_the_streams() {
    match env::var(ROLE).as_deref() {
        Ok("host") => {
            // The bad level is a bad setting: it is reported, and the rest goes on.
            telemetry::init(Some("labelstream=loud")).unwrap();
            assert!(telemetry::init(None).is_err());
            return three_runs();
        }
        Ok("command line") => {
            telemetry::init_to_stderr(None).unwrap();
            return three_runs();
        }
        _ => {}
    }
    let test = "process::the_host_reads_levels_from_the_streams";
    let (out, err) = lines_as(test, "host");
    assert!(out.iter().any(|line| line.contains(" INFO run{invocation_id=good} ")), "{out:?}");
    assert!(!out.iter().any(|line| line.contains(" WARN ") || line.contains(" ERROR ")), "{out:?}");

    let (warnings, errors): (Vec<_>, Vec<_>) = err.iter().partition(|line| line.to_lowercase().contains("warn"));
    assert!(warnings.len() == 1 && warnings[0].contains(telemetry::LOG_SETTING), "{warnings:?}");
    let of = |text: &str| errors.iter().filter(|line| line.contains(text)).count();
    assert_eq!((errors.len(), of(" ERROR ")), (3, 3), "{errors:?}");
    assert_eq!(of("run{invocation_id=panics} "), 1);
    assert_eq!(of("panicked at tests/handler/process.rs:"), 2, "{errors:?}");
    assert_eq!(of(": a w-arning:\\nthe state is torn"), 1);
    assert_eq!(of("run{invocation_id=worker-panics} labelstream::handler::runs: the run failed"), 1);

    let (out, err) = lines_as(test, "command line");
    assert!(!out.iter().any(|line| line.contains("invocation_id")), "{out:?}");
    assert!(err.iter().any(|line| line.contains(" INFO run{invocation_id=good} ")), "{err:?}");
}
