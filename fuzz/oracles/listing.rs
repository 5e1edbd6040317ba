//! A page of a listing.
//!
//! Input: a line with the endpoint (empty: the commercial cloud's), a line with the values of `NextPageUri` (0x02 between
//! two), then the body ([`expand`]). Judged are:
//! - of a JSON array every element is a content or is given back as it came;
//! - whatever the feed names as its next page or as a content's address, no request leaves the endpoint, and an endpoint
//!   is https or on this machine;
//! - a content that was listed can be remembered, and rows can be made of it;
//! - what people are told is one line.

use labelstream::{
    content::{Content, ContentType},
    feed::{
        FeedErrorKind, Operation,
        address::{Address, Target},
        listing::page,
    },
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, value::RawValue};
use time::{OffsetDateTime, macros::datetime};
use url::Url;

use super::{Reached, column, expand::expand, shown::one_line};

/// What the corpus is to reach.
pub const REACHES: &[&str] = &[
    "a content",
    "an undated content",
    "an unreadable entry",
    "a next page",
    "a foreign next page",
    "a malformed next page",
    "a foreign content",
    "no page",
    "an error in a page's place",
    "another endpoint",
    "an unsafe endpoint",
];

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const UNDATED: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);

/// The most characters of an error or a reason.
const MOST: usize = 1200;

/// Runs one input.
pub fn check(data: &[u8]) -> Reached {
    let mut reached = Reached::new();
    let mut lines = data.splitn(3, |&byte| byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (base, next, body) = (line(), line(), expand(line()));

    let Some(address) = address(base, &mut reached) else { return reached };
    let asked = address.operation("subscriptions/content", &[("contentType", "Audit.General")]);
    let prefix = origin(&asked);
    let mut headers = HeaderMap::new();
    for value in next.split(|&byte| byte == 0x02) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static("nextpageuri"), value);
        }
    }

    let elements = serde_json::from_slice::<Vec<&RawValue>>(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body));
    let page = match page(ContentType::General, &address, &asked, &headers, &body, UNDATED) {
        Ok(page) => page,
        Err(error) => {
            one_line(&error.to_string(), MOST);
            reached.push(match (error.kind(), elements.is_ok()) {
                (FeedErrorKind::ForeignAddress, true) => "a foreign next page",
                (FeedErrorKind::Malformed, true) => "a malformed next page",
                (FeedErrorKind::Malformed, false) => "no page",
                (_, false) => "an error in a page's place",
                (kind, true) => panic!("an array is no page: {kind:?}"),
            });
            return reached;
        }
    };

    let elements = elements.expect("a page is a JSON array");
    assert_eq!(page.contents.len() + page.skipped.len(), elements.len(), "every element is listed or told");
    if let Some(next) = &page.next {
        let target = address.given(&Operation::List(ContentType::General), next.as_str()).expect("it was checked");
        stays(&target, &prefix);
        assert_ne!(target, asked, "a page does not name itself");
        reached.push("a next page");
    }
    for skipped in &page.skipped {
        assert!(elements.iter().any(|element| element.get() == skipped.entry), "it is given back as it came");
        one_line(&skipped.reason, MOST);
        one_line(&skipped.to_string(), MOST);
        reached.push("an unreadable entry");
    }
    for element in &elements {
        if let Ok(entry) = serde_json::from_str::<Value>(element.get())
            && is_entry(&entry)
        {
            let listed = |content: &Content| entry["contentId"] == *content.id && entry["contentUri"] == *content.uri;
            assert!(page.contents.iter().any(listed), "an entry with id and address is listed: {element}");
        }
    }
    for content in &page.contents {
        judge(content, &address, &prefix, &mut reached);
    }
    for id in &page.undated {
        let undated = |content: &Content| content.id == *id && content.created == UNDATED;
        assert!(page.contents.iter().any(undated), "what has no time is taken to be of the time given");
        reached.push("an undated content");
    }
    reached
}

/// The endpoint that the first line names.
fn address(base: &[u8], reached: &mut Reached) -> Option<Address> {
    let text = if base.is_empty() { "https://manage.office.com".into() } else { String::from_utf8_lossy(base) };
    let base = Url::parse(&text).ok()?;
    match Address::new(&base, TENANT, TENANT) {
        Ok(address) => {
            let host = base.host_str().unwrap_or_default();
            let here = host == "localhost" || host == "[::1]" || (host.starts_with("127.") && base.domain().is_none());
            assert!(base.scheme() == "https" || (base.scheme() == "http" && here), "a token would go to {base}");
            if host != "manage.office.com" {
                reached.push("another endpoint");
            }
            Some(address)
        }
        Err(reason) => {
            one_line(&reason, MOST);
            assert!(base.scheme() != "https", "{base} is safe: {reason}");
            reached.push("an unsafe endpoint");
            None
        }
    }
}

/// Scheme, host and port of a target as a request has them, with the `/` behind.
fn origin(target: &Target) -> String {
    let text = target.url().as_str();
    let authority = text.find("://").expect("a target is absolute") + 3;
    let end = authority + text[authority..].find('/').expect("a target has a path");
    text[..=end].to_owned()
}

fn stays(target: &Target, prefix: &str) {
    let text = target.url().as_str();
    assert!(text.starts_with(prefix) && !prefix.contains('@'), "{text} is not below {prefix}");
    assert!(target.url().fragment().is_none() && !target.shown().contains('?'), "{text}");
    let publishers = target.url().query_pairs().filter(|(name, _)| name.eq_ignore_ascii_case("PublisherIdentifier"));
    assert!(publishers.count() >= 1, "{text} names no publisher");
}

fn is_entry(entry: &Value) -> bool {
    let names = |key: &str| entry[key].as_str().is_some_and(|text| !text.trim().is_empty());
    entry.is_object() && names("contentId") && names("contentUri")
}

fn judge(content: &Content, address: &Address, prefix: &str, reached: &mut Reached) {
    reached.push("a content");
    let operation = Operation::Fetch { content_type: content.content_type, id: content.id.clone() };
    match address.given(&operation, &content.uri) {
        Ok(target) => stays(&target, prefix),
        Err(error) => {
            assert_eq!(error.kind(), FeedErrorKind::ForeignAddress);
            one_line(&error.to_string(), MOST);
            reached.push("a foreign content");
        }
    }
    let stored = serde_json::to_vec(content).expect("a content can be remembered");
    let read: Content = serde_json::from_slice(&stored).expect("a content that was stored is read again");
    assert_eq!(read, *content);
    assert!(content.created.offset().is_utc(), "days are counted in UTC");
    column::checked_row_of(content);
}
