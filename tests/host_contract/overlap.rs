//! Requests that come while a run is busy, within one process. The host's own lock is for its timers alone.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    host::{Host, request},
    oracle::{Verdict, carry_out, judge},
    wire::Connection,
    world::{World, minutes_ago},
};

/// A run that is held where it sends its rows.
struct Held {
    world: World,
    host: Host,
    timer: Connection,
    open: watch::Sender<bool>,
}

impl Held {
    async fn begin() -> Self {
        let mut world = World::with_small_pages().await;
        world.simulator.publish(labelstream_simulator::ContentType::General, minutes_ago(5.0), 3, 3);
        let (_, endpoint) = world.settings.iter().find(|(name, _)| name == "DATA_COLLECTION_ENDPOINT").unwrap();
        let behind = endpoint.trim_end_matches('/').strip_prefix("http://").unwrap().to_owned();
        let (open, mut opened) = watch::channel(false);
        let (arrived, mut arrivals) = watch::channel(0);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        world.set("DATA_COLLECTION_ENDPOINT", &format!("http://{}", listener.local_addr().unwrap()));
        tokio::spawn(async move {
            while let Ok((mut outer, _)) = listener.accept().await {
                arrived.send_modify(|count| *count += 1);
                opened.wait_for(|open| *open).await.unwrap();
                let mut inner = TcpStream::connect(&behind).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut outer, &mut inner).await });
            }
        });
        let host = world.start().await;
        let mut timer = Connection::open(host.address()).await;
        timer.send(&request("timer-later.http")).await;
        arrivals.wait_for(|count| *count > 0).await.unwrap();
        Self { world, host, timer, open }
    }

    /// Lets the run go on, and judges how it ended.
    async fn end(mut self) {
        assert_eq!(self.world.simulator.report().arrived, 0, "it was busy until now");
        self.open.send_replace(true);
        assert!(matches!(judge(&self.timer.reply().await), Verdict::Succeeded(_)));
        self.world.assert_delivered();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_run_beside_the_timers_leaves_the_work_to_it() {
    let held = Held::begin().await;
    for sample in ["manual-no-input.http", "manual-range.http"] {
        let held = &held;
        let Verdict::Succeeded(lines) = judge(&Connection::open(held.host.address()).await.ask(&request(sample)).await)
        else {
            panic!("{sample}")
        };
        assert!(lines[0].starts_with("Another run is under way"), "{lines:?}");
    }
    held.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_and_the_status_are_answered_while_a_run_is_busy() {
    let held = Held::begin().await;
    let mut other = Connection::open(held.host.address()).await;
    assert_eq!(other.ask(&request("probe.http")).await.status, 200);
    let status = carry_out(&other.ask(&request("status-get.http")).await).unwrap();
    let told: serde_json::Value = serde_json::from_str(&status.body).unwrap();
    assert_eq!(told["runUnderWay"], true, "{told}");
    held.end().await;
}
