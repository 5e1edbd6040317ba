//! What runs do at once together, as the services see it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use labelstream::pull::{Bound, Capacity, Limits, Request};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, When};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::provider::{Provider, plenty};

/// Tenants whose runs go on at once.
const TENANTS: usize = 24;

#[tokio::test(flavor = "multi_thread")]
async fn two_dozen_tenants_share_the_contents_under_way_and_all_arrive() {
    let config = Config { latency: Duration::from_millis(30), page_size: 1_000, ..Config::default() };
    let under_way = config.under_way.clone();
    let mut provider = Provider::new(TENANTS, config).await;
    let limits = Limits { contents: Bound { own: 2, shared: 6 }, ..Limits::PROCESS };
    provider.capacity = Capacity::new(limits);
    provider.publish(0, 300, 20, 0.2);
    (1..TENANTS).for_each(|small| provider.publish(small, 12, 20, 0.2));
    let mut runs = provider.begin(0..TENANTS, plenty());
    let mut ended = Vec::new();
    while let Some(run) = runs.join_next().await {
        let (tenant, run) = run.unwrap();
        run.unwrap();
        provider.assert_delivered(tenant);
        ended.push(tenant);
    }
    assert_eq!(ended.last(), Some(&0), "the big one has 25 times the work of each other: {ended:?}");
    let most = under_way.most(Endpoint::Retrieve);
    println!("the most contents under way were {most}");
    assert!(most <= TENANTS * limits.contents.own + limits.contents.shared, "{most}");
    assert!(most > TENANTS, "that they went on together was meant to be seen: {most}");
    assert_eq!(provider.capacity.shared_in_use(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_by_itself_has_all_of_them() {
    let config = Config { page_size: 1_000, ..Config::default() };
    let under_way = config.under_way.clone();
    let provider = Provider::new(1, config).await;
    // Longer than it takes until all of them are asked for.
    provider.simulators[0].fault(Fault::new(Endpoint::Retrieve, When::Always, Effect::Delay(1_000))).unwrap();
    provider.publish(0, 120, 10, 0.2);
    provider.begin([0], plenty()).join_all().await.pop().unwrap().1.unwrap();
    provider.assert_delivered(0);
    assert_eq!(under_way.most(Endpoint::Retrieve), 36);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_content_finds_a_connection_of_one_before_it() {
    const CONTENTS: u64 = 1_000;
    let config = Config { latency: Duration::from_millis(20), page_size: 1_000, ..Config::default() };
    let provider = Provider::new(1, config).await;
    provider.publish(0, CONTENTS, 20, 0.2);
    provider.begin([0], plenty()).join_all().await.pop().unwrap().1.unwrap();
    provider.assert_delivered(0);
    let requests = provider.simulators[0].requests();
    println!("{} connections for {:?}", requests.connections, requests.by_endpoint);
    assert_eq!(requests.by_endpoint[&Endpoint::Retrieve], CONTENTS);
    // Of contents and listings, and a few that were being made when another came free. With eight idle ones it was 111.
    assert!(requests.connections <= 48, "{}", requests.connections);
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_are_shared_and_each_tenant_goes_on() {
    const SENDERS: usize = 6;
    let config = Config { latency: Duration::from_millis(100), ..Config::default() };
    let under_way = config.under_way.clone();
    let mut provider = Provider::new(SENDERS, config).await;
    let limits = Limits { posts: Bound { own: 1, shared: 2 }, ..Limits::PROCESS };
    provider.capacity = Capacity::new(limits);
    // Five batches or so.
    (0..SENDERS).for_each(|tenant| provider.publish(tenant, 6, 500, 1.0));
    for (tenant, run) in provider.begin(0..SENDERS, plenty()).join_all().await {
        assert!(run.unwrap().posts > 2);
        provider.assert_delivered(tenant);
    }
    let most = under_way.most(Endpoint::Ingest);
    println!("the most posts under way were {most}");
    assert!((2..=SENDERS * limits.posts.own + limits.posts.shared).contains(&most), "{most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_does_not_keep_the_only_place() {
    const OTHERS: u64 = 60;
    let mut provider = Provider::new(1, Config { gzip_contents: false, ..Config::default() }).await;
    provider.capacity = Capacity::new(Limits { bodies: Bound { own: 1, shared: 0 }, ..Limits::PROCESS });
    let simulator = &provider.simulators[0];
    let oldest = simulator.now() - Duration::from_secs(40 * 3_600);
    let slow = simulator.publish(ContentType::General, oldest, 0, 400);
    // Sooner again and again than a body may keep its place waiting: for half a minute in all.
    let trickles = Effect::SlowBody { piece: 800, pause_ms: 50 };
    simulator.fault(Fault::new(Endpoint::Retrieve, When::Always, trickles).matching(&slow.id)).unwrap();
    provider.publish(0, OTHERS, 100, 0.2);
    let (connector, request) = (provider.connector(0), Request::new(None, plenty()));
    let counts = Arc::clone(&request.counts);
    let mut run = JoinSet::new();
    run.spawn(async move { connector.run(request, CancellationToken::new()).await });
    while counts.read.load(Ordering::Relaxed) < OTHERS {
        assert!(run.try_join_next().is_none(), "it was meant to trickle for longer");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(
        counts.records.load(Ordering::Relaxed),
        OTHERS * 100,
        "the others were read, and not the one that trickles"
    );
    run.shutdown().await;
}
