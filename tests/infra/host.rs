//! What the function app and the package must agree on.

use std::path::Path;

use crate::snapshot::{Snapshot, json, template, text};

#[test]
fn the_plan_is_flex_consumption_and_the_runtime_is_that_of_a_custom_handler() {
    for snapshot in Snapshot::all() {
        let plan = snapshot.the("Microsoft.Web/serverfarms");
        assert_eq!((&plan["sku"]["name"], &plan["sku"]["tier"]), (&"FC1".into(), &"FlexConsumption".into()));
        assert_eq!(plan["properties"]["reserved"], true, "Linux");
        let app = snapshot.the("Microsoft.Web/sites");
        assert_eq!(app["kind"], "functionapp,linux");
        // host.json has a custom handler, and nothing but the runtime `custom` starts one.
        assert!(json("host.json")["customHandler"]["description"]["defaultExecutablePath"].is_string());
        let runtime = &app["properties"]["functionAppConfig"]["runtime"];
        assert_eq!((&runtime["name"], &runtime["version"]), (&"custom".into(), &"1.0".into()));
        assert!(
            app["properties"]["siteConfig"].get("linuxFxVersion").is_none(),
            "functionAppConfig says what the runtime is"
        );
    }
}

#[test]
fn azd_publishes_what_the_script_makes() {
    // What the script packs is judged by tests/package.rs; azd publishes the folder that it makes, and nothing older.
    let azure = text("azure.yaml");
    assert!(azure.contains("\n    dist: dist/app\n"), "{azure}");
    let (_, hook) = azure.split_once("\n  prepackage:\n").unwrap();
    assert!(hook.lines().any(|line| line.trim() == "run: ./scripts/package"), "{hook}");
    assert!(!hook.contains("continueOnError"), "a package that failed is not published");
    assert!(text("scripts/package").contains("output=${output:-dist}"));
}

#[test]
fn the_timer_has_its_schedule() {
    let function = json("TimerPull/function.json");
    let schedule = function["bindings"][0]["schedule"].as_str().unwrap().trim_matches('%').to_owned();
    for snapshot in Snapshot::all() {
        let fields = snapshot.settings()[&schedule].as_str().unwrap().split(' ').count();
        assert_eq!(fields, 6, "NCRONTAB with seconds, which the host takes on every plan");
    }
}

#[test]
fn no_budget_that_can_be_chosen_outlives_the_function() {
    let timeout: Vec<u64> =
        json("host.json")["functionTimeout"].as_str().unwrap().split(':').map(|part| part.parse().unwrap()).collect();
    let seconds = timeout[0] * 3600 + timeout[1] * 60 + timeout[2];
    let budget = &template()["parameters"]["runBudgetSeconds"];
    assert!(budget["maxValue"].as_u64().unwrap() + 60 <= seconds, "{budget}");
    assert!(budget["defaultValue"].as_u64() <= budget["maxValue"].as_u64());
}

#[test]
fn alerts_ask_for_the_function_that_there_is() {
    let functions: Vec<_> = ["TimerPull"]
        .into_iter()
        .filter(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(name).join("function.json").is_file())
        .collect();
    let snapshot = Snapshot::named("commercial");
    let asked = snapshot.of_type("Microsoft.Insights/scheduledQueryRules").into_iter().find_map(|rule| {
        let query = rule.pointer("/properties/criteria/allOf/0/query")?.as_str()?;
        query.split_once("name == \"")?.1.split('"').next()
    });
    assert_eq!(asked, functions.first().copied());
}

#[test]
fn the_package_and_the_state_have_their_containers() {
    for snapshot in Snapshot::all() {
        let account = snapshot.the("Microsoft.Storage/storageAccounts")["name"].as_str().unwrap().to_owned();
        let containers: Vec<_> = snapshot
            .of_type("Microsoft.Storage/storageAccounts/blobServices/containers")
            .into_iter()
            .map(|container| container["name"].as_str().unwrap().rsplit('/').next().unwrap())
            .collect();
        let state = snapshot.settings()["STATE_CONTAINER"].as_str().unwrap();
        assert_eq!(containers, [state, "package"]);
        let storage = &snapshot.the("Microsoft.Web/sites")["properties"]["functionAppConfig"]["deployment"]["storage"];
        let address = storage["value"].as_str().unwrap();
        assert!(address.contains(&account) && address.contains("primaryEndpoints.blob, 'package'"), "{address}");
        assert_eq!(storage["authentication"]["type"], "UserAssignedIdentity");
    }
}

#[test]
fn azd_finds_the_app_by_its_tag() {
    let azure = text("azure.yaml");
    for snapshot in Snapshot::all() {
        let service = snapshot.the("Microsoft.Web/sites")["tags"]["azd-service-name"].as_str().unwrap();
        assert!(azure.contains(&format!("\n  {service}:\n")), "azure.yaml has no service {service}");
    }
}
