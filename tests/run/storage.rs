//! What becomes of runs when the storage is not as they left it.

use azure_storage_blob::{BlobContainerClient, models::BlobClientBreakLeaseOptions};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use labelstream::{
    state::{Expect, Store as _, client::connect, connection::StorageAccount},
    watermark::Document,
};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, When};
use time::OffsetDateTime;

use crate::{
    azurite::{Azurite, KEY, connection_string},
    front::Front,
    host::{Answered, Host},
    world::{World, minutes_ago, tick, tick_once_free},
};

fn container(world: &World) -> BlobContainerClient {
    let account = StorageAccount::from_connection_string(&Azurite::shared().connection_string()).unwrap();
    connect(&account, None).unwrap().blob_container_client(&world.container)
}

fn document_key(world: &World) -> String {
    format!("{}/watermark.json", world.simulator.tenant().id)
}

async fn front(world: &mut World) -> Front {
    let front = Front::before(Azurite::shared().port()).await;
    world.set("AzureWebJobsStorage", &connection_string(front.port(), KEY));
    front
}

/// A tenant with rows for some 17 batches, each of which is answered after so many milliseconds.
async fn slow_world(delay: u64) -> World {
    let world = World::new(Config::default()).await;
    for number in 0..40 {
        world.simulator.publish(ContentType::General, minutes_ago(50.0 - f64::from(number)), 300, 0);
    }
    world.simulator.fault(Fault::new(Endpoint::Ingest, When::Always, Effect::DelayAnswer(delay))).unwrap();
    world
}

/// Fires the timer, and does `meanwhile` once a few batches have arrived.
async fn tick_and(world: &World, host: Host, meanwhile: impl AsyncFnOnce()) -> (Host, Answered) {
    let run = tick(host);
    let meanwhile = async {
        while world.simulator.report().totals.posts < 5 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        meanwhile().await;
    };
    tokio::join!(run, meanwhile).0
}

fn said(answered: &Answered) -> &str {
    assert_eq!(answered.status, 500, "{answered:?}");
    answered.body["error"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_deleted_between_two_runs_is_made_again_and_loses_nothing() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(2);
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let before = world.assert_delivered().published;
    container(&world).delete(None).await.unwrap();
    world.simulator.publish(ContentType::General, minutes_ago(2.0), 3, 0);
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let report = world.simulator.report();
    assert_eq!((report.missing, report.unexpected), (0, 0));
    assert_eq!(report.surplus_rows, before, "with it goes what was remembered, and nothing can tell");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_being_deleted_fails_runs_until_it_is_gone() {
    let mut world = World::with_small_pages().await;
    let front = front(&mut world).await;
    world.publish_an_hour(2);
    front.refuse(&world.container, 409, "ContainerBeingDeleted");
    let (host, answered) = tick(world.start().await).await;
    assert!(said(&answered).contains("ContainerBeingDeleted"), "{answered:?}");
    assert_eq!(world.simulator.report().arrived, 0, "nothing is sent that could not be remembered");
    // Reads say that it is not there, and it cannot be made yet.
    front.refuse(&format!("PUT /devstoreaccount1/{}?restype=container", world.container), 409, "ContainerBeingDeleted");
    let (host, answered) = tick(host).await;
    assert!(said(&answered).contains("ContainerBeingDeleted"), "{answered:?}");
    front.pass_all();
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_deleted_in_the_middle_of_a_run_ends_it_and_loses_nothing() {
    let world = slow_world(300).await;
    let deleted = async || drop(container(&world).delete(None).await.unwrap());
    let (host, answered) = tick_and(&world, world.start().await, deleted).await;
    assert!(said(&answered).contains("removed it"), "{answered:?}");
    assert!(world.simulator.report().missing > 0, "it stops sending what it cannot remember");
    world.simulator.clear_faults();
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let report = world.simulator.report();
    assert_eq!((report.missing, report.unexpected), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_deleted_costs_nothing_whatever_the_first_lookback() {
    let mut world = World::with_small_pages().await;
    world.set("INITIAL_LOOKBACK_HOURS", "1");
    world.publish_an_hour(2);
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    // As if the connector had been up a day longer, and had not come to what it was published since.
    world.simulator.publish(ContentType::General, minutes_ago(20.0 * 60.0), 5, 0);
    world.store().delete(&document_key(&world)).await.unwrap();
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    assert_eq!(world.simulator.requests().retrieved_again, Default::default(), "the contents are remembered apart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_that_is_killed_is_no_document_that_was_deleted() {
    let mut world = slow_world(300).await;
    world.set("INITIAL_LOOKBACK_HOURS", "1");
    world.simulator.publish(ContentType::General, minutes_ago(20.0 * 60.0), 5, 0);
    let host = world.start().await;
    let request = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/host/timer-later.http")).unwrap();
    let connection = host.begin(&request);
    while world.simulator.report().totals.posts < 5 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    host.kill();
    drop(connection);
    world.simulator.clear_faults();
    let lock = format!("{}/lock.lock", world.simulator.tenant().id);
    break_lease(&world, &lock).await;
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(world.simulator.report().missing, 5, "it begins where the first run did");
}

async fn break_lease(world: &World, key: &str) {
    let options = BlobClientBreakLeaseOptions { break_period: Some(0), ..Default::default() };
    container(world).blob_client(key).break_lease(Some(options)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_garbage_or_of_an_older_version_costs_nothing_and_a_newer_one_is_told() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(2);
    let (mut host, _) = tick(world.start().await).await;
    let delivered = world.assert_delivered();
    let (stored, _) = world.store().get(&document_key(&world)).await.unwrap().unwrap();
    let text = String::from_utf8(stored.to_vec()).unwrap();
    let version = |number: u32| Bytes::from(text.replace("\"format\": 1", &format!("\"format\": {number}")));
    let cut = stored.slice(..stored.len() / 2);
    for (body, status) in
        [(Bytes::from_static(b"\0garbage"), 200), (cut, 200), (Bytes::new(), 200), (version(0), 200), (version(2), 500)]
    {
        world.store().put(&document_key(&world), body.clone(), &Expect::Any).await.unwrap();
        let (same, answered) = tick(host).await;
        host = same;
        assert_eq!(answered.status, status, "{body:?}: {answered:?}");
        let (left, _) = world.store().get(&document_key(&world)).await.unwrap().unwrap();
        if status == 500 {
            assert!(said(&answered).contains("deploy the newer version again"), "{answered:?}");
            assert_eq!(left, body, "it is left to the version that wrote it");
        } else {
            assert_eq!(Document::parse(&left).unwrap().format, 1);
        }
    }
    let again = world.assert_delivered();
    assert_eq!((again.totals.rows, again.totals.posts), (delivered.totals.rows, delivered.totals.posts));
    assert_eq!(world.simulator.requests().retrieved_again, Default::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_writer_of_the_document_is_a_late_write_while_the_lock_is_held() {
    let world = slow_world(2_500).await;
    let key = document_key(&world);
    let overwritten = async || {
        let (stored, _) = world.store().get(&key).await.unwrap().unwrap();
        world.store().put(&key, stored, &Expect::Any).await.unwrap();
    };
    let (host, answered) = tick_and(&world, world.start().await, overwritten).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.simulator.clear_faults();
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_lease_was_broken_stops_sending() {
    let world = slow_world(2_500).await;
    let lock = format!("{}/lock.lock", world.simulator.tenant().id);
    let (host, answered) = tick_and(&world, world.start().await, async || break_lease(&world, &lock).await).await;
    assert!(said(&answered).contains("the lock is held by another run"), "{answered:?}");
    let report = world.simulator.report();
    assert!(report.missing > 0, "it stopped in the middle");
    world.simulator.clear_faults();
    let (_host, answered) = tick_once_free(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let report = world.simulator.report();
    assert_eq!((report.missing, report.unexpected), (0, 0));
    let in_flight = 4 * report.totals.largest_rows;
    assert!(report.surplus_rows <= in_flight, "{} rows came twice, {in_flight} may", report.surplus_rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_old_ids_is_deleted_once_a_day_and_never_read() {
    let mut world = World::with_small_pages().await;
    let front = front(&mut world).await;
    world.publish_an_hour(2);
    let tenant = world.simulator.tenant().id.clone();
    let today = OffsetDateTime::now_utc().date();
    let (store, tenant) = (world.store(), tenant.as_str());
    store
        .append(&format!("{tenant}/records/{}.ids", today - time::Duration::days(9)), 0, Bytes::from(vec![7; 16]))
        .await
        .unwrap();
    stream::iter(10..375_i64)
        .for_each_concurrent(16, |days| {
            let (store, day) = (&store, today - time::Duration::days(days));
            async move {
                for key in [format!("{tenant}/records/{day}.ids"), format!("{tenant}/contents/Audit.General/{day}.ids")]
                {
                    store.append(&key, 0, Bytes::from(vec![7; 1_600])).await.unwrap();
                }
            }
        })
        .await;
    front.take_seen();
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    let of = |seen: &[String], method: &str| {
        seen.iter().filter(|line| line.starts_with(method) && line.contains(".ids")).count()
    };
    let seen = front.take_seen();
    assert_eq!(of(&seen, "DELETE"), 2 * 365 + 1);
    assert!(of(&seen, "GET") < 20, "{} logs were read", of(&seen, "GET"));
    assert!(store.list(&format!("{tenant}/records/")).await.unwrap().len() <= 2);
    // Not looked at again on the same day.
    world.simulator.publish(ContentType::General, minutes_ago(1.5), 3, 0);
    store.append(&format!("{tenant}/records/2020-01-01.ids"), 0, Bytes::from(vec![7; 16])).await.unwrap();
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(of(&front.take_seen(), "DELETE"), 0);
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_begins_with_two_requests_and_goes_on_with_one() {
    let mut world = World::with_small_pages().await;
    let front = front(&mut world).await;
    // Of one day, whatever the hour.
    let created = minutes_ago(10.0);
    // What was written of the contents delivered on it.
    let writes = || {
        let seen = front.take_seen().into_iter();
        let writes = seen.filter(|line| line.starts_with("PUT ") && line.contains("%2Fcontents%2F"));
        writes.map(|line| line.split_once('?').map_or("create", |(_, rest)| rest).to_owned()).collect::<Vec<_>>()
    };
    world.simulator.publish(ContentType::General, created, 3, 0);
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(writes(), ["create", "comp=appendblock"]);
    world.simulator.publish(ContentType::General, created, 3, 0);
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(writes(), ["comp=appendblock"]);
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn label_names_that_cannot_be_saved_fail_no_run() {
    let mut world = World::new(Config::default()).await;
    let front = front(&mut world).await;
    world.set("RUN_BUDGET_SECONDS", "10");
    world.simulator.publish(ContentType::General, minutes_ago(5.0), 300, 0);
    // What waits for its answer leaves a tenth of a second until the run waits for nothing any more.
    world.simulator.fault(Fault::new(Endpoint::Ingest, When::Always, Effect::DelayAnswer(20_000))).unwrap();
    let tenant = &world.simulator.tenant().id;
    front.hold(Some(&format!("PUT /devstoreaccount1/{}/{tenant}%2Flabels.json", world.container)));
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
}
