//! How a simulator is set up.

use std::{path::PathBuf, time::Duration};

use time::Duration as Span;

use crate::{events::Mix, rule::Rule, stream::Columns, under_way::UnderWay, window::FARTHEST};

/// Audience of the feed in the commercial cloud.
pub const FEED_AUDIENCE: &str = "https://manage.office.com";
/// Audience of Graph in the commercial cloud.
pub const GRAPH_AUDIENCE: &str = "https://graph.microsoft.com";
/// Audience of the ingestion endpoint in the commercial cloud.
pub const INGESTION_AUDIENCE: &str = "https://monitor.azure.com";

/// The permission that the feed wants.
pub const FEED_ROLE: &str = "ActivityFeed.Read";
/// The permission that Graph wants for the labels.
pub const GRAPH_ROLE: &str = "SensitivityLabel.Read";
/// The stream of the runs.
pub const RUNS_STREAM: &str = "Custom-LabelstreamRuns_CL";

/// The set-up of a [`crate::Simulator`]. `Config::default()` is a tenant with nothing published and no faults.
#[derive(Debug, Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Seed of the tenant and of its records.
    pub seed: u64,
    /// Which records are generated.
    pub mix: Mix,
    /// Contents on one page of a listing.
    pub page_size: usize,
    /// Labels on one page of Graph's list, each with its sublabels.
    pub label_page_size: usize,
    /// Wait before every answer but those under `/_sim/`.
    pub latency: Duration,
    /// Whether contents are gzipped for a client that accepts it.
    pub gzip_contents: bool,
    /// Whether generated contents are rendered when they are published and held in memory, in place of being rendered at
    /// every retrieval: a benchmark's contents, which should cost nothing while it is measured.
    pub hold_contents: bool,
    /// Whether the content types are subscribed to from the start.
    pub subscribed: bool,
    /// Whether a second start of one subscription within 15 minutes is refused with 429.
    pub strict_start_interval: bool,
    /// How far the clock of the feed is ahead of this machine's; negative where it is behind. Windows are judged, and
    /// contents are published, by it, and the `Date` of its answers tells it.
    pub clock_offset: Span,
    /// How far back a window may start: 7 days by the reference, and an hour more in practice.
    pub reach: Span,
    /// Most calls of the feed in 60 seconds before it answers AF429. The documented baseline is 2,000.
    pub feed_calls_per_minute: Option<usize>,
    /// Life of a token.
    pub token_lifetime: Duration,
    /// Secret that the managed-identity endpoint wants in `X-IDENTITY-HEADER`.
    pub identity_header: String,
    /// The user-assigned identity's client id, if the managed-identity endpoint is to insist on one.
    pub identity_client_id: Option<String>,
    /// App registration for the login endpoint: client id and secret.
    pub app: (String, String),
    /// Audience of the feed's tokens.
    pub feed_audience: String,
    /// Audience of Graph's tokens.
    pub graph_audience: String,
    /// Audience of the ingestion endpoint's tokens.
    pub ingestion_audience: String,
    /// Permissions (`roles`) in the feed's tokens. The feed refuses a token without `ActivityFeed.Read`.
    pub feed_roles: Vec<String>,
    /// Permissions in Graph's tokens. Graph refuses a token without `SensitivityLabel.Read`.
    pub graph_roles: Vec<String>,
    /// The tenant that tokens are of, where it is not the one that is read. The feed refuses them then.
    pub token_tenant: Option<String>,
    /// Whether the tenant is there. The login endpoint does not know the id of one that is not.
    pub exists: bool,
    /// Whether auditing is on in the tenant. Where it is off, the feed does not know the tenant.
    pub auditing: bool,
    /// Immutable id of the data collection rule.
    pub rule_id: String,
    /// The rule's stream.
    pub stream: String,
    /// Columns of the stream.
    pub columns: Columns,
    /// Whether the rule declares the second stream, [`RUNS_STREAM`], which takes a row for each run.
    pub has_runs_stream: bool,
    /// Columns of that stream.
    pub runs_columns: Columns,
    /// Whether a post of more than 1 MiB uncompressed is refused.
    pub uncompressed_limit: bool,
    /// Whether arrived rows are kept in memory for [`crate::Simulator::rows`].
    pub keep_rows: bool,
    /// File that arrived rows are appended to, one a line.
    pub rows_file: Option<PathBuf>,
    /// File that the JSON of stored posts is appended to, one post a line.
    pub posts_file: Option<PathBuf>,
    /// Whether posts are stored as they come and read when a report is asked for: rows then cost nothing while a benchmark
    /// is measured, and are held against the rules all the same. A post that the rules refuse was answered with 204 by
    /// then; the report counts it as refused.
    pub judge_later: bool,
    /// What a label event is.
    pub label_events: Rule,
    /// Where requests under way are counted.
    pub under_way: UnderWay,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 1,
            mix: Mix::default(),
            page_size: 100,
            label_page_size: 100,
            latency: Duration::ZERO,
            gzip_contents: true,
            hold_contents: false,
            subscribed: false,
            strict_start_interval: false,
            clock_offset: Span::ZERO,
            reach: FARTHEST,
            feed_calls_per_minute: None,
            token_lifetime: Duration::from_secs(24 * 3_600),
            identity_header: "simulated-identity-header".to_owned(),
            identity_client_id: None,
            app: ("5e1f0000-0000-4000-8000-000000000001".to_owned(), "simulated-secret".to_owned()),
            feed_audience: FEED_AUDIENCE.to_owned(),
            graph_audience: GRAPH_AUDIENCE.to_owned(),
            ingestion_audience: INGESTION_AUDIENCE.to_owned(),
            feed_roles: vec![FEED_ROLE.to_owned()],
            graph_roles: vec![GRAPH_ROLE.to_owned()],
            token_tenant: None,
            exists: true,
            auditing: true,
            rule_id: "dcr-00000000000000000000000000000001".to_owned(),
            stream: "Custom-MicrosoftPurviewInformationProtection_CL".to_owned(),
            columns: Columns::default(),
            has_runs_stream: true,
            runs_columns: Columns::of_runs(),
            uncompressed_limit: true,
            keep_rows: true,
            rows_file: None,
            posts_file: None,
            judge_later: false,
            label_events: Rule::default(),
            under_way: UnderWay::default(),
        }
    }
}
