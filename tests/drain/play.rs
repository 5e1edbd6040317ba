//! The play: the timer fires while hosts work the queue off, customers publish, and processes are killed.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use labelstream_simulator::{ContentType, Simulator, Trouble};
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    dispatcher::{Dispatcher, Fate, How, Seen, Standing, Try},
    host::Host,
    lag::Lags,
    outcome::Outcome,
    plan::{Plan, Role},
    processes::Watch,
    stage::Stage,
    waiting::tenant_of,
};

/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A play that takes longer is stuck.
const STUCK: Duration = Duration::from_secs(540);

/// A run leaves the last minute to the next one, as the feed may still add to it.
const UNLISTED: time::Duration = time::Duration::seconds(62);

/// How many of the tenants, one in so many, publish something before each firing of the timer.
const PUBLISHING: usize = 3;

type Hosts = Arc<Vec<Dispatcher<Host>>>;

/// What is noted in the course of it.
#[derive(Default)]
struct Notes {
    lags: Lags,
    /// When all of the big tenant had arrived.
    caught_up: Mutex<Option<Instant>>,
    /// Tenants whose runs were ended by a kill that the ledgers do not know of yet.
    killed: Mutex<Vec<String>>,
    /// The largest number of messages that was seen.
    most_messages: AtomicUsize,
}

impl Notes {
    /// Something happened to a message.
    fn see(&self, stage: &Stage, seen: Seen<'_>) {
        let Seen::Ended(tried) = seen else { return };
        let id = tenant_of(&tried.text);
        let Some(tenant) = stage.provider.tenant(&id) else { return };
        match tried.how {
            How::Succeeded => tenant.sender().saved(),
            How::Broken | How::Killed | How::HostGone => self.killed.lock().unwrap().push(id.clone()),
            _ => {}
        }
        let big = stage.provider.tenants()[0].tenant().id == id;
        if big && self.caught_up.lock().unwrap().is_none() && tenant.report().missing == 0 {
            *self.caught_up.lock().unwrap() = Some(tried.ended);
        }
        if self.lags.waits(&id) && tenant.report().missing == 0 {
            self.lags.arrived(&id, tried.ended);
        }
    }

    fn caught_up(&self) -> Option<Instant> {
        *self.caught_up.lock().unwrap()
    }
}

/// Plays it to the end, and tells what came of it.
pub async fn play(plan: Plan) -> Outcome {
    tokio::time::timeout(STUCK, drain(plan)).await.expect("the tenants were not drained")
}

async fn drain(plan: Plan) -> Outcome {
    let (stage, notes) = (Arc::new(Stage::new(&plan).await), Arc::<Notes>::default());
    let host = || {
        let (stage, notes) = (Arc::downgrade(&stage), Arc::clone(&notes));
        move |seen: Seen<'_>| {
            if let Some(stage) = stage.upgrade() {
                notes.see(&stage, seen);
            }
        }
    };
    let hosts: Hosts = Arc::new((0..plan.processes).map(|_| stage.host(plan.rules.clone(), host())).collect());
    let watched = Arc::clone(&hosts);
    let watch = Watch::begin(move || watched.iter().filter_map(|host| host.handler(|process| process.id())).collect());
    let counting = tokio::spawn(count(Arc::clone(&stage), Arc::clone(&notes)));

    let begun = Instant::now();
    // What there is already waits for the first firing.
    for (tenant, _) in small(&stage) {
        notes.lags.published(&tenant.tenant().id, begun);
    }
    let killing = tokio::spawn(kill(plan.clone(), Arc::clone(&stage), Arc::clone(&notes), Arc::clone(&hosts)));
    let mut ticks = 0;
    let mut schedule = interval(plan.interval);
    schedule.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut rng = fastrand::Rng::with_seed(plan.seed + 1);
    while begun.elapsed() < plan.length || notes.caught_up().is_none() || !killing.is_finished() {
        schedule.tick().await;
        if ticks > 0 {
            for (tenant, _) in small(&stage).filter(|_| rng.usize(..PUBLISHING) == 0) {
                publish(tenant);
                notes.lags.published(&tenant.tenant().id, Instant::now());
            }
            // Contents that cannot be read are given up where others can.
            poisoned(&stage).for_each(publish);
        }
        fire(&plan, &hosts).await;
        ticks += 1;
    }
    killing.await.unwrap();
    // What was published after the last firing, and what a kill has left.
    loop {
        for host in hosts.iter() {
            host.drained().await;
        }
        if stage.tenants().all(|(tenant, role)| !role.is_read() || tenant.report().missing == 0) {
            break;
        }
        fire(&plan, &hosts).await;
        ticks += 1;
    }
    let ended = Instant::now();
    counting.abort();
    let status = stage.status().await;
    let page = hosts[0].send(&crate::host::request("status-get.http")).await.unwrap();
    let page = page.json()["Outputs"]["res"]["body"].as_str().map(|body| serde_json::from_str(body).unwrap());
    let tries: Vec<Try> = hosts.iter().flat_map(Dispatcher::tries).collect();
    let caught_up = notes.caught_up().unwrap();
    Outcome {
        seconds: ended - begun,
        caught_up: caught_up - begun,
        lags: notes.lags.of(if plan.backlog.is_some() { caught_up } else { ended }),
        big_messages: tries.iter().filter(|tried| is_of(tried, &stage.provider.tenants()[0])).count(),
        tries,
        ticks,
        puts: stage.waiting.puts(),
        doubles: stage.waiting.doubles(),
        most_messages: notes.most_messages.load(Ordering::SeqCst),
        left: stage.queue.count().await,
        poison: stage.queue.poison().count().await,
        refused_by_the_queue: hosts.iter().flat_map(Dispatcher::queue_errors).collect(),
        costs: watch.costs(),
        blob_requests: stage.blobs.take_seen(),
        queue_requests: stage.queues.take_seen(),
        requests: stage
            .tenants()
            .map(|(tenant, _)| tenant.requests())
            .chain([stage.provider.home().requests()])
            .collect(),
        report: stage.provider.report(),
        roles: stage.tenants().map(|(tenant, role)| (tenant.tenant().id.clone(), role)).collect(),
        status,
        page: page.unwrap(),
        plan,
    }
}

/// The tenants whose lag counts.
fn small(stage: &Stage) -> impl Iterator<Item = (&Simulator, Role)> {
    stage.tenants().filter(|(_, role)| matches!(role, Role::Small | Role::OwnRule))
}

/// The tenant some of whose contents cannot be read.
fn poisoned(stage: &Stage) -> impl Iterator<Item = &Simulator> {
    stage.tenants().filter(|(_, role)| *role == Role::Broken(Trouble::PoisonedContent)).map(|(tenant, _)| tenant)
}

/// Publishes something of each content type that the next run finds.
fn publish(tenant: &Simulator) {
    for content_type in ContentType::WITH_LABELS {
        tenant.publish(content_type, OffsetDateTime::now_utc() - UNLISTED, 2, 1);
    }
}

fn is_of(tried: &Try, tenant: &Simulator) -> bool {
    tenant_of(&tried.text) == tenant.tenant().id
}

/// Fires the timer at the first host that is up, as a host's lock sees to that one alone does.
async fn fire(plan: &Plan, hosts: &Hosts) {
    let up = |host: &&Dispatcher<Host>| matches!(host.standing(), Standing::Running(..));
    let Some(host) = hosts.iter().find(up) else { return };
    match host.tick("FleetTimer").await {
        Ok(reply) => assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body)),
        // It was killed meanwhile.
        Err(_) if plan.kills > 0 => {}
        Err(error) => panic!("the timer was not answered: {error}"),
    }
}

/// Counts the messages, again and again.
async fn count(stage: Arc<Stage>, notes: Arc<Notes>) {
    loop {
        notes.most_messages.fetch_max(stage.queue.count().await, Ordering::SeqCst);
        sleep(LOOK).await;
    }
}

/// Kills processes that have messages under way, at moments of the seed.
async fn kill(plan: Plan, stage: Arc<Stage>, notes: Arc<Notes>, hosts: Hosts) {
    let mut rng = fastrand::Rng::with_seed(plan.seed + 2);
    for number in 0..plan.kills {
        sleep(Duration::from_millis(rng.u64(200..2_000))).await;
        // A killed timer's lock is not over at once: what is quick spares it.
        let spared = usize::from(plan.break_leases);
        let host = &hosts[spared + number as usize % (hosts.len() - spared)];
        while host.under_way().is_empty() || !matches!(host.standing(), Standing::Running(..)) {
            sleep(Duration::from_millis(1)).await;
        }
        let Standing::Running(before, _) = host.standing() else { continue };
        let under_way = host.under_way();
        host.kill_handler();
        while host.under_way().iter().any(|text| under_way.contains(text)) {
            sleep(LOOK).await;
        }
        let killed = std::mem::take(&mut *notes.killed.lock().unwrap());
        let senders = killed.iter().map(|id| stage.provider.tenant(id).unwrap().sender()).collect::<Vec<_>>();
        // Before the hosts try again: a run that succeeds has saved what it sent, and not what was in flight before it.
        for sender in &senders {
            sender.killed().await;
        }
        if plan.break_leases {
            for id in &killed {
                stage.break_lease(id).await;
            }
        }
        // With the next process there, whatever the last one had sent has arrived.
        while !matches!(host.standing(), Standing::Running(now, _) if now > before) {
            sleep(LOOK).await;
        }
        for sender in &senders {
            sender.killed().await;
        }
    }
}

/// Whether the try was made in vain, because of a process that was killed.
pub fn was_killed(tried: &Try) -> bool {
    matches!(tried.how, How::Broken | How::Killed) && tried.fate == Fate::Again
}
