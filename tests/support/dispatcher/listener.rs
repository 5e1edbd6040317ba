//! Takes messages from the queue, has each handled, and sees to what becomes of it.

use std::{
    io::ErrorKind,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use time::OffsetDateTime;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    Fate, How, Invocation, Rules, Seen, Standing, Trigger, Try,
    exchange::exchange,
    handler::{Handler, Process},
};
use crate::{
    oracle::{Verdict, judge},
    queue::{Done, Message, Queue, decode},
};

type Observe = Box<dyn Fn(Seen<'_>) + Send + Sync>;

/// A queue trigger at work.
pub struct Listener<P> {
    rules: Rules,
    pub trigger: Trigger,
    pub queue: Queue,
    pub handler: Handler<P>,
    observe: Observe,
    tries: Mutex<Vec<Try>>,
    errors: Mutex<Vec<String>>,
    /// Number and text of what is under way.
    under_way: watch::Sender<Vec<(u64, String)>>,
    taken: AtomicU64,
    /// Whether the host is gone: it touches no message any more.
    gone: watch::Sender<bool>,
    /// The start of the process that is to be killed for a time-out.
    timed_out: Mutex<Option<u32>>,
}

impl<P> Listener<P> {
    pub fn tries(&self) -> Vec<Try> {
        self.tries.lock().expect("the tries").clone()
    }

    pub fn queue_errors(&self) -> Vec<String> {
        self.errors.lock().expect("the errors").clone()
    }

    pub fn under_way(&self) -> Vec<String> {
        self.under_way.borrow().iter().map(|(_, text)| text.clone()).collect()
    }

    /// The host is gone: what is under way stays as it is.
    pub fn leave(&self) {
        self.gone.send_replace(true);
        self.handler.down();
    }
}

impl<P: Process> Listener<P> {
    pub fn new(rules: Rules, trigger: Trigger, start: Arc<dyn Fn() -> P + Send + Sync>, observe: Observe) -> Self {
        Self {
            queue: Queue::of(&trigger.account, &trigger.queue),
            handler: Handler::start(start, rules.crashes),
            trigger,
            observe,
            tries: Mutex::default(),
            errors: Mutex::default(),
            under_way: watch::Sender::default(),
            taken: AtomicU64::new(0),
            gone: watch::Sender::new(false),
            timed_out: Mutex::default(),
            rules,
        }
    }

    /// Takes messages until the host goes down.
    pub async fn poll(self: Arc<Self>) {
        let (mut under_way, mut standing) = (self.under_way.subscribe(), self.handler.standing());
        let mut pause = None;
        loop {
            let has_room = |under_way: &Vec<_>| under_way.len() <= self.rules.new_batch_threshold as usize;
            tokio::select! {
                biased;
                () = until(&mut standing, |standing| *standing == Standing::Down) => return,
                () = until(&mut under_way, has_room) => {}
            }
            let taken = self.queue.take(self.rules.batch_size, seconds(self.rules.lock)).await;
            let messages = taken.unwrap_or_else(|error| {
                self.note(&error);
                Vec::new()
            });
            if messages.is_empty() {
                let next = self.rules.back_off(pause);
                pause = Some(next);
                tokio::select! {
                    () = sleep(next) => {}
                    () = until(&mut standing, |standing| *standing == Standing::Down) => return,
                }
                continue;
            }
            pause = None;
            for message in messages {
                let number = self.taken.fetch_add(1, Ordering::Relaxed);
                let decoded = if self.rules.base64 { decode(&message.raw) } else { Some(message.raw.clone()) };
                let text = decoded.clone().unwrap_or_else(|| message.raw.clone());
                (self.observe)(Seen::Taken(&text, message.dequeue_count));
                self.under_way.send_modify(|under_way| under_way.push((number, text)));
                let listener = Arc::clone(&self);
                tokio::spawn(async move {
                    listener.handle(message, decoded).await;
                    listener.under_way.send_modify(|under_way| under_way.retain(|(other, _)| *other != number));
                });
            }
        }
    }

    /// Has a message handled, and sees to what becomes of it.
    async fn handle(&self, message: Message, decoded: Option<String>) {
        let begun = Instant::now();
        let mut receipt = message.receipt.clone();
        let how = match &decoded {
            None => How::Undecodable,
            Some(_) if self.rules.is_used_up(message.dequeue_count) => How::UsedUp,
            Some(text) => self.called(&message, text, &mut receipt).await,
        };
        let fate = match how {
            How::HostGone => Fate::Left,
            How::Undecodable | How::UsedUp => Fate::Poison,
            _ => self.rules.fate(how == How::Succeeded, message.dequeue_count),
        };
        let (message_id, text) = (message.id.clone(), decoded.unwrap_or_else(|| message.raw.clone()));
        let dequeue_count = message.dequeue_count;
        let mut tried = Try { message_id, text, dequeue_count, how, fate, begun, ended: Instant::now() };
        (self.observe)(Seen::Ended(&tried));
        match self.see_to(&message, &receipt, fate).await {
            Ok(Done::Yes(())) => {}
            Ok(Done::TooLate) => tried.fate = Fate::TooLate,
            Err(error) => self.note(&error),
        }
        self.tries.lock().expect("the tries").push(tried);
    }

    async fn see_to(&self, message: &Message, receipt: &str, fate: Fate) -> azure_core::Result<Done> {
        match fate {
            Fate::Deleted => self.queue.delete(&message.id, receipt).await,
            Fate::Again => {
                let hidden = self.queue.hide(&message.id, receipt, seconds(self.rules.visibility_timeout)).await?;
                Ok(if hidden == Done::TooLate { Done::TooLate } else { Done::Yes(()) })
            }
            Fate::Poison => {
                let poison = self.queue.poison();
                poison.create().await?;
                poison.put_raw(&message.raw).await?;
                self.queue.delete(&message.id, receipt).await
            }
            Fate::Left | Fate::TooLate => Ok(Done::Yes(())),
        }
    }

    /// Calls the function, and renews the lock of the message meanwhile.
    async fn called(&self, message: &Message, text: &str, receipt: &mut String) -> How {
        let mut gone = self.gone.subscribe();
        let call = self.call(message, text);
        tokio::pin!(call);
        loop {
            tokio::select! {
                biased;
                () = until(&mut gone, |gone| *gone) => return How::HostGone,
                how = &mut call => return how,
                () = sleep(self.rules.lock / 2) => {
                    match self.queue.hide(&message.id, receipt, seconds(self.rules.lock)).await {
                        Ok(Done::Yes(renewed)) => *receipt = renewed,
                        // It is seen when the message is done with.
                        Ok(Done::TooLate) => {}
                        Err(error) => self.note(&error),
                    }
                }
            }
        }
    }

    /// Calls the function. Waiting for a process that is being started counts.
    async fn call(&self, message: &Message, text: &str) -> How {
        let mut standing = self.handler.standing();
        let mut start = None;
        let answer = async {
            loop {
                let ready = |standing: &Standing| *standing != Standing::Starting;
                let ready = standing.wait_for(ready).await.map(|standing| *standing);
                let Ok(Standing::Running(number, address)) = ready else { return How::Broken };
                start = Some(number);
                let request = self.invocation(message, text, address.to_string()).request();
                let ended = |standing: &Standing| *standing != Standing::Running(number, address);
                let answer = tokio::select! {
                    biased;
                    answer = exchange(address, &request) => answer,
                    () = until(&mut standing, ended) => return How::Killed,
                };
                match answer.map(|reply| (judge(&reply), reply.status)) {
                    Ok((Verdict::Succeeded(_), _)) => return How::Succeeded,
                    Ok((Verdict::Failed, status)) => return How::Refused(status),
                    Ok((Verdict::Hangs, _)) => {
                        until(&mut standing, ended).await;
                        return How::Killed;
                    }
                    // It ended a moment ago: the call is for the next one.
                    Err(error) if error.kind() == ErrorKind::ConnectionRefused => until(&mut standing, ended).await,
                    Err(_) => return How::Broken,
                }
            }
        };
        match timeout(self.rules.function_timeout, answer).await {
            Ok(how) => how,
            Err(_) => {
                if let Some(start) = start {
                    self.kill_for_time_out(start);
                }
                if *self.gone.borrow() { How::HostGone } else { How::TimedOut }
            }
        }
    }

    /// The process is killed after the grace, with all that is under way. A second time-out until then takes the host down.
    fn kill_for_time_out(&self, start: u32) {
        let mut timed_out = self.timed_out.lock().expect("the time-outs");
        if *timed_out == Some(start) {
            return self.leave();
        }
        *timed_out = Some(start);
        let (replace, grace) = (self.handler.replacing(start), self.rules.grace);
        tokio::spawn(async move {
            sleep(grace).await;
            replace();
        });
    }

    fn invocation(&self, message: &Message, text: &str, host: String) -> Invocation {
        let Trigger { function, binding, .. } = self.trigger.clone();
        let id = || uuid::Uuid::new_v4().to_string();
        Invocation {
            function,
            binding,
            host,
            invocation_id: id(),
            rand_guid: id(),
            now: OffsetDateTime::now_utc(),
            text: text.to_owned(),
            message_id: message.id.clone(),
            dequeue_count: message.dequeue_count,
            receipt: message.receipt.clone(),
            inserted: message.inserted,
            expires: message.expires,
            visible_again: message.visible_again,
        }
    }

    fn note(&self, error: &azure_core::Error) {
        self.errors.lock().expect("the errors").push(error.to_string());
    }
}

/// Waits until it holds. The listener has the senders of all that is waited for.
async fn until<T>(of: &mut watch::Receiver<T>, holds: impl FnMut(&T) -> bool) {
    drop(of.wait_for(holds).await);
}

/// A time as the queue counts it.
fn seconds(time: Duration) -> u32 {
    time.as_millis().div_ceil(1_000) as u32
}
