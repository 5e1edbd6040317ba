//! The data collection rule: whether it takes something from this identity.

use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{Check, Finding, identity::principal};
use crate::{
    health::RUNS_STREAM,
    identity::Claims,
    ingestion::{IngestionClient, IngestionError},
    settings::IngestionSettings,
};

/// The `Operation` of the row that `--send-test-row` sends, by which it is found and left out.
pub const TEST_OPERATION: &str = "LabelstreamTest";

/// Sends an empty array, or one row that is marked as a test, and an empty array to the stream of the runs. No
/// documentation says what an empty array is answered; who may not send is refused before the body is read
/// (azure-monitor.md, 1.4), so that everything but 401, 403 and 404 tells that the role is there.
pub(super) async fn examine(
    client: &IngestionClient,
    settings: &IngestionSettings,
    claims: Option<&Claims>,
    test_row_of: Option<&str>,
    now: OffsetDateTime,
) -> Vec<Finding> {
    let row = test_row_of.map(|tenant| test_row(tenant, now));
    let sent = client.probe(row.as_deref()).await;
    let label_events = judge(sent, settings, claims, row.is_some());
    let runs = if label_events.carries() {
        judge_runs(client.for_stream(RUNS_STREAM).probe(None).await)
    } else {
        Finding::because(Check::Ingestion, Check::Ingestion)
    };
    vec![label_events.of("rows"), runs.of("runs")]
}

/// The stream of the runs. Without it label events still arrive: a warning.
fn judge_runs(sent: Result<(), IngestionError>) -> Finding {
    let check = Check::Ingestion;
    match sent {
        // What the empty array itself is answered was told with the other stream.
        Ok(()) | Err(IngestionError::BadRequest(_)) => {
            Finding::ok(check, format!("{RUNS_STREAM}: an empty array was let in; no row was sent"))
        }
        Err(error @ IngestionError::NotFound(_)) => Finding::warning(
            check,
            format!("{RUNS_STREAM}: runs cannot be told of, and alerts take that for silence: {}", apart(&error).0),
            "az deployment group create --resource-group <group> --template-file infra/main.bicep --parameters <file>\n\
             It adds the table and the stream of the runs to the rule; label events are not affected",
        ),
        Err(error) => Finding::warning(
            check,
            format!("{RUNS_STREAM}: runs cannot be told of, and alerts take that for silence: {error}"),
            AGAIN,
        ),
    }
}

/// A row with the few columns that mark it.
fn test_row(tenant: &str, now: OffsetDateTime) -> String {
    // Only years beyond 9999 cannot be written so.
    let now = now.format(&Rfc3339).unwrap_or_default();
    json!({
        "TimeGenerated": now, "CreationTime": now, "AuditRecordId": Uuid::new_v4().to_string(),
        "Operation": TEST_OPERATION, "Workload": "Labelstream", "OrganizationId": tenant,
    })
    .to_string()
}

fn judge(
    sent: Result<(), IngestionError>,
    settings: &IngestionSettings,
    claims: Option<&Claims>,
    row: bool,
) -> Finding {
    let check = Check::Ingestion;
    let what = if row { "one test row" } else { "an empty array" };
    let (rule, stream) = (&settings.rule_id, &settings.stream_name);
    let error = match sent {
        Ok(()) if row => {
            return Finding::ok(
                check,
                format!(
                    "{stream}: {what} was taken; in some minutes (up to 15 in a new table) it is found by Operation == \"{TEST_OPERATION}\""
                ),
            );
        }
        Ok(()) => return Finding::ok(check, format!("{stream}: {what} was taken; no row was sent")),
        Err(error) => error,
    };
    let (said, advice) = apart(&error);
    let fix = match &error {
        IngestionError::Forbidden(_) => format!(
            "az role assignment create --role \"Monitoring Metrics Publisher\" --assignee-object-id {} \
             --assignee-principal-type ServicePrincipal --scope \"$(az monitor data-collection rule list --query \
             \"[?immutableId=='{rule}'].id\" -o tsv)\"\nA grant takes up to 30 minutes to work",
            principal(claims)
        ),
        IngestionError::NotFound(_) => format!(
            "az monitor data-collection rule list --query \"[].{{id:immutableId, endpoint:endpoints.logsIngestion, \
             streams:keys(streamDeclarations)}}\"\nDATA_COLLECTION_ENDPOINT, LOGS_DCR_RULE_ID ({rule}) and \
             LOGS_DCR_STREAM_NAME ({stream}) must be those of one rule"
        ),
        IngestionError::BadRequest(answer) if !row => {
            return Finding::warning(
                check,
                format!("{stream}: {what} was sent and refused as such ({answer}); the identity was let in"),
                "labelstream doctor --send-test-row",
            );
        }
        IngestionError::Throttled { .. } => {
            let fix = "Nothing now; if it goes on, see the rule's metrics in the portal";
            return Finding::warning(check, format!("{stream}: {what} was sent: {said}"), fix);
        }
        IngestionError::Transport { .. } => {
            "Check DATA_COLLECTION_ENDPOINT, and that this network may reach it (private link, proxy, DNS)".to_owned()
        }
        _ => advice.unwrap_or_else(|| AGAIN.to_owned()),
    };
    Finding::failed(check, format!("{stream}: {what} was sent: {said}"), fix)
}

const AGAIN: &str = "labelstream doctor, again; if it goes on, the text above is what the service says";

/// The text of an error, and its advice by itself: what follows the answer in brackets.
fn apart(error: &IngestionError) -> (String, Option<String>) {
    let text = error.to_string();
    match text.rsplit_once("). ") {
        Some((said, advice)) => (format!("{said})"), Some(advice.to_owned())),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use time::macros::datetime;

    use super::*;
    use crate::{doctor::Verdict, ingestion::Answer, row};

    fn answer(status: u16) -> Answer {
        Answer { status, request: Uuid::nil(), said: "no".to_owned() }
    }

    fn verdict(sent: Result<(), IngestionError>, row: bool) -> (Verdict, String) {
        let settings = IngestionSettings {
            endpoint: "https://e.ingest.monitor.azure.com".parse().unwrap(),
            rule_id: "dcr-7".to_owned(),
            stream_name: "Custom-X".to_owned(),
            scope: String::new(),
        };
        let claims = Claims { object_id: Some("o-1".to_owned()), ..Claims::default() };
        let finding = judge(sent, &settings, Some(&claims), row);
        (finding.verdict, finding.fix.unwrap_or_default())
    }

    #[test]
    fn each_answer_has_its_meaning() {
        assert_eq!(verdict(Ok(()), false), (Verdict::Ok, String::new()));
        let (failed, fix) = verdict(Err(IngestionError::Forbidden(answer(403))), false);
        assert!(
            failed == Verdict::Failed && fix.contains("--assignee-object-id o-1") && fix.contains("dcr-7"),
            "{fix}"
        );
        let (failed, fix) = verdict(Err(IngestionError::NotFound(answer(404))), false);
        assert!(failed == Verdict::Failed && fix.contains("Custom-X"), "{fix}");
        assert_eq!(verdict(Err(IngestionError::BadRequest(answer(400))), false).0, Verdict::Warning);
        assert_eq!(verdict(Err(IngestionError::BadRequest(answer(400))), true).0, Verdict::Failed);
    }

    #[test]
    fn without_the_stream_of_the_runs_label_events_still_arrive() {
        for (sent, expected) in [
            (Ok(()), Verdict::Ok),
            (Err(IngestionError::BadRequest(answer(400))), Verdict::Ok),
            (Err(IngestionError::NotFound(answer(404))), Verdict::Warning),
            (Err(IngestionError::Forbidden(answer(403))), Verdict::Warning),
        ] {
            let finding = judge_runs(sent);
            assert_eq!((finding.verdict, finding.fix.is_some()), (expected, expected == Verdict::Warning));
        }
    }

    #[test]
    fn the_test_row_has_declared_columns_alone_and_is_marked() {
        let text = test_row("t", datetime!(2026-11-22 19:00 UTC));
        let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        let declared: HashSet<_> = row::columns().map(|(name, _)| name).collect();
        assert!(row.keys().all(|name| declared.contains(name.as_str())), "{text}");
        assert_eq!(row["Operation"], TEST_OPERATION);
    }
}
