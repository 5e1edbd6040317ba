//! The endpoints, and how often each was called.

use std::collections::{BTreeMap, VecDeque};

use axum::http::Method;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::config::RUNS_STREAM;

/// What a request is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// The managed identity's tokens.
    ManagedIdentity,
    /// Entra's tokens.
    Login,
    /// Starting a subscription.
    Start,
    /// Stopping a subscription.
    Stop,
    /// The list of subscriptions.
    Subscriptions,
    /// Listing contents.
    List,
    /// Retrieving a content.
    Retrieve,
    /// The labels in Graph.
    Labels,
    /// Posting rows.
    Ingest,
    /// Posting the row of a run, to the second stream.
    Heartbeat,
    /// Anything else.
    Unknown,
}

impl Endpoint {
    /// What a request with this method and path is to.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let (get, post) = (method == Method::GET, method == Method::POST);
        match parts.as_slice() {
            ["msi", "token"] if get => Self::ManagedIdentity,
            [_, "oauth2", "v2.0", "token"] if post => Self::Login,
            ["api", "v1.0" | "v1", _, "activity", "feed", rest @ ..] => match rest {
                ["subscriptions", "start"] if post => Self::Start,
                ["subscriptions", "stop"] if post => Self::Stop,
                ["subscriptions", "list"] if get => Self::Subscriptions,
                ["subscriptions", "content"] if get => Self::List,
                ["audit", _] if get => Self::Retrieve,
                _ => Self::Unknown,
            },
            ["v1.0", "security", "dataSecurityAndGovernance", "sensitivityLabels"] if get => Self::Labels,
            ["dataCollectionRules", _, "streams", RUNS_STREAM] if post => Self::Heartbeat,
            ["dataCollectionRules", _, "streams", _] if post => Self::Ingest,
            _ => Self::Unknown,
        }
    }

    /// Whether it is an operation of the feed, which all count against one quota.
    #[must_use]
    pub const fn is_feed(self) -> bool {
        matches!(self, Self::Start | Self::Stop | Self::Subscriptions | Self::List | Self::Retrieve)
    }
}

/// How often the endpoints were called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Requests by endpoint, whatever the answer.
    pub by_endpoint: BTreeMap<Endpoint, u64>,
    /// Answers by endpoint and status; a reset connection has none.
    pub answers: BTreeMap<Endpoint, BTreeMap<u16, u64>>,
    /// When each endpoint was called first, in microseconds since 1970.
    pub first_calls: BTreeMap<Endpoint, i64>,
    /// Calls of the feed without `PublisherIdentifier`.
    pub without_publisher: u64,
    /// Connections over which they came. One over which those of several tenants come is of whose request was first.
    pub connections: u64,
    /// The most calls of the feed within any 60 seconds.
    pub busiest_minute: usize,
    /// Contents retrieved more than once, by id: how often.
    pub retrieved_again: BTreeMap<String, u64>,
    #[serde(skip)]
    recent: VecDeque<OffsetDateTime>,
    #[serde(skip)]
    retrieved: BTreeMap<String, u64>,
}

impl Requests {
    /// Counts a request; for one to the feed, answers how many there were in the 60 seconds up to it.
    pub(crate) fn count(&mut self, endpoint: Endpoint, now: OffsetDateTime, has_publisher: bool) -> usize {
        *self.by_endpoint.entry(endpoint).or_default() += 1;
        self.first_calls.entry(endpoint).or_insert_with(|| (now.unix_timestamp_nanos() / 1_000) as i64);
        if !endpoint.is_feed() {
            return 0;
        }
        self.without_publisher += u64::from(!has_publisher);
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|first| now - *first >= Duration::MINUTE) {
            self.recent.pop_front();
        }
        self.busiest_minute = self.busiest_minute.max(self.recent.len());
        self.recent.len()
    }

    pub(crate) fn answered(&mut self, endpoint: Endpoint, status: u16) {
        *self.answers.entry(endpoint).or_default().entry(status).or_default() += 1;
    }

    /// Counts a connection.
    pub(crate) const fn connected(&mut self) {
        self.connections += 1;
    }

    /// Counts a content that was handed out.
    pub(crate) fn retrieved(&mut self, id: &str) {
        let times = self.retrieved.entry(id.to_owned()).or_default();
        *times += 1;
        if *times > 1 {
            self.retrieved_again.insert(id.to_owned(), *times);
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn paths_tell_the_endpoints() {
        let of = |method: Method, path: &str| Endpoint::of(&method, path);
        assert_eq!(of(Method::GET, "/msi/token"), Endpoint::ManagedIdentity);
        assert_eq!(of(Method::POST, "/t/oauth2/v2.0/token"), Endpoint::Login);
        assert_eq!(of(Method::GET, "/api/v1.0/t/activity/feed/subscriptions/content"), Endpoint::List);
        assert_eq!(of(Method::GET, "/api/v1/t/activity/feed/subscriptions/content"), Endpoint::List);
        assert_eq!(of(Method::GET, "/api/v1.0/t/activity/feed/audit/a$b"), Endpoint::Retrieve);
        assert_eq!(of(Method::POST, "/api/v1.0/t/activity/feed/subscriptions/start"), Endpoint::Start);
        assert_eq!(of(Method::GET, "/api/v1.0/t/activity/feed/subscriptions/start"), Endpoint::Unknown);
        assert_eq!(of(Method::POST, "/dataCollectionRules/d/streams/s"), Endpoint::Ingest);
        assert_eq!(of(Method::POST, "/dataCollectionRules/d/streams/Custom-LabelstreamRuns_CL"), Endpoint::Heartbeat);
        assert_eq!(of(Method::GET, "/"), Endpoint::Unknown);
    }

    #[test]
    fn the_busiest_minute_is_the_most_in_any_sixty_seconds() {
        let start = datetime!(2026-11-18 12:00 UTC);
        let mut requests = Requests::default();
        for second in [0, 10, 59, 60, 65, 200] {
            requests.count(Endpoint::List, start + Duration::seconds(second), second != 10);
            requests.count(Endpoint::Ingest, start + Duration::seconds(second), false);
        }
        assert_eq!(requests.busiest_minute, 4);
        assert_eq!(requests.without_publisher, 1);
        assert_eq!(requests.by_endpoint[&Endpoint::Ingest], 6);
        assert_eq!(requests.first_calls[&Endpoint::List], start.unix_timestamp() * 1_000_000);
    }
}
