//! The queue dispatcher of the Functions host: it takes messages from a queue and posts each to a handler process of its
//! own, by the rules that were seen on a host with a queue trigger.
//!
//! ```ignore
//! let queue = Queue::named("labelstream-work");
//! queue.create().await.unwrap();
//! let rules = Rules::read(Path::new("fleet/host.json"), 1).unwrap();
//! let start = move || Host::start_in(root, Command::new(BINARY), &settings);
//! let host = Dispatcher::start(rules, Trigger::new("FleetPull", "work", "labelstream-work"), start);
//! host.tick("FleetTimer").await.unwrap();
//! host.drained().await;
//! assert!(host.tries().iter().all(|one| one.fate == Fate::Deleted));
//! ```
//!
//! - `rules`: host.json, and what follows from it; `invocation`: the request. Neither does any I/O.
//! - `handler`: the process; `exchange`: one request and its answer.
//! - `listener`: takes messages and sees to what becomes of each.
//!
//! Several dispatchers may serve one queue, as several hosts do.

mod exchange;
mod handler;
mod invocation;
mod listener;
mod rules;

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{task::JoinHandle, time::timeout};

#[allow(unused_imports, reason = "whoever writes a handler of its own names how it ended")]
pub use handler::End;
pub use handler::{Process, Standing};
pub use invocation::Invocation;
use listener::Listener;
pub use rules::{Fate, Rules};

use crate::{
    azurite::ACCOUNT,
    host::request,
    oracle::{Verdict, judge},
    wire::Reply,
};

/// How long a host that is told to end waits for what is under way.
const DRAIN: Duration = Duration::from_secs(10);

/// Between two looks at what a test waits for.
const LOOK: Duration = Duration::from_millis(5);

/// The function of a queue trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    pub function: String,
    /// Name of the binding in its function.json.
    pub binding: String,
    /// Of the storage emulator.
    pub account: String,
    pub queue: String,
}

impl Trigger {
    /// A trigger on a queue of the emulator's first account.
    pub fn new(function: &str, binding: &str, queue: &str) -> Self {
        let [function, binding, account, queue] = [function, binding, ACCOUNT, queue].map(str::to_owned);
        Self { function, binding, account, queue }
    }

    /// The same on a queue of another account.
    #[allow(dead_code, reason = "the tests of the dispatcher have queues of other names")]
    pub fn in_account(self, account: &str) -> Self {
        Self { account: account.to_owned(), ..self }
    }
}

/// One try of a message.
#[derive(Debug, Clone)]
pub struct Try {
    pub message_id: String,
    /// As the function gets it; as it lies in the queue where it could not be decoded.
    pub text: String,
    pub dequeue_count: i64,
    pub how: How,
    pub fate: Fate,
    pub begun: Instant,
    pub ended: Instant,
}

impl Try {
    /// A member of the message, which is JSON.
    pub fn member(&self, name: &str) -> Value {
        serde_json::from_str::<Value>(&self.text).map_or(Value::Null, |message| message[name].clone())
    }
}

/// What happens to a message.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    /// The message with this text was taken, so often by now.
    #[allow(dead_code, reason = "the suites that count messages read it")]
    Taken(&'a str, i64),
    /// The try ended.
    #[allow(dead_code, reason = "the suites that count messages read it")]
    Ended(&'a Try),
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The function succeeded.
    Succeeded,
    /// It was answered otherwise: with this status.
    Refused(u16),
    /// The connection was refused, or ended without an answer.
    Broken,
    /// The process was ended while it was under way.
    Killed,
    /// It took longer than the function may.
    TimedOut,
    /// The function was not called: the text could not be decoded.
    Undecodable,
    /// The function was not called: hosts that died had used up the tries.
    UsedUp,
    /// The host ended while it was under way.
    HostGone,
}

/// A host with one queue trigger. Dropping it ends it as SIGKILL would.
pub struct Dispatcher<P> {
    listener: Arc<Listener<P>>,
    polling: JoinHandle<()>,
}

impl<P: Process> Dispatcher<P> {
    /// Starts a host, whose process `start` makes, and makes again each time that it ended. It may block.
    pub fn start(rules: Rules, trigger: Trigger, start: impl Fn() -> P + Send + Sync + 'static) -> Self {
        Self::observed(rules, trigger, start, |_| ())
    }

    /// The same; `observe` is told of each try before it begins, and when its end is known, before its message is touched
    /// again.
    pub fn observed(
        rules: Rules,
        trigger: Trigger,
        start: impl Fn() -> P + Send + Sync + 'static,
        observe: impl Fn(Seen<'_>) + Send + Sync + 'static,
    ) -> Self {
        let listener = Arc::new(Listener::new(rules, trigger, Arc::new(start), Box::new(observe)));
        let polling = tokio::spawn(Arc::clone(&listener).poll());
        Self { listener, polling }
    }

    /// The tries that ended, in that order.
    pub fn tries(&self) -> Vec<Try> {
        self.listener.tries()
    }

    /// The texts of the messages that are under way.
    pub fn under_way(&self) -> Vec<String> {
        self.listener.under_way()
    }

    /// What the queue refused.
    pub fn queue_errors(&self) -> Vec<String> {
        self.listener.queue_errors()
    }

    /// Looks at the process; `None` while none runs.
    pub fn handler<R>(&self, look: impl FnOnce(&mut P) -> R) -> Option<R> {
        self.listener.handler.look(look)
    }

    /// How the process stands.
    pub fn standing(&self) -> Standing {
        *self.listener.handler.standing().borrow()
    }

    /// Kills the process from outside, as the kernel does where memory runs out. It counts as a crash.
    pub fn kill_handler(&self) {
        self.handler(P::kill);
    }

    /// Waits until the queue is empty and nothing is under way. Messages that come again are waited for.
    pub async fn drained(&self) {
        while !self.under_way().is_empty() || self.listener.queue.count().await > 0 {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Fires a function with a timer trigger, and puts what it answers for an output binding named as the trigger's into the
    /// queue: an array of strings, the one form that a host brings there as it is.
    ///
    /// # Errors
    /// The process ended before it answered: the host fires again at the next time of the schedule.
    ///
    /// # Panics
    /// Nothing runs, or the output is no array of strings.
    pub async fn tick(&self, function: &str) -> io::Result<Reply> {
        // Its body says nothing of the function but in `sys.MethodName`, which nobody reads.
        let fired = String::from_utf8(request("timer-later.http")).expect("text");
        let fired = fired.replacen("POST /TimerPull ", &format!("POST /{function} "), 1);
        let reply = self.send(fired.as_bytes()).await?;
        if let Verdict::Succeeded(_) = judge(&reply) {
            match &reply.json()["Outputs"][&self.listener.trigger.binding] {
                Value::Null => {}
                Value::Array(messages) => {
                    for message in messages {
                        let text = message.as_str().expect("a string");
                        self.listener.queue.put(text).await.expect("room in the queue");
                    }
                }
                other => panic!("a host would not bring this to the queue as it is: {other}"),
            }
        }
        Ok(reply)
    }

    /// Sends a request to the process, once it listens.
    ///
    /// # Errors
    /// The process ended before it answered.
    ///
    /// # Panics
    /// The host is going down.
    pub async fn send(&self, request: &[u8]) -> io::Result<Reply> {
        let mut standing = self.listener.handler.standing();
        let running = standing.wait_for(|standing| *standing != Standing::Starting).await;
        let Standing::Running(_, address) = *running.expect("a handler") else { panic!("the host has no handler") };
        exchange::exchange(address, request).await
    }

    /// Ends the host as SIGTERM does: it takes no more, waits ten seconds for what is under way, and leaves the rest.
    pub async fn stop(self) {
        self.polling.abort();
        let idle = async {
            while !self.under_way().is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        };
        drop(timeout(DRAIN, idle).await);
        self.vanish().await;
    }

    /// Ends the host and its process as SIGKILL does: what is under way stays hidden until its lock is over.
    pub async fn vanish(self) {
        self.polling.abort();
        self.listener.leave();
        self.listener.handler.ended().await;
    }
}

impl<P> Drop for Dispatcher<P> {
    fn drop(&mut self) {
        self.polling.abort();
        self.listener.leave();
    }
}
