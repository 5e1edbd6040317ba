//! Static maps in place of Graph.

use std::fs;

use labelstream_simulator::Endpoint;
use serde_json::json;

use crate::{share::Share, shell::Shell};

/// Ids, names, priorities and parents' names of the tenant's labels.
fn labels(shell: &Shell) -> Vec<(String, &'static str, u32, &'static str)> {
    let tenant = shell.simulator.tenant();
    let parent = |at: Option<usize>| at.map_or("", |at| tenant.labels[at].name);
    tenant.labels.iter().map(|label| (label.id.clone(), label.name, label.priority, parent(label.parent))).collect()
}

/// What `Get-Label | Select-Object … | Export-Csv` makes.
fn csv(shell: &Shell) -> String {
    let line = |(id, name, priority, parent): &(String, &str, u32, &str)| {
        format!("\"{id}\",\"{name}\",\"{priority}\",\"{parent}\"\r\n")
    };
    let rows: String = labels(shell).iter().map(line).collect();
    format!("#TYPE Selected.Label\r\n\"ImmutableId\",\"DisplayName\",\"Priority\",\"ParentLabelDisplayName\"\r\n{rows}")
}

fn array(shell: &Shell) -> String {
    let label = |(id, name, priority, parent): &(String, &str, u32, &str)| json!({"ImmutableId": id.to_uppercase(), "DisplayName": name, "Priority": priority, "ParentLabelDisplayName": parent});
    json!(labels(shell).iter().map(label).collect::<Vec<_>>()).to_string()
}

/// Runs with `LABELS` set to a map, and expects all names.
async fn assert_named(shell: &mut Shell, map: String) {
    shell.settings = vec![("LABELS", map.clone())];
    let ran = shell.pull().await.ok();
    let share = Share::of(&shell.simulator, &shell.rows());
    assert!(share.rows > 15 && share.named == share.rows, "{map}: {share:?}: {}", ran.said);
    assert_eq!((ran.lines("label names are").len(), shell.asked(Endpoint::Labels)), (0, 0), "{}", ran.said);
    assert_eq!(shell.stored().await, None, "a map is where it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_of_each_form_names_every_label() {
    let mut shell = Shell::new().await;
    fs::write(shell.path("labels.csv"), csv(&shell)).unwrap();
    assert_named(&mut shell, "./labels.csv".to_owned()).await;

    let mut shell = Shell::new().await;
    let map = array(&shell);
    assert_named(&mut shell, map).await;

    let mut shell = Shell::new().await;
    // As Windows PowerShell writes it.
    let utf16 = array(&shell).encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    fs::write(shell.path("labels.json"), [vec![0xff, 0xfe], utf16].concat()).unwrap();
    let path = shell.path("labels.json").to_str().unwrap().to_owned();
    assert_named(&mut shell, path).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_ids_and_names_gives_names_without_priorities() {
    let mut shell = Shell::new().await;
    let map: serde_json::Map<_, _> = shell
        .simulator
        .tenant()
        .labels
        .iter()
        .map(|label| (label.id.clone(), json!(shell.simulator.tenant().label_path(label))))
        .collect();
    shell.settings = vec![("LABELS", json!(map).to_string())];
    shell.pull().await.ok();
    let named = shell.rows().into_iter().filter(|row| row["SensitivityLabelName"] == "Confidential\\Finance").count();
    let plain = shell.rows().into_iter().filter(|row| row["LabelName"] == "Finance").count();
    assert!(named <= plain && shell.rows().iter().all(|row| row.get("SensitivityLabelPriority").is_none()));
    assert!(shell.rows().iter().any(|row| row["SensitivityLabelName"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_cannot_be_used_is_told_and_stops_nothing() {
    for (map, content, words) in [
        ("./missing.json", None, "the map ./missing.json: the file cannot be read: No such file"),
        ("./labels.csv", Some("Name,Colour\r\nx,y"), "its header has no column for the id"),
        ("./labels.json", Some("[{\"id\": "), "it is no JSON: EOF"),
        ("[]", None, "the map in LABELS: nothing in it has an id and a name (0 entries)"),
        ("{\"labels\": 7}", None, "the map in LABELS: nothing in it has an id and a name (1 entries)"),
    ] {
        let mut shell = Shell::new().await;
        if let Some(content) = content {
            fs::write(shell.path(map.trim_start_matches("./")), content).unwrap();
        }
        shell.settings = vec![("LABELS", map.to_owned())];
        let ran = shell.pull().await.ok();
        let warned = ran.warned("label names are missing");
        assert!(warned.len() == 1 && warned[0].contains(words) && warned[0].contains("Get-Label"), "{}", ran.said);
        assert!(shell.simulator.report().is_clean());
        let told = shell.run(&["labels"]).await;
        assert_eq!((told.status, told.said.contains(words)), (1, true), "{}", told.said);
    }
}
