//! Makes a run and tells of it: to the state, and to the table of runs. What goes wrong with the telling is told in the
//! log, and never fails the run.

use std::{
    fs,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    heartbeat::{Heartbeat, RUNS_STREAM},
    ring::{Ring, runs_key},
    run_record::{RunRecord, Started},
};
use crate::{
    ingestion::{self, IngestionError, RowError},
    pull::{Connector, Request, RunFailed, Sink, Summary},
    state::{Expect, StateError, Store},
};

/// How long telling of a run may take, within the budget of the run. The endpoint answers in some 100 ms.
const LONGEST: Duration = Duration::from_secs(5);

/// How long it may take once the process is asked to end.
const LONGEST_AT_THE_END: Duration = Duration::from_secs(2);

/// How often another writer of the last runs is given way: two instances may end a run at the same moment.
const TRIES: u32 = 3;

/// Of how many tenants the runs are kept as they were read or written last: some 75 KB each.
const KEPT_RINGS: usize = 64;

/// Makes runs and tells of them. There is one for each process.
#[derive(Debug, Default)]
pub struct Reporter {
    host: String,
    /// That heartbeats do not arrive has been told, and none has arrived since.
    told: AtomicBool,
    /// The runs as they were read or written last, so that the next is added with one request; of the tenant whose runs came
    /// last at the end.
    written: Mutex<Vec<Written>>,
}

/// The last runs as this process knows them.
#[derive(Debug)]
struct Written {
    key: String,
    ring: Ring,
    /// What the next write is to find.
    expect: Expect,
}

impl Reporter {
    /// A reporter on the machine or instance `host`.
    #[must_use]
    pub const fn new(host: String) -> Self {
        Self { host, told: AtomicBool::new(false), written: Mutex::new(Vec::new()) }
    }

    /// One run of `connector`, and what is told of it. Nothing is told of a dry run, of a replay of dead letters (it
    /// moves no watermark), and where another run was under way. The row goes only where label events go to the data
    /// collection rule.
    ///
    /// # Errors
    /// As for [`Connector::run`].
    pub async fn run(
        &self,
        connector: &Arc<Connector>,
        request: Request,
        (trigger, run_id): (Started, Option<String>),
        stop: CancellationToken,
    ) -> Result<Summary, RunFailed> {
        let (started, started_at) = (Instant::now(), OffsetDateTime::now_utc());
        let end = started + request.budget.end;
        let is_told = !request.dry_run && request.letters.is_none();
        let (result, begun) = match connector.begin(request).await {
            Ok(None) => return Ok(Summary::of_another_run()),
            Ok(Some(begun)) => {
                let look = async {
                    if is_told {
                        self.look_ahead(connector.store.as_ref(), &connector.tenant).await;
                    }
                };
                (beside(begun.work(stop.clone()), look).await, Some(begun))
            }
            Err(failed) => (Err(failed), None),
        };
        let give_back = async {
            if let Some(begun) = begun {
                begun.give_back().await;
            }
        };
        if !is_told {
            give_back.await;
            return result;
        }
        let (figures, error) = match &result {
            Ok(summary) => (summary, None),
            Err(failed) => (failed.summary.as_ref(), Some(failed.to_string())),
        };
        let run_id = run_id.unwrap_or_else(|| Uuid::new_v4().to_string());
        let times = (started_at, OffsetDateTime::now_utc());
        let record = RunRecord::new(run_id, trigger, times, self.host.clone(), figures.clone(), error.as_deref());
        let until = end.min(Instant::now() + LONGEST);
        tokio::join!(
            // Whoever takes the lock next may tell of its run at the same time: see `add`.
            give_back,
            self.remember(connector, &record, in_time(until, &stop)),
            self.beat(connector, &record, until, in_time(until, &stop)),
        );
        result
    }

    /// Reads the stored runs where this process does not know them yet, so that at the end they only have to be written.
    async fn look_ahead(&self, store: &dyn Store, tenant: &str) {
        let key = runs_key(tenant);
        let is_known = || self.written().iter().any(|written| written.key == key);
        if is_known() {
            return;
        }
        match read(store, &key).await {
            // A run that ended meanwhile knows them better.
            Ok(_) if is_known() => {}
            Ok((ring, expect)) => self.keep(Written { key, ring, expect }),
            // They are read once more when they are written, and what fails then is told.
            Err(error) => tracing::debug!(%error, "the last runs could not be read ahead"),
        }
    }

    /// Adds the run to the last runs.
    async fn remember(&self, connector: &Connector, record: &RunRecord, too_late: impl Future<Output = ()>) {
        let failure = tokio::select! {
            biased;
            added = self.add(connector.store.as_ref(), &connector.tenant, record) => match added {
                Ok(()) => return,
                Err(error) => error.to_string(),
            },
            () = too_late => "the storage did not answer in time".to_owned(),
        };
        if record.error.is_some() {
            tracing::info!("this run is missing among the last runs that the status shows: {failure}");
        } else {
            tracing::warn!("this run is missing among the last runs that the status shows: {failure}");
        }
    }

    /// Adds `record` to the stored runs: to those that this process read or wrote last, unless another writer came in
    /// between. Then what that wrote is read and added to.
    async fn add(&self, store: &dyn Store, tenant: &str, record: &RunRecord) -> Result<(), StateError> {
        let key = runs_key(tenant);
        let mut tries = 0;
        loop {
            let written = self.take_written(&key);
            let (mut ring, expect) = match written {
                Some(Written { ring, expect, .. }) => (ring, expect),
                None => read(store, &key).await?,
            };
            ring.push(record.clone());
            let body = serde_json::to_vec(&ring)
                .map_err(|error| StateError::Unavailable { key: key.clone(), reason: error.to_string() })?;
            tries += 1;
            match store.put(&key, body.into(), &expect).await {
                Ok(version) => {
                    self.keep(Written { key, ring, expect: Expect::Version(version) });
                    return Ok(());
                }
                Err(error) if error.is_conflict() && tries < TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn keep(&self, known: Written) {
        let mut written = self.written();
        written.retain(|other| other.key != known.key);
        written.push(known);
        let surplus = written.len().saturating_sub(KEPT_RINGS);
        written.drain(..surplus);
    }

    fn take_written(&self, key: &str) -> Option<Written> {
        let mut written = self.written();
        let at = written.iter().position(|written| written.key == key)?;
        Some(written.remove(at))
    }

    fn written(&self) -> MutexGuard<'_, Vec<Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the row of the run.
    async fn beat(
        &self,
        connector: &Connector,
        record: &RunRecord,
        until: Instant,
        too_late: impl Future<Output = ()>,
    ) {
        let Sink::Ingestion(client) = &connector.sink else { return };
        let row = match serde_json::to_vec(&Heartbeat::of(&connector.tenant, record)) {
            Ok(row) => Bytes::from(row),
            Err(error) => return self.tell(record, &error.to_string()),
        };
        let client = client.for_stream(RUNS_STREAM);
        tokio::select! {
            biased;
            posted = ingestion::post_row(&client, row, until) => match posted {
                Ok(()) => self.told.store(false, Ordering::Relaxed),
                Err(RowError::Ingestion(IngestionError::NotFound(answer))) => self.tell(
                    record,
                    &format!(
                        "the data collection rule has no such stream ({answer}); deploy infra/main.bicep of this version again"
                    ),
                ),
                Err(error) => self.tell(record, &error.to_string()),
            },
            () = too_late => self.tell(record, "the endpoint did not answer in time"),
        }
    }

    /// Says why a heartbeat did not arrive: once as a warning, then for those who look for it, until one arrives again. A
    /// run that failed has said what fails.
    fn tell(&self, record: &RunRecord, why: &str) {
        if record.error.is_some() || self.told.swap(true, Ordering::Relaxed) {
            tracing::info!("the row of this run did not reach {RUNS_STREAM}: {why}");
        } else {
            tracing::warn!(
                "the row of this run did not reach {RUNS_STREAM}, so that alerts take it for silence; label events are \
                 not affected, and this is said once until one arrives: {why}"
            );
        }
    }
}

/// What `work` comes to. `aside` goes on beside it, and is given up with its end.
async fn beside<T>(work: impl Future<Output = T>, aside: impl Future<Output = ()>) -> T {
    tokio::select! {
        biased;
        done = work => done,
        never = async {
            aside.await;
            std::future::pending().await
        } => never,
    }
}

/// Returns at `until`, or soon after `stop` is cancelled.
async fn in_time(until: Instant, stop: &CancellationToken) {
    let asked_to_end = async {
        stop.cancelled().await;
        sleep(LONGEST_AT_THE_END).await;
    };
    tokio::select! {
        () = sleep_until(until) => {}
        () = asked_to_end => {}
    }
}

/// The runs stored under `key`, and what a write over them is to expect.
async fn read(store: &dyn Store, key: &str) -> Result<(Ring, Expect), StateError> {
    let Some((stored, version)) = store.get(key).await? else { return Ok((Ring::default(), Expect::Absent)) };
    let (ring, note) = Ring::parse(&stored);
    if let Some(note) = note {
        tracing::warn!("{key} is written anew without what cannot be read: {note}");
    }
    Ok((ring, Expect::Version(version)))
}

/// The name of the machine or instance, by `environment`: what the platform calls it, else the name of the host.
#[must_use]
pub fn host_name(environment: &dyn Fn(&str) -> Option<String>) -> String {
    let named = |name| environment(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    // Set by App Service, by its containers, and by shells.
    let by_platform = ["WEBSITE_INSTANCE_ID", "CONTAINER_NAME", "COMPUTERNAME", "HOSTNAME"].into_iter().find_map(named);
    let by_kernel = || fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    by_platform.or_else(by_kernel).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{
        super::run_record::tests::{figures, record},
        *,
    };
    use crate::state::folder::FolderStore;

    async fn stored(store: &dyn Store) -> Ring {
        let (body, _) = store.get(&runs_key("t")).await.unwrap().unwrap();
        Ring::parse(&body).0
    }

    #[tokio::test]
    async fn runs_of_two_instances_that_end_together_are_both_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        let runs: Vec<_> = ["a", "b"].map(|id| RunRecord { run_id: id.to_owned(), ..record(figures(), None) }).into();
        let reporters = [Reporter::default(), Reporter::default()];
        let (one, other) =
            tokio::join!(reporters[0].add(&store, "t", &runs[0]), reporters[1].add(&store, "t", &runs[1]));
        one.and(other).unwrap();
        let mut ids: Vec<_> = stored(&store).await.runs().iter().map(|run| run.run_id.clone()).collect();
        ids.sort();
        assert_eq!(ids, ["a", "b"]);
    }

    #[tokio::test]
    async fn runs_of_two_processes_that_take_turns_are_all_kept_also_after_they_were_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        let reporters = [Reporter::default(), Reporter::default()];
        let run = |number: usize| RunRecord { run_id: number.to_string(), ..record(figures(), None) };
        for (number, reporter) in [0, 0, 1, 0, 1, 1].into_iter().enumerate() {
            reporters[reporter].add(&store, "t", &run(number)).await.unwrap();
        }
        let ids: Vec<_> = stored(&store).await.runs().iter().map(|run| run.run_id.clone()).collect();
        assert_eq!(ids, ["0", "1", "2", "3", "4", "5"]);
        store.delete(&runs_key("t")).await.unwrap();
        reporters[1].add(&store, "t", &run(6)).await.unwrap();
        assert_eq!(stored(&store).await.runs(), [run(6)], "what was removed stays away");
    }

    #[tokio::test]
    async fn runs_of_many_tenants_take_turns_and_only_some_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        let reporter = Reporter::default();
        let run = |id: &str| RunRecord { run_id: id.to_owned(), ..record(figures(), None) };
        for round in ["0", "1"] {
            for tenant in 0..KEPT_RINGS + 2 {
                reporter.add(&store, &format!("t{tenant}"), &run(round)).await.unwrap();
            }
        }
        assert_eq!(reporter.written().len(), KEPT_RINGS);
        for tenant in 0..KEPT_RINGS + 2 {
            let (body, _) = store.get(&runs_key(&format!("t{tenant}"))).await.unwrap().unwrap();
            let ids: Vec<_> = Ring::parse(&body).0.into_runs().into_iter().map(|run| run.run_id).collect();
            assert_eq!(ids, ["0", "1"], "t{tenant}");
        }
    }

    #[tokio::test]
    async fn garbage_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        store.put(&runs_key("t"), Bytes::from_static(b"\0"), &Expect::Any).await.unwrap();
        Reporter::default().add(&store, "t", &record(figures(), None)).await.unwrap();
        assert_eq!(stored(&store).await.runs(), [record(figures(), None)]);
    }

    #[test]
    fn the_host_is_what_the_platform_calls_it() {
        let app_service = |name: &str| (name == "WEBSITE_INSTANCE_ID").then(|| " 0123abc ".to_owned());
        assert_eq!(host_name(&app_service), "0123abc");
        let blank = |_: &str| Some(" ".to_owned());
        assert!(!host_name(&blank).contains(' '));
    }
}
