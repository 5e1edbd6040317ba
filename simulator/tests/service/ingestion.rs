use labelstream_simulator::{Config, ContentType, Endpoint, ingestion::LARGEST_POST};
use serde_json::{Value, json};

use crate::client::{World, ago, gzip, json};

#[tokio::test]
async fn rows_reach_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let rows_file = folder.path().join("rows.ndjson");
    let world = World::new(Config { rows_file: Some(rows_file.clone()), ..Config::default() }).await;
    let records = [
        json!({"Id": "a", "RecordType": 43, "Operation": "MipLabel"}),
        json!({"Id": "b", "RecordType": 13, "Operation": "MipLabel"}),
        json!({"Id": "c", "RecordType": 6, "Operation": "FileSensitivityLabelRemoved"}),
    ];
    world.simulator.publish_records(ContentType::Exchange, ago(5), records);
    let sent = world.post(gzip(r#"[{"AuditRecordId":"a"},{"AuditRecordId":"b","Colour":"red"}]"#));
    let sent = sent.header("Content-Encoding", "gzip").send().await.unwrap();
    assert_eq!(sent.status(), 204);
    let report = world.simulator.report();
    assert_eq!((report.published, report.arrived), (2, 2));
    assert_eq!(
        (report.missing_ids.clone(), report.unexpected_ids.clone()),
        (vec!["c".to_owned()], vec!["b".to_owned()])
    );
    assert_eq!((report.totals.posts, report.totals.json_bytes, report.totals.dropped_fields["Colour"]), (1, 60, 1));
    assert_eq!(world.post(r#"[{"AuditRecordId":"a"}]"#).send().await.unwrap().status(), 204);
    assert_eq!(world.simulator.report().doubled_unexcused_ids, ["a"]);
    let lines = std::fs::read_to_string(rows_file).unwrap();
    let ids: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["AuditRecordId"].clone()).collect();
    assert_eq!(ids, ["a", "b", "a"]);
    assert_eq!(world.simulator.rows().len(), 3);
}

#[tokio::test]
async fn the_services_limits_are_enforced() {
    let world = World::new(Config::default()).await;
    let large = format!("[{{\"ItemName\":\"{}\"}}]", "x".repeat(LARGEST_POST));
    let refused = world.post(large.clone()).send().await.unwrap();
    assert_eq!(refused.status(), 413);
    assert_eq!(json(refused).await["error"]["code"], "ContentLengthLimitExceeded");
    let packed = || world.post(gzip(&large)).header("Content-Encoding", "gzip").send();
    assert_eq!(packed().await.unwrap().status(), 413);
    for body in ["{}", "[1]", "nonsense"] {
        assert_eq!(world.post(body).send().await.unwrap().status(), 400, "{body}");
    }
    assert_eq!(world.post("[]").header("Content-Encoding", "gzip").send().await.unwrap().status(), 400);
    world.simulator.revoke_tokens();
    assert_eq!(world.post("[]").send().await.unwrap().status(), 401);
    assert_eq!(world.simulator.report().totals.posts, 0);
    assert_eq!(world.simulator.requests().answers[&Endpoint::Ingest][&413], 2);

    let lenient = World::new(Config { uncompressed_limit: false, ..Config::default() }).await;
    let packed = lenient.post(gzip(&large)).header("Content-Encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.status(), 204);
    assert_eq!(lenient.simulator.report().totals.cut_fields["ItemName"], 1);
}

#[tokio::test]
async fn rule_stream_version_and_audience_must_fit() {
    let world = World::new(Config::default()).await;
    let (base, rule) = (world.simulator.base(), world.setting("LOGS_DCR_RULE_ID"));
    let stream = world.setting("LOGS_DCR_STREAM_NAME");
    let to = async |rule: &str, stream: &str, query: &str, token: &str| {
        let url = format!("{base}/dataCollectionRules/{rule}/streams/{stream}{query}");
        let request = world.http.post(url).bearer_auth(token).header("Content-Type", "application/json").body("[]");
        request.send().await.unwrap().status().as_u16()
    };
    let (version, token) = ("?api-version=2023-01-01", world.monitor_token.as_str());
    assert_eq!(to(&rule, &stream, version, token).await, 204);
    assert_eq!(to("dcr-other", &stream, version, token).await, 404);
    assert_eq!(to(&rule, "Custom-Other_CL", version, token).await, 404);
    assert_eq!(to(&rule, &stream, "", token).await, 400);
    assert_eq!(to(&rule, &stream, version, &world.feed_token).await, 401);
}

#[tokio::test]
async fn a_kill_of_one_sender_excuses_nothing_of_another() {
    let world = World::new(Config::default()).await;
    let (one, other) = (world.simulator.sender(), world.simulator.new_sender());
    let records = ["a", "b"].map(|id| json!({"Id": id, "RecordType": 43, "Operation": "MipLabel"}));
    world.simulator.publish_records(ContentType::Exchange, ago(5), records);
    let post = async |rule: &str, id: &str| {
        let url = world.post("").build().unwrap().url().as_str().replace(one.rule(), rule);
        let body = format!("[{{\"AuditRecordId\":\"{id}\"}}]");
        let request = world.http.post(url).bearer_auth(&world.monitor_token).header("Content-Type", "application/json");
        request.body(body).send().await.unwrap().status()
    };
    assert_eq!(post(one.rule(), "a").await, 204);
    assert_eq!(post(other.rule(), "b").await, 204);
    assert_eq!(post(&format!("{}-1", one.rule()), "b").await, 404, "nobody made that rule");
    one.killed().await;
    assert_eq!(post(other.rule(), "a").await, 204);
    assert_eq!(world.simulator.report().doubled_unexcused, 0);
    assert_eq!(post(one.rule(), "b").await, 204);
    assert_eq!(world.simulator.report().doubled_unexcused_ids, ["b"]);
}

#[tokio::test]
async fn posts_that_are_read_later_are_judged_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let posts_file = folder.path().join("posts");
    let config = Config { judge_later: true, posts_file: Some(posts_file.clone()), ..Config::default() };
    let world = World::new(config).await;
    world.simulator.publish_records(ContentType::Exchange, ago(5), [json!({"Id": "a", "RecordType": 43})]);
    let large = format!("[{{\"ItemName\":\"{}\"}}]", "x".repeat(LARGEST_POST));
    let good = r#"[{"AuditRecordId":"a"},{"AuditRecordId":"b"}]"#;
    for packed in [gzip(good), gzip("nonsense"), gzip(&large), gzip(good)] {
        let sent = world.post(packed).header("Content-Encoding", "gzip").send().await.unwrap();
        assert_eq!(sent.status(), 204);
    }
    assert_eq!(world.post(large).send().await.unwrap().status(), 413, "what its length tells is refused at once");
    for _ in 0..2 {
        let report = world.simulator.report();
        assert_eq!((report.published, report.arrived, report.missing, report.unexpected), (1, 2, 0, 1));
        assert_eq!(report.doubled_unexcused_ids, ["a", "b"]);
        assert_eq!((report.totals.posts, &report.totals.refused), (2, &[(400, 1), (413, 2)].into()));
    }
    assert_eq!(std::fs::read_to_string(posts_file).unwrap(), format!("{good}\n{good}\n"));
}
