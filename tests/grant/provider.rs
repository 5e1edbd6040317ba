//! What a provider does: makes its app registration, and lets its managed identity act as it.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::{Answer, GRAPH, MANAGEMENT, PRINCIPAL, READ_FEED, READ_LABELS, TENANT, Tenant};

/// The client id that the stand-in gives.
const CLIENT: &str = "88888888-8888-4888-8888-888888888888";

fn run(tenant: &Tenant, arguments: &[&str]) -> Answer {
    tenant.run_script("provider-app", arguments)
}

fn json_of(tenant: &Tenant, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(tenant.path(name)).unwrap()).unwrap()
}

#[test]
fn the_app_is_for_other_tenants_asks_for_both_permissions_and_trusts_the_identity() {
    let tenant = Tenant::new();
    let made = run(&tenant, &["--name", "Labelstream of Contoso", "--tenant", TENANT]);
    assert_eq!((made.status, made.err.as_str()), (0, ""), "{}", made.out);
    assert!(made.out.ends_with(&format!("made, client id {CLIENT}\n")), "{}", made.out);
    assert_eq!(tenant.lines("apps"), BTreeSet::from([format!("{CLIENT} Labelstream of Contoso")]));
    let role = |api: &str, id: &str| json!({"resourceAppId": api, "resourceAccess": [{"id": id, "type": "Role"}]});
    assert_eq!(json_of(&tenant, "accesses"), json!([role(MANAGEMENT, READ_FEED), role(GRAPH, READ_LABELS)]));

    let trusted = run(&tenant, &["--app-id", CLIENT, "--principal-id", PRINCIPAL]);
    assert_eq!((trusted.status, trusted.err.as_str()), (0, ""), "{}", trusted.out);
    let credential = json!({
        "name": format!("labelstream-{PRINCIPAL}"),
        "issuer": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "subject": PRINCIPAL,
        "audiences": ["api://AzureADTokenExchange"],
    });
    assert_eq!(json_of(&tenant, "parameters"), credential);
    let again = run(&tenant, &["--app-id", CLIENT, "--principal-id", PRINCIPAL]);
    assert!(again.out.contains("acts as it already"), "{}", again.out);
    assert_eq!((tenant.lines("credentials").len(), tenant.changes()), (1, 2));
}

#[test]
fn where_the_identity_is_there_before_one_call_does_both() {
    let tenant = Tenant::new();
    let answer = run(&tenant, &["--name", "Labelstream", "--principal-id", PRINCIPAL]);
    assert_eq!(answer.status, 0, "{}", answer.err);
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    assert_eq!(tenant.lines("credentials"), BTreeSet::from([format!("{CLIENT} {PRINCIPAL} {issuer}")]));
}

#[test]
fn in_azure_government_the_audience_is_that_clouds() {
    let tenant = Tenant::new();
    tenant.write("cloud", "AzureUSGovernment");
    run(&tenant, &["--name", "Labelstream", "--principal-id", PRINCIPAL]);
    assert_eq!(json_of(&tenant, "parameters")["audiences"], json!(["api://AzureADTokenExchangeUSGov"]));
    tenant.write("cloud", "AzureChinaCloud");
    let answer = run(&tenant, &["--name", "Other"]);
    assert_eq!(answer.status, 1);
    assert!(answer.err.contains("the cloud AzureChinaCloud has no feed"), "{}", answer.err);
}

#[test]
fn a_dry_run_changes_nothing() {
    let tenant = Tenant::new();
    let answer = run(&tenant, &["--name", "Labelstream", "--principal-id", PRINCIPAL, "--dry-run"]);
    assert_eq!(answer.status, 0, "{}", answer.err);
    assert!(
        answer.out.contains("would make the app registration Labelstream\nwould let the identity"),
        "{}",
        answer.out
    );
    run(&tenant, &["--name", "Labelstream"]);
    for arguments in [&["--principal-id", PRINCIPAL][..], &["--remove"]] {
        let arguments = [&["--app-id", CLIENT, "--dry-run"], arguments].concat();
        let answer = run(&tenant, &arguments);
        assert!(answer.status == 0 && answer.out.contains("would "), "{}{}", answer.out, answer.err);
    }
    assert_eq!((tenant.changes(), tenant.lines("apps").len(), tenant.lines("credentials").len()), (1, 1, 0));
}

#[test]
fn removing_it_says_what_stays_with_the_customers() {
    let tenant = Tenant::new();
    run(&tenant, &["--name", "Labelstream"]);
    let answer = run(&tenant, &["--app-id", CLIENT, "--remove"]);
    assert_eq!(answer.status, 0, "{}", answer.err);
    assert!(answer.out.contains("service principals in customers' tenants stay"), "{}", answer.out);
    assert_eq!(tenant.lines("apps").len(), 0);
}

#[test]
fn what_goes_wrong_is_said_with_what_to_do() {
    type Spoil = fn(&Tenant);
    let make: &[&str] = &["--name", "Labelstream"];
    let trust: &[&str] = &["--app-id", CLIENT, "--principal-id", PRINCIPAL];
    let cases: [(Spoil, &[&str], &str); 8] = [
        (|tenant| tenant.remove("tenant"), make, "is not signed in: az login --tenant ID"),
        (
            |tenant| tenant.write("apps", &format!("{CLIENT} Labelstream\n")),
            make,
            "there is an app registration Labelstream already: give --app-id 88888888-",
        ),
        (|tenant| tenant.write("unreachable", ""), make, "cannot be listed: ERROR: Failed to connect"),
        (|tenant| tenant.write("principals", ""), make, "az ad sp create --id c5393580-"),
        (|tenant| tenant.write("roles", ""), make, "has no application permission ActivityFeed.Read"),
        (|tenant| tenant.write("forbidden", ""), make, "was not made; it takes the role Application Developer"),
        (|_| (), trust, "cannot be read in the tenant 4b0a6d34-"),
        (
            |tenant| {
                run(tenant, &["--name", "Labelstream"]);
                tenant.write("forbidden", "");
            },
            trust,
            "was not let in; it takes the role Application Administrator: ERROR: Insufficient",
        ),
    ];
    for (spoil, arguments, said) in cases {
        let tenant = Tenant::new();
        spoil(&tenant);
        let answer = run(&tenant, arguments);
        assert_eq!(answer.status, 1, "{said}: {}", answer.out);
        assert!(answer.err.contains(said), "{said}: {}", answer.err);
        assert_eq!(answer.err.lines().count(), 1, "{}", answer.err);
        assert_eq!(tenant.lines("credentials").len(), 0, "{said}");
    }
    let tenant = Tenant::new();
    let answer = run(&tenant, &["--app-id", CLIENT, "--remove"]);
    assert!(answer.status == 1 && answer.err.contains("was not removed"), "{}", answer.err);
}

#[test]
fn wrong_use_is_told_before_anything_is_asked() {
    let cases: [(&[&str], &str); 8] = [
        (&[], "--name (to make one) or --app-id is missing"),
        (&["--name"], "--name needs a value"),
        (&["--name", "it's"], "--name must have no quotes"),
        (&["--name", "a", "--app-id", CLIENT], "give one of them"),
        (&["--app-id", CLIENT], "--app-id needs --principal-id or --remove"),
        (&["--app-id", CLIENT, "--principal-id", "me"], "--principal-id is no GUID: me"),
        (&["--name", "a", "--remove"], "--remove needs --app-id"),
        (&["--customer", "a"], "unknown argument --customer"),
    ];
    for (arguments, said) in cases {
        let tenant = Tenant::new();
        let answer = run(&tenant, arguments);
        assert_eq!(answer.status, 2, "{arguments:?}: {}", answer.err);
        assert!(answer.err.contains(said), "{arguments:?}: {}", answer.err);
        assert!(!tenant.path("calls").exists(), "{arguments:?} asked the Azure CLI");
    }
    let help = run(&Tenant::new(), &["--help"]);
    for option in ["--name", "--app-id", "--principal-id", "--tenant", "--remove", "--dry-run", "--help"] {
        assert!(help.status == 0 && help.out.contains(&format!(" {option} ")), "{option}: {}", help.out);
    }
}
