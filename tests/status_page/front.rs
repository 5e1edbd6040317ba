//! The HTTP side of the Functions host: it asks the handler in its own form, and gives the caller what comes of it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use labelstream::{
    handler::{self, RunFailure, RunReport, Runner, STATUS_FUNCTION, Standing, Trigger},
    health::Health,
};
use serde_json::json;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_util::sync::CancellationToken;

use crate::{
    oracle::carry_out,
    wire::{Connection, request},
};

/// A host and a handler whose connector stands as it was told.
pub struct Front {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

#[derive(Clone)]
struct Shared {
    handler: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    /// A policy in the place of the handler's.
    policy: Option<&'static str>,
}

struct Stands(Health);

#[async_trait]
impl Runner for Stands {
    async fn run(&self, _: Trigger, _: CancellationToken) -> Result<RunReport, RunFailure> {
        Ok(RunReport::default())
    }

    async fn status(&self) -> Standing {
        self.0.clone().into()
    }
}

impl Front {
    /// Starts both, each on a port of its own. `policy` takes the place of the answer's own.
    pub fn start(health: Health, policy: Option<&'static str>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let address = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let handler = listener.local_addr().unwrap();
            tokio::spawn(handler::serve(listener, Arc::new(Stands(health)), CancellationToken::new()));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let app = Router::new().fallback(pass).with_state(Shared { handler, asked: Arc::clone(&asked), policy });
            tokio::spawn(async move { axum::serve(listener, app).await });
            address
        });
        Self { address, asked, _runtime: runtime }
    }

    /// Where a person would look, with a key.
    pub fn address(&self) -> String {
        format!("http://{}/api/status?code=function-key", self.address)
    }

    /// What was asked for, by path.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn pass(State(shared): State<Shared>, asked: Request) -> Response {
    shared.asked.lock().unwrap().push(asked.uri().path().to_owned());
    if asked.uri().path() != "/api/status" {
        return StatusCode::NOT_FOUND.into_response();
    }
    let accept = asked.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let caller = json!({"Url": format!("http://h{}", asked.uri()), "Method": asked.method().as_str(),
        "Query": {"code": "function-key"}, "Headers": {"Accept": [accept]}, "Params": {}});
    let body = json!({"Data": {"req": caller}, "Metadata": {}}).to_string();
    let mut connection = Connection::open(shared.handler).await;
    let reply = connection.ask(&request("POST", &format!("/{STATUS_FUNCTION}"), "status-page", body.as_bytes())).await;
    let mut caller = carry_out(&reply).unwrap();
    if let Some(policy) = shared.policy {
        caller.headers.insert("content-security-policy".to_owned(), policy.to_owned());
    }
    let mut response = Response::builder().status(caller.status);
    for (name, value) in &caller.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(caller.body)).unwrap()
}
