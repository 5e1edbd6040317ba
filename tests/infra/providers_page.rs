//! docs/providers.md: what it says of the templates, the scripts and the host's settings is so.

use std::{collections::BTreeSet, path::Path, process::Command};

use crate::snapshot::{json, template, text};

fn page() -> String {
    text("docs/providers.md")
}

/// The commands that call a script, without what follows them as a remark.
fn commands(page: &str) -> Vec<&str> {
    let lines = page.lines().map(|line| line.split("   #").next().unwrap().trim());
    lines.filter(|line| line.starts_with("./scripts/")).collect()
}

#[test]
fn its_table_has_every_value_of_host_json() {
    let page = page();
    let host = json("fleet/host.json");
    let mut values = host["extensions"]["queues"].as_object().unwrap().clone();
    values.insert("functionTimeout".to_owned(), host["functionTimeout"].clone());
    values.insert("extensionBundle".to_owned(), host["extensionBundle"]["version"].clone());
    let (_, table) = page.split_once("| setting | value | why |\n").unwrap();
    let mut told = serde_json::Map::new();
    for row in table.lines().skip(1).take_while(|line| line.starts_with('|')) {
        let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
        let (names, shown) = (cells.next().unwrap(), cells.next().unwrap());
        let shown: Vec<_> = if names.contains(',') { shown.split(", ").collect() } else { vec![shown] };
        for (name, value) in names.split(", ").zip(shown) {
            let value = value.parse::<u64>().map_or_else(|_| value.into(), Into::into);
            told.insert(name.trim_matches('`').to_owned(), value);
        }
    }
    assert_eq!(told, values);
}

#[test]
fn its_commands_take_their_options() {
    let page = page();
    let commands = commands(&page);
    let mut checked = BTreeSet::new();
    for script in ["grant-feed-access", "provider-app", "package"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(script);
        let help = Command::new("bash").arg(path).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        for command in commands.iter().filter(|line| line.starts_with(&format!("./scripts/{script} "))) {
            for option in command.split(' ').filter(|word| word.starts_with("--")) {
                assert!(help.contains(&format!("{option} ")), "{option} of {command}");
                checked.insert(format!("{script} {option}"));
            }
        }
    }
    let wanted =
        ["grant-feed-access --app-id", "grant-feed-access --remove", "package --fleet", "provider-app --app-id"];
    assert!(wanted.iter().all(|option| checked.contains(*option)), "{checked:?}");
}

#[test]
fn the_parameters_and_outputs_it_names_are_there() {
    let (page, template) = (page(), template());
    for parameter in [
        "tenants",
        "appRegistrationClientId",
        "instanceMemoryMB",
        "maximumInstanceCount",
        "runBudgetSeconds",
        "storageRetentionDays",
    ] {
        assert!(page.contains(&format!("`{parameter}`")), "{parameter} is not told");
        assert!(template["parameters"][parameter].is_object(), "{parameter} is no parameter of main.bicep");
    }
    for output in ["IDENTITY_PRINCIPAL_ID", "FUNCTION_APP_NAME"] {
        assert!(page.contains(output) && template["outputs"][output].is_object(), "{output}");
    }
    assert!(text("infra/parameters/fleet.bicepparam").contains("param appRegistrationClientId = "));
}

#[test]
fn the_package_it_publishes_is_the_one_that_is_made() {
    let script = text("scripts/package");
    assert!(page().contains("--src dist/labelstream-fleet.zip"));
    assert!(script.contains("\"labelstream-fleet.zip\""));
}
