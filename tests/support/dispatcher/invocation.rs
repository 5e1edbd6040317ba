//! The request of a queue trigger, byte for byte as a host sends it (`tests/samples/host/queue-*.http`).

use std::fmt::Write as _;

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// Times of the queue, which has whole seconds.
const SECONDS: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+00:00");
const TICKS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");

/// The host writes bodies in pieces of at most this many bytes.
const CHUNK: usize = 1024;

/// One call of a function for one message.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub function: String,
    /// Name of the trigger's binding.
    pub binding: String,
    /// Where the handler listens.
    pub host: String,
    pub invocation_id: String,
    /// Another id that bindings may use.
    pub rand_guid: String,
    /// When it begins.
    pub now: OffsetDateTime,
    /// The text of the message, decoded.
    pub text: String,
    pub message_id: String,
    pub dequeue_count: i64,
    pub receipt: String,
    pub inserted: OffsetDateTime,
    pub expires: OffsetDateTime,
    pub visible_again: OffsetDateTime,
}

impl Invocation {
    /// The request.
    pub fn request(&self) -> Vec<u8> {
        let mut request = format!(
            "POST /{} HTTP/1.1\r\nHost: {}\r\nX-Azure-Functions-HostVersion: 4.1037.0.0\r\n\
             X-Azure-Functions-InvocationId: {}\r\nUser-Agent: Azure-Functions-Host/4.1037.0.0\r\n\
             Transfer-Encoding: chunked\r\nContent-Type: application/json; charset=utf-8\r\n\r\n",
            self.function, self.host, self.invocation_id
        )
        .into_bytes();
        for piece in self.body().as_bytes().chunks(CHUNK) {
            request.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
            request.extend_from_slice(piece);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"0\r\n\r\n");
        request
    }

    fn body(&self) -> String {
        let seconds = |at: OffsetDateTime| at.format(SECONDS).expect("a time");
        let sys = format!(
            "{{\"MethodName\":{},\"UtcNow\":\"{}\",\"RandGuid\":\"{}\"}}",
            quoted(&self.function),
            self.now.format(TICKS).expect("a time"),
            self.rand_guid
        );
        let mut metadata = vec![
            ("DequeueCount".to_owned(), quoted(&self.dequeue_count.to_string())),
            ("ExpirationTime".to_owned(), quoted(&seconds(self.expires))),
            ("Id".to_owned(), quoted(&quoted(&self.message_id))),
            ("InsertionTime".to_owned(), quoted(&seconds(self.inserted))),
            ("NextVisibleTime".to_owned(), quoted(&seconds(self.visible_again))),
            ("PopReceipt".to_owned(), quoted(&quoted(&self.receipt))),
            ("sys".to_owned(), sys),
        ];
        for (name, value) in self.properties() {
            match metadata.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                Some((_, old)) => *old = value,
                None => metadata.push((name, value)),
            }
        }
        let mut members = String::new();
        for (name, value) in metadata {
            let comma = if members.is_empty() { "" } else { "," };
            write!(members, "{comma}{}:{value}", quoted(&name)).expect("memory");
        }
        let data = quoted(&quoted(&self.text));
        format!("{{\"Data\":{{{}:{data}}},\"Metadata\":{{{members}}}}}", quoted(&self.binding))
    }

    /// The members of a message that is a JSON object, as they are copied: arrays and nulls are left out, and the others
    /// become text.
    fn properties(&self) -> Vec<(String, String)> {
        let message: Map<String, Value> = serde_json::from_str(&self.text).unwrap_or_default();
        // The order of the message, which the map has lost.
        let mut members: Vec<_> = message.into_iter().collect();
        members.sort_by_key(|(name, _)| self.text.find(&quoted(name)));
        let copied = members.into_iter().filter_map(|(name, value)| {
            let text = match value {
                Value::Null | Value::Array(_) => return None,
                Value::String(text) => text,
                Value::Bool(true) => "True".to_owned(),
                Value::Bool(false) => "False".to_owned(),
                number_or_object => number_or_object.to_string(),
            };
            Some((name, quoted(&quoted(&text))))
        });
        copied.collect()
    }
}

/// Text as a JSON string.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
