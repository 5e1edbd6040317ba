//! Which tenant is read, and where.

use std::{str::FromStr, time::Duration};

use url::Url;

use super::{
    cloud::{Cloud, scope},
    endpoint::endpoint,
    reader::Reader,
    table,
    value::{guid, list, number, quoted},
};
use crate::content::ContentType;

/// How far back the feed serves content, in hours ("Office 365 Management Activity API reference": seven days).
pub const FEED_HISTORY_HOURS: u32 = 168;

/// Which tenant is read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSettings {
    /// The tenant, a GUID in lower case with hyphens.
    pub tenant_id: String,
    /// Root of the Management APIs, with no trailing slash beyond that of an empty path.
    pub management_endpoint: Url,
    /// The scope of its tokens: the cloud's, wherever the endpoint is.
    pub management_scope: String,
    /// The `PublisherIdentifier` that goes with every call.
    pub publisher_id: String,
    /// What is read, each once.
    pub content_types: Vec<ContentType>,
    /// How far back the very first run goes.
    pub initial_lookback: Duration,
}

impl FeedSettings {
    pub(super) fn read(reader: &mut Reader<'_>, cloud: Cloud) -> Option<Self> {
        let hosts = cloud.hosts();
        let tenant_id = reader.or_default(&table::TENANT_ID, guid);
        let publisher_id = reader.optional(&table::PUBLISHER_ID, guid);
        let management_endpoint = reader.or(&table::MANAGEMENT_ENDPOINT, hosts.management, endpoint);
        let content_types = reader.or_default(&table::CONTENT_TYPES, |text| list(text, content_type));
        let hours =
            reader.or_default(&table::INITIAL_LOOKBACK_HOURS, |text| number(text, &(1..=FEED_HISTORY_HOURS), "hours"));
        let tenant_id = tenant_id?;
        Some(Self {
            publisher_id: publisher_id?.unwrap_or_else(|| tenant_id.clone()),
            tenant_id,
            management_endpoint: management_endpoint?,
            management_scope: scope(hosts.management),
            content_types: content_types?,
            initial_lookback: Duration::from_secs(u64::from(hours?) * 3600),
        })
    }
}

fn content_type(text: &str) -> Result<ContentType, String> {
    ContentType::from_str(text).map_err(|unknown| {
        let known = ContentType::ALL.map(ContentType::as_str).join(", ");
        format!("has {}, which is none of {known}", quoted(&unknown))
    })
}
