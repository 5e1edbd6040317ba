//! Memory over a store that fails when it is told to.

use std::sync::Mutex;

use async_trait::async_trait;
use time::macros::{date, datetime};

use super::*;
use crate::state::{Entry, Lock, folder::FolderStore, overlay::Overlay};

const DAY: Date = date!(2026 - 11 - 22);
const NOW: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);

/// How the next write fails.
#[derive(Debug, Clone, Copy)]
enum Failing {
    /// Nothing is written.
    Refused,
    /// It is written, and the answer is lost.
    AnswerLost,
    /// The log is full.
    Full,
    /// The log is full, and the first block of the next one is written with its answer lost.
    FullThenAnswerLost,
}

/// A folder whose next write fails.
#[derive(Debug)]
struct Flaky {
    below: FolderStore,
    next: Mutex<Option<Failing>>,
    _folder: tempfile::TempDir,
}

impl Flaky {
    fn new() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        Arc::new(Self { below: FolderStore::open(folder.path()).unwrap(), next: Mutex::default(), _folder: folder })
    }

    fn fail_next(&self, failing: Failing) {
        *self.next.lock().unwrap() = Some(failing);
    }

    fn due(&self) -> Option<Failing> {
        self.next.lock().unwrap().take()
    }

    async fn text(&self, key: &str) -> Vec<u8> {
        self.below.get(key).await.unwrap().unwrap().0.to_vec()
    }
}

fn unavailable(key: &str) -> StateError {
    StateError::Unavailable { key: key.to_owned(), reason: "HTTP 503".to_owned() }
}

#[async_trait]
impl Store for Flaky {
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        self.below.get(key).await
    }

    async fn put(&self, key: &str, body: Bytes, expect: &Expect) -> Result<Version, StateError> {
        match self.due() {
            None => self.below.put(key, body, expect).await,
            Some(Failing::AnswerLost) => {
                self.below.put(key, body, expect).await?;
                Err(unavailable(key))
            }
            Some(_) => Err(unavailable(key)),
        }
    }

    async fn append(&self, key: &str, at: u64, block: Bytes) -> Result<(), StateError> {
        match self.due() {
            None => self.below.append(key, at, block).await,
            Some(Failing::Refused) => Err(unavailable(key)),
            Some(Failing::AnswerLost) => {
                self.below.append(key, at, block).await?;
                Err(unavailable(key))
            }
            Some(Failing::Full) => Err(StateError::Full { key: key.to_owned() }),
            Some(Failing::FullThenAnswerLost) => {
                self.fail_next(Failing::AnswerLost);
                Err(StateError::Full { key: key.to_owned() })
            }
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        self.below.list(prefix).await
    }

    async fn delete(&self, key: &str) -> Result<(), StateError> {
        match self.due() {
            None => self.below.delete(key).await,
            Some(_) => Err(StateError::Denied { key: key.to_owned(), reason: "no delete".to_owned() }),
        }
    }

    async fn lock(&self, key: &str) -> Result<Option<Box<dyn Lock>>, StateError> {
        self.below.lock(key).await
    }
}

/// The pieces of logs that are loaded.
async fn loaded(memory: &Memory, now: OffsetDateTime) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    memory.load_records(now, |piece| pieces.push(Bytes::copy_from_slice(piece))).await.unwrap();
    pieces
}

#[tokio::test]
async fn a_log_of_any_length_is_loaded_piece_by_piece_and_goes_on_at_its_end() {
    for length in [0, 16, PIECE - 16, PIECE, PIECE + 16, 2 * PIECE + 7] {
        let store = Flaky::new();
        let log: Bytes = (0..length).map(|at| (at / 16 % 251) as u8).collect();
        store.append("t/records/2026-11-22.ids", 0, log.clone()).await.unwrap();
        let memory = Memory::new(store.clone(), "t");
        let pieces = loaded(&memory, NOW).await;
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE), "{length}");
        assert!(pieces.concat() == log, "{length}");
        memory.append_records(0, DAY, &[[7; 16]]).await.unwrap();
        let end = length.next_multiple_of(16);
        assert_eq!(store.text("t/records/2026-11-22.ids").await[end..], [7; 16], "{length}");
    }
}

#[tokio::test]
async fn an_append_that_failed_is_made_again_in_the_same_place() {
    for failing in [Failing::Refused, Failing::AnswerLost] {
        let store = Flaky::new();
        let memory = Memory::new(store.clone(), "t");
        memory.append_records(0, DAY, &[[1; 16]]).await.unwrap();
        store.fail_next(failing);
        memory.append_records(0, DAY, &[[2; 16], [3; 16]]).await.unwrap_err();
        memory.append_records(0, DAY, &[[2; 16], [3; 16]]).await.unwrap();
        memory.append_records(0, DAY, &[[4; 16]]).await.unwrap();
        let expected = [[1; 16], [2; 16], [3; 16], [4; 16]].concat();
        assert_eq!(store.text("t/records/2026-11-22.ids").await, expected, "{failing:?}");
    }
}

#[tokio::test]
async fn a_full_log_goes_on_in_its_next_part_also_after_a_failure_and_a_torn_write() {
    let store = Flaky::new();
    store.append("t/records/2026-11-22.ids", 0, Bytes::from_static(b"torn...")).await.unwrap();
    let memory = Memory::new(store.clone(), "t");
    assert_eq!(loaded(&memory, NOW).await.len(), 1);
    store.fail_next(Failing::FullThenAnswerLost);
    memory.append_records(0, DAY, &[[1; 16]]).await.unwrap_err();
    store.fail_next(Failing::Full);
    memory.append_records(0, DAY, &[[1; 16]]).await.unwrap();
    memory.append_records(0, DAY, &[[2; 16]]).await.unwrap();
    assert_eq!(store.text("t/records/2026-11-22.2.ids").await, [[1; 16], [2; 16]].concat(), "whole ids, each once");
    assert_eq!(store.text("t/records/2026-11-22.ids").await, b"torn...");
}

#[tokio::test]
async fn a_document_whose_answer_was_lost_is_saved_again_and_another_writer_is_noticed() {
    let store = Flaky::new();
    let memory = Memory::new(store.clone(), "t");
    let mut document = Document { refused_runs: 1, ..Document::default() };
    store.fail_next(Failing::AnswerLost);
    memory.save_document(&document).await.unwrap_err();
    memory.save_document(&document).await.unwrap();
    document.refused_runs = 2;
    memory.save_document(&document).await.unwrap();

    let other = Memory::new(store.clone(), "t");
    other.load_document(NOW).await.unwrap();
    other.save_document(&Document::default()).await.unwrap();
    let refused = memory.save_document(&document).await;
    assert!(matches!(refused, Err(StateError::Conflict { .. })), "{refused:?}");
    memory.save_document(&document).await.unwrap();
    let refused = other.save_document(&Document::default()).await;
    assert!(matches!(refused, Err(StateError::Conflict { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_log_that_was_not_there_is_known_as_well_also_after_midnight() {
    for (day, now) in [(DAY, NOW), (DAY, NOW - Duration::DAY)] {
        let store = Flaky::new();
        let memory = Memory::new(store.clone(), "t");
        assert!(loaded(&memory, now).await.is_empty());
        store.append("t/records/2026-11-22.ids", 0, Bytes::from_static(&[9; 16])).await.unwrap();
        let refused = memory.append_records(0, day, &[[2; 16]]).await;
        assert!(matches!(refused, Err(StateError::Conflict { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn ids_of_another_writer_stay_and_the_same_append_goes_behind_them() {
    let store = Flaky::new();
    let memory = Memory::new(store.clone(), "t");
    memory.append_records(0, DAY, &[[1; 16]]).await.unwrap();
    let key = "t/records/2026-11-22.ids";
    store.append(key, 16, Bytes::from_static(&[9; 32])).await.unwrap();
    let refused = memory.append_records(0, DAY, &[[2; 16]]).await;
    assert!(matches!(refused, Err(StateError::Conflict { .. })), "{refused:?}");
    memory.append_records(0, DAY, &[[2; 16]]).await.unwrap();
    assert_eq!(store.text(key).await, [[1; 16], [9; 16], [9; 16], [2; 16]].concat());
}

#[tokio::test]
async fn each_log_of_a_day_has_parts_of_its_own_and_all_are_read() {
    let store = Flaky::new();
    let memory = Memory::new(store.clone(), "t");
    assert!(loaded(&memory, NOW).await.is_empty());
    memory.append_records(1, DAY, &[[1; 16]]).await.unwrap();
    memory.append_records(0, DAY, &[[2; 16]]).await.unwrap();
    memory.append_records(1, DAY, &[[3; 16]]).await.unwrap();
    store.fail_next(Failing::Full);
    memory.append_records(1, DAY, &[[4; 16]]).await.unwrap();
    let stored = async |part: &str| store.text(&format!("t/records/2026-11-22{part}.ids")).await;
    let (first, second, third) = (stored("").await, stored(".1").await, stored(".3").await);
    assert_eq!((first, second, third), (vec![2; 16], [[1; 16], [3; 16]].concat(), vec![4; 16]));

    let later = Memory::new(store.clone(), "t");
    let mut ids = loaded(&later, NOW).await.concat().as_chunks::<16>().0.to_vec();
    ids.sort_unstable();
    assert_eq!(ids, [[1; 16], [2; 16], [3; 16], [4; 16]]);
    later.append_records(1, DAY, &[[5; 16]]).await.unwrap();
    later.append_records(0, DAY, &[[6; 16]]).await.unwrap();
    assert_eq!(stored(".3").await, [[4; 16], [5; 16]].concat());
    assert_eq!(stored("").await, [[2; 16], [6; 16]].concat());
}

#[tokio::test]
async fn the_second_part_of_a_log_of_an_earlier_version_is_read_and_continued() {
    let store = Flaky::new();
    store.append("t/records/2026-11-22.ids", 0, Bytes::from(vec![1; SMALLEST_FULL_LOG as usize])).await.unwrap();
    store.append("t/records/2026-11-22.1.ids", 0, Bytes::from_static(&[2; 16])).await.unwrap();
    let memory = Memory::new(store.clone(), "t");
    assert_eq!(loaded(&memory, NOW).await.len(), 2);
    store.fail_next(Failing::Full);
    memory.append_records(0, DAY, &[[3; 16]]).await.unwrap();
    memory.append_records(1, DAY, &[[4; 16]]).await.unwrap();
    assert_eq!(store.text("t/records/2026-11-22.1.ids").await, [[2; 16], [4; 16]].concat());
    assert_eq!(store.text("t/records/2026-11-22.2.ids").await, [3; 16]);
}

#[tokio::test]
async fn an_old_log_is_not_read_and_goes_when_it_can_be_removed() {
    let store = Flaky::new();
    for key in ["t/records/2026-11-10.ids", "t/records/2026-11-21.ids"] {
        store.append(key, 0, Bytes::from(vec![1; 16])).await.unwrap();
    }
    let memory = Memory::new(store.clone(), "t");
    assert_eq!(loaded(&memory, NOW).await.len(), 1);
    store.fail_next(Failing::Refused);
    assert!(memory.forget_old(NOW).await.is_err());
    assert_eq!(store.list("t/records/").await.unwrap().len(), 2);
    memory.forget_old(NOW).await.unwrap();
    assert_eq!(store.list("t/records/").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_document_that_was_removed_is_told_from_one_that_never_was() {
    let memory = Memory::new(Arc::new(Overlay::default()), "t");
    let loaded = memory.load_document(NOW).await.unwrap();
    assert_eq!((loaded.lost, loaded.is_absent), (None, true));
    memory.append_records(0, DAY, &[[1; 16]]).await.unwrap();
    let loaded = memory.load_document(NOW).await.unwrap();
    assert!(loaded.lost.is_some_and(|note| note.starts_with("t/watermark.json is missing")));
    memory.save_document(&Document::default()).await.unwrap();
    let loaded = memory.load_document(NOW).await.unwrap();
    assert_eq!((loaded.lost, loaded.is_absent), (None, false));
}

#[tokio::test]
async fn contents_of_days_beyond_the_feed_are_forgotten() {
    let store = Arc::new(Overlay::default());
    let memory = Memory::new(store.clone(), "t");
    for day in [date!(2026 - 11 - 13), date!(2026 - 11 - 14), DAY] {
        memory.append_contents(ContentType::General, day, &[[1; 16]]).await.unwrap();
    }
    memory.forget_old(NOW).await.unwrap();
    let left: Vec<_> = store.list("t/").await.unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(left, ["t/contents/Audit.General/2026-11-14.ids", "t/contents/Audit.General/2026-11-22.ids"]);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_set_aside_and_told_of() {
    let store = Arc::new(Overlay::default());
    let memory = Memory::new(store.clone(), "t");
    assert_eq!(memory.load_document(NOW).await.unwrap().lost, None);
    store.put("t/watermark.json", Bytes::from_static(b"{"), &Expect::Any).await.unwrap();
    let loaded = memory.load_document(NOW).await.unwrap();
    assert_eq!(loaded.document, Document::default());
    assert!(loaded.lost.unwrap().contains("t/watermark.json.unreadable-"));
    memory.save_document(&Document::default()).await.unwrap();
}

#[test]
fn log_names_tell_their_day_and_part() {
    for (name, expected) in [
        ("2026-11-22.ids", Some((date!(2026 - 11 - 22), 0))),
        ("2026-11-22.3.ids", Some((date!(2026 - 11 - 22), 3))),
        ("2026-11-22.x.ids", None),
        ("watermark.json", None),
    ] {
        assert_eq!(day_and_part(name), expected, "{name}");
    }
    assert_eq!(part_key(&day_name(date!(2026 - 01 - 02)), 1), "2026-01-02.1.ids");
}

#[tokio::test]
async fn a_read_that_is_slower_than_an_append_does_not_set_the_log_back() {
    let (memory, day) = (Memory::new(Arc::new(Overlay::default()), "t"), date!(2026 - 11 - 22));
    memory.append_contents(ContentType::General, day, &[[1; 16]]).await.unwrap();
    // What it saw was the log before the append.
    memory.ends(memory.contents_log(ContentType::General, day), Log::default());
    memory.append_contents(ContentType::General, day, &[[2; 16]]).await.unwrap();
    assert_eq!(memory.load_contents(ContentType::General, day).await.unwrap().concat().len(), 32);
}
