//! Where label names come from.

use std::path::PathBuf;

use serde::de::IgnoredAny;
use url::Url;

use super::{
    cloud::{Cloud, scope},
    endpoint::endpoint,
    reader::Reader,
    table,
    value::quoted,
};

/// Where label names come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelSource {
    /// Microsoft Graph.
    Graph,
    /// Nowhere: rows have label ids alone.
    Off,
    /// A file with a static map. That it is there was not checked.
    Path(PathBuf),
    /// A static map as it stands in the setting: valid JSON, an object or an array, of any shape.
    Json(String),
}

/// Where label names come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSettings {
    /// What is asked.
    pub source: LabelSource,
    /// Root of Microsoft Graph.
    pub graph_endpoint: Url,
    /// The scope of its tokens: the cloud's, wherever the endpoint is.
    pub graph_scope: String,
}

impl LabelSettings {
    pub(super) fn read(reader: &mut Reader<'_>, cloud: Cloud) -> Option<Self> {
        let hosts = cloud.hosts();
        let source = reader.or_default(&table::LABELS, source);
        let graph_endpoint = reader.or(&table::GRAPH_ENDPOINT, hosts.graph, endpoint);
        Some(Self { source: source?, graph_endpoint: graph_endpoint?, graph_scope: scope(hosts.graph) })
    }
}

fn source(text: &str) -> Result<LabelSource, String> {
    if text.eq_ignore_ascii_case("graph") {
        return Ok(LabelSource::Graph);
    }
    if text.eq_ignore_ascii_case("off") {
        return Ok(LabelSource::Off);
    }
    if text.starts_with(['{', '[']) {
        return match serde_json::from_str::<IgnoredAny>(text) {
            Ok(IgnoredAny) => Ok(LabelSource::Json(text.to_owned())),
            Err(error) => Err(format!("is not valid JSON ({error})")),
        };
    }
    // A slip such as `grahp` is no path: it would be found only when the file is looked for.
    if text.contains(['/', '\\', '.']) {
        Ok(LabelSource::Path(text.into()))
    } else {
        Err(format!("is {}, which is none of graph, off, a path (with a `/` or `.`), JSON", quoted(text)))
    }
}
