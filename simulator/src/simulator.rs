//! A simulated tenant, and control of it from the same process.

use std::{
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::Extension;
use bytes::Bytes;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    config::Config,
    contents::{Content, ContentType},
    faults::{Active, Fault},
    ledger::{Heartbeat, Report},
    publish::{Published, RawRecord},
    requests::Requests,
    schedule::{Bulk, History},
    sender::Sender,
    server,
    shared::{Origin, Shared},
    tenant::Tenant,
    wire::{Cuttable, Wire},
};

/// A simulated tenant. Alone it has a server of its own, which dropping it stops; those of a [`crate::Provider`] are served
/// by that.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: Option<JoinHandle<io::Result<()>>>,
}

impl Simulator {
    /// Starts a simulator on 127.0.0.1.
    ///
    /// # Errors
    /// The port is taken, or the file for rows cannot be opened.
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
        let address = listener.local_addr()?;
        let shared = Shared::new(config, Origin::new(format!("http://{address}"), None, None))?;
        let service = server::router().layer(Extension(Arc::clone(&shared)));
        let service = service.into_make_service_with_connect_info::<Wire>();
        let server = tokio::spawn(async move { axum::serve(Cuttable(listener), service).await });
        Ok(Self { shared, address, server: Some(server) })
    }

    /// A tenant that is served at `address`.
    pub(crate) const fn served(shared: Arc<Shared>, address: SocketAddr) -> Self {
        Self { shared, address, server: None }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`, the base of every endpoint.
    #[must_use]
    pub fn base(&self) -> &str {
        self.shared.base()
    }

    /// The simulated company.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.shared.tenant
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
        self.shared.revoke_tokens();
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
        let number = self.shared.add_rule();
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
    /// Why it ended; or it is a tenant of a provider, which has no server of its own.
    pub async fn serve(mut self) -> io::Result<()> {
        match &mut self.server {
            Some(server) => server.await.map_err(io::Error::other)?,
            None => Err(io::Error::other("a tenant of a provider is served by that")),
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
