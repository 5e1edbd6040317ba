//! A firing of the timer that finds nothing new: what it asks for, what its runs ask for, and what that takes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use labelstream_simulator::Endpoint;
use tokio::time::sleep;

use crate::{Arguments, dispatcher::Dispatcher, host::Host, plan::Plan, processes::Cost, stage::Stage};

/// Firings that are measured, after one that drains.
const MEASURED: usize = 3;

/// Firings, one a second, while the queue of one is worked off.
const PILED: usize = 10;

/// What one firing, or the runs after it, took.
struct Taken {
    wall: Duration,
    cpu: f64,
    storage: BTreeMap<String, usize>,
    services: BTreeMap<Endpoint, u64>,
}

/// Drains so many tenants and fires the timer again; prints what that takes. Whether what must hold did.
pub async fn play(tenants: u32, arguments: &Arguments) -> bool {
    let plan = Plan { tenants, all_small: true, ..arguments.plan(1, false, 0) };
    let stage = Arc::new(Stage::new(&plan).await);
    let host = stage.host(plan.rules.clone(), |_| ());
    println!(
        "| | wall s | CPU s | storage requests | feed | logins | identity | Graph | rows of runs |\n|---|{}",
        "--:|".repeat(8)
    );
    for number in 0..=MEASURED {
        let fired = measure(&stage, &host, async {
            let reply = host.tick("FleetTimer").await.unwrap();
            assert_eq!(reply.status, 200);
        });
        let fired = fired.await;
        let worked = measure(&stage, &host, host.drained()).await;
        let name = if number == 0 { "first".to_owned() } else { format!("idle {number}") };
        println!("{}", row(&format!("{name}: until the timer's answer"), &fired));
        println!("{}", row(&format!("{name}: until the queue is empty"), &worked));
        if number == MEASURED {
            for (kind, count) in fired.storage.iter().chain(&worked.storage) {
                println!("  {count:6} {kind}");
            }
        }
    }
    let begun = Instant::now();
    let mut most = 0;
    for _ in 0..PILED {
        host.tick("FleetTimer").await.unwrap();
        most = most.max(stage.queue.count().await);
        sleep(Duration::from_millis(100)).await;
    }
    let firing = begun.elapsed();
    host.drained().await;
    let peak = host.handler(|process| process.id()).and_then(Cost::of).map_or(0, |cost| cost.peak);
    let doubles = stage.waiting.doubles();
    let late = BTreeSet::from_iter(host.tries().iter().map(|tried| format!("{:?}", tried.how)));
    println!(
        "\n{PILED} firings in {:.1} s, worked off after {:.1} s: {most} messages at most, {} beside one that waited; \
         poison {}; ends {late:?}; peak memory {:.0} MiB",
        firing.as_secs_f64(),
        begun.elapsed().as_secs_f64(),
        doubles.len(),
        stage.queue.poison().count().await,
        peak as f64 / 1024.0 / 1024.0
    );
    doubles.is_empty() && most <= tenants as usize
}

async fn measure(stage: &Stage, host: &Dispatcher<Host>, what: impl Future<Output = ()>) -> Taken {
    let id = host.handler(|process| process.id()).unwrap_or_default();
    let cpu = |id| Cost::of(id).map_or(0.0, |cost| cost.cpu);
    drop((stage.blobs.take_seen(), stage.queues.take_seen()));
    let (services, before, begun) = (services(stage), cpu(id), Instant::now());
    what.await;
    let id = host.handler(|process| process.id()).unwrap_or_default();
    let mut after = self::services(stage);
    for (endpoint, count) in services {
        *after.entry(endpoint).or_default() -= count;
    }
    let mut storage = BTreeMap::new();
    for line in stage.blobs.take_seen().into_iter().chain(stage.queues.take_seen()) {
        *storage.entry(kind(&line)).or_default() += 1;
    }
    Taken { wall: begun.elapsed(), cpu: cpu(id) - before, storage, services: after }
}

/// Requests to all tenants and the provider's own, by endpoint.
fn services(stage: &Stage) -> BTreeMap<Endpoint, u64> {
    let mut sums = BTreeMap::new();
    let all = stage.tenants().map(|(tenant, _)| tenant.requests()).chain([stage.provider.home().requests()]);
    for (endpoint, count) in all.flat_map(|requests| requests.by_endpoint) {
        *sums.entry(endpoint).or_default() += count;
    }
    sums
}

/// A storage request without what tells tenants and accounts apart.
fn kind(line: &str) -> String {
    let (method, target) = line.split_once(' ').unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.replace("%2F", "/");
    let name = |part| match part {
        id if str::len(id) == 36 && id.matches('-').count() == 4 => "TENANT",
        day if day.len() == 14 && day.ends_with(".ids") => "DAY.ids",
        other => other,
    };
    let parts = path.split('/').skip(2).map(name);
    let query = query.split('&').filter(|pair| pair.starts_with("comp=") || pair.starts_with("restype="));
    format!("{method} {} {}", parts.collect::<Vec<_>>().join("/"), query.collect::<Vec<_>>().join("&"))
}

fn row(name: &str, taken: &Taken) -> String {
    let of = |endpoints: &[Endpoint]| -> u64 {
        endpoints.iter().map(|endpoint| taken.services.get(endpoint).copied().unwrap_or(0)).sum()
    };
    let feed: u64 = taken.services.iter().filter(|(endpoint, _)| endpoint.is_feed()).map(|(_, count)| count).sum();
    format!(
        "| {name} | {:.2} | {:.2} | {} | {feed} | {} | {} | {} | {} |",
        taken.wall.as_secs_f64(),
        taken.cpu,
        taken.storage.values().sum::<usize>(),
        of(&[Endpoint::Login]),
        of(&[Endpoint::ManagedIdentity]),
        of(&[Endpoint::Labels]),
        of(&[Endpoint::Heartbeat]),
    )
}
