//! What holds for a deployment as a whole, whichever tenants it reads.

use super::{
    cloud::Cloud, error::SettingsError, identity::IdentitySettings, reader::Reader, run::RunSettings,
    storage::StorageSettings, table,
};

/// What holds for a deployment of many tenants as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentSettings {
    /// How long a run may take.
    pub run: RunSettings,
    /// The ambient identity, which opens the storage account. There is no app registration in it: that is a tenant's.
    pub identity: IdentitySettings,
    /// Where the state lies; `None` where it was not asked for.
    pub storage: Option<StorageSettings>,
}

impl DeploymentSettings {
    /// Reads them; with the storage account where `storage` is true.
    ///
    /// # Errors
    /// Every setting of these that is missing or wrong, all of them at once.
    pub fn read(environment: &dyn Fn(&str) -> Option<String>, storage: bool) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(environment);
        let cloud = reader.or_default(&table::CLOUD, str::parse::<Cloud>).unwrap_or_default();
        let run = RunSettings::read(&mut reader);
        let identity = IdentitySettings::read_ambient(&mut reader, cloud);
        let storage = storage.then(|| StorageSettings::read(&mut reader));
        let faults = reader.into_faults();
        match (run, identity, storage) {
            (Some(run), Some(identity), storage @ (None | Some(Some(_)))) if faults.is_empty() => {
                Ok(Self { run, identity, storage: storage.flatten() })
            }
            _ => Err(SettingsError { faults }),
        }
    }
}
