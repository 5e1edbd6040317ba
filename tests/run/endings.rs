//! How a run ends early, and what is left of it.

use std::time::Duration;

use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, When};

use crate::world::{World, minutes_ago, tick, tick_once_free};

/// A tenant whose contents take their time, so that a run can be met in its middle.
async fn slow_world() -> World {
    let world = World::new(Config::default()).await;
    for number in 0..200 {
        world.simulator.publish(ContentType::General, minutes_ago(55.0 - f64::from(number) / 4.0), 20, 0);
    }
    world.simulator.fault(Fault::new(Endpoint::Retrieve, When::Every(1), Effect::Delay(100))).unwrap();
    world
}

async fn begun(world: &World) {
    while world.simulator.requests().by_endpoint.get(&Endpoint::Retrieve).is_none_or(|retrieved| *retrieved < 20) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_closes_ends_the_run_saved() {
    let world = slow_world().await;
    let host = world.start().await;
    let request = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/host/timer-later.http")).unwrap();
    let connection = host.begin(&request);
    begun(&world).await;
    drop(connection);
    // The lock is given back when the run has saved.
    let (host, answered) = tick_once_free(host).await;
    assert_eq!(answered.status, 200, "{:?}", host.lines());
    world.assert_delivered();
    let lines = host.lines();
    assert!(lines.iter().any(|(_, line)| line.contains("the host closed the connection of this run")), "{lines:?}");
    // It was saved: the second run did not fetch what the first had.
    assert_eq!(world.simulator.requests().by_endpoint[&Endpoint::Retrieve], 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_run_saved_and_the_process_with_its_own_status() {
    let world = slow_world().await;
    let host = world.start().await;
    let request = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/host/timer-later.http")).unwrap();
    let connection = host.begin(&request);
    begun(&world).await;
    let signalled = std::process::Command::new("kill").arg(host.id().to_string()).status().unwrap();
    assert!(signalled.success());
    let status = tokio::task::spawn_blocking(move || host.ended()).await.unwrap();
    drop(connection);
    assert_eq!(status, Some(143), "never 0 while serving");
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    assert_eq!(world.simulator.requests().by_endpoint[&Endpoint::Retrieve], 200);
}
