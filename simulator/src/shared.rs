//! The state of one tenant, which its endpoints share.

use std::{
    fs::File,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use time::OffsetDateTime;

use crate::{
    config::Config,
    contents::Contents,
    directory::Directory,
    events::Generator,
    faults::Faults,
    feed::Subscriptions,
    identity::Tokens,
    ingestion::{self, Post},
    ledger::{Ledger, Report},
    requests::Requests,
    tenant::Tenant,
};

/// What the tenants at one address have in common. A simulator alone has an origin of its own.
#[derive(Debug)]
pub(crate) struct Origin {
    /// `http://127.0.0.1:port`
    pub base: String,
    /// The tenant of the identity that posts rows and that app registrations trust, where there are several tenants.
    pub home: Option<String>,
    /// The login endpoint over TLS, where there is one.
    pub login: Option<Login>,
    tokens: Mutex<Tokens>,
}

/// The login endpoint as a client finds it.
#[derive(Debug)]
pub(crate) struct Login {
    /// `https://127.0.0.1:port`
    pub authority: String,
    /// PEM file of the certificate authority that a client must trust.
    pub certificates: PathBuf,
}

impl Origin {
    pub fn new(base: String, home: Option<String>, login: Option<Login>) -> Arc<Self> {
        Arc::new(Self { base, home, login, tokens: Mutex::default() })
    }

    /// Where apps log in.
    pub fn authority(&self) -> &str {
        self.login.as_ref().map_or(&self.base, |login| &login.authority)
    }
}

/// What the endpoints of one tenant share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub config: Config,
    pub tenant: Arc<Tenant>,
    pub generator: Generator,
    /// Where it is served, and beside whom.
    pub origin: Arc<Origin>,
    /// Next pages handed out.
    pub pages: AtomicU64,
    runs: AtomicU64,
    contents: Mutex<Contents>,
    subscriptions: Mutex<Subscriptions>,
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
    /// A tenant with nothing published, served at `origin`.
    ///
    /// # Errors
    /// A file for rows or posts cannot be opened.
    pub fn new(config: Config, origin: Arc<Origin>) -> io::Result<Arc<Self>> {
        let rows_file = config.rows_file.as_deref().map(ingestion::open_to_append).transpose()?;
        let posts_file = config.posts_file.as_deref().map(ingestion::open_to_append).transpose()?;
        let tenant = Arc::new(Tenant::new(config.seed));
        Ok(Arc::new(Self {
            directory: Mutex::new(Directory::of(&tenant)),
            generator: Generator::new(Arc::clone(&tenant)).with_mix(config.mix),
            tenant,
            origin,
            pages: AtomicU64::new(0),
            runs: AtomicU64::new(0),
            contents: Mutex::default(),
            subscriptions: Mutex::new(if config.subscribed { Subscriptions::all() } else { Subscriptions::default() }),
            ledger: Mutex::new(Ledger::new(config.label_events.clone())),
            faults: Mutex::default(),
            requests: Mutex::default(),
            rows_file: Mutex::new(rows_file),
            posts_file: Mutex::new(posts_file),
            unread: Mutex::default(),
            posting: Arc::new(()),
            more_rules: AtomicU64::new(0),
            config,
        }))
    }

    pub fn contents(&self) -> MutexGuard<'_, Contents> {
        lock(&self.contents)
    }

    pub fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        lock(&self.subscriptions)
    }

    /// The tokens that were given out at this origin, of all its tenants.
    pub fn tokens(&self) -> MutexGuard<'_, Tokens> {
        lock(&self.origin.tokens)
    }

    /// The tenant that its tokens are of.
    pub fn token_tenant(&self) -> &str {
        self.config.token_tenant.as_deref().unwrap_or(&self.tenant.id)
    }

    /// Makes every token of the tenant so far invalid.
    pub fn revoke_tokens(&self) {
        self.tokens().revoke_all(self.token_tenant());
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

    /// See [`crate::Simulator::report`].
    pub fn report(&self) -> Report {
        ingestion::read_unread(self);
        self.ledger().report(self.now())
    }

    /// What the clock of the feed says.
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.config.clock_offset
    }

    /// `http://127.0.0.1:port`
    pub fn base(&self) -> &str {
        &self.origin.base
    }

    /// Notes that a post begins; it is being carried out until the value is dropped.
    pub fn post(&self) -> Arc<()> {
        Arc::clone(&self.posting)
    }

    /// Another rule for the same table; its number.
    pub fn add_rule(&self) -> u64 {
        self.more_rules.fetch_add(1, Ordering::Relaxed)
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
