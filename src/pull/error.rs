//! Why a run failed.

use super::summary::Summary;
use crate::{
    content::ContentType, dead_letter::UnknownLetters, feed::FeedError, ingestion::IngestionError, state::StateError,
};

/// A run that failed, in one thing or several. What it did all the same is in its summary.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.reasons().join("; "))]
pub struct RunFailed {
    /// Why; at least one.
    pub errors: Vec<RunError>,
    /// What it did.
    pub summary: Box<Summary>,
}

impl RunFailed {
    /// A run that failed before it did anything.
    pub(super) fn at_once(error: impl Into<RunError>) -> Self {
        Self { errors: vec![error.into()], summary: Box::default() }
    }

    /// Each reason on its own.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        self.errors.iter().map(ToString::to_string).collect()
    }
}

/// Why a run failed. What it did before was saved as far as it was answered.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state could not be read or written.
    #[error("state: {0}")]
    State(#[from] StateError),
    /// The data collection rule does not take the rows.
    #[error("ingestion: {0}")]
    Ingestion(#[from] IngestionError),
    /// Rows could not be written to the file that was asked for.
    #[error("output: {0}")]
    Output(std::io::Error),
    /// A content type could not be listed.
    #[error("{content_type}: {error}")]
    Listing {
        /// The content type.
        content_type: ContentType,
        /// What the feed said.
        error: FeedError,
    },
    /// Something that the feed listed of a content type could not be taken in.
    #[error("{content_type}: {reason}")]
    Unlisted {
        /// The content type.
        content_type: ContentType,
        /// What, and what came of it.
        reason: String,
    },
    /// Contents of a content type were listed, but none of them could be read.
    #[error("{content_type}: none of {failed} contents could be read; the last one failed with: {reason}")]
    Fetching {
        /// The content type.
        content_type: ContentType,
        /// How many.
        failed: u64,
        /// The last failure.
        reason: String,
    },
    /// Parts of the run were still waiting when its time was over. They were given up, and what was answered was saved.
    #[error(
        "{} did not end before the end of RUN_BUDGET_SECONDS, and had to be given up; what was answered is saved, and \
         the next run goes on",
        parts.join(", ")
    )]
    Hung {
        /// Which, as people call them.
        parts: Vec<String>,
    },
    /// Dead letters that were named are not there.
    #[error(transparent)]
    UnknownLetters(#[from] UnknownLetters),
    /// A part of the run ended in a way that it should not.
    #[error("{0}")]
    Broken(String),
}

impl RunError {
    /// Whether the run still holds its lock, and the document is still its own.
    #[must_use]
    pub const fn may_save(&self) -> bool {
        !matches!(self, Self::State(StateError::LockLost { .. } | StateError::Conflict { .. }))
    }

    /// Whether another run may hold the lock.
    #[must_use]
    pub const fn is_lock_lost(&self) -> bool {
        matches!(self, Self::State(StateError::LockLost { .. }))
    }
}
