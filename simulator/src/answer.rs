//! Answers: JSON, the feed's errors, the ingestion endpoint's errors.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// An error of the Management Activity API: its code decides, the status is what others have seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: String,
    pub message: String,
}

impl Refusal {
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// The HTTP status that goes with the code, as far as it is known; 400 otherwise.
    pub fn status(&self) -> StatusCode {
        match self.code.as_str() {
            "AF10001" => StatusCode::UNAUTHORIZED,
            // The troubleshooting page shows the throttling error with 403.
            "AF429" => StatusCode::FORBIDDEN,
            code if code.starts_with("AF5") => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The body. The troubleshooting page prints AF429 in single quotes, which is no JSON, and so does this.
    pub fn body(&self) -> String {
        if self.code == "AF429" {
            return format!("{{'error':{{'code':'{}','message':'{}'}}}}", self.code, self.message);
        }
        json!({"error": {"code": self.code, "message": self.message}}).to_string()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        text(self.status(), self.body())
    }
}

/// An answer of JSON text.
pub(crate) fn text(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// An answer of a JSON value.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    text(status, body.to_string())
}

/// An error of the form that Azure Monitor and Graph share.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    json(status, &json!({"error": {"code": code, "message": message}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_is_403_and_no_json() {
        let refusal = Refusal::new("AF429", "Too many requests.");
        assert_eq!(refusal.status(), StatusCode::FORBIDDEN);
        assert!(serde_json::from_str::<Value>(&refusal.body()).is_err());
        assert!(refusal.body().contains("'AF429'"));
    }

    #[test]
    fn other_codes_are_json() {
        let refusal = Refusal::new("AF50000", "Retry \"it\".");
        assert_eq!(refusal.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(serde_json::from_str::<Value>(&refusal.body()).unwrap()["error"]["code"], "AF50000");
        assert_eq!(Refusal::new("AF20022", "").status(), StatusCode::BAD_REQUEST);
    }
}
