//! Asking for the tokens of a run ahead of their use, so that none of its first requests waits for one.

use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::Instrument;

use super::{
    connector::{Connector, Request},
    sink::Sink,
};

/// Asks for the tokens that the run will need, those that are at hand as well: that costs nothing. Whoever needs one in
/// the meantime waits for the same answer, and tells where it cannot be had. What is not answered when this is dropped is
/// given up.
pub fn ahead(connector: &Connector, request: &Request) -> JoinSet<()> {
    // A replay lists nothing, and may have no content to fetch.
    let of_feed = request.letters.is_none().then(|| connector.feed.tokens());
    let of_sink = match &connector.sink {
        Sink::Ingestion(client) => Some(client.tokens()),
        Sink::Lines(_) | Sink::Nowhere => None,
    };
    let mut ahead = JoinSet::new();
    for tokens in [of_feed, of_sink].into_iter().flatten().map(Arc::clone) {
        let ask = async move {
            if let Err(error) = tokens.token().await {
                tracing::debug!(%error, "a token that was asked for ahead of its use cannot be had");
            }
        };
        ahead.spawn(ask.in_current_span());
    }
    ahead
}
