//! What a person sees: standard error is a terminal.

use std::process::{Command, Stdio};

use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, Spoil, When};
use time::{Duration, OffsetDateTime};

use crate::Shell;

/// Empties the line at hand.
const CLEAR_LINE: &str = "\r\u{1b}[K";

/// Runs `labelstream` on a pseudo-terminal of `script` (util-linux) and returns what came to it.
async fn on_a_terminal(shell: &Shell, arguments: &str, log: &str) -> String {
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command"]);
    command.arg(format!("{} {arguments}", env!("CARGO_BIN_EXE_labelstream"))).arg("/dev/null");
    command.envs(shell.simulator.environment()).env("LABELSTREAM_LOG", log).env_remove("AzureWebJobsStorage");
    command.current_dir(shell.folder.path()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().expect("this test needs `script`"));
    let output = output.await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The lines that are on the screen in the end, but for an empty one where the cursor stands.
fn screen(written: &str) -> Vec<&str> {
    let mut lines: Vec<_> = written.lines().map(|line| line.rsplit(CLEAR_LINE).next().unwrap().trim_end()).collect();
    lines.pop_if(|line| line.is_empty());
    lines
}

/// A tenant with a content that takes longer than the progress needs to show, and one that cannot be read then.
async fn slow_tenant() -> Shell {
    let shell = Shell::with(2, 5).await;
    let created = OffsetDateTime::now_utc() - Duration::minutes(20);
    let bad = shell.simulator.publish_records(ContentType::General, created, [r#"{"Id":"x""#]);
    shell.simulator.fault(Fault::new(Endpoint::Retrieve, When::Always, Effect::Delay(700))).unwrap();
    let spoiled = Fault::new(Endpoint::Retrieve, When::Always, Effect::Spoil(Spoil::Object)).matching(&*bad.id);
    shell.simulator.fault(spoiled).unwrap();
    shell
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_gives_way_to_warnings_and_to_the_summary() {
    let shell = slow_tenant().await;
    let written = on_a_terminal(&shell, "pull --state state", "").await;
    assert!(written.contains("0 contents, 0 records"), "no progress: {written:?}");
    let screen = screen(&written);
    assert!(screen[0].starts_with("20") && screen[0].contains(" WARN "), "{screen:?}");
    assert!(screen[1].starts_with("2 contents read with 10 records"), "{screen:?}");
    assert!(screen[2].starts_with("1 contents failed"), "{screen:?}");
    assert!(screen[3].starts_with("12 labels known by name, listed "), "{screen:?}");
    assert!(screen[4..].iter().all(|line| line.starts_with("Audit.")), "{screen:?}");
    assert_eq!(screen.len(), 7, "{screen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_asks_for_log_lines_gets_the_summary_as_such() {
    let shell = slow_tenant().await;
    let written = on_a_terminal(&shell, "pull --state state", "info").await;
    let screen = screen(&written);
    assert!(screen.iter().all(|line| line.starts_with("20")), "{screen:?}");
    assert_eq!(screen.iter().filter(|line| line.contains("contents read with")).count(), 1, "{screen:?}");
}
