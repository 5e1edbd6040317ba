//! The feed: subscriptions, listings and contents of the Management Activity API.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Arc, atomic::Ordering},
};

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use crate::{
    answer::{self, Refusal},
    config::FEED_ROLE,
    contents::{Content, ContentType, Place},
    faults::{Effect, Spoil},
    guid, query,
    requests::Endpoint,
    server::Shared,
    strike::Struck,
    window::window,
};

/// Wait between two starts of one subscription (Management Activity API reference, "Start a subscription").
const BETWEEN_STARTS: Duration = Duration::minutes(15);

/// The tenant's subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(BTreeMap<ContentType, Subscription>);

#[derive(Debug)]
struct Subscription {
    enabled: bool,
    started: OffsetDateTime,
}

impl Subscriptions {
    /// All content types, started long ago.
    pub fn all() -> Self {
        let old = |content_type| (content_type, Subscription { enabled: true, started: OffsetDateTime::UNIX_EPOCH });
        Self(ContentType::ALL.map(old).into())
    }

    /// Ends the subscription of a content type, as anybody with the permission can; whether it was on.
    pub fn stop(&mut self, content_type: ContentType) -> bool {
        let on = self.0.get_mut(&content_type).filter(|known| known.enabled);
        on.map(|known| known.enabled = false).is_some()
    }

    fn is_on(&self, content_type: ContentType) -> bool {
        self.0.get(&content_type).is_some_and(|subscription| subscription.enabled)
    }
}

/// `/api/{version}/{tenant}/activity/feed/...`
pub(crate) async fn feed(
    State(shared): State<Arc<Shared>>,
    Path((_, tenant, _)): Path<(String, String, String)>,
    struck: Option<Extension<Struck>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    // Tokens are judged by the clock that they were given out by.
    let checked = shared.tokens().check(&headers, &shared.config.feed_audience, OffsetDateTime::now_utc());
    let Ok(claims) = checked else {
        let body = json!({"Message": "Authorization has been denied for this request."});
        return answer::json(StatusCode::UNAUTHORIZED, &body);
    };
    if guid::parse(&tenant).is_none() {
        return Refusal::new("AF20013", format!("The tenant ID passed in the URL ({tenant}) is not a valid GUID."))
            .into_response();
    }
    if !tenant.eq_ignore_ascii_case(&claims.tenant) {
        let text =
            format!("The tenant ID passed in the URL ({tenant}) does not match the tenant ID in the access token.");
        return Refusal::new("AF20010", text).into_response();
    }
    if !claims.roles.iter().any(|role| role == FEED_ROLE) {
        let text = format!(
            "The permission set ({}) sent in the request does not include the expected permission.",
            claims.roles.join(" ")
        );
        return Refusal::new("AF10001", text).into_response();
    }
    // Another tenant than the simulated one is as unknown as one without auditing.
    if !shared.config.auditing || !tenant.eq_ignore_ascii_case(&shared.tenant.id) {
        let name = "Microsoft.Office.Compliance.Audit.DataServiceException";
        return Refusal::new(name, format!("Tenant {tenant} does not exist.")).into_response();
    }
    let now = shared.now();
    let effects = struck.map(|Extension(struck)| struck.0).unwrap_or_default();
    let asked = uri.query().unwrap_or_default();
    let answered = match Endpoint::of(&method, uri.path()) {
        Endpoint::Start => start(&shared, asked, now),
        Endpoint::Stop => stop(&shared, asked),
        Endpoint::Subscriptions => Ok(subscriptions(&shared)),
        Endpoint::List => list(&shared, asked, &effects, now),
        Endpoint::Retrieve => retrieve(&shared, uri.path(), &headers, &effects, now),
        _ => Ok(answer::json(StatusCode::NOT_FOUND, &json!({"Message": "No HTTP resource was found."}))),
    };
    answered.unwrap_or_else(IntoResponse::into_response)
}

fn content_type(asked: &str) -> Result<ContentType, Refusal> {
    let text = query::value(asked, "contentType").unwrap_or_default();
    if text.is_empty() {
        return Err(Refusal::new("AF20001", "Missing parameter: contentType."));
    }
    text.parse().map_err(|_| Refusal::new("AF20020", format!("The specified content type ({text}) is not valid.")))
}

fn status_of(content_type: ContentType) -> Value {
    json!({"contentType": content_type, "status": "enabled", "webhook": null})
}

fn start(shared: &Shared, asked: &str, now: OffsetDateTime) -> Result<Response, Refusal> {
    let content_type = content_type(asked)?;
    let mut subscriptions = shared.subscriptions();
    let known = subscriptions.0.get(&content_type);
    if shared.config.strict_start_interval && known.is_some_and(|known| now - known.started < BETWEEN_STARTS) {
        let refusal = Refusal::new("AF429", "Too many requests. Method=StartSubscription, PublisherId=0");
        return Ok(answer::text(StatusCode::TOO_MANY_REQUESTS, refusal.body()));
    }
    if known.is_some_and(|known| known.enabled) {
        return Err(Refusal::new("AF20024", "The subscription is already enabled. No property change."));
    }
    subscriptions.0.insert(content_type, Subscription { enabled: true, started: now });
    Ok(answer::json(StatusCode::OK, &status_of(content_type)))
}

fn stop(shared: &Shared, asked: &str) -> Result<Response, Refusal> {
    let content_type = content_type(asked)?;
    if shared.subscriptions().stop(content_type) {
        Ok(StatusCode::OK.into_response())
    } else {
        Err(no_subscription(content_type))
    }
}

fn no_subscription(content_type: ContentType) -> Refusal {
    Refusal::new("AF20022", format!("No subscription found for the specified content type ({content_type})."))
}

fn subscriptions(shared: &Shared) -> Response {
    let subscriptions = shared.subscriptions();
    let on: Vec<Value> = subscriptions
        .0
        .iter()
        .filter(|(_, known)| known.enabled)
        .map(|(&content_type, _)| status_of(content_type))
        .collect();
    answer::json(StatusCode::OK, &Value::Array(on))
}

fn list(shared: &Shared, asked: &str, effects: &[Effect], now: OffsetDateTime) -> Result<Response, Refusal> {
    let content_type = content_type(asked)?;
    if !shared.subscriptions().is_on(content_type) {
        return Err(no_subscription(content_type));
    }
    let (start, end) = (query::value(asked, "startTime"), query::value(asked, "endTime"));
    let window = window(start.as_deref(), end.as_deref(), now, shared.config.reach)?;
    let after = match query::value(asked, "nextPage") {
        None => None,
        Some(text) => {
            Some(place(&text).ok_or_else(|| Refusal::new("AF20031", format!("Invalid nextPage Input: {text}.")))?)
        }
    };
    let page = shared.contents().page(content_type, window, now, after, shared.config.page_size.max(1));
    let origin = effects.iter().find_map(|effect| match effect {
        Effect::ForeignHost(origin) => Some(origin.as_str()),
        _ => None,
    });
    let origin = origin.unwrap_or(&shared.base);
    let next_origin = effects.iter().find_map(|effect| match effect {
        Effect::ForeignPage(origin) => Some(origin.as_str()),
        _ => None,
    });
    let next_origin = next_origin.unwrap_or(&shared.base);
    let bad_uri = effects.iter().find_map(|effect| match effect {
        Effect::MalformedUri(text) => Some(text.as_str()),
        _ => None,
    });
    let times = if effects.contains(&Effect::DuplicateListing) { 2 } else { 1 };
    let listed: Vec<Value> = page
        .contents
        .iter()
        .flat_map(|content| std::iter::repeat_n(entry(shared, content, origin, bad_uri), times))
        .collect();
    let mut response = answer::json(StatusCode::OK, &Value::Array(listed));
    let stale = effects.contains(&Effect::StaleNextPage).then(|| "gone".to_owned());
    if let Some(token) = stale.or_else(|| page.next.map(|(nanoseconds, number)| format!("{nanoseconds:x}-{number:x}")))
    {
        // The reference's example of NextPageUri has `v1` where all other paths have `v1.0`; both work.
        let version = if shared.pages.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { "v1" } else { "v1.0" };
        let times = [("startTime", start), ("endTime", end)];
        let times: String = times
            .into_iter()
            .filter_map(|(name, time)| time.map(|time| format!("&{name}={}", escape(&time))))
            .collect();
        let next = format!(
            "{next_origin}/api/{version}/{}/activity/feed/subscriptions/content?contentType={content_type}{times}&nextPage={token}",
            shared.tenant.id
        );
        if let Ok(next) = HeaderValue::try_from(next) {
            response.headers_mut().insert("NextPageUri", next);
        }
    }
    Ok(response)
}

fn escape(time: &str) -> String {
    time.chars().filter(|sign| sign.is_ascii_alphanumeric() || "-:.".contains(*sign)).collect()
}

fn place(text: &str) -> Option<Place> {
    let (nanoseconds, number) = text.split_once('-')?;
    Some((i128::from_str_radix(nanoseconds, 16).ok()?, u64::from_str_radix(number, 16).ok()?))
}

fn entry(shared: &Shared, content: &Content, origin: &str, bad_uri: Option<&str>) -> Value {
    let uri = format!("{origin}/api/v1.0/{}/activity/feed/audit/{}", shared.tenant.id, content.id);
    json!({
        "contentType": content.content_type, "contentId": content.id, "contentUri": bad_uri.unwrap_or(&uri),
        "contentCreated": stamp(content.created), "contentExpiration": stamp(content.expires()),
    })
}

/// `2017-10-13T18:00:51.748Z`
fn stamp(at: OffsetDateTime) -> String {
    const FORM: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    // Every time can be written in this form.
    at.format(FORM).unwrap_or_default()
}

fn retrieve(
    shared: &Shared,
    path: &str,
    headers: &HeaderMap,
    effects: &[Effect],
    now: OffsetDateTime,
) -> Result<Response, Refusal> {
    let id = query::decode_path(path.rsplit('/').next().unwrap_or_default());
    let content = shared.contents().get(&id);
    let content = content.filter(|content| content.created <= now);
    let content =
        content.ok_or_else(|| Refusal::new("AF20050", format!("The specified content ({id}) does not exist.")))?;
    if let Some(code) = shared.contents().lost(&id) {
        return Err(Refusal::new(code, format!("The content ({id}) is not served any more.")));
    }
    if content.expires() <= now {
        let text = format!(
            "Content requested with the key {id} has already expired. Content older than 7 days cannot be retrieved."
        );
        return Err(Refusal::new("AF20051", text));
    }
    shared.requests().retrieved(&id);
    let body = content.body.bytes(&shared.generator);
    let spoil = effects.iter().find_map(|effect| match effect {
        Effect::Spoil(spoil) => Some(*spoil),
        _ => None,
    });
    let body = spoil.map_or_else(|| body.clone(), |spoil| spoilt(&body, spoil));
    let accepts = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let gzip = shared.config.gzip_contents && accepts.contains("gzip") && spoil != Some(Spoil::BadGzip);
    let ready = content.body.packed().filter(|_| spoil.is_none()).cloned();
    let mut response = match gzip.then(|| ready.map_or_else(|| packed(&body), Ok)) {
        Some(Ok(mut packed)) => {
            if spoil == Some(Spoil::CutGzip) {
                packed.truncate(packed.len() / 2);
            }
            let mut response = answer::text(StatusCode::OK, packed);
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        Some(Err(error)) => {
            return Err(Refusal::new("AF50000", format!("The content could not be compressed: {error}")));
        }
        None if spoil == Some(Spoil::CutGzip) => answer::text(StatusCode::OK, spoilt(&body, Spoil::CutJson)),
        None => answer::text(StatusCode::OK, body),
    };
    match spoil {
        Some(Spoil::Html) => {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        }
        Some(Spoil::BadGzip) => {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        _ => {}
    }
    Ok(response)
}

/// A body as it goes to a client that accepts gzip.
pub(crate) fn packed(body: &Bytes) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish().map(Bytes::from)
}

fn spoilt(body: &Bytes, spoil: Spoil) -> Bytes {
    match spoil {
        Spoil::CutJson => body.slice(..body.len() / 2),
        Spoil::Html => Bytes::from_static(b"<html><body><h1>Service Unavailable</h1></body></html>"),
        Spoil::Empty => Bytes::new(),
        Spoil::Object => Bytes::from_static(br#"{"value":[]}"#),
        Spoil::Null => Bytes::from_static(b"null"),
        Spoil::BadRecord => {
            let rest = body.strip_prefix(b"[").unwrap_or(body);
            let comma: &[u8] = if rest == b"]" { b"" } else { b"," };
            [b"[\"no record\"", comma, rest].concat().into()
        }
        Spoil::Bom => [b"\xef\xbb\xbf", body.as_ref()].concat().into(),
        Spoil::BadUtf8 => {
            let mut bytes = body.to_vec();
            let middle = bytes.len() / 2;
            bytes.insert(middle, 0xff);
            bytes.into()
        }
        // Cut when it is packed.
        Spoil::CutGzip => body.clone(),
        Spoil::BadGzip => Bytes::from_static(b"\x1f\x8b\x08 this is no gzip"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_record_leaves_the_others_in_place() {
        let of = |body: &'static [u8]| spoilt(&Bytes::from_static(body), Spoil::BadRecord);
        assert_eq!(of(b"[{}]"), r#"["no record",{}]"#);
        assert_eq!(of(b"[]"), r#"["no record"]"#);
    }

    #[test]
    fn places_of_pages_are_read_back() {
        assert_eq!(place("1f-a"), Some((31, 10)));
        for text in ["", "gone", "1f", "x-1", "1-"] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
