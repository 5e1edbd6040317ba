//! The settings: all of them at once, and as many as can be used for the rest.

use std::path::Path;

use super::{Check, Finding};
use crate::{
    assembly,
    settings::{DeploymentSettings, Needs, Settings, SettingsError},
    tenants::{Entry, TenantError},
};

/// Reads the settings. Where some are wrong, those of a part that has no fault are given all the same, so that it can
/// be looked at: `ingestion` or `storage` is then `None`.
pub(super) fn examine(
    environment: &dyn Fn(&str) -> Option<String>,
    state: Option<&Path>,
) -> (Finding, Option<Settings>) {
    let read = |needs| {
        let faults = |error: SettingsError| error.faults.iter().map(ToString::to_string).collect();
        Settings::read(environment, needs).map_err(faults)
    };
    judged(&read, Needs { ingestion: true, storage: state.is_none() })
}

/// The same for one tenant of a list, by its entry. The storage is the deployment's.
pub(super) fn of_entry(entry: &Entry, environment: &dyn Fn(&str) -> Option<String>) -> (Finding, Option<Settings>) {
    let read = |needs| {
        let faults = |error: Box<TenantError>| error.faults.iter().map(ToString::to_string).collect();
        entry.settings(environment, needs).map_err(faults)
    };
    judged(&read, Needs { ingestion: true, storage: false })
}

/// What holds for all tenants of a list: the same for it.
pub(super) fn of_deployment(
    environment: &dyn Fn(&str) -> Option<String>,
    state: Option<&Path>,
) -> (Finding, Option<DeploymentSettings>) {
    let read = |storage| DeploymentSettings::read(environment, storage);
    match read(state.is_none()) {
        Ok(settings) => match settings.storage.as_ref().map(assembly::storage_account) {
            Some(Err(error)) => (wrong(&[error.to_string()]), Some(DeploymentSettings { storage: None, ..settings })),
            _ => (Finding::ok(Check::Settings, "those that all tenants share"), Some(settings)),
        },
        Err(error) => {
            let faults: Vec<_> = error.faults.iter().map(ToString::to_string).collect();
            (wrong(&faults), read(false).ok())
        }
    }
}

fn judged(read: &dyn Fn(Needs) -> Result<Settings, Vec<String>>, needs: Needs) -> (Finding, Option<Settings>) {
    let mut faults = match read(needs) {
        Ok(settings) => {
            let faults = faults_of_parts(&settings);
            let finding = if faults.is_empty() { well(&settings) } else { wrong(&faults) };
            return (finding, Some(settings));
        }
        Err(faults) => faults,
    };
    let fewer = [Needs { storage: false, ..needs }, Needs { ingestion: false, ..needs }, Needs::FEED];
    let settings = fewer.into_iter().find_map(|needs| read(needs).ok());
    faults.extend(settings.iter().flat_map(faults_of_parts));
    (wrong(&faults), settings)
}

/// What is wrong with values that their own part alone can judge.
fn faults_of_parts(settings: &Settings) -> Vec<String> {
    let filter = assembly::filter(&settings.filter).err().into_iter().flat_map(|error| error.faults);
    let account = settings.storage.as_ref().map(assembly::storage_account).and_then(Result::err);
    filter.map(|fault| fault.to_string()).chain(account.map(|error| error.to_string())).collect()
}

fn well(settings: &Settings) -> Finding {
    let content_types: Vec<_> = settings.feed.content_types.iter().map(ToString::to_string).collect();
    let (tenant, cloud) = (&settings.feed.tenant_id, settings.cloud.as_str());
    Finding::ok(Check::Settings, format!("tenant {tenant}, cloud {cloud}, {}", content_types.join(", ")))
}

fn wrong(faults: &[String]) -> Finding {
    let number = match faults.len() {
        1 => "1 setting is missing or wrong".to_owned(),
        many => format!("{many} settings are missing or wrong"),
    };
    Finding::failed(Check::Settings, number, faults.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn environment(changes: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let good = [
            ("M365_TENANT_ID", "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55"),
            ("DATA_COLLECTION_ENDPOINT", "https://e.ingest.monitor.azure.com"),
            ("LOGS_DCR_RULE_ID", "dcr-1"),
            ("AzureWebJobsStorage", "UseDevelopmentStorage=true"),
        ];
        let all: std::collections::HashMap<String, String> =
            good.iter().chain(changes).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        move |name| all.get(name).cloned()
    }

    #[test]
    fn good_settings_are_told_and_given() {
        let (finding, settings) = examine(&environment(&[]), None);
        assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
        assert!(settings.unwrap().storage.is_some());
        let (finding, settings) = examine(&environment(&[("AzureWebJobsStorage", "")]), Some(Path::new("state")));
        assert_eq!((finding.verdict, settings.unwrap().storage), (Verdict::Ok, None));
    }

    #[test]
    fn every_fault_is_told_and_the_parts_without_one_are_given() {
        let cases = [
            (&[("LOGS_DCR_RULE_ID", "")][..], "LOGS_DCR_RULE_ID is missing", (true, false, true)),
            (&[("AzureWebJobsStorage", "")], "AzureWebJobsStorage is missing", (true, true, false)),
            (&[("AzureWebJobsStorage", "AccountName=a")], "AccountKey is missing", (true, true, true)),
            (&[("RECORD_TYPES", "Nonsense")], "RECORD_TYPES has Nonsense", (true, true, true)),
            (&[("LOGS_DCR_RULE_ID", ""), ("AzureWebJobsStorage", "")], "AzureWebJobsStorage is", (true, false, false)),
            (&[("M365_TENANT_ID", "contoso"), ("LOGS_DCR_RULE_ID", "")], "M365_TENANT_ID is", (false, false, false)),
        ];
        for (changes, fix, given) in cases {
            let (finding, settings) = examine(&environment(changes), None);
            assert_eq!(finding.verdict, Verdict::Failed);
            let text = finding.fix.unwrap();
            assert!(text.contains(fix), "{text}");
            assert!(changes.iter().all(|(name, _)| text.contains(name)), "{text}");
            let ingestion = settings.as_ref().is_some_and(|settings| settings.ingestion.is_some());
            let storage = settings.as_ref().is_some_and(|settings| settings.storage.is_some());
            assert_eq!((settings.is_some(), ingestion, storage), given, "{changes:?}");
        }
    }
}
