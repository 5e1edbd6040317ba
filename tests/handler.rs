//! The custom handler as the Functions host meets it: raw requests over loopback, and the host's view of each answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "handler/app.rs"]
mod app;
#[path = "handler/bodies.rs"]
mod bodies;
#[path = "handler/oracle.rs"]
mod oracle;
#[path = "handler/process.rs"]
mod process;
#[path = "handler/script.rs"]
mod script;
#[path = "handler/wire.rs"]
mod wire;

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use labelstream::handler::{Range, RunReport, Task, Trigger};
use oracle::{Verdict, judge};
use script::{Served, done, failed, logged};
use serde_json::json;
use time::macros::datetime;
use tokio::{
    net::TcpStream,
    sync::{Barrier, Notify, mpsc},
};
use wire::{Connection, request, soon, timer_pull};

/// A request as the host sent it.
fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/host").join(name)).unwrap()
}

/// The same request, to `TimerPull`.
fn sample_to_timer_pull(name: &str) -> Vec<u8> {
    let text = String::from_utf8(sample(name)).unwrap();
    let (head, rest) = text.split_once(" HTTP/1.1\r\n").unwrap();
    assert!(head.starts_with("POST /"));
    format!("POST /TimerPull HTTP/1.1\r\n{rest}").into_bytes()
}

fn succeeded(lines: &[&str]) -> Verdict {
    Verdict::Succeeded(lines.iter().map(|line| (*line).to_owned()).collect())
}

const EMPTY_TIMER: &[u8] = br#"{"Data":{"timer":{}},"Metadata":{}}"#;

#[tokio::test]
async fn the_probe_is_answered() {
    let served = Served::idle().await;
    let reply = Connection::open(served.address).await.ask(&sample("probe.http")).await;
    assert_eq!((reply.status, judge(&reply)), (200, succeeded(&[])));
    assert!(reply.body.len() < 100 && served.triggers().is_empty());
}

#[tokio::test]
async fn the_hosts_own_requests_make_runs() {
    logged("");
    let served = Served::idle().await;
    let mut connection = Connection::open(served.address).await;
    let range = Range { since: Some(datetime!(2026-11-15 0:00 UTC)), until: Some(datetime!(2026-11-16 0:00 UTC)) };
    for (name, id, expected) in [
        ("timer-first.http", "5377224d-f752-4aab-9775-c8eda71fbc76", Trigger::default()),
        ("timer-later.http", "48a1b9e8-26bf-418b-835a-9ec11edac442", Trigger::default()),
        (
            "timer-past-due.http",
            "acb0f68a-b5d6-4375-ac70-56125545997d",
            Trigger { past_due: true, ..Trigger::default() },
        ),
        ("manual-no-input.http", "4fc11cd3-ebbb-48ac-9655-08c9d889a63d", Trigger::default()),
        ("manual-empty.http", "a4259784-7fa5-49be-8488-70627a4be069", Trigger { manual: true, ..Trigger::default() }),
        (
            "manual-range.http",
            "b6fd6432-a61c-486f-8808-ca6f39b3ef6d",
            Trigger { manual: true, range: Some(range), ..Trigger::default() },
        ),
    ] {
        let reply = connection.ask(&sample(name)).await;
        assert_eq!(judge(&reply), succeeded(&[]), "{name}");
        let expected = Trigger { invocation_id: Some(id.to_owned()), ..expected };
        assert_eq!(served.triggers().last(), Some(&expected), "{name}");
    }
    assert_eq!(served.triggers().len(), 6);
    let asked = logged("b6fd6432-a61c-486f-8808-ca6f39b3ef6d").out;
    assert!(asked.iter().any(|line| line.contains("range=2026-11-15T00:00:00Z to 2026-11-16T00:00:00Z")), "{asked:?}");
}

#[tokio::test]
async fn an_input_that_is_no_range_is_a_normal_run_that_says_so() {
    logged("");
    let served = Served::new(|_, _| async { done("2 rows sent") }).await;
    let reply = Connection::open(served.address).await.ask(&sample("manual-hello.http")).await;
    let Verdict::Succeeded(lines) = judge(&reply) else { panic!("{reply:?}") };
    assert_eq!((lines.len(), lines[1].as_str()), (2, "2 rows sent"));
    assert!(lines[0].contains("is no range") && !lines[0].contains("hello"));
    let trigger = &served.triggers()[0];
    assert!(trigger.manual && trigger.range.is_none());
    let lines = logged("cbf16775-8876-4a73-94ed-739edb4548e7");
    assert!(lines.out.iter().any(|line| line.contains("is no range") && !line.contains("hello")));
    assert_eq!(lines.err, [""; 0]);
}

#[tokio::test]
async fn a_message_reaches_the_runner_as_the_host_hands_it_over() {
    logged("");
    let served = Served::new(|trigger, _| async move {
        match trigger.task {
            Task::Work(Ok(_)) => panic!("a run of one tenant"),
            Task::Work(Err(why)) => failed(&why.to_string()),
            other => failed(&format!("{other:?}")),
        }
    })
    .await;
    let mut connection = Connection::open(served.address).await;
    let timer = sample("timer-later.http");
    let timer = String::from_utf8(timer).unwrap().replace("POST /TimerPull ", "POST /FleetTimer ").into_bytes();
    let message =
        timer_pull("a-message", br#"{"Data":{"work":"{\"tenantId\":\"4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55\"}"}}"#);
    let message = String::from_utf8(message).unwrap().replace("POST /TimerPull ", "POST /FleetPull ").into_bytes();
    for (request, told) in [
        (sample("queue-json.http"), "has a tenantId that is no GUID"),
        (sample("queue-text.http"), "is no JSON object"),
        (message, "a run of one tenant"),
        (timer, "Queue"),
    ] {
        let reply = connection.ask(&request).await;
        assert_eq!((reply.status, judge(&reply)), (500, Verdict::Failed));
        assert!(reply.json()["error"].as_str().unwrap().contains(told), "{told}: {:?}", reply.json());
    }
    let id = "efc44e73-4944-481c-904c-29f3c6174c41";
    assert_eq!(served.triggers()[0].invocation_id.as_deref(), Some(id));
}

#[tokio::test]
async fn requests_of_other_functions_find_a_404_with_a_body() {
    logged("");
    let served = Served::idle().await;
    let mut connection = Connection::open(served.address).await;
    for name in ["timer-no-monitor.http", "timer-timespan.http", "timer-retry.http", "status-forwarded.http"] {
        let reply = connection.ask(&sample(name)).await;
        assert_eq!((reply.status, judge(&reply)), (404, Verdict::Failed), "{name}");
        assert!(reply.json()["error"].is_string(), "{name}");
    }
    for path in ["/timerpull", "/TimerPull/", "/TimerPull/x", "/admin", "//"] {
        let reply = connection.ask(&request("POST", path, "unknown-path", EMPTY_TIMER)).await;
        assert_eq!((reply.status, reply.json()["error"].is_string()), (404, true), "{path}");
    }
    assert_eq!(served.triggers(), []);
    let key = logged("0123456789abcdef-function-key");
    assert_eq!((key.out.len(), key.err.len()), (0, 0), "a caller's key was logged");
}

#[tokio::test]
async fn wrong_methods_are_refused_with_a_body() {
    let served = Served::idle().await;
    let mut connection = Connection::open(served.address).await;
    for (method, path) in [("GET", "/TimerPull"), ("PUT", "/TimerPull"), ("DELETE", "/TimerPull"), ("POST", "/")] {
        let reply = connection.ask(&request(method, path, "wrong-method", EMPTY_TIMER)).await;
        assert_eq!((reply.status, judge(&reply)), (405, Verdict::Failed), "{method} {path}");
        assert!(reply.json()["error"].is_string());
    }
    assert_eq!(served.triggers(), []);
}

#[tokio::test]
async fn every_body_makes_the_run_that_it_asks_for() {
    let served = Served::idle().await;
    let mut connection = Connection::open(served.address).await;
    for (name, body, expected) in bodies::variants() {
        let reply = connection.ask(&timer_pull(name, &body)).await;
        assert!(matches!(judge(&reply), Verdict::Succeeded(_)), "{name}: {reply:?}");
        let expected = Trigger {
            invocation_id: Some(name.to_owned()),
            traceparent: Some("00-bb2bd5eef54cb15a1506d0326d2489e7-d3f54c84c7034d76-00".to_owned()),
            ..expected
        };
        assert_eq!(served.triggers().last(), Some(&expected), "{name}");
    }
    for name in ["timer-no-monitor.http", "timer-timespan.http", "timer-retry.http"] {
        let reply = connection.ask(&sample_to_timer_pull(name)).await;
        assert_eq!(judge(&reply), succeeded(&[]), "{name}");
    }
    assert_eq!(served.triggers().len(), bodies::variants().len() + 3);
}

#[tokio::test]
async fn a_run_needs_no_header_of_the_host() {
    let served = Served::idle().await;
    let mut connection = Connection::open(served.address).await;
    let reply = connection.ask(b"POST /TimerPull HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").await;
    assert_eq!(judge(&reply), succeeded(&[]));
    let long = "x".repeat(1000);
    let reply = connection.ask(&timer_pull(&long, EMPTY_TIMER)).await;
    assert_eq!(judge(&reply), succeeded(&[]));
    assert!(served.triggers().iter().all(|trigger| trigger.invocation_id.is_none()));
}

#[tokio::test]
async fn a_failed_run_is_a_500_and_one_line() {
    logged("");
    let served = Served::new(|_, _| async { failed("the DCR refuses:\n403, a Warning") }).await;
    let reply = Connection::open(served.address).await.ask(&timer_pull("failed-run", EMPTY_TIMER)).await;
    assert_eq!((reply.status, judge(&reply)), (500, Verdict::Failed));
    assert_eq!(reply.json(), json!({"error": "the DCR refuses:\n403, a Warning"}));
    let lines = logged("failed-run");
    assert_eq!(lines.err.len(), 1, "{:?}", lines.err);
    assert!(
        lines.err[0].contains(" ERROR ") && lines.err[0].ends_with("the DCR refuses:\\n403, a W-arning"),
        "{:?}",
        lines.err
    );
    assert!(!lines.out.iter().any(|line| line.contains("refuses")));
}

#[tokio::test]
async fn a_good_run_leaves_nothing_on_stderr() {
    logged("");
    let served = Served::new(|_, _| async { done("nothing new") }).await;
    let reply = Connection::open(served.address).await.ask(&timer_pull("good-run", EMPTY_TIMER)).await;
    assert_eq!(reply.body, br#"{"Outputs":{},"Logs":["nothing new"],"ReturnValue":null}"#);
    assert_eq!(reply.headers["content-type"], "application/json");
    let lines = logged("good-run");
    assert_eq!(lines.err, [""; 0]);
    assert!(lines.out.iter().any(|line| line.contains("traceparent=\"00-bb2bd5eef54cb15a")), "{:?}", lines.out);
    assert!(lines.out.iter().all(|line| line.contains("run{invocation_id=good-run}")));
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_handler_stays_up() {
    logged("");
    let served = Served::new(|trigger, _| async move {
        assert!(trigger.invocation_id.is_some_and(|id| id != "panic-run"), "the watermark is torn");
        done("up")
    })
    .await;
    let mut connection = Connection::open(served.address).await;
    let reply = connection.ask(&timer_pull("panic-run", EMPTY_TIMER)).await;
    assert_eq!((reply.status, judge(&reply)), (500, Verdict::Failed));
    assert!(reply.json()["error"].as_str().unwrap().contains("the watermark is torn"));
    let lines = logged("panic-run").err;
    assert!(lines.len() == 1 && lines[0].contains("the watermark is torn"), "{lines:?}");
    assert_eq!(judge(&connection.ask(&timer_pull("after", EMPTY_TIMER)).await), succeeded(&["up"]));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_the_connection_lives() {
    let served = Served::idle().await;
    let mut connection = Connection::open(served.address).await;
    let reply = connection.ask(&timer_pull("large", &vec![b' '; 5 * 1024 * 1024])).await;
    assert_eq!((reply.status, judge(&reply)), (413, Verdict::Failed));
    assert!(reply.json()["error"].is_string());
    let mut just_fits = EMPTY_TIMER.to_vec();
    just_fits.resize(4 * 1024 * 1024, b' ');
    assert_eq!(judge(&connection.ask(&timer_pull("fits", &just_fits)).await), succeeded(&[]));
    assert_eq!(served.triggers().len(), 1);
}

#[tokio::test]
async fn a_broken_body_begins_no_run() {
    let served = Served::idle().await;
    let mut connection = Connection::open(served.address).await;
    let head = "POST /TimerPull HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let reply = connection.ask(format!("{head}2\r\n{{}}\r\nnot a size\r\n").as_bytes()).await;
    assert_eq!((reply.status, reply.json()["error"].is_string()), (400, true));
    assert!(connection.closed().await);
    assert_eq!(served.triggers(), []);
}

#[tokio::test]
async fn the_probe_is_answered_while_a_run_is_busy() {
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let served = Served::new({
        let (begun, release) = (Arc::clone(&begun), Arc::clone(&release));
        move |_, _| {
            let (begun, release) = (Arc::clone(&begun), Arc::clone(&release));
            async move {
                begun.notify_one();
                release.notified().await;
                done("released")
            }
        }
    })
    .await;
    let mut busy = Connection::open(served.address).await;
    busy.send(&timer_pull("busy", EMPTY_TIMER)).await;
    soon(begun.notified()).await;
    let mut probe = Connection::open(served.address).await;
    for _ in 0..3 {
        assert_eq!(probe.ask(&sample("probe.http")).await.status, 200);
    }
    release.notify_one();
    assert_eq!(judge(&busy.reply().await), succeeded(&["released"]));
}

#[tokio::test]
async fn two_runs_go_on_at_the_same_time() {
    let both = Arc::new(Barrier::new(2));
    let served = Served::new(move |_, _| {
        let both = Arc::clone(&both);
        async move {
            both.wait().await;
            done("met")
        }
    })
    .await;
    let (mut timer, mut manual) = (Connection::open(served.address).await, Connection::open(served.address).await);
    timer.send(&timer_pull("timer", EMPTY_TIMER)).await;
    manual.send(&sample("manual-empty.http")).await;
    assert_eq!(judge(&timer.reply().await), succeeded(&["met"]));
    assert_eq!(judge(&manual.reply().await), succeeded(&["met"]));
}

#[tokio::test]
async fn a_closed_connection_stops_its_run_and_lets_it_save() {
    logged("");
    let (begun, mut runs) = mpsc::unbounded_channel();
    let (saved, mut saves) = mpsc::unbounded_channel();
    let served = Served::new(move |trigger, stop| {
        let (begun, saved) = (begun.clone(), saved.clone());
        async move {
            begun.send(stop.clone()).unwrap();
            if trigger.invocation_id.as_deref() == Some("dropped") {
                stop.cancelled().await;
                tokio::task::yield_now().await; // the save
                saved.send(()).unwrap();
            }
            Ok(RunReport::default())
        }
    })
    .await;
    let mut kept = Connection::open(served.address).await;
    kept.ask(&timer_pull("kept", EMPTY_TIMER)).await;
    let answered = soon(runs.recv()).await.unwrap();

    let mut connection = Connection::open(served.address).await;
    connection.send(&timer_pull("dropped", EMPTY_TIMER)).await;
    let stop = soon(runs.recv()).await.unwrap();
    assert!(!stop.is_cancelled());
    drop(connection);
    soon(saves.recv()).await.unwrap();
    assert!(!answered.is_cancelled(), "only the run whose connection closed is stopped");
    served.shutdown.cancel();
    soon(served.serving).await.unwrap().unwrap();
    let lines = logged("invocation_id=dropped");
    assert!(lines.err.len() == 1 && lines.err[0].contains(" WARN "), "{:?}", lines.err);
    assert!(lines.out.iter().any(|line| line.contains("the run is done")));
}

#[tokio::test]
async fn a_shutdown_stops_runs_answers_them_and_ends() {
    let (begun, mut runs) = mpsc::unbounded_channel();
    let served = Served::new(move |_, stop| {
        begun.send(()).unwrap();
        async move {
            stop.cancelled().await;
            done("saved")
        }
    })
    .await;
    let mut connection = Connection::open(served.address).await;
    connection.send(&timer_pull("shutdown", EMPTY_TIMER)).await;
    soon(runs.recv()).await.unwrap();
    served.shutdown.cancel();
    assert_eq!(judge(&connection.reply().await), succeeded(&["saved"]));
    soon(served.serving).await.unwrap().unwrap();
    assert!(connection.closed().await);
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn a_shutdown_waits_for_a_run_whose_connection_is_gone() {
    let (begun, mut runs) = mpsc::unbounded_channel();
    let (saved, address) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::<SocketAddr>::new()));
    let served = Served::new({
        let (saved, address) = (Arc::clone(&saved), Arc::clone(&address));
        move |_, stop| {
            let (begun, saved, address) = (begun.clone(), Arc::clone(&saved), Arc::clone(&address));
            async move {
                begun.send(stop.clone()).unwrap();
                stop.cancelled().await;
                // It saves only when the handler has long begun to end.
                while TcpStream::connect(address.get().unwrap()).await.is_ok() {}
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                saved.store(true, Ordering::SeqCst);
                done("saved")
            }
        }
    })
    .await;
    address.set(served.address).unwrap();
    let mut connection = Connection::open(served.address).await;
    connection.send(&timer_pull("orphan", EMPTY_TIMER)).await;
    let stop = soon(runs.recv()).await.unwrap();
    drop(connection);
    soon(stop.cancelled()).await;
    served.shutdown.cancel();
    soon(served.serving).await.unwrap().unwrap();
    assert!(saved.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_request_half_sent_does_not_hold_up_a_shutdown() {
    let served = Served::idle().await;
    let mut connection = Connection::open(served.address).await;
    let head = b"POST /TimerPull HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n";
    connection.send(head).await;
    connection.body_is_wanted().await;
    served.shutdown.cancel();
    soon(served.serving).await.unwrap().unwrap();
    assert_eq!(served.script.triggers(), []);
}
