//! The routes of all endpoints, and what happens to each request before it gets there.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{ConnectInfo, Request},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use bytes::Bytes;
use time::OffsetDateTime;
use tokio::time::sleep;

use crate::{
    answer::Refusal,
    control,
    faults::{Effect, http_date},
    feed, graph, identity, ingestion, query,
    requests::Endpoint,
    shared::Shared,
    strike::strike,
    wire::Wire,
};

/// The routes. An outer layer tells them by an extension which tenant a request is for.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/msi/token", get(identity::managed_identity))
        .route("/{tenant}/oauth2/v2.0/token", post(identity::login))
        .route("/api/{version}/{tenant}/activity/feed/{*operation}", any(feed::feed))
        .route("/v1.0/security/dataSecurityAndGovernance/sensitivityLabels", get(graph::labels))
        .route("/dataCollectionRules/{rule}/streams/{stream}", post(ingestion::ingest))
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(middleware::from_fn(watch))
        .merge(control::router())
}

/// Counts a request, and lets the faults that are due strike it.
async fn watch(
    Extension(shared): Extension<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Response {
    let now = OffsetDateTime::now_utc();
    let endpoint = Endpoint::of(request.method(), request.uri().path());
    let target = query::decode(&request.uri().to_string());
    let publisher = query::value(request.uri().query().unwrap_or_default(), "PublisherIdentifier");
    let in_minute = shared.requests().count(endpoint, now, publisher.is_some_and(|id| !id.is_empty()));
    if wire.is_fresh() {
        shared.requests().connected();
    }
    let _posting = (endpoint == Endpoint::Ingest).then(|| shared.post());
    let _under_way = shared.config.under_way.begin(endpoint);
    let asked = shared.faults().ask_for_bodies(endpoint);
    let (request, body) = if asked { ingestion::look_into(request).await } else { (request, Bytes::new()) };
    let effects = shared.faults().due(endpoint, &target, &body, now);
    if effects.contains(&Effect::RevokeTokens) {
        shared.revoke_tokens();
    }
    sleep(shared.config.latency).await;
    let response = if shared.config.feed_calls_per_minute.is_some_and(|most| in_minute > most) {
        let text = "Too many requests. Method=GetBlob, PublisherId=00000000-0000-0000-0000-000000000000";
        Refusal::new("AF429", text).into_response()
    } else {
        strike(effects, wire.clone(), request, next).await
    };
    if !wire.is_cut() {
        shared.requests().answered(endpoint, response.status().as_u16());
    }
    if endpoint.is_feed() || endpoint == Endpoint::Unknown { with_date(response, shared.now()) } else { response }
}

/// The answer with the feed's time as its `Date`.
fn with_date(mut response: Response, now: OffsetDateTime) -> Response {
    if let Ok(date) = HeaderValue::try_from(http_date(now)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
