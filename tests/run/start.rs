//! How a run begins.

use std::time::Duration;

use labelstream_simulator::{Config, ContentType, Endpoint};

use crate::{
    azurite::{Azurite, KEY, connection_string},
    front::Front,
    world::{World, minutes_ago, tick},
};

/// Until a run waits for what is held back alone.
const SOON: Duration = Duration::from_secs(20);

fn tokens(world: &World) -> u64 {
    world.simulator.requests().by_endpoint.get(&Endpoint::ManagedIdentity).copied().unwrap_or_default()
}

/// A tenant with one content whose state lies behind what is returned.
async fn behind_a_front() -> (World, Front) {
    let mut world = World::new(Config::default()).await;
    let front = Front::before(Azurite::shared().port()).await;
    world.set("AzureWebJobsStorage", &connection_string(front.port(), KEY));
    world.simulator.publish(ContentType::SharePoint, minutes_ago(5.0), 2, 1);
    (world, front)
}

/// Returns once the storage was asked for what a method and a target hold.
async fn asked_for(front: &Front, method: &str, target: &str) {
    let asked = async {
        while asked(&front.seen(), method, target) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, asked).await.unwrap_or_else(|_| panic!("no {method} {target} in {:#?}", front.seen()));
}

fn asked(seen: &[String], method: &str, target: &str) -> usize {
    seen.iter().filter(|line| line.starts_with(method) && line.contains(target)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_of_a_process_reads_the_last_runs_beside_its_work_and_later_ones_do_not() {
    let (world, front) = behind_a_front().await;
    let (host, _) = tick(world.start().await).await;
    drop(host);
    front.take_seen();
    front.hold(Some("watermark.json"));
    let meanwhile = async {
        asked_for(&front, "GET", "runs.json").await;
        front.hold(None);
    };
    let ((host, answered), ()) = tokio::join!(tick(world.start().await), meanwhile);
    assert_eq!(answered.status, 200, "{answered:?}");
    let seen = front.take_seen();
    assert_eq!((asked(&seen, "GET", "runs.json"), asked(&seen, "PUT", "runs.json")), (1, 1), "{seen:#?}");
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let seen = front.take_seen();
    assert_eq!((asked(&seen, "GET", "runs.json"), asked(&seen, "PUT", "runs.json")), (0, 1), "{seen:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_told_of_while_it_gives_back_its_lock() {
    let (world, front) = behind_a_front().await;
    // Its document is asked for once the lock is held.
    front.hold(Some("watermark.json"));
    let meanwhile = async {
        asked_for(&front, "GET", "watermark.json").await;
        front.hold(Some("comp=lease"));
        asked_for(&front, "PUT", "runs.json").await;
        front.hold(None);
    };
    let ((host, answered), ()) = tokio::join!(tick(world.start().await), meanwhile);
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    let lines = host.lines();
    assert!(!lines.iter().any(|(_, line)| line.contains("the lock could not be given back")), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn label_names_wait_for_nothing_else_of_the_run_and_are_read_once() {
    let (world, front) = behind_a_front().await;
    let first_save = format!("{}/{}%2Fwatermark.json", world.container, world.simulator.tenant().id);
    front.hold(Some(&format!("PUT /devstoreaccount1/{first_save}")));
    let meanwhile = async {
        let asked = async {
            while !world.simulator.requests().by_endpoint.contains_key(&Endpoint::Labels) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, asked).await.expect("Graph is asked beside the first save");
        front.hold(None);
    };
    let ((_host, answered), ()) = tokio::join!(tick(world.start().await), meanwhile);
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    let seen = front.take_seen();
    assert_eq!(asked(&seen, "GET", "labels.json"), 1, "{seen:#?}");
    assert_eq!(world.simulator.requests().by_endpoint[&Endpoint::Labels], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_asked_for_beside_the_lock_and_nothing_else_is() {
    let (world, front) = behind_a_front().await;
    front.hold(Some("comp=lease"));
    let meanwhile = async {
        let asked = async {
            while tokens(&world) < 2 || front.seen().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, asked).await.expect("those of the feed and of the rule are asked for");
        let by_endpoint = world.simulator.requests().by_endpoint;
        assert_eq!(by_endpoint.keys().collect::<Vec<_>>(), [&Endpoint::ManagedIdentity]);
        assert!(front.seen().iter().all(|request| request.contains("comp=lease")), "{:?}", front.seen());
        front.hold(None);
    };
    let ((_host, answered), ()) = tokio::join!(tick(world.start().await), meanwhile);
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    assert_eq!(tokens(&world), 3, "one each, and one for Graph");
}
