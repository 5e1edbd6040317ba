//! The ingestion endpoint of Azure Monitor: it enforces the service's limits and enters rows in the ledger.

use std::{
    borrow::Cow,
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::Path as FilePath,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    body::{Body, to_bytes},
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::read::GzDecoder;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    answer,
    config::RUNS_STREAM,
    ledger::{Batch, Key},
    query,
    server::Shared,
    stream::{Columns, Flaw},
};

/// Largest body in bytes: the gateway refuses more by `Content-Length`
/// (Azure Monitor limits, "Logs Ingestion API": 1 MB a call, compressed and uncompressed).
pub const LARGEST_POST: usize = 1024 * 1024;
/// Largest uncompressed body where the 1 MiB is switched off: what the service was seen to unpack at most.
const LARGEST_UNPACKED: usize = 50 * 1024 * 1024;
/// The column that carries a record's `Id`.
const ID_COLUMN: &str = "AuditRecordId";
/// An older `TimeGenerated` is replaced with the time of receipt (Azure Monitor, "Log data ingestion time").
const OLDEST: Duration = Duration::days(2);
/// So is one that is further ahead.
const NEWEST: Duration = Duration::days(1);

/// Marks an answer that follows a stored batch. If it is dropped without [`Stored::answered`], the ledger learns that
/// the sender does not know.
#[derive(Debug, Clone)]
pub(crate) struct Stored(Arc<StoredBatch>);

struct StoredBatch {
    shared: Arc<Shared>,
    rule: String,
    keys: Vec<Key>,
    answered: AtomicBool,
}

impl fmt::Debug for StoredBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredBatch").field("rows", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Stored {
    /// The answer is on its way.
    pub fn answered(&self) {
        self.0.answered.store(true, Ordering::SeqCst);
    }
}

impl Drop for StoredBatch {
    fn drop(&mut self) {
        if !self.answered.load(Ordering::SeqCst) {
            self.shared.ledger().unanswered(&self.rule, &self.keys);
        }
    }
}

/// Why a post is refused: status, code, text, and the size of its JSON as far as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    json_bytes: usize,
}

fn refused(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refused {
    Refused { status, code, message: message.into(), json_bytes: 0 }
}

/// `POST /dataCollectionRules/{rule}/streams/{stream}?api-version=2023-01-01`
pub(crate) async fn ingest(
    State(shared): State<Arc<Shared>>,
    Path((rule, stream)): Path<(String, String)>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let version = raw.and_then(|raw| query::value(&raw, "api-version"));
    let received = receive(&shared, &rule, &stream, version.as_deref(), &headers, body).await;
    if shared.config.judge_later && stream != RUNS_STREAM {
        return match received {
            Ok(post) => {
                shared.unread().push(post);
                StatusCode::NO_CONTENT.into_response()
            }
            Err(refused) => refuse(&shared, &refused),
        };
    }
    let accepted = received.and_then(|post| accept(&shared, &post));
    if stream == RUNS_STREAM {
        return match accepted {
            Ok((batch, _)) => {
                shared.ledger().beat(batch);
                StatusCode::NO_CONTENT.into_response()
            }
            Err(refused) => answer::error(refused.status, refused.code, &refused.message),
        };
    }
    let stored = accepted.and_then(|(batch, json)| store(&shared, batch, &json));
    match stored {
        Ok(keys) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            let batch = StoredBatch { shared: Arc::clone(&shared), rule, keys, answered: AtomicBool::new(false) };
            response.extensions_mut().insert(Stored(Arc::new(batch)));
            response
        }
        Err(refused) => refuse(&shared, &refused),
    }
}

fn refuse(shared: &Shared, refused: &Refused) -> Response {
    shared.ledger().refuse(refused.status.as_u16(), refused.json_bytes as u64);
    answer::error(refused.status, refused.code, &refused.message)
}

/// Reads what came since [`Config::judge_later`](crate::Config::judge_later) put it by.
pub(crate) fn read_unread(shared: &Shared) {
    let unread = std::mem::take(&mut *shared.unread());
    for post in unread {
        let stored = accept(shared, &post).and_then(|(batch, json)| store(shared, batch, &json));
        if let Err(refused) = stored {
            shared.ledger().refuse(refused.status.as_u16(), refused.json_bytes as u64);
        }
    }
}

/// A request and its body, unpacked. What cannot be read or unpacked is left to the endpoint to refuse.
pub(crate) async fn look_into(request: Request) -> (Request, Bytes) {
    let (parts, body) = request.into_parts();
    let wire = to_bytes(body, LARGEST_UNPACKED).await.unwrap_or_default();
    let packed = parts.headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip");
    let json = if packed { unpack(&wire, LARGEST_UNPACKED).unwrap_or_default() } else { wire.clone() };
    (Request::from_parts(parts, Body::from(wire)), json)
}

/// A post with the right token, to a rule and stream that are there.
#[derive(Debug)]
pub(crate) struct Post {
    rule: String,
    is_runs: bool,
    /// `Content-Encoding`
    encoding: String,
    wire: Bytes,
    received: OffsetDateTime,
}

async fn receive(
    shared: &Shared,
    rule: &str,
    stream: &str,
    version: Option<&str>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Post, Refused> {
    let now = OffsetDateTime::now_utc();
    if shared.tokens().check(headers, &shared.config.ingestion_audience, now).is_err() {
        return Err(refused(StatusCode::UNAUTHORIZED, "InvalidToken", "The provided authentication token is invalid."));
    }
    if !matches!(version, Some("2023-01-01" | "2021-11-01-preview")) {
        return Err(refused(StatusCode::BAD_REQUEST, "InvalidApiVersion", "The api-version is missing or unknown."));
    }
    if !shared.has_rule(rule) {
        let text = format!("Data collection rule with immutable Id '{rule}' not found.");
        return Err(refused(StatusCode::NOT_FOUND, "NotFound", text));
    }
    let is_runs = shared.config.has_runs_stream && stream == RUNS_STREAM;
    if stream != shared.config.stream && !is_runs {
        let text = format!("The stream {stream} was not configured for the data collection rule.");
        return Err(refused(StatusCode::NOT_FOUND, "InvalidStream", text));
    }
    let text_of = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !text_of(header::CONTENT_TYPE).starts_with("application/json") {
        let text = "The content type must be application/json.";
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedContentType", text));
    }
    let too_long = |length: usize| {
        let text = format!(
            "Maximum allowed content length: {LARGEST_POST} bytes (1 MB). Provided content length: {length} bytes."
        );
        Refused { json_bytes: length, ..refused(StatusCode::PAYLOAD_TOO_LARGE, "ContentLengthLimitExceeded", text) }
    };
    let announced: usize = text_of(header::CONTENT_LENGTH).parse().unwrap_or(0);
    if announced > LARGEST_POST {
        // Read to its end all the same: closing on a sender that still writes would hide the answer from it.
        drop(to_bytes(body, LARGEST_UNPACKED).await);
        return Err(too_long(announced));
    }
    let wire = to_bytes(body, LARGEST_POST).await.map_err(|_| too_long(LARGEST_POST + 1))?;
    let encoding = text_of(header::CONTENT_ENCODING).to_owned();
    Ok(Post { rule: rule.to_owned(), is_runs, encoding, wire, received: now })
}

/// Unpacks a post and holds its rows against the stream; the rows' JSON with them.
fn accept(shared: &Shared, post: &Post) -> Result<(Batch, Bytes), Refused> {
    let columns = if post.is_runs { &shared.config.runs_columns } else { &shared.config.columns };
    let limit = if shared.config.uncompressed_limit { LARGEST_POST } else { LARGEST_UNPACKED };
    let json = match post.encoding.as_str() {
        "" | "identity" => post.wire.clone(),
        "gzip" => unpack(&post.wire, limit)?,
        other => {
            let text = format!("Content-Encoding {other} is not supported.");
            return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedContentEncoding", text));
        }
    };
    let keep = post.is_runs || shared.config.keep_rows || shared.rows_file().is_some();
    let batch = read(&json, columns, keep, post.received);
    let batch = batch.map_err(|error| Refused { json_bytes: json.len(), ..error })?;
    let (wire_bytes, json_bytes) = (post.wire.len() as u64, json.len() as u64);
    Ok((Batch { rule: post.rule.clone(), wire_bytes, json_bytes, ..batch }, json))
}

fn store(shared: &Shared, mut batch: Batch, json: &[u8]) -> Result<Vec<Key>, Refused> {
    let failed = |error: io::Error| {
        let text = format!("The simulator could not append to its file: {error}");
        refused(StatusCode::INTERNAL_SERVER_ERROR, "File", text)
    };
    if let Some(file) = shared.rows_file().as_mut() {
        append(file, &batch).map_err(failed)?;
    }
    if let Some(file) = shared.posts_file().as_mut() {
        append_post(file, json).map_err(failed)?;
    }
    if !shared.config.keep_rows {
        batch.rows.clear();
    }
    let keys = batch.keys.clone();
    shared.ledger().arrive(batch);
    Ok(keys)
}

/// Opens a file that rows or posts are appended to.
pub(crate) fn open_to_append(path: &FilePath) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn append(file: &mut File, batch: &Batch) -> io::Result<()> {
    let mut lines = Vec::with_capacity(batch.json_bytes as usize);
    for row in &batch.rows {
        lines.extend_from_slice(row.get().as_bytes());
        lines.push(b'\n');
    }
    file.write_all(&lines)
}

fn append_post(file: &mut File, json: &[u8]) -> io::Result<()> {
    if json.contains(&b'\n') {
        return Err(io::Error::other("a post has a line break in it, and would not be one line"));
    }
    file.write_all(&[json, b"\n"].concat())
}

fn unpack(wire: &Bytes, limit: usize) -> Result<Bytes, Refused> {
    let mut json = Vec::with_capacity(wire.len() * 4);
    let mut unpacking = GzDecoder::new(wire.as_ref()).take(limit as u64 + 1);
    if let Err(error) = unpacking.read_to_end(&mut json) {
        let text = format!("The body is not valid gzip: {error}");
        return Err(refused(StatusCode::BAD_REQUEST, "InvalidPayload", text));
    }
    if json.len() > limit {
        let text = format!("The uncompressed payload is over {limit} bytes.");
        let refusal = refused(StatusCode::PAYLOAD_TOO_LARGE, "PayloadSizeLimitExceeded", text);
        return Err(Refused { json_bytes: json.len(), ..refusal });
    }
    Ok(Bytes::from(json))
}

/// The members of a row, borrowed from the body.
struct Row<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Row<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row, which is a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(48);
                while let Some(member) = map.next_entry::<Name<'de>, &RawValue>()? {
                    members.push((member.0.0, member.1));
                }
                Ok(Row(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads the rows of a body and holds them against the stream.
fn read(json: &[u8], columns: &Columns, keep: bool, now: OffsetDateTime) -> Result<Batch, Refused> {
    let bad = |text: String| refused(StatusCode::BAD_REQUEST, "InvalidPayload", text);
    let rows: Vec<&RawValue> =
        serde_json::from_slice(json).map_err(|error| bad(format!("The body must be a JSON array of rows: {error}")))?;
    let mut batch = Batch::default();
    for raw in rows {
        let row: Row<'_> =
            serde_json::from_str(raw.get()).map_err(|error| bad(format!("A row is no object: {error}")))?;
        let mut key = None;
        let mut time = None;
        for (name, value) in row.0 {
            match name.as_ref() {
                ID_COLUMN => key = serde_json::from_str::<Cow<'_, str>>(value.get()).ok().and_then(|id| Key::new(&id)),
                "TimeGenerated" => time = OffsetDateTime::parse(value.get().trim_matches('"'), &Rfc3339).ok(),
                _ => {}
            }
            let counts = match columns.flaw(&name, value) {
                None => continue,
                Some(Flaw::Unknown) => &mut batch.dropped,
                Some(Flaw::Mistyped) => &mut batch.mistyped,
                Some(Flaw::TooLong) => &mut batch.cut,
            };
            *counts.entry(name.into_owned()).or_default() += 1;
        }
        let kept_time = time.is_some_and(|time| (now - OLDEST..=now + NEWEST).contains(&time));
        batch.replaced_times += u64::from(!kept_time);
        match key {
            Some(key) => batch.keys.push(key),
            None => batch.without_id += 1,
        }
        if keep {
            batch.rows.push(raw.to_owned());
        }
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-18 12:00 UTC);

    fn batch(json: &str) -> Result<Batch, Refused> {
        read(json.as_bytes(), &Columns::default(), true, NOW)
    }

    #[test]
    fn rows_are_counted_and_held_against_the_stream() {
        let batch = batch(
            r#"[{"AuditRecordId":"a","TimeGenerated":"2026-11-18T11:00:00Z","RecordType":"43","Colour":1},
                {"Colour":2,"TimeGenerated":"2026-11-16T11:00:00Z"}]"#,
        )
        .unwrap();
        assert_eq!(batch.keys, [Key::new("a").unwrap()]);
        assert_eq!((batch.without_id, batch.replaced_times, batch.rows.len()), (1, 1, 2));
        assert_eq!(batch.dropped["Colour"], 2);
        assert_eq!(batch.mistyped["RecordType"], 1);
    }

    #[test]
    fn what_is_no_array_of_objects_is_refused() {
        for json in ["{}", "", "[", "[1]", "[{}] x", "null"] {
            assert_eq!(batch(json).map(|_| ()).unwrap_err().status, StatusCode::BAD_REQUEST, "{json}");
        }
        assert_eq!(batch("[]").unwrap().keys, []);
    }

    #[test]
    fn gzip_must_be_gzip_and_small() {
        let pack = |bytes: &[u8]| {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(bytes).unwrap();
            Bytes::from(out.finish().unwrap())
        };
        assert_eq!(unpack(&pack(b"[]"), 2).unwrap(), "[]");
        assert_eq!(unpack(&pack(b"[1]"), 2).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(unpack(&Bytes::from_static(b"[]"), 2).unwrap_err().status, StatusCode::BAD_REQUEST);
    }
}
