//! How each kind of run is answered, and what the host shows of it. Success is 2xx with a JSON object and no error line;
//! failure is a 500, and its reason one line on stderr, since the host throws the answer's body away.

use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, RetryAfter, Spoil, When};
use tokio::task::JoinSet;

use crate::{
    azurite::{KEY, connection_string},
    host::{Host, Stream, request},
    oracle::{Verdict, judge},
    wire::Connection,
    world::{World, minutes_ago},
};

/// What the host makes of the run.
enum Ends {
    /// Succeeded, with this in its `Logs`.
    Well(&'static str),
    /// Failed, with this in the line of the reason.
    Failed(&'static str),
}

/// A run under these circumstances, and how it is to end.
type Case = (&'static str, fn(&mut World), Ends);

fn always(world: &World, on: Endpoint, effect: Effect) {
    world.simulator.fault(Fault::new(on, When::Always, effect)).unwrap();
}

/// What goes on for longer than the shortest budget.
fn lasts(world: &mut World, on: Endpoint, effect: Effect) {
    world.set("RUN_BUDGET_SECONDS", "10");
    always(world, on, effect);
}

fn throttled() -> Effect {
    Effect::throttled(RetryAfter::Seconds(3_600))
}

const CASES: [Case; 15] = [
    ("all is well", |_| {}, Ends::Well("2 contents read")),
    (
        "a record is bad",
        |world| drop(world.simulator.publish_records(ContentType::General, minutes_ago(4.0), ["17"])),
        Ends::Well("1 dead letters"),
    ),
    (
        "a content is bad",
        |world| {
            let bad = world.simulator.publish(ContentType::General, minutes_ago(4.0), 1, 0);
            let spoil = Effect::Spoil(Spoil::Object);
            world.simulator.fault(Fault::new(Endpoint::Retrieve, When::Always, spoil).matching(&*bad.id)).unwrap();
        },
        Ends::Well("1 contents to be tried again"),
    ),
    (
        "a batch is refused once",
        |world| {
            world.simulator.fault(Fault::new(Endpoint::Ingest, When::First(1), Effect::status(500))).unwrap();
        },
        Ends::Well("6 rows sent"),
    ),
    ("the feed throttles", |world| lasts(world, Endpoint::List, throttled()), Ends::Well("0 contents read")),
    ("the feed refuses the token", |world| always(world, Endpoint::List, Effect::status(401)), Ends::Failed("401")),
    ("the permission is missing", |world| always(world, Endpoint::List, Effect::status(403)), Ends::Failed("403")),
    ("the feed is broken", |world| always(world, Endpoint::List, Effect::af("AF50000")), Ends::Failed("AF50000")),
    (
        "there is no token",
        |world| always(world, Endpoint::ManagedIdentity, Effect::status(400)),
        Ends::Failed("identity"),
    ),
    ("the endpoint throttles", |world| lasts(world, Endpoint::Ingest, throttled()), Ends::Well("0 rows sent")),
    ("every batch is refused", |world| always(world, Endpoint::Ingest, Effect::status(400)), Ends::Failed("400")),
    (
        "the role is missing",
        |world| always(world, Endpoint::Ingest, Effect::not_granted()),
        Ends::Failed("Monitoring Metrics Publisher"),
    ),
    ("the endpoint is broken", |world| lasts(world, Endpoint::Ingest, Effect::status(500)), Ends::Failed("500")),
    (
        "the storage is away",
        |world| {
            let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            world.set("AzureWebJobsStorage", &connection_string(nobody, KEY));
        },
        Ends::Failed("state"),
    ),
    ("a setting is bad", |world| world.set("CONTENT_TYPES", "Audit.Everything"), Ends::Failed("CONTENT_TYPES")),
];

/// What the host shows as errors: stderr, but for lines with "warn" anywhere in them.
pub fn errors(host: &Host) -> Vec<String> {
    let is_error = |(stream, line): &(Stream, String)| *stream == Stream::Err && !line.to_lowercase().contains("warn");
    host.lines().into_iter().filter(is_error).map(|(_, line)| line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_leaves_no_error_and_a_failure_exactly_one() {
    // Some wait for the end of a budget: at the same time.
    let mut runs: JoinSet<()> = CASES.into_iter().map(run).collect();
    while let Some(ended) = runs.join_next().await {
        ended.unwrap();
    }
}

async fn run((name, prepare, ends): Case) {
    let mut world = World::new(Config::default()).await;
    for content_type in [ContentType::General, ContentType::Exchange] {
        world.simulator.publish(content_type, minutes_ago(5.0), 3, 3);
    }
    prepare(&mut world);
    let host = world.start().await;
    let reply = Connection::open(host.address()).await.ask(&request("timer-later.http")).await;
    host.wait_for_ended(1);
    let (verdict, errors) = (judge(&reply), errors(&host));
    match ends {
        Ends::Well(text) => {
            let Verdict::Succeeded(lines) = verdict else { panic!("{name}: {reply:?} {errors:?}") };
            assert!(lines.concat().contains(text), "{name}: {lines:?}");
            assert_eq!(errors, [""; 0], "{name}");
        }
        Ends::Failed(text) => {
            assert_eq!((reply.status, verdict), (500, Verdict::Failed), "{name}");
            assert_eq!(errors.len(), 1, "{name}: {errors:?}");
            assert!(errors[0].contains(text) && errors[0].contains("invocation_id=48a1b9e8"), "{name}: {errors:?}");
            assert!(reply.json()["error"].is_string(), "{name}: never an empty answer");
        }
    }
    assert_private(&host, &String::from_utf8(reply.body).unwrap());
}

/// No line and no answer has a secret, and levels are told by the streams.
fn assert_private(host: &Host, answered: &str) {
    let lines = host.lines();
    for (stream, line) in &lines {
        let is_quiet = [" INFO ", " DEBUG ", " TRACE "].iter().any(|level| line.contains(level));
        assert_eq!(is_quiet, *stream == Stream::Out, "{line}");
    }
    let all = lines.iter().map(|(_, line)| line.as_str()).chain([answered]).collect::<Vec<_>>().join("\n");
    for secret in ["simulated-identity-header", KEY, "Bearer", "eyJ", "AccountKey"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}
