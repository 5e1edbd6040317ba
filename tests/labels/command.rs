//! `labelstream labels`.

use std::process::{Command, Stdio};

use labelstream_simulator::{Config, Effect, Endpoint, When};
use serde_json::json;
use time::Duration;

use crate::shell::{A_DAY, Shell};

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_what_the_runs_know_and_changes_nothing() {
    let shell = Shell::of(Config::default()).await;
    let ran = shell.run(&["labels", "--state", "state"]).await.ok();
    assert_eq!(ran.data, "0 labels from Microsoft Graph, never listed yet: the next run asks for them, or --refresh\n");
    let gone = shell.simulator.create_label("Gone", None);
    shell.pull().await.ok();
    shell.simulator.delete_label(&gone);
    shell.age(A_DAY).await;
    shell.pull().await.ok();
    shell.age(Duration::hours(3)).await;
    let before = shell.stored().await;
    let ran = shell.run(&["labels", "--state", "state"]).await.ok();
    let lines: Vec<_> = ran.data.lines().collect();
    assert!(lines[0].starts_with("13 labels, 1 of them gone, from Microsoft Graph, listed 20"), "{}", ran.data);
    assert!(lines[0].ends_with("(3 h 0 min ago)"), "{}", ran.data);
    let labels = &shell.simulator.tenant().labels;
    assert_eq!(lines[1], format!("   0  Personal             {}", labels[0].id), "{}", ran.data);
    assert_eq!(lines[5], format!("   4    All Employees      {}", labels[4].id), "{}", ran.data);
    assert!(lines[13].starts_with(&format!("  12  Gone                 {gone}  gone since 20")), "{}", ran.data);
    assert!(ran.said.is_empty() && !ran.data.contains('\x1b'), "{ran:?}");
    let told = shell.run(&["labels", "--json", "--state", "state"]).await.ok().json();
    assert_eq!((told["labels"].as_array().unwrap().len(), &told["source"]), (13, &json!("Microsoft Graph")));
    assert_eq!(told["labels"][4]["fullName"], "Confidential\\All Employees");
    assert!(told["labels"][12]["gone"].is_string() && told["labels"][0]["gone"].is_null());
    assert_eq!((shell.stored().await, shell.asked(Endpoint::Labels)), (before, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_refresh_it_asks_graph_and_the_next_run_knows_it() {
    let shell = Shell::of(Config::default()).await;
    // A failure of a run does not keep a person from asking.
    shell.fault(Endpoint::Labels, When::First(1), Effect::status(403));
    shell.pull().await.ok();
    let ran = shell.run(&["labels", "--state", "state"]).await;
    assert_eq!(ran.status, 1);
    assert!(ran.said.starts_with("label names are missing: Microsoft Graph refuses them (HTTP 403)"), "{}", ran.said);
    let ran = shell.run(&["labels", "--refresh", "--state", "state"]).await.ok();
    assert!(ran.data.starts_with("12 labels from Microsoft Graph, listed 20"), "{}", ran.data);
    let ran = shell.pull().await.ok();
    assert_eq!((ran.lines("label names are").len(), shell.asked(Endpoint::Labels)), (0, 2), "{}", ran.said);

    // Where it fails, what is known is shown, and the exit status says so.
    shell.fault(Endpoint::Labels, When::Always, Effect::status(404));
    let ran = shell.run(&["labels", "--refresh", "--state", "state"]).await;
    assert_eq!((ran.status, ran.data.lines().count()), (1, 13), "{ran:?}");
    assert!(ran.said.contains("as they were at 20") && ran.said.contains("HTTP 404"), "{}", ran.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_is_shown_without_a_state() {
    let mut shell = Shell::of(Config::default()).await;
    let map = json!([{"id": "b", "name": "B", "parent": "a", "priority": 1}, {"id": "a", "name": "A\u{1b}[31m"}, {"id": "c"}]);
    shell.settings = vec![("LABELS", map.to_string())];
    let ran = shell.run(&["labels"]).await.ok();
    assert_eq!(
        ran.data, "2 labels from the map in LABELS\n   -  A\\u{1b}[31m  a\n   1    B          b\n",
        "no terminal is steered"
    );
    for wrong in [&["labels", "--refresh"][..], &["labels", "--state", "nowhere"], &["labels", "--tree"]] {
        assert_eq!(shell.run(wrong).await.status, 2, "{wrong:?}");
    }
    shell.settings = vec![("LABELS", "off".to_owned())];
    let ran = shell.run(&["labels"]).await;
    assert_eq!((ran.status, ran.said.contains("LABELS=off")), (2, true));
    shell.settings.clear();
    let ran = shell.run(&["labels"]).await;
    assert_eq!((ran.status, ran.said.contains("AzureWebJobsStorage")), (2, true), "{}", ran.said);
}

/// What comes to the screen of a terminal.
async fn screen(shell: &Shell, no_color: Option<&str>) -> String {
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command"]);
    script.arg(format!("{} labels --state state", env!("CARGO_BIN_EXE_labelstream"))).arg("/dev/null");
    script.env_clear().envs(shell.simulator.environment()).envs(no_color.map(|value| ("NO_COLOR", value)));
    script.env("PATH", std::env::var_os("PATH").unwrap()).env("SHELL", "/bin/sh");
    script.current_dir(shell.folder.path()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || script.output().expect("this test needs `script`")).await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_dim_on_a_terminal_that_wants_it() {
    let shell = Shell::of(Config::default()).await;
    let gone = shell.simulator.create_label("Gone", None);
    shell.pull().await.ok();
    shell.simulator.delete_label(&gone);
    shell.age(A_DAY).await;
    shell.pull().await.ok();
    let dim = |screen: &str| screen.lines().filter(|line| line.starts_with("\x1b[2m")).count();
    let plain = screen(&shell, Some("1")).await;
    assert!(plain.contains("gone since 20") && !plain.contains('\x1b'), "{plain:?}");
    assert_eq!([dim(&screen(&shell, None).await), dim(&screen(&shell, Some("")).await)], [1, 1]);
}
