//! With nothing broken all is green, and nothing changes unless a test row is asked for.

use labelstream::{doctor::TEST_OPERATION, state::Store as _, watermark::Memory};
use labelstream_simulator::Endpoint;
use serde_json::Value;

use crate::patient::{Patient, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_broken_all_is_green_and_nothing_changes() {
    let patient = Patient::new(Setup::default()).await;
    let (report, status) = patient.examined().await;
    assert_eq!((status, &report["ok"]), (0, &Value::Bool(true)), "{report:#}");
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 20, "{report:#}");
    assert!(checks.iter().all(|check| check["state"] == "ok" && check.get("fix").is_none()), "{report:#}");
    patient.assert_unchanged().await;
    let requests = patient.simulator.requests().by_endpoint;
    assert_eq!((requests[&Endpoint::Ingest], requests[&Endpoint::Labels]), (1, 1));
    assert_eq!((requests[&Endpoint::Subscriptions], requests[&Endpoint::List]), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_a_line_for_each_check() {
    let patient = Patient::new(Setup::default()).await;
    let output = patient.run(&["doctor"], &[]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let (lines, last) = text.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(last, "All is well.");
    assert!(lines.lines().all(|line| line.starts_with("ok ")), "{text}");
    let object = "object 0b1ec700-0000-4000-8000-000000000001";
    for part in ["managed identity: application", object, "1 contents in the last 24 hours", "no row was sent"] {
        assert!(lines.contains(part), "{part}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_takes_the_place_of_the_storage_account() {
    let patient = Patient::new(Setup::default()).await;
    let storage = ["AzureWebJobsStorage", "STATE_CONTAINER"];
    let output = patient.run(&["doctor", "--state", "state"], &storage).await;
    assert_eq!(output.status.code(), Some(2), "the folder is not there");
    std::fs::create_dir(patient.path("state")).unwrap();
    let output = patient.run(&["doctor", "--state", "state"], &storage).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("folder state: a file was made, read and removed") && text.contains("All is well."),
        "{text}"
    );
    assert_eq!(std::fs::read_dir(patient.path("state")).unwrap().count(), 0, "nothing is left there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_under_way_keeps_its_lock() {
    let patient = Patient::new(Setup::default()).await;
    let lock = patient.store().lock(&Memory::lock_key(&patient.simulator.tenant().id)).await.unwrap().unwrap();
    let before = patient.storage_requests("lock.lock");
    let (report, status) = patient.examined().await;
    assert_eq!(status, 0, "{report:#}");
    let lease = report["checks"].as_array().unwrap().iter().find(|check| check["check"] == "lease").unwrap();
    assert_eq!(
        (&lease["state"], &lease["found"]),
        (&"ok".into(), &"may be taken; a run that is under way holds it now".into())
    );
    assert_eq!(patient.storage_requests("lock.lock") - before, 1, "it is looked at once, and nothing else");
    lock.renew().await.unwrap();
    lock.release().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_row_is_sent_where_it_is_asked_for_and_says_what_it_is() {
    let patient = Patient::new(Setup::default()).await;
    let output = patient.run(&["doctor", "--send-test-row"], &[]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("one test row was taken"), "{text}");
    let rows = patient.simulator.rows();
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let row: Value = serde_json::from_str(row.get()).unwrap();
    assert_eq!((&row["Operation"], &row["Workload"]), (&TEST_OPERATION.into(), &"Labelstream".into()));
    let report = patient.simulator.report();
    let undeclared = report.totals.dropped_fields;
    assert!(undeclared.is_empty() && report.totals.mistyped_fields.is_empty(), "{undeclared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_setting_it_says_what_to_set() {
    let patient = Patient::new(Setup {
        app: |folder| {
            std::fs::remove_file(folder.join("host.json")).unwrap();
            std::fs::remove_dir_all(folder.join("TimerPull")).unwrap();
        },
        ..Setup::default()
    })
    .await;
    let unset: Vec<_> =
        patient.simulator.environment().into_iter().map(|(name, _)| name).chain(["AzureWebJobsStorage"]).collect();
    let output = patient.run(&["doctor"], &unset).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    for name in ["M365_TENANT_ID", "DATA_COLLECTION_ENDPOINT", "LOGS_DCR_RULE_ID", "AzureWebJobsStorage"] {
        assert!(text.contains(&format!("fix: {name} is missing")), "{text}");
    }
    assert!(text.contains("this is no function app's folder") && text.ends_with("1 failed.\n"), "{text}");
}
