//! One tick after the other.

use labelstream_simulator::{ContentType, Endpoint};

use crate::world::{World, minutes_ago, tick, tick_once_free};

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_delivers_and_the_next_goes_on_from_there_also_after_a_kill() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(12);

    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{:?}", host.lines());
    assert_eq!(world.assert_delivered().published, 3 * 12 * 4);
    let first = world.simulator.requests();
    assert!(first.by_endpoint[&Endpoint::List] >= 3 * (7 + 2), "three pages and more: {first:?}");
    assert_eq!(first.by_endpoint[&Endpoint::Retrieve], 36);
    assert_eq!(first.without_publisher, 0);

    let (host, answered) = tick(host).await;
    assert!(answered.logs()[0].starts_with("0 contents read"), "{answered:?}");
    let second = world.simulator.requests();
    assert_eq!(second.by_endpoint[&Endpoint::Retrieve], 36, "nothing is fetched again");
    assert_eq!(second.by_endpoint[&Endpoint::Ingest], first.by_endpoint[&Endpoint::Ingest], "nothing is sent again");

    world.simulator.publish(ContentType::Exchange, minutes_ago(2.0), 7, 3);
    let (host, _) = tick(host).await;
    assert_eq!(world.assert_delivered().published, 3 * 12 * 4 + 7);

    host.kill();
    let (host, answered) = tick(world.start().await).await;
    assert!(answered.logs()[0].starts_with("0 contents read"), "{answered:?}");
    world.simulator.publish(ContentType::General, minutes_ago(2.0), 2, 0);
    let (host, _) = tick(host).await;
    world.assert_delivered();
    assert_eq!(world.simulator.requests().retrieved_again, Default::default(), "no content is fetched twice");
    drop(host);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_a_run_repeats_only_what_was_in_flight() {
    let world = World::new(labelstream_simulator::Config::default()).await;
    // Rows enough for many batches, and answers slow enough to be killed between them.
    for number in 0..60 {
        world.simulator.publish(ContentType::General, minutes_ago(50.0 - f64::from(number) / 2.0), 300, 0);
    }
    let slow = labelstream_simulator::Fault::new(
        Endpoint::Ingest,
        labelstream_simulator::When::Every(1),
        labelstream_simulator::Effect::DelayAnswer(100),
    );
    world.simulator.fault(slow).unwrap();
    let host = world.start().await;
    let request = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/host/timer-later.http")).unwrap();
    let connection = host.begin(&request);
    while world.simulator.report().totals.posts < 6 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    host.kill();
    drop(connection);
    world.simulator.clear_faults();
    let before = world.simulator.report();
    assert!(before.missing > 0, "it was killed too late: {before:?}");

    // The killed run's lock runs out by itself within a minute.
    let (host, answered) = tick_once_free(world.start().await).await;
    assert_eq!(answered.status, 200, "{:?}", host.lines());
    let after = world.simulator.report();
    assert_eq!((after.missing, after.unexpected), (0, 0), "{after:?}");
    let in_flight = 4 * after.totals.largest_rows;
    assert!(
        after.surplus_rows <= in_flight,
        "{} rows came twice, {in_flight} were in flight at most",
        after.surplus_rows
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_do_the_work_once() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(20);
    let slow = labelstream_simulator::Fault::new(
        Endpoint::Retrieve,
        labelstream_simulator::When::Every(1),
        labelstream_simulator::Effect::Delay(30),
    );
    world.simulator.fault(slow).unwrap();
    let (one, other) = (world.start().await, world.start().await);
    let ((_one, first), (_other, second)) = tokio::join!(tick(one), tick(other));
    let under_way = |logs: Vec<&str>| usize::from(logs.concat().contains("Another run is under way"));
    assert_eq!(under_way(first.logs()) + under_way(second.logs()), 1, "{first:?} {second:?}");
    world.assert_delivered();
}
