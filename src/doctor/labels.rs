//! The label names.

use std::time::Duration;

use super::{Check, Finding, identity::principal};
use crate::{
    identity::Claims,
    labels::{GraphClient, GraphError, Listed, MapSource, map_fix},
    settings::{LabelSettings, LabelSource},
};

/// How long Graph may take, with the tries that a failure is worth.
const ANSWER: Duration = Duration::from_secs(20);

/// A check that needs no Graph: labels are off, or come from a map. `None` where Graph is to be asked.
pub(super) async fn without_graph(settings: &LabelSettings) -> Option<Finding> {
    let check = Check::Labels;
    let map = match &settings.source {
        LabelSource::Graph => return None,
        LabelSource::Off => {
            return Some(Finding::not_needed(check, "LABELS=off: rows have the ids of labels and no names"));
        }
        LabelSource::Json(text) => MapSource::Text(text.clone()),
        LabelSource::Path(path) => MapSource::Path(path.clone()),
    };
    Some(match map.read().await {
        Ok(Listed { labels, skipped: 0 }) => Finding::ok(check, format!("{map} has {} labels", labels.len())),
        Ok(Listed { labels, skipped }) => Finding::ok(
            check,
            format!("{map} has {} labels, and {skipped} entries without an id or a name", labels.len()),
        ),
        Err(error) => Finding::failed(check, format!("{map}: {error}"), sentence(&map_fix())),
    })
}

/// Asks Graph for the labels.
pub(super) async fn examine(graph: &GraphClient, claims: Option<&Claims>) -> Finding {
    judge(graph.labels(ANSWER).await, claims)
}

/// Whatever fails here, runs go on without names: a warning.
fn judge(listed: Result<Listed, GraphError>, claims: Option<&Claims>) -> Finding {
    let check = Check::Labels;
    let error = match listed {
        Ok(listed) => return Finding::ok(check, format!("Microsoft Graph lists {} labels", listed.labels.len())),
        Err(error) => error,
    };
    let fix = match &error {
        GraphError::Refused(_) | GraphError::NoLabel => format!(
            "./scripts/grant-feed-access --principal-id {}\nThen restart the app; or set LABELS to a map or off",
            principal(claims)
        ),
        error => sentence(error.fix()),
    };
    Finding::warning(check, format!("{error}; rows then lack label names"), fix)
}

/// The text with a large letter at its beginning.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{doctor::Verdict, labels::Label};

    fn settings(source: LabelSource) -> LabelSettings {
        let graph_endpoint = "https://graph.microsoft.com".parse().unwrap();
        LabelSettings { source, graph_endpoint, graph_scope: String::new() }
    }

    #[test]
    fn answers_of_graph_are_told_apart() {
        let label = Label { id: "a".into(), name: "A".into(), parent: None, priority: None, gone: None };
        let listed = judge(Ok(Listed { labels: vec![label; 4], skipped: 0 }), None);
        assert_eq!((listed.verdict, listed.found.as_str()), (Verdict::Ok, "Microsoft Graph lists 4 labels"));
        let refused = judge(Err(GraphError::Refused("HTTP 403 accessDenied no".to_owned())), None);
        assert!(refused.found.contains("HTTP 403 accessDenied no"), "{refused:?}");
        assert!(refused.fix.unwrap().contains("grant-feed-access"));
        for error in [GraphError::NoLabel, GraphError::NotServed("HTTP 302".to_owned()), GraphError::TooLate(ANSWER)] {
            let finding = judge(Err(error), None);
            assert_eq!(finding.verdict, Verdict::Warning, "{finding:?}");
            assert!(finding.fix.is_some_and(|fix| !fix.is_empty()));
        }
    }

    #[tokio::test]
    async fn a_map_must_be_there_and_have_a_label() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        let settings = |source| settings(source);
        let look = async || without_graph(&settings(LabelSource::Path(path.clone()))).await.unwrap().verdict;
        assert_eq!(look().await, Verdict::Failed);
        for bad in ["[", "[]", "Guid\nx"] {
            std::fs::write(&path, bad).unwrap();
            assert_eq!(look().await, Verdict::Failed, "{bad}");
        }
        std::fs::write(&path, "Guid,Name\nx,X").unwrap();
        assert_eq!(look().await, Verdict::Ok);
        let json = LabelSource::Json(r#"{"x":"X"}"#.to_owned());
        assert_eq!(without_graph(&settings(json)).await.unwrap().found, "the map in LABELS has 1 labels");
        assert_eq!(without_graph(&settings(LabelSource::Off)).await.unwrap().verdict, Verdict::Skipped);
        assert!(without_graph(&settings(LabelSource::Graph)).await.is_none());
    }
}
