//! How a subscription stands: by what the runs remember of it, or by what the feed lists now.

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    content::ContentType,
    feed::{Subscription, subscription::START_INTERVAL},
    watermark::Watermark,
};

/// The subscription of a content type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SubscriptionState {
    /// No run has looked at it yet.
    #[default]
    Unknown,
    /// The feed lists it as enabled.
    Enabled,
    /// It was started, and the feed may need up to twelve hours until contents are listed.
    Started,
    /// It could not be started when that was last tried.
    NotStarted,
    /// The feed lists it as disabled.
    Disabled,
    /// The feed lists none.
    Missing,
}

impl SubscriptionState {
    /// The words for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Enabled => "enabled",
            Self::Started => "started lately",
            Self::NotStarted => "could not be started",
            Self::Disabled => "disabled",
            Self::Missing => "none",
        }
    }

    /// As the runs found it, which listed the subscriptions at `checked` for the last time.
    pub(super) fn remembered(watermark: &Watermark, checked: Option<OffsetDateTime>) -> Self {
        let listed_since = |started| watermark.looked_day_back.is_some_and(|looked| looked > started);
        match (watermark.start_tried, watermark.started, checked) {
            (_, Some(started), _) if listed_since(started) => Self::Enabled,
            // One that is not enabled is started at each look, as soon as the feed allows it again.
            (Some(tried), _, Some(checked)) if checked >= tried + START_INTERVAL => Self::Enabled,
            (Some(_), Some(_), _) => Self::Started,
            (Some(_), None, _) => Self::NotStarted,
            (None, _, Some(_)) => Self::Enabled,
            (None, _, None) => Self::Unknown,
        }
    }

    /// As the feed lists it now. That it was started lately is known by the runs alone, and stays.
    pub(super) fn listed(self, listed: &[Subscription], content_type: ContentType) -> Self {
        let mut states = listed.iter().filter(|one| one.is_of(content_type)).map(Subscription::is_enabled);
        match states.clone().any(|is_enabled| is_enabled) {
            true if self == Self::Started => self,
            true => Self::Enabled,
            false if states.next().is_some() => Self::Disabled,
            false => Self::Missing,
        }
    }
}
