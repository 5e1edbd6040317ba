//! One POST to the Logs Ingestion API.

use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    Response,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue},
};
use tokio::time::Instant;
use url::{Host, Url};
use uuid::Uuid;

use super::{IngestionError, classify, gzip::Gzip};
use crate::identity::{IdentityError, Token, TokenSource};

/// How long one POST may take, from the first byte to the answer. A batch is some hundred kilobytes on the wire; a
/// longer wait would eat up the run, and a shorter one would send rows twice that were about to be accepted.
pub const POST_TIMEOUT: Duration = Duration::from_secs(30);

/// The version of the Logs Ingestion API that is generally available.
const API_VERSION: &str = "2023-01-01";

/// Shows up as `DCRLogErrors.ClientRequestId`.
const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";

/// Bytes of an error's body that are read; errors of the service are a few hundred bytes long.
const ERROR_BODY_LIMIT: usize = 8 * 1024;

/// Posts rows to one stream of one data collection rule.
pub struct IngestionClient {
    http: reqwest::Client,
    url: Url,
    tokens: Arc<dyn TokenSource>,
    /// Of the whole rule: its limits are not those of one stream.
    held_until: Arc<Mutex<Option<Instant>>>,
    gzip: Gzip,
}

impl IngestionClient {
    /// A client for the stream `stream` of the data collection rule with the immutable id `rule_id`, at the rule's
    /// logs ingestion endpoint or a data collection endpoint. `tokens` are for the audience of Azure Monitor.
    ///
    /// `http` must not follow redirects (`reqwest::redirect::Policy::none()`): a redirect is no answer of this API, and
    /// following it would send rows to a host that nobody named.
    ///
    /// # Errors
    /// [`IngestionError::Setting`] where a token would not be safe with `endpoint` (neither https nor http on
    /// loopback, or a password in the URL), or the URL cannot be built.
    pub fn new(
        http: reqwest::Client,
        endpoint: Url,
        rule_id: &str,
        stream: &str,
        tokens: Arc<dyn TokenSource>,
    ) -> Result<Self, IngestionError> {
        Ok(Self {
            http,
            url: post_url(endpoint, rule_id, stream)?,
            tokens,
            held_until: Arc::default(),
            gzip: Gzip::of_process(),
        })
    }

    /// A client for another stream of the same rule. A throttled rule holds both.
    #[must_use]
    pub fn for_stream(&self, stream: &str) -> Self {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            // A URL that was built here has a path, of which the stream is the end.
            path.pop().push(stream);
        }
        Self {
            http: self.http.clone(),
            url,
            tokens: Arc::clone(&self.tokens),
            held_until: Arc::clone(&self.held_until),
            gzip: self.gzip.clone(),
        }
    }

    /// The body of a POST of `array`, a JSON array of rows.
    pub(super) async fn pack(&self, array: Bytes) -> Result<Bytes, IngestionError> {
        self.gzip.pack(array).await
    }

    /// Posts `body`, a gzipped JSON array of rows. Every 2xx is success (204 as a rule).
    ///
    /// # Errors
    /// Every class of [`IngestionError`] but those of a whole delivery. The token of a 401 is not used again.
    pub(super) async fn post(&self, body: Bytes) -> Result<(), IngestionError> {
        let token = self.tokens.token().await?;
        let request = Uuid::new_v4();
        let bytes = body.len();
        let answer = self
            .http
            .post(self.url.clone())
            .header(AUTHORIZATION, bearer(&token, &self.url)?)
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_ENCODING, "gzip")
            .header(CLIENT_REQUEST_ID, request.to_string())
            .timeout(POST_TIMEOUT)
            .body(body)
            .send()
            .await
            .map_err(no_answer)?;
        let status = answer.status();
        tracing::debug!(%request, status = status.as_u16(), bytes, "posted rows");
        if status.is_success() {
            return Ok(());
        }
        let headers = answer.headers().clone();
        let error = classify(status, &headers, &beginning(answer).await, request, &token);
        if matches!(error, IngestionError::Unauthorized(_)) {
            self.tokens.refuse(&token);
        }
        Err(error)
    }

    /// Posts one row, or an empty array where there is none, once: who may not send is told so either way.
    ///
    /// # Errors
    /// As for a try of a batch.
    pub async fn probe(&self, row: Option<&str>) -> Result<(), IngestionError> {
        let array = format!("[{}]", row.unwrap_or_default());
        self.post(self.pack(array.into()).await?).await
    }

    /// The service throttles: nothing is to be posted through this client before `until`.
    pub(super) fn hold(&self, until: Instant) {
        let mut held = self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        *held = (*held).max(Some(until));
    }

    /// Until when nothing is to be posted, because the service throttles.
    pub(super) fn held_until(&self) -> Option<Instant> {
        *self.held_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for IngestionClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngestionClient").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

fn post_url(mut endpoint: Url, rule_id: &str, stream: &str) -> Result<Url, IngestionError> {
    const EXAMPLE: &str = "https://my-rule-abcd.westeurope-1.ingest.monitor.azure.com";
    let bad_endpoint = |what: &str| IngestionError::Setting {
        name: "DATA_COLLECTION_ENDPOINT",
        reason: format!("{what}; a good value is {EXAMPLE}"),
    };
    let is_loopback = match endpoint.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err(bad_endpoint("the URL has no host")),
    };
    if endpoint.scheme() != "https" && !(endpoint.scheme() == "http" && is_loopback) {
        return Err(bad_endpoint("the URL must begin with https://, so that the token is not sent in the clear"));
    }
    if !endpoint.username().is_empty() || endpoint.password().is_some() {
        return Err(bad_endpoint("the URL must not hold a user name or a password"));
    }
    for (name, value, example) in [
        ("LOGS_DCR_RULE_ID", rule_id, "dcr-00000000000000000000000000000000"),
        ("LOGS_DCR_STREAM_NAME", stream, "Custom-MicrosoftPurviewInformationProtection_CL"),
    ] {
        // A URL drops `.` and `..`, and the rest would be another address.
        if matches!(value, "" | "." | "..") {
            return Err(IngestionError::Setting {
                name,
                reason: format!("{value:?} cannot be used; a good value is {example}"),
            });
        }
    }
    endpoint.set_fragment(None);
    endpoint.path_segments_mut().map_err(|()| bad_endpoint("the URL has no path"))?.pop_if_empty().extend([
        "dataCollectionRules",
        rule_id,
        "streams",
        stream,
    ]);
    endpoint.set_query(None);
    endpoint.query_pairs_mut().append_pair("api-version", API_VERSION);
    Ok(endpoint)
}

fn bearer(token: &Token, url: &Url) -> Result<HeaderValue, IngestionError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.secret())).map_err(|_| IdentityError {
        audience: url.origin().ascii_serialization(),
        reason: "the token has characters that no header may hold".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The first bytes of an answer's body. The class of the answer goes by its status, so that a body that breaks off
/// costs only what it would have said.
async fn beginning(mut answer: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < ERROR_BODY_LIMIT {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk[..chunk.len().min(ERROR_BODY_LIMIT - body.len())]),
            Ok(None) => break,
            Err(error) => {
                body.extend_from_slice(format!(" (the answer broke off: {})", causes(&error.without_url())).as_bytes());
                break;
            }
        }
    }
    body
}

fn no_answer(error: reqwest::Error) -> IngestionError {
    let maybe_sent = !(error.is_connect() || error.is_builder());
    let error = error.without_url();
    let reason = if error.is_timeout() {
        format!("it took longer than {} s ({})", POST_TIMEOUT.as_secs(), causes(&error))
    } else {
        causes(&error)
    };
    IngestionError::Transport { reason, maybe_sent }
}

/// An error and what caused it, in one line.
fn causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "Custom-MicrosoftPurviewInformationProtection_CL";

    fn url(endpoint: &str, rule_id: &str, stream: &str) -> Result<String, String> {
        post_url(Url::parse(endpoint).unwrap(), rule_id, stream).map(String::from).map_err(|error| error.to_string())
    }

    #[test]
    fn the_url_names_rule_and_stream() {
        let whole = format!(
            "https://e.westeurope-1.ingest.monitor.azure.com/dataCollectionRules/dcr-1/streams/{STREAM}\
             ?api-version=2023-01-01"
        );
        for endpoint in ["", "/", "/?x=1#y"] {
            let endpoint = format!("https://e.westeurope-1.ingest.monitor.azure.com{endpoint}");
            assert_eq!(url(&endpoint, "dcr-1", STREAM).unwrap(), whole);
        }
        assert!(
            url("https://proxy/azure/", "d/c?r", STREAM)
                .unwrap()
                .starts_with("https://proxy/azure/dataCollectionRules/d%2Fc%3Fr/")
        );
    }

    #[test]
    fn tokens_go_over_tls_or_loopback() {
        for endpoint in ["https://host", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"] {
            assert!(url(endpoint, "dcr-1", STREAM).is_ok(), "{endpoint}");
        }
        for endpoint in
            ["http://host", "http://10.0.0.1", "http://localhost.example", "http://[::2]", "ftp://127.0.0.1", "data:x"]
        {
            assert!(
                url(endpoint, "dcr-1", STREAM).unwrap_err().starts_with("DATA_COLLECTION_ENDPOINT: "),
                "{endpoint}"
            );
        }
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_shown() {
        let error = url("https://me:hidden@host", "dcr-1", STREAM).unwrap_err();
        assert!(error.contains("password") && !error.contains("hidden"), "{error}");
    }

    #[test]
    fn names_that_a_url_would_drop_are_refused() {
        for name in ["", ".", ".."] {
            assert!(url("https://host", name, STREAM).unwrap_err().starts_with("LOGS_DCR_RULE_ID: "));
            assert!(url("https://host", "dcr-1", name).unwrap_err().starts_with("LOGS_DCR_STREAM_NAME: "));
        }
    }

    #[test]
    fn the_header_does_not_show_the_token() {
        let token = Token::new("hidden", 1);
        let shown = format!("{:?}", bearer(&token, &Url::parse("https://host").unwrap()).unwrap());
        assert!(!shown.contains("hidden"), "{shown}");
        let error = bearer(&Token::new("hid\nden", 1), &Url::parse("https://host").unwrap()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hid\n"), "{error:?}");
    }
}
