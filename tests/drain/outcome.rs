//! What came of a play: figures, and what was broken of what must hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use labelstream_simulator::{Endpoint, Isolation, ProviderReport, Requests};
use serde_json::Value;

use crate::{
    dispatcher::{How, Try},
    plan::{Plan, Role, quantiles},
    play::was_killed,
    processes::Cost,
    stage::BAD_ENTRY,
};

/// What came of a play.
pub struct Outcome {
    pub plan: Plan,
    /// From the first firing of the timer until the queue was empty for good.
    pub seconds: Duration,
    /// From the first firing until all of the big tenant had arrived.
    pub caught_up: Duration,
    /// How long what the small tenants published waited while the big one had not caught up.
    pub lags: Vec<Duration>,
    /// Messages of the big tenant.
    pub big_messages: usize,
    pub tries: Vec<Try>,
    pub ticks: usize,
    /// Messages that were put.
    pub puts: usize,
    /// Messages that were put while another one of the tenant waited.
    pub doubles: Vec<String>,
    /// The largest number of messages at once.
    pub most_messages: usize,
    /// Messages at the end.
    pub left: usize,
    pub poison: usize,
    pub refused_by_the_queue: Vec<String>,
    /// Of each process, those that were killed too.
    pub costs: Vec<Cost>,
    pub blob_requests: Vec<String>,
    pub queue_requests: Vec<String>,
    /// Of each tenant, and of the provider's own.
    pub requests: Vec<Requests>,
    pub report: ProviderReport,
    pub roles: Vec<(String, Role)>,
    /// What the subcommand `status` says.
    pub status: Value,
    /// What the function `Status` says.
    pub page: Value,
}

impl Outcome {
    /// What is broken of what must hold.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                broken.push(what);
            }
        };
        let expected: BTreeSet<&str> =
            self.roles.iter().filter(|(_, role)| !role.is_read()).map(|(id, _)| id.as_str()).collect();
        let unclean: BTreeSet<&str> = self.report.unclean().into_iter().collect();
        must(unclean == expected, format!("unclean: {unclean:?}, and not {expected:?}"));
        for (id, role) in &self.roles {
            let report = &self.report.tenants[id];
            let arrived = if role.is_read() { report.published } else { 0 };
            let right = report.arrived == arrived && report.unexpected == 0 && report.doubled_unexcused == 0;
            must(right && report.published > 0, format!("{role:?} {id}: {report:?}"));
            let once = report.surplus_rows == 0 || self.plan.kills > 0;
            must(once, format!("{role:?} {id}: {} rows came twice", report.surplus_rows));
        }
        must(self.report.home.is_clean(), format!("at the provider's own: {:?}", self.report.home));
        must(self.report.isolation == Isolation::default(), format!("{:?}", self.report.isolation));
        // A kill between two steps of a run or of the timer may cost a message twice (ARCHITECTURE.md, "Many tenants").
        let alone = self.doubles.is_empty() || self.plan.kills > 0;
        must(alone, format!("messages beside one that waited: {:#?}", self.doubles));
        let tenants = self.roles.len();
        let most = if self.plan.kills > 0 { 2 * tenants } else { tenants };
        must(self.most_messages <= most, format!("{} messages of {tenants} tenants", self.most_messages));
        must(self.left == 0 && self.poison == 0, format!("{} messages are left, {} poison", self.left, self.poison));
        must(self.refused_by_the_queue.is_empty(), format!("{:?}", self.refused_by_the_queue));
        let failed = self.tries.iter().find(|tried| tried.how != How::Succeeded && !was_killed(tried));
        must(failed.is_none(), format!("{failed:?}"));
        must(
            self.killed() > 0 || self.plan.kills == 0,
            "no message was under way when a process was killed".to_owned(),
        );
        if self.plan.backlog.is_some() {
            must(self.big_messages > 1, "the big tenant was one run".to_owned());
        }
        for (what, told) in [("the subcommand", &self.status), ("the function", &self.page)] {
            let named = named(told);
            must(named == self.to_be_named(), format!("{what} names {named:?}"));
            let noted = noted(told);
            must(noted == self.to_be_noted(), format!("{what} has notes of contents of {noted:?}"));
        }
        broken
    }

    /// The tenants that are to be looked after.
    fn to_be_named(&self) -> BTreeSet<String> {
        self.names(|role| role.is_broken() && !role.is_read()).chain([BAD_ENTRY.to_owned()]).collect()
    }

    /// The tenants that are read, but for some contents.
    fn to_be_noted(&self) -> BTreeSet<String> {
        self.names(|role| role.is_broken() && role.is_read()).collect()
    }

    fn names(&self, which: impl Fn(&Role) -> bool) -> impl Iterator<Item = String> {
        let found = self.roles.iter().enumerate().filter(move |(_, (_, role))| which(role));
        found.map(|(place, _)| format!("customer-{}", place + 1))
    }

    /// Tries that were ended by a kill.
    pub fn killed(&self) -> usize {
        self.tries.iter().filter(|tried| was_killed(tried)).count()
    }

    /// Rows that came once more, and how many of them were in flight when their process was killed.
    pub fn surplus(&self) -> (u64, u64) {
        (self.report.sum(|report| report.surplus_rows), self.report.sum(|report| report.surplus_rows_excused))
    }

    /// The middle and the 95th of a hundred of the small tenants' lags, in seconds.
    pub fn lag(&self) -> (f64, f64) {
        let (median, high) = quantiles(self.lags.clone());
        (median.as_secs_f64(), high.as_secs_f64())
    }

    /// The most memory of any process, in MiB.
    pub fn peak(&self) -> f64 {
        self.costs.iter().map(|cost| cost.peak).max().unwrap_or(0) as f64 / 1024.0 / 1024.0
    }

    /// CPU seconds of all processes.
    pub fn cpu(&self) -> f64 {
        self.costs.iter().map(|cost| cost.cpu).sum()
    }

    /// Requests by endpoint, to all tenants together.
    pub fn by_endpoint(&self) -> BTreeMap<Endpoint, u64> {
        let mut sums = BTreeMap::new();
        for (endpoint, count) in self.requests.iter().flat_map(|requests| &requests.by_endpoint) {
            *sums.entry(*endpoint).or_default() += count;
        }
        sums
    }

    /// Requests to the feeds.
    pub fn feed_requests(&self) -> u64 {
        self.by_endpoint().iter().filter(|(endpoint, _)| endpoint.is_feed()).map(|(_, count)| count).sum()
    }
}

/// The tenants that have a problem.
fn named(fleet: &Value) -> BTreeSet<String> {
    names(fleet, |tenant| tenant["healthy"] == false && tenant["enabled"] == true)
}

/// The tenants that have contents which could not be read.
fn noted(fleet: &Value) -> BTreeSet<String> {
    names(fleet, |tenant| {
        let notes = tenant["notes"].to_string();
        tenant["healthy"] == true && (notes.contains("failed, to be tried again") || notes.contains("dead letters"))
    })
}

fn names(fleet: &Value, which: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let tenants = fleet["tenants"].as_array().unwrap();
    let found = tenants.iter().filter(|tenant| which(tenant));
    found.map(|tenant| tenant["name"].as_str().unwrap().to_owned()).collect()
}
