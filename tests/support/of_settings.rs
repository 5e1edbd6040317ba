//! A connector inside this process, of the app settings that a simulator gives out.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use labelstream::{
    assembly,
    feed::{self, FeedClient},
    identity::{IdentityError, Token, TokenSource},
    ingestion::IngestionClient,
    labels::{GraphClient, Keeper},
    pull::{Connector, Sink},
    settings::{Needs, Settings},
    state::Store,
};

/// Tokens of the simulator's identity endpoint, asked as the SDK asks it. The SDK itself reads where it is from the
/// environment of the process, which a test cannot set.
#[derive(Debug)]
struct Tokens {
    http: reqwest::Client,
    url: String,
    header: String,
    /// Kept until it is refused, as the connector keeps its own.
    kept: Mutex<Option<Token>>,
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self) -> Result<Token, IdentityError> {
        if let Some(token) = self.kept.lock().unwrap().clone() {
            return Ok(token);
        }
        let failed = |reason: String| IdentityError { audience: self.url.clone(), reason };
        let asked = self.http.get(&self.url).header("x-identity-header", &self.header).send().await;
        let answer = asked.map_err(|error| failed(error.to_string()))?.bytes().await;
        let answer: serde_json::Value =
            serde_json::from_slice(&answer.map_err(|error| failed(error.to_string()))?).unwrap();
        let token = Token::new(answer["access_token"].as_str().ok_or_else(|| failed(answer.to_string()))?, 0);
        *self.kept.lock().unwrap() = Some(token.clone());
        Ok(token)
    }

    fn refuse(&self, _: &Token) {
        *self.kept.lock().unwrap() = None;
    }
}

/// A connector as the settings `value` make it, over `http` and with its state in `store`.
pub fn connector(value: &dyn Fn(&str) -> Option<String>, http: &reqwest::Client, store: Arc<dyn Store>) -> Connector {
    let settings = Settings::read(value, Needs { ingestion: true, storage: false }).unwrap();
    let tokens = |scope: &str| {
        let url = format!(
            "{}?api-version=2019-08-01&resource={}",
            value("IDENTITY_ENDPOINT").unwrap(),
            scope.trim_end_matches("/.default")
        );
        let header = value("IDENTITY_HEADER").unwrap();
        Arc::new(Tokens { http: http.clone(), url, header, kept: Mutex::default() })
    };
    let ingestion = settings.ingestion.as_ref().unwrap();
    let sink = IngestionClient::new(
        http.clone(),
        ingestion.endpoint.clone(),
        &ingestion.rule_id,
        &ingestion.stream_name,
        tokens(&ingestion.scope),
    );
    let mut connector = assembly::connector_with(&settings, store, Sink::Ingestion(sink.unwrap())).unwrap();
    let (base, tenant) = (&settings.feed.management_endpoint, &settings.feed.tenant_id);
    let budget = Arc::new(feed::Budget::new(feed::Limits::SERVICE));
    let graph = GraphClient::new(http.clone(), &settings.labels.graph_endpoint, tokens(&settings.labels.graph_scope));
    let tokens = tokens(&settings.feed.management_scope);
    connector.feed = FeedClient::new(http.clone(), base, tenant, tenant, tokens, budget).unwrap();
    connector.labels = Keeper::of_graph(graph);
    connector
}
