//! What the Functions host makes of an answer, as seen on host 4.1037.0.

use serde_json::Value;

use super::wire::Reply;

/// The end of an invocation.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Succeeded; the host logs these lines.
    Succeeded(Vec<String>),
    /// Failed at once.
    Failed,
    /// Never completes: the host waits for `functionTimeout` and kills the process.
    Hangs,
}

/// Judges an answer as the host does.
pub fn judge(reply: &Reply) -> Verdict {
    if !(200..300).contains(&reply.status) {
        return Verdict::Failed;
    }
    if reply.body.is_empty() || reply.body.trim_ascii() == b"null" {
        return Verdict::Hangs;
    }
    let media_type = reply.headers.get("content-type").map_or("", |value| value.split(';').next().unwrap_or(""));
    if !matches!(media_type.trim(), "application/json" | "text/json") {
        return Verdict::Failed;
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(&reply.body) else { return Verdict::Failed };
    let field = |name: &str| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    if !matches!(field("Outputs"), None | Some(Value::Null | Value::Object(_))) {
        return Verdict::Failed;
    }
    match field("Logs") {
        None | Some(Value::Null) => Verdict::Succeeded(Vec::new()),
        Some(Value::Array(lines)) => {
            lines.iter().map(text).collect::<Option<_>>().map_or(Verdict::Failed, Verdict::Succeeded)
        }
        Some(_) => Verdict::Failed,
    }
}

/// One item of `Logs`: scalars become text, objects and arrays cannot.
fn text(item: &Value) -> Option<String> {
    match item {
        Value::String(text) => Some(text.clone()),
        Value::Null => Some(String::new()),
        Value::Bool(_) | Value::Number(_) => Some(item.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[test]
fn the_oracle_tells_the_hosts_cases_apart() {
    let reply = |status, content_type: &str, body: &str| Reply {
        status,
        headers: [("content-type".to_owned(), content_type.to_owned())].into(),
        body: body.into(),
    };
    let json = "application/json";
    let lines = |lines: &[&str]| Verdict::Succeeded(lines.iter().map(|line| (*line).to_owned()).collect());
    for (status, content_type, body, verdict) in [
        (200, json, "{}", lines(&[])),
        (200, "text/json; charset=utf-8", r#"{"logs":["a",1,true],"x":1}"#, lines(&["a", "1", "true"])),
        (202, json, r#"{"Outputs":null,"Logs":null,"ReturnValue":null}"#, lines(&[])),
        (200, json, r#"{"Logs":"a"}"#, Verdict::Failed),
        (200, json, r#"{"Logs":[{}]}"#, Verdict::Failed),
        (200, json, r#"{"Outputs":[]}"#, Verdict::Failed),
        (200, json, "[]", Verdict::Failed),
        (200, json, "\"done\"", Verdict::Failed),
        (200, json, "{", Verdict::Failed),
        (200, "text/plain", "{}", Verdict::Failed),
        (200, "application/problem+json", "{}", Verdict::Failed),
        (200, json, "", Verdict::Hangs),
        (204, "", "", Verdict::Hangs),
        (200, json, " null ", Verdict::Hangs),
        (302, json, "{}", Verdict::Failed),
        (404, json, "{}", Verdict::Failed),
        (500, json, "", Verdict::Failed),
    ] {
        assert_eq!(judge(&reply(status, content_type, body)), verdict, "{status} {content_type} {body}");
    }
}
