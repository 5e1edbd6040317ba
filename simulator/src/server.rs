//! The server: all endpoints at one address, and control of them from the same process.

use std::{
    fs::File,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use bytes::Bytes;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};

use crate::{
    answer::Refusal,
    config::Config,
    contents::{Content, ContentType, Contents},
    control,
    directory::Directory,
    events::Generator,
    faults::{Active, Effect, Fault, Faults, http_date},
    feed::{self, Subscriptions},
    graph,
    identity::{self, Tokens},
    ingestion::{self, Post},
    ledger::{Heartbeat, Ledger, Report},
    publish::{Published, RawRecord},
    query,
    requests::{Endpoint, Requests},
    schedule::{Bulk, History},
    sender::Sender,
    strike::strike,
    tenant::Tenant,
    wire::{Cuttable, Wire},
};

/// What the endpoints share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub config: Config,
    pub tenant: Arc<Tenant>,
    pub generator: Generator,
    /// `http://127.0.0.1:port`
    pub base: String,
    /// Next pages handed out.
    pub pages: AtomicU64,
    runs: AtomicU64,
    contents: Mutex<Contents>,
    subscriptions: Mutex<Subscriptions>,
    tokens: Mutex<Tokens>,
    ledger: Mutex<Ledger>,
    faults: Mutex<Faults>,
    requests: Mutex<Requests>,
    directory: Mutex<Directory>,
    rows_file: Mutex<Option<File>>,
    posts_file: Mutex<Option<File>>,
    /// Posts that nobody read yet: see [`Config::judge_later`].
    unread: Mutex<Vec<Post>>,
    /// Held by each post that is being carried out.
    posting: Arc<()>,
    /// Rules beside the one of the configuration that post to the same table.
    more_rules: AtomicU64,
}

/// A panic elsewhere leaves values that are still whole: each lock is held for one change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn contents(&self) -> MutexGuard<'_, Contents> {
        lock(&self.contents)
    }

    pub fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        lock(&self.subscriptions)
    }

    pub fn tokens(&self) -> MutexGuard<'_, Tokens> {
        lock(&self.tokens)
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub fn requests(&self) -> MutexGuard<'_, Requests> {
        lock(&self.requests)
    }

    pub fn directory(&self) -> MutexGuard<'_, Directory> {
        lock(&self.directory)
    }

    pub fn rows_file(&self) -> MutexGuard<'_, Option<File>> {
        lock(&self.rows_file)
    }

    pub fn posts_file(&self) -> MutexGuard<'_, Option<File>> {
        lock(&self.posts_file)
    }

    pub fn unread(&self) -> MutexGuard<'_, Vec<Post>> {
        lock(&self.unread)
    }

    /// See [`Simulator::report`].
    pub fn report(&self) -> Report {
        ingestion::read_unread(self);
        self.ledger().report(self.now())
    }

    /// What the clock of the feed says.
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.config.clock_offset
    }

    /// Whether a post is being carried out.
    pub fn is_posting(&self) -> bool {
        Arc::strong_count(&self.posting) > 1
    }

    /// Whether there is a rule of this id.
    pub fn has_rule(&self, rule: &str) -> bool {
        let number = rule.strip_prefix(&self.config.rule_id).and_then(|rest| rest.strip_prefix('-'));
        rule == self.config.rule_id
            || number
                .and_then(|number| number.parse().ok())
                .is_some_and(|number: u64| number < self.more_rules.load(Ordering::Relaxed))
    }

    /// The number of the first generated content of a new run of up to 2^32 contents.
    pub fn first_number(&self) -> u64 {
        self.runs.fetch_add(1, Ordering::Relaxed) << 32
    }
}

/// A running simulator. Dropping it stops the server.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: JoinHandle<io::Result<()>>,
}

impl Simulator {
    /// Starts a simulator on 127.0.0.1.
    ///
    /// # Errors
    /// The port is taken, or the file for rows cannot be opened.
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
        let address = listener.local_addr()?;
        let rows_file = config.rows_file.as_deref().map(ingestion::open_to_append).transpose()?;
        let posts_file = config.posts_file.as_deref().map(ingestion::open_to_append).transpose()?;
        let tenant = Arc::new(Tenant::new(config.seed));
        let shared = Arc::new(Shared {
            directory: Mutex::new(Directory::of(&tenant)),
            generator: Generator::new(Arc::clone(&tenant)),
            tenant,
            base: format!("http://{address}"),
            pages: AtomicU64::new(0),
            runs: AtomicU64::new(0),
            contents: Mutex::default(),
            subscriptions: Mutex::new(if config.subscribed { Subscriptions::all() } else { Subscriptions::default() }),
            tokens: Mutex::default(),
            ledger: Mutex::new(Ledger::new(config.label_events.clone())),
            faults: Mutex::default(),
            requests: Mutex::default(),
            rows_file: Mutex::new(rows_file),
            posts_file: Mutex::new(posts_file),
            unread: Mutex::default(),
            posting: Arc::new(()),
            more_rules: AtomicU64::new(0),
            config,
        });
        let service = router(&shared).into_make_service_with_connect_info::<Wire>();
        let server = tokio::spawn(async move { axum::serve(Cuttable(listener), service).await });
        Ok(Self { shared, address, server })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`, the base of every endpoint.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.shared.base
    }

    /// The simulated company.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.shared.tenant
    }

    /// The app settings that point a connector to this simulator, with the managed identity as its identity.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let (base, config) = (&self.shared.base, &self.shared.config);
        let mut environment = vec![
            ("M365_TENANT_ID", self.shared.tenant.id.clone()),
            ("M365_MANAGEMENT_ENDPOINT", base.clone()),
            ("GRAPH_ENDPOINT", base.clone()),
            ("IDENTITY_ENDPOINT", format!("{base}/msi/token")),
            ("IDENTITY_HEADER", config.identity_header.clone()),
            ("DATA_COLLECTION_ENDPOINT", base.clone()),
            ("LOGS_DCR_RULE_ID", config.rule_id.clone()),
            ("LOGS_DCR_STREAM_NAME", config.stream.clone()),
        ];
        environment.extend(config.identity_client_id.clone().map(|id| ("AZURE_CLIENT_ID", id)));
        environment
    }

    /// The settings of an app registration with a secret, to be used beside [`Simulator::environment`].
    #[must_use]
    pub fn app_environment(&self) -> Vec<(&'static str, String)> {
        let (client, secret) = self.shared.config.app.clone();
        let authority = ("AZURE_AUTHORITY_HOST", self.shared.base.clone());
        vec![("M365_CLIENT_ID", client), ("M365_CLIENT_SECRET", secret), authority]
    }

    /// What the clock of the feed says: see [`Config::clock_offset`].
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.shared.now()
    }

    /// Publishes a past. See [`History`].
    pub fn publish_history(&self, history: &History) -> Published {
        self.shared.publish_history(history, self.now())
    }

    /// Publishes contents that are rendered on demand. See [`Bulk`].
    pub fn publish_bulk(&self, bulk: &Bulk) -> Published {
        self.shared.publish_bulk(bulk, self.now())
    }

    /// Publishes a content of generated records, created at `created`; a future one appears then.
    pub fn publish(&self, content_type: ContentType, created: OffsetDateTime, labels: u32, noise: u32) -> Arc<Content> {
        self.shared.publish_generated(content_type, created, labels, noise).0
    }

    /// Publishes a content of generated records, created now. A listing whose window ends now does not hold it yet.
    pub fn publish_now(&self, content_type: ContentType, labels: u32, noise: u32) -> Arc<Content> {
        self.publish(content_type, self.now(), labels, noise)
    }

    /// Publishes one content of each content type with one record of each kind, label events and noise.
    pub fn publish_every_kind(&self, created: OffsetDateTime) -> Published {
        self.shared.publish_every_kind(created)
    }

    /// Publishes a content of handwritten records. The ledger decides by its own rule which are label events.
    pub fn publish_records<R: Into<RawRecord>>(
        &self,
        content_type: ContentType,
        created: OffsetDateTime,
        records: impl IntoIterator<Item = R>,
    ) -> Arc<Content> {
        self.shared.publish_records(content_type, created, records.into_iter().map(Into::into).collect()).0
    }

    /// Publishes a content of these very bytes, which need be no array. The ledger takes the caller's word for the label
    /// events that a reader must find in it: their ids.
    pub fn publish_body(
        &self,
        content_type: ContentType,
        created: OffsetDateTime,
        body: impl Into<Bytes>,
        label_events: &[&str],
    ) -> Arc<Content> {
        self.shared.publish_body(content_type, created, body.into(), label_events)
    }

    /// Lists a content again, created at `created`, under its old id or a new one and maybe another content type.
    /// `None` where no content has the id.
    pub fn list_again(
        &self,
        id: &str,
        content_type: Option<ContentType>,
        created: OffsetDateTime,
        same_id: bool,
    ) -> Option<Arc<Content>> {
        self.shared.list_again(id, content_type, created, same_id)
    }

    /// The feed loses a content: it is listed as before, and a retrieval answers `code` (AF20050, AF20051 or AF20052)
    /// from now on. Its label events leave the ledger, save those that another content holds: no client can read them.
    /// Whether the content was known.
    pub fn lose(&self, id: &str, code: &str) -> bool {
        self.shared.lose(id, code)
    }

    /// Ends the subscription of a content type behind the connector's back; whether it was on.
    pub fn stop_subscription(&self, content_type: ContentType) -> bool {
        self.shared.subscriptions().stop(content_type)
    }

    /// Switches a fault on and answers its number.
    ///
    /// # Errors
    /// Says what [`Fault::check`] holds against it.
    pub fn fault(&self, fault: Fault) -> Result<u64, String> {
        fault.check()?;
        Ok(self.shared.faults().add(fault))
    }

    /// Switches a fault off; whether it was on.
    pub fn end_fault(&self, number: u64) -> bool {
        self.shared.faults().remove(number)
    }

    /// Switches every fault off.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// The faults that are on, with how often they struck.
    #[must_use]
    pub fn faults(&self) -> Vec<Active> {
        self.shared.faults().active().to_vec()
    }

    /// Makes a sensitivity label, below the one with the id `parent`; its id. No record of the generator has it.
    pub fn create_label(&self, name: &str, parent: Option<&str>) -> String {
        self.shared.directory().create(name, parent)
    }

    /// Gives a label another name; whether it is there.
    pub fn rename_label(&self, id: &str, name: &str) -> bool {
        self.shared.directory().rename(id, name)
    }

    /// Deletes a label and its sublabels: Graph lists them no more, records go on to name them. Whether it was there.
    pub fn delete_label(&self, id: &str) -> bool {
        self.shared.directory().delete(id)
    }

    /// Makes every token given out so far invalid.
    pub fn revoke_tokens(&self) {
        self.shared.tokens().revoke_all();
    }

    /// Tells the ledger that the sender was killed: see [`Sender::killed`].
    pub async fn sender_killed(&self) {
        self.sender().killed().await;
    }

    /// Whoever posts to the rule of the configuration.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender::new(Arc::clone(&self.shared), self.shared.config.rule_id.clone())
    }

    /// A sender with a rule of its own, for the same table.
    #[must_use]
    pub fn new_sender(&self) -> Sender {
        let number = self.shared.more_rules.fetch_add(1, Ordering::Relaxed);
        Sender::new(Arc::clone(&self.shared), format!("{}-{number}", self.shared.config.rule_id))
    }

    /// Tells the ledger that what senders remember of all that arrived so far is gone: each row may come once more.
    pub fn state_lost(&self) {
        self.shared.ledger().state_lost();
    }

    /// What was published by now and what arrived.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared.report()
    }

    /// Writes the bodies of all contents, one a line.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn write_contents(&self, out: &mut impl Write) -> io::Result<()> {
        let contents = self.shared.contents().all();
        for content in contents {
            out.write_all(&content.body.bytes(&self.shared.generator))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// The rows that arrived, in order, as JSON text; empty unless [`Config::keep_rows`].
    #[must_use]
    pub fn rows(&self) -> Vec<Box<RawValue>> {
        self.shared.ledger().rows().to_vec()
    }

    /// The rows of the second stream, in order: one for each run.
    #[must_use]
    pub fn heartbeats(&self) -> Vec<Heartbeat> {
        self.shared.ledger().heartbeats().to_vec()
    }

    /// How often each endpoint was called.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.shared.requests().clone()
    }

    /// Serves until the server fails.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn serve(mut self) -> io::Result<()> {
        (&mut self.server).await.map_err(io::Error::other)?
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/msi/token", get(identity::managed_identity))
        .route("/{tenant}/oauth2/v2.0/token", post(identity::login))
        .route("/api/{version}/{tenant}/activity/feed/{*operation}", any(feed::feed))
        .route("/v1.0/security/dataSecurityAndGovernance/sensitivityLabels", get(graph::labels))
        .route("/dataCollectionRules/{rule}/streams/{stream}", post(ingestion::ingest))
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(middleware::from_fn_with_state(Arc::clone(shared), watch))
        .merge(control::router())
        .with_state(Arc::clone(shared))
}

/// Counts a request, and lets the faults that are due strike it.
async fn watch(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Response {
    let now = OffsetDateTime::now_utc();
    let endpoint = Endpoint::of(request.method(), request.uri().path());
    let target = query::decode(&request.uri().to_string());
    let publisher = query::value(request.uri().query().unwrap_or_default(), "PublisherIdentifier");
    let in_minute = shared.requests().count(endpoint, now, publisher.is_some_and(|id| !id.is_empty()));
    let _posting = (endpoint == Endpoint::Ingest).then(|| Arc::clone(&shared.posting));
    let asked = shared.faults().ask_for_bodies(endpoint);
    let (request, body) = if asked { ingestion::look_into(request).await } else { (request, Bytes::new()) };
    let effects = shared.faults().due(endpoint, &target, &body, now);
    if effects.contains(&Effect::RevokeTokens) {
        shared.tokens().revoke_all();
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
