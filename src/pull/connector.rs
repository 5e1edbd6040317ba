//! What a connector is made of, and what it is asked to do.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;

use super::{budget::Budget, capacity::Capacity, left_over::LeftOver, sink::Sink, summary::Counts};
use crate::{
    content::ContentType, dead_letter::Selection, feed::FeedClient, labels::Keeper, record::Filter, state::Store,
};

/// What a connector is made of.
#[derive(Debug)]
pub struct Connector {
    /// The tenant that is read.
    pub tenant: String,
    /// Its feed.
    pub feed: FeedClient,
    /// Which records are label events.
    pub filter: Filter,
    /// Label names.
    pub labels: Keeper,
    /// Where rows go.
    pub sink: Sink,
    /// Where the state lies.
    pub store: Arc<dyn Store>,
    /// What is read.
    pub content_types: Vec<ContentType>,
    /// How far back the very first run goes.
    pub initial_lookback: Duration,
    /// What its runs could not save.
    pub left_over: LeftOver,
    /// What its runs share with those of other connectors in the process.
    pub capacity: Capacity,
}

/// A range that is asked for again, by times of publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// From here on; as far back as the feed lists where absent.
    pub since: Option<OffsetDateTime>,
    /// Up to here; now where absent.
    pub until: Option<OffsetDateTime>,
}

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Request {
    /// A past range in place of what is new.
    pub range: Option<Range>,
    /// Dead letters to be sent again, in place of reading the feed; see [`Connector::replay`].
    pub letters: Option<Selection>,
    /// How long it may take.
    pub budget: Budget,
    /// Change nothing in the tenant: no subscription is started. The sink and the store are the caller's choice.
    pub dry_run: bool,
    /// Where it counts what it does while it goes on.
    pub counts: Arc<Counts>,
}

impl Request {
    /// A run over what is new, or over `range`.
    #[must_use]
    pub fn new(range: Option<Range>, budget: Budget) -> Self {
        Self { range, letters: None, budget, dry_run: false, counts: Arc::default() }
    }
}
