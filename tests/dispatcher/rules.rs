//! host.json, and what follows from it.

use std::time::Duration;

use serde_json::json;

use crate::dispatcher::{Fate, Rules};

#[test]
fn a_host_json_that_says_nothing_leaves_the_defaults() {
    let rules = Rules::of(&json!({"version": "2.0"}), 2).unwrap();
    assert_eq!(rules, Rules::default_on(2));
    assert_eq!((rules.batch_size, rules.new_batch_threshold, rules.max_dequeue_count), (16, 16, 5));
    let of_the_single_tenant = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("host.json");
    assert_eq!(Rules::read(&of_the_single_tenant, 1).unwrap().function_timeout, Duration::from_secs(300));
}

#[test]
fn what_host_json_says_holds() {
    let host = json!({"functionTimeout": "00:10:00", "extensions": {"queues": {
        "batchSize": 4, "maxPollingInterval": "00:00:02", "visibilityTimeout": "00:01:30", "maxDequeueCount": 9,
        "messageEncoding": "none",
    }}});
    let rules = Rules::of(&host, 2).unwrap();
    let expected = Rules {
        batch_size: 4,
        new_batch_threshold: 4, // half of it for each core
        max_polling_interval: Duration::from_secs(2),
        visibility_timeout: Duration::from_secs(90),
        max_dequeue_count: 9,
        base64: false,
        function_timeout: Duration::from_secs(600),
        ..Rules::default_on(2)
    };
    assert_eq!(rules, expected);
    let threshold = json!({"extensions": {"queues": {"newBatchThreshold": 0}}, "functionTimeout": "-1"});
    let rules = Rules::of(&threshold, 2).unwrap();
    assert_eq!((rules.new_batch_threshold, rules.function_timeout), (0, Duration::MAX));
    let span = json!({"extensions": {"queues": {"visibilityTimeout": "1.00:00:00.5"}}});
    assert_eq!(Rules::of(&span, 1).unwrap().visibility_timeout, Duration::from_millis(86_400_500));
}

#[test]
fn what_the_host_would_refuse_is_named() {
    for (key, value) in [
        ("batchSize", json!(33)),
        ("batchSize", json!(0)),
        ("newBatchThreshold", json!(-1)),
        ("maxDequeueCount", json!("5")),
        ("maxPollingInterval", json!(2000)),
        ("maxPollingInterval", json!("00:00:00.05")),
        ("visibilityTimeout", json!("90")),
        ("visibilityTimeout", json!("00:60:00")),
        ("messageEncoding", json!("utf8")),
    ] {
        let error = Rules::of(&json!({"extensions": {"queues": {key: value}}}), 1).unwrap_err();
        assert!(error.starts_with(key), "{key}: {error}");
    }
    assert!(Rules::read(std::path::Path::new("nowhere/host.json"), 1).unwrap_err().starts_with("nowhere/host.json: "));
}

#[test]
fn pauses_double_from_the_least_to_the_most() {
    let rules = Rules { max_polling_interval: Duration::from_secs(1), ..Rules::default_on(1) };
    let pauses = std::iter::successors(Some(rules.back_off(None)), |last| Some(rules.back_off(Some(*last))));
    let milliseconds: Vec<_> = pauses.take(6).map(|pause| pause.as_millis()).collect();
    assert_eq!(milliseconds, [100, 200, 400, 800, 1_000, 1_000]);
}

#[test]
fn the_last_try_that_fails_is_poison() {
    let rules = Rules::default_on(1);
    for (succeeded, count, fate) in
        [(true, 1, Fate::Deleted), (true, 9, Fate::Deleted), (false, 4, Fate::Again), (false, 5, Fate::Poison)]
    {
        assert_eq!(rules.fate(succeeded, count), fate);
    }
    assert_eq!([5, 6].map(|count| rules.is_used_up(count)), [false, true]);
}
