//! A plain client of the simulated services.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use labelstream_simulator::{Config, Simulator};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use time::{Duration, OffsetDateTime, macros::format_description};

pub(crate) const FEED: &str = "https://manage.office.com";
pub(crate) const MONITOR: &str = "https://monitor.azure.com";

/// A simulator and a client with tokens for it.
pub(crate) struct World {
    pub simulator: Simulator,
    pub http: Client,
    pub feed_token: String,
    pub monitor_token: String,
}

impl World {
    pub(crate) async fn new(config: Config) -> Self {
        let simulator = Simulator::start(config).await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        let mut world = Self { simulator, http, feed_token: String::new(), monitor_token: String::new() };
        world.feed_token = world.token(FEED).await;
        world.monitor_token = world.token(MONITOR).await;
        world
    }

    /// A tenant whose content types are subscribed to.
    pub(crate) async fn subscribed() -> Self {
        Self::new(Config { subscribed: true, ..Config::default() }).await
    }

    pub(crate) fn setting(&self, name: &str) -> String {
        self.simulator.environment().into_iter().find(|(known, _)| *known == name).map(|(_, value)| value).unwrap()
    }

    pub(crate) async fn token(&self, resource: &str) -> String {
        let url = format!("{}?api-version=2019-08-01&resource={resource}", self.setting("IDENTITY_ENDPOINT"));
        let request = self.http.get(url).header("X-IDENTITY-HEADER", self.setting("IDENTITY_HEADER"));
        let body: Value = json(request.send().await.unwrap()).await;
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn feed(&self, method: Method, operation: &str) -> RequestBuilder {
        let (base, tenant) = (self.simulator.base(), &self.simulator.tenant().id);
        let url = format!("{base}/api/v1.0/{tenant}/activity/feed/{operation}");
        self.http.request(method, url).bearer_auth(&self.feed_token)
    }

    pub(crate) fn get(&self, url: &str) -> RequestBuilder {
        self.http.get(url).bearer_auth(&self.feed_token)
    }

    /// A listing of the last `hours` of a content type.
    pub(crate) fn listing(&self, content_type: &str, hours: i64) -> RequestBuilder {
        let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
        let end = OffsetDateTime::now_utc() + Duration::seconds(1);
        let (start, end) = ((end - Duration::hours(hours)).format(form).unwrap(), end.format(form).unwrap());
        let query = format!("contentType={content_type}&startTime={start}&endTime={end}&PublisherIdentifier=me");
        self.feed(Method::GET, &format!("subscriptions/content?{query}"))
    }

    /// Every content of the last day, page by page, and how many pages there were.
    pub(crate) async fn listed(&self, content_type: &str) -> (Vec<Value>, usize) {
        let (mut contents, mut pages) = (Vec::new(), 0);
        let mut request = self.listing(content_type, 24);
        loop {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200);
            let next = response.headers().get("nextpageuri").map(|value| value.to_str().unwrap().to_owned());
            contents.extend(json(response).await.as_array().unwrap().clone());
            pages += 1;
            match next {
                Some(next) => request = self.get(&next),
                None => return (contents, pages),
            }
        }
    }

    pub(crate) fn post(&self, rows: impl Into<reqwest::Body>) -> RequestBuilder {
        let (rule, stream) = (self.setting("LOGS_DCR_RULE_ID"), self.setting("LOGS_DCR_STREAM_NAME"));
        let base = self.setting("DATA_COLLECTION_ENDPOINT");
        let url = format!("{base}/dataCollectionRules/{rule}/streams/{stream}?api-version=2023-01-01");
        self.http.post(url).bearer_auth(&self.monitor_token).header("Content-Type", "application/json").body(rows)
    }
}

pub(crate) async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

pub(crate) async fn af_code(response: Response) -> String {
    json(response).await["error"]["code"].as_str().unwrap().to_owned()
}

pub(crate) fn ago(minutes: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() - Duration::minutes(minutes)
}

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}
