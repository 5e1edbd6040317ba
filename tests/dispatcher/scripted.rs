//! A handler in the test that does as it is told, and a host with it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::{
    azurite::Azurite,
    dispatcher::{Dispatcher, End, Process, Rules, Trigger, Try},
    queue::Queue,
    wire::soon,
};

/// What a handler does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Answers JSON with this status and body.
    Answer(u16, &'static str),
    /// Answers this body with this content type.
    Typed(&'static str, &'static str),
    /// Answers nothing for as long as it runs.
    Hang,
    /// Waits for [`Script::release`].
    Wait,
    /// Closes the connection.
    Drop,
    /// The process ends in this way.
    End(End),
}

pub const DONE: Act = Act::Answer(200, r#"{"Outputs":{},"Logs":[],"ReturnValue":null}"#);

type Decide = Box<dyn Fn(u32, &str) -> Act + Send + Sync>;

/// What all starts of a handler do, and what they were asked.
pub struct Script {
    act: Decide,
    asked: Mutex<Vec<String>>,
    starts: AtomicU32,
    at_once: Mutex<(usize, usize)>,
    permits: tokio::sync::Semaphore,
}

impl Script {
    /// `act` is told the number of the start and the request.
    pub fn new(act: impl Fn(u32, &str) -> Act + Send + Sync + 'static) -> Arc<Self> {
        let permits = tokio::sync::Semaphore::new(0);
        let (asked, starts, at_once) = (Mutex::default(), AtomicU32::new(0), Mutex::default());
        Arc::new(Self { act: Box::new(act), asked, starts, at_once, permits })
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits for so many requests.
    pub async fn wait_for(&self, requests: usize) {
        soon(until(|| self.asked().len() >= requests)).await;
    }

    /// How often a process was started.
    pub fn starts(&self) -> u32 {
        self.starts.load(Ordering::SeqCst)
    }

    /// Most requests that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.at_once.lock().unwrap().1
    }

    /// Lets so many of those that wait be answered.
    pub fn release(&self, requests: usize) {
        self.permits.add_permits(requests);
    }

    /// A process, to be made within a runtime.
    pub fn start(self: &Arc<Self>) -> Scripted {
        let start = self.starts.fetch_add(1, Ordering::SeqCst) + 1;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let ended = Arc::default();
        let serving = tokio::spawn(serve(listener, start, Arc::clone(self), Arc::clone(&ended)));
        Scripted { address, ended, serving }
    }

    async fn answer(&self, stream: &mut TcpStream, start: u32, ended: &Mutex<Option<End>>) {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n0\r\n\r\n") {
            if stream.read_buf(&mut request).await.unwrap() == 0 {
                return;
            }
        }
        let request = String::from_utf8(request).unwrap();
        let act = (self.act)(start, &request);
        self.asked.lock().unwrap().push(request);
        let (media_type, (status, body)) = match act {
            Act::Answer(status, body) => ("application/json", (status, body)),
            Act::Typed(media_type, body) => (media_type, (200, body)),
            Act::Wait => {
                self.permits.acquire().await.unwrap().forget();
                ("application/json", (200, "{}"))
            }
            Act::Hang => return std::future::pending().await,
            Act::Drop => return,
            Act::End(end) => {
                *ended.lock().unwrap() = Some(end);
                return std::future::pending().await;
            }
        };
        let answer = format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

async fn serve(listener: std::net::TcpListener, start: u32, script: Arc<Script>, ended: Arc<Mutex<Option<End>>>) {
    let listener = TcpListener::from_std(listener).unwrap();
    let mut connections = JoinSet::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (script, ended) = (Arc::clone(&script), Arc::clone(&ended));
        connections.spawn(async move {
            let count = |change: isize| {
                let mut at_once = script.at_once.lock().unwrap();
                at_once.0 = at_once.0.checked_add_signed(change).unwrap();
                at_once.1 = at_once.1.max(at_once.0);
            };
            count(1);
            script.answer(&mut stream, start, &ended).await;
            count(-1);
        });
    }
}

/// A process of a script.
pub struct Scripted {
    address: SocketAddr,
    ended: Arc<Mutex<Option<End>>>,
    serving: JoinHandle<()>,
}

impl Process for Scripted {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn end(&mut self) -> Option<End> {
        *self.ended.lock().unwrap()
    }

    fn kill(&mut self) {
        self.serving.abort();
        self.ended.lock().unwrap().get_or_insert(End::Crashed);
    }
}

/// A queue of the test's own.
pub async fn queue() -> Queue {
    static QUEUES: AtomicU32 = AtomicU32::new(0);
    let started = tokio::task::spawn_blocking(Azurite::shared).await;
    let name = format!("work-{}-{}", started.unwrap().port(), QUEUES.fetch_add(1, Ordering::SeqCst));
    let queue = Queue::named(&name);
    queue.create().await.unwrap();
    queue
}

/// The host's defaults on one core, with short pauses.
pub fn quick() -> Rules {
    Rules {
        min_polling_interval: Duration::from_millis(10),
        max_polling_interval: Duration::from_millis(50),
        ..Rules::default_on(1)
    }
}

/// A host of this queue.
pub fn host(rules: Rules, queue: &Queue, script: &Arc<Script>) -> Dispatcher<Scripted> {
    let script = Arc::clone(script);
    Dispatcher::start(rules, Trigger::new("FleetPull", "work", queue.name()), move || script.start())
}

/// Waits for so many tries to end.
pub async fn tries(host: &Dispatcher<Scripted>, count: usize) -> Vec<Try> {
    soon(until(|| host.tries().len() >= count)).await;
    host.tries()
}

/// Waits until it holds.
pub async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
