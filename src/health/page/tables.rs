//! The tables of the page. On a phone each row becomes a card, in which a cell has the name of its column before it.

use time::OffsetDateTime;

use super::seconds;
use crate::{
    health::{
        run_record::{Outcome, RunRecord},
        span::span,
        verdict::lag_limit,
    },
    html::{add, clock, escaped, number},
    status::{Status, SubscriptionState, TypeStatus},
};

/// How many of the last runs have a row.
const SHOWN_RUNS: usize = 20;

/// A cell: the name of its column, its classes, and its HTML.
pub(super) type Cell = (&'static str, &'static str, String);

pub(super) fn head(page: &mut String, cells: &[Cell]) {
    page.push_str("<table>\n<thead><tr>");
    for (name, class, _) in cells {
        let class = if class.contains("number") { " class=\"number\"" } else { "" };
        add(page, format_args!("<th{class}>{name}</th>"));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
}

pub(super) fn row(page: &mut String, cells: &[Cell]) {
    page.push_str("<tr>");
    for (name, class, html) in cells {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        add(page, format_args!("<td data-name=\"{name}\"{class}><span>{html}</span></td>"));
    }
    page.push_str("</tr>\n");
}

/// How each content type stands.
pub(super) fn content_types(page: &mut String, status: &Status) {
    page.push_str("<h2>Content types</h2>\n");
    let limit = lag_limit(&status.runs).whole_seconds();
    for (at, (name, kind)) in status.content_types.iter().enumerate() {
        let cells = content_type(name.as_str(), kind, limit, status.checked_at);
        if at == 0 {
            head(page, &cells);
        }
        row(page, &cells);
    }
    match status.content_types.is_empty() {
        true => page.push_str("<p>Nothing is known yet.</p>\n"),
        false => page.push_str("</tbody></table>\n"),
    }
    if let Some(checked) = status.subscriptions_checked {
        let ago = span(status.checked_at - checked);
        add(page, format_args!("<p class=\"soft\">The subscriptions were listed {ago} ago.</p>\n"));
    }
}

fn content_type(name: &'static str, kind: &TypeStatus, limit: i64, now: OffsetDateTime) -> [Cell; 7] {
    let TypeStatus { listed_through, lag_seconds, last_content, pending, oldest_pending, unfinished, subscription } =
        kind;
    let moment = |at: Option<OffsetDateTime>, never: &str| {
        at.map_or_else(|| never.to_owned(), |at| format!("{} ago <small>{}</small>", span(now - at), clock(at)))
    };
    let oldest =
        oldest_pending.map_or_else(String::new, |at| format!(" <small>the oldest of {} ago</small>", span(now - at)));
    [
        ("Content type", "name", name.to_owned()),
        (
            "Lag",
            if *lag_seconds > Some(limit) { "bad" } else { "" },
            lag_seconds.map_or_else(|| "not known".to_owned(), seconds),
        ),
        ("Listed through", "", moment(*listed_through, "not yet")),
        ("Last content", "", moment(*last_content, "none yet")),
        ("Left to do", "number", unfinished.map_or_else(|| "not known".to_owned(), |left| number(left as u64))),
        ("Pending", "number", format!("{}{oldest}", number(*pending as u64))),
        ("Subscription", subscription_class(*subscription), subscription.as_str().to_owned()),
    ]
}

const fn subscription_class(state: SubscriptionState) -> &'static str {
    match state {
        SubscriptionState::Enabled => "good",
        SubscriptionState::Started => "note",
        SubscriptionState::Unknown => "",
        SubscriptionState::NotStarted | SubscriptionState::Disabled | SubscriptionState::Missing => "bad",
    }
}

/// The class that colours an outcome.
pub(super) const fn outcome_class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "good",
        Outcome::Unfinished => "note",
        Outcome::Failed => "bad",
    }
}

/// The last runs: all of them as a strip for a glance, the oldest first, and the latest with their figures.
pub(super) fn runs(page: &mut String, runs: &[RunRecord]) {
    page.push_str("<h2>Last runs</h2>\n");
    if runs.is_empty() {
        page.push_str("<p>No run has ended yet.</p>\n");
        return;
    }
    page.push_str("<p class=\"strip\">");
    for run in runs {
        let (class, outcome) = (outcome_class(run.outcome), run.outcome.as_str());
        add(page, format_args!("<span class=\"{class}\" title=\"{} {outcome}\"></span>", clock(run.ended_at)));
    }
    page.push_str("</p>\n");
    let counts = [Outcome::Done, Outcome::Unfinished, Outcome::Failed]
        .map(|outcome| (runs.iter().filter(|run| run.outcome == outcome).count(), outcome.as_str()));
    let counts: Vec<_> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, outcome)| format!("{count} {outcome}")).collect();
    add(page, format_args!("<p class=\"soft\">The newest is on the right: {}.</p>\n", counts.join(", ")));
    for (at, run) in runs.iter().rev().take(SHOWN_RUNS).enumerate() {
        let cells = run_cells(run);
        if at == 0 {
            head(page, &cells);
        }
        row(page, &cells);
        if let Some(error) = &run.error {
            add(page, format_args!("<tr class=\"error\"><td colspan=\"8\">{}</td></tr>\n", escaped(error)));
        }
    }
    page.push_str("</tbody></table>\n");
    if runs.len() > SHOWN_RUNS {
        add(page, format_args!("<p class=\"soft\">The JSON has all {}.</p>\n", runs.len()));
    }
}

fn run_cells(run: &RunRecord) -> [Cell; 8] {
    let figures = &run.figures;
    [
        ("Ended", "name", clock(run.ended_at)),
        ("Outcome", outcome_class(run.outcome), run.outcome.as_str().to_owned()),
        ("Took", "number", format!("{:.1} s", (run.ended_at - run.started_at).as_seconds_f64())),
        ("Contents", "number", number(figures.contents_read)),
        ("Label events", "number", number(figures.label_events)),
        ("Rows", "number", number(figures.rows)),
        ("Dead letters", "number", number(figures.dead_letters)),
        ("Began by", "", run.trigger.as_str().to_owned()),
    ]
}
