//! The page of the status for a browser: one document without scripts, forms, links and resources of others.

mod fleet;
mod tables;

use std::sync::LazyLock;

use time::{Duration, OffsetDateTime};

use super::{
    span::span,
    verdict::{Health, lag_limit},
};
use crate::{
    html::{add, clock, escaped, number, prose, source_of},
    status::Status,
};

pub use fleet::fleet_page;

const STYLE: &str = concat!(include_str!("../../html/base.css"), include_str!("page.css"));

/// The `Content-Security-Policy` of the page: nothing is loaded, run or sent, and its own style is known by its digest.
pub static SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = source_of(STYLE);
    format!("default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
});

/// The page of `health`.
#[must_use]
pub fn page(health: &Health) -> String {
    let status = &health.status;
    let word = word(health.healthy);
    let of = format!("Tenant {}", status.tenant_id.as_deref().unwrap_or("not known"));
    let mut page = head(word, &of, &status.version, status.checked_at);
    verdict(&mut page, health, word);
    facts(&mut page, status);
    if !health.notes.is_empty() {
        page.push_str("<h2>Good to know</h2>\n");
        list(&mut page, &health.notes);
    }
    tables::content_types(&mut page, status);
    tables::runs(&mut page, &status.runs);
    page.push_str(FOOT);
    page
}

const fn word(healthy: bool) -> &'static str {
    if healthy { "Healthy" } else { "Needs attention" }
}

/// The page up to its verdict; `of` is whom it tells of.
fn head(word: &str, of: &str, version: &str, at: OffsetDateTime) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{word} - Labelstream</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Labelstream</h1>\n\
         <p class=\"soft\">{} &middot; version {} &middot; {}</p>\n",
        escaped(of),
        escaped(version),
        clock(at)
    )
}

const FOOT: &str = "</main>\n</body>\n</html>\n";

/// The one bit, for a glance, and what it rests on.
fn verdict(page: &mut String, health: &Health, word: &str) {
    open_verdict(page, health.healthy, word);
    if health.problems.is_empty() {
        let letters = health.status.dead_letters.is_some_and(|letters| letters.number > 0);
        let or_else = if letters { ", or lies in the dead letters" } else { "" };
        if let Some(lag) = health.status.lag_seconds.map(seconds) {
            add(page, format_args!("<p>What was published until {lag} ago is delivered{or_else}.</p>\n"));
        }
    }
    list(page, &health.problems);
    page.push_str("</div></section>\n");
}

/// The verdict's section up to what stands under its word.
fn open_verdict(page: &mut String, healthy: bool, word: &str) {
    let (class, sign) = if healthy { ("verdict good", "&#10003;") } else { ("verdict bad", "!") };
    add(
        page,
        format_args!("<section class=\"{class}\"><span class=\"sign\">{sign}</span><div><strong>{word}</strong>\n"),
    );
}

fn list(page: &mut String, items: &[String]) {
    if items.is_empty() {
        return;
    }
    page.push_str("<ul>\n");
    for item in items {
        add(page, format_args!("<li>{}</li>\n", prose(item)));
    }
    page.push_str("</ul>\n");
}

/// A figure of the whole connector.
struct Fact {
    name: &'static str,
    value: String,
    /// A line of detail under it.
    more: String,
    class: &'static str,
}

fn facts(page: &mut String, status: &Status) {
    page.push_str("<dl class=\"facts\">\n");
    for Fact { name, value, more, class } in [lag(status), accepted(status), last_run(status), dead_letters(status)] {
        let (value, more) = (escaped(&value), escaped(&more));
        let more = if more.is_empty() { more } else { format!("<dd class=\"soft\">{more}</dd>") };
        add(page, format_args!("<div><dt>{name}</dt><dd class=\"value {class}\">{value}</dd>{more}</div>\n"));
    }
    page.push_str("</dl>\n");
}

fn lag(status: &Status) -> Fact {
    let late = status.lag_seconds > Some(lag_limit(&status.runs).whole_seconds());
    // The one that makes it, where others do better.
    let worst = status.content_types.iter().max_by_key(|(_, kind)| kind.lag_seconds);
    let is_alone = status.content_types.values().filter(|kind| kind.lag_seconds == status.lag_seconds).count() == 1;
    Fact {
        name: "Lag",
        value: status.lag_seconds.map_or_else(|| "not known".to_owned(), seconds),
        more: worst.filter(|_| is_alone).map_or_else(String::new, |(name, _)| format!("of {name}")),
        class: if late { "bad" } else { "" },
    }
}

fn accepted(status: &Status) -> Fact {
    let (value, more) = ago(status, status.last_accepted);
    Fact { name: "Last batch accepted", value, more, class: "" }
}

fn last_run(status: &Status) -> Fact {
    let last = status.runs.last();
    let (value, _) = ago(status, last.map(|run| run.ended_at));
    let (more, class) = match (status.run_under_way, last) {
        (Some(true), _) => ("one is under way now", ""),
        (_, Some(run)) => (run.outcome.as_str(), tables::outcome_class(run.outcome)),
        (_, None) => ("", ""),
    };
    Fact { name: "Last run", value, more: more.to_owned(), class: if class == "bad" { class } else { "" } }
}

fn dead_letters(status: &Status) -> Fact {
    let value = status.dead_letters.map_or_else(
        || "not known".to_owned(),
        |letters| if letters.or_more { letters.to_string() } else { number(letters.number) },
    );
    let some = status.dead_letters.is_some_and(|letters| letters.number > 0);
    Fact { name: "Dead letters", value, more: String::new(), class: if some { "note" } else { "" } }
}

/// A span of so many seconds.
fn seconds(seconds: i64) -> String {
    span(Duration::seconds(seconds))
}

/// How long ago it was, and when.
fn ago(status: &Status, time: Option<OffsetDateTime>) -> (String, String) {
    time.map_or_else(
        || ("not yet".to_owned(), String::new()),
        |time| (format!("{} ago", span(status.checked_at - time)), clock(time)),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::health::run_record::tests::{BEGAN, figures, record};

    proptest! {
        #[test]
        fn no_text_adds_a_tag_an_attribute_or_an_entity(text in "[a<>\"'&;/=]{0,30}") {
            let with = |text: &str| {
                let mut health = Health::unknown(Status::unknown(Some(text.to_owned()), BEGAN), vec![text.to_owned()]);
                health.notes.push(text.to_owned());
                health.status.runs.push(record(figures(), Some(text)));
                page(&health)
            };
            let text = format!("x{text}");
            for mark in ['<', '>', '"', '\''] {
                prop_assert_eq!(with(&text).matches(mark).count(), with("x").matches(mark).count());
            }
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
        assert!(page.contains("Done"));
        assert!(SECURITY_POLICY.starts_with("default-src 'none'; style-src 'sha256-"));
    }

    #[test]
    fn what_is_not_known_is_not_told_as_nothing() {
        let page = page(&Health::unknown(Status::unknown(None, BEGAN), vec!["set `M365_TENANT_ID`".to_owned()]));
        for text in ["Needs attention", "set <code>M365_TENANT_ID</code>", "Tenant not known", "No run has ended yet."]
        {
            assert!(page.contains(text), "{text} is not in {page}");
        }
        assert!(!page.contains("is delivered"));
    }
}
