//! A queue of the storage emulator, as a test looks at it.

use azure_core::{
    credentials::Secret,
    hmac::hmac_sha256,
    http::{RequestContent, StatusCode, Url, XmlFormat, headers::HeaderName},
};
use azure_storage_queue::{
    QueueClient, QueueClientOptions,
    models::{
        QueueClientGetPropertiesResultHeaders as _, QueueClientReceiveMessagesOptions, QueueClientSendMessageOptions,
        QueueMessage,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use time::OffsetDateTime;

use crate::azurite::{ACCOUNT, Azurite, KEY};

/// The newest version of the Queue service's API that the emulator takes.
const API_VERSION: &str = "2025-11-05";

/// A queue.
pub struct Queue {
    account: String,
    name: String,
    client: QueueClient,
}

/// A message that was taken: nobody else sees it before its lock is over.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    /// As it lies in the queue.
    pub raw: String,
    pub dequeue_count: i64,
    /// Proves that it is still the taker's.
    pub receipt: String,
    pub inserted: OffsetDateTime,
    pub expires: OffsetDateTime,
    pub visible_again: OffsetDateTime,
}

/// Whether an order was carried out, or came too late: the message was deleted, or its lock was over and another has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done<T = ()> {
    Yes(T),
    TooLate,
}

impl Queue {
    /// The queue of the shared emulator with this name, which need not be there.
    pub fn named(name: &str) -> Self {
        Self::of(ACCOUNT, name)
    }

    /// The queue of another account of the shared emulator.
    pub fn of(account: &str, name: &str) -> Self {
        let endpoint = Azurite::shared().queue_endpoint().replace(ACCOUNT, account);
        let mut url = Url::parse(&format!("{endpoint}/{name}")).expect("an address");
        for (field, value) in signed_access(account) {
            url.query_pairs_mut().append_pair(field, &value);
        }
        let options = QueueClientOptions { version: API_VERSION.to_owned(), ..QueueClientOptions::default() };
        let client = QueueClient::new(url, None, Some(options)).expect("a client");
        Self { account: account.to_owned(), name: name.to_owned(), client }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the host puts what keeps failing.
    pub fn poison(&self) -> Self {
        Self::of(&self.account, &format!("{}-poison", self.name))
    }

    /// Makes it, where it is not there.
    pub async fn create(&self) -> azure_core::Result<()> {
        self.client.create(None).await.map(drop)
    }

    /// Puts a message as the host's encoding has it: the base64 of `text`.
    pub async fn put(&self, text: &str) -> azure_core::Result<()> {
        self.put_raw(&STANDARD.encode(text)).await
    }

    /// Puts a message as it is.
    pub async fn put_raw(&self, raw: &str) -> azure_core::Result<()> {
        let message = QueueMessage { message_text: Some(raw.to_owned()) };
        let content: RequestContent<QueueMessage, XmlFormat> = message.try_into()?;
        self.client.send_message(content, None::<QueueClientSendMessageOptions<'_>>).await.map(drop)
    }

    /// Takes up to `most` messages (32 at most) and hides them for so many seconds; none where there is no queue.
    pub async fn take(&self, most: u32, seconds: u32) -> azure_core::Result<Vec<Message>> {
        let options = QueueClientReceiveMessagesOptions {
            number_of_messages: Some(most as i32),
            visibility_timeout: Some(seconds as i32),
            ..QueueClientReceiveMessagesOptions::default()
        };
        let taken = match self.client.receive_messages(Some(options)).await {
            Err(error) if error.http_status() == Some(StatusCode::NotFound) => return Ok(Vec::new()),
            other => other?.into_model()?,
        };
        let message = |taken: azure_storage_queue::models::ReceivedMessage| Message {
            id: taken.message_id.expect("an id"),
            raw: taken.message_text.unwrap_or_default(),
            dequeue_count: taken.dequeue_count.expect("a count"),
            receipt: taken.pop_receipt.expect("a receipt"),
            inserted: taken.insertion_time.expect("a time"),
            expires: taken.expiration_time.expect("a time"),
            visible_again: taken.time_next_visible.expect("a time"),
        };
        Ok(taken.items.unwrap_or_default().into_iter().map(message).collect())
    }

    /// Hides a taken message for so many seconds from now; 0 shows it at once. Answers the new receipt.
    pub async fn hide(&self, message: &str, receipt: &str, seconds: u32) -> azure_core::Result<Done<String>> {
        let response = match self.client.update_message(message, receipt, seconds as i32, None).await {
            Err(error) if is_too_late(&error) => return Ok(Done::TooLate),
            other => other?,
        };
        let receipt = response.headers().get_str(&HeaderName::from_static("x-ms-popreceipt"))?;
        Ok(Done::Yes(receipt.to_owned()))
    }

    /// Deletes a taken message.
    pub async fn delete(&self, message: &str, receipt: &str) -> azure_core::Result<Done> {
        match self.client.delete_message(message, receipt, None).await {
            Err(error) if is_too_late(&error) => Ok(Done::TooLate),
            other => other.map(|_| Done::Yes(())),
        }
    }

    /// How many messages there are, hidden ones too; exact in the emulator. 0 where there is no queue.
    pub async fn count(&self) -> usize {
        match self.client.get_properties(None).await {
            Ok(found) => found.approximate_messages_count().expect("a number").expect("a count") as usize,
            Err(error) if error.http_status() == Some(StatusCode::NotFound) => 0,
            Err(error) => panic!("the messages of {} could not be counted: {error}", self.name),
        }
    }

    /// The messages that can be seen, as they lie there, up to 32; none where there is no queue.
    pub async fn peek(&self) -> Vec<String> {
        let options = azure_storage_queue::models::QueueClientPeekMessagesOptions {
            number_of_messages: Some(32),
            ..Default::default()
        };
        let found = match self.client.peek_messages(Some(options)).await {
            Ok(found) => found.into_model().expect("messages"),
            Err(error) if error.http_status() == Some(StatusCode::NotFound) => return Vec::new(),
            Err(error) => panic!("{} could not be looked at: {error}", self.name),
        };
        found.items.unwrap_or_default().into_iter().map(|message| message.message_text.unwrap_or_default()).collect()
    }
}

/// The text of a message as the host reads it: base64 of UTF-8. `None` where it is none.
pub fn decode(raw: &str) -> Option<String> {
    let unbroken: String = raw.chars().filter(|sign| !sign.is_ascii_whitespace()).collect();
    STANDARD.decode(unbroken).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn is_too_late(error: &azure_core::Error) -> bool {
    matches!(error.http_status(), Some(StatusCode::NotFound | StatusCode::BadRequest))
}

/// An account SAS for all of the queues ("Create an account SAS", learn.microsoft.com, rest/api/storageservices).
fn signed_access(account: &str) -> [(&'static str, String); 6] {
    let (version, permissions, expiry) = ("2019-12-12", "rwdlacup", "2099-01-01T00:00:00Z");
    let text = format!("{account}\n{permissions}\nq\nsco\n\n{expiry}\n\n\n{version}\n");
    let signature = hmac_sha256(&text, &Secret::new(KEY)).expect("a signature");
    let fields =
        [("sv", version), ("ss", "q"), ("srt", "sco"), ("sp", permissions), ("se", expiry), ("sig", &signature)];
    fields.map(|(name, value)| (name, value.to_owned()))
}
