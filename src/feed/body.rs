//! The body of an answer, chunk by chunk.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use reqwest::Response;
use tokio::time::timeout;

use super::error::{FeedError, FeedErrorKind, Operation};

/// The most that [`Body::chunk`] hands over at once. A fast connection gives some 400 KB; what is made of a chunk waits
/// side by side with that of other contents, so that its size counts many times over.
const CHUNK: usize = 64 * 1024;

/// A body on its way in, unpacked. No more of it is kept than came in at once, so its size does not matter here.
#[derive(Debug)]
pub struct Body {
    response: Response,
    /// What came in and was not handed over yet.
    came: Bytes,
    operation: Operation,
    shown: String,
    idle: Duration,
    /// Set once the body broke: a caller that asks again must not take the silence for the end.
    failed: Option<FeedError>,
}

impl Body {
    pub(super) const fn new(response: Response, operation: Operation, shown: String, idle: Duration) -> Self {
        Self { response, came: Bytes::new(), operation, shown, idle, failed: None }
    }

    /// The next bytes, at most 64 KiB, or `None` at the end of a body that came in whole.
    ///
    /// # Errors
    /// The connection broke, nothing came for too long, or the body ended before it was whole (by its length, its
    /// chunks or its gzip trailer). What came before is of no use then: fetch again. Later calls give the same error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FeedError> {
        if !self.came.is_empty() {
            return Ok(Some(self.next_of_what_came()));
        }
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let reason = match timeout(self.idle, self.response.chunk()).await {
            Ok(Ok(came)) => {
                return Ok(came.map(|came| {
                    self.came = came;
                    self.next_of_what_came()
                }));
            }
            Ok(Err(error)) => spelled_out(error),
            Err(_) => format!("nothing came for {} s", self.idle.as_secs_f32()),
        };
        let reason = format!("the body broke off: {reason}");
        let error = FeedError::new(FeedErrorKind::Transport, &self.operation, reason)
            .answered(self.response.status().as_u16(), None)
            .at(self.shown.clone());
        self.failed = Some(error.clone());
        Err(error)
    }

    fn next_of_what_came(&mut self) -> Bytes {
        self.came.split_to(self.came.len().min(CHUNK))
    }

    /// The body up to `limit` bytes, and how it ended there.
    pub(super) async fn up_to(mut self, limit: usize) -> (Vec<u8>, End) {
        let mut bytes = Vec::new();
        loop {
            match self.chunk().await {
                Ok(Some(chunk)) if chunk.len() <= limit - bytes.len() => bytes.extend_from_slice(&chunk),
                Ok(Some(chunk)) => {
                    bytes.extend_from_slice(&chunk[..limit - bytes.len()]);
                    return (bytes, End::Limit);
                }
                Ok(None) => return (bytes, End::Whole),
                Err(error) => return (bytes, End::Broken(error)),
            }
        }
    }
}

/// How the reading of a body ended.
#[derive(Debug)]
pub(super) enum End {
    /// At its end.
    Whole,
    /// At the limit; there is more.
    Limit,
    /// In the middle.
    Broken(FeedError),
}

/// An error with its causes, without the URL: its query is nobody's business.
pub(super) fn spelled_out(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
