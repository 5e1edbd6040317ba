//! Subscriptions: without one the feed lists nothing of a content type.

use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::content::ContentType;

/// How long after a start the next start of the same content type is tried: the service asks for 15 minutes between
/// start requests and throttles what comes sooner (Management Activity API reference, "Start a subscription").
pub const START_INTERVAL: Duration = Duration::minutes(15);

/// A subscription as the feed lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The name of its content type, kept as text: the feed may know types that [`ContentType`] does not.
    pub content_type: String,
    /// `enabled` or `disabled`. The documentation's own sample has an element without it.
    #[serde(default)]
    pub status: Option<String>,
}

impl Subscription {
    /// Whether its contents can be listed. One without a status counts as enabled: the feed listed it, and if it is
    /// not, the listing says so (AF20023).
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.status.as_ref().is_none_or(|status| status.eq_ignore_ascii_case("enabled"))
    }

    /// Whether it is the one of `content_type`.
    #[must_use]
    pub fn is_of(&self, content_type: ContentType) -> bool {
        self.content_type.eq_ignore_ascii_case(content_type.as_str())
    }
}

/// Those of `wanted` that have no enabled subscription among `listed`, in the order of `wanted`.
#[must_use]
pub fn to_start(listed: &[Subscription], wanted: &[ContentType]) -> Vec<ContentType> {
    let runs = |wanted| listed.iter().any(|subscription| subscription.is_of(wanted) && subscription.is_enabled());
    wanted.iter().copied().filter(|&wanted| !runs(wanted)).collect()
}

/// Whether a content type whose start was last tried at `last` may be started at `now`. A `last` in the future (a
/// clock was set) is no reason to wait for more than [`START_INTERVAL`].
#[must_use]
pub fn may_start(last: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
    last.is_none_or(|last| (now - last).abs() >= START_INTERVAL)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn listed(entries: &[(&str, Option<&str>)]) -> Vec<Subscription> {
        let subscription = |&(name, status): &(&str, Option<&str>)| Subscription {
            content_type: name.to_owned(),
            status: status.map(str::to_owned),
        };
        entries.iter().map(subscription).collect()
    }

    #[test]
    fn what_is_missing_or_disabled_is_started() {
        use ContentType::{Exchange, General, SharePoint};
        let wanted = [General, SharePoint, Exchange];
        assert_eq!(to_start(&[], &wanted), wanted);
        let some =
            listed(&[("audit.general", Some("Enabled")), ("Audit.SharePoint", Some("disabled")), ("New.Type", None)]);
        assert_eq!(to_start(&some, &wanted), [SharePoint, Exchange]);
        let all = listed(&[("Audit.General", None), ("Audit.SharePoint", Some("enabled")), ("Audit.Exchange", None)]);
        assert_eq!(to_start(&all, &wanted), []);
    }

    #[test]
    fn only_what_is_wanted_is_started() {
        assert_eq!(
            to_start(&listed(&[("DLP.All", Some("disabled"))]), &[ContentType::General]),
            [ContentType::General]
        );
        assert_eq!(to_start(&[], &[]), []);
    }

    #[test]
    fn starts_keep_their_interval() {
        let now = datetime!(2026-08-20 12:00:00 UTC);
        assert!(may_start(None, now));
        for (minutes, may) in [(0, false), (14, false), (15, true), (60, true), (-1, false), (-15, true)] {
            assert_eq!(may_start(Some(now - Duration::minutes(minutes)), now), may, "{minutes} minutes ago");
        }
    }
}
