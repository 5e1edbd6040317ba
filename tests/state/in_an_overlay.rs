//! An overlay: what is written stays in memory.

use std::sync::Arc;

use bytes::Bytes;
use labelstream::state::{Expect, StateError, Store, folder::FolderStore, overlay::Overlay};

const KEY: &str = "tenant/watermark.json";
const LOG: &str = "tenant/records/2026-11-22.ids";

#[tokio::test]
async fn it_reads_through_and_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let below = Arc::new(FolderStore::open(folder.path().join("state")).unwrap());
    let stored = below.put(KEY, Bytes::from_static(b"1"), &Expect::Absent).await.unwrap();
    below.append(LOG, 0, Bytes::from_static(b"abc")).await.unwrap();

    let over = Overlay::over(Some(below.clone()));
    let (body, version) = over.get(KEY).await.unwrap().unwrap();
    assert_eq!((body.as_ref(), &version), (b"1".as_ref(), &stored));
    let again = over.put(KEY, Bytes::from_static(b"2"), &Expect::Version(version)).await.unwrap();
    over.append(LOG, 3, Bytes::from_static(b"def")).await.unwrap();
    assert_eq!(over.get(KEY).await.unwrap().unwrap(), (Bytes::from_static(b"2"), again));
    assert_eq!(over.get(LOG).await.unwrap().unwrap().0.as_ref(), b"abcdef");
    let sizes: Vec<_> = over.list("tenant/").await.unwrap().into_iter().map(|entry| (entry.key, entry.size)).collect();
    assert_eq!(sizes, [(LOG.to_owned(), 6), (KEY.to_owned(), 1)]);
    over.delete(KEY).await.unwrap();
    assert_eq!(over.get(KEY).await.unwrap(), None);
    assert_eq!(over.list("tenant/w").await.unwrap(), []);

    assert_eq!(below.get(KEY).await.unwrap().unwrap().0.as_ref(), b"1");
    assert_eq!(below.get(LOG).await.unwrap().unwrap().0.as_ref(), b"abc");
}

#[tokio::test]
async fn it_judges_writes_as_a_store_does() {
    let over = Overlay::over(None);
    let conflict = |result: Result<_, StateError>| result.is_err_and(|error: StateError| error.is_conflict());
    let first = over.put(KEY, Bytes::new(), &Expect::Absent).await.unwrap();
    assert!(conflict(over.put(KEY, Bytes::new(), &Expect::Absent).await));
    over.put(KEY, Bytes::new(), &Expect::Version(first.clone())).await.unwrap();
    assert!(conflict(over.put(KEY, Bytes::new(), &Expect::Version(first)).await));
    assert!(over.append(LOG, 1, Bytes::new()).await.is_err_and(|error| error.is_conflict()));
    let lock = over.lock("tenant/lock").await.unwrap().unwrap();
    lock.renew().await.unwrap();
    lock.release().await.unwrap();
}

#[tokio::test]
async fn it_goes_on_from_what_it_first_read_whatever_is_written_below() {
    let below = Arc::new(Overlay::over(None));
    let body = |text: &'static str| Bytes::from_static(text.as_bytes());
    let stored = below.put(KEY, body("1"), &Expect::Absent).await.unwrap();
    below.append(LOG, 0, body("abc")).await.unwrap();
    let over = Overlay::over(Some(below.clone()));
    assert_eq!(over.get(KEY).await.unwrap(), Some((body("1"), stored.clone())));
    assert_eq!(over.get(LOG).await.unwrap().unwrap().0, body("abc"));
    assert_eq!(over.get("tenant/new").await.unwrap(), None);

    below.put(KEY, body("other"), &Expect::Any).await.unwrap();
    below.append(LOG, 3, body("other")).await.unwrap();
    below.put("tenant/new", body("other"), &Expect::Absent).await.unwrap();

    assert_eq!(over.get(KEY).await.unwrap(), Some((body("1"), stored.clone())));
    let sizes: Vec<_> = over.list("tenant/").await.unwrap().into_iter().map(|entry| (entry.key, entry.size)).collect();
    assert_eq!(sizes, [(LOG.to_owned(), 3), (KEY.to_owned(), 1)]);
    over.put(KEY, body("2"), &Expect::Version(stored)).await.unwrap();
    over.append(LOG, 3, body("def")).await.unwrap();
    over.put("tenant/new", body("mine"), &Expect::Absent).await.unwrap();
    assert_eq!(over.get(LOG).await.unwrap().unwrap().0, body("abcdef"));
}
