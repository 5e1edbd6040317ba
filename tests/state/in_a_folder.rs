//! A folder: what a kill leaves behind, and what other processes see.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use labelstream::state::{Expect, Store, folder::FolderStore};
use tempfile::TempDir;

use crate::suite::{Place, suite};

suite!(super::Folder::new());

/// A folder of its own.
pub struct Folder {
    above: TempDir,
}

impl Folder {
    pub fn new() -> Self {
        Self { above: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.above.path().join("state")
    }
}

#[async_trait]
impl Place for Folder {
    fn open(&self) -> Box<dyn Store> {
        Box::new(FolderStore::open(self.path()).unwrap())
    }

    async fn remove(&self) {
        fs::remove_dir_all(self.path()).unwrap();
    }
}

/// Names the folder to a test that runs again as another process.
const CHILD_FOLDER: &str = "LABELSTREAM_TEST_CHILD_FOLDER";

/// The folder, in a process that [`Other::start`] started.
fn child_folder() -> Option<PathBuf> {
    env::var_os(CHILD_FOLDER).map(PathBuf::from)
}

/// This test in another process, which is killed at the end.
struct Other {
    process: Child,
    says: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(test: &str, folder: &Path) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", &format!("in_a_folder::{test}"), "--nocapture"])
            .env(CHILD_FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, says }
    }

    /// Waits until it has said `word` so often.
    fn hear(&mut self, word: &str, times: usize) {
        let heard = self.says.by_ref().map_while(Result::ok).filter(|line| line.contains(word)).take(times).count();
        assert_eq!(heard, times, "the other process ended before it said {word:?}");
    }

    /// SIGKILL: it has no chance to clean up.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn a_lock_ends_with_its_process() {
    if let Some(folder) = child_folder() {
        let _lock = FolderStore::open(folder).unwrap().lock("tenant/run").await.unwrap().unwrap();
        println!("lock is held");
        return std::future::pending().await;
    }
    let place = Folder::new();
    let store = place.open();
    let mut other = Other::start("a_lock_ends_with_its_process", &place.path());
    other.hear("lock is held", 1);
    assert!(store.lock("tenant/run").await.unwrap().is_none());
    other.kill();
    store.lock("tenant/run").await.unwrap().expect("nobody holds it").renew().await.unwrap();
}

#[tokio::test]
async fn a_lock_ends_with_its_handle() {
    let place = Folder::new();
    let lock = place.open().lock("run").await.unwrap().unwrap();
    assert!(place.open().lock("run").await.unwrap().is_none());
    drop(lock);
    assert!(place.open().lock("run").await.unwrap().is_some());
}

#[tokio::test]
async fn a_killed_appender_leaves_whole_blocks() {
    const BLOCK: usize = 1024 * 1024;
    let block = |index: usize| Bytes::from(vec![index as u8; BLOCK]);
    if let Some(folder) = child_folder() {
        let store = FolderStore::open(folder).unwrap();
        for index in 0..200 {
            store.append("log", (index * BLOCK) as u64, block(index)).await.unwrap();
            println!("block is appended");
        }
        return;
    }
    let place = Folder::new();
    let mut other = Other::start("a_killed_appender_leaves_whole_blocks", &place.path());
    other.hear("block is appended", 3);
    other.kill();

    let store = place.open();
    let (log, _) = store.get("log").await.unwrap().unwrap();
    let blocks = log.len() / BLOCK;
    assert!(blocks >= 3 && log.len() == blocks * BLOCK, "{} bytes", log.len());
    assert!((0..blocks).all(|index| log[index * BLOCK..][..BLOCK] == block(index)));
    store.append("log", log.len() as u64, "end".into()).await.unwrap();
}

#[tokio::test]
async fn the_beginning_of_a_block_is_never_read() {
    let place = Folder::new();
    let store = place.open();
    store.append("a/log", 0, "one\n".into()).await.unwrap();
    // What a kill leaves in the middle of `append("a/log", 4, "two\n")`.
    let note = format!(r#"{{"key":"a/log","at":4,"length":4,"digest":"{}"}}"#, "0".repeat(64));
    for torn in ["one\n", "one\ntw", "one\ntwo?"] {
        fs::write(place.path().join("a/log"), torn).unwrap();
        fs::write(place.path().join(".append"), &note).unwrap();
        assert_eq!(store.get("a/log").await.unwrap().unwrap().0, "one\n");
        assert!(!place.path().join(".append").exists());
    }
    store.append("a/log", 4, "two\n".into()).await.unwrap();
    assert_eq!(store.get("a/log").await.unwrap().unwrap().0, "one\ntwo\n");
}

#[tokio::test]
async fn processes_take_turns() {
    const TURNS: usize = 20;
    if let Some(folder) = child_folder() {
        let store = FolderStore::open(folder).unwrap();
        let mut turns = 0;
        while turns < TURNS {
            let (body, version) = store.get("count").await.unwrap().unwrap();
            let count: usize = str::from_utf8(&body).unwrap().parse().unwrap();
            match store.put("count", (count + 1).to_string().into(), &Expect::Version(version)).await {
                Ok(_) => turns += 1,
                Err(error) => assert!(error.is_conflict(), "{error}"),
            }
        }
        println!("turns are taken");
        return;
    }
    let place = Folder::new();
    let store = place.open();
    store.put("count", "0".into(), &Expect::Absent).await.unwrap();
    let mut others: Vec<_> = (0..3).map(|_| Other::start("processes_take_turns", &place.path())).collect();
    for other in &mut others {
        other.hear("turns are taken", 1);
    }
    assert_eq!(store.get("count").await.unwrap().unwrap().0, (3 * TURNS).to_string());
    others.into_iter().for_each(Other::kill);
}

#[tokio::test]
async fn what_a_killed_writer_left_is_overwritten() {
    let place = Folder::new();
    let store = place.open();
    fs::write(place.path().join(".new"), "the longer beginning of a body that was never put in its place").unwrap();
    store.put("watermark.json", "short".into(), &Expect::Absent).await.unwrap();
    assert_eq!(store.get("watermark.json").await.unwrap().unwrap().0, "short");
    assert_eq!(store.list("").await.unwrap().len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Folder::new();
    let store = place.open();
    store.put("a/b/c", "x".into(), &Expect::Any).await.unwrap();
    store.append("a/log", 0, "x".into()).await.unwrap();
    let _lock = store.lock("a/run").await.unwrap().unwrap();
    let mode = |path: &str| fs::metadata(place.path().join(path)).unwrap().permissions().mode() & 0o777;
    for folder in ["", "a", "a/b"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
    for file in ["a/b/c", "a/log", "a/run.lock", ".busy"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[tokio::test]
async fn an_error_names_the_key_and_the_path() {
    let place = Folder::new();
    let store = place.open();
    store.put("a", "a file where a folder would have to be".into(), &Expect::Any).await.unwrap();
    let error = store.put("a/b", "x".into(), &Expect::Any).await.unwrap_err();
    let path = place.path().join("a/b");
    assert!(error.to_string().starts_with("a/b: cannot write") && error.to_string().contains(path.to_str().unwrap()));
    let error = FolderStore::open(place.path().join("a")).unwrap_err();
    assert!(error.to_string().starts_with("the state folder: cannot make"), "{error}");
}

/// Whoever asks for the status looks at the lock, by holding it together with others for a moment, and must not cost a run
/// that begins at that moment.
#[tokio::test(flavor = "multi_thread")]
async fn who_looks_on_never_costs_a_run_its_lock() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::open(folder.path()).unwrap();
    store.lock("run").await.unwrap().unwrap().release().await.unwrap();
    let (done, path) = (Arc::new(AtomicBool::new(false)), folder.path().join("run.lock"));
    let until = Arc::clone(&done);
    // As `is_locked` does, and nothing else.
    let looking = std::thread::spawn(move || {
        while !until.load(Ordering::Relaxed) {
            match fs::File::open(&path).unwrap().try_lock_shared() {
                Ok(()) | Err(fs::TryLockError::WouldBlock) => {}
                Err(fs::TryLockError::Error(error)) => panic!("{error}"),
            }
        }
    });
    let mut lost = 0;
    for _ in 0..300 {
        match store.lock("run").await.unwrap() {
            Some(lock) => lock.release().await.unwrap(),
            None => lost += 1,
        }
    }
    done.store(true, Ordering::Relaxed);
    looking.join().unwrap();
    assert_eq!(lost, 0);
}
