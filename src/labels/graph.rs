//! The client of Microsoft Graph: asks for the labels, page by page.

use std::{error::Error as _, sync::Arc, time::Duration};

use reqwest::{Client, Response, StatusCode, header::HeaderMap};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::page::{Listed, Pages, text};
use crate::{
    identity::{IdentityError, Token, TokenSource},
    retry::{Backoff, Policy, retry_after},
};

/// Where Graph has the labels of a tenant (Microsoft Graph v1.0, "List sensitivityLabels").
const LABELS: &str = "v1.0/security/dataSecurityAndGovernance/sensitivityLabels";

/// The most that is read of all pages together. A label takes some 2 KB, and a tenant has some hundred at most.
const LARGEST: usize = 4 << 20;

/// The most pages that are read. Graph has shown all labels on one.
const PAGES: usize = 100;

/// How much of an error answer is read; Graph's are some hundred bytes.
const LARGEST_ERROR: usize = 16 << 10;

/// How much of what Graph says an error shows, in characters.
const EXCERPT: usize = 200;

/// How often and how fast one page is asked for again, as long as there is time.
const POLICY: Policy = Policy { tries: 4, first: Duration::from_millis(500), longest: Duration::from_secs(4) };

/// Why there are no labels.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GraphError {
    /// The identity gives out no token for Graph.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// 401 also with a new token, or 403.
    #[error("Microsoft Graph refuses them ({0})")]
    Refused(String),
    /// 429.
    #[error("Microsoft Graph asks for fewer requests ({said})")]
    Throttled {
        /// What it said.
        said: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// 5xx or 408.
    #[error("Microsoft Graph fails ({said})")]
    Failed {
        /// What it said.
        said: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// Another status, also a redirect: no token goes anywhere else.
    #[error("Microsoft Graph does not serve them here ({0})")]
    NotServed(String),
    /// There was no answer.
    #[error("Microsoft Graph could not be reached: {0}")]
    Unreachable(String),
    /// The answer ended in its middle.
    #[error("the answer of Microsoft Graph broke off: {0}")]
    BrokenOff(String),
    /// It took too long.
    #[error("Microsoft Graph gave no answer within {} s", .0.as_secs_f32())]
    TooLate(Duration),
    /// What it answered is no list of labels.
    #[error("the answer of Microsoft Graph is no list of labels: {0}")]
    Malformed(String),
    /// The next page lies elsewhere: no token was sent there.
    #[error("the next page that Microsoft Graph names is at {0}, and no token is sent there")]
    ForeignPage(String),
    /// It is larger than anything that is a list of labels.
    #[error("the answer of Microsoft Graph is larger than {LARGEST} bytes")]
    TooMuch,
    /// It lists nothing, which a tenant with label events cannot have.
    #[error("Microsoft Graph lists no label at all")]
    NoLabel,
}

impl GraphError {
    /// What to do about it.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Identity(_) => "`labelstream doctor` says what the identity lacks",
            Self::Refused(_) | Self::NoLabel => {
                "give the identity SensitivityLabel.Read with scripts/grant-feed-access and restart the app, or set LABELS \
                 to a map or off"
            }
            Self::NotServed(_) | Self::Malformed(_) | Self::TooMuch | Self::ForeignPage(_) => {
                "check GRAPH_ENDPOINT and M365_CLOUD; where the cloud has no such list, set LABELS to a map or off"
            }
            Self::Throttled { .. } | Self::Failed { .. } => "it is asked again by itself",
            Self::Unreachable(_) | Self::BrokenOff(_) | Self::TooLate(_) => {
                "it is asked again by itself; where that stays so, check GRAPH_ENDPOINT and whether this network may reach it"
            }
        }
    }

    /// What to wait before another try; `None` where none helps.
    fn pause(&self, backoff: &mut Backoff) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Failed { retry_after, .. } => {
                let pause = backoff.pause()?;
                Some(retry_after.unwrap_or(pause))
            }
            Self::Unreachable(_) | Self::BrokenOff(_) | Self::Malformed(_) => backoff.pause(),
            _ => None,
        }
    }
}

/// Asks Graph for the labels of one tenant.
#[derive(Debug)]
pub struct GraphClient {
    http: Client,
    labels: Url,
    tokens: Arc<dyn TokenSource>,
}

impl GraphClient {
    /// A client of Graph at `endpoint`, which must be https, or http on loopback. `http` must follow no redirect, and
    /// `tokens` must be for the cloud's Graph.
    #[must_use]
    pub fn new(http: Client, endpoint: &Url, tokens: Arc<dyn TokenSource>) -> Self {
        let mut labels = endpoint.clone();
        labels.set_path(&format!("{}/{LABELS}", endpoint.path().trim_end_matches('/')));
        Self { http, labels, tokens }
    }

    /// Every label of the tenant, within `limit`. What may pass is tried again as long as there is time.
    ///
    /// # Errors
    /// Why there are none. Where the time ran out, what failed last says more than that.
    pub async fn labels(&self, limit: Duration) -> Result<Listed, GraphError> {
        let mut last = None;
        let asked = timeout_at(Instant::now() + limit, self.every_page(limit, &mut last)).await;
        asked.unwrap_or_else(|_| Err(last.unwrap_or(GraphError::TooLate(limit))))
    }

    async fn every_page(&self, limit: Duration, last: &mut Option<GraphError>) -> Result<Listed, GraphError> {
        let until = Instant::now() + limit;
        let (mut pages, mut url, mut room) = (Pages::default(), self.labels.clone(), LARGEST);
        for _ in 0..PAGES {
            match self.page(&url, &mut pages, &mut room, until, last).await? {
                Some(next) => url = self.next(&next)?,
                None => {
                    let listed = pages.into_listed();
                    return match (listed.labels.is_empty(), listed.skipped) {
                        (false, _) => Ok(listed),
                        (true, 0) => Err(GraphError::NoLabel),
                        (true, skipped) => {
                            Err(GraphError::Malformed(format!("none of its {skipped} entries has an id and a name")))
                        }
                    };
                }
            }
        }
        Err(GraphError::Malformed(format!("it has more than {PAGES} pages")))
    }

    /// Takes one page, in as many tries as the time allows; the address of the next one.
    async fn page(
        &self,
        url: &Url,
        pages: &mut Pages,
        room: &mut usize,
        until: Instant,
        last: &mut Option<GraphError>,
    ) -> Result<Option<String>, GraphError> {
        let (mut backoff, mut token_renewed) = (Backoff::new(POLICY), false);
        loop {
            let token = self.tokens.token().await?;
            let error = match self.body(url, &token, *room).await {
                Ok(body) => match pages.take(&body) {
                    Ok(next) => {
                        *room -= body.len();
                        return Ok(next);
                    }
                    Err(reason) => GraphError::Malformed(token.hide(&reason)),
                },
                Err(Refusal { error, is_of_token: true }) if !token_renewed => {
                    self.tokens.refuse(&token);
                    (token_renewed, *last) = (true, Some(error));
                    continue;
                }
                Err(Refusal { error, .. }) => error,
            };
            let Some(pause) = error.pause(&mut backoff).filter(|pause| Instant::now() + *pause < until) else {
                return Err(error);
            };
            tracing::debug!(%error, pause_ms = pause.as_millis(), "Microsoft Graph is asked again");
            *last = Some(error);
            sleep(pause).await;
        }
    }

    /// One try: the whole body of a page.
    async fn body(&self, url: &Url, token: &Token, room: usize) -> Result<Vec<u8>, Refusal> {
        let sent = self.http.get(url.clone()).bearer_auth(token.secret()).send().await;
        let mut answer = sent.map_err(|error| GraphError::Unreachable(spelled_out(error)))?;
        let status = answer.status();
        let headers = std::mem::take(answer.headers_mut());
        if status == StatusCode::OK {
            let (body, end) = up_to(answer, room).await;
            return match end {
                End::Whole => Ok(body),
                End::Broken(reason) => Err(GraphError::BrokenOff(reason).into()),
                End::Limit => Err(GraphError::TooMuch.into()),
            };
        }
        let (body, _) = up_to(answer, LARGEST_ERROR).await;
        let said = said(status, &token.hide(&String::from_utf8_lossy(&body)));
        Err(Refusal { error: classified(status, &headers, said), is_of_token: status == StatusCode::UNAUTHORIZED })
    }

    /// The address of a next page, which must lie where the first one does: a token goes there.
    fn next(&self, text: &str) -> Result<Url, GraphError> {
        let foreign = |at: String| GraphError::ForeignPage(excerpt(&at));
        let url = Url::parse(text).map_err(|_| foreign("an address that is none".to_owned()))?;
        let is_own = url.origin() == self.labels.origin() && url.username().is_empty() && url.password().is_none();
        if is_own { Ok(url) } else { Err(foreign(url.origin().ascii_serialization())) }
    }
}

/// A try that failed.
struct Refusal {
    error: GraphError,
    is_of_token: bool,
}

impl From<GraphError> for Refusal {
    fn from(error: GraphError) -> Self {
        Self { error, is_of_token: false }
    }
}

fn classified(status: StatusCode, headers: &HeaderMap, said: String) -> GraphError {
    let retry_after = retry_after(headers, OffsetDateTime::now_utc());
    match status.as_u16() {
        401 | 403 => GraphError::Refused(said),
        429 => GraphError::Throttled { said, retry_after },
        408 | 500.. => GraphError::Failed { said, retry_after },
        _ => GraphError::NotServed(said),
    }
}

/// Status, code and message of an error answer, in one line. What is no JSON, such as a page of a proxy, says nothing.
fn said(status: StatusCode, body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let parts = [&body["error"]["code"], &body["error"]["message"]].map(text);
    let said = parts.into_iter().flatten().fold(format!("HTTP {}", status.as_u16()), |said, part| said + " " + &part);
    excerpt(&said)
}

/// One line of at most [`EXCERPT`] characters.
fn excerpt(text: &str) -> String {
    let is_space = |letter: char| letter.is_whitespace() || letter.is_control();
    let line = text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(EXCERPT).collect()
}

enum End {
    Whole,
    Limit,
    Broken(String),
}

/// The body up to `limit` bytes, unpacked, and how it ended there.
async fn up_to(mut answer: Response, limit: usize) -> (Vec<u8>, End) {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if chunk.len() <= limit - body.len() => body.extend_from_slice(&chunk),
            Ok(Some(chunk)) => {
                body.extend_from_slice(&chunk[..limit - body.len()]);
                return (body, End::Limit);
            }
            Ok(None) => return (body, End::Whole),
            Err(error) => return (body, End::Broken(spelled_out(error))),
        }
    }
}

/// An error with its causes, without the URL, whose query is nobody's business.
fn spelled_out(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
