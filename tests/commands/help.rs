//! Help that teaches, and completions that shells take.

use std::process::{Command, Output};

fn labelstream(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_labelstream")).env_clear().args(arguments).output().unwrap()
}

/// Its examples are those of `src/command/help_tests.rs`; here it is what a person gets who asks for it.
#[test]
fn help_is_asked_for_in_every_way_and_tells_the_exit_status() {
    for arguments in
        [&["--help"][..], &["help", "doctor"], &["doctor", "--help"], &["dead-letters", "replay", "--help"]]
    {
        let output = labelstream(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text.contains("Examples") && text.contains("Exit status: 0 "), "{arguments:?}: {text}");
        assert!(!text.contains('\x1b'), "a pipe gets no colours");
    }
}

#[test]
fn wrong_use_is_2() {
    for arguments in
        [&["fix"][..], &["status", "--yes"], &["completions"], &["completions", "cmd"], &["connect", "all"]]
    {
        assert_eq!(labelstream(arguments).status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [&["status"][..], &["connect"], &["disconnect", "--yes"]] {
        let output = labelstream(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("M365_TENANT_ID is missing. Example: M365_TENANT_ID="), "{said}");
    }
}

#[test]
fn each_shell_gets_completions_of_every_subcommand() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = labelstream(&["completions", shell]);
        let script = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{shell}");
        for word in ["disconnect", "dead-letters", "send-test-row", "completions", "purge-state", "tenant"] {
            assert!(script.contains(word), "{shell} knows no {word}");
        }
    }
}

/// What bash offers for a line that is typed so far, by the script as bash itself runs it.
fn offered(typed: &[&str]) -> Vec<String> {
    let script = r#"source <("$LABELSTREAM" completions bash) || exit 3
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_labelstream labelstream "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}""#;
    let output = Command::new("bash")
        .args(["--norc", "-c", script, "bash"])
        .args(typed)
        .env("LABELSTREAM", env!("CARGO_BIN_EXE_labelstream"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_subcommands_and_their_options() {
    assert_eq!(offered(&["labelstream", "dis"]), ["disconnect"]);
    assert_eq!(offered(&["labelstream", "dead-letters", "re"]), ["replay"]);
    assert_eq!(offered(&["labelstream", "doctor", "--se"]), ["--send-test-row"]);
    let shells = offered(&["labelstream", "completions", ""]);
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(shells.iter().any(|offered| offered == shell), "{shells:?}");
    }
}
