//! Names in rows.

use labelstream::{
    content::Content,
    dead_letter::DeadLetter,
    state::{Expect, Store as _},
};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, RetryAfter, When};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::{
    share::Share,
    shell::{A_DAY, Shell, changed},
};

/// Run with `--nocapture` for the share.
#[tokio::test(flavor = "multi_thread")]
async fn every_label_of_the_tenant_has_its_name_in_every_row() {
    let shell = Shell::of(Config { label_page_size: 2, ..Config::default() }).await;
    shell.simulator.publish_every_kind(OffsetDateTime::now_utc() - Duration::minutes(30));
    for (number, content_type) in ContentType::WITH_LABELS.into_iter().enumerate() {
        let created = OffsetDateTime::now_utc() - Duration::minutes(20 - number as i64);
        shell.simulator.publish(content_type, created, 400, 50);
    }
    let ran = shell.pull().await.ok();
    assert!(shell.simulator.report().is_clean());
    assert_eq!(ran.lines("label names"), [""; 0], "there is no trouble to tell of");
    let share = Share::of(&shell.simulator, &shell.rows());
    println!(
        "{} of {} rows with a label of the tenant have its name: {:.1} %; {} rows have the id of a deleted one",
        share.named,
        share.rows,
        100.0 * share.named as f64 / share.rows as f64,
        share.foreign
    );
    assert!(share.rows > 800 && share.foreign > 0, "{share:?}");
    assert_eq!(share.named, share.rows);
    let told = shell.run(&["status", "--state", "state", "--offline", "--json"]).await.ok().json();
    let run = &told["runs"][0];
    assert_eq!(run["unknownLabels"], share.foreign as u64);
    assert_eq!(run["catalogue"]["labels"], shell.simulator.tenant().labels.len() as u64);
    assert!(run["catalogue"]["ageSeconds"].as_i64().unwrap() < 60 && run["catalogue"].get("trouble").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_label_is_told_by_the_priorities_where_the_record_does_not_say() {
    let shell = Shell::of(Config::default()).await;
    let labels = &shell.simulator.tenant().labels;
    let (low, high) = (&labels[1].id, &labels[4].id);
    let file = |id: &str, old: &str, new: &str| {
        json!({"Id": id, "RecordType": 6, "Operation": "FileSensitivityLabelChanged", "CreationTime": "2026-01-01T00:00:00",
               "SourceLabel": old, "DestinationLabel": new})
    };
    let site = json!({"Id": "site", "RecordType": 4, "Operation": "SensitivityLabelChanged", "CreationTime": "2026-01-01T00:00:00",
        "ModifiedProperties": [{"Name": "SensitivityLabel", "OldValue": high, "NewValue": low}]});
    let mut stated = changed("stated", low, high);
    stated["SensitivityLabelEventData"]["LabelEventType"] = json!(2);
    shell.publish([file("up", low, high), file("down", high, low), file("same", low, low), site, stated]);
    shell.pull().await.ok();
    for (id, change) in [
        ("up", "Upgraded"),
        ("down", "Downgraded"),
        ("same", "SameOrder"),
        ("site", "Downgraded"),
        ("stated", "Downgraded"),
    ] {
        assert_eq!(shell.row(id)["LabelChange"], change, "{id}");
    }
    let row = shell.row("up");
    assert_eq!(
        (&row["OldSensitivityLabelName"], &row["SensitivityLabelName"], &row["LabelName"]),
        (&json!("Public"), &json!("Confidential\\All Employees"), &json!("All Employees"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_is_made_later_has_its_name_in_the_very_run() {
    let shell = Shell::new().await;
    shell.pull().await.ok();
    let parent = shell.simulator.tenant().labels[3].id.clone();
    let made = shell.simulator.create_label("Made later", Some(&parent));
    let asked = shell.asked(Endpoint::Labels);
    // Several contents ask for it at the same time, in another case; some twice.
    for number in 0..8 {
        let record = changed(&format!("late-{number}"), &parent, &format!("{{{}}}", made.to_uppercase()));
        shell.publish([record.clone(), record]);
    }
    shell.pull().await.ok();
    for number in 0..8 {
        let row = shell.row(&format!("late-{number}"));
        assert_eq!(row["SensitivityLabelName"], "Confidential\\Made later", "{row}");
        assert_eq!((&row["LabelName"], &row["LabelChange"]), (&json!("Made later"), &json!("Upgraded")));
    }
    assert!(shell.simulator.report().is_clean());
    assert_eq!(shell.asked(Endpoint::Labels), asked + 1, "once for all of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_and_renamed_labels_have_the_name_that_is_known_last() {
    let shell = Shell::of(Config::default()).await;
    let (top, sub) = {
        let top = shell.simulator.create_label("Project", None);
        let sub = shell.simulator.create_label("Secret", Some(&top));
        (top, sub)
    };
    shell.pull().await.ok();
    shell.simulator.rename_label(&top, "Programme");
    shell.age(A_DAY).await;
    shell.pull().await.ok();
    shell.simulator.delete_label(&top);
    shell.age(A_DAY).await;
    shell.publish([changed("deleted", &top, &sub)]);
    shell.pull().await.ok();
    let row = shell.row("deleted");
    assert_eq!(row["OldSensitivityLabelName"], "Programme");
    assert_eq!(row["SensitivityLabelName"], "Programme\\Secret");
    assert_eq!(row["LabelChange"], "Upgraded");
    let stored = shell.stored().await.unwrap();
    assert_eq!(stored.catalogue.gone(), 2);
    assert!(stored.catalogue.get(&top).unwrap().gone.is_some());
    assert_eq!(stored.in_vain, [""; 0], "they are known");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_has_names_and_saves_none() {
    let shell = Shell::new().await;
    let dry = ["pull", "--dry-run", "--output", "-"];
    for arguments in [&dry[..], &["pull", "--dry-run", "--output", "-", "--state", "state"]] {
        let ran = shell.run(arguments).await.ok();
        let rows: Vec<Value> = ran.data.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let share = Share::of(&shell.simulator, &rows);
        assert!(share.rows > 15 && share.named == share.rows, "{share:?}");
    }
    assert_eq!(shell.stored().await, None);
    // A run that writes to a file saves them.
    shell.run(&["pull", "--state", "state", "--output", "rows.ndjson"]).await.ok();
    let text = std::fs::read_to_string(shell.path("rows.ndjson")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let share = Share::of(&shell.simulator, &rows);
    assert!(share.rows > 15 && share.named == share.rows, "{share:?}");
    assert!(shell.stored().await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_names_what_it_reads_anew() {
    let shell = Shell::of(Config::default()).await;
    let id = shell.simulator.tenant().labels[4].id.clone();
    let created = OffsetDateTime::now_utc() - Duration::minutes(5);
    let published = shell.simulator.publish_records(ContentType::General, created, [changed("replayed", &id, &id)]);
    let tenant = &shell.simulator.tenant().id;
    let content = Content {
        content_type: labelstream::content::ContentType::General,
        id: published.id.clone(),
        uri: format!("{}/api/v1.0/{tenant}/activity/feed/audit/{}", shell.simulator.base(), published.id),
        created,
        expires: None,
    };
    let letter = DeadLetter::content(content, "it could not be read".to_owned(), 8, created);
    letter.save(&shell.store(), tenant, &Expect::Absent).await.unwrap();
    shell.run(&["dead-letters", "replay", "--all", "--state", "state"]).await.ok();
    assert_eq!(shell.row("replayed")["SensitivityLabelName"], "Confidential\\All Employees");
    assert!(shell.simulator.report().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_passes_within_the_run_costs_no_name() {
    for effect in [
        Effect::status(503),
        Effect::throttled(RetryAfter::Seconds(1)),
        Effect::Reset(labelstream_simulator::ResetAt::InBody),
        Effect::RevokeTokens,
    ] {
        let shell = Shell::new().await;
        shell.fault(Endpoint::Labels, When::First(1), effect.clone());
        let ran = shell.pull().await.ok();
        let share = Share::of(&shell.simulator, &shell.rows());
        assert!(share.rows > 15 && share.named == share.rows, "{effect:?}: {share:?}");
        assert_eq!(ran.lines("label names are"), [""; 0], "{effect:?}");
        assert_eq!(shell.asked(Endpoint::Labels), 2, "{effect:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_names_runs_are_silent_about_them() {
    let mut shell = Shell::new().await;
    shell.settings = vec![("LABELS", "off".to_owned())];
    let ran = shell.pull().await.ok();
    assert!(shell.simulator.report().is_clean());
    assert_eq!((shell.asked(Endpoint::Labels), ran.lines("label names").len()), (0, 0));
    assert!(!ran.said.contains("known by name"), "{}", ran.said);
    assert_eq!(shell.stored().await, None);
    let told = shell.run(&["status", "--state", "state", "--offline", "--json"]).await.ok().json();
    assert_eq!((&told["healthy"], told["runs"][0].get("catalogue")), (&json!(true), None), "{told:#}");
    assert!(shell.rows().iter().all(|row| row.get("SensitivityLabelName").is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_document_is_written_anew_and_a_newer_one_is_left_alone() {
    let shell = Shell::new().await;
    let key = labelstream::labels::Stored::key(&shell.simulator.tenant().id);
    for (body, is_kept) in [(&b"{\"format\":1,"[..], false), (b"{\"format\":9}", true)] {
        shell.store().put(&key, body.to_vec().into(), &Expect::Any).await.unwrap();
        let created = OffsetDateTime::now_utc() - Duration::minutes(6);
        shell.simulator.publish(ContentType::General, created, 9, 0);
        let ran = shell.pull().await.ok();
        assert!(!ran.lines("labels.json is not used").is_empty(), "{}", ran.said);
        let share = Share::of(&shell.simulator, &shell.rows());
        assert_eq!(share.named, share.rows);
        let (now, _) = shell.store().get(&key).await.unwrap().unwrap();
        assert_eq!(&*now == body, is_kept);
    }
}
