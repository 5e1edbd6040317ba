//! The table: what is broken, what doctor names, and how it says to mend it.

use axum::http::Method;
use futures_util::{StreamExt as _, stream};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, When};
use serde_json::Value;
use time::Duration;

use crate::{
    azurite,
    patient::{Patient, Setup},
    storage::{StorageFault, Trouble},
};

/// One prerequisite that is broken.
struct Case {
    broken: &'static str,
    setup: fn() -> Setup,
    /// What is named: the check (with its subject), and `failed` or `warning`. Everything else is ok or skipped.
    named: &'static [(&'static str, &'static str)],
    /// What it says was found.
    found: &'static str,
    /// What it says to do.
    fix: &'static str,
}

/// How many binaries run at once.
const AT_ONCE: usize = 4;

fn with(change: impl FnOnce(&mut Setup)) -> Setup {
    let mut setup = Setup::default();
    change(&mut setup);
    setup
}

fn set(name: &'static str, value: &str) -> Setup {
    with(|setup| setup.settings.push((name, value.to_owned())))
}

fn configured(change: impl FnOnce(&mut Config)) -> Setup {
    with(|setup| change(&mut setup.config))
}

fn faulty(fault: Fault) -> Setup {
    with(|setup| setup.faults.push(fault))
}

fn storage_refuses(method: Option<Method>, matching: &'static str) -> Setup {
    let trouble = Trouble::Refused(403, "AuthorizationPermissionMismatch");
    with(|setup| setup.storage_faults.push(StorageFault { method, matching, when: When::Always, trouble }))
}

fn always(on: Endpoint, status: u16) -> Fault {
    Fault::new(on, When::Always, Effect::status(status))
}

const ANOTHER: &str = "11111111-2222-4333-8444-555555555555";

const CASES: &[Case] = &[
    Case {
        broken: "a setting is missing",
        setup: || set("LOGS_DCR_RULE_ID", ""),
        named: &[("settings", "failed")],
        found: "1 setting is missing or wrong",
        fix: "LOGS_DCR_RULE_ID is missing. Example: LOGS_DCR_RULE_ID=dcr-",
    },
    Case {
        broken: "the tenant is no GUID",
        setup: || set("M365_TENANT_ID", "contoso.onmicrosoft.com"),
        named: &[("settings", "failed")],
        found: "1 setting",
        fix: "M365_TENANT_ID is not a GUID",
    },
    Case {
        broken: "the connection string is none",
        setup: || set("AzureWebJobsStorage", "AccountName=contoso"),
        named: &[("settings", "failed")],
        found: "1 setting",
        fix: "AzureWebJobsStorage: AccountKey is missing",
    },
    Case {
        broken: "a record type is unknown",
        setup: || set("RECORD_TYPES", "MIPLabels"),
        named: &[("settings", "failed")],
        found: "1 setting",
        fix: "RECORD_TYPES has MIPLabels",
    },
    Case {
        broken: "the timer has no schedule",
        setup: || set("TIMER_SCHEDULE", ""),
        named: &[("host", "failed")],
        found: "TIMER_SCHEDULE is not set",
        fix: "TIMER_SCHEDULE=0 */5 * * * *",
    },
    Case {
        broken: "the handler is not deployed",
        setup: || with(|setup| setup.app = |folder| std::fs::remove_file(folder.join("handler")).unwrap()),
        named: &[("host", "failed")],
        found: "the handler handler is not there",
        fix: "func azure functionapp publish",
    },
    Case {
        broken: "the function's folder is not deployed",
        setup: || with(|setup| setup.app = |folder| std::fs::remove_dir_all(folder.join("TimerPull")).unwrap()),
        named: &[("host", "failed")],
        found: "there is no TimerPull/function.json",
        fix: "func azure functionapp publish",
    },
    Case {
        broken: "a run may outlast the host's patience",
        setup: || set("RUN_BUDGET_SECONDS", "300"),
        named: &[("host", "failed")],
        found: "RUN_BUDGET_SECONDS (300)",
        fix: "RUN_BUDGET_SECONDS=240",
    },
    Case {
        broken: "the runtime is another",
        setup: || set("FUNCTIONS_WORKER_RUNTIME", "dotnet"),
        named: &[("host", "failed")],
        found: "FUNCTIONS_WORKER_RUNTIME is dotnet",
        fix: "FUNCTIONS_WORKER_RUNTIME=custom",
    },
    Case {
        broken: "the identity is not assigned",
        setup: || {
            with(|setup| {
                setup.config.identity_client_id = Some(ANOTHER.to_owned());
                setup.settings.push(("AZURE_CLIENT_ID", ANOTHER.replace('1', "9")));
            })
        },
        named: &[("feed-token", "failed")],
        found: "user-assigned managed identity",
        fix: "Assign the identity to the function app, or correct AZURE_CLIENT_ID",
    },
    Case {
        broken: "the identity is of another tenant",
        setup: || configured(|config| config.token_tenant = Some(ANOTHER.to_owned())),
        named: &[("feed-token", "failed")],
        found: ANOTHER,
        fix: "Correct M365_TENANT_ID",
    },
    Case {
        broken: "ActivityFeed.Read is not granted",
        setup: || configured(|config| config.feed_roles.clear()),
        named: &[("feed-permission", "failed")],
        found: "ActivityFeed.Read is not among the token's permissions (none)",
        fix: "./scripts/grant-feed-access --principal-id 0b1ec700-0000-4000-8000-000000000001",
    },
    Case {
        broken: "ActivityFeed.ReadDlp is not granted",
        setup: || set("CONTENT_TYPES", "Audit.General,DLP.All"),
        named: &[("feed-permission", "failed")],
        found: "ActivityFeed.ReadDlp is not among the token's permissions (ActivityFeed.Read)",
        fix: "grant-feed-access",
    },
    Case {
        broken: "the feed refuses the token",
        setup: || faulty(always(Endpoint::Subscriptions, 401)),
        named: &[("feed", "failed")],
        found: "the feed refuses the token",
        fix: "M365_CLOUD",
    },
    Case {
        broken: "the feed is away",
        setup: || faulty(always(Endpoint::Subscriptions, 503)),
        named: &[("feed", "failed")],
        found: "HTTP 503",
        fix: "Try again",
    },
    Case {
        broken: "auditing is off",
        setup: || configured(|config| config.auditing = false),
        named: &[("auditing", "failed")],
        found: "does not exist",
        fix: "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true",
    },
    Case {
        broken: "nothing is published",
        setup: || with(|setup| setup.published = false),
        named: &[("auditing", "warning")],
        found: "published nothing in the last 24 hours",
        fix: "Get-AdminAuditLogConfig",
    },
    Case {
        broken: "a subscription is missing",
        setup: || with(|setup| setup.stopped.push(ContentType::General)),
        named: &[("subscription Audit.General", "failed")],
        found: "there is none that is enabled",
        fix: "labelstream connect",
    },
    Case {
        broken: "a subscription is not served yet",
        setup: || {
            let not_yet = Fault::new(Endpoint::List, When::Always, Effect::af("AF20022"));
            faulty(not_yet.matching("Audit.Exchange"))
        },
        named: &[("subscription Audit.Exchange", "warning")],
        found: "AF20022",
        fix: "Wait",
    },
    Case {
        broken: "a content type cannot be listed",
        setup: || faulty(always(Endpoint::List, 500).matching("Audit.SharePoint")),
        named: &[("listing Audit.SharePoint", "failed")],
        found: "HTTP 500",
        fix: "Try again",
    },
    Case {
        broken: "the account key was rotated",
        setup: || {
            with(|setup| {
                setup.settings.push((
                    "AzureWebJobsStorage",
                    azurite::connection_string(azurite::Azurite::shared().port(), "cm90YXRlZA=="),
                ));
            })
        },
        named: &[("state", "failed")],
        found: "making a blob: HTTP 403",
        fix: "check AccountKey in AzureWebJobsStorage",
    },
    Case {
        broken: "the storage may not be written to",
        setup: || storage_refuses(Some(Method::PUT), ""),
        named: &[("state", "failed")],
        found: "making a blob: HTTP 403 AuthorizationPermissionMismatch",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "the storage may not be appended to",
        setup: || storage_refuses(None, "comp=appendblock"),
        named: &[("state", "failed")],
        found: "appending to a blob: HTTP 403",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "the storage may not be listed",
        setup: || storage_refuses(None, "comp=list"),
        named: &[("state", "failed")],
        found: "listing blobs: HTTP 403",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "the storage is away",
        setup: || with(|setup| setup.storage_is_shut = true),
        named: &[("state", "failed")],
        found: "making a blob",
        fix: "can be reached from here",
    },
    Case {
        broken: "no lease may be taken",
        setup: || storage_refuses(None, "comp=lease"),
        named: &[("lease", "failed")],
        found: "taking a lock: HTTP 403",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "there is no token for Azure Monitor",
        setup: || faulty(always(Endpoint::ManagedIdentity, 400).matching("monitor.azure.com")),
        named: &[("ingestion-token", "failed")],
        found: "no token for https://monitor.azure.com",
        fix: "identity",
    },
    Case {
        broken: "the role on the rule is missing",
        setup: || faulty(Fault::new(Endpoint::Ingest, When::Always, Effect::not_granted())),
        named: &[("ingestion", "failed")],
        found: "an empty array was sent: the identity may not send",
        fix: "az role assignment create --role \"Monitoring Metrics Publisher\" --assignee-object-id \
              0b1ec700-0000-4000-8000-000000000001",
    },
    Case {
        broken: "the rule is another",
        setup: || set("LOGS_DCR_RULE_ID", "dcr-ffffffffffffffffffffffffffffffff"),
        named: &[("ingestion", "failed")],
        found: "is not found",
        fix: "LOGS_DCR_RULE_ID (dcr-ffffffffffffffffffffffffffffffff)",
    },
    Case {
        broken: "the data collection endpoint is away",
        setup: || set("DATA_COLLECTION_ENDPOINT", "http://127.0.0.1:9"),
        named: &[("ingestion", "failed")],
        found: "no answer from DATA_COLLECTION_ENDPOINT",
        fix: "private link",
    },
    Case {
        broken: "the rule refuses an empty array",
        setup: || faulty(always(Endpoint::Ingest, 400)),
        named: &[("ingestion", "warning")],
        found: "refused as such",
        fix: "labelstream doctor --send-test-row",
    },
    Case {
        broken: "there is no token for Graph",
        setup: || faulty(always(Endpoint::ManagedIdentity, 400).matching("graph.microsoft.com")),
        named: &[("graph-token", "warning")],
        found: "no token for https://graph.microsoft.com",
        fix: "identity",
    },
    Case {
        broken: "Graph refuses the labels",
        setup: || configured(|config| config.graph_roles.clear()),
        named: &[("labels", "warning")],
        found: "HTTP 403 accessDenied",
        fix: "LABELS=off",
    },
    Case {
        broken: "the map of labels is not deployed",
        setup: || set("LABELS", "./labels.json"),
        named: &[("labels", "failed")],
        found: "./labels.json",
        fix: "Set LABELS to",
    },
    Case {
        broken: "the clock is ten minutes behind",
        setup: || configured(|config| config.clock_offset = Duration::minutes(10)),
        named: &[("clock", "warning")],
        found: "s behind the feed",
        fix: "timedatectl set-ntp true",
    },
    Case {
        broken: "the clock is twenty minutes ahead",
        setup: || configured(|config| config.clock_offset = Duration::minutes(-20)),
        named: &[("clock", "failed")],
        found: "s ahead of the feed",
        fix: "timedatectl set-ntp true",
    },
];

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

async fn fault_of(case: &Case) -> Option<String> {
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
    let (names, verdict) = (case.named[0].0, case.named[0].1);
    println!("| {} | {names} | {verdict} | {} |", case.broken, named.fix.lines().next().unwrap_or_default());
    reason.map(|reason| format!("{}: {reason}\n{report:#}", case.broken))
}

/// Where the labels are no matter of Graph there is no token for it.
fn is_about_labels(skipped: &str) -> bool {
    skipped == "graph-token LABELS is not graph"
}

#[tokio::test(flavor = "multi_thread")]
async fn each_prerequisite_that_is_broken_is_named_with_its_fix() {
    println!("| broken | named | as | fix |\n|---|---|---|---|");
    let faults = stream::iter(CASES).map(fault_of).buffer_unordered(AT_ONCE);
    let faults: Vec<_> = faults.filter_map(async |fault| fault).collect().await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every check is broken by some case.
#[test]
fn every_check_is_in_the_table() {
    for check in labelstream::doctor::Check::ALL {
        let is_there = |case: &&Case| case.named.iter().any(|(name, _)| name.split(' ').next() == Some(check.id()));
        assert!(CASES.iter().any(|case| is_there(&case)), "nothing breaks {}", check.id());
    }
}
