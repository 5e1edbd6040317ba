//! The data collection rule, the labels and the clock.

use super::*;

pub const CASES: &[Case] = &[
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
        named: &[("ingestion rows", "failed")],
        found: "an empty array was sent: the identity may not send",
        fix: "az role assignment create --role \"Monitoring Metrics Publisher\" --assignee-object-id \
              0b1ec700-0000-4000-8000-000000000001",
    },
    Case {
        broken: "the rule is another",
        setup: || set("LOGS_DCR_RULE_ID", "dcr-ffffffffffffffffffffffffffffffff"),
        named: &[("ingestion rows", "failed")],
        found: "is not found",
        fix: "LOGS_DCR_RULE_ID (dcr-ffffffffffffffffffffffffffffffff)",
    },
    Case {
        broken: "the data collection endpoint is away",
        setup: || set("DATA_COLLECTION_ENDPOINT", "http://127.0.0.1:9"),
        named: &[("ingestion rows", "failed")],
        found: "no answer from DATA_COLLECTION_ENDPOINT",
        fix: "private link",
    },
    Case {
        broken: "the rule refuses an empty array",
        setup: || faulty(always(Endpoint::Ingest, 400)),
        named: &[("ingestion rows", "warning")],
        found: "refused as such",
        fix: "labelstream doctor --send-test-row",
    },
    Case {
        broken: "the token for Azure Monitor is for another service",
        setup: || faulty(token_for("https://monitor.azure.us").matching("monitor.azure.com")),
        named: &[("ingestion-token", "failed")],
        found: "the token is for https://monitor.azure.us",
        fix: "M365_CLOUD",
    },
    Case {
        broken: "the stream is another",
        setup: || set("LOGS_DCR_STREAM_NAME", "Custom-Other_CL"),
        named: &[("ingestion rows", "failed")],
        found: "is not found",
        fix: "LOGS_DCR_STREAM_NAME (Custom-Other_CL)",
    },
    Case {
        broken: "the data collection endpoint refuses the token",
        setup: || faulty(always(Endpoint::Ingest, 401)),
        named: &[("ingestion rows", "failed")],
        found: "HTTP 401",
        fix: "M365_CLOUD",
    },
    Case {
        broken: "the data collection endpoint fails",
        setup: || faulty(always(Endpoint::Ingest, 503)),
        named: &[("ingestion rows", "failed")],
        found: "HTTP 503",
        fix: "again",
    },
    Case {
        broken: "the stream of the runs is missing",
        setup: || configured(|config| config.has_runs_stream = false),
        named: &[("ingestion runs", "warning")],
        found: "Custom-LabelstreamRuns_CL: runs cannot be told of",
        fix: "infra/main.bicep",
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
        fix: "set LABELS to a map or off",
    },
    Case {
        broken: "the map of labels is not deployed",
        setup: || set("LABELS", "./labels.json"),
        named: &[("labels", "failed")],
        found: "./labels.json",
        fix: "Set LABELS to",
    },
    Case {
        broken: "Graph cannot be reached",
        setup: || set("GRAPH_ENDPOINT", "http://127.0.0.1:9"),
        named: &[("labels", "warning")],
        found: "Microsoft Graph could not be reached",
        fix: "GRAPH_ENDPOINT",
    },
    Case {
        broken: "Graph has no labels in this cloud",
        setup: || faulty(always(Endpoint::Labels, 404)),
        named: &[("labels", "warning")],
        found: "HTTP 404",
        fix: "set LABELS to a map",
    },
    Case {
        broken: "the map of labels is no JSON",
        setup: || {
            with(|setup| {
                setup.settings.push(("LABELS", "./labels.json".to_owned()));
                setup.app = |folder| std::fs::write(folder.join("labels.json"), "{").unwrap();
            })
        },
        named: &[("labels", "failed")],
        found: "is no JSON",
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
