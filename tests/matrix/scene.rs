//! What a script plays in: a tenant, a storage that can fail, and a handler process that can be killed; and the verdict
//! on what came of it.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use labelstream::{
    dead_letter::{self, DeadLetter},
    state::Store as _,
};
use labelstream_simulator::{Config, Endpoint, Fault, Report, Sender};

use crate::{
    host::{Answered, Host},
    storage::{Storage, StorageFault},
    world::World,
};

/// Runs without a fault that may be needed until all has arrived: a content that failed waits for some of them.
const MOST_RUNS: u32 = 12;

/// A tenant, a storage, a process.
pub struct Scene {
    pub world: World,
    pub storage: Storage,
    pub seed: u64,
    /// Chance by the seed, for amounts and times.
    pub rng: fastrand::Rng,
    /// Dead letters that there must be at the end.
    pub dead_letters: usize,
    /// Ids of the label events that must lie in the dead letters in place of arriving.
    pub buried: Vec<String>,
    /// How often faults struck that no simulator or storage counts: a script's own doing.
    pub struck: u64,
    /// What comes twice where what was remembered is gone: so many rows, or what the ledger excuses.
    pub doubles: Doubles,
    host: Option<Host>,
    sender: Sender,
    /// A run that was begun and is not answered yet.
    under_way: Option<TcpStream>,
    runs: u32,
    kills: u32,
    begun: Instant,
}

/// The rows that come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubles {
    /// Those of batches whose answer was lost, and no others.
    Unanswered,
    /// At most what the ledger excuses: what was in flight when a process was killed or frozen, or what a state held that is gone.
    Excused,
    /// Exactly so many: what was remembered was taken away.
    Exactly(u64),
}

/// What came of a script.
#[derive(Debug)]
pub struct Verdict {
    pub struck: u64,
    pub report: Report,
    pub runs: u32,
    pub kills: u32,
    pub dead_letters: usize,
    /// Label events that lie in the dead letters in place of arriving.
    pub buried: usize,
    pub time: Duration,
}

impl Scene {
    pub async fn new(seed: u64) -> Self {
        Self::with(Config { seed, page_size: 5, ..Config::default() }).await
    }

    /// A tenant of this kind, for a script that needs another one than it was given.
    pub async fn with(config: Config) -> Self {
        let (seed, storage) = (config.seed, Storage::start().await);
        let mut world = World::new(config).await;
        world.set("AzureWebJobsStorage", &storage.connection_string());
        let sender = world.simulator.sender();
        Self {
            world,
            storage,
            seed,
            rng: fastrand::Rng::with_seed(seed),
            dead_letters: 0,
            buried: Vec::new(),
            struck: 0,
            doubles: Doubles::Unanswered,
            host: None,
            sender,
            under_way: None,
            runs: 0,
            kills: 0,
            begun: Instant::now(),
        }
    }

    /// Switches a fault of the services on.
    pub fn strike(&self, fault: Fault) {
        self.world.simulator.fault(fault).unwrap();
    }

    /// Switches a fault of the storage on.
    pub fn strike_storage(&self, fault: StorageFault) {
        self.storage.fault(fault);
    }

    /// Switches all faults off, having counted how often they struck.
    pub fn clear_faults(&mut self) {
        self.struck += self.world.simulator.faults().iter().map(|active| active.struck).sum::<u64>();
        self.world.simulator.clear_faults();
        self.struck += self.storage.clear_faults();
    }

    /// The handler process; started where there is none. Each one posts by a rule of its own, so that what was in flight
    /// when it is killed is known.
    pub async fn host(&mut self) -> &Host {
        if self.host.is_none() {
            self.sender = self.world.simulator.new_sender();
            let rule = self.sender.rule().to_owned();
            self.world.set("LOGS_DCR_RULE_ID", &rule);
            self.host = Some(self.world.start().await);
        }
        self.host.as_ref().unwrap()
    }

    /// Fires the timer and waits for the answer.
    pub async fn tick(&mut self) -> Answered {
        self.begin().await;
        self.end().await
    }

    /// Fires the timer; [`Scene::end`] waits for the answer.
    pub async fn begin(&mut self) {
        self.under_way = Some(self.host().await.begin_tick());
    }

    /// Waits for the answer to the run that was begun.
    pub async fn end(&mut self) -> Answered {
        let (host, connection) = (self.host.take().unwrap(), self.under_way.take().unwrap());
        let waiting = tokio::task::spawn_blocking(move || {
            let answered = host.answer(connection);
            (host, answered)
        });
        let (host, answered) = waiting.await.unwrap();
        self.host = Some(host);
        self.runs += 1;
        // A run that ended well has saved what it sent.
        if answered.status == 200 {
            self.sender.saved();
        }
        answered
    }

    /// Waits for the answer to the run that was begun, and asserts it.
    pub async fn end_answering(&mut self, status: u16) -> Answered {
        let answered = self.end().await;
        assert_eq!(answered.status, status, "{answered:?}\n{}", self.last_lines());
        answered
    }

    /// The last lines of the process.
    fn last_lines(&self) -> String {
        let lines = self.host.as_ref().map(Host::lines).unwrap_or_default();
        let last: Vec<String> = lines.into_iter().rev().take(20).map(|(_, line)| line).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Waits until `reached`, or until the run under way ended; whether it was reached before.
    pub async fn until(&mut self, reached: impl Fn(&Self) -> bool) -> bool {
        let begun = Instant::now();
        let ended = self.host().await.ended_runs();
        loop {
            if reached(self) {
                return true;
            }
            if self.host().await.ended_runs() > ended {
                return false;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it was not reached within a minute");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// How often an endpoint was called.
    pub fn calls(&self, endpoint: Endpoint) -> u64 {
        self.world.simulator.requests().by_endpoint.get(&endpoint).copied().unwrap_or(0)
    }

    /// Who posts.
    pub const fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Fires the timer and asserts what it is answered.
    pub async fn tick_answering(&mut self, status: u16) -> Answered {
        self.begin().await;
        self.end_answering(status).await
    }

    /// SIGKILL for the handler process, as the Functions host does it.
    pub async fn kill(&mut self) {
        self.host.take().expect("a process to kill").kill();
        self.under_way = None;
        self.kills += 1;
        self.doubles = Doubles::Excused;
        // It is gone for good: what arrives of it later was in flight.
        self.sender.gone();
    }

    /// A process that was started in a way of its own.
    pub fn put_host(&mut self, host: Host) {
        self.host = Some(host);
    }

    /// Takes the process out, to end in a way of its own.
    pub fn take_host(&mut self) -> (Host, Option<TcpStream>) {
        (self.host.take().expect("a process"), self.under_way.take())
    }

    /// A new process in place of the one that idles: the host starts one whenever it likes.
    pub async fn restart(&mut self) {
        self.host.take().expect("a process to replace").kill();
        self.host().await;
    }

    /// Fires the timer until a run is not refused because another one holds the lock, which a killed process does for
    /// up to a minute.
    pub async fn tick_once_free(&mut self) -> Answered {
        loop {
            let answered = self.tick().await;
            if answered.status != 200 || !answered.logs().concat().contains("Another run is under way") {
                return answered;
            }
            self.runs -= 1;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Ids of the label events that were published and did not arrive; the first thousand.
    pub fn missing(&self) -> Vec<String> {
        self.world.simulator.report().missing_ids
    }

    /// The dead letters.
    pub async fn letters(&self) -> Vec<DeadLetter> {
        let store = self.world.store();
        let mut letters = Vec::new();
        for entry in store.list(&dead_letter::prefix(&self.world.simulator.tenant().id)).await.unwrap() {
            let (letter, _) = store.get(&entry.key).await.unwrap().unwrap();
            letters.push(serde_json::from_slice(&letter).unwrap());
        }
        letters
    }

    /// A report in short, and the last lines of the process.
    fn told(&self, report: &Report) -> String {
        format!(
            "published {}, arrived {}, missing {}, unexpected {}, doubled without an excuse {}; surplus rows {}, excused \
             {}\n{:?}\n{}",
            report.published,
            report.arrived,
            report.missing,
            report.unexpected,
            report.doubled_unexcused,
            report.surplus_rows,
            report.surplus_rows_excused,
            report.totals,
            self.last_lines()
        )
    }

    /// Without faults from now on: runs until all that was published has arrived, and once more, when nothing may be
    /// sent. Then asserts what must hold.
    pub async fn judge(mut self) -> Verdict {
        self.clear_faults();
        assert!(self.struck > 0, "the fault did not strike");
        let mut last = self.tick_once_free().await;
        let most = self.runs + MOST_RUNS;
        while (self.missing().len() > self.buried.len() || last.status != 200) && self.runs < most {
            last = self.tick_once_free().await;
        }
        assert_eq!(last.status, 200, "the run after the faults: {last:?}");
        let arrived = self.world.simulator.report();
        self.tick_answering(200).await;
        let report = self.world.simulator.report();
        let (posts, before) = (report.totals.posts, arrived.totals.posts);
        assert_eq!(posts, before, "a run with nothing to do sent something");

        assert!(report.published > 0, "nothing was published");
        assert_eq!((report.unexpected, report.doubled_unexcused), (0, 0), "{}", self.told(&report));
        assert_eq!(report.surplus_rows, report.surplus_rows_excused, "{}", self.told(&report));
        match self.doubles {
            Doubles::Unanswered => assert_eq!(report.surplus_rows, report.totals.rows_unanswered, "as not answered"),
            Doubles::Excused => {}
            Doubles::Exactly(rows) => assert_eq!(report.surplus_rows, rows, "as was remembered"),
        }
        let totals = &report.totals;
        let none = std::collections::BTreeMap::new();
        assert_eq!(totals.dropped_fields, none, "the stream does not declare these");
        assert_eq!(totals.mistyped_fields, none, "the stream declares these otherwise");
        assert_eq!(totals.cut_fields, none, "the service cut these");

        if self.kills == 0 && totals.rows_unanswered == 0 {
            assert_eq!(totals.rows_without_id, totals.published_without_id, "each arrives once");
        }

        let letters = self.letters().await;
        let reasons: Vec<_> = letters.iter().map(|letter| (letter.kind, &letter.reason)).collect();
        assert_eq!(letters.len(), self.dead_letters, "dead letters: {reasons:?}");
        self.buried.sort_unstable();
        assert_eq!(self.missing(), self.buried, "what did not arrive, and what must lie in the dead letters");
        let bodies: Vec<_> = letters.iter().filter_map(|letter| letter.body.as_deref()).collect();
        for id in &self.buried {
            assert!(bodies.iter().any(|body| body.contains(id)), "{id} is in no dead letter");
        }
        Verdict {
            struck: self.struck,
            report,
            runs: self.runs,
            kills: self.kills,
            dead_letters: letters.len(),
            buried: self.buried.len(),
            time: self.begun.elapsed(),
        }
    }
}
