//! A tenant, a storage container, and the app settings that join them.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use labelstream::state::{blob::BlobStore, connection::StorageAccount};
use labelstream_simulator::{Config, ContentType, Report, Simulator};
use time::OffsetDateTime;

use crate::{
    azurite::Azurite,
    host::{Answered, Host},
};

/// A simulated tenant and a container of its own.
pub struct World {
    pub simulator: Simulator,
    pub container: String,
    pub settings: Vec<(String, String)>,
}

impl World {
    /// A tenant whose connector has the default settings.
    pub async fn new(config: Config) -> Self {
        static CONTAINERS: AtomicU32 = AtomicU32::new(0);
        let container = format!("run-{}-{}", std::process::id(), CONTAINERS.fetch_add(1, Ordering::Relaxed));
        let simulator = Simulator::start(config).await.unwrap();
        let mut settings: Vec<(String, String)> =
            simulator.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        settings.push(("AzureWebJobsStorage".to_owned(), Azurite::shared().connection_string()));
        settings.push(("STATE_CONTAINER".to_owned(), container.clone()));
        Self { simulator, container, settings }
    }

    /// A tenant with small pages, so that every listing has several.
    pub async fn with_small_pages() -> Self {
        Self::new(Config { page_size: 5, ..Config::default() }).await
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Starts a handler; several may run at once.
    pub async fn start(&self) -> Host {
        let settings = self.settings.clone();
        tokio::task::spawn_blocking(move || Host::start(&settings)).await.unwrap()
    }

    /// The container, as a store of the test's own.
    pub fn store(&self) -> BlobStore {
        let account = StorageAccount::from_connection_string(&Azurite::shared().connection_string()).unwrap();
        BlobStore::open(&account, &self.container, None).unwrap()
    }

    /// Publishes contents of each content type, spread over the last hour, with some label events and noise in each.
    pub fn publish_an_hour(&self, contents: u32) {
        for content_type in ContentType::WITH_LABELS {
            for number in 0..contents {
                let created = minutes_ago(58.0 - 50.0 * f64::from(number) / f64::from(contents));
                self.simulator.publish(content_type, created, 4, 12);
            }
        }
    }

    /// Asserts that all that was published arrived, once, as declared, and nothing else. Returns the report.
    pub fn assert_delivered(&self) -> Report {
        let report = self.simulator.report();
        assert!(report.published > 0, "nothing was published");
        assert!(report.is_clean(), "{report:#?}");
        assert_eq!(report.surplus_rows, 0, "{report:#?}");
        let totals = &report.totals;
        let nothing = std::collections::BTreeMap::new();
        assert_eq!(totals.dropped_fields, nothing, "the stream does not declare these");
        assert_eq!(totals.mistyped_fields, nothing, "the stream declares these otherwise");
        assert_eq!(totals.cut_fields, nothing, "the service cut these");
        assert!(totals.largest_json_bytes <= 1_000_000);
        report
    }
}

/// So many minutes before now.
pub fn minutes_ago(minutes: f64) -> OffsetDateTime {
    OffsetDateTime::now_utc() - Duration::from_secs_f64(minutes * 60.0)
}

/// Fires the timer and waits for the answer, off the runtime's threads.
pub async fn tick(host: Host) -> (Host, Answered) {
    tokio::task::spawn_blocking(move || {
        let answered = host.tick();
        (host, answered)
    })
    .await
    .unwrap()
}

/// Fires the timer until a run does not find another under way.
pub async fn tick_once_free(mut host: Host) -> (Host, Answered) {
    loop {
        let (same, answered) = tick(host).await;
        if answered.status != 200 || !answered.logs().concat().contains("Another run is under way") {
            return (same, answered);
        }
        host = same;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
