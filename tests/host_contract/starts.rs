//! How the host starts the handler and finds it ready.

use std::process::Command;

use serde_json::Value;

use crate::{
    host::{Host, Stream, request},
    oracle::{Verdict, carry_out, judge},
    wire::{Connection, timer_pull},
};

const EMPTY_TIMER: &[u8] = br#"{"Data":{"timer":{}},"Metadata":{}}"#;

/// A process that has no app settings at all.
async fn without_settings() -> Host {
    tokio::task::spawn_blocking(|| Host::start(&[])).await.unwrap()
}

#[tokio::test]
async fn it_is_ready_without_settings_and_without_a_network() {
    let host = without_settings().await;
    let mut connection = Connection::open(host.address()).await;
    for _ in 0..3 {
        let probe = connection.ask(&request("probe.http")).await;
        assert_eq!((probe.status, judge(&probe)), (200, Verdict::Succeeded(Vec::new())));
    }
    let lines = host.lines();
    assert!(lines.is_empty(), "a probe is sent every 25 ms and later as a ping, and worth no line: {lines:?}");
}

#[tokio::test]
async fn the_port_is_all_that_it_needs_of_the_hosts_variables() {
    let start = || {
        let mut command = Command::new("/usr/bin/env");
        let others = ["FUNCTIONS_HTTPWORKER_PORT", "FUNCTIONS_CUSTOMHANDLER_WORKER_ID", "FUNCTIONS_HTTPWORKER_ID"];
        for name in others.into_iter().chain(["FUNCTIONS_APP_ROOT_PATH"]) {
            command.args(["-u", name]);
        }
        command.arg(env!("CARGO_BIN_EXE_labelstream"));
        Host::start_by(command, &[])
    };
    let host = tokio::task::spawn_blocking(start).await.unwrap();
    let mut connection = Connection::open(host.address()).await;
    assert_eq!(connection.ask(&request("probe.http")).await.status, 200);
}

#[tokio::test]
async fn with_bad_settings_it_stays_up_and_each_run_says_what_to_set() {
    let host = without_settings().await;
    let mut connection = Connection::open(host.address()).await;
    for run in 1..=2 {
        let reply = connection.ask(&timer_pull("bad-settings", EMPTY_TIMER)).await;
        assert_eq!((reply.status, judge(&reply)), (500, Verdict::Failed));
        let lines: Vec<_> = errors(&host, run);
        assert!(lines.iter().all(|line| line.contains("M365_TENANT_ID") && line.contains("AzureWebJobsStorage")));
    }
    let status = connection.ask(&request("status-get.http")).await;
    let caller = carry_out(&status).unwrap();
    let told: Value = serde_json::from_str(&caller.body).unwrap();
    assert_eq!((caller.status, told["healthy"].as_bool()), (503, Some(false)));
    assert!(told["problems"][0].as_str().unwrap().contains("M365_TENANT_ID"), "{told}");
    assert_eq!(connection.ask(&request("probe.http")).await.status, 200);
}

/// The lines that the host shows as errors, once there are so many.
fn errors(host: &Host, count: usize) -> Vec<String> {
    loop {
        let lines = host.lines().into_iter();
        let errors: Vec<_> = lines
            .filter(|(stream, line)| *stream == Stream::Err && !line.to_lowercase().contains("warn"))
            .map(|(_, line)| line)
            .collect();
        assert!(errors.len() <= count, "one line a failed run: {errors:?}");
        if errors.len() == count {
            return errors;
        }
        // The pipe may bring it a moment after the answer.
        std::thread::yield_now();
    }
}
