//! The page of the connector in Sentinel says "connected" only where it is.

use std::path::Path;

use crate::snapshot::Snapshot;

const PAGE: &str = "Microsoft.SecurityInsights/dataConnectorDefinitions";

#[test]
fn connected_means_that_a_run_or_a_row_came_within_the_hour() {
    let snapshot = Snapshot::named("commercial");
    let page = &snapshot.the(PAGE)["properties"]["connectorUiConfig"];
    let criteria = page["connectivityCriteria"].as_array().unwrap();
    assert_eq!(criteria.len(), 1);
    assert_eq!(criteria[0]["type"], "IsConnectedQuery");
    let [query] = &criteria[0]["value"].as_array().unwrap()[..] else { panic!("{criteria:?}") };
    let query = query.as_str().unwrap();
    // A quiet tenant has runs and no events; events' own times may be days back, so that the time of arrival counts.
    assert!(
        query.contains("LabelstreamRuns_CL | where Outcome != \"Failed\" | summarize Last = max(ingestion_time())")
    );
    assert!(query.contains("MicrosoftPurviewInformationProtection_CL | summarize Last = max(ingestion_time())"));
    assert!(query.trim_end().ends_with("| project IsConnected = LastLogReceived > ago(1h)"), "{query}");
    assert!(!query.contains(['{', '}']), "{query}");
    let tables: Vec<_> =
        page["dataTypes"].as_array().unwrap().iter().map(|kind| kind["name"].as_str().unwrap()).collect();
    assert_eq!(tables, ["MicrosoftPurviewInformationProtection_CL", "LabelstreamRuns_CL"]);
}

#[test]
fn it_lies_on_the_workspace_where_it_is_wanted() {
    for snapshot in Snapshot::all() {
        let pages = snapshot.of_type(PAGE);
        assert_eq!(pages.len(), usize::from(snapshot.name != "cross-tenant"));
        for page in pages {
            let id = page["id"].as_str().unwrap();
            assert!(id.contains("/workspaces/sentinel/providers/Microsoft.SecurityInsights/"), "{id}");
        }
    }
}

#[test]
fn its_steps_name_files_that_are_there() {
    let snapshot = Snapshot::named("commercial");
    let page = &snapshot.the(PAGE)["properties"]["connectorUiConfig"];
    let steps = page["instructionSteps"].as_array().unwrap();
    assert_eq!(steps.len(), 3);
    let mut named = 0;
    for step in steps {
        let description = step["description"].as_str().unwrap();
        for word in description.split('`').skip(1).step_by(2).filter(|word| !word.contains(' ')) {
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(word).is_file(), "{word}");
            named += 1;
        }
    }
    assert_eq!(named, 4);
    let permissions = page["permissions"]["customs"].to_string();
    for permission in ["ActivityFeed.Read", "SensitivityLabel.Read"] {
        assert!(permissions.contains(permission), "{permission}");
    }
}
