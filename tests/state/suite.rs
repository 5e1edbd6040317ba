//! What every store must do.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use labelstream::state::{Entry, Expect, StateError, Store, Version};
use time::{Duration, OffsetDateTime};

/// Somewhere that state can lie, empty at first.
#[async_trait]
pub trait Place: Send + Sync {
    /// A store there; each call gives another handle.
    fn open(&self) -> Box<dyn Store>;

    /// Removes the container or folder with all that is in it.
    async fn remove(&self);
}

/// Makes a test of each function of the suite, on the place that `$place` makes.
macro_rules! suite {
    ($place:expr) => {
        $crate::suite::suite!($place;
            what_is_missing_is_nothing, a_key_is_made_once, only_the_current_version_is_replaced,
            a_version_of_nothing_is_not_replaced, anything_is_replaced_where_any_is_expected,
            one_of_sixteen_writers_wins, bodies_of_any_size_come_back, a_log_is_read_part_by_part, a_log_grows_at_its_end_only,
            a_repeated_append_is_recognised, an_empty_block_adds_nothing, a_long_block_is_appended_whole,
            one_of_eight_appenders_wins, a_listing_has_all_that_begins_so, what_is_deleted_is_gone, a_write_has_a_time,
            odd_characters_are_no_trouble, keys_that_leave_the_place_are_refused,
            a_lock_has_one_holder, who_looks_on_takes_no_lock, one_of_eight_takes_a_new_lock, a_removed_place_is_made_again,
        );
    };
    ($place:expr; $($name:ident),* $(,)?) => {
        mod suite {
            $(
                #[tokio::test]
                async fn $name() {
                    $crate::suite::$name(&$place).await;
                }
            )*
        }
    };
}
pub(crate) use suite;

const KEY: &str = "tenant/watermark.json";

async fn body(store: &dyn Store, key: &str) -> Option<Bytes> {
    store.get(key).await.unwrap().map(|(body, _)| body)
}

fn is_conflict<T: std::fmt::Debug>(result: Result<T, StateError>) -> bool {
    matches!(result, Err(error) if error.is_conflict() && !error.is_retryable())
}

/// `length` bytes in which every stretch is another.
fn noise(length: usize) -> Bytes {
    let mut random = fastrand::Rng::with_seed(length as u64);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

pub async fn what_is_missing_is_nothing(place: &impl Place) {
    let store = place.open();
    assert_eq!(body(&*store, KEY).await, None);
    assert_eq!(store.list("").await.unwrap(), []);
    store.delete(KEY).await.unwrap();
    assert!(is_conflict(store.append(KEY, 3, "x".into()).await));
    assert_eq!(body(&*store, KEY).await, None);
}

pub async fn a_key_is_made_once(place: &impl Place) {
    let store = place.open();
    let version = store.put(KEY, "one".into(), &Expect::Absent).await.unwrap();
    assert!(is_conflict(store.put(KEY, "two".into(), &Expect::Absent).await));
    assert!(is_conflict(store.put(KEY, "one".into(), &Expect::Absent).await), "the same body, but not the same write");
    assert_eq!(store.get(KEY).await.unwrap(), Some(("one".into(), version)));
}

pub async fn only_the_current_version_is_replaced(place: &impl Place) {
    let (store, other) = (place.open(), place.open());
    let first = store.put(KEY, "one".into(), &Expect::Absent).await.unwrap();
    let second = other.put(KEY, "two".into(), &Expect::Version(first.clone())).await.unwrap();
    assert_ne!(first, second);
    assert!(is_conflict(store.put(KEY, "three".into(), &Expect::Version(first)).await));
    assert_eq!(store.get(KEY).await.unwrap(), Some(("two".into(), second.clone())));
    let third = store.put(KEY, "three".into(), &Expect::Version(second)).await.unwrap();
    assert_eq!(other.get(KEY).await.unwrap(), Some(("three".into(), third)));
}

pub async fn a_version_of_nothing_is_not_replaced(place: &impl Place) {
    let store = place.open();
    let version = store.put(KEY, "one".into(), &Expect::Any).await.unwrap();
    store.delete(KEY).await.unwrap();
    assert!(is_conflict(store.put(KEY, "two".into(), &Expect::Version(version)).await));
    assert_eq!(body(&*store, KEY).await, None);
}

pub async fn anything_is_replaced_where_any_is_expected(place: &impl Place) {
    let store = place.open();
    for text in ["one", "two", "two"] {
        let version = store.put(KEY, text.into(), &Expect::Any).await.unwrap();
        assert_eq!(store.get(KEY).await.unwrap(), Some((text.into(), version)));
    }
}

pub async fn one_of_sixteen_writers_wins(place: &impl Place) {
    let stores: Vec<_> = (0..16).map(|_| place.open()).collect();
    let version = stores[0].put(KEY, "start".into(), &Expect::Absent).await.unwrap();
    let expect = Expect::Version(version);
    let results = join_all(
        stores.iter().enumerate().map(|(writer, store)| store.put(KEY, format!("writer {writer}").into(), &expect)),
    )
    .await;
    let won: Vec<(usize, &Version)> =
        results.iter().enumerate().filter_map(|(writer, result)| Some((writer, result.as_ref().ok()?))).collect();
    let [(winner, version)] = won[..] else { panic!("not one winner: {results:?}") };
    let stored = stores[0].get(KEY).await.unwrap().unwrap();
    assert_eq!(stored, (format!("writer {winner}").into(), version.clone()));
    assert_eq!(results.into_iter().filter(|result| matches!(result, Err(StateError::Conflict { .. }))).count(), 15);
}

pub async fn bodies_of_any_size_come_back(place: &impl Place) {
    let store = place.open();
    // Nothing, a mebibyte, and more than one request takes.
    for size in [0, 1, 1024 * 1024, 9 * 1024 * 1024 + 1] {
        let first = store.put(KEY, noise(size), &Expect::Any).await.unwrap();
        assert_eq!(store.get(KEY).await.unwrap(), Some((noise(size), first.clone())), "{size} bytes");
        let second = store.put(KEY, noise(size + 1), &Expect::Version(first.clone())).await.unwrap();
        assert!(is_conflict(store.put(KEY, noise(size), &Expect::Version(first)).await), "{size} bytes");
        assert_eq!(store.get(KEY).await.unwrap(), Some((noise(size + 1), second)), "{size} bytes");
    }
}

pub async fn a_log_is_read_part_by_part(place: &impl Place) {
    let store = place.open();
    let log = noise(1_000);
    assert_eq!(store.get_part("t/1.ids", 0, 10).await.unwrap(), None);
    store.append("t/1.ids", 0, log.clone()).await.unwrap();
    for (from, most, part) in [
        (0, 1_000, Some(0..1_000)),
        (0, 400, Some(0..400)),
        (400, 400, Some(400..800)),
        (800, 400, Some(800..1_000)),
        (0, usize::MAX >> 1, Some(0..1_000)),
        (1_000, 400, None),
        (5_000, 400, None),
    ] {
        let stored = store.get_part("t/1.ids", from, most).await.unwrap();
        assert_eq!(stored, part.map(|part| log.slice(part)), "{from} {most}");
    }
    store.append("t/2.ids", 0, Bytes::new()).await.unwrap();
    assert_eq!(store.get_part("t/2.ids", 0, 10).await.unwrap(), None, "an empty log");
}

pub async fn a_log_grows_at_its_end_only(place: &impl Place) {
    let store = place.open();
    store.append("sent/log", 0, "one\n".into()).await.unwrap();
    store.append("sent/log", 4, "two\n".into()).await.unwrap();
    for at in [0, 3, 5, 9, 1_000_000, u64::MAX] {
        assert!(is_conflict(store.append("sent/log", at, "three\n".into()).await), "at {at}");
    }
    assert_eq!(body(&*store, "sent/log").await.unwrap(), "one\ntwo\n");
    store.append("sent/log", 8, "three\n".into()).await.unwrap();
    assert_eq!(body(&*place.open(), "sent/log").await.unwrap(), "one\ntwo\nthree\n");
}

pub async fn a_repeated_append_is_recognised(place: &impl Place) {
    let store = place.open();
    for _ in 0..2 {
        store.append("log", 0, "one\n".into()).await.unwrap();
    }
    for _ in 0..3 {
        place.open().append("log", 4, "two\n".into()).await.unwrap();
    }
    assert!(is_conflict(store.append("log", 4, "2.0\n".into()).await), "as long, but another block");
    assert!(is_conflict(store.append("log", 0, "one\n".into()).await), "not the last block");
    assert_eq!(body(&*store, "log").await.unwrap(), "one\ntwo\n");
}

pub async fn an_empty_block_adds_nothing(place: &impl Place) {
    let store = place.open();
    store.append("log", 0, Bytes::new()).await.unwrap();
    assert_eq!(body(&*store, "log").await.unwrap(), "");
    store.append("log", 0, "one".into()).await.unwrap();
    store.append("log", 3, Bytes::new()).await.unwrap();
    assert!(is_conflict(store.append("log", 2, Bytes::new()).await));
    assert_eq!(body(&*store, "log").await.unwrap(), "one");
}

pub async fn a_long_block_is_appended_whole(place: &impl Place) {
    let store = place.open();
    let block = noise(9 * 1024 * 1024);
    for _ in 0..2 {
        store.append("log", 0, block.clone()).await.unwrap();
    }
    store.append("log", block.len() as u64, "end".into()).await.unwrap();
    assert_eq!(body(&*store, "log").await.unwrap(), [&block[..], b"end"].concat());
}

pub async fn one_of_eight_appenders_wins(place: &impl Place) {
    let stores: Vec<_> = (0..8).map(|_| place.open()).collect();
    let blocks: Vec<Bytes> = (0..8).map(|writer| format!("writer {writer}\n").into()).collect();
    let results =
        join_all(stores.iter().zip(&blocks).map(|(store, block)| store.append("log", 0, block.clone()))).await;
    let won: Vec<&Bytes> =
        blocks.iter().zip(&results).filter(|(_, result)| result.is_ok()).map(|(block, _)| block).collect();
    assert_eq!(won.len(), 1, "{results:?}");
    assert_eq!(body(&*stores[0], "log").await.as_ref(), Some(won[0]));
    assert_eq!(results.into_iter().filter(|result| matches!(result, Err(StateError::Conflict { .. }))).count(), 7);
}

pub async fn a_listing_has_all_that_begins_so(place: &impl Place) {
    let store = place.open();
    for (key, body) in [("b/2", "xx"), ("a", ""), ("b/10", "x"), ("b2", "xxx"), ("b/c/d", "xxxx"), ("c", "x")] {
        store.put(key, body.into(), &Expect::Absent).await.unwrap();
    }
    store.append("b/log", 0, "xxxxx".into()).await.unwrap();
    let lock = store.lock("b/run").await.unwrap().unwrap();
    let entry = |key: &str, size| Entry { key: key.to_owned(), size };
    let below = [entry("b/10", 1), entry("b/2", 2), entry("b/c/d", 4), entry("b/log", 5)];
    assert_eq!(store.list("b/").await.unwrap(), below);
    assert_eq!(store.list("b/c").await.unwrap(), below[2..3]);
    assert_eq!(store.list("x").await.unwrap(), []);
    for most in 0..6 {
        assert_eq!(store.list_some("b/", most).await.unwrap(), below[..most.min(4)]);
    }
    assert_eq!(
        store.list("").await.unwrap(),
        [&[entry("a", 0)], &below[..], &[entry("b2", 3), entry("c", 1)]].concat()
    );
    lock.release().await.unwrap();
}

pub async fn what_is_deleted_is_gone(place: &impl Place) {
    let store = place.open();
    store.put(KEY, "one".into(), &Expect::Any).await.unwrap();
    store.append("log", 0, "one".into()).await.unwrap();
    for key in [KEY, "log", KEY] {
        store.delete(key).await.unwrap();
        assert_eq!(body(&*store, key).await, None);
    }
    assert_eq!(store.list("").await.unwrap(), []);
    store.append("log", 0, "two".into()).await.unwrap();
    assert_eq!(body(&*store, "log").await.unwrap(), "two");
}

pub async fn a_write_has_a_time(place: &impl Place) {
    let store = place.open();
    assert_eq!(store.modified(KEY).await.unwrap(), None);
    let begun = OffsetDateTime::now_utc() - Duration::seconds(1);
    store.put(KEY, "a".into(), &Expect::Any).await.unwrap();
    let first = store.modified(KEY).await.unwrap().unwrap();
    assert!(begun <= first && first <= OffsetDateTime::now_utc() + Duration::seconds(1), "{first}");
    assert_eq!(place.open().modified(KEY).await.unwrap(), Some(first), "reading changes nothing");
    store.delete(KEY).await.unwrap();
    assert_eq!(store.modified(KEY).await.unwrap(), None);
}

pub async fn odd_characters_are_no_trouble(place: &impl Place) {
    let store = place.open();
    for key in ["a b/ü&=+%25?#[1]'.json", "a:b/~(x)@$,;!*", "%2e%2e/x"] {
        let version = store.put(key, key.to_owned().into(), &Expect::Absent).await.unwrap();
        assert_eq!(store.get(key).await.unwrap(), Some((key.to_owned().into(), version)));
        assert_eq!(store.list(key).await.unwrap(), [Entry { key: key.to_owned(), size: key.len() as u64 }]);
        store.lock(key).await.unwrap().unwrap().release().await.unwrap();
        store.delete(key).await.unwrap();
        store.append(key, 0, "log".into()).await.unwrap();
        assert_eq!(body(&*store, key).await.unwrap(), "log");
    }
    assert_eq!(store.list("").await.unwrap().len(), 3);
}

pub async fn keys_that_leave_the_place_are_refused(place: &impl Place) {
    let store = place.open();
    for key in ["../outside", "a/../../outside", "/etc/outside", "", "a//b", "run.lock", ".busy"] {
        let denied = |result: Result<(), StateError>| matches!(result, Err(StateError::Denied { .. }));
        assert!(denied(store.get(key).await.map(drop)), "{key}");
        assert!(denied(store.put(key, "x".into(), &Expect::Any).await.map(drop)), "{key}");
        assert!(denied(store.append(key, 0, "x".into()).await), "{key}");
        assert!(denied(store.delete(key).await), "{key}");
        assert!(denied(store.lock(key).await.map(drop)), "{key}");
    }
    assert_eq!(store.list("").await.unwrap(), []);
}

pub async fn a_lock_has_one_holder(place: &impl Place) {
    let (store, other) = (place.open(), place.open());
    let lock = store.lock("run").await.unwrap().unwrap();
    for second in [&store, &other] {
        assert!(second.lock("run").await.unwrap().is_none());
    }
    assert!(other.lock("another").await.unwrap().is_some());
    lock.renew().await.unwrap();
    assert!(other.lock("run").await.unwrap().is_none());
    lock.release().await.unwrap();

    let next = other.lock("run").await.unwrap().unwrap();
    assert!(matches!(lock.renew().await, Err(StateError::LockLost { key }) if key == "run"));
    assert!(matches!(lock.release().await, Err(StateError::LockLost { .. })));
    assert!(store.lock("run").await.unwrap().is_none(), "the old holder has not freed the new one's");
    next.renew().await.unwrap();
    next.release().await.unwrap();
}

pub async fn who_looks_on_takes_no_lock(place: &impl Place) {
    let store = place.open();
    assert!(!store.is_locked("run").await.unwrap());
    assert_eq!(store.list("").await.unwrap(), []);
    let lock = store.lock("run").await.unwrap().unwrap();
    for other in [&store, &place.open()] {
        assert!(other.is_locked("run").await.unwrap());
        assert!(!other.is_locked("another").await.unwrap());
    }
    lock.renew().await.unwrap();
    lock.release().await.unwrap();
    assert!(!store.is_locked("run").await.unwrap());
    store.lock("run").await.unwrap().unwrap().release().await.unwrap();
}

pub async fn one_of_eight_takes_a_new_lock(place: &impl Place) {
    let stores: Vec<_> = (0..8).map(|_| place.open()).collect();
    let locks = join_all(stores.iter().map(|store| store.lock("run"))).await;
    let held: Vec<_> = locks.into_iter().filter_map(|lock| lock.unwrap()).collect();
    assert_eq!(held.len(), 1);
    held[0].renew().await.unwrap();
}

pub async fn a_removed_place_is_made_again(place: &impl Place) {
    let store = place.open();
    store.put(KEY, "one".into(), &Expect::Absent).await.unwrap();
    let lock = store.lock("run").await.unwrap().unwrap();
    place.remove().await;
    assert_eq!(body(&*store, KEY).await, None);
    assert_eq!(store.list("").await.unwrap(), []);
    store.delete(KEY).await.unwrap();
    assert!(matches!(lock.renew().await, Err(StateError::LockLost { .. })));

    store.put(KEY, "two".into(), &Expect::Absent).await.unwrap();
    assert_eq!(body(&*store, KEY).await.unwrap(), "two");
    place.remove().await;
    store.append("log", 0, "one".into()).await.unwrap();
    assert_eq!(body(&*store, "log").await.unwrap(), "one");
    place.remove().await;
    store.lock("run").await.unwrap().unwrap().release().await.unwrap();
}
