use proptest::prelude::*;
use serde_json::json;

use super::*;

const A: &str = "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55";
const APP: &str = "7c5a1f0e-2d3b-4a69-8f47-5e6d7c8b9a01";

/// App settings of a provider.
fn app_setting(name: &str) -> Option<String> {
    let value = match name {
        "TENANTS" => "state",
        "DATA_COLLECTION_ENDPOINT" => "https://dce.westeurope-1.ingest.monitor.azure.com/",
        "LOGS_DCR_RULE_ID" => "dcr-0123456789abcdef0123456789abcdef",
        "AzureWebJobsStorage" => "UseDevelopmentStorage=true",
        "HEARTBEATS" => "drop",
        _ => return None,
    };
    Some(value.to_owned())
}

fn settings(value: &Value) -> Result<Settings, Box<TenantError>> {
    Entry::read(1, value).settings(&app_setting, Needs::SERVE)
}

fn error(value: &Value) -> String {
    settings(value).unwrap_err().to_string()
}

#[test]
fn what_is_absent_comes_from_the_app_settings() {
    let settings = settings(&json!({"tenantId": A.to_uppercase()})).unwrap();
    assert_eq!((settings.feed.tenant_id.as_str(), settings.feed.publisher_id.as_str()), (A, A));
    assert_eq!(settings.filter.heartbeats, crate::settings::Heartbeats::Drop);
    assert_eq!(settings.ingestion.unwrap().rule_id, "dcr-0123456789abcdef0123456789abcdef");
}

#[test]
fn every_key_takes_the_place_of_its_app_setting() {
    let entry = json!({
        "tenantId": A, "name": " Contoso\nLtd ", "enabled": false, "cloud": "gcc", "contentTypes": ["Audit.General"],
        "recordTypes": [83, "MIPLabel"], "operations": "SensitivityLabelApplied, SensitivityLabelRemoved",
        "heartbeats": "keep", "labels": {"x": "y"}, "publisherId": APP,
        "dataCollectionEndpoint": "https://other.westeurope-1.ingest.monitor.azure.com",
        "dcrRuleId": "dcr-1", "dcrStreamName": "Custom-Other_CL", "clientId": null
    });
    let read = Entry::read(1, &entry);
    assert_eq!((read.label(), read.enabled), (format!("Contoso Ltd ({A})"), false));
    let settings = settings(&entry).unwrap();
    assert_eq!(settings.cloud, crate::settings::Cloud::Gcc);
    assert_eq!(settings.feed.content_types, [crate::content::ContentType::General]);
    assert_eq!(settings.feed.publisher_id, APP);
    assert_eq!(settings.filter.record_types.unwrap().len(), 2);
    assert_eq!(settings.filter.operations.unwrap().len(), 2);
    assert_eq!(settings.filter.heartbeats, crate::settings::Heartbeats::Keep);
    assert_eq!(settings.labels.source, crate::settings::LabelSource::Json(r#"{"x":"y"}"#.to_owned()));
    let ingestion = settings.ingestion.unwrap();
    assert_eq!((ingestion.rule_id.as_str(), ingestion.stream_name.as_str()), ("dcr-1", "Custom-Other_CL"));
}

#[test]
fn all_faults_are_told_with_the_tenant_and_the_key() {
    let text = error(&json!({
        "tenantId": A, "name": "Contoso", "cloud": "mars", "contentTypes": [], "clientId": APP, "colour": 1, "enabled": "no"
    }));
    assert!(text.starts_with(&format!("Contoso ({A}): ")), "{text}");
    for part in [
        "enabled is neither true nor false",
        "colour is no key; there are tenantId,",
        "cloud is \"mars\"",
        "contentTypes is a list without an entry",
        "clientId is set without M365_CLIENT_SECRET",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn a_secret_is_refused_and_not_repeated() {
    let text = error(&json!({"tenantId": A, "clientSecret": "s3cret"}));
    assert!(text.contains("clientSecret does not belong here") && !text.contains("s3cret"), "{text}");
}

#[test]
fn what_is_left_to_the_app_settings_is_told_by_both_names() {
    let none = |_: &str| None;
    let error = Entry::read(1, &json!({"tenantId": A})).settings(&none, Needs::SERVE).unwrap_err().to_string();
    assert!(error.contains("dcrRuleId is left to the app setting LOGS_DCR_RULE_ID, which is missing"), "{error}");
}

#[test]
fn a_tenant_is_never_left_to_the_app_settings() {
    let environment = |name: &str| (name == "M365_TENANT_ID").then(|| A.to_owned()).or_else(|| app_setting(name));
    for entry in [json!({"name": "Contoso"}), json!({"tenantId": " "}), json!({"tenantId": 5}), json!(7)] {
        let read = Entry::read(3, &entry);
        let error = read.settings(&environment, Needs::SERVE).unwrap_err();
        assert!(read.id.is_none() && error.tenant.contains("entry 3"), "{error}");
    }
    assert!(error(&json!({})).contains("tenantId is missing"));
    assert!(error(&json!({"tenantId": "contoso.com"})).contains("tenantId is not a GUID"));
}

#[test]
fn a_key_in_another_case_is_told_how_it_is_written() {
    assert!(error(&json!({"tenantId": A, "tenantID": A})).contains("tenantID is no key; it is written tenantId"));
}

proptest! {
    #[test]
    fn any_object_is_an_entry_with_faults_in_one_line(fields in proptest::collection::btree_map("\\PC{0,12}|name|labels|operations", any_value(), 0..6)) {
        let entry = Entry::read(1, &json!(fields));
        if let Err(error) = entry.settings(&app_setting, Needs::SERVE) {
            prop_assert!(!error.to_string().contains(char::is_control), "{}", error);
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        proptest::collection::vec(".{0,4}", 0..3).prop_map(Value::from),
    ]
}
