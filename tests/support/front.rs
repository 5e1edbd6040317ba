//! A front before the storage emulator: it notes each request, and answers chosen ones itself.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderName, StatusCode},
    response::{IntoResponse as _, Response},
};
use tokio::sync::watch;

/// A front on a port of its own. It ends with the test's runtime.
pub struct Front {
    port: u16,
    shared: Arc<Shared>,
}

/// Is told the method and target of a request, and its body.
type Note = dyn Fn(&str, &[u8]) + Send + Sync;

struct Shared {
    upstream: String,
    http: reqwest::Client,
    seen: Mutex<Vec<String>>,
    note: Box<Note>,
    /// What the requests that hold a text are answered: the status and code of a refusal.
    refused: Mutex<Option<(String, u16, &'static str)>>,
    /// The requests that hold this text wait.
    held: watch::Sender<Option<String>>,
}

impl Front {
    /// Stands before `upstream` of this machine.
    pub async fn before(upstream: u16) -> Self {
        Self::noting(upstream, |_, _| ()).await
    }

    /// The same; `note` is told the method and target of each request that went well, and its body, before its answer is
    /// passed on.
    pub async fn noting(upstream: u16, note: impl Fn(&str, &[u8]) + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            upstream: format!("http://127.0.0.1:{upstream}"),
            // The emulator closes connections that were idle for five seconds.
            http: reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(2)).build().unwrap(),
            seen: Mutex::default(),
            note: Box::new(note),
            refused: Mutex::default(),
            held: watch::Sender::default(),
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let app = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, shared }
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Refuses each request whose method and target hold `text`, with the service's own form of an error.
    pub fn refuse(&self, text: &str, status: u16, code: &'static str) {
        *self.shared.refused.lock().unwrap() = Some((text.to_owned(), status, code));
    }

    /// Holds back each request whose method and target hold `text`, or, with `None`, none any more.
    pub fn hold(&self, text: Option<&str>) {
        self.shared.held.send_replace(text.map(str::to_owned));
    }

    /// Passes everything on again.
    pub fn pass_all(&self) {
        *self.shared.refused.lock().unwrap() = None;
    }

    /// Each request since [`Front::take_seen`]: its method and target.
    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Each request since the last call: its method and target.
    pub fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.seen.lock().unwrap())
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    shared.seen.lock().unwrap().push(line.clone());
    let is_free = |held: &Option<String>| held.as_ref().is_none_or(|text| !line.contains(text));
    shared.held.subscribe().wait_for(is_free).await.unwrap();
    let refused = shared.refused.lock().unwrap().clone();
    if let Some((_, status, code)) = refused.filter(|(text, ..)| line.contains(text)) {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Refused.</Message></Error>");
        let headers = [("x-ms-error-code", code), ("content-type", "application/xml")];
        return (StatusCode::from_u16(status).unwrap(), headers, body).into_response();
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let url = format!("{}{}", shared.upstream, parts.uri);
    let mut headers = parts.headers;
    headers.remove("host");
    let Ok(answer) = shared.http.request(parts.method, url).headers(headers).body(body.clone()).send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    if answer.status().is_success() {
        (shared.note)(&line, &body);
    }
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if *name != HeaderName::from_static("transfer-encoding") && *name != HeaderName::from_static("connection") {
            response = response.header(name, value);
        }
    }
    response.body(Body::from(answer.bytes().await.unwrap_or_default())).unwrap()
}
