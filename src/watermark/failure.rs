//! A content that fails, and when it is given up.

use time::{Duration, OffsetDateTime};

use crate::content::Content;

/// After how many runs in which it was served and could not be read, while others of its content type could, a content
/// is given up at the next failure. At a run every five minutes that is over half an hour, longer than the service's
/// short faults last.
pub const MAX_TRIES: u32 = 8;

/// How long the feed serves a content after its publication, at the least (Management Activity API reference: 7 days).
/// Until then a content that the feed fails to serve is tried again.
const SERVED_FOR: Duration = Duration::days(7);

/// After how many failures of the feed in a row, with no content read in between, the run fetches no more of a content
/// type: what is down is left alone, and the next run begins where this one stopped. Contents that failed in earlier
/// runs are counted apart: so many of them stop none that is new.
pub const DOWN_AFTER: u32 = 10;

/// Why a content could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The feed serves it no more: trying again is no use.
    Expired(String),
    /// It was served and cannot be read.
    Unreadable(String),
    /// The feed did not serve it; it may well do so later.
    Feed(String),
}

impl Failure {
    /// What went wrong.
    #[must_use]
    pub fn reason(&self) -> &str {
        let (Self::Expired(reason) | Self::Unreadable(reason) | Self::Feed(reason)) = self;
        reason
    }

    /// What becomes of `content`, which failed in this way at `now` and used up `tries` of its tries before.
    #[must_use]
    pub fn verdict(&self, content: &Content, tries: u32, now: OffsetDateTime) -> Verdict {
        let at_least = content.created.saturating_add(SERVED_FOR);
        let served_until = content.expires.map_or(at_least, |expires| expires.max(at_least));
        let is_last_try = match self {
            Self::Expired(_) => true,
            Self::Unreadable(_) => tries >= MAX_TRIES,
            Self::Feed(_) => false,
        };
        if is_last_try || now > served_until { Verdict::GiveUp { tries: tries + 1 } } else { Verdict::Later }
    }
}

/// What becomes of a content that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried again in a later run.
    Later,
    /// It goes to the dead letters; [`super::Listing::given_up`] follows once it is there.
    GiveUp {
        /// How many runs tried it.
        tries: u32,
    },
}
