//! `status`: by the state and the feed, without changing either.

use std::{collections::BTreeMap, fs, path::Path};

use labelstream::{
    state::{Store, blob::BlobStore, connection::StorageAccount, folder::FolderStore},
    watermark::Memory,
};
use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, Spoil, When};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::{azurite::Azurite, shell::Shell};

/// Every file below a folder, with what is in it and when it was written.
fn files(folder: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let written = path.metadata().unwrap().modified().unwrap();
            found.insert(path.to_str().unwrap().to_owned(), (fs::read(&path).unwrap(), written));
        }
    }
    found
}

/// A tenant with three delivered contents and one that cannot be read, and the folder of its state.
async fn pulled() -> (Shell, std::path::PathBuf) {
    let shell = Shell::with_contents(3).await;
    let created = OffsetDateTime::now_utc() - Duration::minutes(50);
    let bad = shell.simulator.publish(ContentType::General, created, 1, 0);
    let spoil = Fault::new(Endpoint::Retrieve, When::Always, Effect::Spoil(Spoil::Object)).matching(&*bad.id);
    shell.simulator.fault(spoil).unwrap();
    let (status, _, said) = shell.run(&["pull", "--state", "state"]).await;
    assert_eq!(status, 0, "{said}");
    let state = shell.folder.path().join("state");
    (shell, state)
}

async fn told(shell: &Shell, arguments: &[&str]) -> Value {
    let (status, text, said) = shell.run(&[&["status", "--json"], arguments].concat()).await;
    assert_eq!(status, 0, "{said}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_what_is_left_and_changes_nothing() {
    let (shell, state) = pulled().await;
    let before = files(&state);
    let (status, text, said) = shell.run(&["status", "--state", "state"]).await;
    assert_eq!((status, said.as_str()), (0, ""));
    for part in [
        "healthy\n  note: 1 content of Audit.General failed, to be tried again.\n",
        "lag            5", // 50 minutes and some seconds
        "under way      no run",
        "dead letters   0",
        "last run       Unfinished 20",
        "subscription    enabled",
        "pending         1, the oldest of 20",
        "last accepted  20",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let told = told(&shell, &["--state", "state"]).await;
    let general = &told["contentTypes"]["Audit.General"];
    assert_eq!((&general["pending"], &general["subscription"]), (&json!(1), &json!("enabled")));
    let lag = told["lagSeconds"].as_i64().unwrap();
    assert!((3_000..3_300).contains(&lag), "{told:#}");
    assert!(told["contentTypes"]["Audit.Exchange"]["lagSeconds"].as_i64().unwrap() < 300, "{told:#}");
    assert_eq!(files(&state), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_run_it_says_so() {
    let shell = Shell::with_contents(0).await;
    fs::create_dir(shell.folder.path().join("state")).unwrap();
    let (status, text, _) = shell.run(&["status", "--state", "state"]).await;
    assert_eq!(status, 0);
    assert!(text.contains("never listed") && text.contains("No run has ended yet"), "{text}");
    let (status, _, said) = shell.run(&["status", "--state", "nowhere"]).await;
    assert_eq!(status, 2, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_under_way_and_the_last_ones_are_told() {
    let (shell, state) = pulled().await;
    let away = Fault::new(Endpoint::List, When::Always, Effect::af("AF20010"));
    shell.simulator.fault(away).unwrap();
    let (status, _, said) = shell.run(&["pull", "--state", "state"]).await;
    assert_eq!(status, 1, "{said}");
    shell.simulator.clear_faults();
    let store = FolderStore::open(&state).unwrap();
    let lock = store.lock(&Memory::lock_key(&shell.simulator.tenant().id)).await.unwrap().unwrap();
    let (_, text, _) = shell.run(&["status", "--state", "state"]).await;
    for part in [
        "under way      a run holds the lock",
        "last run       Failed 20",
        "note: The last run failed, others before it did not: ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    lock.renew().await.unwrap();
    lock.release().await.unwrap();
    let told = told(&shell, &["--state", "state"]).await;
    let outcomes: Vec<_> =
        told["runs"].as_array().unwrap().iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    assert_eq!((&told["runUnderWay"], outcomes), (&json!(false), vec!["Unfinished", "Failed"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_asks_nobody() {
    let (shell, _) = pulled().await;
    let before = shell.simulator.requests();
    let told = told(&shell, &["--state", "state", "--offline"]).await;
    assert_eq!(told["contentTypes"]["Audit.General"]["subscription"], "enabled", "as the run found it");
    assert_eq!(shell.simulator.requests().by_endpoint, before.by_endpoint);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_fails_is_told_beside_what_the_state_says() {
    let (shell, _) = pulled().await;
    shell.simulator.fault(Fault::new(Endpoint::Subscriptions, When::Always, Effect::af("AF20010"))).unwrap();
    let (status, text, _) = shell.run(&["status", "--state", "state"]).await;
    assert_eq!(status, 1, "{text}");
    assert!(
        text.contains("pending         1, ") && text.contains("problem: The subscriptions could not be listed: "),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_container_the_lock_is_looked_at_and_nothing_is_made() {
    let mut shell = Shell::with_contents(2).await;
    let container = format!("status-{}", std::process::id());
    let account = Azurite::shared().connection_string();
    shell.settings = vec![("AzureWebJobsStorage", account.clone()), ("STATE_CONTAINER", container.clone())];
    let told_before = told(&shell, &[]).await;
    assert_eq!(told_before["lagSeconds"], Value::Null);
    let store = BlobStore::open(&StorageAccount::from_connection_string(&account).unwrap(), &container, None).unwrap();
    assert_eq!(store.list("").await.unwrap(), []);
    let lock = store.lock(&Memory::lock_key(&shell.simulator.tenant().id)).await.unwrap().unwrap();
    assert_eq!(told(&shell, &[]).await["runUnderWay"], json!(true));
    lock.renew().await.unwrap();
    lock.release().await.unwrap();
    let (status, _, said) = shell.run(&["pull"]).await;
    assert_eq!(status, 0, "{said}");
    let told = told(&shell, &[]).await;
    assert_eq!((&told["runUnderWay"], &told["deadLetters"]["number"]), (&json!(false), &json!(0)));
    assert!(told["lagSeconds"].as_i64().unwrap() < 300, "{told:#}");
}
