//! How the host starts the handler and finds it ready.

use std::{io::ErrorKind, process::Command};

use labelstream_simulator::Config;
use serde_json::Value;

use crate::{
    answers::errors,
    azurite::{KEY, connection_string},
    host::{Host, request},
    oracle::{Verdict, carry_out, judge},
    wire::{Connection, timer_pull},
    world::World,
};

const EMPTY_TIMER: &[u8] = br#"{"Data":{"timer":{}},"Metadata":{}}"#;

/// A process that has no app settings at all.
async fn without_settings() -> Host {
    tokio::task::spawn_blocking(|| Host::start(&[])).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_before_it_asks_anything_of_a_network() {
    // All that it may ask is one port, and nobody there says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let mut world = World::new(Config::default()).await;
    let at = format!("http://{}/", silent.local_addr().unwrap());
    for name in ["M365_MANAGEMENT_ENDPOINT", "GRAPH_ENDPOINT", "DATA_COLLECTION_ENDPOINT", "IDENTITY_ENDPOINT"] {
        assert!(world.settings.iter().any(|(known, _)| known == name), "{name} is not where this test believes");
        world.set(name, &at);
    }
    world.set("AzureWebJobsStorage", &connection_string(silent.local_addr().unwrap().port(), KEY));
    let host = world.start().await;
    assert_eq!(Connection::open(host.address()).await.ask(&request("probe.http")).await.status, 200);
    assert_eq!(silent.accept().map(drop).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    // The settings are good: a run asks there.
    let mut timer = Connection::open(host.address()).await;
    timer.send(&request("timer-later.http")).await;
    while silent.accept().is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_is_ready_without_settings() {
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
        host.wait_for_ended(run);
        let lines = errors(&host);
        assert_eq!(lines.len(), run, "one line a failed run: {lines:?}");
        assert!(lines.iter().all(|line| line.contains("M365_TENANT_ID") && line.contains("AzureWebJobsStorage")));
    }
    let status = connection.ask(&request("status-get.http")).await;
    let caller = carry_out(&status).unwrap();
    let told: Value = serde_json::from_str(&caller.body).unwrap();
    assert_eq!((caller.status, told["healthy"].as_bool()), (503, Some(false)));
    assert!(told["problems"][0].as_str().unwrap().contains("M365_TENANT_ID"), "{told}");
    assert_eq!(connection.ask(&request("probe.http")).await.status, 200);
}
