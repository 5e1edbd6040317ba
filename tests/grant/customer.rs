//! What a customer does: lets a provider's app in, and takes everything back.

use std::{collections::BTreeSet, fs};

use crate::{GRAPH, GRAPH_HERE, MANAGEMENT, MANAGEMENT_HERE, PRINCIPAL, READ_FEED, TENANT, Tenant, both, root};

const APP: &str = "7c5a1f0e-2d3b-4a69-8f47-5e6d7c8b9a01";
/// The service principal that the stand-in makes.
const ADDED: &str = "77777777-7777-4777-8777-777777777777";
const LET_IN: [&str; 4] = ["--app-id", APP, "--tenant", TENANT];

fn with<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [&LET_IN, options].concat()
}

#[test]
fn an_app_of_another_tenant_gets_a_service_principal_with_both_permissions_once() {
    let tenant = Tenant::new();
    let first = tenant.run(&LET_IN);
    assert_eq!((first.status, first.err.as_str()), (0, ""), "{}", first.out);
    assert!(first.out.contains(&format!("Tenant {TENANT}, identity {ADDED}\n")), "{}", first.out);
    assert_eq!(tenant.granted(), both(ADDED));
    assert!(tenant.lines("principals").contains(&format!("{APP} {ADDED}")));
    let second = tenant.run(&LET_IN);
    assert_eq!((second.status, second.out.matches("granted already").count()), (0, 2), "{}", second.out);
    assert_eq!((tenant.granted(), tenant.changes()), (both(ADDED), 3));
}

#[test]
fn grants_wait_until_the_directory_shows_the_new_service_principal() {
    let tenant = Tenant::new();
    tenant.write("delay", "3");
    let answer = tenant.run(&LET_IN);
    assert_eq!(answer.status, 0, "{}", answer.err);
    assert_eq!(tenant.granted(), both(ADDED));
    assert_eq!(fs::read_to_string(tenant.path("slept")).unwrap(), "5\n5\n5\n");

    let tenant = Tenant::new();
    tenant.write("delay", "1000");
    let answer = tenant.run(&LET_IN);
    assert_eq!(answer.status, 1);
    assert!(answer.err.contains("was made and does not appear; start this again in a minute"), "{}", answer.err);
    assert_eq!(tenant.granted().len(), 0);
}

#[test]
fn a_dry_run_neither_lets_in_nor_removes() {
    let tenant = Tenant::new();
    let answer = tenant.run(&with(&["--dry-run"]));
    assert_eq!(answer.status, 0, "{}", answer.err);
    assert!(answer.out.contains(&format!("would make a service principal of the app {APP}")), "{}", answer.out);
    assert_eq!(tenant.changes(), 0);

    tenant.run(&LET_IN);
    let before = tenant.changes();
    let answer = tenant.run(&with(&["--remove", "--dry-run"]));
    assert!(answer.out.contains(&format!("would remove the service principal {ADDED}")), "{}", answer.out);
    let answer = tenant.run(&["--principal-id", ADDED, "--remove", "--dry-run"]);
    assert_eq!(answer.out.matches("would be taken back").count(), 2, "{}", answer.out);
    assert_eq!((tenant.changes(), tenant.granted()), (before, both(ADDED)));
}

#[test]
fn removing_the_app_removes_it_with_its_grants_and_nothing_of_others() {
    let tenant = Tenant::new();
    tenant.run(&["--principal-id", PRINCIPAL]);
    tenant.run(&LET_IN);
    let answer = tenant.run(&with(&["--remove"]));
    assert_eq!((answer.status, answer.err.as_str()), (0, ""), "{}", answer.out);
    assert!(answer.out.contains("is removed, with all that it was granted"), "{}", answer.out);
    assert_eq!(tenant.granted(), both(PRINCIPAL));
    let left = BTreeSet::from([format!("{MANAGEMENT} {MANAGEMENT_HERE}"), format!("{GRAPH} {GRAPH_HERE}")]);
    assert_eq!(tenant.lines("principals"), left, "the APIs stay");
    let again = tenant.run(&with(&["--remove"]));
    assert_eq!(again.status, 0, "{}", again.err);
    assert!(again.out.contains("has no service principal here"), "{}", again.out);
}

#[test]
fn what_an_identity_was_granted_is_taken_back() {
    let tenant = Tenant::new();
    let other = format!("{PRINCIPAL} {GRAPH_HERE} 12121212-1212-4212-8212-121212121212");
    tenant.write("assignments", &format!("{other}\n"));
    tenant.run(&["--principal-id", PRINCIPAL]);
    assert_eq!(tenant.granted().len(), 3);
    let answer = tenant.run(&["--principal-id", PRINCIPAL, "--remove"]);
    assert_eq!((answer.status, answer.err.as_str()), (0, ""), "{}", answer.out);
    assert_eq!(answer.out.matches(": taken back\n").count(), 2, "{}", answer.out);
    assert_eq!(tenant.granted(), BTreeSet::from([other]), "what others granted stays");
    let again = tenant.run(&["--principal-id", PRINCIPAL, "--remove"]);
    assert_eq!((again.status, again.out.matches(": not granted\n").count()), (0, 2), "{}", again.out);
    // Nothing is added to a tenant in order to take something back.
    tenant.write("principals", "");
    let never = tenant.run(&["--principal-id", PRINCIPAL, "--remove"]);
    assert_eq!((never.status, never.out.matches(": not granted\n").count()), (0, 2), "{}", never.err);
    assert_eq!(tenant.lines("principals").len(), 0);
}

#[test]
fn what_goes_wrong_with_an_app_is_said_with_what_to_do() {
    type Spoil = fn(&Tenant);
    let cases: [(Spoil, &[&str], &str); 5] = [
        (
            |tenant| tenant.write("forbidden", ""),
            &[],
            "must be a multi-tenant app registration, and this takes the role",
        ),
        (|tenant| tenant.write("unreachable", ""), &[], "cannot be listed: ERROR: Failed to connect"),
        // That the list cannot be had does not mean that nothing is left to remove.
        (|tenant| tenant.write("unreachable", ""), &["--remove"], "cannot be listed: ERROR: Failed to connect"),
        (
            |tenant| {
                tenant.run(&LET_IN);
                tenant.write("forbidden", "");
            },
            &["--remove"],
            "was not removed; it takes the role Cloud Application Administrator: ERROR: Insufficient",
        ),
        (
            |tenant| tenant.write("tenant", "88888888-8888-4888-8888-888888888888"),
            &[],
            "not to 4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55: az login --tenant",
        ),
    ];
    for (spoil, options, said) in cases {
        let tenant = Tenant::new();
        spoil(&tenant);
        let before = tenant.granted();
        let answer = tenant.run(&with(options));
        assert_eq!(answer.status, 1, "{said}: {}", answer.out);
        assert!(answer.err.contains(said), "{said}: {}", answer.err);
        assert_eq!(answer.err.lines().count(), 1, "{}", answer.err);
        assert_eq!(tenant.granted(), before, "{said}");
    }
    let tenant = Tenant::new();
    tenant.run(&["--principal-id", PRINCIPAL]);
    tenant.write("forbidden", "");
    let answer = tenant.run(&["--principal-id", PRINCIPAL, "--remove"]);
    assert_eq!(answer.status, 1);
    assert!(
        answer.err.contains("was not taken back; it takes the role Privileged Role Administrator"),
        "{}",
        answer.err
    );
}

#[test]
fn labels_may_be_left_out_for_an_app_too() {
    let tenant = Tenant::new();
    let answer = tenant.run(&with(&["--no-labels"]));
    assert_eq!(answer.status, 0, "{}", answer.err);
    assert_eq!(tenant.granted(), BTreeSet::from([format!("{ADDED} {MANAGEMENT_HERE} {READ_FEED}")]));
}

/// The twin is not run here: that it knows the same parameters can be seen.
#[test]
fn the_twin_lets_in_and_removes_too() {
    let twin = fs::read_to_string(root().join("scripts/grant-feed-access.ps1")).unwrap();
    let (head, body) = twin.split_once("Set-StrictMode").unwrap();
    for parameter in ["PrincipalId", "AppId", "TenantId", "Environment", "NoLabels", "Remove"] {
        assert!(head.contains(&format!(".PARAMETER {parameter}\n")), "{parameter} is not described");
        assert!(head.contains(&format!("] ${parameter}")), "{parameter} is not declared");
    }
    let doing =
        ["New-MgServicePrincipal ", "Remove-MgServicePrincipal ", "Remove-MgServicePrincipalAppRoleAssignment "];
    for command in doing {
        let before = body.split(command).next().unwrap();
        assert!(before.len() < body.len(), "{command}");
        assert!(before.lines().rev().take(5).any(|line| line.contains("ShouldProcess")), "{command} heeds -WhatIf");
    }
}
