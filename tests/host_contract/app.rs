//! The application as the host reads it: `host.json` and a folder for each function.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

/// What invokes a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    Timer,
    /// One `httpTrigger` in and one `http` out: what the host may forward.
    Http,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn json(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(root().join(name)).unwrap()).unwrap()
}

/// The functions of the application, as the host finds them: each folder with a `function.json`.
pub fn functions() -> BTreeMap<String, Value> {
    let folders = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    folders
        .filter(|folder| root().join(folder).join("function.json").is_file())
        .map(|folder| (folder.clone(), json(&format!("{folder}/function.json"))))
        .collect()
}

pub fn bindings(function: &Value) -> &[Value] {
    function["bindings"].as_array().unwrap()
}

/// What invokes the function of this folder, where there is one.
pub fn trigger(folder: &str) -> Option<Trigger> {
    let functions = functions();
    let types: Vec<_> =
        bindings(functions.get(folder)?).iter().map(|binding| binding["type"].as_str().unwrap()).collect();
    Some(match types.as_slice() {
        ["timerTrigger"] => Trigger::Timer,
        ["httpTrigger", "http"] => Trigger::Http,
        other => panic!("{folder} has the bindings {other:?}, of which this suite knows no rules"),
    })
}

/// Whether the host hands over HTTP requests as they came, in place of its own form.
pub fn forwards() -> bool {
    let handler = &json("host.json")["customHandler"];
    handler["enableForwardingHttpRequest"] == true || handler["enableProxyingHttpRequest"] == true
}

#[test]
fn the_application_is_one_timer_and_one_http_function() {
    let found: BTreeMap<_, _> = functions().into_keys().map(|folder| (trigger(&folder).unwrap(), folder)).collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), [&Trigger::Timer, &Trigger::Http]);
    assert_eq!(functions().len(), 2);
}

#[test]
fn a_function_folder_holds_its_function_json_alone() {
    for folder in functions().keys() {
        let files: Vec<_> =
            fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(files, ["function.json"], "{folder}: a lone other file would be taken for a script");
    }
}

#[test]
fn the_triggers_names_reach_the_handler() {
    for (folder, function) in functions() {
        for binding in bindings(&function) {
            let name = binding["name"].as_str().unwrap();
            assert!(!name.to_lowercase().ends_with("trigger"), "{folder}: the host drops such keys from the metadata");
            assert!(["in", "out"].contains(&binding["direction"].as_str().unwrap()), "{folder}");
        }
    }
}

#[test]
fn every_name_in_percent_signs_is_a_setting_that_is_set() {
    let sample = json("local.settings.sample.json");
    let template = fs::read_to_string(root().join("infra/modules/function-app.bicep")).unwrap()
        + &fs::read_to_string(root().join("infra/main.bicep")).unwrap();
    let mut names = BTreeSet::new();
    for function in functions().values() {
        for part in function.to_string().split('%').skip(1).step_by(2) {
            names.insert(part.to_owned());
        }
    }
    assert_eq!(names.len(), 1, "{names:?}");
    for name in names {
        assert!(sample["Values"][&name].is_string(), "{name} is not in local.settings.sample.json");
        assert!(template.contains(&name), "{name} is set by no template: the host would disable the function");
    }
}

#[test]
fn a_bundle_of_extensions_is_there_only_for_those_who_need_one() {
    let built_in = ["timerTrigger", "httpTrigger", "http"];
    let needs_one = functions().values().any(|function| {
        bindings(function).iter().any(|binding| !built_in.contains(&binding["type"].as_str().unwrap()))
    });
    assert_eq!(json("host.json").get("extensionBundle").is_some(), needs_one, "the timer and HTTP are the host's own");
}

#[test]
fn routes_stand_in_the_functions_folders() {
    assert!(json("host.json")["customHandler"].get("http").is_none(), "the host throws where both are there");
    for (folder, function) in functions() {
        if trigger(&folder) == Some(Trigger::Http) {
            let route = bindings(&function)[0]["route"].as_str().unwrap();
            assert!(!route.starts_with("admin") && !route.starts_with("runtime"), "those are the host's own");
        }
    }
}

#[test]
fn the_log_levels_let_the_lines_through() {
    let levels = &json("host.json")["logging"]["logLevel"];
    for category in ["default", "Function", "Host.Function.Console"] {
        assert_eq!(levels[category], "Information", "{category}");
    }
}

#[test]
fn the_handler_is_named_as_the_tools_look_for_it() {
    let path = json("host.json")["customHandler"]["description"]["defaultExecutablePath"].as_str().unwrap().to_owned();
    assert_eq!(path, "handler", "only an entry of just this name gets its run bit from the publishing tools");
    assert!(fs::read_to_string(root().join(".funcignore")).unwrap().lines().any(|line| line == "!/handler"));
}
