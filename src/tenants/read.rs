//! Fetching the list.

use std::{io, sync::Arc};

use super::{
    list::{List, ListError},
    source::Source,
};
use crate::state::{StateError, Store};

/// Where the list lies in the state.
pub const LIST_KEY: &str = "tenants.json";

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file of `TENANTS` cannot be read.
    #[error("TENANTS: {path}: {error}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        error: io::Error,
    },
    /// The list is to be in the state, and there is none.
    #[error(
        "TENANTS is `state`, and the state has no {LIST_KEY} yet: `labelstream tenants add TENANT_ID --name NAME` makes it"
    )]
    Absent,
    /// The state cannot be read.
    #[error("TENANTS: {0}")]
    State(#[from] StateError),
    /// What is there is no list.
    #[error("TENANTS: {source_name}: {error}")]
    List {
        /// Where it was read.
        source_name: String,
        /// What is wrong.
        error: ListError,
    },
}

/// The list at `source`; `store` is the state.
///
/// # Errors
/// It cannot be read, or is no list. Bad entries are no error: see [`List::parse`].
pub async fn read(source: &Source, store: Option<&Arc<dyn Store>>) -> Result<List, ReadError> {
    let parse = |text: &[u8]| List::parse(text).map_err(|error| ReadError::List { source_name: source.name(), error });
    match source {
        Source::Inline(text) => parse(text.as_bytes()),
        Source::File(path) => match tokio::fs::read(path).await {
            Ok(text) => parse(&text),
            Err(error) => Err(ReadError::File { path: path.display().to_string(), error }),
        },
        Source::State => match store {
            None => Err(ReadError::Absent),
            Some(store) => match store.get(LIST_KEY).await? {
                Some((text, _)) => parse(&text),
                None => Err(ReadError::Absent),
            },
        },
    }
}
