//! `scripts/grant-feed-access` and `scripts/provider-app` against a tenant in a folder, behind a script in place of the Azure
//! CLI.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "grant/customer.rs"]
mod customer;
#[path = "grant/provider.rs"]
mod provider;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

const TENANT: &str = "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55";
const PRINCIPAL: &str = "1d9e8c7b-6a5f-4e3d-9c2b-1a0f9e8d7c6b";
const IDENTITY: &str = "0b9c8d7e-6f5a-4b3c-8d2e-1f0a9b8c7d6e";

const MANAGEMENT: &str = "c5393580-f805-4401-95e8-94b7a6ef2fc2";
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
const MANAGEMENT_HERE: &str = "22222222-2222-4222-8222-222222222222";
const GRAPH_HERE: &str = "33333333-3333-4333-8333-333333333333";
const READ_FEED: &str = "44444444-4444-4444-8444-444444444444";
const READ_FEED_OF_A_USER: &str = "55555555-5555-4555-8555-555555555555";
const READ_LABELS: &str = "66666666-6666-4666-8666-666666666666";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A tenant that somebody is signed in to.
struct Tenant {
    folder: TempDir,
}

/// What the script said.
struct Answer {
    status: i32,
    out: String,
    err: String,
}

impl Tenant {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tenant = Self { folder };
        tenant.write("tenant", TENANT);
        tenant.write("principals", &format!("{MANAGEMENT} {MANAGEMENT_HERE}\n{GRAPH} {GRAPH_HERE}\n"));
        // A permission for users of the same name comes first: it must not be taken.
        let roles = [
            (MANAGEMENT, "ActivityFeed.Read", "User", READ_FEED_OF_A_USER),
            (MANAGEMENT, "ActivityFeed.Read", "Application", READ_FEED),
            (GRAPH, "SensitivityLabel.Read", "Application", READ_LABELS),
        ];
        let roles: String = roles.iter().map(|(api, name, who, id)| format!("{api} {name} {who} {id}\n")).collect();
        tenant.write("roles", &roles);
        for name in ["assignments", "apps", "credentials"] {
            tenant.write(name, "");
        }
        tenant
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        self.run_script("grant-feed-access", arguments)
    }

    fn run_script(&self, script: &str, arguments: &[&str]) -> Answer {
        let path = format!("{}:{}", root().join("tests/grant").display(), std::env::var("PATH").unwrap());
        self.run_with(&path, script, arguments)
    }

    fn run_with(&self, path: &str, script: &str, arguments: &[&str]) -> Answer {
        let output = Command::new("bash")
            .arg(root().join("scripts").join(script))
            .args(arguments)
            .env("PATH", path)
            .env("FAKE_TENANT", self.folder.path())
            .output()
            .unwrap();
        Answer {
            status: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn granted(&self) -> BTreeSet<String> {
        self.lines("assignments")
    }

    fn lines(&self, name: &str) -> BTreeSet<String> {
        fs::read_to_string(self.path(name)).unwrap().lines().map(str::to_owned).collect()
    }

    /// Calls that change something.
    fn changes(&self) -> usize {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let changing = ["POST", "DELETE", " create ", " delete "];
        calls.lines().filter(|call| changing.iter().any(|word| call.contains(word))).count()
    }
}

fn both(principal: &str) -> BTreeSet<String> {
    BTreeSet::from([
        format!("{principal} {MANAGEMENT_HERE} {READ_FEED}"),
        format!("{principal} {GRAPH_HERE} {READ_LABELS}"),
    ])
}

#[test]
fn both_permissions_are_granted_by_name_and_once() {
    let tenant = Tenant::new();
    let first = tenant.run(&["--principal-id", PRINCIPAL, "--tenant", TENANT]);
    assert_eq!((first.status, first.err.as_str()), (0, ""), "{}", first.out);
    assert!(first.out.contains("ActivityFeed.Read of Office 365 Management APIs: granted\n"), "{}", first.out);
    assert!(first.out.contains("SensitivityLabel.Read of Microsoft Graph: granted\n"), "{}", first.out);
    assert_eq!(tenant.granted(), both(PRINCIPAL));
    let second = tenant.run(&["--principal-id", PRINCIPAL]);
    assert_eq!((second.status, second.out.matches("granted already").count()), (0, 2), "{}", second.out);
    assert_eq!((tenant.granted(), tenant.changes()), (both(PRINCIPAL), 2));
}

#[test]
fn a_dry_run_changes_nothing() {
    let tenant = Tenant::new();
    tenant.write("principals", &format!("{GRAPH} {GRAPH_HERE}\n"));
    let answer = tenant.run(&["--principal-id", PRINCIPAL, "--dry-run"]);
    assert_eq!(answer.status, 0, "{}", answer.err);
    assert!(answer.out.contains("would add Office 365 Management APIs"), "{}", answer.out);
    assert!(answer.out.contains("SensitivityLabel.Read of Microsoft Graph: would be granted"), "{}", answer.out);
    assert_eq!((tenant.granted().len(), tenant.changes()), (0, 0));
}

#[test]
fn labels_may_be_left_out() {
    let tenant = Tenant::new();
    let answer = tenant.run(&["--principal-id", PRINCIPAL, "--no-labels"]);
    assert_eq!(answer.status, 0, "{}", answer.err);
    assert_eq!(tenant.granted(), BTreeSet::from([format!("{PRINCIPAL} {MANAGEMENT_HERE} {READ_FEED}")]));
}

#[test]
fn an_identity_is_found_by_name() {
    let tenant = Tenant::new();
    let answer = tenant.run(&["--identity", "labelstream", "--resource-group", "connectors"]);
    assert_eq!(answer.status, 0, "{}", answer.err);
    assert_eq!(tenant.granted(), both(IDENTITY));
    let answer = tenant.run(&["--identity", "other", "--resource-group", "connectors"]);
    assert_eq!(answer.status, 1);
    assert!(answer.err.contains("other is not in the resource group connectors"), "{}", answer.err);
}

#[test]
fn an_api_that_the_tenant_never_used_is_added() {
    let tenant = Tenant::new();
    tenant.write("principals", &format!("{GRAPH} {GRAPH_HERE}\n"));
    let answer = tenant.run(&["--principal-id", PRINCIPAL, "--no-labels"]);
    assert_eq!(answer.status, 0, "{}", answer.err);
    let added = "77777777-7777-4777-8777-777777777777";
    assert_eq!(tenant.granted(), BTreeSet::from([format!("{PRINCIPAL} {added} {READ_FEED}")]));
}

#[test]
fn what_goes_wrong_is_said_with_what_to_do() {
    type Spoil = fn(&Tenant);
    let cases: [(Spoil, &[&str], &str); 6] = [
        (|tenant| tenant.remove("tenant"), &["--principal-id", PRINCIPAL], "is not signed in: az login"),
        (
            |tenant| tenant.write("tenant", "88888888-8888-4888-8888-888888888888"),
            &["--principal-id", PRINCIPAL, "--tenant", TENANT],
            "not to 4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55: az login --tenant",
        ),
        (
            |tenant| tenant.write("roles", &format!("{MANAGEMENT} ActivityFeed.Read User {READ_FEED_OF_A_USER}\n")),
            &["--principal-id", PRINCIPAL],
            "Office 365 Management APIs has no application permission ActivityFeed.Read",
        ),
        (
            |tenant| tenant.write("forbidden", ""),
            &["--principal-id", PRINCIPAL],
            "takes the role Privileged Role Administrator: ERROR: Forbidden",
        ),
        (
            |_| (),
            &["--principal-id", "99999999-9999-4999-8999-999999999999"],
            "cannot be looked up in the tenant 4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55",
        ),
        (
            |tenant| {
                tenant.write("principals", "");
                tenant.write("forbidden", "");
            },
            &["--principal-id", PRINCIPAL],
            "is not in the tenant and cannot be added: ERROR: Insufficient privileges",
        ),
    ];
    for (spoil, arguments, said) in cases {
        let tenant = Tenant::new();
        spoil(&tenant);
        let answer = tenant.run(arguments);
        assert_eq!(answer.status, 1, "{said}: {}", answer.out);
        assert!(answer.err.contains(said), "{said}: {}", answer.err);
        assert_eq!(answer.err.lines().count(), 1, "{}", answer.err);
        assert_eq!(tenant.granted().len(), 0, "{said}");
    }
}

#[test]
fn without_the_azure_cli_it_says_what_to_install() {
    let tenant = Tenant::new();
    let bare = tempfile::tempdir().unwrap();
    for tool in ["bash", "cat", "mktemp", "rm"] {
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|folder| folder.join(tool))
            .find(|path| path.is_file())
            .unwrap();
        std::os::unix::fs::symlink(found, bare.path().join(tool)).unwrap();
    }
    let answer = tenant.run_with(bare.path().to_str().unwrap(), "grant-feed-access", &["--principal-id", PRINCIPAL]);
    assert_eq!(answer.status, 1);
    assert!(answer.err.contains("the Azure CLI (az) is not installed"), "{}", answer.err);
    let answer = tenant.run_with(bare.path().to_str().unwrap(), "provider-app", &["--name", "Labelstream"]);
    assert_eq!(answer.status, 1);
    assert!(answer.err.contains("the Azure CLI (az) is not installed"), "{}", answer.err);
}

#[test]
fn wrong_use_is_told_before_anything_is_asked() {
    let cases: [(&[&str], &str); 13] = [
        (&[], "--principal-id (or --identity, or --app-id) is missing"),
        (&["--app-id", PRINCIPAL], "--app-id needs --tenant"),
        (&["--app-id", "labelstream", "--tenant", TENANT], "--app-id is no GUID: labelstream"),
        (&["--app-id", PRINCIPAL, "--principal-id", PRINCIPAL], "--app-id and --principal-id (or --identity) say two"),
        (&["--remove", "--no-labels", "--principal-id", PRINCIPAL], "leave --no-labels out"),
        (&["--principal-id"], "--principal-id needs a value"),
        (&["--principal-id", "labelstream"], "is no GUID: labelstream"),
        (&["--principal-id", PRINCIPAL, "--tenant", "contoso.com"], "--tenant is no GUID"),
        (&["--identity", "labelstream"], "--identity needs --resource-group"),
        (&["--resource-group", "connectors", "--principal-id", PRINCIPAL], "--resource-group needs --identity"),
        (&["--identity", "a", "--resource-group", "b", "--principal-id", PRINCIPAL], "the same thing twice"),
        (&["--principal", PRINCIPAL], "unknown argument --principal"),
        (&[PRINCIPAL], "unknown argument"),
    ];
    for (arguments, said) in cases {
        let tenant = Tenant::new();
        let answer = tenant.run(arguments);
        assert_eq!(answer.status, 2, "{arguments:?}: {}", answer.err);
        assert!(answer.err.contains(said), "{arguments:?}: {}", answer.err);
        assert!(!tenant.path("calls").exists(), "{arguments:?} asked the Azure CLI");
    }
}

#[test]
fn help_names_every_option() {
    let script = fs::read_to_string(root().join("scripts/grant-feed-access")).unwrap();
    let answer = Tenant::new().run(&["--help"]);
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    let options = [
        "--principal-id",
        "--identity",
        "--resource-group",
        "--app-id",
        "--tenant",
        "--no-labels",
        "--remove",
        "--dry-run",
        "--help",
    ];
    for option in options {
        assert!(answer.out.contains(option), "{option}");
        assert!(script.matches(option).count() > 1, "{option} is only in the help");
    }
}

/// The permissions that a text names.
fn permissions(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.ends_with(".Read") || word.ends_with(".Read.All"))
        .filter(|word| !word.starts_with("Application."))
        .collect()
}

/// The twins cannot be run here; what they grant can be compared.
#[test]
fn the_twins_grant_the_same() {
    let twins = [
        "scripts/grant-feed-access",
        "scripts/grant-feed-access.ps1",
        "scripts/provider-app",
        "infra/graph-permissions.bicep",
    ];
    for twin in twins {
        let text = fs::read_to_string(root().join(twin)).unwrap();
        assert_eq!(permissions(&text), BTreeSet::from(["ActivityFeed.Read", "SensitivityLabel.Read"]), "{twin}");
        for api in [MANAGEMENT, GRAPH] {
            assert!(text.contains(api), "{twin}: {api}");
        }
    }
}
