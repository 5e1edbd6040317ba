//! The page of the status for a browser: one document without scripts, forms, links and resources of others.

use std::{fmt::Write as _, sync::LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{
    run_record::RunRecord,
    span::span,
    verdict::{Health, LAG_LIMIT},
};
use crate::status::{Status, TypeStatus};

const STYLE: &str = include_str!("page.css");

/// The `Content-Security-Policy` of the page: nothing is loaded, run or sent, and its own style is known by its digest.
pub static SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// How many of the last runs the page shows.
const SHOWN_RUNS: usize = 20;

/// The page of `health`.
#[must_use]
pub fn page(health: &Health) -> String {
    let (class, word) = if health.healthy { ("verdict", "Healthy") } else { ("verdict unhealthy", "Needs attention") };
    let status = &health.status;
    let tenant = status.tenant_id.as_deref().unwrap_or("not known");
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{word} - Labelstream</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Labelstream</h1>\n\
         <p class=\"soft\">Tenant {} &middot; version {} &middot; {}</p>\n<div class=\"{class}\"><strong>{word}</strong>\n",
        escaped(tenant),
        escaped(&status.version),
        clock(status.checked_at)
    );
    list(&mut page, &health.problems);
    page.push_str("</div>\n");
    if !health.notes.is_empty() {
        page.push_str("<h2>Good to know</h2>\n");
        list(&mut page, &health.notes);
    }
    facts(&mut page, status);
    content_types(&mut page, status);
    runs(&mut page, &status.runs);
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn list(page: &mut String, items: &[String]) {
    if items.is_empty() {
        return;
    }
    page.push_str("<ul>\n");
    for item in items {
        add(page, format_args!("<li>{}</li>\n", escaped(item)));
    }
    page.push_str("</ul>\n");
}

fn facts(page: &mut String, status: &Status) {
    let ago = |time: Option<OffsetDateTime>| {
        time.map_or_else(|| "not yet".to_owned(), |time| format!("{} ago", span(status.checked_at - time)))
    };
    let letters = status.dead_letters.map_or_else(|| "not known".to_owned(), |letters| letters.to_string());
    let lag = status.lag_seconds.map_or_else(|| "not known".to_owned(), seconds);
    let last_run = ago(status.runs.last().map(|run| run.ended_at));
    page.push_str("<dl class=\"facts\">\n");
    for (name, value) in [
        ("Lag", lag),
        ("Rows last taken", ago(status.last_accepted)),
        ("Last run", if status.run_under_way == Some(true) { "one is under way".to_owned() } else { last_run }),
        ("Dead letters", letters),
        ("Subscriptions checked", ago(status.subscriptions_checked)),
    ] {
        add(page, format_args!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escaped(&value)));
    }
    page.push_str("</dl>\n");
}

fn content_types(page: &mut String, status: &Status) {
    page.push_str(
        "<h2>Content types</h2>\n<div class=\"table\"><table>\n<tr><th>Content type</th><th>Listed through</th>\
         <th>Lag</th><th>Last content</th><th class=\"number\">Left to do</th><th class=\"number\">To be tried again</th>\
         <th>Subscription</th></tr>\n",
    );
    for (name, kind) in &status.content_types {
        let TypeStatus { listed_through, lag_seconds, last_content, pending, unfinished, subscription, .. } = kind;
        let class = if *lag_seconds > Some(LAG_LIMIT.whole_seconds()) { " class=\"late\"" } else { "" };
        add(
            page,
            format_args!(
                "<tr><td>{name}</td><td>{}</td><td{class}>{}</td><td>{}</td><td class=\"number\">{}</td>\
                 <td class=\"number\">{pending}</td><td>{}</td></tr>\n",
                listed_through.map_or_else(|| "not yet".to_owned(), clock),
                lag_seconds.map_or_else(|| "not known".to_owned(), seconds),
                last_content.map_or_else(|| "none yet".to_owned(), clock),
                unfinished.map_or_else(|| "not known".to_owned(), |left| left.to_string()),
                subscription.as_str()
            ),
        );
    }
    if status.content_types.is_empty() {
        page.push_str("<tr><td colspan=\"7\">Nothing is known yet.</td></tr>\n");
    }
    page.push_str("</table></div>\n");
}

fn runs(page: &mut String, runs: &[RunRecord]) {
    page.push_str(
        "<h2>Last runs</h2>\n<div class=\"table\"><table>\n<tr><th>Ended</th><th>Outcome</th><th class=\"number\">Took</th>\
         <th class=\"number\">Contents</th><th class=\"number\">Label events</th><th class=\"number\">Rows</th>\
         <th class=\"number\">Dead letters</th><th>Began by</th><th>Error</th></tr>\n",
    );
    for run in runs.iter().rev().take(SHOWN_RUNS) {
        let (outcome, figures) = (run.outcome.as_str(), &run.figures);
        add(
            page,
            format_args!(
                "<tr><td>{}</td><td class=\"{outcome}\">{outcome}</td><td class=\"number\">{:.1} s</td>\
                 <td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
                 <td class=\"number\">{}</td><td>{}</td><td class=\"wide\">{}</td></tr>\n",
                clock(run.ended_at),
                (run.ended_at - run.started_at).as_seconds_f64(),
                figures.contents_read,
                figures.label_events,
                figures.rows,
                figures.dead_letters,
                run.trigger.as_str(),
                escaped(run.error.as_deref().unwrap_or_default())
            ),
        );
    }
    if runs.is_empty() {
        page.push_str("<tr><td colspan=\"9\">No run has ended yet.</td></tr>\n");
    }
    page.push_str("</table></div>\n");
    if runs.len() > SHOWN_RUNS {
        add(page, format_args!("<p class=\"soft\">The JSON has all {}.</p>\n", runs.len()));
    }
}

fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    page.write_fmt(text).ok();
}

fn seconds(seconds: i64) -> String {
    span(time::Duration::seconds(seconds))
}

fn clock(time: OffsetDateTime) -> String {
    let time = time.to_offset(time::UtcOffset::UTC);
    let (hour, minute, second) = time.time().as_hms();
    format!("{} {hour:02}:{minute:02}:{second:02} UTC", time.date())
}

/// `text` as HTML shows it, in an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::health::run_record::tests::{BEGAN, figures, record};

    fn tags(page: &str) -> usize {
        page.matches('<').count()
    }

    proptest! {
        #[test]
        fn no_text_adds_a_tag_an_attribute_or_an_entity(text in "[a<>\"'&;/=]{0,30}") {
            let with = |text: &str| {
                let mut health = Health::unknown(Status::unknown(Some(text.to_owned()), BEGAN), vec![text.to_owned()]);
                health.notes.push(text.to_owned());
                health.status.runs.push(record(figures(), Some(text)));
                page(&health)
            };
            prop_assert_eq!(tags(&with(&text)), tags(&with("x")));
            prop_assert_eq!(with(&text).matches('"').count(), with("x").matches('"').count());
            prop_assert_eq!(with(&text).matches('\'').count(), with("x").matches('\'').count());
        }
    }

    #[test]
    fn nothing_is_loaded_run_or_followed() {
        let mut health = Health::unknown(Status::unknown(None, BEGAN), Vec::new());
        health.status.runs.push(record(figures(), None));
        let page = page(&health);
        for part in ["<script", "http:", "https:", "//", "src=", "href=", "url(", "@import", "onload", "style="] {
            assert!(!page.contains(part), "{part}");
        }
        assert!(page.contains("83") || page.contains("Done"));
        assert!(SECURITY_POLICY.starts_with("default-src 'none'; style-src 'sha256-"));
    }
}
