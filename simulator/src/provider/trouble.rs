//! The ways in which a customer's tenant cannot be read, whatever the connector does.

use crate::{Config, ContentType, Effect, Endpoint, Fault, Simulator, When};

/// What is wrong with a tenant. [`Trouble::set_up`] belongs before its start, [`Trouble::begin`] after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The app was not granted the permission for the feed.
    NoPermission,
    /// The tenant id is of no tenant.
    UnknownTenant,
    /// An administrator disabled the subscriptions: AF20023.
    SubscriptionDisabled,
    /// The feed throttles each call, for ever.
    Throttled,
    /// A content of each content type is no array of records, and never becomes one. What else is published can be read.
    PoisonedContent,
}

impl Trouble {
    /// All five.
    pub const ALL: [Self; 5] =
        [Self::NoPermission, Self::UnknownTenant, Self::SubscriptionDisabled, Self::Throttled, Self::PoisonedContent];

    /// What of it is in the set-up of a tenant.
    pub fn set_up(self, config: &mut Config) {
        match self {
            Self::NoPermission => config.feed_roles.clear(),
            Self::UnknownTenant => config.exists = false,
            Self::Throttled => config.feed_calls_per_minute = Some(0),
            Self::SubscriptionDisabled | Self::PoisonedContent => {}
        }
    }

    /// What of it is done to a running tenant.
    ///
    /// # Errors
    /// Says what [`Fault::check`] holds against a fault.
    pub fn begin(self, tenant: &Simulator) -> Result<(), String> {
        match self {
            Self::SubscriptionDisabled => {
                for endpoint in [Endpoint::Start, Endpoint::List, Endpoint::Retrieve] {
                    tenant.fault(Fault::new(endpoint, When::Always, Effect::af("AF20023")))?;
                }
            }
            Self::PoisonedContent => {
                for (content_type, body) in ContentType::WITH_LABELS.into_iter().zip([POISON, b"[{\"Id\":", b"<html>"])
                {
                    tenant.publish_body(content_type, tenant.now() - MINUTES_AGO, body, &[]);
                }
            }
            Self::NoPermission | Self::UnknownTenant | Self::Throttled => {}
        }
        Ok(())
    }
}

/// Brackets without end.
const POISON: &[u8] = &[b'['; 64 * 1024];
/// When poisoned contents were created.
const MINUTES_AGO: time::Duration = time::Duration::minutes(5);
