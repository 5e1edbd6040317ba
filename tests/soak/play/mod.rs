//! What is played, and how it ends.

mod faults;
mod instance;
mod outcome;
mod publishing;

use std::{
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use labelstream::{dead_letter, state::Store as _};
use labelstream_simulator::Config;

pub use self::outcome::Outcome;
use self::{faults::Faults, instance::Instance, outcome::Tally, publishing::Publishing};
use crate::{storage::Storage, world::World};

/// A step: something is published, and something may happen.
const STEP: Duration = Duration::from_millis(700);

/// How long it may take until all has arrived once the faults are over: a lease that has to run out, and runs.
const SETTLING: Duration = Duration::from_secs(5 * 60);

/// What is played.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How long.
    pub length: Duration,
    /// Chooses everything that is chosen. How requests meet faults is up to the processes and the machine.
    pub seed: u64,
}

/// The tenant, its storage and its processes.
pub struct Stage {
    world: World,
    storage: Storage,
    /// Held by whoever begins a run, and by whoever must know that none begins.
    beginning: tokio::sync::Mutex<()>,
    /// The processes, also those that are ending.
    started: Mutex<Vec<Weak<instance::Running>>>,
    tally: Tally,
}

/// Plays it; `say` is told a line a minute.
pub async fn play(plan: Plan, say: impl Fn(&str)) -> Outcome {
    let storage = Storage::start().await;
    let latency = Duration::from_millis(12); // runs take seconds, so that they are met in their middle
    let config =
        Config { seed: plan.seed, page_size: 7, latency, subscribed: true, keep_rows: false, ..Config::default() };
    let mut world = World::new(config).await;
    world.set("AzureWebJobsStorage", &storage.connection_string());
    world.set("RUN_BUDGET_SECONDS", "20");
    let stage = Stage {
        world,
        storage,
        beginning: tokio::sync::Mutex::default(),
        started: Mutex::default(),
        tally: Tally::default(),
    };
    let stage = Arc::new(stage);
    let mut rng = fastrand::Rng::with_seed(plan.seed);
    let mut publishing = Publishing::begin(&stage.world.simulator, &mut rng);
    let mut faults = Faults::default();
    let instances = ["one", "other"].map(|name| Instance::begin(name, Arc::clone(&stage), rng.u64(..)));

    let begun = Instant::now();
    let mut told = begun;
    while begun.elapsed() < plan.length {
        tokio::time::sleep(STEP).await;
        publishing.step(&stage.world.simulator, &mut rng);
        faults.step(&stage, &mut rng);
        if rng.u8(..100) < 45 {
            instances[rng.usize(..instances.len())].suffer(&mut rng).await;
        }
        if told.elapsed() >= Duration::from_secs(60) {
            told = Instant::now();
            say(&stage.line(begun));
        }
    }
    faults.end(&stage);
    settle(&stage, &instances, &say).await;
    let broken = judge(&stage, &instances).await;
    let lines = if broken.is_empty() { Vec::new() } else { instances.iter().map(Instance::last_lines).collect() };
    let peak_memory = instances.iter().map(Instance::peak_memory).max().unwrap_or(0);
    for instance in instances {
        instance.end().await;
    }
    Outcome {
        plan,
        broken,
        lines,
        time: begun.elapsed(),
        report: stage.world.simulator.report(),
        requests: stage.world.simulator.requests(),
        storage_requests: stage.storage.requests(None, ""),
        peak_memory,
        faults: faults.tally(),
        tally: stage.tally.snapshot(),
    }
}

/// Lets the processes run without faults until all has arrived and nothing is left to be tried again.
async fn settle(stage: &Stage, instances: &[Instance; 2], say: &impl Fn(&str)) {
    for instance in instances {
        instance.thaw();
    }
    let (begun, done) = (Instant::now(), stage.tally.get("runs done"));
    say(&format!("the faults are over; {} rows are missing still", stage.world.simulator.report().missing));
    let mut told = begun;
    while begun.elapsed() < SETTLING {
        // Runs that began before the faults were over count for nothing.
        let runs = stage.tally.get("runs done") - done;
        if runs >= 3 && stage.world.simulator.report().missing == 0 {
            break;
        }
        if told.elapsed() >= Duration::from_secs(60) {
            told = Instant::now();
            say(&format!("{} rows are missing still", stage.world.simulator.report().missing));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    stage.tally.set("seconds until all had arrived", begun.elapsed().as_secs());
}

/// What of the promises is broken.
async fn judge(stage: &Stage, instances: &[Instance; 2]) -> Vec<String> {
    let report = stage.world.simulator.report();
    let mut broken = Vec::new();
    let mut hold = |what: &str, ids: &[String], holds: bool| {
        if !holds {
            broken.push(format!("{what}: {}", ids.join(" ")));
        }
    };
    hold("missing", &report.missing_ids, report.missing == 0);
    hold("unexpected", &report.unexpected_ids, report.unexpected == 0);
    hold("doubled without an excuse", &report.doubled_unexcused_ids, report.doubled_unexcused == 0);
    let totals = &report.totals;
    for (what, fields) in
        [("cut", &totals.cut_fields), ("dropped", &totals.dropped_fields), ("mistyped", &totals.mistyped_fields)]
    {
        hold(what, &fields.keys().cloned().collect::<Vec<_>>(), fields.is_empty());
    }
    hold("no run went well", &[], stage.tally.get("runs done") > 0);
    let bad_ends = ["processes that ended by themselves", "terms with another status"];
    for what in bad_ends {
        hold(what, &[], stage.tally.get(what) == 0);
    }
    // A run with nothing to do sends nothing.
    let (runs, posts) = (stage.tally.get("runs done"), totals.posts);
    while stage.tally.get("runs done") < runs + 2 && report.missing == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    hold("posts by a run with nothing to do", &[], stage.world.simulator.report().totals.posts == posts);
    let prefix = dead_letter::prefix(&stage.world.simulator.tenant().id);
    for letter in stage.world.store().list(&prefix).await.unwrap() {
        let (body, _) = stage.world.store().get(&letter.key).await.unwrap().unwrap();
        hold("dead letter", &[String::from_utf8_lossy(&body).chars().take(1_000).collect()], false);
    }
    for instance in instances {
        let peak = instance.peak_memory();
        hold(&format!("memory of {peak} bytes"), &[], peak < instance::MEMORY);
    }
    broken
}

impl Stage {
    /// How it goes, in a line.
    fn line(&self, begun: Instant) -> String {
        let report = self.world.simulator.report();
        let minutes = begun.elapsed().as_secs_f64() / 60.0;
        format!(
            "{minutes:5.1} min: {} published, {} arrived, {} missing, {} doubled ({} without an excuse); {}",
            report.published,
            report.arrived,
            report.missing,
            report.doubled,
            report.doubled_unexcused,
            self.tally.line()
        )
    }
}
