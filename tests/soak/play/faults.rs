//! The faults of the services, switched on and off.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::http::Method;
use labelstream_simulator::{Answer, Effect, Endpoint, Fault, ResetAt, RetryAfter, Spoil, When};

use super::Stage;
use crate::storage::{StorageFault, Trouble};

/// How often a kind of fault was switched on, and how often it struck.
pub type FaultTally = BTreeMap<String, (u64, u64)>;

/// The faults that are on.
#[derive(Default)]
pub struct Faults {
    on: Vec<On>,
    tally: FaultTally,
    /// Whether all that was published had arrived once: from then on, what is listed with a wrong address is listed again
    /// by the next run, and not by the next look back only.
    caught_up: bool,
}

struct On {
    name: String,
    what: What,
    until: Instant,
}

enum What {
    Service(Vec<u64>),
    Storage(u64),
    StorageShut,
    /// Both at once: as if the services were killed.
    Outage(Vec<u64>),
}

impl Faults {
    /// Ends what has lasted its time, and maybe begins another one.
    pub fn step(&mut self, stage: &Stage, rng: &mut fastrand::Rng) {
        let now = Instant::now();
        self.caught_up |= stage.world.simulator.report().missing == 0;
        for over in self.on.extract_if(.., |on| on.until <= now).collect::<Vec<_>>() {
            self.switch_off(stage, over);
        }
        if self.on.len() >= 4 || rng.u8(..3) > 0 {
            return;
        }
        let until = now + Duration::from_millis(rng.u64(500..9_000));
        let shut = self.on.iter().any(|on| matches!(on.what, What::StorageShut | What::Outage(_)));
        let (name, what) = match rng.u8(..40) {
            0 if !shut => {
                stage.storage.shut();
                let cut = |on| Fault::new(on, When::Always, Effect::Reset(ResetAt::Before));
                let numbers = ENDPOINTS.map(|on| stage.world.simulator.fault(cut(on)).unwrap());
                ("outage of all services".to_owned(), What::Outage(numbers.to_vec()))
            }
            1 if !shut => {
                stage.storage.shut();
                ("storage refuses connections".to_owned(), What::StorageShut)
            }
            2..=11 => {
                let (name, fault) = of_storage(rng);
                (format!("storage {name}"), What::Storage(stage.storage.fault(fault)))
            }
            _ => {
                let (name, fault) = of_service(rng, self.caught_up);
                let number = stage.world.simulator.fault(fault).unwrap();
                (name, What::Service(vec![number]))
            }
        };
        self.tally.entry(name.clone()).or_default().0 += 1;
        self.on.push(On { name, what, until });
    }

    /// Switches all of them off.
    pub fn end(&mut self, stage: &Stage) {
        for on in std::mem::take(&mut self.on) {
            self.switch_off(stage, on);
        }
    }

    pub fn tally(&self) -> FaultTally {
        self.tally.clone()
    }

    fn switch_off(&mut self, stage: &Stage, on: On) {
        let simulator = &stage.world.simulator;
        let end = |numbers: Vec<u64>| -> u64 {
            let struck = simulator.faults().iter().filter(|on| numbers.contains(&on.number)).map(|on| on.struck).sum();
            for number in numbers {
                assert!(simulator.end_fault(number), "it was on");
            }
            struck
        };
        let struck = match on.what {
            What::Service(numbers) => end(numbers),
            What::Storage(number) => stage.storage.end_fault(number),
            What::StorageShut => {
                stage.storage.open();
                0
            }
            What::Outage(numbers) => {
                stage.storage.open();
                end(numbers)
            }
        };
        self.tally.entry(on.name).or_default().1 += struck;
    }
}

const ENDPOINTS: [Endpoint; 5] =
    [Endpoint::ManagedIdentity, Endpoint::Subscriptions, Endpoint::List, Endpoint::Retrieve, Endpoint::Ingest];

fn of_service(rng: &mut fastrand::Rng, caught_up: bool) -> (String, Fault) {
    let on = [Endpoint::List, Endpoint::Retrieve, Endpoint::Retrieve, Endpoint::Ingest, Endpoint::Ingest];
    let on = if rng.u8(..12) == 0 { ENDPOINTS[rng.usize(..2)] } else { on[rng.usize(..on.len())] };
    let share = if rng.u8(..6) == 0 { 1.0 } else { 0.05 + 0.4 * rng.f64() };
    let (name, effect) = match on {
        Endpoint::Ingest => of_ingestion(rng),
        Endpoint::ManagedIdentity => ("503", Effect::status(503)),
        Endpoint::List => of_listing(rng, caught_up),
        Endpoint::Retrieve => of_retrieval(rng),
        _ => of_feed(rng),
    };
    (format!("{on:?} {name}"), Fault::new(on, When::Share { share, seed: rng.u64(..) }, effect))
}

fn of_ingestion(rng: &mut fastrand::Rng) -> (&'static str, Effect) {
    let stored = |status| Effect::Answer(Answer { status, after_effect: true, ..Answer::default() });
    match rng.u8(..14) {
        0..3 => ("answer lost", Effect::LoseAnswer),
        3 => ("stored, and 500", stored(500)),
        4 => ("stored, and 503", stored(503)),
        5 => ("429", Effect::throttled(RetryAfter::Seconds(rng.u32(1..4)))),
        6 => ("429 with a date", Effect::throttled(RetryAfter::DateIn(rng.u32(1..4)))),
        7 => ("503", Effect::status(503)),
        8 => ("403 not granted", Effect::not_granted()),
        9 => ("404", Effect::status(404)),
        10 => ("reset before", Effect::Reset(ResetAt::Before)),
        11 => ("slow", Effect::Delay(rng.u64(100..3_000))),
        12 => ("tokens revoked", Effect::RevokeTokens),
        _ => ("slow answer", Effect::DelayAnswer(rng.u64(100..4_000))),
    }
}

fn of_feed(rng: &mut fastrand::Rng) -> (&'static str, Effect) {
    let af429 = |retry_after| Effect::Af { code: "AF429".to_owned(), retry_after };
    match rng.u8(..12) {
        0 => ("AF429", af429(None)),
        1 => ("AF429 with Retry-After", af429(Some(RetryAfter::Seconds(rng.u32(1..4))))),
        2 => ("AF50000", Effect::af("AF50000")),
        3 => ("503", Effect::status(503)),
        4 => ("reset before", Effect::Reset(ResetAt::Before)),
        5 => ("reset in the body", Effect::Reset(ResetAt::InBody)),
        6 => ("reset after the body", Effect::Reset(ResetAt::AfterBody)),
        7 => ("cut short", Effect::Truncate { bytes: rng.usize(..2_000) }),
        8 => ("slow", Effect::Delay(rng.u64(100..3_000))),
        9 => ("slow body", Effect::SlowBody { piece: rng.usize(200..4_000), pause_ms: rng.u64(10..200) }),
        10 => ("tokens revoked", Effect::RevokeTokens),
        _ => ("401", Effect::status(401)),
    }
}

fn of_listing(rng: &mut fastrand::Rng, caught_up: bool) -> (&'static str, Effect) {
    match rng.u8(..7) {
        0 => ("each content twice", Effect::DuplicateListing),
        1 if caught_up => ("foreign host", Effect::ForeignHost("https://evil.example".to_owned())),
        2 if caught_up => ("malformed URI", Effect::MalformedUri("https://[".to_owned())),
        3 => ("stale next page", Effect::StaleNextPage),
        _ => of_feed(rng),
    }
}

fn of_retrieval(rng: &mut fastrand::Rng) -> (&'static str, Effect) {
    // AF20051 is the feed's last word on a content: that is for the matrix.
    match rng.u8(..13) {
        0 => ("JSON cut", Effect::Spoil(Spoil::CutJson)),
        1 => ("HTML", Effect::Spoil(Spoil::Html)),
        2 => ("empty", Effect::Spoil(Spoil::Empty)),
        3 => ("object", Effect::Spoil(Spoil::Object)),
        4 => ("null", Effect::Spoil(Spoil::Null)),
        5 => ("byte order mark", Effect::Spoil(Spoil::Bom)),
        6 => ("bad gzip", Effect::Spoil(Spoil::BadGzip)),
        7 => ("AF20050", Effect::af("AF20050")),
        _ => of_feed(rng),
    }
}

fn of_storage(rng: &mut fastrand::Rng) -> (String, StorageFault) {
    let parts = ["", "", "/records/", "/contents/", "/watermark.json", "comp=lease", "comp=appendblock"];
    let matching = parts[rng.usize(..parts.len())];
    let (name, trouble) = match rng.u8(..6) {
        0 => ("503", Trouble::Refused(503, "ServerBusy")),
        1 => ("500", Trouble::Refused(500, "InternalError")),
        2 => ("403", Trouble::Refused(403, "AuthenticationFailed")),
        3 => ("slow", Trouble::Slow(rng.u64(20..1_500))),
        _ => ("answer lost", Trouble::AnswerLost),
    };
    let share = if rng.u8(..3) == 0 { 1.0 } else { 0.05 + 0.5 * rng.f64() };
    let method = (rng.u8(..3) == 0).then_some(Method::PUT);
    let fault = StorageFault { method, matching, when: When::Share { share, seed: rng.u64(..) }, trouble };
    (if matching.is_empty() { name.to_owned() } else { format!("{name} on {matching}") }, fault)
}
