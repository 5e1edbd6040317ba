use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;

use super::*;
use crate::content::ContentType;

const TENANT: &str = "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55";
const APP: &str = "7c5a1f0e-2d3b-4a69-8f47-5e6d7c8b9a01";
const OTHER: &str = "1d9e8c7b-6a5f-4e3d-9c2b-1a0f9e8d7c6b";

/// What `serve` cannot do without.
const LEAST: &[(&str, &str)] = &[
    ("M365_TENANT_ID", TENANT),
    ("DATA_COLLECTION_ENDPOINT", "https://dce.westeurope-1.ingest.monitor.azure.com/"),
    ("LOGS_DCR_RULE_ID", "dcr-0123456789abcdef0123456789abcdef"),
    ("AzureWebJobsStorage", "UseDevelopmentStorage=true"),
];

fn read(base: &[(&str, &str)], more: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let values: BTreeMap<_, _> = base.iter().chain(more).copied().collect();
    Settings::read(&|name| values.get(name).map(|&value| value.to_owned()), Needs::SERVE)
}

fn good(more: &[(&str, &str)]) -> Settings {
    read(LEAST, more).unwrap()
}

/// The names at fault and the text for people.
fn faults(more: &[(&str, &str)]) -> (Vec<&'static str>, String) {
    let error = read(LEAST, more).unwrap_err();
    (error.faults.iter().map(|fault| fault.name).collect(), error.to_string())
}

#[test]
fn the_least_settings_give_the_defaults() {
    let settings = good(&[]);
    assert_eq!(settings.cloud, Cloud::Commercial);
    assert_eq!(settings.feed.tenant_id, TENANT);
    assert_eq!(settings.feed.publisher_id, TENANT);
    assert_eq!(settings.feed.management_endpoint.as_str(), "https://manage.office.com/");
    assert_eq!(settings.feed.management_scope, "https://manage.office.com/.default");
    assert_eq!(settings.feed.content_types, [ContentType::General, ContentType::SharePoint, ContentType::Exchange]);
    assert_eq!(settings.feed.initial_lookback, Duration::from_secs(7 * 24 * 3600));
    assert_eq!(settings.filter, FilterSettings { record_types: None, operations: None, heartbeats: Heartbeats::Keep });
    assert_eq!(settings.labels.source, LabelSource::Graph);
    assert_eq!(settings.labels.graph_scope, "https://graph.microsoft.com/.default");
    assert_eq!(settings.run.budget, Duration::from_secs(240));
    assert_eq!(settings.identity.ambient, AmbientIdentity::AzureCli);
    assert_eq!(settings.identity.app, None);
    assert_eq!(settings.identity.authority.as_str(), "https://login.microsoftonline.com/");
    let ingestion = settings.ingestion.unwrap();
    assert_eq!(ingestion.stream_name, "Custom-MicrosoftPurviewInformationProtection_CL");
    assert_eq!(ingestion.scope, "https://monitor.azure.com/.default");
    let storage = settings.storage.unwrap();
    assert_eq!(storage.container, "labelstream");
    assert_eq!(storage.account, StorageAccount::ConnectionString("UseDevelopmentStorage=true".into()));
}

#[test]
fn nothing_set_reports_all_that_is_missing_at_once_with_examples() {
    let error = read(&[], &[]).unwrap_err();
    let names: Vec<_> = error.faults.iter().map(|fault| fault.name).collect();
    assert_eq!(names, ["M365_TENANT_ID", "DATA_COLLECTION_ENDPOINT", "LOGS_DCR_RULE_ID", "AzureWebJobsStorage"]);
    assert_eq!(error.to_string().lines().count(), 5);
    assert_eq!(error.one_line().lines().count(), 1);
    assert!(error.to_string().contains("M365_TENANT_ID is missing. Example: M365_TENANT_ID=4b0a6d34"));
}

#[test]
fn blank_is_unset_and_pasted_blanks_are_trimmed() {
    let settings = good(&[("M365_CLOUD", ""), ("HEARTBEATS", " \n"), ("RUN_BUDGET_SECONDS", " 60\n")]);
    assert_eq!((settings.cloud, settings.filter.heartbeats), (Cloud::Commercial, Heartbeats::Keep));
    assert_eq!(settings.run.budget, Duration::from_secs(60));
    assert_eq!(faults(&[("M365_TENANT_ID", "  ")]).0, ["M365_TENANT_ID"]);
}

#[test]
fn commands_are_asked_only_for_what_they_need() {
    let only = |name: &str| (name == "M365_TENANT_ID").then(|| TENANT.to_owned());
    let settings = Settings::read(&only, Needs::FEED).unwrap();
    assert_eq!((settings.ingestion, settings.storage), (None, None));
    let error = Settings::read(&only, Needs { ingestion: true, storage: false }).unwrap_err();
    assert!(!error.to_string().contains("AzureWebJobsStorage"));
    let error = Settings::read(&only, Needs { ingestion: false, storage: true }).unwrap_err();
    assert!(!error.to_string().contains("LOGS_DCR_RULE_ID"));
}

#[test]
fn each_cloud_has_its_hosts_and_scopes() {
    for (word, management, authority, graph, monitor, exchange) in [
        (
            "commercial",
            "manage.office.com",
            "login.microsoftonline.com",
            "graph.microsoft.com",
            "monitor.azure.com",
            "",
        ),
        ("GCC", "manage-gcc.office.com", "login.microsoftonline.com", "graph.microsoft.com", "monitor.azure.com", ""),
        (
            "GccHigh",
            "manage.office365.us",
            "login.microsoftonline.us",
            "graph.microsoft.us",
            "monitor.azure.us",
            "USGov",
        ),
        (
            "dod",
            "manage.protection.apps.mil",
            "login.microsoftonline.us",
            "dod-graph.microsoft.us",
            "monitor.azure.us",
            "USGov",
        ),
    ] {
        let settings = good(&[("M365_CLOUD", word)]);
        assert_eq!(settings.feed.management_endpoint.host_str(), Some(management));
        assert_eq!(settings.feed.management_scope, format!("https://{management}/.default"));
        assert_eq!(settings.identity.authority.host_str(), Some(authority));
        assert_eq!(settings.identity.token_exchange_scope, format!("api://AzureADTokenExchange{exchange}/.default"));
        assert_eq!(settings.labels.graph_endpoint.host_str(), Some(graph));
        assert_eq!(settings.labels.graph_scope, format!("https://{graph}/.default"));
        assert_eq!(settings.ingestion.unwrap().scope, format!("https://{monitor}/.default"));
    }
    let (names, text) = faults(&[("M365_CLOUD", "china")]);
    assert_eq!(names, ["M365_CLOUD"]);
    assert!(text.contains("is \"china\", which is none of commercial, gcc, gcchigh, dod"), "{text}");
}

#[test]
fn scopes_stay_the_clouds_where_endpoints_are_overridden() {
    let settings = good(&[
        ("M365_MANAGEMENT_ENDPOINT", "http://127.0.0.1:7000/"),
        ("GRAPH_ENDPOINT", "http://localhost:7001"),
        ("DATA_COLLECTION_ENDPOINT", "http://127.0.0.1:7002"),
        ("AZURE_AUTHORITY_HOST", "https://127.0.0.1:7003/"),
    ]);
    assert_eq!(settings.feed.management_endpoint.as_str(), "http://127.0.0.1:7000/");
    assert_eq!(settings.feed.management_scope, "https://manage.office.com/.default");
    assert_eq!(settings.labels.graph_endpoint.as_str(), "http://localhost:7001/");
    assert_eq!(settings.labels.graph_scope, "https://graph.microsoft.com/.default");
    assert_eq!(settings.ingestion.unwrap().scope, "https://monitor.azure.com/.default");
    assert_eq!(settings.identity.authority.as_str(), "https://127.0.0.1:7003/");
}

#[test]
fn every_wrong_value_is_reported_with_its_name() {
    for (name, value, problem) in [
        ("M365_TENANT_ID", "contoso.onmicrosoft.com", "is not a GUID"),
        ("PUBLISHER_ID", "contoso", "is not a GUID"),
        ("AZURE_CLIENT_ID", "identity", "is not a GUID"),
        ("AzureWebJobsStorage__clientId", "identity", "is not a GUID"),
        ("M365_MANAGEMENT_ENDPOINT", "http://manage.office.com", "plain http"),
        ("GRAPH_ENDPOINT", "graph.microsoft.com", "is not a URL"),
        ("DATA_COLLECTION_ENDPOINT", "ftp://host", "is not an https URL"),
        ("AZURE_AUTHORITY_HOST", "http://127.0.0.1:1", "insists on https"),
        ("AzureWebJobsStorage__blobServiceUri", "http://127.0.0.1:1", "insists on https"),
        ("AzureWebJobsStorage__accountName", "Contoso", "is not the name of a storage account"),
        ("LOGS_DCR_RULE_ID", "/subscriptions/1/rules/2", "not the resource id"),
        ("LOGS_DCR_RULE_ID", "dcr 1", "is not the immutable id"),
        ("LOGS_DCR_STREAM_NAME", "MicrosoftPurviewInformationProtection_CL", "begins with Custom-"),
        ("LOGS_DCR_STREAM_NAME", "Custom-a/b", "is not a stream"),
        ("STATE_CONTAINER", "Label_Stream", "is not the name of a container"),
        ("RUN_BUDGET_SECONDS", "9", "from 10 to 3600"),
        ("RUN_BUDGET_SECONDS", "3601", "from 10 to 3600"),
        ("INITIAL_LOOKBACK_HOURS", "0", "from 1 to 168"),
        ("INITIAL_LOOKBACK_HOURS", "169", "from 1 to 168"),
        (
            "CONTENT_TYPES",
            "Audit.General,Audit.Teams",
            "\"Audit.Teams\", which is none of Audit.General, Audit.SharePoint",
        ),
        ("CONTENT_TYPES", ",", "without an entry"),
        ("RECORD_TYPES", "MIP Label", "neither the number nor the name"),
        ("RECORD_TYPES", "-1", "no record type is negative"),
        ("OPERATIONS", " , ", "without an entry"),
        ("HEARTBEATS", "yes", "none of keep, drop"),
        ("LABELS", "grahp", "none of graph, off, a path"),
        ("LABELS", "[{\"id\": 1]", "is not valid JSON"),
        ("M365_FEDERATED_IDENTITY", "maybe", "none of true, false"),
    ] {
        // Without the connection string, so that access by identity counts.
        let base: Vec<_> = LEAST.iter().copied().filter(|(known, _)| *known != "AzureWebJobsStorage").collect();
        let mut more = vec![(name, value)];
        if name != "AzureWebJobsStorage__blobServiceUri" && name != "AzureWebJobsStorage__accountName" {
            more.push(("AzureWebJobsStorage__blobServiceUri", "https://contoso.blob.core.windows.net"));
        }
        let error = read(&base, &more).unwrap_err();
        let [fault] = &error.faults[..] else { panic!("{name}={value}: {error}") };
        assert_eq!(fault.name, name);
        assert!(fault.problem.contains(problem), "{fault}");
        assert!(!fault.example.is_empty());
    }
}

#[test]
fn lists_and_words_are_read_in_any_case() {
    let settings = good(&[
        ("CONTENT_TYPES", "audit.exchange, DLP.ALL,Audit.Exchange"),
        ("RECORD_TYPES", "MIPLabel,97, SensitivityLabelAction"),
        ("OPERATIONS", "SensitivityLabelApplied,FileLabelApplied"),
        ("HEARTBEATS", "DROP"),
        ("INITIAL_LOOKBACK_HOURS", "24"),
        ("PUBLISHER_ID", &OTHER.to_uppercase()),
    ]);
    assert_eq!(settings.feed.content_types, [ContentType::Exchange, ContentType::Dlp]);
    assert_eq!(settings.feed.initial_lookback, Duration::from_secs(86_400));
    assert_eq!(settings.feed.publisher_id, OTHER);
    let name = |text: &str| RecordTypeName::Name(text.to_owned());
    assert_eq!(
        settings.filter.record_types,
        Some(vec![name("MIPLabel"), RecordTypeName::Number(97), name("SensitivityLabelAction")])
    );
    assert_eq!(settings.filter.operations.unwrap().len(), 2);
    assert_eq!(settings.filter.heartbeats, Heartbeats::Drop);
}

#[test]
fn labels_come_from_graph_nowhere_a_file_or_the_setting() {
    for (text, source) in [
        ("Graph", LabelSource::Graph),
        ("OFF", LabelSource::Off),
        ("./labels", LabelSource::Path("./labels".into())),
        ("labels.json", LabelSource::Path("labels.json".into())),
        ("[]", LabelSource::Json("[]".to_owned())),
        (" {\"a\": 1} ", LabelSource::Json("{\"a\": 1}".to_owned())),
    ] {
        assert_eq!(good(&[("LABELS", text)]).labels.source, source);
    }
}

#[test]
fn storage_is_opened_as_the_host_opens_it() {
    let base = &LEAST[..3];
    let account = |more: &[(&str, &str)]| read(base, more).unwrap().storage.unwrap().account;
    let by_identity = |uri: &str, client_id: Option<&str>| StorageAccount::Identity {
        blob_service_uri: uri.parse().unwrap(),
        queue_service_uri: None,
        client_id: client_id.map(str::to_owned),
    };
    let uri = ("AzureWebJobsStorage__blobServiceUri", "https://contoso.blob.core.usgovcloudapi.net/");
    let name = ("AzureWebJobsStorage__accountName", "contoso");
    let client = ("AzureWebJobsStorage__clientId", OTHER);
    let credential = ("AzureWebJobsStorage__credential", "managedIdentity");
    assert_eq!(
        account(&[uri, client, credential]),
        by_identity("https://contoso.blob.core.usgovcloudapi.net", Some(OTHER))
    );
    assert_eq!(account(&[name]), by_identity("https://contoso.blob.core.windows.net", None));
    assert_eq!(account(&[uri, name]), by_identity("https://contoso.blob.core.usgovcloudapi.net", None));
    let queues = ("AzureWebJobsStorage__queueServiceUri", "https://contoso.private.example/");
    match account(&[name, queues]) {
        StorageAccount::Identity { queue_service_uri: Some(uri), .. } => {
            assert_eq!(uri.as_str(), "https://contoso.private.example/");
        }
        other => panic!("no queue service: {other:?}"),
    }
    let string = ("AzureWebJobsStorage", "UseDevelopmentStorage=true");
    assert_eq!(account(&[uri, string]), StorageAccount::ConnectionString("UseDevelopmentStorage=true".into()));
    let error = read(base, &[uri, ("AzureWebJobsStorage__credential", "workloadidentity")]).unwrap_err();
    assert_eq!(error.faults[0].name, "AzureWebJobsStorage__credential");
}

#[test]
fn the_ambient_identity_goes_by_what_is_set() {
    let endpoint = ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token");
    let header = ("IDENTITY_HEADER", "opaque");
    let file = ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token");
    let (client, tenant) = (("AZURE_CLIENT_ID", OTHER), ("AZURE_TENANT_ID", TENANT));
    let ambient = |more: &[(&str, &str)]| good(more).identity.ambient;
    let managed = |client_id: Option<&str>| AmbientIdentity::Managed {
        client_id: client_id.map(str::to_owned),
        header: "opaque".into(),
    };
    let workload = AmbientIdentity::Workload {
        tenant_id: TENANT.to_owned(),
        client_id: OTHER.to_owned(),
        token_file: "/var/run/token".into(),
    };
    assert_eq!(ambient(&[endpoint, header]), managed(None));
    assert_eq!(ambient(&[endpoint, header, client, file, tenant]), managed(Some(OTHER)));
    assert_eq!(ambient(&[file, client, tenant]), workload);
    assert_eq!(ambient(&[endpoint]), AmbientIdentity::AzureCli);
    assert_eq!(ambient(&[("AZURE_TENANT_ID", "contoso.onmicrosoft.com")]), AmbientIdentity::AzureCli);
    assert_eq!(faults(&[file]).0, ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"]);
}

#[test]
fn an_app_registration_has_exactly_one_proof() {
    let id = ("M365_CLIENT_ID", APP);
    let secret = ("M365_CLIENT_SECRET", "hunter2");
    let certificate = ("M365_CLIENT_CERTIFICATE_PATH", "/app.pem");
    let federated = ("M365_FEDERATED_IDENTITY", "TRUE");
    let managed = [("IDENTITY_ENDPOINT", "http://127.0.0.1:1"), ("IDENTITY_HEADER", "opaque")];
    let proof = |more: &[(&str, &str)]| good(more).identity.app.map(|app| (app.client_id, app.proof));
    let app = |proof: Proof| Some((APP.to_owned(), proof));
    assert_eq!(proof(&[id, secret]), app(Proof::Secret("hunter2".into())));
    assert_eq!(proof(&[id, certificate]), app(Proof::Certificate("/app.pem".into())));
    assert_eq!(proof(&[id, federated, managed[0], managed[1]]), app(Proof::Federated));
    assert_eq!(proof(&[("M365_FEDERATED_IDENTITY", "false")]), None);

    for (more, name, problem) in [
        (&[secret][..], "M365_CLIENT_ID", "is missing, and M365_CLIENT_SECRET needs it"),
        (&[certificate], "M365_CLIENT_ID", "is missing, and M365_CLIENT_CERTIFICATE_PATH needs it"),
        (&[federated], "M365_CLIENT_ID", "is missing, and M365_FEDERATED_IDENTITY needs it"),
        (&[id], "M365_CLIENT_ID", "is set without M365_CLIENT_SECRET"),
        (&[id, secret, certificate], "M365_CLIENT_CERTIFICATE_PATH", "is set together with M365_CLIENT_SECRET"),
        (&[id, secret, federated], "M365_FEDERATED_IDENTITY", "is set together with M365_CLIENT_SECRET"),
        (&[id, certificate, federated], "M365_FEDERATED_IDENTITY", "together with M365_CLIENT_CERTIFICATE_PATH"),
        (&[id, federated], "M365_FEDERATED_IDENTITY", "needs a managed identity"),
        (&[("M365_CLIENT_ID", "app"), secret], "M365_CLIENT_ID", "is not a GUID"),
    ] {
        let (names, text) = faults(more);
        assert_eq!(names, [name], "{text}");
        assert!(text.contains(problem), "{text}");
    }
}

#[test]
fn the_table_names_exactly_what_is_read() {
    let names = RefCell::new(BTreeSet::new());
    let set = [("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token"), ("M365_TENANT_ID", TENANT)];
    let recorder = |name: &str| {
        names.borrow_mut().insert(name.to_owned());
        set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    assert!(Settings::read(&recorder, Needs::SERVE).is_err());
    let of_the_connector =
        SETTINGS.iter().filter(|setting| matches!(setting.set_by, SetBy::Operator | SetBy::Platform));
    assert_eq!(names.into_inner(), of_the_connector.map(|setting| setting.name.to_owned()).collect());
}

#[test]
fn the_table_is_whole() {
    let names: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(names.len(), SETTINGS.len());
    for setting in SETTINGS {
        assert!(!setting.meaning.is_empty() && !setting.example.is_empty(), "{}", setting.name);
        assert!(!setting.meaning.ends_with('.'), "{}", setting.name);
    }
}

#[test]
fn every_example_is_a_good_value() {
    let all = SETTINGS.iter().map(|setting| (setting.name, setting.example));
    // Two app proofs contradict each other; one is left.
    let values: BTreeMap<_, _> =
        all.filter(|(name, _)| !["M365_CLIENT_SECRET", "M365_CLIENT_CERTIFICATE_PATH"].contains(name)).collect();
    let read = Settings::read(&|name| values.get(name).map(|&value| value.to_owned()), Needs::SERVE);
    assert_eq!(read.unwrap().identity.app.unwrap().proof, Proof::Federated);
}

proptest! {
    /// Whatever stands in any setting, reading it ends without a panic, and no text shows a secret setting's value.
    #[test]
    fn no_text_shows_a_secret(junk in proptest::collection::vec("\\PC{0,30}", SETTINGS.len()), needle in "[a-z]{24}") {
        let values: BTreeMap<_, _> = SETTINGS
            .iter()
            .zip(&junk)
            .map(|(setting, junk)| (setting.name, if setting.secret { format!("{needle}{junk}") } else { junk.clone() }))
            .collect();
        let read = Settings::read(&|name| values.get(name).cloned(), Needs::SERVE);
        let text = match &read {
            Ok(settings) => format!("{settings:?}"),
            Err(error) => format!("{error} {error:?} {}", error.one_line()),
        };
        prop_assert!(!text.contains(&needle));
    }

    #[test]
    fn good_settings_show_no_secret(needle in "[a-z]{24}") {
        let settings = good(&[
            ("AzureWebJobsStorage", &needle),
            ("M365_CLIENT_ID", APP),
            ("M365_CLIENT_SECRET", &needle),
            ("IDENTITY_ENDPOINT", "http://127.0.0.1:1"),
            ("IDENTITY_HEADER", &needle),
        ]);
        let text = format!("{settings:?} {settings:#?}");
        prop_assert!(!text.contains(&needle));
    }
}
