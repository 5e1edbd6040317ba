//! A deployment for many tenants: what it has besides, and that the package and the templates agree.

use crate::{
    snapshot::{Snapshot, json},
    watching::{alerts, criterion},
};

const FUNCTIONS: [&str; 2] = ["FleetTimer", "FleetPull"];

fn fleet() -> Snapshot {
    Snapshot::named("fleet")
}

/// The queue of `fleet/FleetPull`.
fn queue() -> String {
    json("fleet/FleetPull/function.json")["bindings"][0]["queueName"].as_str().unwrap().to_owned()
}

#[test]
fn the_queue_of_the_trigger_is_there_with_the_one_for_what_the_host_sets_aside() {
    for snapshot in Snapshot::all() {
        let queues: Vec<_> = snapshot
            .of_type("Microsoft.Storage/storageAccounts/queueServices/queues")
            .into_iter()
            .map(|queue| queue["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect();
        let wanted = if snapshot.is_fleet() { vec![queue(), format!("{}-poison", queue())] } else { Vec::new() };
        assert_eq!(queues, wanted, "{}", snapshot.name);
    }
}

#[test]
fn the_connection_of_the_trigger_has_the_address_and_the_identity_of_the_queues() {
    let connection = json("fleet/FleetPull/function.json")["bindings"][0]["connection"].as_str().unwrap().to_owned();
    let fleet = fleet();
    let account = fleet.the("Microsoft.Storage/storageAccounts")["name"].as_str().unwrap();
    let setting = |name: &str| fleet.settings()[&format!("{connection}__{name}")].as_str().unwrap();
    assert!(
        setting("queueServiceUri").contains(account) && setting("queueServiceUri").contains("primaryEndpoints.queue")
    );
    assert_eq!(setting("credential"), "managedidentity");
    assert_eq!(setting("clientId"), fleet.settings()["AZURE_CLIENT_ID"]);
}

#[test]
fn only_a_fleet_may_have_more_instances_than_the_least() {
    for snapshot in Snapshot::all() {
        let app = snapshot.the("Microsoft.Web/sites");
        let scale = &app["properties"]["functionAppConfig"]["scaleAndConcurrency"];
        let most = scale["maximumInstanceCount"].as_u64().unwrap();
        assert_eq!(most > 40, snapshot.is_fleet(), "{}: {most}", snapshot.name);
        assert_eq!(scale["instanceMemoryMB"], 512);
        assert!(scale.get("alwaysReady").is_none(), "it would be charged by the hour");
    }
}

#[test]
fn each_alert_on_tenants_tells_which_and_asks_for_those_in_trouble_alone() {
    let fleet = fleet();
    for (name, alert) in alerts(&fleet) {
        let dimensions = &alert["criteria"]["allOf"][0]["dimensions"];
        let (query, operator, _) = criterion(alert);
        let by_tenant = ["dead-letters", "failed-runs", "lag", "silent-tenant"].contains(&name.as_str());
        assert_eq!(dimensions.is_array(), by_tenant, "{name}");
        if by_tenant {
            assert_eq!((&dimensions[0]["name"], &dimensions[0]["values"][0]), (&"OrganizationId".into(), &"*".into()));
            assert!(query.contains("by OrganizationId | where "), "{name}: healthy tenants are series that cost");
            assert!(operator.starts_with("GreaterThan"), "{name}: who is not in the answer is well");
        }
    }
    for snapshot in Snapshot::all().iter().filter(|snapshot| !snapshot.is_fleet()) {
        for (name, alert) in alerts(snapshot) {
            assert!(alert["criteria"]["allOf"][0].get("dimensions").is_none(), "{}: {name}", snapshot.name);
            assert_eq!(alert["windowSize"], "PT1H");
        }
    }
}

#[test]
fn a_tenant_is_missed_for_longer_than_the_window_in_which_it_is_silent() {
    let fleet = fleet();
    let alerts = alerts(&fleet);
    let silent = alerts["silent-tenant"];
    // "Create a log search alert rule": no longer one is taken.
    assert_eq!(silent["windowSize"], "P2D");
    let (query, _, threshold) = criterion(silent);
    assert!(query.contains("Last < ago(1h)") && query.contains(r#"datetime_diff("minute""#), "{query}");
    assert!((threshold - 60.0).abs() < f64::EPSILON, "an hour in minutes");
    for (name, alert) in alerts.iter().filter(|(name, _)| *name != "silent-tenant") {
        assert_eq!(alert["windowSize"], "PT1H", "{name}");
    }
}

#[test]
fn failures_of_the_process_are_looked_for_under_the_functions_names() {
    let fleet = fleet();
    let alerts = alerts(&fleet);
    let (query, ..) = criterion(alerts["failed-functions"]);
    let named: Vec<_> = query.split('"').skip(1).step_by(2).collect();
    assert_eq!(named, FUNCTIONS);
    for function in FUNCTIONS {
        assert!(json(&format!("fleet/{function}/function.json"))["bindings"].is_array());
    }
}

#[test]
fn what_the_host_sets_aside_is_told_by_its_own_line() {
    // No metric has the name of a queue: QueueMessageCount has no dimension, and is counted once an hour
    // ("Supported metrics for Microsoft.Storage/storageAccounts/queueServices").
    let fleet = fleet();
    let alerts = alerts(&fleet);
    let (query, ..) = criterion(alerts["poison"]);
    assert!(query.starts_with("traces | where message startswith \"Message has reached MaxDequeueCount\""), "{query}");
    assert!(query.contains(&format!("\"{}-poison\"", queue())), "{query}");
}
