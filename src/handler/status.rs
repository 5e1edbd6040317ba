//! The `Status` function as the host asks it: the caller's request as JSON within the host's own, as `host.json` does not
//! have requests forwarded. Its URL and headers hold the caller's key: nothing of them is logged or repeated.

use serde_json::Value;

use super::{
    Standing,
    answer::{Answer, HttpAnswer},
};
use crate::health::SECURITY_POLICY;

/// What the caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// JSON, the default.
    Json,
    /// A page for a browser.
    Page,
    /// Another method than GET: there is nothing to change here.
    OtherMethod,
}

impl Wanted {
    /// What the host's `body` asks for. A body that cannot be read asks for JSON.
    pub(super) fn parse(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let request = &body["Data"]["req"];
        if request["Method"].as_str().is_some_and(|method| !method.eq_ignore_ascii_case("GET")) {
            return Self::OtherMethod;
        }
        let accept = request["Headers"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.eq_ignore_ascii_case("accept"))
            .flat_map(|(_, values)| values.as_array().into_iter().flatten().chain(values.is_string().then_some(values)))
            .filter_map(Value::as_str);
        let (mut html, mut json) = (0.0, 0.0);
        for range in accept.flat_map(|values| values.split(',')) {
            let (kind, quality) = media_range(range);
            match kind.as_str() {
                "text/html" | "application/xhtml+xml" => html = quality.max(html),
                "application/json" => json = quality.max(json),
                _ => {}
            }
        }
        if html > json { Self::Page } else { Self::Json }
    }
}

/// A media range and its quality (RFC 9110, 12.5.1); what cannot be read has the quality 1.
fn media_range(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
    (kind, quality)
}

/// The answer to the caller: 200 where the connector is healthy, 503 where somebody has to look, with the same content.
/// Monitors judge by the status alone: availability tests of Application Insights, load balancers, uptime services. The
/// invocation itself has gone well either way, so that it does not count among the failed ones.
pub(super) fn answer(wanted: Wanted, standing: &Standing) -> Answer {
    let status = if standing.is_healthy() { 200 } else { 503 };
    let (content_type, body) = match wanted {
        Wanted::OtherMethod => {
            let headers = &[("Allow", "GET"), ("Content-Type", "application/json")];
            return Answer::http(&HttpAnswer {
                status: 405,
                headers,
                body: r#"{"error":"GET is the one method here"}"#,
            });
        }
        Wanted::Page => ("text/html; charset=utf-8", standing.page()),
        Wanted::Json => match standing.json() {
            Ok(json) => ("application/json", json),
            Err(error) => return Answer::failed(&format!("the status cannot be written: {error}")),
        },
    };
    let headers = &[
        ("Content-Type", content_type),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", SECURITY_POLICY.as_str()),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    ];
    Answer::http(&HttpAnswer { status, headers, body: &body })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn wanted(accept: &Value) -> Wanted {
        Wanted::parse(json!({"Data": {"req": {"Method": "GET", "Headers": {"accept": accept}}}}).to_string().as_bytes())
    }

    #[test]
    fn a_browser_gets_the_page_and_everybody_else_json() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        for (accept, expected) in [
            (json!([browser]), Wanted::Page),
            (json!(browser), Wanted::Page),
            (json!(["TEXT/HTML; charset=utf-8"]), Wanted::Page),
            (json!(["application/json;q=0.5", "text/html"]), Wanted::Page),
            (json!(["application/json, text/html;q=0.9"]), Wanted::Json),
            (json!(["application/json, text/html"]), Wanted::Json),
            (json!(["text/html;q=0"]), Wanted::Json),
            (json!(["*/*"]), Wanted::Json),
            (json!([]), Wanted::Json),
            (json!([7, null]), Wanted::Json),
            (Value::Null, Wanted::Json),
        ] {
            assert_eq!(wanted(&accept), expected, "{accept}");
        }
    }

    #[test]
    fn there_is_nothing_to_change() {
        for (method, expected) in
            [("POST", Wanted::OtherMethod), ("get", Wanted::Json), ("DELETE", Wanted::OtherMethod)]
        {
            let body = json!({"Data": {"req": {"Method": method}}}).to_string();
            assert_eq!(Wanted::parse(body.as_bytes()), expected, "{method}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_and_any_accept_are_answered(body in any::<Vec<u8>>(), accept in ".{0,40}") {
            prop_assert_eq!(Wanted::parse(&body), Wanted::Json);
            wanted(&json!([accept]));
        }
    }
}
