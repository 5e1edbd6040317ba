//! The files that the Functions host and its tools read: they must fit the handler and each other.

use std::{fs, path::Path};

use labelstream::{
    handler::{BINDING, FUNCTION, HTTP_BINDING, STATUS_FUNCTION},
    telemetry::LOG_SETTING,
};
use serde_json::{Value, json};

fn text(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn read(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

/// `hh:mm:ss` in seconds.
fn seconds(time: &str) -> u64 {
    time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap())
}

#[test]
fn the_function_is_a_timer_that_the_handler_knows() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FUNCTION);
    // A lone file beside function.json would be taken for a script.
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["function.json"]);
    let function = read(&format!("{FUNCTION}/function.json"));
    let binding = &function["bindings"][0];
    assert_eq!(function["bindings"].as_array().unwrap().len(), 1);
    assert_eq!((&binding["type"], &binding["direction"]), (&json!("timerTrigger"), &json!("in")));
    assert_eq!(binding["name"], BINDING);
    assert!(!BINDING.to_lowercase().ends_with("trigger"), "the host drops such keys from the metadata");
    assert_eq!(binding["runOnStartup"], false);
    assert!(function.get("retry").is_none(), "the watermark is the retry");
    let setting = binding["schedule"].as_str().unwrap().trim_matches('%');
    assert_eq!(binding["schedule"], format!("%{setting}%"));
    assert!(read("local.settings.sample.json")["Values"][setting].is_string());
}

#[test]
fn the_status_is_an_http_function_that_wants_a_key() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(STATUS_FUNCTION);
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["function.json"]);
    let function = read(&format!("{STATUS_FUNCTION}/function.json"));
    let [trigger, out] = function["bindings"].as_array().unwrap().as_slice() else { panic!("{function}") };
    assert_eq!((&trigger["type"], &trigger["direction"]), (&json!("httpTrigger"), &json!("in")));
    assert_eq!(trigger["name"], "req", "what the handler reads, and the host's samples have");
    assert_eq!(trigger["authLevel"], "function", "the page shows who is watched");
    assert_eq!((&trigger["methods"], &trigger["route"]), (&json!(["get"]), &json!("status")));
    assert_eq!((&out["type"], &out["direction"]), (&json!("http"), &json!("out")));
    assert_eq!(out["name"], HTTP_BINDING);
    let prefix = &read("host.json")["extensions"]["http"]["routePrefix"];
    assert!(prefix.is_null(), "the address in the documentation is /api/status");
}

#[test]
fn host_json_starts_the_published_binary_and_no_more() {
    let host = read("host.json");
    assert_eq!(host["customHandler"]["description"]["defaultExecutablePath"], "handler");
    assert_eq!(host["customHandler"]["enableForwardingHttpRequest"], false);
    assert!(host["customHandler"].get("http").is_none(), "routes cannot stand beside function.json");
    assert!(host.get("extensionBundle").is_none(), "a timer needs none");
    let levels = &host["logging"]["logLevel"];
    assert_eq!((&levels["Function"], &levels["Host.Function.Console"]), (&json!("Information"), &json!("Information")));
}

#[test]
fn a_run_ends_a_minute_before_the_host_kills_it() {
    let timeout = seconds(read("host.json")["functionTimeout"].as_str().unwrap());
    let budget: u64 =
        read("local.settings.sample.json")["Values"]["RUN_BUDGET_SECONDS"].as_str().unwrap().parse().unwrap();
    assert!(budget + 60 <= timeout, "{budget} s of {timeout} s");
    assert!(timeout <= 600, "the Consumption plan allows no more");
}

#[test]
fn the_sample_settings_are_complete() {
    let sample = read("local.settings.sample.json");
    let values = sample["Values"].as_object().unwrap();
    assert!(values.values().all(Value::is_string), "app settings are texts");
    for setting in
        ["M365_TENANT_ID", "DATA_COLLECTION_ENDPOINT", "LOGS_DCR_RULE_ID", "AzureWebJobsStorage", LOG_SETTING]
    {
        assert!(values.contains_key(setting), "{setting}");
    }
    assert_eq!(values["FUNCTIONS_WORKER_RUNTIME"], "custom");
    let executable = "AzureFunctionsJobHost__customHandler__description__defaultExecutablePath";
    assert_eq!(values[executable], format!("target/debug/{}", env!("CARGO_PKG_NAME")));
}

#[test]
fn only_what_the_host_needs_is_published() {
    let host = read("host.json");
    let executable = host["customHandler"]["description"]["defaultExecutablePath"].as_str().unwrap();
    let ignore = text(".funcignore");
    let mut rules = ignore.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(rules.next(), Some("/*"));
    let kept: Vec<_> = rules.map(|rule| rule.strip_prefix("!/").unwrap()).collect();
    assert_eq!(kept, [executable, "host.json", FUNCTION, STATUS_FUNCTION]);
}
