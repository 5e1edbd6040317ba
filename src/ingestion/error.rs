//! What can go wrong with a POST, in classes that say what to do: retry, split, or end the run.

use std::{fmt, time::Duration};

use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use uuid::Uuid;

use super::plan::REFUSALS_AT_MOST;
use crate::identity::{IdentityError, Token};

/// Characters of an answer's body that errors show.
const EXCERPT_CHARS: usize = 300;

/// What the endpoint answered, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `x-ms-client-request-id` of the POST: `DCRLogErrors.ClientRequestId`, where diagnostics are on.
    pub request: Uuid,
    /// The error code and message in the body, or how the body begins; at most some 300 characters.
    pub said: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = if self.said.is_empty() { "no reason given" } else { &self.said };
        write!(f, "HTTP {}, {said}; client request id {}", self.status, self.request)
    }
}

/// Why a delivery was broken off although nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// The run was told to stop.
    Stop,
    /// The deadline came, or the next try would have been after it.
    Deadline,
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "the run is told to stop",
            Self::Deadline => "the time of the run is up",
        })
    }
}

/// Why rows were not accepted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IngestionError {
    /// A setting of the endpoint cannot be used; nothing was sent.
    #[error("{name}: {reason}")]
    Setting {
        /// The name of the setting.
        name: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// There is no token to send the rows with.
    #[error("rows cannot be sent: {0}")]
    NoToken(#[from] IdentityError),
    /// 401: the token is not accepted.
    #[error(
        "the data collection endpoint does not accept the token ({0}). Check that M365_CLOUD is the cloud of \
         DATA_COLLECTION_ENDPOINT, and that AZURE_CLIENT_ID, if set, is an identity of its tenant"
    )]
    Unauthorized(Answer),
    /// 403: the identity may not send to the data collection rule.
    #[error(
        "the identity may not send to the data collection rule ({0}). Grant it the role Monitoring Metrics Publisher \
         on the data collection rule that LOGS_DCR_RULE_ID names; a grant takes up to 30 minutes to work"
    )]
    Forbidden(Answer),
    /// 404, or a stream that the data collection rule does not declare.
    #[error(
        "the data collection rule or its stream is not found ({0}). Check DATA_COLLECTION_ENDPOINT (the rule's \
         logsIngestion endpoint), LOGS_DCR_RULE_ID (its immutable id, dcr-...) and LOGS_DCR_STREAM_NAME"
    )]
    NotFound(Answer),
    /// 413: the rows are too many bytes for one POST.
    #[error("too many bytes for one POST ({0})")]
    TooLarge(Answer),
    /// 400: there is something wrong with the rows, or with one of them.
    #[error("the data collection rule does not take the rows ({0})")]
    BadRequest(Answer),
    /// 400 to one row after the other and nothing accepted: it is not the rows.
    #[error(
        "{rows} rows sent by themselves were all refused, and none was accepted; the last refusal: {reason}. The rows are \
         hardly to blame, so none is set aside. Check that the stream that LOGS_DCR_STREAM_NAME names declares the \
         columns of this version and that the table has them, and deploy the data collection rule and the table again if \
         not"
    )]
    EveryRowRefused {
        /// How many rows were refused by themselves.
        rows: usize,
        /// The last refusal.
        reason: String,
    },
    /// So many POSTs of one batch were refused that the rest of its rows is left.
    #[error(
        "{REFUSALS_AT_MOST} POSTs of one batch were refused; the bad rows that were found are set aside, and the rest of \
         the batch is left for the next run"
    )]
    ManyRefused,
    /// 429: the data collection rule takes no more for now.
    #[error("the data collection rule takes no more for now ({answer})")]
    Throttled {
        /// What was answered.
        answer: Answer,
        /// `Retry-After`, where there was one.
        retry_after: Option<Duration>,
    },
    /// 5xx or 408: the service fails.
    #[error("the data collection endpoint fails ({answer})")]
    Server {
        /// What was answered.
        answer: Answer,
        /// `Retry-After`, where there was one.
        retry_after: Option<Duration>,
    },
    /// Another status: what answers is no Logs Ingestion API.
    #[error(
        "the answer is none of the Logs Ingestion API ({0}); redirects are not followed. Check that \
         DATA_COLLECTION_ENDPOINT is the logsIngestion endpoint of the data collection rule"
    )]
    Unexpected(Answer),
    /// There was no answer.
    #[error("no answer from DATA_COLLECTION_ENDPOINT: {reason}")]
    Transport {
        /// What the connection failed with.
        reason: String,
        /// Whether the rows may have arrived all the same: sending them again may double them.
        maybe_sent: bool,
    },
    /// The rows could not be compressed; nothing was sent.
    #[error("the rows could not be compressed: {0}")]
    Gzip(String),
    /// The delivery was broken off; the rest is for a later run.
    #[error("rows are left for a later run, because {why}{}", after(last.as_deref()))]
    Interrupted {
        /// Why it was broken off.
        why: Interruption,
        /// The failure that was being waited for.
        last: Option<Box<Self>>,
        /// Whether a POST was given up that may have arrived: sending its rows again may double them.
        maybe_sent: bool,
    },
}

fn after(last: Option<&IngestionError>) -> String {
    last.map_or_else(String::new, |last| format!("; before that: {last}"))
}

impl IngestionError {
    /// Whether the same POST may well succeed after a pause.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Server { .. } | Self::Transport { .. })
    }

    /// How long the service asks to wait, if it does.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether other batches would fare no better, so that the run is to send nothing more. A failing server or
    /// connection says nothing of the next batch.
    #[must_use]
    pub const fn ends_the_run(&self) -> bool {
        !matches!(
            self,
            Self::TooLarge(_)
                | Self::BadRequest(_)
                | Self::EveryRowRefused { .. }
                | Self::ManyRefused
                | Self::Server { .. }
                | Self::Transport { .. }
        )
    }

    /// Whether nothing failed for good: the run ended first, and is not done.
    #[must_use]
    pub const fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted { .. })
    }

    /// The failure of the endpoint or of the connection that a delivery was trying to outlast when it was broken off.
    /// Throttling is none.
    #[must_use]
    pub fn outlasted_by(&self) -> Option<&Self> {
        match self {
            Self::Interrupted { last: Some(last), .. } => {
                Some(&**last).filter(|last| matches!(last, Self::Server { .. } | Self::Transport { .. }))
            }
            _ => None,
        }
    }

    /// Whether rows may have arrived although this came back in place of an answer.
    #[must_use]
    pub const fn maybe_sent(&self) -> bool {
        matches!(self, Self::Transport { maybe_sent: true, .. } | Self::Interrupted { maybe_sent: true, .. })
    }
}

/// Tells an answer that is not 2xx by its class. `body` is the beginning of the answer's body, `request` the
/// `x-ms-client-request-id` of the POST, and `token` what it was sent with: some gateways quote it, and the error does not.
#[must_use]
pub fn classify(status: StatusCode, headers: &HeaderMap, body: &[u8], request: Uuid, token: &Token) -> IngestionError {
    let (code, said) = read_body(body);
    let answer = Answer { status: status.as_u16(), request, said: token.hide(&said) };
    match status {
        // The name of the stream is part of the URL: no row is to blame.
        StatusCode::BAD_REQUEST if code == "InvalidStream" => IngestionError::NotFound(answer),
        StatusCode::BAD_REQUEST => IngestionError::BadRequest(answer),
        StatusCode::UNAUTHORIZED => IngestionError::Unauthorized(answer),
        StatusCode::FORBIDDEN => IngestionError::Forbidden(answer),
        StatusCode::NOT_FOUND => IngestionError::NotFound(answer),
        StatusCode::PAYLOAD_TOO_LARGE => IngestionError::TooLarge(answer),
        StatusCode::TOO_MANY_REQUESTS => IngestionError::Throttled { answer, retry_after: retry_after(headers) },
        StatusCode::REQUEST_TIMEOUT => IngestionError::Server { answer, retry_after: retry_after(headers) },
        _ if status.is_server_error() => IngestionError::Server { answer, retry_after: retry_after(headers) },
        _ => IngestionError::Unexpected(answer),
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3), which is counted from the answer's own `Date`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let date = |text| OffsetDateTime::parse(text, &Rfc2822).ok();
    let value = text(RETRY_AFTER)?;
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => (date(value)? - date(text(DATE)?)?).try_into().ok(),
    }
}

/// The error code, and what people are shown of the body.
fn read_body(body: &[u8]) -> (String, String) {
    #[derive(Deserialize)]
    struct Body {
        error: Error,
    }
    #[derive(Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Error {
        code: String,
        message: String,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body { error }) => {
            let said = if error.message.is_empty() || error.code.is_empty() {
                format!("{}{}", error.code, error.message)
            } else {
                format!("{}: {}", error.code, error.message)
            };
            (error.code, excerpt(&said))
        }
        Err(_) => (String::new(), excerpt(&String::from_utf8_lossy(body))),
    }
}

/// One short line of `text`.
fn excerpt(text: &str) -> String {
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const REQUEST: Uuid = Uuid::from_u128(7);

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn token() -> Token {
        Token::new("sent", 1)
    }

    fn class(status: u16) -> IngestionError {
        classify(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), b"", REQUEST, &token())
    }

    #[test]
    fn statuses_have_their_class() {
        assert!(matches!(class(400), IngestionError::BadRequest(_)));
        assert!(matches!(class(401), IngestionError::Unauthorized(_)));
        assert!(matches!(class(403), IngestionError::Forbidden(_)));
        assert!(matches!(class(404), IngestionError::NotFound(_)));
        assert!(matches!(class(413), IngestionError::TooLarge(_)));
        assert!(matches!(class(429), IngestionError::Throttled { .. }));
        for status in [408, 500, 502, 503, 504] {
            assert!(matches!(class(status), IngestionError::Server { .. }), "{status}");
        }
        for status in [301, 307, 405, 415, 418] {
            assert!(matches!(class(status), IngestionError::Unexpected(_)), "{status}");
        }
    }

    #[test]
    fn classes_say_what_to_do() {
        let told = |status| (class(status).is_retryable(), class(status).ends_the_run());
        assert_eq!([400, 413].map(told), [(false, false); 2]);
        assert_eq!([401, 403, 404, 307].map(told), [(false, true); 4]);
        assert_eq!([408, 500, 503].map(told), [(true, false); 3]);
        assert_eq!(told(429), (true, true));
    }

    #[test]
    fn an_undeclared_stream_is_no_matter_of_the_rows() {
        let body = br#"{"error":{"code":"InvalidStream","message":"Custom-X was not found."}}"#;
        let error = classify(StatusCode::BAD_REQUEST, &HeaderMap::new(), body, REQUEST, &token());
        assert!(matches!(&error, IngestionError::NotFound(answer) if answer.status == 400));
        assert!(error.to_string().contains("LOGS_DCR_STREAM_NAME"), "{error}");
    }

    #[test]
    fn people_read_what_the_service_said_and_what_to_do() {
        let body = br#"{"error":{"code":"OperationFailed","message":"The token does not\r\nhave access."}}"#;
        let text = classify(StatusCode::FORBIDDEN, &HeaderMap::new(), body, REQUEST, &token()).to_string();
        for part in [
            "HTTP 403, OperationFailed: The token does not have access.;",
            "00000000-0000-0000-0000-000000000007",
            "Monitoring Metrics Publisher",
            "LOGS_DCR_RULE_ID",
            "30 minutes",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(class(403).to_string().contains("HTTP 403, no reason given;"));
    }

    #[test]
    fn a_body_of_any_kind_makes_one_short_line() {
        let said = |body: &[u8]| read_body(body).1;
        assert_eq!(said(b"<html>\n\t<b>Bad\x00 gateway</b>"), "<html> <b>Bad gateway</b>");
        assert_eq!(said(br#"{"error":{"message":"only"}}"#), "only");
        assert_eq!(said(br#"{"error":{"code":"Only"}}"#), "Only");
        assert_eq!(said(br#"{"error":"text"}"#), r#"{"error":"text"}"#);
        assert_eq!(said("é".repeat(1000).as_bytes()), format!("{}...", "é".repeat(EXCERPT_CHARS)));
        assert_eq!(said(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let asked = |pairs: &[_]| {
            classify(StatusCode::TOO_MANY_REQUESTS, &headers(pairs), b"", REQUEST, &token())
                .retry_after()
                .map(|d| d.as_secs())
        };
        assert_eq!(asked(&[(RETRY_AFTER, " 17 ")]), Some(17));
        let date = (DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(asked(&[(RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT"), date.clone()]), Some(60));
        assert_eq!(asked(&[(RETRY_AFTER, "Sun, 06 Nov 1994 08:48:37 GMT"), date.clone()]), None);
        assert_eq!(asked(&[(RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT")]), None);
        assert_eq!(asked(&[(RETRY_AFTER, "-1"), date.clone()]), None);
        assert_eq!(asked(&[(RETRY_AFTER, "soon"), date]), None);
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn an_interruption_says_what_was_waited_for() {
        let error = |last| IngestionError::Interrupted { why: Interruption::Deadline, last, maybe_sent: false };
        assert_eq!(error(None).to_string(), "rows are left for a later run, because the time of the run is up");
        let after = error(Some(Box::new(class(429)))).to_string();
        assert!(after.contains("is up; before that: the data collection rule takes no more for now (HTTP 429"));
        assert!(error(None).is_interruption() && error(None).ends_the_run() && !error(None).is_retryable());
        assert!(error(None).outlasted_by().is_none() && class(503).outlasted_by().is_none());
        let outlasted = |status| error(Some(Box::new(class(status)))).outlasted_by().is_some();
        assert_eq!([429, 500, 503].map(outlasted), [false, true, true]);
    }
}
