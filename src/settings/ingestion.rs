//! Where rows go.

use url::Url;

use super::{
    cloud::{Cloud, scope},
    endpoint::endpoint,
    reader::Reader,
    table,
};

/// Where rows go: `{endpoint}/dataCollectionRules/{rule_id}/streams/{stream_name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestionSettings {
    /// The data collection endpoint, or the rule's own one.
    pub endpoint: Url,
    /// The rule's immutable id; safe in a path.
    pub rule_id: String,
    /// A stream that the rule declares; safe in a path.
    pub stream_name: String,
    /// The scope of the tokens: the cloud's, wherever the endpoint is.
    pub scope: String,
}

impl IngestionSettings {
    pub(super) fn read(reader: &mut Reader<'_>, cloud: Cloud) -> Option<Self> {
        let endpoint = reader.or_default(&table::DATA_COLLECTION_ENDPOINT, endpoint);
        let rule_id = reader.or_default(&table::DCR_RULE_ID, rule_id);
        let stream_name = reader.or_default(&table::DCR_STREAM_NAME, stream_name);
        Some(Self {
            endpoint: endpoint?,
            rule_id: rule_id?,
            stream_name: stream_name?,
            scope: scope(cloud.hosts().monitor),
        })
    }
}

/// The service documents no form for the id beyond `dcr-` and hexadecimal digits in its examples, so that only what
/// cannot be one is refused.
fn rule_id(text: &str) -> Result<String, String> {
    if text.contains('/') {
        return Err(
            "is a path; the immutable id is wanted, not the resource id (the rule's JSON view shows it)".to_owned()
        );
    }
    if text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        Ok(text.to_owned())
    } else {
        Err("is not the immutable id of a data collection rule, which has letters, digits and hyphens".to_owned())
    }
}

/// Streams begin with `Custom-` or `Microsoft-` ("Structure of a data collection rule"). The table's name without it
/// is the usual slip.
fn stream_name(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("Custom-").or_else(|| text.strip_prefix("Microsoft-"));
    match name {
        Some(name) if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') => {
            Ok(text.to_owned())
        }
        _ => Err("is not a stream, whose name begins with Custom- or Microsoft-".to_owned()),
    }
}
