//! The state: what a run does with it, on blobs of its own that no run looks at.

use bytes::Bytes;
use uuid::Uuid;

use super::{Check, Finding};
use crate::state::{Expect, StateError, Store};

/// What is done with the store, by name.
struct Refused {
    step: &'static str,
    error: StateError,
}

/// Makes a blob and a log, reads, lists and removes them, and takes a lock. `place` is what people call the store.
pub(super) async fn examine(store: &dyn Store, place: &str) -> Vec<Finding> {
    let key = format!("doctor-{}", Uuid::new_v4());
    let rights = match rights(store, &key).await {
        Ok(()) => Finding::ok(Check::State, format!("{place}: made, read, appended, listed and removed a small blob")),
        Err(refused) => failed(Check::State, place, &refused),
    };
    if !rights.carries() {
        return vec![rights, Finding::because(Check::Lease, Check::State)];
    }
    let lease = match lease(store, &key).await {
        Ok(()) => Finding::ok(Check::Lease, "taken, renewed and given back"),
        Err(refused) => failed(Check::Lease, place, &refused),
    };
    vec![rights, lease]
}

async fn rights(store: &dyn Store, key: &str) -> Result<(), Refused> {
    let log = format!("{key}-log");
    let used = use_both(store, key, &log).await;
    // Whatever came of it, nothing is left behind; the first refusal is the one to tell.
    let removed = [store.delete(key).await, store.delete(&log).await].into_iter().collect::<Result<(), _>>();
    used?;
    removed.map_err(|error| Refused { step: "removing a blob", error })
}

async fn use_both(store: &dyn Store, key: &str, log: &str) -> Result<(), Refused> {
    let at = |step| move |error| Refused { step, error };
    let body = Bytes::from_static(b"labelstream doctor");
    store.put(key, body.clone(), &Expect::Absent).await.map_err(at("making a blob"))?;
    let read = store.get(key).await.map_err(at("reading a blob"))?;
    if read.is_none_or(|(read, _)| read != body) {
        return Err(Refused { step: "reading a blob", error: unlike(key, "what was read is not what was written") });
    }
    store.append(log, 0, body).await.map_err(at("appending to a blob"))?;
    let listed = store.list(key).await.map_err(at("listing blobs"))?;
    if listed.len() != 2 {
        return Err(Refused { step: "listing blobs", error: unlike(key, "what was written is not listed") });
    }
    Ok(())
}

async fn lease(store: &dyn Store, key: &str) -> Result<(), Refused> {
    let at = |step| move |error| Refused { step, error };
    let taken = async {
        let lock = store.lock(key).await.map_err(at("taking a lock"))?;
        let error = || unlike(key, "a lock that nobody can hold is held");
        let lock = lock.ok_or_else(|| Refused { step: "taking a lock", error: error() })?;
        lock.renew().await.map_err(at("renewing a lock"))?;
        lock.release().await.map_err(at("giving a lock back"))
    }
    .await;
    let removed = store.remove_lock(key).await;
    taken?;
    removed.map_err(at("removing a lock"))
}

fn unlike(key: &str, reason: &str) -> StateError {
    StateError::Unavailable { key: key.to_owned(), reason: reason.to_owned() }
}

/// The storage's own advice is after the last `; ` of a denial.
fn failed(check: Check, place: &str, Refused { step, error }: &Refused) -> Finding {
    let (said, advice) = match error {
        StateError::Denied { reason, .. } => match reason.split_once("; ") {
            Some((said, advice)) => (said.to_owned(), Some(advice.to_owned())),
            None => (reason.clone(), None),
        },
        StateError::Unavailable { reason, .. } => (reason.clone(), None),
        other => (other.to_string(), None),
    };
    let fix = advice.unwrap_or_else(|| {
        "Check that the storage account of AzureWebJobsStorage (or the folder of --state) is there and can be reached \
         from here"
            .to_owned()
    });
    Finding::failed(check, format!("{place}: {step}: {said}"), fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{doctor::Verdict, state::folder::FolderStore};

    #[tokio::test]
    async fn a_folder_that_may_be_written_to_is_well_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        let findings = examine(&store, "the folder").await;
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Ok), "{findings:?}");
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [".busy"]);
    }

    #[test]
    fn a_denial_is_told_with_the_storages_own_advice() {
        let error = StateError::Denied { key: "k".into(), reason: "HTTP 403; grant the role".into() };
        let finding = failed(Check::State, "container c", &Refused { step: "making a blob", error });
        assert_eq!(
            (finding.found.as_str(), finding.fix.as_deref()),
            ("container c: making a blob: HTTP 403", Some("grant the role"))
        );
    }
}
