//! Hundreds of tenants: what it takes to drain them, and what a firing of the timer costs that finds nothing new.
//! `./scripts/fleet` builds a release and runs it; docs/scale.md has the figures.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by a panic, outside of its own function too"
)]

#[path = "../support/account.rs"]
mod account;
#[path = "../support/azurite.rs"]
mod azurite;
#[path = "../support/dispatcher/mod.rs"]
#[allow(dead_code, reason = "the tests of the dispatcher use the rest")]
mod dispatcher;
#[path = "../support/front.rs"]
#[allow(dead_code, reason = "the tests of runs use the rest")]
mod front;
#[path = "../support/host.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod host;
#[path = "../handler/oracle.rs"]
#[allow(dead_code, reason = "its own tests use the rest")]
mod oracle;
#[path = "../support/queue.rs"]
#[allow(dead_code, reason = "the tests of the dispatcher use the rest")]
mod queue;
#[path = "../handler/wire.rs"]
#[allow(dead_code, reason = "the tests of the handler use the rest")]
mod wire;

#[path = "../drain/lag.rs"]
mod lag;
#[path = "../drain/outcome.rs"]
mod outcome;
#[path = "../drain/plan.rs"]
mod plan;
#[path = "../drain/play.rs"]
mod play;
#[path = "../drain/processes.rs"]
mod processes;
#[path = "../drain/stage.rs"]
mod stage;
#[path = "../drain/waiting.rs"]
mod waiting;

mod idle;

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use labelstream_simulator::Bulk;
use outcome::Outcome;
use plan::Plan;

/// Drains many tenants, and says what that takes.
#[derive(Debug, Parser)]
#[command(name = "fleet")]
struct Arguments {
    /// How many tenants: one big, five broken, the others small.
    #[arg(long, default_value_t = 300)]
    tenants: u32,
    /// Records of the big tenant's backlog, in contents of 100.
    #[arg(long, default_value_t = 200_000)]
    backlog: u64,
    /// With how many processes, one play after the other.
    #[arg(long, value_delimiter = ',', default_value = "1,2,4")]
    processes: Vec<usize>,
    /// Kills in a play more, with the largest number of processes.
    #[arg(long, default_value_t = 4)]
    kills: u32,
    /// Wait of the services before each answer, in milliseconds.
    #[arg(long, default_value_t = 50)]
    latency: u64,
    /// RUN_BUDGET_SECONDS.
    #[arg(long, default_value_t = 10)]
    budget: u32,
    /// Seconds between two firings of the timer.
    #[arg(long, default_value_t = 2)]
    interval: u64,
    /// batchSize of the hosts, with newBatchThreshold half of it, in place of fleet/host.json's.
    #[arg(long)]
    batch: Option<u32>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// In place of all that: firings that find nothing new, of so many tenants.
    #[arg(long, value_name = "TENANTS")]
    idle: Option<u32>,
}

impl Arguments {
    fn plan(&self, processes: usize, backlog: bool, kills: u32) -> Plan {
        let bulk = Bulk {
            contents: self.backlog.div_ceil(100),
            records_per_content: 100,
            label_share: 0.4,
            ..Bulk::default()
        };
        let mut rules = stage::rules();
        if let Some(batch) = self.batch {
            (rules.batch_size, rules.new_batch_threshold) = (batch, batch / 2);
        }
        Plan {
            tenants: self.tenants,
            all_small: false,
            backlog: backlog.then_some(bulk),
            slow: Duration::ZERO,
            latency: Duration::from_millis(self.latency),
            processes,
            budget: self.budget,
            interval: Duration::from_secs(self.interval),
            length: Duration::from_secs(30),
            kills,
            break_leases: false,
            rules,
            seed: self.seed,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let held = match arguments.idle {
        Some(tenants) => runtime.block_on(idle::play(tenants, &arguments)),
        None => runtime.block_on(drain(&arguments)),
    };
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The plays of one call; whether all held what must hold.
async fn drain(arguments: &Arguments) -> bool {
    let mut plans = Vec::new();
    for processes in &arguments.processes {
        plans.push(arguments.plan(*processes, false, 0));
        plans.push(arguments.plan(*processes, true, 0));
    }
    if arguments.kills > 0 {
        let most = arguments.processes.iter().max().copied().unwrap_or(1);
        plans.push(arguments.plan(most, true, arguments.kills));
    }
    println!(
        "| processes | big tenant | kills | all s | big one s | its messages | lag s, median | 95th | ticks | messages | \
         most at once | peak MiB | CPU s | storage requests | feed requests | rows twice |"
    );
    println!("|{}", "--:|".repeat(16));
    let mut held = true;
    for plan in plans {
        let outcome = play::play(plan).await;
        println!("{}", row(&outcome));
        for broken in outcome.broken() {
            println!("broken: {broken}");
            held = false;
        }
    }
    held
}

fn row(outcome: &Outcome) -> String {
    let Outcome { plan, .. } = outcome;
    let (median, high) = outcome.lag();
    let (surplus, excused) = outcome.surplus();
    let backlog = plan.backlog.as_ref().map_or(0, |bulk| bulk.contents * u64::from(bulk.records_per_content));
    format!(
        "| {} | {backlog} | {} | {:.1} | {:.1} | {} | {median:.2} | {high:.2} | {} | {} | {} | {:.0} | {:.1} | {} | {} | \
         {surplus} ({excused} in flight) |",
        plan.processes,
        plan.kills,
        outcome.seconds.as_secs_f64(),
        outcome.caught_up.as_secs_f64(),
        outcome.big_messages,
        outcome.ticks,
        outcome.puts,
        outcome.most_messages,
        outcome.peak(),
        outcome.cpu(),
        outcome.blob_requests.len() + outcome.queue_requests.len(),
        outcome.feed_requests(),
    )
}
