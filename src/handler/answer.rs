//! What the host is answered. Every answer is a JSON object: the host hangs on a 2xx without one.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{FLEET_PULL, FLEET_TIMER, FUNCTION, HTTP_BINDING, STATUS_FUNCTION};

/// What the caller of an HTTP function is answered.
pub(super) struct HttpAnswer<'a> {
    pub status: u16,
    pub headers: &'a [(&'static str, &'a str)],
    pub body: &'a str,
}

/// A status and its JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    status: StatusCode,
    body: String,
}

impl Answer {
    /// The process is up.
    pub(super) fn ready() -> Self {
        Self { status: StatusCode::OK, body: json!({"ready": true}).to_string() }
    }

    /// A run that did not fail; the host logs `lines`.
    pub(super) fn done(lines: Vec<String>) -> Self {
        let body = format!(r#"{{"Outputs":{{}},"Logs":{},"ReturnValue":null}}"#, Value::from(lines));
        Self { status: StatusCode::OK, body }
    }

    /// An HTTP function's answer to its caller, within the host's own form. The body is given as a text: the host would
    /// write an object anew.
    pub(super) fn http(answer: &HttpAnswer<'_>) -> Self {
        let headers: serde_json::Map<_, _> =
            answer.headers.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        let response = json!({"statusCode": answer.status, "headers": headers, "body": answer.body});
        let body = json!({"Outputs": {(HTTP_BINDING): response}, "Logs": [], "ReturnValue": null});
        Self { status: StatusCode::OK, body: body.to_string() }
    }

    /// A run that failed. The host drops the body; it is there for whoever asks without a host.
    pub(super) fn failed(reason: &str) -> Self {
        Self::refused(StatusCode::INTERNAL_SERVER_ERROR, reason)
    }

    /// No run is begun any more.
    pub(super) fn stopping() -> Self {
        Self::refused(StatusCode::SERVICE_UNAVAILABLE, "the process is stopping and begins no run")
    }

    /// The path is of no function.
    pub(super) fn unknown_function() -> Self {
        Self::refused(
            StatusCode::NOT_FOUND,
            &format!(
                "no such function; there are POST /{FUNCTION} (for many tenants /{FLEET_TIMER} and /{FLEET_PULL}) and POST \
                 /{STATUS_FUNCTION}"
            ),
        )
    }

    /// The path is known, the method is not.
    pub(super) fn wrong_method() -> Self {
        let reason = format!("wrong method; there are GET /, POST /{FUNCTION} and POST /{STATUS_FUNCTION}");
        Self::refused(StatusCode::METHOD_NOT_ALLOWED, &reason)
    }

    /// The body has more than `limit` bytes.
    pub(super) fn too_large(limit: usize) -> Self {
        Self::refused(StatusCode::PAYLOAD_TOO_LARGE, &format!("the body has more than {limit} bytes"))
    }

    /// The body broke off.
    pub(super) fn broken() -> Self {
        Self::refused(StatusCode::BAD_REQUEST, "the body broke off or is not HTTP")
    }

    fn refused(status: StatusCode, reason: &str) -> Self {
        Self { status, body: json!({"error": reason}).to_string() }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        (self.status, [(header::CONTENT_TYPE, json)], self.body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_done_run_has_the_hosts_form() {
        let answer = Answer::done(vec!["2 rows \"sent\"".to_owned()]);
        assert_eq!(answer.body, r#"{"Outputs":{},"Logs":["2 rows \"sent\""],"ReturnValue":null}"#);
        assert_eq!(Answer::done(Vec::new()).body, r#"{"Outputs":{},"Logs":[],"ReturnValue":null}"#);
    }

    proptest! {
        #[test]
        fn any_text_is_carried_in_a_json_object(text in any::<String>()) {
            let read = |answer: &Answer| serde_json::from_str::<Value>(&answer.body).unwrap();
            let done = Answer::done(vec![text.clone()]);
            prop_assert_eq!(read(&done), json!({"Outputs": {}, "Logs": [&text], "ReturnValue": null}));
            let failed = Answer::failed(&text);
            prop_assert_eq!(read(&failed), json!({"error": text}));
            prop_assert!(failed.status.is_server_error());
        }
    }
}
