//! A handler process as its host has it: started, ticked, killed, frozen, told to end, and started again.

use std::{
    net::{Shutdown, TcpStream},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use labelstream_simulator::Sender;
use time::{OffsetDateTime, macros::format_description};
use tokio::task::JoinHandle;

use super::Stage;
use crate::{
    control::answer_of,
    host::{Host, is_end_of_run, request},
};

/// What a process may use of memory.
pub const MEMORY: u64 = 256 * 1024 * 1024;

/// Lines that are kept of each process, for whoever has to find out.
const KEPT_LINES: usize = 80;

/// A process and whoever ticks it.
pub struct Instance {
    seat: Arc<Seat>,
    driver: JoinHandle<()>,
}

/// Where one process after the other sits.
struct Seat {
    name: &'static str,
    stage: Arc<Stage>,
    current: Mutex<Option<Arc<Running>>>,
    past: Mutex<Vec<String>>,
    peak: AtomicU64,
    over: AtomicBool,
}

pub struct Running {
    host: Host,
    sender: Sender,
    /// Runs that were begun.
    begun: AtomicUsize,
    frozen: AtomicBool,
    killed: AtomicBool,
    /// Killed or told to end: it gets no more runs.
    left: AtomicBool,
    connection: Mutex<Option<TcpStream>>,
}

impl Running {
    fn is_under_way(&self) -> bool {
        self.begun.load(Ordering::SeqCst) > self.host.ended_runs()
    }

    /// How its last run ended, by what it wrote.
    fn last_end(&self) -> String {
        let lines = self.host.lines();
        lines.into_iter().rev().map(|(_, line)| line).find(|line| is_end_of_run(line)).unwrap_or_default()
    }
}

impl Instance {
    /// Starts one and ticks it.
    pub fn begin(name: &'static str, stage: Arc<Stage>, seed: u64) -> Self {
        let seat = Seat {
            name,
            stage,
            current: Mutex::default(),
            past: Mutex::default(),
            peak: AtomicU64::new(0),
            over: AtomicBool::new(false),
        };
        let seat = Arc::new(seat);
        let driver = tokio::spawn(drive(Arc::clone(&seat), fastrand::Rng::with_seed(seed)));
        Self { seat, driver }
    }

    /// Something happens to it.
    pub async fn suffer(&self, rng: &mut fastrand::Rng) {
        // Most while a run is under way: that is when it matters.
        let Some(running) = self.seat.current() else { return };
        if !running.is_under_way() && rng.u8(..4) > 0 {
            return;
        }
        match rng.u8(..40) {
            0..18 => self.seat.kill(rng).await,
            18..24 => self.seat.terminate().await,
            24..30 => self.seat.freeze(Duration::from_millis(rng.u64(200..8_000))).await,
            30 => self.seat.freeze(Duration::from_secs(rng.u64(62..75))).await,
            31..35 => self.seat.close_connection(),
            _ => self.seat.run_by_hand(rng),
        }
    }

    /// Ends a freeze.
    pub fn thaw(&self) {
        if let Some(running) = self.seat.current() {
            self.seat.thaw(&running);
        }
    }

    /// The most memory that any of its processes had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.seat.peak.load(Ordering::SeqCst)
    }

    /// The last lines of its processes.
    pub fn last_lines(&self) -> String {
        let mut lines = self.seat.past.lock().unwrap().clone();
        if let Some(running) = self.seat.current() {
            lines.extend(last_lines(&running.host));
        }
        format!("process {}:\n{}", self.seat.name, lines.join("\n"))
    }

    /// Ticks it no more.
    pub async fn end(self) {
        self.seat.over.store(true, Ordering::SeqCst);
        self.driver.await.unwrap();
    }
}

async fn drive(seat: Arc<Seat>, mut rng: fastrand::Rng) {
    while !seat.over.load(Ordering::SeqCst) {
        let running = match seat.current() {
            Some(running) => running,
            None => seat.start().await,
        };
        seat.run(&running, &request("timer-later.http")).await;
        drop(running);
        tokio::time::sleep(Duration::from_millis(rng.u64(200..2_500))).await;
    }
}

impl Seat {
    fn current(&self) -> Option<Arc<Running>> {
        self.current.lock().unwrap().clone()
    }

    async fn start(&self) -> Arc<Running> {
        let sender = self.stage.world.simulator.new_sender();
        let mut settings = self.stage.world.settings.clone();
        settings.retain(|(name, _)| name != "LOGS_DCR_RULE_ID");
        settings.push(("LOGS_DCR_RULE_ID".to_owned(), sender.rule().to_owned()));
        let host = tokio::task::spawn_blocking(move || Host::start_within(&settings, MEMORY)).await.unwrap();
        let running = Arc::new(Running {
            host,
            sender,
            begun: AtomicUsize::new(0),
            frozen: AtomicBool::new(false),
            killed: AtomicBool::new(false),
            left: AtomicBool::new(false),
            connection: Mutex::default(),
        });
        self.stage.started.lock().unwrap().push(Arc::downgrade(&running));
        *self.current.lock().unwrap() = Some(Arc::clone(&running));
        running
    }

    /// One run, and what it means to the ledger.
    async fn run(&self, running: &Arc<Running>, request: &[u8]) {
        let connection = {
            let _beginning = self.stage.beginning.lock().await;
            if is(&running.left) || is(&running.frozen) {
                return;
            }
            if has_ended(&running.host) {
                self.stage.tally.add("processes that ended by themselves");
                return self.leave(running);
            }
            running.begun.fetch_add(1, Ordering::SeqCst);
            let connection = running.host.begin(request);
            *running.connection.lock().unwrap() = connection.try_clone().ok();
            connection
        };
        let answer = tokio::task::spawn_blocking(move || answer_of(connection)).await.unwrap();
        while running.is_under_way() && !is(&running.killed) {
            if has_ended(&running.host) {
                // Told to end, it may not have looked at the request any more.
                if !is(&running.left) {
                    self.stage.tally.add("processes that ended by themselves");
                    self.leave(running);
                }
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if let Some(bytes) = running.host.peak_memory() {
            self.peak.fetch_max(bytes, Ordering::SeqCst);
        }
        let _beginning = self.stage.beginning.lock().await;
        if running.is_under_way() || is(&running.frozen) || is(&running.killed) {
            return;
        }
        let end = running.last_end();
        if matches!(&answer, Some((200, body)) if body.contains("Another run is under way")) {
            self.stage.tally.add("runs refused");
        } else if end.contains("the run failed") {
            self.stage.tally.add("runs failed");
            // What it could not save it knows, but the other process does not.
            if end.contains("state") || end.contains("lock") {
                self.stage.tally.add("runs failed by the storage or the lock");
                running.sender.could_not_save();
                // It could not give its lock back either; mostly the minute is over at once.
                if fastrand::u8(..4) > 0 && self.stage.nobody_runs() {
                    self.stage.world.break_lease().await;
                }
            } else {
                running.sender.saved();
            }
        } else {
            self.stage.tally.add("runs done");
            running.sender.saved();
        }
        running.sender.back();
    }

    /// SIGKILL. The other process may have to wait until the lock has run out; mostly its time is over at once.
    async fn kill(&self, rng: &mut fastrand::Rng) {
        let _beginning = self.stage.beginning.lock().await;
        let Some(running) = self.current() else { return };
        let under_way = running.is_under_way();
        running.killed.store(true, Ordering::SeqCst);
        running.host.signal("KILL");
        running.sender.gone();
        self.leave(&running);
        self.stage.tally.add(if under_way { "kills in a run" } else { "kills between runs" });
        // Only its own lock may be broken: nobody else may be under way.
        if under_way && rng.u8(..4) > 0 && self.stage.nobody_runs() {
            self.stage.world.break_lease().await;
        }
    }

    /// SIGTERM. It saves and ends by itself.
    async fn terminate(self: &Arc<Self>) {
        let _beginning = self.stage.beginning.lock().await;
        let Some(running) = self.current() else { return };
        if is(&running.frozen) {
            return;
        }
        self.stage.tally.add("terms");
        running.host.signal("TERM");
        self.leave(&running);
        let seat = Arc::clone(self);
        tokio::spawn(async move {
            let mut running = running;
            // Whoever waits for its answer lets go of it.
            let running = loop {
                match Arc::try_unwrap(running) {
                    Ok(alone) => break alone,
                    Err(shared) => running = shared,
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            let status = tokio::task::spawn_blocking(move || running.host.ended()).await.unwrap();
            seat.stage.tally.add(if status == Some(143) {
                "terms with status 143"
            } else {
                "terms with another status"
            });
        });
    }

    /// SIGSTOP, and SIGCONT after `time`.
    async fn freeze(self: &Arc<Self>, time: Duration) {
        let _beginning = self.stage.beginning.lock().await;
        let Some(running) = self.current() else { return };
        if running.frozen.swap(true, Ordering::SeqCst) {
            return;
        }
        running.host.signal("STOP");
        self.stage.tally.add(if time > Duration::from_secs(60) { "stops beyond the lock" } else { "stops" });
        if running.is_under_way() {
            running.sender.gone();
        }
        let seat = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            seat.thaw(&running);
        });
    }

    fn thaw(&self, running: &Running) {
        if is(&running.frozen) && !is(&running.killed) {
            running.host.signal("CONT");
        }
        running.frozen.store(false, Ordering::SeqCst);
    }

    /// The host goes away from a run.
    fn close_connection(&self) {
        let connection = self.current().and_then(|running| running.connection.lock().unwrap().take());
        if connection.is_some_and(|connection| connection.shutdown(Shutdown::Both).is_ok()) {
            self.stage.tally.add("connections closed");
        }
    }

    /// A run by hand, of what is new or of a range, beside whatever is under way.
    fn run_by_hand(self: &Arc<Self>, rng: &mut fastrand::Rng) {
        let Some(running) = self.current() else { return };
        let request = if rng.bool() { request("manual-empty.http") } else { range(rng.i64(1..40)) };
        self.stage.tally.add("runs by hand");
        let seat = Arc::clone(self);
        tokio::spawn(async move { seat.run(&running, &request).await });
    }

    /// The process leaves its seat; its last lines stay.
    fn leave(&self, running: &Arc<Running>) {
        running.left.store(true, Ordering::SeqCst);
        let mut past = self.past.lock().unwrap();
        past.extend(last_lines(&running.host));
        let old = past.len().saturating_sub(3 * KEPT_LINES);
        past.drain(..old);
        self.current.lock().unwrap().take_if(|current| Arc::ptr_eq(current, running));
    }
}

impl Stage {
    /// Whether no process has a run under way. No run begins as long as `beginning` is held.
    fn nobody_runs(&self) -> bool {
        let mut started = self.started.lock().unwrap();
        started.retain(|running| running.strong_count() > 0);
        !started.iter().filter_map(Weak::upgrade).any(|running| running.is_under_way() && !is(&running.killed))
    }
}

fn is(flag: &AtomicBool) -> bool {
    flag.load(Ordering::SeqCst)
}

/// The last lines of a process.
fn last_lines(host: &Host) -> Vec<String> {
    let lines = host.lines();
    let old = lines.len().saturating_sub(KEPT_LINES);
    lines.into_iter().skip(old).map(|(_, line)| line).collect()
}

/// Whether a process has ended and waits to be looked at.
fn has_ended(host: &Host) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", host.id())).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

/// The portal's request for a range that ends so many hours ago.
fn range(hours: i64) -> Vec<u8> {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let until = OffsetDateTime::now_utc() - time::Duration::hours(hours);
    let since = until - time::Duration::hours(24);
    let text = String::from_utf8(request("manual-range.http")).unwrap();
    let text = text.replace("2026-11-15T00:00:00Z", &since.format(form).unwrap());
    text.replace("2026-11-16T00:00:00Z", &until.format(form).unwrap()).into_bytes()
}
