//! What the Functions host makes of an answer, as seen on host 4.1037.0.

use std::collections::BTreeMap;

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

/// What the caller of an HTTP function gets, where the host does not forward its requests: by section "HTTP function" of
/// what was seen on host 4.1037.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub status: u16,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// Carries out an answer of an HTTP function as the host does. `None`: the caller waits for `functionTimeout`.
pub fn carry_out(reply: &Reply) -> Option<Caller> {
    let bare = |status| Caller { status, headers: BTreeMap::new(), body: String::new() };
    match judge(reply) {
        Verdict::Hangs => return None,
        Verdict::Failed => return Some(bare(500)),
        Verdict::Succeeded(_) => {}
    }
    let answer: Value = serde_json::from_slice(&reply.body).ok()?;
    let response = match &answer["Outputs"]["res"] {
        Value::Null => return Some(Caller { body: "{}".to_owned(), ..bare(200) }),
        Value::Object(response) => response,
        _ => return Some(bare(500)),
    };
    // A number or a text; `status` is not looked at.
    let status = response.get("statusCode").and_then(|status| {
        status.as_u64().or_else(|| status.as_str()?.parse().ok()).and_then(|status| u16::try_from(status).ok())
    });
    let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
    let mut headers: BTreeMap<_, _> =
        headers.filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned()))).collect();
    headers.entry("content-type".to_owned()).or_insert_with(|| "text/plain; charset=utf-8".to_owned());
    let body = match response.get("body") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        // An object is written anew.
        Some(other) => serde_json::to_string_pretty(other).ok()?,
    };
    Some(Caller { status: status.unwrap_or(200), headers, body })
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

#[test]
fn the_oracle_carries_out_answers_of_http_functions() {
    let caller = |body: &str| {
        let headers = [("content-type".to_owned(), "application/json".to_owned())].into();
        carry_out(&Reply { status: 200, headers, body: body.into() })
    };
    let page = caller(
        r#"{"Outputs":{"res":{"statusCode":"503","headers":{"Content-Type":"text/html"},"body":"<p>"}},"Logs":[]}"#,
    );
    let page = page.unwrap();
    assert_eq!((page.status, page.headers["content-type"].as_str(), page.body.as_str()), (503, "text/html", "<p>"));
    let bare = caller(r#"{"Outputs":{"res":{"status":404,"body":{"a":1}}}}"#).unwrap();
    assert_eq!((bare.status, bare.headers["content-type"].as_str()), (200, "text/plain; charset=utf-8"));
    assert_eq!(bare.body, "{\n  \"a\": 1\n}");
    assert_eq!(caller(r#"{"Outputs":{}}"#).unwrap().body, "{}");
    assert_eq!(caller(r#"{"Outputs":{"res":"text"}}"#).unwrap().status, 500);
    assert_eq!(caller("null"), None);
    let failed = Reply { status: 500, headers: BTreeMap::new(), body: b"why".to_vec() };
    assert_eq!(carry_out(&failed).map(|caller| (caller.status, caller.body)), Some((500, String::new())));
}
