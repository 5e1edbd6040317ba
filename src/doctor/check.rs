//! What is looked at.

/// One thing that the connector needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "`what` says it, for people and for the documentation")]
pub enum Check {
    Host,
    Settings,
    FeedToken,
    FeedPermission,
    Feed,
    Auditing,
    Subscription,
    Listing,
    State,
    Lease,
    IngestionToken,
    Ingestion,
    GraphToken,
    Labels,
    Clock,
}

impl Check {
    /// Every check, in the order of the report.
    pub const ALL: [Self; 15] = [
        Self::Host,
        Self::Settings,
        Self::FeedToken,
        Self::FeedPermission,
        Self::Feed,
        Self::Auditing,
        Self::Subscription,
        Self::Listing,
        Self::State,
        Self::Lease,
        Self::IngestionToken,
        Self::Ingestion,
        Self::GraphToken,
        Self::Labels,
        Self::Clock,
    ];

    /// Its name in the report.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Settings => "settings",
            Self::FeedToken => "feed-token",
            Self::FeedPermission => "feed-permission",
            Self::Feed => "feed",
            Self::Auditing => "auditing",
            Self::Subscription => "subscription",
            Self::Listing => "listing",
            Self::State => "state",
            Self::Lease => "lease",
            Self::IngestionToken => "ingestion-token",
            Self::Ingestion => "ingestion",
            Self::GraphToken => "graph-token",
            Self::Labels => "labels",
            Self::Clock => "clock",
        }
    }

    /// What it looks at, as the documentation has it.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Host => {
                "`host.json`, the function folders, the handler's file and the host's variables, where there is a \
                 function app's folder"
            }
            Self::Settings => "every app setting, all at once",
            Self::FeedToken => {
                "a token for the Management Activity API: for the right audience, of the tenant that is read"
            }
            Self::FeedPermission => {
                "the permission in that token (`ActivityFeed.Read`; `ActivityFeed.ReadDlp` for `DLP.All`)"
            }
            Self::Feed => "whether the feed answers this identity for this tenant",
            Self::Auditing => "whether the feed knows the tenant, which it does while auditing is on",
            Self::Subscription => "the subscription of each content type",
            Self::Listing => "a listing of the last 24 hours of each content type",
            Self::State => {
                "the rights on the state: each step of a run is asked of a blob that is not there, and cannot be carried out"
            }
            Self::Lease => "the lock: the right to take it, asked in the same way, and whether it can be had",
            Self::IngestionToken => "a token for Azure Monitor, for the right audience",
            Self::Ingestion => {
                "whether the data collection rule and its streams, of label events and of runs, are there and take \
                 something from this identity; an empty array is sent, or one row with `--send-test-row`"
            }
            Self::GraphToken => "a token for Microsoft Graph, where `LABELS` is `graph`",
            Self::Labels => "the label names: Microsoft Graph, or the map of `LABELS`",
            Self::Clock => "this machine's clock against the `Date` of every service",
        }
    }

    /// What mends it as a rule, as the documentation has it; a finding has the very command.
    #[must_use]
    pub const fn mended_by(self) -> &'static str {
        match self {
            Self::Host => "deploy the whole package again; set `TIMER_SCHEDULE`",
            Self::Settings => "set what is named; each has an example",
            Self::FeedToken => "assign the identity, or correct `M365_CLIENT_ID` and what goes with it",
            Self::FeedPermission => "`./scripts/grant-feed-access`, then restart the app: a token may be a day old",
            Self::Feed => "what the answer says: network, `M365_CLOUD`, `M365_MANAGEMENT_ENDPOINT`",
            Self::Auditing => "`Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true`",
            Self::Subscription => "`labelstream connect`",
            Self::Listing => "what the answer says",
            Self::State => "the role Storage Blob Data Owner on the storage account; its network rules",
            Self::Lease => "as for `state`; `az storage blob lease break`",
            Self::IngestionToken => "assign the identity, or correct `AZURE_CLIENT_ID`",
            Self::Ingestion => {
                "the role Monitoring Metrics Publisher on the rule (up to 30 minutes); `DATA_COLLECTION_ENDPOINT`, \
                 `LOGS_DCR_RULE_ID`, `LOGS_DCR_STREAM_NAME`"
            }
            Self::GraphToken => "as for `feed-token`",
            Self::Labels => "`./scripts/grant-feed-access`; a map in `LABELS`, or `LABELS=off`",
            Self::Clock => "`timedatectl set-ntp true`",
        }
    }
}
