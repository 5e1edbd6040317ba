//! Why the feed did not answer as asked, and what follows from it.

use std::{fmt, time::Duration};

use super::classify::excerpt;
use crate::{content::ContentType, identity::Token};

/// What the feed was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// List the subscriptions.
    Subscriptions,
    /// Start the subscription of a content type.
    Start(ContentType),
    /// Stop the subscription of a content type.
    Stop(ContentType),
    /// List the contents of a content type.
    List(ContentType),
    /// Fetch a content.
    Fetch {
        /// The content type that it was listed under.
        content_type: ContentType,
        /// Its id.
        id: String,
    },
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subscriptions => f.write_str("listing the subscriptions"),
            Self::Start(content_type) => write!(f, "starting the subscription of {content_type}"),
            Self::Stop(content_type) => write!(f, "stopping the subscription of {content_type}"),
            Self::List(content_type) => write!(f, "listing {content_type}"),
            Self::Fetch { content_type, id } => {
                write!(f, "fetching content {} of {content_type}", excerpt(id))
            }
        }
    }
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedErrorKind {
    /// Too many requests (AF429, HTTP 429): every worker of the tenant has to wait.
    Throttled {
        /// How long, where the service said so.
        retry_after: Option<Duration>,
    },
    /// Too many starts of a subscription; other calls are not affected.
    StartThrottled {
        /// How long to leave the subscription alone, where the service said so.
        retry_after: Option<Duration>,
    },
    /// The token is refused (HTTP 401), and so was a new one.
    Unauthorized,
    /// There is no token to send.
    NoToken,
    /// The application lacks its permission (AF10001).
    NotPermitted,
    /// The tenant, or the endpoint, is not one that can be read with this identity (AF20010 to AF20013).
    Misconfigured,
    /// Unified audit logging is off in the tenant ("Tenant … does not exist").
    AuditingOff,
    /// The content type has no subscription (AF20022).
    NoSubscription,
    /// An administrator disabled the subscription (AF20023).
    SubscriptionDisabled,
    /// The subscription runs already (AF20024); the client takes it as success.
    AlreadyEnabled,
    /// The window is out of reach, too long or backwards (AF20030, AF20055).
    BadWindow,
    /// The next page of a listing is not known any more (AF20031).
    StalePage,
    /// The content does not exist, has expired or has no valid id (AF20050, AF20051, AF20052).
    ContentGone,
    /// The service failed (AF5xxxx, HTTP 5xx, HTTP 408).
    Server {
        /// How long to wait, where the service said so.
        retry_after: Option<Duration>,
    },
    /// No answer, or not all of it: refused or broken connections, time-outs, truncated bodies.
    Transport,
    /// The answer is not what the API promises.
    Malformed,
    /// The feed named an address outside the configured endpoint. No request is made and no token sent.
    ForeignAddress,
    /// The service refuses this one request for a reason that is not known to the connector.
    Refused,
}

impl FeedErrorKind {
    const fn summary(self) -> &'static str {
        match self {
            Self::Throttled { .. } => "the feed asks for fewer requests",
            Self::StartThrottled { .. } => "the feed asks for fewer starts of this subscription",
            Self::Unauthorized => "the feed refuses the token",
            Self::NoToken => "there is no token for the feed",
            Self::NotPermitted => "the application is not permitted to read the feed",
            Self::Misconfigured => "the feed cannot be read with these settings",
            Self::AuditingOff => "the feed does not know the tenant",
            Self::NoSubscription => "there is no subscription",
            Self::SubscriptionDisabled => "the subscription is disabled",
            Self::AlreadyEnabled => "the subscription is enabled already",
            Self::BadWindow => "the feed refuses the window",
            Self::StalePage => "the feed does not know this page any more",
            Self::ContentGone => "the feed does not serve this content any more",
            Self::Server { .. } => "the feed failed",
            Self::Transport => "the feed gave no whole answer",
            Self::Malformed => "the answer is not what the feed promises",
            Self::ForeignAddress => "the address is not one of the feed's endpoint",
            Self::Refused => "the feed refuses the request",
        }
    }
}

/// Why a call to the feed failed. Shows what was asked, of which address (without its query), what the service said
/// and what to do; never a token.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct FeedError(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    kind: FeedErrorKind,
    operation: Operation,
    url: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    message: String,
}

impl FeedError {
    /// An error with what is known in every case: what was asked and what is to be told about it.
    pub(super) fn new(kind: FeedErrorKind, operation: &Operation, message: impl Into<String>) -> Self {
        let operation = operation.clone();
        Self(Box::new(Details { kind, operation, url: None, status: None, code: None, message: message.into() }))
    }

    /// Adds the address, which must have no query.
    pub(super) fn at(mut self, url: String) -> Self {
        self.0.url = Some(url);
        self
    }

    /// Adds what the service answered.
    pub(super) fn answered(mut self, status: u16, code: Option<String>) -> Self {
        self.0.status = Some(status);
        self.0.code = code;
        self
    }

    /// The error without `token` in what the service said: services and gateways echo what they were sent.
    #[must_use]
    pub fn without(mut self, token: &Token) -> Self {
        self.0.message = token.hide(&self.0.message);
        self.0.code = self.0.code.map(|code| token.hide(&code));
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> FeedErrorKind {
        self.0.kind
    }

    /// What was asked.
    #[must_use]
    pub const fn operation(&self) -> &Operation {
        &self.0.operation
    }

    /// The HTTP status, where there was an answer.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's code (`AF20022`), where it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Whether the same request may well succeed a little later. The client has tried that already as often as its
    /// [`Patience`](super::Patience) allows; the next run may try again.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        use FeedErrorKind::{Malformed, Server, Throttled, Transport};
        matches!(self.0.kind, Throttled { .. } | Server { .. } | Transport | Malformed)
    }

    /// Whether every worker of the tenant has to slow down.
    #[must_use]
    pub const fn is_throttled(&self) -> bool {
        matches!(self.0.kind, FeedErrorKind::Throttled { .. })
    }

    /// How long the service asks to wait, where it said so. Not bounded here.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        use FeedErrorKind::{Server, StartThrottled, Throttled};
        match self.0.kind {
            Throttled { retry_after } | StartThrottled { retry_after } | Server { retry_after } => retry_after,
            _ => None,
        }
    }

    /// Whether the token was refused, so that a new one is worth a try. Goes by the status: a permission that was
    /// granted a minute ago (AF10001) is in the next token only.
    #[must_use]
    pub const fn refuses_token(&self) -> bool {
        matches!(self.0.status, Some(401))
    }

    /// Whether nothing of this tenant can be read until a person changes something: the run stops for the tenant.
    #[must_use]
    pub const fn stops_tenant(&self) -> bool {
        use FeedErrorKind::{AuditingOff, Misconfigured, NoToken, NotPermitted, Unauthorized};
        matches!(self.0.kind, Unauthorized | NoToken | NotPermitted | Misconfigured | AuditingOff)
    }

    /// Whether the subscription is to be started before the content type can be listed.
    #[must_use]
    pub const fn needs_start(&self) -> bool {
        matches!(self.0.kind, FeedErrorKind::NoSubscription | FeedErrorKind::SubscriptionDisabled)
    }

    /// Whether the listing has to begin again at the first page of a window made anew.
    #[must_use]
    pub const fn restarts_listing(&self) -> bool {
        matches!(self.0.kind, FeedErrorKind::BadWindow | FeedErrorKind::StalePage)
    }

    /// Whether the content is out of reach for good: it is skipped and counted as lost.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        matches!(self.0.kind, FeedErrorKind::ContentGone)
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        self.0.hint()
    }
}

impl Details {
    fn hint(&self) -> Option<&'static str> {
        use FeedErrorKind::{
            AuditingOff, ForeignAddress, Malformed, Misconfigured, NoToken, NotPermitted, Refused, StartThrottled,
            SubscriptionDisabled, Throttled, Transport, Unauthorized,
        };
        Some(match (self.kind, self.code.as_deref(), self.status) {
            (Throttled { .. }, ..) => {
                "If this goes on, ask Microsoft support for a higher limit, and check PUBLISHER_ID: calls without one \
                 share a limit with strangers"
            }
            (StartThrottled { .. }, ..) => "A subscription is started no more often than every 15 minutes; wait",
            (Unauthorized, ..) => {
                "Check that M365_CLOUD is the tenant's cloud and that the identity is one of M365_TENANT_ID"
            }
            (NotPermitted, ..) => {
                "Grant the application permission ActivityFeed.Read of \"Office 365 Management APIs\" to the identity, \
                 with admin consent; a token of a managed identity may lack it for up to a day after that"
            }
            (Misconfigured, Some("AF20010"), _) => {
                "M365_TENANT_ID and the tenant of the identity differ: set M365_CLIENT_ID for an app registration \
                 that may read the tenant"
            }
            (Misconfigured, Some("AF20011"), _) | (AuditingOff, ..) => {
                "Turn on auditing in the Microsoft Purview portal (it takes some hours), and check M365_TENANT_ID and \
                 M365_CLOUD"
            }
            (Misconfigured, Some("AF20012"), _) => {
                "The service holds a wrong configuration of the tenant: open a ticket with Microsoft support"
            }
            (Misconfigured, Some("AF20013"), _) => {
                "M365_TENANT_ID must be a GUID, for example 11111111-1111-4111-8111-111111111111"
            }
            (Misconfigured, ..) => "Check M365_TENANT_ID and M365_MANAGEMENT_ENDPOINT",
            (NoToken, ..) => "Check the identity's settings; `labelstream doctor` names what is missing",
            (SubscriptionDisabled, ..) => {
                "An administrator of the tenant or the service disabled it: `labelstream connect` starts it again"
            }
            (ForeignAddress, ..) => "Check M365_MANAGEMENT_ENDPOINT and M365_CLOUD",
            (Transport | Malformed, ..) => {
                "Check the network and any proxy on the way, and M365_MANAGEMENT_ENDPOINT, if it goes on"
            }
            (Refused, _, Some(300..400)) => "Redirects are not followed: check M365_MANAGEMENT_ENDPOINT",
            (Refused, _, Some(403)) => {
                "Check the permission ActivityFeed.Read and its admin consent, and any firewall on the way"
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.kind.summary())?;
        let status = self.status.map(|status| format!("HTTP {status}"));
        let facts: Vec<_> = [&status, &self.code, &self.url].into_iter().flatten().map(String::as_str).collect();
        if !facts.is_empty() {
            write!(f, " ({})", facts.join(", "))?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end_matches('.'))?;
        }
        self.hint().map_or(Ok(()), |hint| write!(f, ". {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_failed_why_and_what_to_do() {
        let error =
            FeedError::new(FeedErrorKind::NotPermitted, &Operation::List(ContentType::General), "No permission.")
                .at("https://manage.office.com/api/v1.0/t/activity/feed/subscriptions/content".to_owned())
                .answered(403, Some("AF10001".to_owned()));
        let text = error.to_string();
        let expected = "listing Audit.General: the application is not permitted to read the feed (HTTP 403, AF10001, \
                        https://manage.office.com/api/v1.0/t/activity/feed/subscriptions/content): No permission. \
                        Grant the application permission ActivityFeed.Read";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn what_is_not_known_is_not_in_the_text() {
        let content = Operation::Fetch { content_type: ContentType::Exchange, id: "a$b".to_owned() };
        let error = FeedError::new(FeedErrorKind::ContentGone, &content, "");
        let text = "fetching content a$b of Audit.Exchange: the feed does not serve this content any more";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn every_kind_that_stops_a_tenant_tells_what_to_do() {
        use FeedErrorKind::{AuditingOff, Misconfigured, NoToken, NotPermitted, Unauthorized};
        for kind in [AuditingOff, Misconfigured, NoToken, NotPermitted, Unauthorized] {
            let error = FeedError::new(kind, &Operation::Subscriptions, "");
            assert!(error.stops_tenant() && !error.is_retryable() && error.hint().is_some(), "{kind:?}");
        }
    }
}
