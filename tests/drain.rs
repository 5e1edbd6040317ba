//! Many tenants as a whole: real processes under hosts that share a queue, customers of very different size, some of them
//! broken, and a timer that fires faster than the queue is worked off. `./scripts/fleet` plays it with hundreds of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by a panic, outside of its own function too"
)]

#[path = "support/account.rs"]
mod account;
#[path = "support/azurite.rs"]
mod azurite;
#[path = "support/dispatcher/mod.rs"]
#[expect(dead_code, reason = "the tests of the dispatcher use the rest")]
mod dispatcher;
#[path = "support/front.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod front;
#[path = "support/host.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod host;
#[path = "handler/oracle.rs"]
mod oracle;
#[path = "support/queue.rs"]
#[expect(dead_code, reason = "the tests of the dispatcher use the rest")]
mod queue;
#[path = "handler/wire.rs"]
#[expect(dead_code, reason = "the tests of the handler use the rest")]
mod wire;

#[path = "drain/lag.rs"]
mod lag;
#[path = "drain/outcome.rs"]
#[expect(dead_code, reason = "the figures are for the table")]
mod outcome;
#[path = "drain/plan.rs"]
mod plan;
#[path = "drain/play.rs"]
mod play;
#[path = "drain/processes.rs"]
mod processes;
#[path = "drain/stage.rs"]
mod stage;
#[path = "drain/waiting.rs"]
mod waiting;

use std::time::Duration;

use dispatcher::Rules;
use labelstream_simulator::Bulk;
use plan::Plan;

/// A play of some seconds, whose hosts try again after two seconds in place of a minute.
fn small() -> Plan {
    Plan {
        tenants: 40,
        all_small: false,
        backlog: None,
        slow: Duration::ZERO,
        latency: Duration::ZERO,
        processes: 2,
        budget: 10,
        interval: Duration::from_millis(500),
        length: Duration::from_secs(3),
        kills: 0,
        break_leases: true,
        rules: Rules {
            visibility_timeout: Duration::from_secs(2),
            max_polling_interval: Duration::from_millis(200),
            ..stage::rules()
        },
        seed: 8,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_of_every_size_arrive_once_and_the_broken_ones_harm_only_themselves() {
    let backlog = Bulk { contents: 300, records_per_content: 20, label_share: 0.4, ..Bulk::default() };
    let outcome = play::play(Plan { backlog: Some(backlog), slow: Duration::from_secs(1), ..small() }).await;
    assert_eq!(outcome.broken(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_killed_process_come_again_and_nothing_is_lost() {
    let outcome = play::play(Plan { tenants: 24, processes: 3, kills: 4, ..small() }).await;
    assert_eq!(outcome.broken(), Vec::<String>::new());
}
