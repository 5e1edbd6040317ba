//! Tables and streams have the columns of the rows that are sent to them.

use labelstream::row::{ColumnType, columns};
use serde_json::Value;

use crate::snapshot::{Snapshot, json};

const LABEL_TABLE: &str = "MicrosoftPurviewInformationProtection_CL";
const RUNS_TABLE: &str = "LabelstreamRuns_CL";

/// "Create a custom table": what a column must not be called, whatever the case; and what the service sets itself.
const RESERVED: [&str; 17] = [
    "id",
    "BilledSize",
    "IsBillable",
    "InvalidTimeGenerated",
    "TenantId",
    "Title",
    "Type",
    "UniqueId",
    "_ItemId",
    "_ResourceGroup",
    "_ResourceId",
    "_SubscriptionId",
    "_TimeReceived",
    "SourceSystem",
    "MG",
    "ManagementGroupName",
    "Computer",
];

type Columns = Vec<(String, String)>;

fn pairs(columns: &Value) -> Columns {
    let text = |column: &Value, key: &str| column[key].as_str().unwrap().to_owned();
    columns.as_array().unwrap().iter().map(|column| (text(column, "name"), text(column, "type"))).collect()
}

/// The definition of a table's columns.
fn defined(table: &str) -> Columns {
    pairs(&json(if table == LABEL_TABLE { "infra/columns.json" } else { "infra/runs-columns.json" }))
}

#[test]
fn the_rule_has_a_stream_for_each_table_with_its_columns() {
    for snapshot in Snapshot::all() {
        let rule = snapshot.the("Microsoft.Insights/dataCollectionRules");
        assert_eq!(rule["kind"], "Direct", "an endpoint of its own");
        let streams = rule["properties"]["streamDeclarations"].as_object().unwrap();
        let flows = rule["properties"]["dataFlows"].as_array().unwrap();
        assert_eq!((streams.len(), flows.len()), (2, 2));
        for (table, flow) in [LABEL_TABLE, RUNS_TABLE].into_iter().zip(flows) {
            let stream = format!("Custom-{table}");
            assert_eq!(pairs(&streams[&stream]["columns"]), defined(table), "{}: {stream}", snapshot.name);
            assert_eq!(flow["streams"], Value::from(vec![stream.clone()]));
            assert_eq!(flow["outputStream"], stream.as_str());
            assert_eq!(flow["transformKql"], "source", "rows are made by the connector");
        }
        assert_eq!(labelstream::health::RUNS_STREAM, format!("Custom-{RUNS_TABLE}"), "no setting names it");
        assert_eq!(snapshot.settings()["LOGS_DCR_STREAM_NAME"], format!("Custom-{LABEL_TABLE}"));
    }
}

#[test]
fn the_tables_have_the_columns_too() {
    for snapshot in Snapshot::all() {
        let tables = snapshot.of_type("Microsoft.OperationalInsights/workspaces/tables");
        assert_eq!(tables.len(), 2);
        for (name, table) in [LABEL_TABLE, RUNS_TABLE].into_iter().zip(tables) {
            let schema = &table["properties"]["schema"];
            assert_eq!(schema["name"], name);
            assert_eq!(table["properties"]["plan"], "Analytics", "scheduled rules of Sentinel need it");
            // A table spells one type otherwise than a rule does.
            let columns: Columns = pairs(&schema["columns"])
                .into_iter()
                .map(|(name, kind)| (name, if kind == "dateTime" { "datetime".to_owned() } else { kind }))
                .collect();
            assert_eq!(columns, defined(name), "{}", snapshot.name);
            assert!(!pairs(&schema["columns"]).iter().any(|(_, kind)| kind == "datetime"), "a table has dateTime");
        }
    }
}

#[test]
fn label_events_are_what_the_connector_writes() {
    let written: Columns = columns()
        .map(|(name, kind)| {
            let kind = match kind {
                ColumnType::String => "string",
                ColumnType::Int => "int",
                ColumnType::Boolean => "boolean",
                ColumnType::Datetime => "datetime",
                ColumnType::Dynamic => "dynamic",
            };
            (name.to_owned(), kind.to_owned())
        })
        .collect();
    assert_eq!(written, defined(LABEL_TABLE));
}

#[test]
fn names_are_allowed_and_unique() {
    for table in [LABEL_TABLE, RUNS_TABLE] {
        assert!(table.len() <= 45);
        let columns = defined(table);
        assert!(columns.contains(&("TimeGenerated".to_owned(), "datetime".to_owned())), "{table}");
        for (i, (name, kind)) in columns.iter().enumerate() {
            assert!((2..=45).contains(&name.len()), "{table}: {name}");
            assert!(name.starts_with(|first: char| first.is_ascii_alphabetic()), "{table}: {name}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{table}: {name}");
            assert!(!RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)), "{table}: {name}");
            let twice = columns[..i].iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            assert!(!twice, "{table}: {name} twice");
            let kinds = ["boolean", "datetime", "dynamic", "int", "long", "real", "string"];
            assert!(kinds.contains(&kind.as_str()), "{table}: {name} is a {kind}");
        }
    }
}

#[test]
fn the_workspace_may_be_elsewhere() {
    let snapshot = Snapshot::named("commercial");
    let group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sentinel/";
    for table in snapshot.of_type("Microsoft.OperationalInsights/workspaces/tables") {
        assert!(table["id"].as_str().unwrap().starts_with(group), "{}", table["id"]);
    }
    let rule = snapshot.the("Microsoft.Insights/dataCollectionRules");
    assert!(!rule["id"].as_str().unwrap().starts_with(group), "the rule is with the app");
    assert!(
        rule["location"].as_str().unwrap().contains(&format!("{group}providers/Microsoft.OperationalInsights")),
        "and in the workspace's region: {}",
        rule["location"]
    );
}

/// A table that is deployed again has the columns of its new definition alone: one that is missing there is deleted with
/// its data. What a version had, in `released.json`, each later one has, and appends its own.
#[test]
fn columns_that_a_version_had_stay() {
    let released = json("tests/infra/released.json");
    for table in [LABEL_TABLE, RUNS_TABLE] {
        let had: Columns = serde_json::from_value(released[table].clone()).unwrap();
        let has = defined(table);
        assert!(!had.is_empty() && has.starts_with(&had), "{table}: append columns, and never take one away:\n{has:?}");
    }
}
