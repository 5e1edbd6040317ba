//! The application for many tenants as the host reads it: `fleet/host.json` and a folder for each of its functions.
//! The status function is that of the application for one tenant.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use labelstream::handler::BINDING;
use serde_json::{Value, json};

use crate::app;

const TIMER: &str = "FleetTimer";
const PULL: &str = "FleetPull";

fn fleet() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fleet")
}

fn host() -> Value {
    app::json("fleet/host.json")
}

/// The functions: each folder with a `function.json`, and its bindings.
fn functions() -> BTreeMap<String, Vec<Value>> {
    let folders = fs::read_dir(fleet()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    folders
        .filter(|folder| fleet().join(folder).is_dir())
        .map(|folder| {
            let function = app::json(&format!("fleet/{folder}/function.json"));
            (folder, app::bindings(&function).to_vec())
        })
        .collect()
}

/// The one binding of a function.
fn binding(folder: &str) -> Value {
    let functions = functions();
    let [binding] = functions[folder].as_slice() else { panic!("{folder} has several bindings") };
    binding.clone()
}

/// `hh:mm:ss` in seconds.
fn seconds(time: &Value) -> u64 {
    time.as_str().unwrap().split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap())
}

#[test]
fn the_fleet_is_a_timer_and_a_queue_trigger() {
    assert_eq!(functions().into_keys().collect::<Vec<_>>(), [PULL, TIMER]);
    for folder in functions().keys() {
        let files: Vec<_> =
            fs::read_dir(fleet().join(folder)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(files, ["function.json"], "{folder}: a lone other file would be taken for a script");
        let function = app::json(&format!("fleet/{folder}/function.json"));
        assert!(function.get("retry").is_none(), "{folder}: it would multiply with the queue's own tries");
    }
    let own: BTreeSet<_> = fs::read_dir(fleet()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(own, [PULL, TIMER, "host.json"].map(Into::into).into(), "the package script adds the rest");
}

#[test]
fn its_timer_is_that_of_one_tenant_under_another_name() {
    let timer = binding(TIMER);
    assert_eq!(timer, app::json("TimerPull/function.json")["bindings"][0]);
    assert_eq!((&timer["type"], &timer["name"]), (&json!("timerTrigger"), &json!(BINDING)));
    assert_eq!(timer["schedule"], "%TIMER_SCHEDULE%", "a setting that the sample and the template set");
}

#[test]
fn its_queue_is_in_the_hosts_own_account() {
    let work = binding(PULL);
    assert_eq!((&work["type"], &work["direction"]), (&json!("queueTrigger"), &json!("in")));
    assert_eq!(work["name"], "work", "what the handler reads");
    assert!(!work["name"].as_str().unwrap().ends_with("trigger"), "the host drops such keys from the metadata");
    assert_eq!(work["queueName"], "labelstream-work");
    assert_eq!(work["connection"], "AzureWebJobsStorage", "the account that holds the state too");
}

#[test]
fn it_declares_the_bundle_that_a_queue_trigger_needs() {
    let bundle = &host()["extensionBundle"];
    assert_eq!(bundle["id"], "Microsoft.Azure.Functions.ExtensionBundle");
    assert_eq!(bundle["version"], "[4.*, 5.0.0)", "as the tools of the host write it");
    assert!(app::json("host.json").get("extensionBundle").is_none(), "one tenant needs none");
}

#[test]
fn the_rest_of_its_host_json_is_that_of_one_tenant() {
    let (mut host, mut other) = (host(), app::json("host.json"));
    for settings in [&mut host, &mut other] {
        let settings = settings.as_object_mut().unwrap();
        for own in ["extensionBundle", "extensions", "functionTimeout"] {
            settings.remove(own);
        }
    }
    assert_eq!(host, other, "the same handler, log levels and sampling");
    let sampled = other["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"].as_str().unwrap();
    assert!(sampled.split(';').any(|kind| kind == "Trace"), "an alert goes by a line of the host");
}

#[test]
fn a_failed_message_is_tried_again_with_pauses_and_not_in_one_second() {
    let queues = &host()["extensions"]["queues"];
    let (tries, pause) = (queues["maxDequeueCount"].as_u64().unwrap(), seconds(&queues["visibilityTimeout"]));
    assert!(pause >= 30, "the host's default is none");
    assert!((tries - 1) * pause >= 240, "{tries} tries outlast an outage of some minutes");
    assert_eq!(queues["messageEncoding"], "base64", "as FleetTimer writes them");
    let polled = seconds(&queues["maxPollingInterval"]);
    assert!((1..=10).contains(&polled), "an idle queue is found within seconds, and not at every moment");
}

#[test]
fn what_one_process_gets_at_once_is_less_than_the_hosts_default() {
    let queues = &host()["extensions"]["queues"];
    let at_once = queues["batchSize"].as_u64().unwrap() + queues["newBatchThreshold"].as_u64().unwrap();
    assert!((2..24).contains(&at_once), "{at_once} of the 24 and more by default");
}

#[test]
fn no_run_that_can_be_chosen_comes_near_the_time_at_which_the_host_kills_all() {
    let timeout = seconds(&host()["functionTimeout"]);
    let template = app::json("azuredeploy.json");
    let budget = template["parameters"]["runBudgetSeconds"]["maxValue"].as_u64().unwrap();
    assert!(2 * budget <= timeout, "{budget} s of {timeout} s");
    assert!(timeout <= 600, "the Consumption plan allows no more");
}
