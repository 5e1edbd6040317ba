//! The row of a run. `infra/runs-columns.json` is the definition of its columns; a test compares the two.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use super::run_record::RunRecord;
use crate::{content::ContentType, pull::TypeSummary};

/// The stream of the data collection rule that takes a row for each run, beside the one of the label events. It is
/// `Custom-` and the name of the table that `infra/main.bicep` makes.
pub const RUNS_STREAM: &str = "Custom-LabelstreamRuns_CL";

/// The definition of the columns: a JSON array of objects with `name`, `type` and `description`.
pub const RUNS_COLUMNS_JSON: &str = include_str!("../../infra/runs-columns.json");

/// The row of one run, with every column in the order of the definition. What is not known is `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Heartbeat<'a> {
    #[serde(with = "time::serde::rfc3339")]
    time_generated: OffsetDateTime,
    run_id: &'a str,
    organization_id: &'a str,
    version: &'a str,
    host: &'a str,
    outcome: &'static str,
    error: &'a str,
    duration_seconds: f64,
    contents_listed: u64,
    contents_read: u64,
    contents_failed: u64,
    contents_pending: usize,
    contents_unfinished: usize,
    records: u64,
    label_events: u64,
    repeated: u64,
    rows: u64,
    posts: u64,
    row_bytes: u64,
    sent_bytes: u64,
    filtered_out: &'a BTreeMap<String, u64>,
    dead_letters: u64,
    dead_letters_kept: Option<u64>,
    feed_requests: u64,
    throttled: u64,
    throttle_wait_seconds: f64,
    lag_seconds: Option<i64>,
    content_types: BTreeMap<ContentType, Stands>,
    unknown_labels: u64,
    catalogue_labels: Option<usize>,
    catalogue_age_seconds: Option<i64>,
    catalogue_trouble: &'a str,
}

/// How a content type stands after the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stands {
    #[serde(with = "time::serde::rfc3339")]
    listed_through: OffsetDateTime,
    lag_seconds: i64,
    pending: usize,
    unfinished: usize,
    #[serde(with = "time::serde::rfc3339::option")]
    last_content: Option<OffsetDateTime>,
}

impl Stands {
    const fn of(kind: &TypeSummary) -> Self {
        Self {
            listed_through: kind.listed_through,
            lag_seconds: kind.lag_seconds,
            pending: kind.pending,
            unfinished: kind.unfinished,
            last_content: kind.last_content,
        }
    }
}

impl<'a> Heartbeat<'a> {
    /// The row of a run of `tenant`.
    #[must_use]
    pub fn of(tenant: &'a str, run: &'a RunRecord) -> Self {
        let figures = &run.figures;
        let catalogue = figures.catalogue.as_ref();
        let kinds = || figures.content_types.values();
        Self {
            time_generated: run.ended_at,
            run_id: &run.run_id,
            organization_id: tenant,
            version: &run.version,
            host: &run.host,
            outcome: run.outcome.as_str(),
            error: run.error.as_deref().unwrap_or_default(),
            duration_seconds: (run.ended_at - run.started_at).as_seconds_f64().max(0.0),
            contents_listed: figures.contents_listed,
            contents_read: figures.contents_read,
            contents_failed: figures.contents_failed,
            contents_pending: kinds().map(|kind| kind.pending).sum(),
            contents_unfinished: kinds().map(|kind| kind.unfinished).sum(),
            records: figures.records,
            label_events: figures.label_events,
            repeated: figures.repeated,
            rows: figures.rows,
            posts: figures.posts,
            row_bytes: figures.row_bytes,
            sent_bytes: figures.sent_bytes,
            filtered_out: &figures.filtered,
            dead_letters: figures.dead_letters,
            dead_letters_kept: figures.dead_letters_in_all.map(|letters| letters.number),
            feed_requests: figures.feed_requests,
            throttled: figures.throttled,
            throttle_wait_seconds: figures.throttle_wait_seconds,
            lag_seconds: run.lag_seconds(),
            content_types: figures.content_types.iter().map(|(name, kind)| (*name, Stands::of(kind))).collect(),
            unknown_labels: figures.unknown_labels,
            catalogue_labels: catalogue.map(|catalogue| catalogue.labels),
            catalogue_age_seconds: catalogue.and_then(|catalogue| catalogue.age_seconds),
            catalogue_trouble: catalogue.and_then(|catalogue| catalogue.trouble.as_deref()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, value::RawValue};

    use super::{
        super::run_record::tests::{figures, record},
        *,
    };
    use crate::pull::Summary;

    fn row(figures: Summary, error: Option<&str>) -> String {
        serde_json::to_string(&Heartbeat::of("c0ffee00", &record(figures, error))).unwrap()
    }

    /// The members of a row in their order.
    fn names(row: &str) -> Vec<&str> {
        let members: BTreeMap<&str, &RawValue> = serde_json::from_str(row).unwrap();
        let mut names: Vec<_> = members.into_keys().collect();
        names.sort_by_key(|name| name.as_ptr());
        names
    }

    #[test]
    fn the_row_has_the_defined_columns_in_their_order_with_their_types() {
        let defined: Vec<Value> = serde_json::from_str(RUNS_COLUMNS_JSON).unwrap();
        let row = row(figures(), Some("no"));
        assert_eq!(names(&row), defined.iter().map(|column| column["name"].as_str().unwrap()).collect::<Vec<_>>());
        let row: Value = serde_json::from_str(&row).unwrap();
        for column in &defined {
            let (name, kind) = (column["name"].as_str().unwrap(), column["type"].as_str().unwrap());
            let value = &row[name];
            let fits = match kind {
                "string" => value.is_string(),
                "datetime" => value.as_str().is_some_and(|text| text.ends_with('Z')),
                "long" => value.is_i64(),
                "real" => value.is_number(),
                "dynamic" => value.is_object(),
                other => panic!("{name} has the type {other}"),
            };
            assert!(fits, "{name}: {value} is no {kind}");
        }
    }

    #[test]
    fn a_run_that_never_knew_its_watermarks_has_no_lag_rather_than_none() {
        let row: Value = serde_json::from_str(&row(Summary::default(), Some("state: away"))).unwrap();
        assert_eq!((&row["LagSeconds"], &row["DeadLettersKept"]), (&Value::Null, &Value::Null));
        assert_eq!((&row["CatalogueLabels"], &row["CatalogueTrouble"]), (&Value::Null, &json!("")));
        assert_eq!((&row["Outcome"], &row["Error"]), (&json!("Failed"), &json!("state: away")));
    }

    #[test]
    fn content_types_say_what_the_column_promises() {
        let row: Value = serde_json::from_str(&row(figures(), None)).unwrap();
        let promised = RUNS_COLUMNS_JSON.split("stands: ").nth(1).unwrap().split('.').next().unwrap();
        let mut promised: Vec<_> = promised.split(", ").collect();
        promised.sort_unstable();
        let kind = row["ContentTypes"]["Audit.General"].as_object().unwrap();
        let mut told: Vec<_> = kind.keys().map(String::as_str).collect();
        told.sort_unstable();
        assert_eq!(told, promised);
        assert_eq!((&row["Error"], &row["DurationSeconds"]), (&json!(""), &json!(5.0)));
    }
}
