//! How the process ends, as the host tells ends apart.

use std::process::Command;

use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, When};

use crate::{
    host::request,
    world::{World, minutes_ago, tick},
};

#[tokio::test(flavor = "multi_thread")]
async fn it_never_ends_with_zero_while_it_serves() {
    // The host does not restart what says that it is done.
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let world = World::new(Config::default()).await;
        let host = world.start().await;
        assert!(Command::new("kill").args(["-s", signal, &host.id().to_string()]).status().unwrap().success());
        let ended = tokio::task::spawn_blocking(move || host.ended()).await.unwrap();
        assert_eq!(ended, Some(status), "{signal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_leaves_a_lock_that_the_next_process_respects() {
    let world = World::new(Config::default()).await;
    world.simulator.publish(ContentType::General, minutes_ago(5.0), 3, 3);
    world.simulator.fault(Fault::new(Endpoint::Retrieve, When::First(1), Effect::Delay(60_000))).unwrap();
    let host = world.start().await;
    let connection = host.begin(&request("timer-later.http"));
    while !world.simulator.requests().by_endpoint.contains_key(&Endpoint::Retrieve) {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    host.kill();
    drop(connection);
    world.simulator.clear_faults();
    // What the killed run held runs out within a minute; until then a run says that another one is under way.
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert!(answered.logs()[0].starts_with("Another run is under way"), "{answered:?}");
    assert_eq!(world.simulator.report().unexpected, 0);
}
