use std::{collections::BTreeSet, fs, process::Stdio};

use labelstream_simulator::rule::Rule;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

#[tokio::test]
async fn a_process_tells_its_address_and_is_controlled_over_http() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_labelstream-simulator"))
        .args(["--records", "400", "--days", "2", "--label-share", "0.25", "--seed", "9"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let line = BufReader::new(child.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
    let started: Value = serde_json::from_str(&line).unwrap();
    let base = started["address"].as_str().unwrap();
    assert_eq!((&started["records"], &started["label_events"]), (&json!(400), &json!(100)));
    assert_eq!(started["environment"]["IDENTITY_ENDPOINT"], format!("{base}/msi/token"));

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let call = async |method: &str, path: &str, body: Value| {
        let request = http.request(method.parse().unwrap(), format!("{base}{path}"));
        let response = request.body(body.to_string()).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.text().await.unwrap())
    };
    let order = json!({"records": {"content_type": "Audit.Exchange", "age_seconds": 60, "records": [
        {"Id": "a", "RecordType": 43}, "{broken", {"Id": "b", "RecordType": 2}]}});
    let (status, published) = call("POST", "/_sim/publish", order).await;
    let published: Value = serde_json::from_str(&published).unwrap();
    assert_eq!((status, &published["records"], &published["label_events"]), (200, &json!(3), &json!(1)));
    let again = json!({"again": {"id": published["contents"][0], "same_id": true}});
    assert_eq!(call("POST", "/_sim/publish", again).await.0, 200);
    assert_eq!(call("POST", "/_sim/publish", json!({"again": {"id": "none"}})).await.0, 404);
    assert_eq!(call("POST", "/_sim/publish", json!({"nothing": {}})).await.0, 400);
    for order in [
        json!({"every_kind": {}}),
        json!({"bulk": {"contents": 3, "records_per_content": 10}}),
        json!({"history": {"records": 50}}),
    ] {
        assert_eq!(call("POST", "/_sim/publish", order).await.0, 200);
    }
    let (_, report) = call("GET", "/_sim/report", Value::Null).await;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(report["published"].as_u64().unwrap() > 101);
    assert_eq!(report["missing"], report["published"]);

    let fault = json!({"on": "unknown", "when": "always", "effect": {"answer": {"status": 503}}});
    assert_eq!(call("POST", "/_sim/faults", fault).await, (200, r#"{"number":1}"#.to_owned()));
    assert_eq!(call("GET", "/nowhere", Value::Null).await.0, 503);
    assert_eq!(call("DELETE", "/_sim/faults?number=1", Value::Null).await.0, 204);
    assert_eq!(call("DELETE", "/_sim/faults?number=1", Value::Null).await.0, 404);
    assert_eq!(call("GET", "/nowhere", Value::Null).await.0, 404);
    let bad = json!({"on": "unknown", "when": "always", "effect": {"answer": {"status": 42}}});
    assert_eq!(call("POST", "/_sim/faults", bad).await.0, 400);
    let (_, requests) = call("GET", "/_sim/requests", Value::Null).await;
    let requests: Value = serde_json::from_str(&requests).unwrap();
    assert_eq!(requests["requests"]["answers"]["unknown"], json!({"404": 1, "503": 1}));
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_process_is_told_which_records() {
    let folder = tempfile::tempdir().unwrap();
    let mut types = BTreeSet::new();
    for mix in ["company", "published"] {
        let file = folder.path().join(mix);
        let mut child = Command::new(env!("CARGO_BIN_EXE_labelstream-simulator"))
            .args(["--bulk", "--records", "1200", "--label-share", "0.4", "--mix", mix, "--contents-file"])
            .arg(&file)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        child.kill().await.unwrap();
        assert_eq!((&started["records"], &started["label_events"]), (&json!(1_200), &json!(480)), "{mix}");
        let rule = Rule::default();
        let contents = fs::read_to_string(&file).unwrap();
        let records = contents.lines().flat_map(|line| serde_json::from_str::<Vec<Value>>(line).unwrap());
        let kept = records.filter(|record| rule.keeps(&record.to_string()));
        types.insert(kept.map(|record| record["RecordType"].as_u64().unwrap()).collect::<BTreeSet<_>>());
    }
    assert!(types.contains(&BTreeSet::from([93, 94, 95, 96, 97])), "{types:?}");
    assert!(types.iter().any(|types| types.contains(&43) && types.contains(&83)), "{types:?}");
}
