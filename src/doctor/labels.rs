//! The label names.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use url::Url;

use super::{Check, Finding, identity::principal};
use crate::{
    identity::{Claims, TokenSource, Tokens},
    settings::{LabelSettings, LabelSource},
};

/// Where Graph has the labels of a tenant (Microsoft Graph v1.0, "List sensitivityLabels").
const LABELS: &str = "v1.0/security/dataSecurityAndGovernance/sensitivityLabels";

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// What Graph answered: the status, and what it said.
type Answered = Result<(u16, String), String>;

/// A check that needs no Graph: labels are off, or come from a map. `None` where Graph is to be asked.
pub(super) fn without_graph(settings: &LabelSettings) -> Option<Finding> {
    let check = Check::Labels;
    Some(match &settings.source {
        LabelSource::Graph => return None,
        LabelSource::Off => Finding::not_needed(check, "LABELS=off: rows have the ids of labels and no names"),
        LabelSource::Json(_) => Finding::ok(check, "the map in LABELS is JSON"),
        LabelSource::Path(path) => {
            let fix = "Set LABELS to the path of a JSON file that is deployed with the app, to graph, or to off";
            match std::fs::read(path).map(|text| serde_json::from_slice::<serde::de::IgnoredAny>(&text)) {
                Ok(Ok(_)) => Finding::ok(check, format!("the map {} is JSON", path.display())),
                Ok(Err(error)) => {
                    Finding::failed(check, format!("the map {} is no JSON: {error}", path.display()), fix)
                }
                Err(error) => Finding::failed(check, format!("the map {}: {error}", path.display()), fix),
            }
        }
    })
}

/// Asks Graph for the labels.
pub(super) async fn examine(
    http: &Client,
    settings: &LabelSettings,
    tokens: &Tokens,
    claims: Option<&Claims>,
) -> Finding {
    judge(ask(http, &settings.graph_endpoint, tokens).await, claims)
}

async fn ask(http: &Client, endpoint: &Url, tokens: &Tokens) -> Answered {
    let token = tokens.token().await.map_err(|error| error.to_string())?;
    let url = format!("{}/{LABELS}", endpoint.as_str().trim_end_matches('/'));
    let plain = |error: reqwest::Error| error.without_url().to_string();
    let answer = http.get(url).bearer_auth(token.secret()).timeout(ANSWER).send().await.map_err(plain)?;
    let status = answer.status().as_u16();
    Ok((status, token.hide(&answer.text().await.map_err(plain)?)))
}

/// Whatever fails here, runs go on without names: a warning.
fn judge(answered: Answered, claims: Option<&Claims>) -> Finding {
    let check = Check::Labels;
    let warn = |found: String, fix: &str| Finding::warning(check, format!("{found}; rows then lack label names"), fix);
    let (status, body) = match answered {
        Ok(answered) => answered,
        Err(reason) => {
            let fix =
                "Check that this network may reach Microsoft Graph, and GRAPH_ENDPOINT; or set LABELS to a map or off";
            return warn(format!("Microsoft Graph gave no answer: {reason}"), fix);
        }
    };
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().chars().take(200).collect::<String>();
    let said = format!("HTTP {status} {} {}", text(&body["error"]["code"]), text(&body["error"]["message"]));
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match (status, body["value"].as_array()) {
        (200, Some(labels)) => {
            let sublabels: usize = labels.iter().filter_map(|label| label["sublabels"].as_array()).map(Vec::len).sum();
            Finding::ok(check, format!("Microsoft Graph lists {} labels", labels.len() + sublabels))
        }
        (401 | 403, _) => warn(
            format!("Microsoft Graph refuses them ({said})"),
            &format!(
                "./scripts/grant-feed-access --principal-id {}\nThen restart the app; or set LABELS=off",
                principal(claims)
            ),
        ),
        (429 | 500.., _) => {
            warn(format!("Microsoft Graph fails ({said})"), "Try again later; nothing is lost meanwhile")
        }
        _ => warn(
            format!("Microsoft Graph does not serve them here ({said})"),
            "Set LABELS to a map (Get-Label | Select-Object ImmutableId, DisplayName, Priority, \
             ParentLabelDisplayName), or to off; check GRAPH_ENDPOINT and M365_CLOUD",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn settings(source: LabelSource) -> LabelSettings {
        let graph_endpoint = "https://graph.microsoft.com".parse().unwrap();
        LabelSettings { source, graph_endpoint, graph_scope: String::new() }
    }

    #[test]
    fn answers_of_graph_are_told_apart() {
        let of = |status, body: &str| judge(Ok((status, body.to_owned())), None);
        let listed = of(200, r#"{"value":[{"sublabels":[{},{}]},{}]}"#);
        assert_eq!((listed.verdict, listed.found.as_str()), (Verdict::Ok, "Microsoft Graph lists 4 labels"));
        let refused = of(403, r#"{"error":{"code":"accessDenied","message":"no"}}"#);
        assert!(refused.found.contains("HTTP 403 accessDenied no"), "{refused:?}");
        assert!(refused.fix.unwrap().contains("grant-feed-access"));
        for (status, body) in [(404, ""), (200, "{}"), (503, "<html>"), (302, "")] {
            assert_eq!(of(status, body).verdict, Verdict::Warning, "{status}");
        }
        assert_eq!(judge(Err("refused".to_owned()), None).verdict, Verdict::Warning);
    }

    #[test]
    fn a_map_must_be_there_and_be_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.json");
        let look = || without_graph(&settings(LabelSource::Path(path.clone()))).unwrap().verdict;
        assert_eq!(look(), Verdict::Failed);
        std::fs::write(&path, "[").unwrap();
        assert_eq!(look(), Verdict::Failed);
        std::fs::write(&path, "[]").unwrap();
        assert_eq!(look(), Verdict::Ok);
        assert_eq!(without_graph(&settings(LabelSource::Off)).unwrap().verdict, Verdict::Skipped);
        assert!(without_graph(&settings(LabelSource::Graph)).is_none());
    }
}
