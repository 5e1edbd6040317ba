//! `scripts/check-infra` with a script in place of the compiler: it judges what a compiler says, whatever that is.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

/// A compiler that makes what is committed; `with` is what it does besides, for the command in `$1`.
fn compiler(with: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = env!("CARGO_MANIFEST_DIR");
    // `build --pattern GLOB` writes main.json beside main.bicep.
    let script = format!(
        "#!/bin/sh\nif [ \"$1 $2\" = 'build --pattern' ]; then cp '{root}/azuredeploy.json' \"${{3%%/\\**}}/main.json\"; fi\n{with}\n"
    );
    let path = folder.path().join("bicep");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn check(bicep: Option<&str>, path: &str) -> (Option<i32>, String) {
    let mut command = Command::new("bash");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/check-infra")).arg("--compile").env("PATH", path);
    match bicep {
        Some(bicep) => command.env("BICEP", bicep),
        None => command.env_remove("BICEP"),
    };
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

fn check_with(with: &str) -> (Option<i32>, String) {
    let folder = compiler(with);
    check(folder.path().join("bicep").to_str(), &std::env::var("PATH").unwrap())
}

#[test]
fn a_compiler_without_a_word_is_content() {
    let (status, said) = check_with("");
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("5 snapshots are as they should be, without a message"), "{said}");
}

#[test]
fn a_warning_is_a_failure_although_the_compiler_exits_with_0() {
    let (status, said) =
        check_with("[ \"$1\" = build ] && echo 'main.bicep(1,1) : Warning BCP081: no types' >&2; exit 0");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("Warning BCP081: no types"), "{said}");
}

#[test]
fn a_snapshot_that_differs_is_a_failure() {
    let (status, said) =
        check_with("[ \"$1\" != snapshot ] || { echo '~ properties.httpsOnly: true => false'; exit 1; }");
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("private.bicepparam no longer makes what infra/snapshots/private.snapshot.json has"),
        "{said}"
    );
    assert!(said.contains("httpsOnly: true => false"), "{said}");
}

#[test]
fn a_stale_template_is_a_failure_and_the_compilers_version_is_none() {
    let change = |sed: &str| {
        format!("if [ \"$1 $2\" = 'build --pattern' ]; then sed -i '{sed}' \"${{3%%/\\**}}/main.json\"; fi")
    };
    let (status, said) = check_with(&change("s/TLS1_2/TLS1_1/"));
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("azuredeploy.json is stale") && said.contains("TLS1_1"), "{said}");
    let (status, said) = check_with(&change("s/\"version\": \"0\\.[0-9.]*\"/\"version\": \"0.99.0\"/"));
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn a_file_that_the_formatter_would_change_is_a_failure() {
    let (status, said) = check_with("[ \"$1\" != format ] || echo >> \"${3%%/\\**}/modules/table.bicep\"");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("infra/modules/table.bicep is not formatted"), "{said}");
}

#[test]
fn only_the_graph_file_may_go_uncompiled_and_that_is_said() {
    let (status, said) = check_with(
        "case \"$*\" in *graph-permissions*) echo 'Error BCP192: Unable to restore the artifact' >&2; exit 1;; esac",
    );
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("not compiled: infra/graph-permissions.bicep"), "{said}");
    let (status, said) =
        check_with("case \"$*\" in *graph-permissions*) echo 'Error BCP057: no such name' >&2; exit 1;; esac");
    assert_eq!(status, Some(1), "{said}");
}

#[test]
fn a_compiler_that_was_asked_for_and_is_not_there_is_a_failure() {
    let (status, said) = check(Some("/nowhere/bicep"), &std::env::var("PATH").unwrap());
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("BICEP is /nowhere/bicep, which cannot be run"), "{said}");
}
