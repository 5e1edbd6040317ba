//! What the operator chose, read from app settings, which are environment variables.
//!
//! [`Settings::read`] takes a function in place of the process environment, reads everything that a command needs
//! and reports every fault at once. [`SETTINGS`] lists the names; there is one struct for each concern.

mod cloud;
mod deployment;
mod endpoint;
mod error;
mod feed;
mod filter;
mod identity;
mod ingestion;
mod labels;
mod reader;
mod run;
mod storage;
mod table;
mod value;

pub use azure_core::credentials::Secret;
pub use cloud::{Cloud, Hosts};
pub use deployment::DeploymentSettings;
pub use endpoint::is_loopback;
pub use error::{Fault, SettingsError};
pub use feed::{FEED_HISTORY_HOURS, FeedSettings};
pub use filter::{FilterSettings, Heartbeats, RecordTypeName};
pub use identity::{AmbientIdentity, AppRegistration, IdentitySettings, Proof};
pub use ingestion::IngestionSettings;
pub use labels::{LabelSettings, LabelSource};
pub use run::RunSettings;
pub use storage::{StorageAccount, StorageSettings};
pub use table::{Need, SETTINGS, SetBy, Setting, Unset};
pub(crate) use value::guid;

use reader::Reader;

/// What a command needs beyond the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// It sends rows: the data collection settings are read and required.
    pub ingestion: bool,
    /// Its state lies in the storage account: the storage settings are read and required.
    pub storage: bool,
}

impl Needs {
    /// As the custom handler needs them.
    pub const SERVE: Self = Self { ingestion: true, storage: true };
    /// The feed alone.
    pub const FEED: Self = Self { ingestion: false, storage: false };
}

/// Everything that was read for one command.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The cloud of the tenant that is read.
    pub cloud: Cloud,
    /// Which tenant is read, and where.
    pub feed: FeedSettings,
    /// Which records become rows.
    pub filter: FilterSettings,
    /// Where label names come from.
    pub labels: LabelSettings,
    /// How long a run may take.
    pub run: RunSettings,
    /// Who the connector is.
    pub identity: IdentitySettings,
    /// Where rows go; `None` where [`Needs::ingestion`] is false.
    pub ingestion: Option<IngestionSettings>,
    /// Where the state lies; `None` where [`Needs::storage`] is false.
    pub storage: Option<StorageSettings>,
}

impl Settings {
    /// Reads what `needs` asks for. `environment` gives the value of a name; what is empty or blank counts as unset.
    ///
    /// # Errors
    /// Every setting that is missing or wrong, all of them at once.
    pub fn read(environment: &dyn Fn(&str) -> Option<String>, needs: Needs) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(environment);
        let settings = Self::gather(&mut reader, needs);
        let faults = reader.into_faults();
        match settings {
            Some(settings) if faults.is_empty() => Ok(settings),
            _ => Err(SettingsError { faults }),
        }
    }

    /// `None` where a part could not be read; the reader knows why. Every part is read before the first `?`.
    fn gather(reader: &mut Reader<'_>, needs: Needs) -> Option<Self> {
        let cloud = reader.or_default(&table::CLOUD, str::parse::<Cloud>);
        // A wrong cloud is a fault already; the other parts are still read, against any cloud, for theirs.
        let hosts = cloud.unwrap_or_default();
        let feed = FeedSettings::read(reader, hosts);
        let filter = FilterSettings::read(reader);
        let labels = LabelSettings::read(reader, hosts);
        let run = RunSettings::read(reader);
        let identity = IdentitySettings::read(reader, hosts);
        let ingestion = needs.ingestion.then(|| IngestionSettings::read(reader, hosts));
        let storage = needs.storage.then(|| StorageSettings::read(reader));
        Some(Self {
            cloud: cloud?,
            feed: feed?,
            filter: filter?,
            labels: labels?,
            run: run?,
            identity: identity?,
            ingestion: asked(ingestion)?,
            storage: asked(storage)?,
        })
    }
}

/// `Some(None)` where a part was not asked for, `None` where it was and could not be read.
fn asked<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    match part {
        None => Some(None),
        Some(part) => part.map(Some),
    }
}

/// The environment of this process, for [`Settings::read`]. What is no Unicode is read with replacement characters,
/// so that it is reported as wrong and not as missing.
#[must_use]
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
