//! The state: whether a run may do what it does with it. Nothing is changed, and no run is disturbed.

use super::{Check, Finding};
use crate::state::{
    StateError,
    blob::BlobStore,
    folder::FolderStore,
    lease::{Holder, holder},
    rehearsal::{Shown, Step},
};

/// What is done with the store, by name.
struct Refused {
    step: &'static str,
    error: StateError,
}

/// Rehearses each step of a run in a container, and looks at who holds the lock `lock_key`, where one tenant is meant.
/// `name` is the container's.
pub(super) async fn in_container(store: &BlobStore, name: &str, lock_key: Option<&str>) -> Vec<Finding> {
    let place = format!("container {name}");
    let rights = match rights(store).await {
        Ok(Shown::Allowed) => Finding::ok(
            Check::State,
            format!("{place}: blobs may be read, written, appended to, listed and removed (nothing was changed)"),
        ),
        Ok(Shown::NoContainer) => {
            return vec![no_container(&place, name), Finding::because(Check::Lease, Check::State)];
        }
        Err(refused) => failed(Check::State, &place, &refused),
    };
    if !rights.carries() {
        return vec![rights, Finding::because(Check::Lease, Check::State)];
    }
    vec![rights, lease(store, name, lock_key).await]
}

/// Tries out a folder. Its lock is the kernel's, and ends with its process: there is nothing more to look at.
pub(super) async fn in_folder(store: &FolderStore, place: &str) -> Vec<Finding> {
    match store.rehearse().await {
        Ok(()) => vec![
            Finding::ok(Check::State, format!("{place}: a file was made, read and removed")),
            Finding::ok(Check::Lease, "files can be locked"),
        ],
        Err(error) => {
            let refused = Refused { step: "making a file", error };
            vec![failed(Check::State, place, &refused), Finding::because(Check::Lease, Check::State)]
        }
    }
}

async fn rights(store: &BlobStore) -> Result<Shown, Refused> {
    for step in Step::RIGHTS {
        let shown = store.rehearse(step).await.map_err(|error| Refused { step: step.as_str(), error })?;
        if shown == Shown::NoContainer {
            return Ok(shown);
        }
    }
    Ok(Shown::Allowed)
}

fn no_container(place: &str, name: &str) -> Finding {
    Finding::warning(
        Check::State,
        format!("{place}: is not there; the first run makes it, where its identity may make containers"),
        format!(
            "az storage container create --account-name <account> --name {name} --auth-mode login\nThen call doctor \
             again: the rights in a container are seen only where it is there"
        ),
    )
}

/// The right to take a lease, and whether the one of the runs can be had. The lease itself is not touched.
async fn lease(store: &BlobStore, container: &str, lock_key: Option<&str>) -> Finding {
    let check = Check::Lease;
    if let Err(error) = store.rehearse(Step::Lock).await {
        return failed(check, &format!("container {container}"), &Refused { step: Step::Lock.as_str(), error });
    }
    match lock_key {
        Some(lock_key) => held(store, container, lock_key).await,
        None => Finding::ok(check, "locks may be taken"),
    }
}

/// Who holds the lock of a tenant. The right to take it is looked at apart from that.
pub(super) async fn held(store: &BlobStore, container: &str, lock_key: &str) -> Finding {
    let check = Check::Lease;
    match holder(store, lock_key).await {
        Ok(Holder::Nobody) => Finding::ok(check, "may be taken; no run holds it now"),
        Ok(Holder::ForAWhile) => Finding::ok(check, "may be taken; a run that is under way holds it now"),
        Ok(Holder::ForGood) => Finding::failed(
            check,
            format!("{lock_key}.lock has a lease that never runs out, so that every run finds another under way"),
            format!(
                "az storage blob lease break --account-name <account> --container-name {container} --blob-name \
                 {lock_key}.lock --auth-mode login"
            ),
        ),
        Err(error) => failed(check, &format!("container {container}"), &Refused { step: "looking at the lock", error }),
    }
}

/// The storage's own advice is after the first `; ` of a denial.
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
    use crate::doctor::Verdict;

    #[tokio::test]
    async fn a_folder_that_may_be_written_to_is_well_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        let findings = in_folder(&store, "the folder").await;
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Ok), "{findings:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_folder_that_was_removed_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        folder.close().unwrap();
        let findings = in_folder(&store, "the folder").await;
        assert_eq!(
            findings.iter().map(|finding| finding.verdict).collect::<Vec<_>>(),
            [Verdict::Failed, Verdict::Skipped]
        );
        assert!(findings[0].found.starts_with("the folder: making a file: cannot use "), "{findings:?}");
    }

    #[test]
    fn a_denial_is_told_with_the_storages_own_advice() {
        let error = StateError::Denied { key: "k".into(), reason: "HTTP 403; grant the role".into() };
        let finding = failed(Check::State, "container c", &Refused { step: "writing a blob", error });
        assert_eq!(
            (finding.found.as_str(), finding.fix.as_deref()),
            ("container c: writing a blob: HTTP 403", Some("grant the role"))
        );
    }
}
