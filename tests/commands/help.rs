//! Help that teaches, and completions that shells take.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

fn labelstream(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_labelstream")).env_clear().args(arguments).output().unwrap()
}

const COMMANDS: [&str; 8] =
    ["serve", "pull", "status", "doctor", "connect", "disconnect", "dead-letters replay", "completions"];

#[test]
fn every_subcommand_teaches_by_examples() {
    for command in COMMANDS {
        let mut arguments: Vec<_> = command.split(' ').collect();
        arguments.push("--help");
        let output = labelstream(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0));
        let examples = text.lines().filter(|line| line.starts_with("  ") && line.contains("labelstream ")).count();
        assert!(examples >= 1, "{command}: {text}");
        let tells_its_status = text.contains("Exit status") || text.contains("never ends with 0");
        assert!(tells_its_status || command == "completions", "{command}: {text}");
    }
    let text = String::from_utf8(labelstream(&["--help"]).stdout).unwrap();
    for command in COMMANDS.map(|command| command.split(' ').next().unwrap()) {
        assert!(text.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {text}");
    }
}

#[test]
fn wrong_use_is_2() {
    for arguments in
        [&["fix"][..], &["status", "--yes"], &["completions"], &["completions", "cmd"], &["connect", "all"]]
    {
        assert_eq!(labelstream(arguments).status.code(), Some(2), "{arguments:?}");
    }
    for command in ["status", "connect", "disconnect"] {
        let output = labelstream(&[command]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("M365_TENANT_ID is missing. Example: M365_TENANT_ID="), "{said}");
    }
}

#[test]
fn each_shell_gets_completions_that_it_takes() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = labelstream(&["completions", shell]);
        let script = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{shell}");
        for word in ["disconnect", "dead-letters", "send-test-row"] {
            assert!(script.contains(word), "{shell} knows no {word}");
        }
    }
    // The shell that is there on every machine reads its own.
    let script = labelstream(&["completions", "bash"]).stdout;
    let mut bash = Command::new("bash").args(["-n"]).stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(&script).unwrap();
    assert!(bash.wait().unwrap().success());
}
