//! The requests that a host sent, byte for byte, and some that it sends elsewhere.

use std::{collections::BTreeMap, fs, path::Path};

use labelstream::handler::{FLEET_PULL, FLEET_TIMER};
use labelstream_simulator::{Effect, Endpoint, Fault, When};

use crate::{
    app::{Trigger, forwards, functions, trigger},
    bodies,
    host::{Host, Stream, request},
    oracle::{Verdict, carry_out, judge},
    wire::{Connection, Reply, timer_pull},
    world::{World, minutes_ago},
};

/// Every sample there is.
fn samples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/host");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = files.filter(|name| name.ends_with(".http")).collect();
    names.sort();
    names
}

/// What a request asks of this application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asks {
    Probe,
    Run,
    /// Over HTTP, in the host's own form.
    Http,
    /// A function of the application for many tenants.
    OfMany,
    /// What this application does not have, or what its host never sends.
    Nothing,
}

fn asks(request: &[u8]) -> Asks {
    let line = String::from_utf8_lossy(request).lines().next().unwrap().to_owned();
    let (method, path) = (line.split(' ').next().unwrap(), line.split(' ').nth(1).unwrap());
    if (method, path) == ("GET", "/") {
        return Asks::Probe;
    }
    if path.starts_with("/api/") {
        assert!(!forwards(), "the suite has to judge forwarded requests once host.json asks for them");
        return Asks::Nothing;
    }
    let function = path.trim_start_matches('/');
    if [FLEET_TIMER, FLEET_PULL].contains(&function) {
        return Asks::OfMany;
    }
    match trigger(function) {
        Some(Trigger::Timer) => Asks::Run,
        Some(Trigger::Http) => Asks::Http,
        None => Asks::Nothing,
    }
}

/// Judges an answer by what was asked.
fn check(name: &str, asked: Asks, reply: &Reply) {
    match asked {
        Asks::Probe | Asks::Run => {
            assert!(matches!(judge(reply), Verdict::Succeeded(_)), "{name}: {reply:?}");
        }
        Asks::Http => {
            let caller = carry_out(reply).unwrap_or_else(|| panic!("{name}: the caller waits for ever"));
            assert!([200, 405, 503].contains(&caller.status), "{name}: {caller:?}");
            assert_eq!(caller.headers["content-type"], "application/json", "{name}: as nobody said otherwise");
        }
        Asks::OfMany => {
            assert_eq!((reply.status, judge(reply)), (500, Verdict::Failed), "{name}");
            assert!(reply.json()["error"].as_str().unwrap().contains("set TENANTS for many"), "{name}");
        }
        Asks::Nothing => {
            assert_eq!((reply.status, judge(reply)), (404, Verdict::Failed), "{name}");
            assert!(reply.json()["error"].is_string(), "{name}: never an empty answer");
        }
    }
}

/// A tenant with some label events, and a handler that reads it.
async fn handler() -> (World, Host) {
    let world = World::with_small_pages().await;
    world.simulator.publish(labelstream_simulator::ContentType::General, minutes_ago(5.0), 3, 3);
    let host = world.start().await;
    (world, host)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_a_host_is_answered_by_its_rules() {
    let (world, host) = handler().await;
    let mut connection = Connection::open(host.address()).await;
    let mut seen = BTreeMap::<Asks, usize>::new();
    for name in samples() {
        let request = request(&name);
        let asked = asks(&request);
        check(&name, asked, &connection.ask(&request).await);
        *seen.entry(asked).or_default() += 1;
    }
    assert_eq!(seen, [(Asks::Probe, 1), (Asks::Run, 7), (Asks::Http, 2), (Asks::OfMany, 2), (Asks::Nothing, 4)].into());
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_of_every_kind_are_runs_under_the_name_of_the_folder() {
    let (world, host) = handler().await;
    let timer = functions().into_keys().find(|folder| trigger(folder) == Some(Trigger::Timer)).unwrap();
    let mut connection = Connection::open(host.address()).await;
    for name in samples().iter().filter(|name| name.starts_with("timer-") || name.starts_with("manual-")) {
        let text = String::from_utf8(request(name)).unwrap();
        let (_, rest) = text.split_once(" HTTP/1.1\r\n").unwrap();
        let reply = connection.ask(format!("POST /{timer} HTTP/1.1\r\n{rest}").as_bytes()).await;
        check(name, Asks::Run, &reply);
    }
    world.assert_delivered();
    // The host keeps the folder's case.
    let reply = connection.ask(format!("POST /{} HTTP/1.1\r\nHost: h\r\n\r\n", timer.to_lowercase()).as_bytes()).await;
    check("lower case", Asks::Nothing, &reply);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_no_sample_shows_are_runs_too() {
    let (world, host) = handler().await;
    let mut connection = Connection::open(host.address()).await;
    for (name, body, _) in bodies::variants() {
        check(name, Asks::Run, &connection.ask(&timer_pull(name, &body)).await);
    }
    let bare = b"POST /TimerPull HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}";
    check("without the host's headers", Asks::Run, &connection.ask(bare).await);
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_under_the_same_invocation_sends_nothing_twice() {
    let (world, host) = handler().await;
    let mut connection = Connection::open(host.address()).await;
    // The rows arrive, and the answer is a failure all the same: the host's retry policy has it done again.
    world.simulator.fault(Fault::new(Endpoint::List, When::Always, Effect::status(403)).matching("Exchange")).unwrap();
    let request = timer_pull("48a1b9e8-26bf-418b-835a-9ec11edac442", br#"{"Data":{"timer":{}},"Metadata":{}}"#);
    assert_eq!(judge(&connection.ask(&request).await), Verdict::Failed);
    let posted = world.assert_delivered().totals.posts;
    world.simulator.clear_faults();
    check("the retry", Asks::Run, &connection.ask(&request).await);
    assert_eq!(world.assert_delivered().totals.posts, posted);
    let traced = "traceparent=\"00-bb2bd5eef54cb15a1506d0326d2489e7-d3f54c84c7034d76-00\"";
    let named = host.lines().into_iter().filter(|(_, line)| line.contains(traced)).count();
    assert_eq!(named, 2, "each begin of a run names its trace: {:?}", host.lines());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_a_good_process_is_an_error_and_none_has_the_callers_key() {
    let (_world, host) = handler().await;
    let mut connection = Connection::open(host.address()).await;
    // The range of one sample lies beyond the feed's seven days by now, which is worth a warning.
    let good = |name: &&String| *name != "manual-range.http" && asks(&request(name)) != Asks::OfMany;
    for name in samples().iter().filter(good) {
        connection.ask(&request(name)).await;
    }
    let lines = host.lines();
    assert!(lines.iter().any(|(_, line)| line.contains("the status was asked for")), "{lines:?}");
    for (stream, line) in &lines {
        assert_eq!(*stream, Stream::Out, "{line}");
        assert!(!line.contains("LanguageWorkerConsoleLog"), "the host would hide it");
        for private in ["0123456789abcdef-function-key", "?code=", "/api/", "x-functions-key", "format=html", "curl"] {
            assert!(!line.contains(private), "{private} in {line}");
        }
    }
}
