//! A thin client of one queue.

use std::{fmt, sync::Arc, time::Duration};

use azure_core::credentials::TokenCredential;
use azure_storage_queue::{
    QueueClient,
    models::{QueueClientGetPropertiesResultHeaders as _, QueueClientSendMessageOptions, QueueMessage, SentMessage},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use time::OffsetDateTime;

use super::error::QueueError;
use crate::state::{
    client::connect_queue,
    connection::{Access, ConnectionError, StorageAccount},
    refusal::Refusal,
};

/// The queue of `FleetPull/function.json`.
pub const WORK_QUEUE: &str = "labelstream-work";

/// A message that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// When, by the clock of the storage, in whole seconds.
    pub at: OffsetDateTime,
}

/// A queue, which is made by the first message where it is missing. Its `Debug` shows no secret.
pub struct WorkQueue {
    client: QueueClient,
    name: String,
    access: Access,
}

impl WorkQueue {
    /// The queue `name` of `account`; nothing is sent yet. `credential` hands out the tokens where the account is entered
    /// with an identity.
    ///
    /// # Errors
    /// The account needs a credential and there is none.
    pub fn open(
        account: &StorageAccount,
        name: &str,
        credential: Option<Arc<dyn TokenCredential>>,
    ) -> Result<Self, ConnectionError> {
        let client = connect_queue(account, name, credential)?;
        Ok(Self { client, name: name.to_owned(), access: account.access().clone() })
    }

    /// Puts a message behind the others, for nobody to see before `hidden` is over. Its text goes as base64, which the
    /// host takes by default (`messageEncoding`). Where the answer is lost and the SDK tries again, there are two of it.
    ///
    /// # Errors
    /// The storage refuses or fails.
    pub async fn put(&self, text: &str, hidden: Duration) -> Result<Sent, QueueError> {
        let sent = match self.send(text, hidden).await {
            Err(error) if Refusal::of(&error) == Refusal::NoBlob => {
                self.make().await?;
                self.send(text, hidden).await
            }
            answer => answer,
        };
        let at = sent.map_err(|error| self.error(error))?.insertion_time;
        let at = at.ok_or_else(|| QueueError::Unavailable {
            queue: self.name.clone(),
            reason: "the answer lacks the time of the message; is this the address of a queue service?".to_owned(),
        })?;
        Ok(Sent { at })
    }

    /// How many messages there are, hidden ones too: not fewer than there are, and perhaps more (Get Queue Metadata). A
    /// queue that is missing has none.
    ///
    /// # Errors
    /// The storage refuses or fails.
    pub async fn approximate_count(&self) -> Result<u64, QueueError> {
        let count = match self.client.get_properties(None).await {
            Ok(answer) => answer.approximate_messages_count(),
            Err(error) if Refusal::of(&error) == Refusal::NoBlob => return Ok(0),
            Err(error) => Err(error),
        };
        let count = count.map_err(|error| self.error(error))?;
        count.and_then(|count| u64::try_from(count).ok()).ok_or_else(|| QueueError::Unavailable {
            queue: self.name.clone(),
            reason: "the answer lacks the number of messages; is this the address of a queue service?".to_owned(),
        })
    }

    async fn send(&self, text: &str, hidden: Duration) -> azure_core::Result<SentMessage> {
        let message = QueueMessage { message_text: Some(STANDARD.encode(text)) };
        let seconds = i32::try_from(hidden.as_secs()).unwrap_or(i32::MAX);
        let options = QueueClientSendMessageOptions {
            visibility_timeout: (seconds > 0).then_some(seconds),
            ..QueueClientSendMessageOptions::default()
        };
        self.client.send_message(message.try_into()?, Some(options)).await?.into_model()?.into_message()
    }

    /// Makes the queue; that another made it first is as good.
    async fn make(&self) -> Result<(), QueueError> {
        self.client.create(None).await.map(drop).map_err(|error| self.error(error))
    }

    fn error(&self, error: azure_core::Error) -> QueueError {
        QueueError::of(&self.name, &self.access, error)
    }
}

impl fmt::Debug for WorkQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkQueue").field("name", &self.name).field("access", &self.access).finish_non_exhaustive()
    }
}
