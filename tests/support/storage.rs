//! The storage service with faults: a proxy on loopback before the emulator, which refuses, loses answers, is slow, or
//! is away, as it is told.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::Response,
};
use labelstream_simulator::When;
use time::OffsetDateTime;
use tokio::net::TcpListener;

use crate::{
    azurite::{self, Azurite},
    gate::Gate,
};

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is answered with this status and error code and not carried out.
    Refused(u16, &'static str),
    /// It is carried out, and its answer is replaced with 503.
    AnswerLost,
    /// It is carried out after so many milliseconds.
    Slow(u64),
}

/// Which requests a trouble strikes.
#[derive(Debug, Clone)]
pub struct StorageFault {
    /// `None` fits all methods.
    pub method: Option<Method>,
    /// Text that path and query hold; `comp=appendblock` and `comp=lease` are some of the operations.
    pub matching: &'static str,
    pub when: When,
    pub trouble: Trouble,
}

#[derive(Debug)]
struct Active {
    number: u64,
    fault: StorageFault,
    rng: fastrand::Rng,
    seen: u64,
    struck: u64,
}

/// A proxy before an emulator. It ends with the test's runtime.
pub struct Storage {
    gate: Mutex<Gate>,
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    faults: Mutex<Vec<Active>>,
    numbers: AtomicU64,
    requests: Mutex<Vec<(Method, String)>>,
    client: reqwest::Client,
}

impl Storage {
    /// Stands before the emulator that all tests share.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let behind = listener.local_addr().unwrap().port();
        let client = reqwest::Client::builder().no_gzip().no_proxy().build().unwrap();
        let shared = Arc::new(Shared { client, ..Shared::default() });
        let app = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let gate = Gate::open(behind).await;
        Self { port: gate.port(), gate: Mutex::new(gate), shared }
    }

    /// As `AzureWebJobsStorage` holds it.
    pub fn connection_string(&self) -> String {
        azurite::connection_string(self.port, azurite::KEY)
    }

    /// Switches a fault on; its number.
    pub fn fault(&self, fault: StorageFault) -> u64 {
        let (rng, number) = (fault.when.rng(), self.shared.numbers.fetch_add(1, Ordering::Relaxed));
        self.shared.faults.lock().unwrap().push(Active { number, fault, rng, seen: 0, struck: 0 });
        number
    }

    /// Switches a fault off; how many requests it struck.
    pub fn end_fault(&self, number: u64) -> u64 {
        let mut faults = self.shared.faults.lock().unwrap();
        let at = faults.iter().position(|active| active.number == number);
        at.map_or(0, |at| faults.remove(at).struck)
    }

    /// The service is away: nothing is carried out.
    pub fn away(&self) {
        let trouble = Trouble::Refused(503, "ServerBusy");
        self.fault(StorageFault { method: None, matching: "", when: When::Always, trouble });
    }

    /// Nobody listens: connections end, and new ones are refused.
    pub fn shut(&self) {
        self.gate.lock().unwrap().shut();
    }

    /// Somebody listens again.
    pub fn open(&self) {
        self.gate.lock().unwrap().reopen();
    }

    /// How many requests the faults struck that are on.
    pub fn struck(&self) -> u64 {
        self.shared.faults.lock().unwrap().iter().map(|active| active.struck).sum()
    }

    /// Switches all faults off; how many requests they struck.
    pub fn clear_faults(&self) -> u64 {
        self.shared.faults.lock().unwrap().drain(..).map(|active| active.struck).sum()
    }

    /// How many requests there were with this method (`None` is any) whose path and query hold `text`.
    pub fn requests(&self, method: Option<&Method>, text: &str) -> usize {
        let requests = self.shared.requests.lock().unwrap();
        let fits =
            |(used, target): &&(Method, String)| method.is_none_or(|method| method == used) && target.contains(text);
        requests.iter().filter(fits).count()
    }
}

fn due(faults: &Mutex<Vec<Active>>, method: &Method, target: &str) -> Option<Trouble> {
    let now = OffsetDateTime::now_utc();
    let mut due = None;
    for active in faults.lock().unwrap().iter_mut() {
        let fault = &active.fault;
        if fault.method.as_ref().is_some_and(|wanted| wanted != method) || !target.contains(fault.matching) {
            continue;
        }
        active.seen += 1;
        if due.is_none() && fault.when.strikes(active.seen, &mut active.rng, now) {
            active.struck += 1;
            due = Some(fault.trouble);
        }
    }
    due
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let target = request.uri().to_string();
    let plain = target.replace("%2F", "/");
    let trouble = due(&shared.faults, request.method(), &plain);
    shared.requests.lock().unwrap().push((request.method().clone(), plain));
    match trouble {
        Some(Trouble::Refused(status, code)) => return refused(status, code),
        Some(Trouble::Slow(milliseconds)) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
        Some(Trouble::AnswerLost) | None => {}
    }
    let answer = forward(&shared.client, request, &target).await;
    if trouble == Some(Trouble::AnswerLost) { refused(503, "ServerBusy") } else { answer }
}

fn refused(status: u16, code: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>A simulated fault.</Message></Error>"
    );
    Response::builder()
        .status(status)
        .header("x-ms-error-code", code)
        .header(header::CONTENT_TYPE, "application/xml")
        .body(Body::from(body))
        .unwrap()
}

async fn forward(client: &reqwest::Client, request: Request, target: &str) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    let url = format!("http://127.0.0.1:{}{target}", Azurite::shared().port());
    match client.request(parts.method, url).headers(headers).body(body).send().await {
        Ok(answer) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            response.headers_mut().remove(header::TRANSFER_ENCODING);
            *response.body_mut() = Body::from(answer.bytes().await.unwrap_or_default());
            response
        }
        Err(_) => refused(StatusCode::BAD_GATEWAY.as_u16(), "Unreachable"),
    }
}
