//! Each prerequisite broken in turn: doctor names exactly that one, says how to mend it, and changes nothing.

use std::path::Path;

use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use crate::{
    cases::{self, Case},
    patient::Patient,
};

/// How many binaries run at once.
const AT_ONCE: usize = 4;

/// What doctor named: name, verdict, found and fix of each check that is neither ok nor skipped.
struct Named {
    checks: Vec<(String, String)>,
    found: String,
    fix: String,
    skipped: Vec<String>,
}

fn named(report: &Value) -> Named {
    let mut named = Named { checks: Vec::new(), found: String::new(), fix: String::new(), skipped: Vec::new() };
    for check in report["checks"].as_array().unwrap() {
        let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let name = [text("check"), text("subject")].join(" ").trim().to_owned();
        match text("state").as_str() {
            "ok" => assert_eq!(check.get("fix"), None, "{check}"),
            "skipped" => named.skipped.push(format!("{name} {}", text("found"))),
            state => {
                named.checks.push((name, state.to_owned()));
                named.found.push_str(&text("found"));
                named.fix.push_str(&text("fix"));
            }
        }
    }
    named
}

/// Its row of the table, and what is wrong.
async fn examined(case: &Case) -> (String, Option<String>) {
    let patient = Patient::new((case.setup)()).await;
    let (report, status) = patient.examined().await;
    let named = named(&report);
    let expected: Vec<_> = case.named.iter().map(|(name, verdict)| (name.to_string(), verdict.to_string())).collect();
    let has_failed = expected.iter().any(|(_, verdict)| verdict == "failed");
    let reason = if named.checks != expected {
        Some(format!("it names {:?}", named.checks))
    } else if status != i32::from(has_failed) || report["ok"] == has_failed {
        Some(format!("exit status {status}"))
    } else if !named.found.contains(case.found) {
        Some(format!("it found: {}", named.found))
    } else if !named.fix.contains(case.fix) {
        Some(format!("its fix: {}", named.fix))
    } else {
        let unexplained = named.skipped.iter().find(|text| !text.contains("because of") && !is_about_labels(text));
        unexplained.map(|skipped| format!("without a reason: {skipped}"))
    };
    // Whatever is broken, nothing was changed.
    patient.assert_unchanged().await;
    let row = patient.without_names(&row(case, &named.fix));
    let fault = reason.map(|reason| format!("{}: {reason}", case.broken));
    (row, fault)
}

/// A row of docs/doctor.md.
fn row(case: &Case, fix: &str) -> String {
    let (name, verdict) = case.named[0];
    let fix: Vec<_> = fix.lines().map(|line| format!("`{}`", line.replace('|', "\\|"))).collect();
    format!("| {} | `{name}` | {verdict} | {} |", case.broken, fix.join("<br>"))
}

/// Where the labels are no matter of Graph there is no token for it.
fn is_about_labels(skipped: &str) -> bool {
    skipped == "graph-token LABELS is not graph"
}

#[tokio::test(flavor = "multi_thread")]
async fn each_prerequisite_that_is_broken_is_named_with_its_fix() {
    let examined: Vec<_> = stream::iter(cases::all()).map(examined).buffered(AT_ONCE).collect().await;
    let mut table = String::from("| broken | named | as | fix |\n|---|---|---|---|\n");
    examined.iter().for_each(|(row, _)| table.extend([row.as_str(), "\n"]));
    println!("{table}");
    let faults: Vec<_> = examined.into_iter().filter_map(|(_, fault)| fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/doctor.md")).unwrap();
    assert!(page.contains(&table), "docs/doctor.md should have this table:\n{table}");
}

/// Every check is broken by some case.
#[test]
fn every_check_is_in_the_table() {
    for check in labelstream::doctor::Check::ALL {
        let is_there = |case: &&Case| case.named.iter().any(|(name, _)| name.split(' ').next() == Some(check.id()));
        assert!(cases::all().any(|case| is_there(&case)), "nothing breaks {}", check.id());
    }
}
