//! Control over HTTP, under `/_sim/`, for a simulator in a process of its own. Answers and bodies are JSON.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{answer, directory::Change, faults::Fault, publish::Order, query, server::Shared};

/// The routes:
/// `GET /_sim/report`, `GET /_sim/requests`, `GET /_sim/rows` (NDJSON), `GET|POST|DELETE /_sim/faults[?number=n]`,
/// `POST /_sim/publish`, `POST /_sim/labels`, `DELETE /_sim/tokens`.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sim/report", get(report))
        .route("/_sim/requests", get(requests))
        .route("/_sim/rows", get(rows))
        .route("/_sim/faults", get(faults).post(add_fault).delete(remove_faults))
        .route("/_sim/publish", post(publish))
        .route("/_sim/labels", post(change_label))
        .route("/_sim/tokens", delete(revoke_tokens))
}

fn reply(value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => answer::text(StatusCode::OK, text),
        Err(error) => answer::error(StatusCode::INTERNAL_SERVER_ERROR, "Reply", &error.to_string()),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn bad(message: &str) -> Response {
    answer::error(StatusCode::BAD_REQUEST, "Control", message)
}

async fn report(State(shared): State<Arc<Shared>>) -> Response {
    reply(&shared.report())
}

async fn requests(State(shared): State<Arc<Shared>>) -> Response {
    let tokens = shared.tokens().count();
    reply(&json!({"requests": &*shared.requests(), "tokens": tokens}))
}

async fn rows(State(shared): State<Arc<Shared>>) -> Response {
    let mut lines = String::new();
    for row in shared.ledger().rows() {
        lines.push_str(row.get());
        lines.push('\n');
    }
    lines.into_response()
}

async fn faults(State(shared): State<Arc<Shared>>) -> Response {
    reply(&shared.faults().active())
}

async fn add_fault(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let fault: Fault = match read(&body) {
        Ok(fault) => fault,
        Err(message) => return bad(&message),
    };
    match fault.check() {
        Ok(()) => reply(&json!({"number": shared.faults().add(fault)})),
        Err(message) => bad(&message),
    }
}

async fn remove_faults(State(shared): State<Arc<Shared>>, RawQuery(raw): RawQuery) -> Response {
    match raw.and_then(|raw| query::value(&raw, "number")) {
        None => {
            shared.faults().clear();
            StatusCode::NO_CONTENT.into_response()
        }
        Some(number) => match number.parse() {
            Ok(number) if shared.faults().remove(number) => StatusCode::NO_CONTENT.into_response(),
            _ => answer::error(StatusCode::NOT_FOUND, "Control", &format!("no fault has the number {number}")),
        },
    }
}

async fn publish(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let order: Order = match read(&body) {
        Ok(order) => order,
        Err(message) => return bad(&message),
    };
    match shared.publish(order) {
        Ok(published) => reply(&published),
        Err(id) => answer::error(StatusCode::NOT_FOUND, "Control", &format!("no content has the id {id}")),
    }
}

async fn change_label(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let change: Change = match read(&body) {
        Ok(change) => change,
        Err(message) => return bad(&message),
    };
    let mut directory = shared.directory();
    let (id, is_there) = match change {
        Change::Create { name, parent } => (directory.create(&name, parent.as_deref()), true),
        Change::Rename { id, name } => {
            let is_there = directory.rename(&id, &name);
            (id, is_there)
        }
        Change::Delete { id } => {
            let is_there = directory.delete(&id);
            (id, is_there)
        }
    };
    if is_there {
        reply(&json!({"id": id}))
    } else {
        answer::error(StatusCode::NOT_FOUND, "Control", &format!("no label has the id {id}"))
    }
}

async fn revoke_tokens(State(shared): State<Arc<Shared>>) -> Response {
    shared.tokens().revoke_all();
    StatusCode::NO_CONTENT.into_response()
}
