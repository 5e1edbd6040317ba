//! A deployment of many tenants: its app settings, its storage account, and what the host asks of its processes.

use std::collections::BTreeSet;

use labelstream::{
    queue::WORK_QUEUE,
    state::{Store as _, blob::BlobStore, connection::StorageAccount},
    tenants::LIST_KEY,
};
use labelstream_simulator::{Provider, ProviderConfig};
use serde_json::{Value, json};

use crate::{
    account::own_account,
    host::{Answered, Host, Stream, request},
    queue::{Queue, decode},
};

/// App settings, and an account that is this deployment's own.
pub struct Deployment {
    pub settings: Vec<(String, String)>,
    pub store: BlobStore,
    pub queue: Queue,
}

/// A tenant id.
pub fn id(number: u32) -> String {
    format!("4b0a6d34-6f8c-4f5e-9c1a-{number:012x}")
}

impl Deployment {
    /// Of which nothing but the storage can be reached, with this list.
    pub fn unreachable(tenants: &Value) -> Self {
        let (account, string) = own_account();
        let storage = StorageAccount::from_connection_string(&string).unwrap();
        let store = BlobStore::open(&storage, "labelstream", None).unwrap();
        let mut deployment = Self { settings: Vec::new(), store, queue: Queue::of(&account, WORK_QUEUE) };
        for (name, value) in [
            ("TENANTS", tenants.to_string().as_str()),
            ("AzureWebJobsStorage", &string),
            ("DATA_COLLECTION_ENDPOINT", "http://127.0.0.1:9"),
            ("LOGS_DCR_RULE_ID", "dcr-0123456789abcdef0123456789abcdef"),
            ("M365_MANAGEMENT_ENDPOINT", "http://127.0.0.1:9"),
            ("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token"),
            ("IDENTITY_HEADER", "opaque"),
            ("LABELS", "off"),
        ] {
            deployment.set(name, value);
        }
        deployment
    }

    /// Of so many tenants without a name, none of which can be reached.
    pub fn of(tenants: u32) -> Self {
        Self::unreachable(&(0..tenants).map(|number| json!({"tenantId": id(number)})).collect())
    }

    /// Of simulated tenants.
    pub async fn provider(config: ProviderConfig) -> (Self, Provider) {
        let provider = Provider::start(config).await.unwrap();
        let mut deployment = Self::of(0);
        for (name, value) in provider.environment() {
            deployment.set(name, &value);
        }
        deployment.set("TENANTS", &provider.tenants_json());
        (deployment, provider)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Writes the list of the state.
    pub async fn write_list(&self, tenants: &Value) {
        let body = tenants.to_string().into();
        self.store.put(LIST_KEY, body, &labelstream::state::Expect::Any).await.unwrap();
    }

    /// Starts a process.
    pub async fn start(&self) -> Process {
        let settings = self.settings.clone();
        let host = tokio::task::spawn_blocking(move || Host::start(&settings)).await.unwrap();
        Process { host: Some(host) }
    }

    /// The tenants of the messages that can be seen, up to 32, and their texts.
    pub async fn messages(&self) -> Vec<Value> {
        let texts = self.queue.peek().await;
        texts.iter().map(|raw| serde_json::from_str(&decode(raw).unwrap()).unwrap()).collect()
    }

    /// Takes all messages away, as the host does.
    pub async fn take_all(&self) -> Vec<Value> {
        let mut texts = Vec::new();
        loop {
            let taken = self.queue.take(32, 60).await.unwrap();
            if taken.is_empty() {
                return texts;
            }
            for message in taken {
                self.queue.delete(&message.id, &message.receipt).await.unwrap();
                texts.push(serde_json::from_str(&decode(&message.raw).unwrap()).unwrap());
            }
        }
    }

    /// The keys of the state that begin so.
    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        self.store.list(prefix).await.unwrap().into_iter().map(|entry| entry.key).collect()
    }
}

/// The tenants of messages.
pub fn tenants(messages: &[Value]) -> BTreeSet<String> {
    messages.iter().map(|message| message["tenantId"].as_str().unwrap().to_owned()).collect()
}

/// A process of the handler.
pub struct Process {
    host: Option<Host>,
}

impl Process {
    pub fn host(&self) -> &Host {
        self.host.as_ref().unwrap()
    }

    pub fn take(&mut self) -> Host {
        self.host.take().unwrap()
    }

    /// Sends a request that begins a run, off the runtime's threads, and waits for what the process writes of its end.
    pub async fn send(&mut self, request: Vec<u8>) -> Answered {
        let host = self.take();
        let (host, answered) = tokio::task::spawn_blocking(move || {
            let answered = host.answer(host.begin(&request));
            (host, answered)
        })
        .await
        .unwrap();
        self.host = Some(host);
        answered
    }

    /// Fires the timer, as a host does.
    pub async fn tick(&mut self) -> Answered {
        self.send(tick_request()).await
    }

    /// Hands a message for `tenant` over, as a host does.
    pub async fn hand_over(&mut self, message: &Value) -> Answered {
        self.send(message_request(message, 1)).await
    }

    /// The error lines so far: what is on stderr and no warning.
    pub fn errors(&self) -> Vec<String> {
        let lines = self.host().lines().into_iter();
        lines
            .filter(|(stream, line)| *stream == Stream::Err && !line.to_lowercase().contains("warn"))
            .map(|(_, line)| line)
            .collect()
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.host().lines().into_iter().map(|(_, line)| line).collect()
    }
}

/// The timer's request of a real host, for the fleet's function.
pub fn tick_request() -> Vec<u8> {
    replaced(request("timer-later.http"), "POST /TimerPull ", "POST /FleetTimer ")
}

/// A message's request of a real host with this message in the place of its own.
pub fn message_request(message: &Value, dequeue_count: u32) -> Vec<u8> {
    let head = String::from_utf8(request("queue-json.http")).unwrap();
    let (head, _) = head.split_once("\r\n\r\n").unwrap();
    let text = message.to_string();
    let copied = message.as_object().cloned().unwrap_or_default();
    let mut metadata =
        json!({"DequeueCount": dequeue_count.to_string(), "Id": "\"9e5b70ae\"", "sys": {"MethodName": "FleetPull"}});
    for (name, value) in copied {
        metadata[name] = Value::from(value.to_string());
    }
    let body = json!({"Data": {"work": Value::from(text).to_string()}, "Metadata": metadata}).to_string();
    format!("{head}\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes()
}

pub fn replaced(request: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(request).unwrap();
    assert!(text.contains(from), "{text}");
    text.replace(from, to).into_bytes()
}
