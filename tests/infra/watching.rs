//! The alerts: what they ask is there to be asked, and everybody who is to be told is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use labelstream::{handler::FUNCTION, health::Outcome};
use serde_json::Value;

use crate::snapshot::{Snapshot, json, text};

/// The log alerts by the end of their names.
pub fn alerts(snapshot: &Snapshot) -> BTreeMap<String, &Value> {
    let prefix =
        format!("{}-", snapshot.the("Microsoft.Web/sites")["name"].as_str().unwrap().strip_prefix("func-").unwrap());
    let short = |rule: &Value| rule["name"].as_str().unwrap().strip_prefix(prefix.as_str()).unwrap().to_owned();
    snapshot
        .of_type("Microsoft.Insights/scheduledQueryRules")
        .into_iter()
        .map(|rule| (short(rule), &rule["properties"]))
        .collect()
}

/// Query, operator and threshold.
pub fn criterion(alert: &Value) -> (&str, &str, f64) {
    let criterion = &alert["criteria"]["allOf"][0];
    let text = |key: &str| criterion[key].as_str().unwrap();
    (text("query"), text("operator"), criterion["threshold"].as_f64().unwrap())
}

#[test]
fn there_is_an_alert_for_each_thing_that_needs_a_person() {
    for snapshot in Snapshot::all() {
        let alerts = alerts(&snapshot);
        let names: Vec<_> = alerts.keys().map(String::as_str).collect();
        let of_one = ["dead-letters", "failed-runs", "lag", "no-heartbeat", "rule-errors"];
        let of_a_fleet = ["failed-functions", "poison", "silent-tenant"];
        let wanted: BTreeSet<_> =
            of_one.into_iter().chain(of_a_fleet.into_iter().filter(|_| snapshot.is_fleet())).collect();
        assert_eq!(names, wanted.into_iter().collect::<Vec<_>>(), "{}", snapshot.name);
        for (name, alert) in &alerts {
            assert_eq!(alert["enabled"], true, "{name}");
            assert!(alert["description"].as_str().unwrap().len() > 60, "{name} says what it means");
            let criterion = &alert["criteria"]["allOf"][0];
            assert_eq!(criterion["metricMeasureColumn"], "Value", "{name}");
            assert!(criterion["query"].as_str().unwrap().contains(" Value = "), "{name}");
        }
        assert_eq!(criterion(alerts["no-heartbeat"]).1, "LessThan", "silence is what it fires on");
        assert!(
            criterion(alerts["no-heartbeat"]).0.contains("summarize Value = count()"),
            "no row gives 0, not nothing"
        );
        assert_eq!(criterion(alerts["lag"]).2, 7200.0, "two hours, in seconds");
    }
}

#[test]
fn alerts_look_where_the_rows_are() {
    for snapshot in Snapshot::all() {
        let component = snapshot.the("Microsoft.Insights/components")["id"].as_str().unwrap();
        for (name, alert) in alerts(&snapshot) {
            let scope = alert["scopes"][0].as_str().unwrap();
            let (query, ..) = criterion(alert);
            if query.starts_with("requests ") || query.starts_with("traces ") {
                assert_eq!(scope, component, "{name}");
            } else {
                assert!(scope.contains("Microsoft.OperationalInsights/workspaces/"), "{name}: {scope}");
            }
        }
    }
}

/// The columns that a query of the runs' table asks for.
pub fn asked_columns(query: &str) -> impl Iterator<Item = &str> {
    let words =
        query.split('"').step_by(2).flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    words
        .filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase()))
        .filter(|word| !["LabelstreamRuns_CL", "Value"].contains(word))
}

/// The queries of a page of the documentation.
fn documented(page: &str) -> Vec<String> {
    text(page).split("```kusto\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn alerts_and_documents_ask_for_columns_of_the_runs() {
    let runs = json("infra/runs-columns.json");
    let is_column = |name: &str| runs.as_array().unwrap().iter().any(|column| column["name"] == name);
    let snapshot = Snapshot::named("commercial");
    let tenant = snapshot.settings()["M365_TENANT_ID"].as_str().unwrap();
    let alerts = alerts(&snapshot);
    let alerts = alerts.iter().map(|(name, alert)| ((*name).clone(), criterion(alert).0.to_owned()));
    let alerts: Vec<_> = alerts.filter(|(_, query)| query.starts_with("LabelstreamRuns_CL ")).collect();
    assert_eq!(alerts.len(), 3);
    for (name, query) in &alerts {
        assert!(query.contains(&format!("OrganizationId =~ \"{tenant}\"")), "{name}: another connector would answer");
    }
    let pages = documented("docs/health.md").into_iter().filter(|query| query.starts_with("LabelstreamRuns_CL"));
    let pages: Vec<_> = pages.map(|query| ("docs/health.md".to_owned(), query)).collect();
    assert!(!pages.is_empty());
    for (name, query) in alerts.iter().chain(&pages) {
        for column in asked_columns(query) {
            assert!(is_column(column), "{name}: no column {column}");
        }
    }
}

#[test]
fn what_is_compared_with_an_outcome_is_one_that_runs_write() {
    let mut queries = documented("docs/health.md");
    for snapshot in Snapshot::all() {
        queries.extend(alerts(&snapshot).values().map(|alert| criterion(alert).0.to_owned()));
        for page in snapshot.of_type("Microsoft.SecurityInsights/dataConnectorDefinitions") {
            let criteria = &page["properties"]["connectorUiConfig"]["connectivityCriteria"];
            queries.push(criteria[0]["value"][0].as_str().unwrap().to_owned());
        }
    }
    let mut compared = 0;
    for query in &queries {
        let clauses = query.split("Outcome ").skip(1).map(|rest| rest.split(['|', ')', '\n']).next().unwrap());
        for word in clauses.flat_map(|clause| clause.split('"').skip(1).step_by(2)) {
            let outcome: Outcome = serde_json::from_value(word.into()).unwrap_or_else(|_| panic!("{word}: {query}"));
            assert_eq!(outcome.as_str(), word, "what the row says");
            compared += 1;
        }
    }
    assert!(compared > 0, "the page of the connector compares");
}

#[test]
fn failed_runs_are_looked_for_under_the_functions_name() {
    let named = format!("requests | where name == \"{FUNCTION}\" and success == false");
    for snapshot in Snapshot::all().iter().filter(|snapshot| !snapshot.is_fleet()) {
        assert!(criterion(alerts(snapshot)["failed-runs"]).0.starts_with(&named), "{named}");
    }
}

#[test]
fn the_rule_logs_its_errors_to_where_the_alert_looks() {
    for snapshot in Snapshot::all() {
        let rule = snapshot.the("Microsoft.Insights/dataCollectionRules")["id"].as_str().unwrap();
        let log = snapshot.the("Microsoft.Insights/diagnosticSettings");
        assert!(log["id"].as_str().unwrap().starts_with(rule));
        assert_eq!(log["properties"]["logs"][0]["category"], "LogErrors");
        assert_eq!(log["properties"]["logs"][0]["enabled"], true);
        let alerts = alerts(&snapshot);
        assert_eq!(alerts["rule-errors"]["scopes"][0], log["properties"]["workspaceId"]);
        assert!(criterion(alerts["rule-errors"]).0.contains(&format!("_ResourceId =~ \"{rule}\"")));
        let dropped = snapshot.the("Microsoft.Insights/metricAlerts");
        assert_eq!(dropped["properties"]["scopes"][0], rule);
        assert_eq!(dropped["properties"]["criteria"]["allOf"][0]["metricName"], "RowsDropped_Count");
    }
}

#[test]
fn whoever_gave_an_address_is_told_by_every_alert() {
    for snapshot in Snapshot::all() {
        let groups = snapshot.of_type("Microsoft.Insights/actionGroups");
        let told = snapshot.name != "cross-tenant";
        assert_eq!(groups.len(), usize::from(told), "{}", snapshot.name);
        let ids: Vec<_> = groups.iter().map(|group| group["id"].as_str().unwrap()).collect();
        for (name, alert) in alerts(&snapshot) {
            assert_eq!(alert["actions"]["actionGroups"], Value::from(ids.clone()), "{}: {name}", snapshot.name);
        }
        let metric = snapshot.the("Microsoft.Insights/metricAlerts");
        assert_eq!(metric["properties"]["actions"].as_array().unwrap().len(), ids.len());
    }
}

#[test]
fn the_operators_page_says_what_to_do_at_each() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operate.md")).unwrap();
    let (_, section) = page.split_once("\n## When an alert fires\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let told: BTreeSet<String> = rows
        .flat_map(|row| row.split('|').next().unwrap().split(['`', ',', ' ']).map(str::to_owned).collect::<Vec<_>>())
        .filter(|name| !name.is_empty())
        .collect();
    // It has those of one tenant, too.
    let snapshot = Snapshot::named("fleet");
    let metric = snapshot.the("Microsoft.Insights/metricAlerts")["name"].as_str().unwrap();
    let (_, metric) = metric.split_at(metric.find("rows").unwrap());
    let there: BTreeSet<String> = alerts(&snapshot).into_keys().chain([metric.to_owned()]).collect();
    assert_eq!(told, there);
}
