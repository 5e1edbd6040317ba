//! The dead letters that lie in the store.

use std::fmt;

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::{DeadLetter, prefix};
use crate::state::{StateError, Store};

/// Up to how many dead letters are counted: what one request lists (List Blobs gives 5,000 at most).
pub const COUNTED_AT_MOST: usize = 5_000;

/// How many are read at once.
const READ_AT_ONCE: usize = 16;

/// How many dead letters lie there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Number {
    /// So many.
    pub number: u64,
    /// Or more: they were not counted further.
    pub or_more: bool,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, if self.or_more { " or more" } else { "" })
    }
}

/// Why a dead letter is not there to be read.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The storage fails.
    #[error(transparent)]
    State(#[from] StateError),
    /// What is stored is no dead letter of this version.
    #[error("{key} cannot be read as a dead letter ({reason}); look at it in the storage, and remove it if it is none")]
    Unreadable {
        /// Its key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// How many dead letters of `tenant` lie in `store`, by one request.
///
/// # Errors
/// The storage fails.
pub async fn count(store: &dyn Store, tenant: &str) -> Result<Number, StateError> {
    let listed = store.list_some(&prefix(tenant), COUNTED_AT_MOST).await?.len();
    Ok(Number { number: listed as u64, or_more: listed >= COUNTED_AT_MOST })
}

/// The keys of all dead letters of `tenant`, in their order.
///
/// # Errors
/// The storage fails.
pub async fn keys(store: &dyn Store, tenant: &str) -> Result<Vec<String>, StateError> {
    Ok(store.list(&prefix(tenant)).await?.into_iter().map(|entry| entry.key).collect())
}

/// The dead letter under `key`, or `None` where there is none by now.
///
/// # Errors
/// See [`KeptError`].
pub async fn get(store: &dyn Store, key: &str) -> Result<Option<DeadLetter>, KeptError> {
    let Some((stored, _)) = store.get(key).await? else { return Ok(None) };
    let letter = serde_json::from_slice(&stored);
    letter.map(Some).map_err(|error| KeptError::Unreadable { key: key.to_owned(), reason: error.to_string() })
}

/// Reads the dead letters under `keys`, several at once, and gives each to `take` in the order of the keys.
pub async fn read_all(
    store: &dyn Store,
    keys: &[String],
    mut take: impl FnMut(&str, Result<Option<DeadLetter>, KeptError>),
) {
    let mut read = stream::iter(keys.iter().map(async |key| (key, get(store, key).await))).buffered(READ_AT_ONCE);
    while let Some((key, letter)) = read.next().await {
        take(key, letter);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use time::OffsetDateTime;

    use super::*;
    use crate::{
        dead_letter::Kind,
        state::{Expect, overlay::Overlay},
    };

    #[tokio::test]
    async fn letters_are_read_and_counted_and_what_is_none_is_told() {
        let store = Overlay::default();
        let letter = |body: &[u8]| DeadLetter::bytes(Kind::Row, None, body, "no".into(), OffsetDateTime::UNIX_EPOCH);
        for body in [&b"1"[..], b"2", b"1"] {
            letter(body).save(&store, "t", &Expect::Absent).await.unwrap();
        }
        letter(b"1").save(&store, "other", &Expect::Absent).await.unwrap();
        store.put("t/dead-letters/row-0.json", Bytes::from_static(b"{"), &Expect::Any).await.unwrap();
        let keys = keys(&store, "t").await.unwrap();
        assert_eq!(count(&store, "t").await.unwrap(), Number { number: 3, or_more: false });
        let (mut bodies, mut unreadable) = (Vec::new(), Vec::new());
        read_all(&store, &keys, |key, letter| match letter {
            Ok(letter) => bodies.extend(letter.unwrap().body),
            Err(KeptError::Unreadable { .. }) => unreadable.push(key.to_owned()),
            Err(error) => panic!("{error}"),
        })
        .await;
        bodies.sort_unstable();
        assert_eq!((bodies.as_slice(), unreadable.as_slice()), (&["1".to_owned(), "2".to_owned()][..], &keys[..1]));
        assert!(get(&store, "t/dead-letters/row-9.json").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn many_letters_are_counted_so_far() {
        let store = Overlay::default();
        for number in 0..COUNTED_AT_MOST {
            let key = format!("t/dead-letters/row-{number}.json");
            store.put(&key, Bytes::new(), &Expect::Any).await.unwrap();
        }
        assert_eq!(count(&store, "t").await.unwrap().to_string(), "5000 or more");
    }
}
