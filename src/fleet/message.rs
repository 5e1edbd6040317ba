//! What a message says, and how the host hands it over.
//!
//! The text is a JSON object. The host copies its members into the metadata of the request, over what it put there itself
//! (seen on host 4.1037.0), so that none may be called as one of the host's own. The host's body holds the text as JSON
//! in a JSON text (`tests/samples/host/queue-json.http`).

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::settings::guid;

/// The name of the queue binding in `FleetPull/function.json`.
pub const BINDING: &str = "work";

/// How often the text may be JSON text within JSON text: the host's is once, a person who quotes it adds one.
const LAYERS: usize = 4;

/// A message: a run is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The tenant, a GUID in lower case with hyphens.
    pub tenant_id: String,
    /// When it was put; `None` where a person wrote the message.
    pub queued: Option<OffsetDateTime>,
    /// A run before left work, so that the tenant has a marker that is to be removed (see [`super::again`]).
    pub again: bool,
}

/// A message as it was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// What it says.
    pub message: Message,
    /// How often it was handed over, this time included.
    pub dequeue_count: u64,
}

/// Why a message cannot be read. It holds nothing of the message itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the message {0}; a message is the base64 of {{\"tenantId\": \"4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55\"}}. After \
     maxDequeueCount tries the host puts it into the poison queue"
)]
pub struct Unreadable(&'static str);

impl Message {
    /// A message for `tenant_id`, put now.
    #[must_use]
    pub const fn new(tenant_id: String, queued: OffsetDateTime, again: bool) -> Self {
        Self { tenant_id, queued: Some(queued), again }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = json!({"tenantId": self.tenant_id, "again": self.again});
        // Only years beyond 9999 cannot be written so.
        if let Some(queued) = self.queued.and_then(|queued| queued.format(&Rfc3339).ok()) {
            text["queued"] = queued.into();
        }
        text.to_string()
    }

    fn read(text: &Value) -> Result<Self, Unreadable> {
        let Value::Object(members) = text else { return Err(Unreadable("is no JSON object")) };
        let Some(id) = members.get("tenantId") else { return Err(Unreadable("has no tenantId")) };
        let id = id.as_str().and_then(|id| guid(id.trim()).ok());
        let tenant_id = id.ok_or(Unreadable("has a tenantId that is no GUID"))?;
        let queued = members.get("queued").and_then(Value::as_str);
        let queued = queued.and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok());
        Ok(Self { tenant_id, queued, again: members.get("again").and_then(Value::as_bool).unwrap_or(false) })
    }
}

impl Work {
    /// Reads the body of `POST /FleetPull`.
    ///
    /// # Errors
    /// It holds no message that names a tenant.
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| Unreadable("came in a body that is not JSON, which no Functions host sends"))?;
        let Some(text) = body["Data"].get(BINDING) else {
            return Err(Unreadable("is missing in the body (Data.work): is the binding in function.json called work?"));
        };
        let message = Message::read(&unwrapped(text.clone()))?;
        Ok(Self { message, dequeue_count: dequeue_count(&body["Metadata"]["DequeueCount"]) })
    }
}

/// The value freed from its layers of JSON text.
fn unwrapped(mut value: Value) -> Value {
    for _ in 0..LAYERS {
        let Value::String(text) = &value else { break };
        let Ok(inner) = serde_json::from_str(text) else { break };
        value = inner;
    }
    value
}

/// The host writes a number in a text. What cannot be read counts as the first time.
fn dequeue_count(value: &Value) -> u64 {
    unwrapped(value.clone()).as_u64().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const ID: &str = "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55";

    fn parse(body: &Value) -> Result<Work, Unreadable> {
        Work::parse(body.to_string().as_bytes())
    }

    fn work(text: &Value) -> Result<Work, Unreadable> {
        parse(&json!({"Data": {"work": text}, "Metadata": {"DequeueCount": "3"}}))
    }

    #[test]
    fn a_message_is_read_however_it_is_wrapped() {
        let message = Message::new(ID.to_owned(), datetime!(2026-11-22 19:00:00.5 UTC), true);
        let text = message.text();
        assert_eq!(text, format!("{{\"again\":true,\"queued\":\"2026-11-22T19:00:00.5Z\",\"tenantId\":\"{ID}\"}}"));
        let once = Value::from(text.clone());
        let twice = Value::from(once.to_string());
        let object: Value = serde_json::from_str(&text).unwrap();
        for value in [twice, once, object] {
            assert_eq!(work(&value), Ok(Work { message: message.clone(), dequeue_count: 3 }), "{value}");
        }
    }

    #[test]
    fn a_message_of_a_persons_own_needs_the_tenant_alone() {
        let expected = Message { tenant_id: ID.to_owned(), queued: None, again: false };
        for text in [
            json!({"tenantId": ID}),
            json!({"tenantId": format!("{{{}}}", ID.to_uppercase()), "queued": "soon", "again": "True", "n": 1}),
        ] {
            assert_eq!(work(&text).unwrap().message, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_message_is_told_without_what_it_says() {
        for (text, why) in [
            (json!("s3cret"), "is no JSON object"),
            (json!(null), "is no JSON object"),
            (json!([ID]), "is no JSON object"),
            (json!({"tenant": ID}), "has no tenantId"),
            (json!({"tenantId": "s3cret"}), "no GUID"),
            (json!({"tenantId": 7}), "no GUID"),
        ] {
            let error = work(&text).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("s3cret"), "{text}: {error}");
        }
        assert!(parse(&json!({"Data": {"item": "{}"}})).unwrap_err().to_string().contains("called work"));
        assert!(Work::parse(b"").unwrap_err().to_string().contains("not JSON"));
    }

    #[test]
    fn the_count_of_tries_is_read_as_the_host_writes_it() {
        for (value, expected) in
            [(json!("2"), 2), (json!(2), 2), (json!("\"2\""), 2), (json!(null), 1), (json!("x"), 1)]
        {
            assert_eq!(dequeue_count(&value), expected, "{value}");
        }
    }

    #[test]
    fn no_member_is_called_as_one_of_the_hosts() {
        let message = Message::new(ID.to_owned(), datetime!(2026-11-22 19:00 UTC), false);
        let Value::Object(members) = serde_json::from_str(&message.text()).unwrap() else { panic!() };
        let own = ["id", "dequeuecount", "sys", "popreceipt", "insertiontime", "expirationtime", "nextvisibletime"];
        assert!(members.keys().all(|name| !own.contains(&name.to_lowercase().as_str())), "{members:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in any::<Vec<u8>>(), text in any::<String>()) {
            prop_assert!(Work::parse(&body).is_err());
            prop_assert!(work(&json!(text)).is_err());
        }
    }
}
