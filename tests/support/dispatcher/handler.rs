//! The handler process under a host: started, watched, restarted, and killed.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::watch, task::spawn_blocking};

use crate::host::Host;

/// How often the host looks whether the process still runs.
const LOOK: Duration = Duration::from_millis(5);

/// A handler process.
pub trait Process: Send + 'static {
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// How it ended, where it did.
    fn end(&mut self) -> Option<End>;
    /// Ends it without a word, and waits for that. It may have ended already.
    fn kill(&mut self);
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With exit status 0: the host takes it for done, and does not start it again.
    Done,
    /// In any other way, which counts.
    Crashed,
}

impl Process for Host {
    fn address(&self) -> SocketAddr {
        Self::address(self)
    }

    fn end(&mut self) -> Option<End> {
        let status = self.process.try_wait().expect("its state");
        status.map(|status| if status.success() { End::Done } else { End::Crashed })
    }

    fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ended");
    }
}

/// How the process stands. Each start has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is being started.
    Starting,
    /// It listens.
    Running(u32, SocketAddr),
    /// It ended with 0, and calls are refused.
    Gone,
    /// It ended too often, or two calls timed out together: the host is going down.
    Down,
}

/// The one process of a host.
pub struct Handler<P> {
    process: Arc<Mutex<Option<P>>>,
    standing: watch::Sender<Standing>,
    orders: watch::Sender<Order>,
    over: watch::Sender<bool>,
}

/// What the host wants of the process. The last order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Run,
    /// The start of this number is to be killed and followed by another; that counts as no crash.
    Replace(u32),
    Down,
}

impl<P> Handler<P> {
    /// How it stands, now and later.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Looks at the process; `None` while none runs.
    pub fn look<R>(&self, look: impl FnOnce(&mut P) -> R) -> Option<R> {
        self.process.lock().expect("the process").as_mut().map(look)
    }

    /// What kills the start of this number, if it still runs, to make another.
    pub fn replacing(&self, number: u32) -> impl FnOnce() + Send + 'static {
        let orders = self.orders.clone();
        move || {
            // Going down is final.
            orders.send_if_modified(|order| {
                *order != Order::Down && {
                    *order = Order::Replace(number);
                    true
                }
            });
        }
    }

    /// Kills it for good.
    pub fn down(&self) {
        self.orders.send_replace(Order::Down);
        self.standing.send_replace(Standing::Down);
    }

    /// Waits until no process runs or will run.
    pub async fn ended(&self) {
        let mut over = self.over.subscribe();
        over.wait_for(|over| *over).await.expect("the handler holds the sender");
    }
}

impl<P: Process> Handler<P> {
    /// Starts a process, and another one whenever it ends, until so many ended by themselves.
    pub fn start(start: Arc<dyn Fn() -> P + Send + Sync>, crashes: u32) -> Self {
        let (standing, orders) = (watch::Sender::new(Standing::Starting), watch::Sender::new(Order::Run));
        let handler = Self { process: Arc::default(), standing, orders, over: watch::Sender::new(false) };
        let (process, standing) = (Arc::clone(&handler.process), handler.standing.clone());
        let (orders, over) = (handler.orders.subscribe(), handler.over.clone());
        tokio::spawn(async move {
            supervise(process, start, crashes, standing, orders).await;
            over.send_replace(true);
        });
        handler
    }
}

async fn supervise<P: Process>(
    place: Arc<Mutex<Option<P>>>,
    start: Arc<dyn Fn() -> P + Send + Sync>,
    crashes: u32,
    standing: watch::Sender<Standing>,
    mut orders: watch::Receiver<Order>,
) {
    let mut crashed = 0;
    for number in 1.. {
        let start = Arc::clone(&start);
        let mut process = spawn_blocking(move || start()).await.expect("the handler starts");
        if *orders.borrow_and_update() == Order::Down {
            return process.kill();
        }
        let running = Standing::Running(number, process.address());
        *place.lock().expect("the process") = Some(process);
        standing.send_replace(running);
        let end = loop {
            let end = place.lock().expect("the process").as_mut().and_then(Process::end);
            if let Some(end) = end {
                break Some(end);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                changed = orders.changed() => {
                    let order = if changed.is_ok() { *orders.borrow_and_update() } else { Order::Down };
                    if order == Order::Down || order == Order::Replace(number) {
                        break None;
                    }
                }
            }
        };
        if let Some(mut process) = place.lock().expect("the process").take() {
            process.kill();
        }
        crashed += u32::from(end == Some(End::Crashed));
        if *orders.borrow() == Order::Down || orders.has_changed().is_err() || crashed >= crashes {
            standing.send_replace(Standing::Down);
            return;
        }
        if end == Some(End::Done) {
            standing.send_replace(Standing::Gone);
            return;
        }
        standing.send_replace(Standing::Starting);
    }
}
