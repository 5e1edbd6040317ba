//! What a page of a listing says: a pure reading of its headers and body.

use std::fmt;

use reqwest::header::HeaderMap;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::{
    address::{Address, PageUri, Target},
    classify::{Answer, classify, excerpt},
    error::{FeedError, FeedErrorKind, Operation},
};
use crate::content::{Content, ContentType};

/// The header that names the next page. Only its absence ends a listing.
const NEXT_PAGE: &str = "NextPageUri";

/// One page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Its contents, as the feed ordered them.
    pub contents: Vec<Content>,
    /// The next page, if there is one.
    pub next: Option<PageUri>,
    /// The ids of those contents whose `contentCreated` is no time: they got the time that the reader was given.
    pub undated: Vec<String>,
    /// The entries that name no content that could be fetched.
    pub skipped: Vec<Skipped>,
}

/// An element of an answer that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The element as it came.
    pub entry: String,
    /// Why it could not be read, in one short line.
    pub reason: String,
}

/// The reason, with the beginning of the element.
impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, excerpt(&self.entry))
    }
}

/// An entry on the wire.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    content_id: Named,
    content_uri: Named,
    // Whatever these are, the content can be fetched.
    #[serde(default)]
    content_created: Value,
    #[serde(default)]
    content_expiration: Value,
}

/// A text that names something: not an empty one.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Named(String);

impl TryFrom<String> for Named {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim().is_empty() { Err("an empty text where an id or an address belongs") } else { Ok(Self(text)) }
    }
}

/// Reads the page that `asked` answered with `headers` and `body`. A content whose time cannot be read is taken to be
/// published at `undated`.
///
/// # Errors
/// The body is no JSON array, or an error that came with a success status; the next page lies outside the endpoint, or is
/// the same page, which would be asked for without end.
pub fn page(
    content_type: ContentType,
    address: &Address,
    asked: &Target,
    headers: &HeaderMap,
    body: &[u8],
    undated: OffsetDateTime,
) -> Result<Page, FeedError> {
    let operation = Operation::List(content_type);
    let (entries, skipped) = elements::<Entry>(&operation, body)?;
    let mut page = Page { next: next(&operation, address, asked, headers)?, skipped, ..Page::default() };
    for Entry { content_id: Named(id), content_uri: Named(uri), content_created, content_expiration } in entries {
        let created = content_created.as_str().and_then(time_of).unwrap_or_else(|| {
            page.undated.push(id.clone());
            undated
        });
        // Only for show: a content is fetched until the feed says that it has expired.
        let expires = content_expiration.as_str().and_then(time_of);
        page.contents.push(Content { content_type, id, uri, created, expires });
    }
    Ok(page)
}

/// The content that an entry kept as a dead letter stands for, as far as it can be fetched: it needs an address, and the
/// content type where `content_type` (of the listing that it stood in) is not known. An id that is missing is taken from
/// the address, which ends with it (Management Activity API reference, "List available content"); a time that is missing
/// is `undated`.
///
/// # Errors
/// What is missing, for people.
pub fn content_of_entry(
    content_type: Option<ContentType>,
    entry: &str,
    undated: OffsetDateTime,
) -> Result<Content, String> {
    let entry: Value = serde_json::from_str(entry).map_err(|error| format!("it is no JSON: {error}"))?;
    let text = |name: &str| entry[name].as_str().map(str::trim).filter(|text| !text.is_empty());
    let Some(uri) = text("contentUri") else {
        return Err("it has no contentUri, so that there is no address to fetch it from".to_owned());
    };
    let named = || text("contentType").and_then(|name| name.parse().ok());
    let Some(content_type) = content_type.or_else(named) else {
        return Err("it has no contentType that is known".to_owned());
    };
    let path = uri.split(['?', '#']).next().unwrap_or(uri);
    let last = path.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or(uri);
    Ok(Content {
        content_type,
        id: text("contentId").unwrap_or(last).to_owned(),
        uri: uri.to_owned(),
        created: text("contentCreated").and_then(time_of).unwrap_or(undated),
        expires: text("contentExpiration").and_then(time_of),
    })
}

/// Reads a JSON array, each element by itself: those that are no `T` are given back as they came. An error object that
/// came with a success status is read as the error that it is.
pub(super) fn elements<T: DeserializeOwned>(
    operation: &Operation,
    body: &[u8],
) -> Result<(Vec<T>, Vec<Skipped>), FeedError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let raw: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| {
        let text = String::from_utf8_lossy(body);
        let answer = Answer { status: 200, headers: &HeaderMap::new(), body: &text, now: OffsetDateTime::UNIX_EPOCH };
        let said = classify(operation, &answer);
        if said.code().is_some() {
            return said;
        }
        let reason = format!("not a JSON array ({}): {}", excerpt(&error.to_string()), excerpt(&text));
        FeedError::new(FeedErrorKind::Malformed, operation, reason)
    })?;
    let mut skipped = Vec::new();
    let read = raw.into_iter().filter_map(|element| match read_element(element.get()) {
        Ok(element) => Some(element),
        Err(error) => {
            skipped.push(Skipped { entry: element.get().to_owned(), reason: excerpt(&error.to_string()) });
            None
        }
    });
    Ok((read.collect(), skipped))
}

/// Reads an element. Of two members with one name the last counts, as in records; a typed reading would refuse it.
fn read_element<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| {
        let tree = serde_json::from_str(text).map_err(|_| error)?;
        serde_json::from_value::<T>(tree)
    })
}

/// A time of the feed: RFC 3339, or without a zone, as the times in its records are, which is UTC. It is kept in UTC, so
/// that it has one day whatever its offset; one that has no year of our calendar there is no time.
fn time_of(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    let time = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339));
    time.ok()?.checked_to_offset(UtcOffset::UTC).filter(|time| (1..=9999).contains(&time.year()))
}

fn next(
    operation: &Operation,
    address: &Address,
    asked: &Target,
    headers: &HeaderMap,
) -> Result<Option<PageUri>, FeedError> {
    let malformed = |reason: &str| FeedError::new(FeedErrorKind::Malformed, operation, format!("{NEXT_PAGE} {reason}"));
    for value in headers.get_all(NEXT_PAGE) {
        let text = value.to_str().map_err(|_| malformed("is no text"))?.trim();
        if text.is_empty() {
            continue;
        }
        if address.given(operation, text)? == *asked {
            return Err(malformed("names the page that it came with"));
        }
        return Ok(Some(PageUri(text.to_owned())));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;
    use time::macros::datetime;

    use super::*;

    const UNDATED: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

    fn address() -> Address {
        Address::new(&"https://manage.office.com".parse().unwrap(), "t", "p").unwrap()
    }

    fn read(next: Option<&str>, body: &[u8]) -> Result<Page, FeedError> {
        let asked = address().operation("subscriptions/content", &[("contentType", "Audit.SharePoint")]);
        let mut headers = HeaderMap::new();
        if let Some(next) = next {
            headers.insert("nextpageuri", HeaderValue::from_str(next).unwrap());
        }
        page(ContentType::SharePoint, &address(), &asked, &headers, body, UNDATED)
    }

    #[test]
    fn published_pages_are_read() {
        let old = read(None, include_bytes!("../../tests/samples/api/subscriptions_content.json")).unwrap();
        assert_eq!((old.contents.len(), old.next, old.skipped), (1, None, vec![]));
        assert_eq!(old.contents[0].created, datetime!(2015-05-23 17:35:00 UTC));
        assert_eq!(old.contents[0].expires, Some(datetime!(2015-05-30 17:35:00 UTC)));
        assert!(old.contents[0].uri.ends_with("/audit/492638008028$492638008028$f28ab78ad40140608012736e373933ebspo2015043022$4a81a7c326fc4aed89c62e6039ab833b$04"));
        let modern =
            read(None, include_bytes!("../../tests/samples/api/subscriptions_content_modern_id.json")).unwrap();
        assert_eq!(
            modern.contents[0].id,
            "20171014180051748005825$20171014180051748005825$audit_sharepoint$Audit_SharePoint"
        );
        assert_eq!(modern.contents[0].created, datetime!(2017-10-13 18:00:51.748 UTC));
    }

    #[test]
    fn one_bad_entry_harms_only_itself() {
        let good =
            |id: &str| format!(r#"{{"contentId":"{id}","contentUri":"u","contentCreated":"2026-01-01T00:00:00"}}"#);
        let bad = [
            "null",
            "7",
            r#"{"contentId":"x"}"#,
            r#"{"contentId":"","contentUri":"u","contentCreated":"2026-01-01T00:00:00Z"}"#,
            r#"{"contentId":"x","contentUri":" ","contentCreated":"2026-01-01T00:00:00Z"}"#,
        ];
        let body = format!("\u{feff}[{},{},{}]", good("a"), bad.join(","), good("b"));
        let page = read(None, body.as_bytes()).unwrap();
        let ids: Vec<_> = page.contents.iter().map(|content| content.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(page.contents[0].created, datetime!(2026-01-01 00:00:00 UTC));
        assert_eq!(page.contents[0].expires, None);
        let kept: Vec<_> = page.skipped.iter().map(|skipped| skipped.entry.as_str()).collect();
        assert_eq!(kept, bad, "as they came");
        assert!(page.skipped[2].to_string().contains("contentUri"), "{}", page.skipped[2]);
    }

    #[test]
    fn of_two_equal_names_in_an_entry_the_last_counts() {
        let body =
            br#"[{"contentId":"a","contentUri":"u","contentCreated":"x","contentId":"b","contentCreated":null}]"#;
        let page = read(None, body).unwrap();
        assert_eq!((page.contents[0].id.as_str(), page.skipped), ("b", vec![]));
    }

    #[test]
    fn what_people_read_of_a_page_is_short_and_of_one_line() {
        let long = "x".repeat(5000);
        let error = read(None, format!("\"{long}\"").as_bytes()).unwrap_err().to_string();
        assert!(error.len() < 1200, "{} bytes", error.len());
        let page = read(None, format!(r#"["{long}",{{"contentId":"a\nb","contentUri":"u"}}]"#).as_bytes()).unwrap();
        assert!(page.skipped[0].reason.len() < 400, "{} bytes", page.skipped[0].reason.len());
        let fetch = Operation::Fetch { content_type: ContentType::General, id: page.contents[0].id.clone() };
        assert_eq!(fetch.to_string(), "fetching content a b of Audit.General");
    }

    #[test]
    fn a_time_of_publication_is_kept_in_utc() {
        let created = |text: &str| {
            let body = format!(r#"[{{"contentId":"a","contentUri":"u","contentCreated":"{text}"}}]"#);
            read(None, body.as_bytes()).unwrap().contents[0].created
        };
        let shifted = created("2026-01-01T02:00:00+05:00");
        assert_eq!((shifted, shifted.date()), (datetime!(2025-12-31 21:00 UTC), time::macros::date!(2025 - 12 - 31)));
        for text in ["9999-12-31T23:59:59-23:59", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01"] {
            assert_eq!(created(text), UNDATED, "{text} has no form in UTC");
        }
    }

    #[test]
    fn a_content_is_listed_whatever_its_times_are() {
        for times in [
            r#""contentCreated":"11/22/2026 19:00:00""#,
            r#""contentCreated":1763838000,"contentExpiration":{}"#,
            r#""contentCreated":null"#,
            r#""contentExpiration":"soon""#,
        ] {
            let page = read(None, format!(r#"[{{"contentId":"y","contentUri":"u",{times}}}]"#).as_bytes()).unwrap();
            assert_eq!((page.contents.len(), page.skipped.len()), (1, 0), "{times}");
            assert_eq!((page.contents[0].created, page.contents[0].expires), (UNDATED, None));
            assert_eq!(page.undated, ["y"]);
        }
    }

    #[test]
    fn an_entry_with_an_address_can_be_fetched_whatever_else_it_lacks() {
        let read = |content_type, entry: &str| content_of_entry(content_type, entry, UNDATED);
        let general = Some(ContentType::General);
        let content = read(general, r#"{"contentUri":"https://h/audit/a$b?x=/y"}"#).unwrap();
        assert_eq!((content.content_type, content.id.as_str()), (ContentType::General, "a$b"));
        assert_eq!((content.uri.as_str(), content.created), ("https://h/audit/a$b?x=/y", UNDATED));
        let entry = r#"{"contentUri":"u/","contentType":"Audit.Exchange","contentId":7,"contentCreated":"2026-01-02T00:00:00"}"#;
        let content = read(None, entry).unwrap();
        assert_eq!((content.content_type, content.id.as_str()), (ContentType::Exchange, "u/"));
        assert_eq!(content.created, datetime!(2026-01-02 00:00 UTC));
        for (entry, lacks) in [
            (r#"{"contentId":"a"}"#, "no contentUri"),
            (r#"{"contentUri":" "}"#, "no contentUri"),
            ("null", "no contentUri"),
            ("{", "no JSON"),
        ] {
            assert!(read(general, entry).unwrap_err().contains(lacks), "{entry}");
        }
        assert!(read(None, r#"{"contentUri":"u"}"#).unwrap_err().contains("contentType"));
    }

    #[test]
    fn what_is_no_page_is_malformed() {
        for body in ["", "[", "null", "{}", "<html>", r#"[{"contentId":"a""#] {
            let error = read(None, body.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), FeedErrorKind::Malformed, "{body}");
            assert!(error.is_retryable());
        }
        assert_eq!(read(None, b"[]").unwrap(), Page::default());
    }

    #[test]
    fn an_error_with_a_success_status_is_an_error() {
        let error = read(None, include_bytes!("../../tests/samples/api/error_AF429_http403.json")).unwrap_err();
        assert!(error.is_throttled());
    }

    #[test]
    fn the_next_page_is_checked_before_it_is_believed() {
        let root = "https://manage.office.com/api/v1/t/activity/feed/subscriptions/content";
        let next = format!("{root}?contentType=Audit.SharePoint&nextPage=2");
        assert_eq!(read(Some(&format!(" {next} ")), b"[]").unwrap().next, Some(PageUri(next)));
        assert_eq!(read(Some("  "), b"[]").unwrap().next, None);
        let foreign = read(Some("https://example.net/?nextPage=2"), b"[]").unwrap_err();
        assert_eq!(foreign.kind(), FeedErrorKind::ForeignAddress);
        let same =
            "https://manage.office.com/api/v1.0/t/activity/feed/subscriptions/content?contentType=Audit.SharePoint";
        assert_eq!(read(Some(same), b"[]").unwrap_err().kind(), FeedErrorKind::Malformed);
    }

    proptest! {
        #[test]
        fn every_entry_is_listed_or_told(entries in prop::collection::vec((any::<bool>(), any::<bool>()), 0..40)) {
            let entry = |(index, (named, dated)): (usize, &(bool, bool))| {
                let (id, created) = (if *named { "contentId" } else { "id" }, if *dated { "2026-01-01T00:00:00.123Z" } else { "never" });
                format!(r#"{{"{id}":"{index}","contentUri":"u","contentCreated":"{created}"}}"#)
            };
            let body: Vec<_> = entries.iter().enumerate().map(entry).collect();
            let page = read(None, format!("[{}]", body.join(",")).as_bytes()).unwrap();
            prop_assert_eq!(page.contents.len(), entries.iter().filter(|(named, _)| *named).count());
            prop_assert_eq!(page.undated.len(), entries.iter().filter(|(named, dated)| *named && !*dated).count());
            prop_assert_eq!(page.contents.len() + page.skipped.len(), entries.len());
        }
    }
}
