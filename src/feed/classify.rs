//! What an error answer of the feed means: a pure reading of status, headers and body.
//!
//! The code in the body decides, not the status: the service answers 403 to too many requests and 400 to a
//! subscription that runs already.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;
use time::OffsetDateTime;

use super::error::{FeedError, FeedErrorKind, Operation};
use crate::retry::retry_after;

/// How much of the service's text an error shows, in characters.
const EXCERPT: usize = 300;

/// What the service answered. Services echo what they were sent: [`FeedError::without`] takes the token out again.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers, of which only `Retry-After` is read.
    pub headers: &'a HeaderMap,
    /// The whole body, or its beginning.
    pub body: &'a str,
    /// When it arrived, for a `Retry-After` that is a date.
    pub now: OffsetDateTime,
}

/// Reads an error answer. An unknown code is a refusal of this one request below status 500 and a failure of the
/// service from there on.
#[must_use]
pub fn classify(operation: &Operation, answer: &Answer<'_>) -> FeedError {
    let said = Said::read(answer.body);
    let kind = kind(operation, answer, &said);
    FeedError::new(kind, operation, said.message).answered(answer.status, said.code)
}

fn kind(operation: &Operation, answer: &Answer<'_>, said: &Said) -> FeedErrorKind {
    use FeedErrorKind as Kind;
    // "Tenant <guid> does not exist" comes with changing codes and means that auditing is off (troubleshooting page).
    if names_unknown_tenant(&said.message) {
        return Kind::AuditingOff;
    }
    // The feed's documentation does not promise the header.
    let retry_after = || retry_after(answer.headers, answer.now).or_else(|| spoken_wait(&said.message));
    match (said.code.as_deref(), answer.status) {
        // Seen as HTTP 403 with code "429": "Too many frequent subscription start requests".
        (Some("429"), _) | (None, 429) if matches!(operation, Operation::Start(_)) => {
            Kind::StartThrottled { retry_after: retry_after() }
        }
        (Some("AF429" | "429"), _) => Kind::Throttled { retry_after: retry_after() },
        (Some("AF10001"), _) => Kind::NotPermitted,
        (Some("AF20010" | "AF20011" | "AF20012" | "AF20013"), _) => Kind::Misconfigured,
        (Some("AF20022"), _) => Kind::NoSubscription,
        (Some("AF20023"), _) => Kind::SubscriptionDisabled,
        (Some("AF20024"), _) => Kind::AlreadyEnabled,
        (Some("AF20030" | "AF20055"), _) => Kind::BadWindow,
        (Some("AF20031"), _) => Kind::StalePage,
        (Some("AF20050" | "AF20051" | "AF20052"), _) => Kind::ContentGone,
        (Some(code), _) if code.len() == 7 && code.starts_with("AF5") => Kind::Server { retry_after: retry_after() },
        (_, 401) => Kind::Unauthorized,
        (_, 429) => Kind::Throttled { retry_after: retry_after() },
        (_, 408 | 500..) => Kind::Server { retry_after: retry_after() },
        _ => Kind::Refused,
    }
}

/// What the body of an error says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    code: Option<String>,
    message: String,
}

impl Said {
    /// Takes `{"error":{"code","message"}}`. A body that is no such JSON (the service prints some with single
    /// quotes, and proxies print HTML) is its own message, with the first AF code in it.
    fn read(body: &str) -> Self {
        let json = serde_json::from_str::<Value>(body).unwrap_or_default();
        let error = &json["error"];
        let text = |value: &Value| match value {
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let message = [&error["message"], &json["message"], &json["Message"]].into_iter().find_map(text);
        let message = message.as_deref().unwrap_or(body);
        let code = match text(&error["code"]) {
            Some(code) if code == "429" || is_af_code(&code) => Some(code),
            other => first_af_code(body).map(str::to_owned).or(other),
        };
        Self { code: code.map(|code| excerpt(&code)), message: excerpt(message) }
    }
}

fn is_af_code(text: &str) -> bool {
    // 3 digits in AF429, 5 in all others.
    text.strip_prefix("AF")
        .is_some_and(|digits| matches!(digits.len(), 3..=5) && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// The first code like `AF20022` in a text. Groups of a GUID do not count.
fn first_af_code(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').find(|word| is_af_code(word))
}

/// Whether the text has "Tenant <id> does not exist" in it.
fn names_unknown_tenant(text: &str) -> bool {
    let words: Vec<_> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
    words.windows(5).any(|w| w[0].ends_with("tenant") && w[2] == "does" && w[3] == "not" && w[4].starts_with("exist"))
}

/// One line of at most [`EXCERPT`] characters.
pub(super) fn excerpt(text: &str) -> String {
    let words: Vec<_> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// The wait in "Please retry again after 14m 56s".
fn spoken_wait(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    let (_, wait) = message.split_once("retry again after")?;
    let parts = wait.split_whitespace().map_while(|part| {
        let part = part.trim_end_matches(['.', ',']);
        let seconds_in_one = match part.chars().last()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        part[..part.len() - 1].parse::<u32>().ok().map(|number| u64::from(number) * seconds_in_one)
    });
    let seconds: Vec<_> = parts.collect();
    (!seconds.is_empty()).then(|| Duration::from_secs(seconds.iter().sum()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::{HeaderValue, RETRY_AFTER};
    use time::macros::datetime;

    use super::*;
    use crate::content::ContentType;

    const NOW: OffsetDateTime = datetime!(2026-08-20 12:00:00 UTC);
    const LIST: Operation = Operation::List(ContentType::General);
    const START: Operation = Operation::Start(ContentType::General);

    fn read(operation: &Operation, status: u16, body: &str) -> FeedError {
        classify(operation, &Answer { status, headers: &HeaderMap::new(), body, now: NOW })
    }

    fn coded(status: u16, code: &str) -> FeedErrorKind {
        read(&LIST, status, &format!(r#"{{"error":{{"code":"{code}","message":"It says why."}}}}"#)).kind()
    }

    #[test]
    fn the_code_decides_whatever_the_status() {
        use FeedErrorKind as Kind;
        let (throttled, server) = (Kind::Throttled { retry_after: None }, Kind::Server { retry_after: None });
        let table = [
            ("AF429", throttled),
            ("AF10001", Kind::NotPermitted),
            ("AF20010", Kind::Misconfigured),
            ("AF20011", Kind::Misconfigured),
            ("AF20012", Kind::Misconfigured),
            ("AF20013", Kind::Misconfigured),
            ("AF20022", Kind::NoSubscription),
            ("AF20023", Kind::SubscriptionDisabled),
            ("AF20024", Kind::AlreadyEnabled),
            ("AF20030", Kind::BadWindow),
            ("AF20055", Kind::BadWindow),
            ("AF20031", Kind::StalePage),
            ("AF20050", Kind::ContentGone),
            ("AF20051", Kind::ContentGone),
            ("AF20052", Kind::ContentGone),
            ("AF50000", server),
            ("AF50005", server),
            ("AF50006", server),
        ];
        for (code, kind) in table {
            for status in [200, 400, 401, 403, 404, 500] {
                assert_eq!(coded(status, code), kind, "{code} with {status}");
            }
        }
    }

    #[test]
    fn without_a_known_code_the_status_decides() {
        use FeedErrorKind as Kind;
        let (throttled, server) = (Kind::Throttled { retry_after: None }, Kind::Server { retry_after: None });
        for (status, kind) in [
            (302, Kind::Refused),
            (400, Kind::Refused),
            (401, Kind::Unauthorized),
            (403, Kind::Refused),
            (404, Kind::Refused),
            (408, server),
            (429, throttled),
            (500, server),
            (503, server),
        ] {
            assert_eq!(coded(status, "AF20001"), kind, "unknown code with {status}");
            for body in ["", "[]", "<html>Bad gateway</html>", r#"{"error":"x"}"#, r#"{"error":{"code":null}}"#] {
                assert_eq!(read(&LIST, status, body).kind(), kind, "{body:?} with {status}");
            }
        }
    }

    #[test]
    fn published_answers_are_understood() {
        let throttled = read(&LIST, 403, include_str!("../../tests/samples/api/error_AF429_http403.json"));
        assert!(throttled.is_throttled() && throttled.is_retryable());
        assert_eq!((throttled.code(), throttled.status()), (Some("AF429"), Some(403)));
        assert!(throttled.to_string().contains("PublisherId=00000000-0000-0000-0000-000000000000"));
        let failed = read(&LIST, 500, include_str!("../../tests/samples/api/error_AF50000.json"));
        assert_eq!(failed.kind(), FeedErrorKind::Server { retry_after: None });
    }

    #[test]
    fn a_body_in_single_quotes_is_understood() {
        let error = read(&LIST, 403, "{'error':{'code':'AF429','message':'Too many requests. Method=GetBlob'}}");
        assert!(error.is_throttled());
        assert_eq!(error.code(), Some("AF429"));
    }

    #[test]
    fn a_throttled_start_concerns_starts_alone() {
        let body = r#"{"error":{"code":"429","message":"Too many frequent subscription start requests. Please retry again after 14m 56s"}}"#;
        let wait = Some(Duration::from_secs(14 * 60 + 56));
        assert_eq!(read(&START, 403, body).kind(), FeedErrorKind::StartThrottled { retry_after: wait });
        assert_eq!(read(&START, 429, "").kind(), FeedErrorKind::StartThrottled { retry_after: None });
        assert!(!read(&START, 403, body).is_throttled());
        assert!(read(&START, 403, &body.replace("429", "AF429")).is_throttled());
        assert_eq!(read(&LIST, 403, body).kind(), FeedErrorKind::Throttled { retry_after: wait });
        let as_number = r#"{"error":{"code":429,"message":""}}"#;
        assert_eq!(read(&START, 403, as_number).kind(), FeedErrorKind::StartThrottled { retry_after: None });
    }

    #[test]
    fn spoken_waits_are_read() {
        let minutes = |m: u64, s: u64| Some(Duration::from_secs(m * 60 + s));
        for (text, wait) in [
            ("Please retry again after 14m 56s", minutes(14, 56)),
            ("retry again after 8m 46s.", minutes(8, 46)),
            ("Retry again after 59s, please", minutes(0, 59)),
            ("retry again after 1h 0m 5s", minutes(60, 5)),
            ("retry again after a while", None),
            ("retry again after é", None),
            ("Please retry the request again in an hour.", None),
            ("", None),
        ] {
            assert_eq!(spoken_wait(text), wait, "{text}");
        }
    }

    #[test]
    fn auditing_that_is_off_is_told_from_a_wrong_tenant() {
        let off = "Microsoft.Office.Compliance.Audit.DataServiceException: Tenant 11111111-1111-4111-8111-111111111111 \
                   does not exist.";
        assert_eq!(read(&LIST, 400, off).kind(), FeedErrorKind::AuditingOff);
        let coded = format!(r#"{{"error":{{"code":"AF20001","message":"{off}"}}}}"#);
        assert_eq!(read(&LIST, 500, &coded).kind(), FeedErrorKind::AuditingOff);
        let wrong = r#"{"error":{"code":"AF20011","message":"The tenant ID passed in the URL (x) does not exist in the system."}}"#;
        assert_eq!(read(&LIST, 400, wrong).kind(), FeedErrorKind::Misconfigured);
        let gone = r#"{"error":{"code":"AF20050","message":"The specified content (x) does not exist."}}"#;
        assert_eq!(read(&LIST, 400, gone).kind(), FeedErrorKind::ContentGone);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (value, wait) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Thu, 20 Aug 2026 12:01:30 GMT", Some(90)),
            ("Thu, 20 Aug 2026 11:00:00 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            let error = classify(&LIST, &Answer { status: 429, headers: &headers, body: "", now: NOW });
            assert_eq!(error.retry_after(), wait.map(Duration::from_secs), "{value:?}");
        }
    }

    #[test]
    fn a_guid_is_no_code() {
        assert_eq!(first_af_code("tenant 0AF20022-AF429-4AF4-AF42-00AF20023000 (AF20024)"), Some("AF20024"));
        assert_eq!(first_af_code("AF20-AF200222 SAFE AF"), None);
    }

    proptest! {
        #[test]
        fn any_answer_has_a_meaning(status in 100_u16..600, body in ".{0,400}") {
            let error = read(&LIST, status, &body);
            prop_assert_eq!(error.status(), Some(status));
            prop_assert!(error.to_string().lines().count() <= 1);
        }

        #[test]
        fn excerpts_are_one_short_line(text in any::<String>()) {
            let line = excerpt(&text);
            prop_assert!(line.chars().count() <= EXCERPT + 1);
            prop_assert!(!line.chars().any(char::is_control));
        }

        #[test]
        fn a_code_is_found_in_any_wrapping(digits in 10_000_u32..100_000, before in "[^A-Za-z0-9-]{0,9}", after in "[^A-Za-z0-9-]{0,9}") {
            let text = format!("{before}AF{digits}{after}");
            prop_assert_eq!(first_af_code(&text).map(str::to_owned), Some(format!("AF{digits}")));
        }
    }
}
