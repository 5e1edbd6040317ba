//! The app settings: all that the connector reads and the host needs, and no others.

use std::collections::BTreeSet;

use labelstream::settings::{LabelSource, Needs, Proof, SETTINGS, SetBy, Settings};
use serde_json::Value;

use crate::snapshot::{Snapshot, template};

/// What the Functions host needs and the connector does not read.
const OF_THE_HOST: [(&str, &str); 4] = [
    (
        "AzureWebJobsStorage__queueServiceUri",
        "queues of the host's storage; no other address is derived from the blobs'",
    ),
    ("AzureWebJobsStorage__tableServiceUri", "the table of the host's diagnostic events"),
    ("APPLICATIONINSIGHTS_CONNECTION_STRING", "where telemetry goes"),
    ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "that it goes there by identity"),
];

/// What the connector would read and the templates do not set.
const NOT_SET: [(&str, &str); 6] = [
    ("AzureWebJobsStorage", "a connection string has a key in it, and keys are off"),
    ("AzureWebJobsStorage__accountName", "the addresses are given, which hold in every cloud"),
    ("M365_CLIENT_CERTIFICATE_PATH", "nothing of a Flex Consumption app is a place for a file with a key"),
    ("M365_MANAGEMENT_ENDPOINT", "M365_CLOUD tells it"),
    ("GRAPH_ENDPOINT", "M365_CLOUD tells it"),
    ("AZURE_AUTHORITY_HOST", "M365_CLOUD tells it"),
];

/// What takes the place of `M365_TENANT_ID` where many tenants are read.
const OF_A_FLEET: &str = "TENANTS";

/// `functionAppConfig` of Flex Consumption takes the place of these; the platform or the tools refuse some of them.
const NOT_FOR_FLEX: [&str; 4] = ["FUNCTIONS_", "WEBSITE_", "SCM_", "ENABLE_ORYX_BUILD"];

const PLACEHOLDER: &str = "00000000-0000-0000-0000-000000000000";

/// What the operator sets, by the connector's own table.
fn of_the_connector() -> BTreeSet<&'static str> {
    let left_out: Vec<_> = NOT_SET.iter().map(|(name, _)| *name).collect();
    let read: Vec<_> =
        SETTINGS.iter().filter(|setting| setting.set_by != SetBy::Platform).map(|setting| setting.name).collect();
    assert!(left_out.iter().all(|name| read.contains(name)), "{left_out:?} names what is not read");
    read.into_iter().filter(|name| !left_out.contains(name)).collect()
}

fn wanted() -> BTreeSet<&'static str> {
    let mut names = of_the_connector();
    names.extend(OF_THE_HOST.map(|(name, _)| name));
    names.insert(OF_A_FLEET);
    names
}

/// The names in `createObject('NAME', …)` calls: quoted, and written as app settings are.
fn names_in(expression: &str) -> BTreeSet<&str> {
    expression
        .split('\'')
        .skip(1)
        .step_by(2)
        .filter(|word| word.starts_with("AzureWebJobs") || is_shouted(word))
        .collect()
}

fn is_shouted(word: &str) -> bool {
    word.len() > 2
        && word.starts_with(|first: char| first.is_ascii_uppercase())
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn the_template_sets_what_is_read_and_what_the_host_needs() {
    let template = template();
    let app = &template["resources"]["functionApp"]["properties"];
    let given = app["parameters"]["settings"]["value"].as_str().unwrap();
    let own = app["template"]["resources"]["appSettings"]["properties"].as_str().unwrap();
    let mut set = names_in(given);
    set.extend(names_in(own));
    assert_eq!(set, wanted());
}

#[test]
fn each_parameter_file_sets_some_of_them_and_the_files_together_all() {
    let mut together = BTreeSet::new();
    for snapshot in Snapshot::all() {
        let set: BTreeSet<_> = snapshot.settings().keys().cloned().collect();
        for name in &set {
            assert!(wanted().contains(name.as_str()), "{}: {name} is read by nobody", snapshot.name);
            assert!(!NOT_FOR_FLEX.iter().any(|prefix| name.starts_with(prefix)), "{}: {name}", snapshot.name);
        }
        together.extend(set);
    }
    assert_eq!(together.iter().map(String::as_str).collect::<BTreeSet<_>>(), wanted());
}

/// What a deployment gives, as the platform would: what is known only then has the table's example.
fn environment(snapshot: &Snapshot) -> impl Fn(&str) -> Option<String> {
    let settings = snapshot.settings().clone();
    move |name| {
        let example = || SETTINGS.iter().find(|setting| setting.name == name).unwrap().example.to_owned();
        match settings.get(name).map(|value| value.as_str().unwrap()) {
            // The parameter files have placeholders, which the connector refuses as such.
            Some(value) if value.starts_with('[') || value == PLACEHOLDER => Some(example()),
            Some(value) => Some(value.to_owned()),
            // By the entry of a tenant, of which each run is.
            None if name == "M365_TENANT_ID" && settings.contains_key(OF_A_FLEET) => Some(example()),
            // By the platform, on an app with a managed identity.
            None if ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"].contains(&name) => Some(example()),
            None => None,
        }
    }
}

#[test]
fn the_connector_reads_the_settings_of_each_parameter_file() {
    for snapshot in Snapshot::all() {
        let settings = Settings::read(&environment(&snapshot), Needs::SERVE)
            .unwrap_or_else(|error| panic!("{}: {error}", snapshot.name));
        assert_eq!(settings.labels.source, LabelSource::Graph);
        let proof = settings.identity.app.map(|app| app.proof);
        match snapshot.name.as_str() {
            "cross-tenant" => {
                assert_eq!(proof, Some(Proof::Federated));
                assert_eq!(settings.filter.record_types.unwrap().len(), 3);
                assert_eq!(settings.feed.content_types.len(), 2);
            }
            "fleet" => assert_eq!(proof, Some(Proof::Federated), "no tenant of a fleet has a secret"),
            "private" => assert!(matches!(proof, Some(Proof::Secret(_)))),
            _ => assert_eq!(proof, None),
        }
    }
}

#[test]
fn one_tenant_is_named_or_a_fleet_is() {
    for snapshot in Snapshot::all() {
        let (settings, is_fleet) = (snapshot.settings(), snapshot.name == "fleet");
        assert_eq!(settings.contains_key(OF_A_FLEET), is_fleet, "{}", snapshot.name);
        assert_eq!(settings.contains_key("M365_TENANT_ID"), !is_fleet, "{}", snapshot.name);
    }
}

#[test]
fn no_setting_is_set_to_nothing() {
    for snapshot in Snapshot::all() {
        for (name, value) in snapshot.settings() {
            assert!(matches!(value, Value::String(text) if !text.is_empty()), "{}: {name}", snapshot.name);
        }
    }
}
