//! The client: asks, waits and asks again as the pure parts of the feed decide.

use std::{env, sync::Arc, time::Duration};

use reqwest::{
    Client, Method, NoProxy, Proxy, Response,
    header::{CONTENT_LENGTH, HeaderMap},
    redirect,
};
use time::OffsetDateTime;
use tokio::time::{sleep, timeout};
use url::Url;

use super::{
    address::{Address, PageUri, Target},
    attempts::{Attempts, Next, Patience},
    body::{Body, End, spelled_out},
    budget::Budget,
    classify::{Answer, classify},
    error::{FeedError, FeedErrorKind, Operation},
    listing::{self, Page},
    subscription::Subscription,
    window::Window,
};
use crate::{
    content::{Content, ContentType},
    identity::{Token, TokenSource},
    retry::Policy,
};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept: less than the four minutes after which Azure's load balancers drop one
/// without a word.
const POOL_IDLE: Duration = Duration::from_secs(90);

/// How many idle connections to one host are kept: over HTTP/1.1, one for each content that a run by itself has under way,
/// so that each request finds one that an earlier one left. Each goes on holding what it read ahead, up to 400 KB.
const IDLE_AT_MOST: usize = 36;

/// The largest listing that is read, unpacked. A page of the service has some hundred entries of half a kilobyte;
/// what is far beyond that is not a listing.
const LARGEST_LISTING: usize = 32 << 20;

/// How much of an error answer is read.
const LARGEST_ERROR: usize = 64 << 10;

/// An HTTP client fit for [`FeedClient::new`]; one will do for many tenants. It follows no redirect (a token would
/// follow too), unpacks gzip, and takes `HTTPS_PROXY` and `NO_PROXY` from the environment. Plain HTTP, which is for
/// loopback alone, never takes a proxy.
///
/// # Errors
/// TLS cannot be set up on this machine, or the proxy's address is none.
pub fn http_client() -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(IDLE_AT_MOST)
        .gzip(true)
        .user_agent(concat!("labelstream/", env!("CARGO_PKG_VERSION")))
        .no_proxy();
    match env::var("HTTPS_PROXY").or_else(|_| env::var("https_proxy")) {
        Ok(proxy) if !proxy.is_empty() => builder.proxy(Proxy::https(proxy)?.no_proxy(NoProxy::from_env())),
        _ => builder,
    }
    .build()
}

/// The feed of one tenant. Calls wait for the shared [`Budget`] and are tried again as their [`Patience`] allows; all
/// of them may be dropped at any await.
#[derive(Debug)]
pub struct FeedClient {
    http: Client,
    address: Address,
    tokens: Arc<dyn TokenSource>,
    budget: Arc<Budget>,
    patience: Patience,
}

impl FeedClient {
    /// A client for the feed of `tenant` at `base` (`https://manage.office.com`), counted by the service under
    /// `publisher`. `http` is to come from [`http_client`], `tokens` must be for the cloud's management scope, and
    /// `budget` is the one of this tenant and publisher.
    ///
    /// # Errors
    /// `base` is neither https nor http on a loopback host.
    pub fn new(
        http: Client,
        base: &Url,
        tenant: &str,
        publisher: &str,
        tokens: Arc<dyn TokenSource>,
        budget: Arc<Budget>,
    ) -> Result<Self, FeedError> {
        let address = Address::new(base, tenant, publisher)
            .map_err(|reason| FeedError::new(FeedErrorKind::Misconfigured, &Operation::Subscriptions, reason))?;
        Ok(Self { http, address, tokens, budget, patience: Patience::SERVICE })
    }

    /// The same client with another patience.
    #[must_use]
    pub const fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// What hands out this client's tokens.
    #[must_use]
    pub const fn tokens(&self) -> &Arc<dyn TokenSource> {
        &self.tokens
    }

    /// The budget that this client's calls use, for its counters.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Lists the subscriptions of the tenant that this application has.
    ///
    /// # Errors
    /// The feed could not be asked, or answered with an error.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, FeedError> {
        let (operation, target) = (&Operation::Subscriptions, &self.address.operation("subscriptions/list", &[]));
        let (listed, skipped) = self
            .keep_up(&self.patience, operation, target, || {
                self.whole(operation, target, |_, body| listing::elements::<Subscription>(operation, body))
            })
            .await?;
        for reason in skipped {
            tracing::warn!(%reason, "A subscription in the feed's list could not be read.");
        }
        Ok(listed)
    }

    /// Starts the subscription of a content type. One that runs already (AF20024) is a success. Ask
    /// [`may_start`](super::subscription::may_start) first.
    ///
    /// # Errors
    /// The feed could not be asked, or answered with an error; [`FeedErrorKind::StartThrottled`] is not waited for.
    pub async fn start(&self, content_type: ContentType) -> Result<(), FeedError> {
        let unless = FeedErrorKind::AlreadyEnabled;
        self.post(&Operation::Start(content_type), "subscriptions/start", content_type, unless).await
    }

    /// Stops the subscription of a content type. One that does not exist (AF20022) is a success. What is published
    /// until the next start can never be read.
    ///
    /// # Errors
    /// The feed could not be asked, or answered with an error.
    pub async fn stop(&self, content_type: ContentType) -> Result<(), FeedError> {
        let unless = FeedErrorKind::NoSubscription;
        self.post(&Operation::Stop(content_type), "subscriptions/stop", content_type, unless).await
    }

    /// Lists one page of the contents of `content_type` that were published in `window`: the first, or the one that
    /// an earlier page of the same window named as its next. A caller that walks pages should stop at one that it has
    /// had already.
    ///
    /// # Errors
    /// The feed could not be asked, or answered with an error; `page` lies outside the endpoint.
    pub async fn list(
        &self,
        content_type: ContentType,
        window: &Window,
        page: Option<&PageUri>,
    ) -> Result<Page, FeedError> {
        let operation = Operation::List(content_type);
        let target = match page {
            Some(page) => self.address.given(&operation, page.as_str())?,
            None => {
                let (start, end) = (window.start_time(), window.end_time());
                let query = [("contentType", content_type.as_str()), ("startTime", &start), ("endTime", &end)];
                self.address.operation("subscriptions/content", &query)
            }
        };
        let (operation, target) = (&operation, &target);
        self.keep_up(&self.patience, operation, target, || {
            self.whole(operation, target, |headers, body| {
                listing::page(content_type, &self.address, target, headers, body, window.start)
            })
        })
        .await
    }

    /// Begins to fetch the records of a content. The body may still break while it is read; it is then fetched anew.
    ///
    /// # Errors
    /// The feed could not be asked, or answered with an error; the content's address lies outside the endpoint.
    pub async fn fetch(&self, content: &Content) -> Result<Body, FeedError> {
        self.fetch_with(content, &self.patience).await
    }

    /// As [`FeedClient::fetch`], without trying again where the service or the network fails.
    ///
    /// # Errors
    /// As for [`FeedClient::fetch`].
    pub async fn fetch_once(&self, content: &Content) -> Result<Body, FeedError> {
        let once = Policy { tries: 1, ..self.patience.failures };
        self.fetch_with(content, &Patience { failures: once, ..self.patience }).await
    }

    async fn fetch_with(&self, content: &Content, patience: &Patience) -> Result<Body, FeedError> {
        let operation = Operation::Fetch { content_type: content.content_type, id: content.id.clone() };
        let target = self.address.given(&operation, &content.uri)?;
        let response = self.keep_up(patience, &operation, &target, || self.send(&operation, Method::GET, &target));
        let (response, _) = response.await?;
        Ok(Body::new(response, operation, target.shown(), patience.idle))
    }

    async fn post(
        &self,
        operation: &Operation,
        path: &str,
        content_type: ContentType,
        unless: FeedErrorKind,
    ) -> Result<(), FeedError> {
        let target = self.address.operation(path, &[("contentType", content_type.as_str())]);
        let sent =
            self.keep_up(&self.patience, operation, &target, || self.send(operation, Method::POST, &target)).await;
        match sent {
            Err(error) if error.kind() == unless => Ok(()),
            sent => sent.map(drop),
        }
    }

    /// Tries until it succeeds or the patience is out.
    async fn keep_up<T, F>(
        &self,
        patience: &Patience,
        operation: &Operation,
        target: &Target,
        attempt: impl Fn() -> F,
    ) -> Result<T, FeedError>
    where
        F: Future<Output = Result<T, FeedError>>,
    {
        let mut attempts = Attempts::new(patience);
        loop {
            let error = match attempt().await {
                Ok(done) => return Ok(done),
                Err(error) => error.at(target.shown()),
            };
            let pause = match attempts.next(&error, fastrand::f64()) {
                Next::Again => Duration::ZERO,
                Next::After(pause) => pause,
                Next::GiveUp => return Err(error),
            };
            tracing::debug!(%operation, %error, pause_ms = pause.as_millis(), "The feed is asked again.");
            sleep(pause).await;
        }
    }

    /// One try of a listing: what `read` makes of its headers and its whole body.
    async fn whole<T>(
        &self,
        operation: &Operation,
        target: &Target,
        read: impl FnOnce(&HeaderMap, &[u8]) -> Result<T, FeedError>,
    ) -> Result<T, FeedError> {
        let (mut response, token) = self.send(operation, Method::GET, target).await?;
        let headers = std::mem::take(response.headers_mut());
        let body = Body::new(response, operation.clone(), target.shown(), self.patience.idle);
        match body.up_to(LARGEST_LISTING).await {
            (whole, End::Whole) => read(&headers, &whole).map_err(|error| error.without(&token)),
            (_, End::Broken(error)) => Err(error),
            (_, End::Limit) => {
                let reason = format!("the listing is larger than {LARGEST_LISTING} bytes");
                Err(FeedError::new(FeedErrorKind::Malformed, operation, reason))
            }
        }
    }

    /// One try: waits for the budget, attaches a token, and gives the answer if it is a success, with the token that was
    /// sent.
    async fn send(
        &self,
        operation: &Operation,
        method: Method,
        target: &Target,
    ) -> Result<(Response, Token), FeedError> {
        let permit = self.budget.take().await;
        let no_token = |error| FeedError::new(FeedErrorKind::NoToken, operation, format!("{error}"));
        let token = self.tokens.token().await.map_err(no_token)?;
        let mut request = self.http.request(method.clone(), target.url().clone()).bearer_auth(token.secret());
        if method == Method::POST {
            request = request.header(CONTENT_LENGTH, 0);
        }
        let broken = |reason| FeedError::new(FeedErrorKind::Transport, operation, reason);
        let response = match timeout(self.patience.answer, request.send()).await {
            Ok(sent) => sent.map_err(|error| broken(spelled_out(error)))?,
            Err(_) => return Err(broken(format!("no answer within {} s", self.patience.answer.as_secs_f32()))),
        };
        if response.status().is_success() {
            permit.answered();
            return Ok((response, token));
        }
        let error = self.refusal(operation, target, response).await.without(&token);
        if error.refuses_token() {
            self.tokens.refuse(&token);
        }
        match error.kind() {
            FeedErrorKind::Throttled { retry_after } => permit.throttled(retry_after),
            // A failure may come from before the place where requests are counted.
            FeedErrorKind::Server { .. } => drop(permit),
            _ => permit.answered(),
        }
        Err(error)
    }

    /// Reads an error answer. Where its body breaks off, what came of it has to do.
    async fn refusal(&self, operation: &Operation, target: &Target, mut response: Response) -> FeedError {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body = Body::new(response, operation.clone(), target.shown(), self.patience.idle);
        let (bytes, _) = body.up_to(LARGEST_ERROR).await;
        let body = String::from_utf8_lossy(&bytes);
        classify(operation, &Answer { status, headers: &headers, body: &body, now: OffsetDateTime::now_utc() })
    }
}
