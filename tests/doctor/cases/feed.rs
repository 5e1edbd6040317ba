//! The identity and the feed.

use super::*;

pub const CASES: &[Case] = &[
    Case {
        broken: "the identity is not assigned",
        setup: || {
            with(|setup| {
                setup.config.identity_client_id = Some(ANOTHER.to_owned());
                setup.settings.push(("AZURE_CLIENT_ID", ANOTHER.replace('1', "9")));
            })
        },
        named: &[("feed-token", "failed")],
        found: "user-assigned managed identity",
        fix: "Assign the identity to the function app, or correct AZURE_CLIENT_ID",
    },
    Case {
        broken: "the identity is of another tenant",
        setup: || configured(|config| config.token_tenant = Some(ANOTHER.to_owned())),
        named: &[("feed-token", "failed")],
        found: ANOTHER,
        fix: "Correct M365_TENANT_ID",
    },
    Case {
        broken: "ActivityFeed.Read is not granted",
        setup: || configured(|config| config.feed_roles.clear()),
        named: &[("feed-permission", "failed")],
        found: "ActivityFeed.Read is not among the token's permissions (none)",
        fix: "./scripts/grant-feed-access --principal-id 0b1ec700-0000-4000-8000-000000000001",
    },
    Case {
        broken: "ActivityFeed.ReadDlp is not granted",
        setup: || set("CONTENT_TYPES", "Audit.General,DLP.All"),
        named: &[("feed-permission", "failed")],
        found: "ActivityFeed.ReadDlp is not among the token's permissions (ActivityFeed.Read)",
        fix: "grant-feed-access",
    },
    Case {
        broken: "the identity endpoint is away",
        setup: || set("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token"),
        named: &[("feed-token", "failed")],
        found: "Connection refused",
        fix: "IDENTITY_ENDPOINT",
    },
    Case {
        broken: "the token is for another service",
        setup: || faulty(token_for("https://manage.office365.us").matching("manage.office.com")),
        named: &[("feed-token", "failed")],
        found: "the token is for https://manage.office365.us, and https://manage.office.com is wanted",
        fix: "Set M365_CLOUD",
    },
    Case {
        broken: "the feed refuses the token",
        setup: || faulty(always(Endpoint::Subscriptions, 401)),
        named: &[("feed", "failed")],
        found: "the feed refuses the token",
        fix: "M365_CLOUD",
    },
    Case {
        broken: "the feed is away",
        setup: || faulty(always(Endpoint::Subscriptions, 503)),
        named: &[("feed", "failed")],
        found: "HTTP 503",
        fix: "Try again",
    },
    Case {
        broken: "auditing is off",
        setup: || configured(|config| config.auditing = false),
        named: &[("auditing", "failed")],
        found: "does not exist",
        fix: "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true",
    },
    Case {
        broken: "nothing is published",
        setup: || with(|setup| setup.published = false),
        named: &[("auditing", "warning")],
        found: "published nothing in the last 24 hours",
        fix: "Get-AdminAuditLogConfig",
    },
    Case {
        broken: "the subscription of Audit.General is missing",
        setup: || with(|setup| setup.stopped.push(ContentType::General)),
        named: &[("subscription Audit.General", "failed")],
        found: "there is none that is enabled",
        fix: "labelstream connect",
    },
    Case {
        broken: "a subscription is not served yet",
        setup: || {
            let not_yet = Fault::new(Endpoint::List, When::Always, Effect::af("AF20022"));
            faulty(not_yet.matching("Audit.Exchange"))
        },
        named: &[("subscription Audit.Exchange", "warning")],
        found: "AF20022",
        fix: "Wait",
    },
    Case {
        broken: "a content type cannot be listed",
        setup: || faulty(always(Endpoint::List, 500).matching("Audit.SharePoint")),
        named: &[("listing Audit.SharePoint", "failed")],
        found: "HTTP 500",
        fix: "Try again",
    },
    Case {
        broken: "the feed cannot be reached",
        setup: || set("M365_MANAGEMENT_ENDPOINT", "http://127.0.0.1:9"),
        named: &[("feed", "failed")],
        found: "127.0.0.1:9",
        fix: "M365_MANAGEMENT_ENDPOINT",
    },
    Case {
        broken: "the feed throttles",
        setup: || {
            faulty(Fault::new(Endpoint::Subscriptions, When::Always, Effect::throttled(RetryAfter::Seconds(600))))
        },
        named: &[("feed", "failed")],
        found: "the feed asks for fewer requests",
        fix: "PUBLISHER_ID",
    },
    Case {
        broken: "the feed does not permit what the token says",
        setup: || faulty(Fault::new(Endpoint::Subscriptions, When::Always, Effect::af("AF10001"))),
        named: &[("feed", "failed")],
        found: "AF10001",
        fix: "Grant the application permission ActivityFeed.Read",
    },
    Case {
        broken: "the tenant of the address is another",
        setup: || faulty(Fault::new(Endpoint::Subscriptions, When::Always, Effect::af("AF20010"))),
        named: &[("feed", "failed")],
        found: "AF20010",
        fix: "M365_CLIENT_ID",
    },
    Case {
        broken: "the feed does not know the tenant",
        setup: || faulty(Fault::new(Endpoint::Subscriptions, When::Always, Effect::af("AF20011"))),
        named: &[("auditing", "failed")],
        found: "AF20011",
        fix: "Set-AdminAuditLogConfig",
    },
    Case {
        broken: "the subscription of Audit.SharePoint is missing",
        setup: || with(|setup| setup.stopped.push(ContentType::SharePoint)),
        named: &[("subscription Audit.SharePoint", "failed")],
        found: "there is none that is enabled",
        fix: "labelstream connect",
    },
    Case {
        broken: "the subscription of Audit.Exchange is missing",
        setup: || with(|setup| setup.stopped.push(ContentType::Exchange)),
        named: &[("subscription Audit.Exchange", "failed")],
        found: "there is none that is enabled",
        fix: "labelstream connect",
    },
    Case {
        broken: "a subscription was disabled",
        setup: || faulty(disabled()),
        named: &[("subscription Audit.General", "failed")],
        found: "there is none that is enabled",
        fix: "labelstream connect",
    },
    Case {
        broken: "a listing is refused",
        setup: || faulty(Fault::new(Endpoint::List, When::Always, Effect::af("AF10001")).matching("Audit.Exchange")),
        named: &[("listing Audit.Exchange", "failed")],
        found: "AF10001",
        fix: "Grant the application permission",
    },
];
