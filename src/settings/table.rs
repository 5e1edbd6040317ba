//! Every setting by name: what it means, what holds without it, and a good value. The documentation, `doctor` and the
//! templates are checked against this table, and the settings are read by it.

/// Which commands cannot do without a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// All of them.
    Always,
    /// Those that send rows.
    Ingestion,
    /// Those whose state lies in the storage account.
    Storage,
    /// Only together with another setting.
    Together,
}

/// What holds where a setting is unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// The commands that need it fail.
    Required(Need),
    /// This value.
    Value(&'static str),
    /// What the words say.
    Means(&'static str),
}

/// Who sets a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBy {
    /// The operator, for the connector.
    Operator,
    /// The operator, for the Functions host; the connector does not read it.
    OperatorForHost,
    /// The operator, for the log lines; read before the settings, so that reading them can be logged.
    OperatorForLog,
    /// The operator, for many tenants; read before the settings of each of them.
    OperatorForTenants,
    /// The platform that the connector runs on.
    Platform,
}

/// One app setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The name of the environment variable.
    pub name: &'static str,
    /// What it means, in a few words.
    pub meaning: &'static str,
    /// What holds where it is unset.
    pub unset: Unset,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// Who sets it.
    pub set_by: SetBy,
    /// A good value, which is no real one.
    pub example: &'static str,
}

const fn setting(name: &'static str, meaning: &'static str, unset: Unset, example: &'static str) -> Setting {
    Setting { name, meaning, unset, secret: false, set_by: SetBy::Operator, example }
}

const fn secret(mut setting: Setting) -> Setting {
    setting.secret = true;
    setting
}

const fn by_platform(mut setting: Setting) -> Setting {
    setting.set_by = SetBy::Platform;
    setting
}

const fn for_host(mut setting: Setting) -> Setting {
    setting.set_by = SetBy::OperatorForHost;
    setting
}

use Unset::{Means, Required, Value};

pub(super) const TENANT_ID: Setting =
    setting("M365_TENANT_ID", "Tenant to read, a GUID", Required(Need::Always), "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55");
pub(super) const CLOUD: Setting = setting(
    "M365_CLOUD",
    "Cloud of the tenant: `commercial`, `gcc`, `gcchigh` or `dod`",
    Value("commercial"),
    "commercial",
);
pub(super) const APP_CLIENT_ID: Setting = setting(
    "M365_CLIENT_ID",
    "App registration that may read the tenant, with one of the three that follow",
    Means("the ambient identity reads the feed"),
    "7c5a1f0e-2d3b-4a69-8f47-5e6d7c8b9a01",
);
pub(super) const APP_CLIENT_SECRET: Setting = secret(setting(
    "M365_CLIENT_SECRET",
    "Client secret of the app registration",
    Means("no client secret"),
    "@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/labelstream)",
));
pub(super) const APP_CERTIFICATE_PATH: Setting = setting(
    "M365_CLIENT_CERTIFICATE_PATH",
    "PEM file with the app registration's certificate and its unencrypted RSA key",
    Means("no certificate"),
    "/home/site/certificates/labelstream.pem",
);
pub(super) const APP_FEDERATED: Setting = setting(
    "M365_FEDERATED_IDENTITY",
    "`true`: the managed identity is a federated credential of the app registration",
    Value("false"),
    "true",
);
pub(super) const CLIENT_ID: Setting = setting(
    "AZURE_CLIENT_ID",
    "Client id of a user-assigned managed identity, or of the workload identity",
    Means("the system-assigned identity"),
    "1d9e8c7b-6a5f-4e3d-9c2b-1a0f9e8d7c6b",
);
pub(super) const DATA_COLLECTION_ENDPOINT: Setting = setting(
    "DATA_COLLECTION_ENDPOINT",
    "Logs ingestion endpoint of the data collection rule, or a data collection endpoint",
    Required(Need::Ingestion),
    "https://labelstream-ab12.westeurope-1.ingest.monitor.azure.com",
);
pub(super) const DCR_RULE_ID: Setting = setting(
    "LOGS_DCR_RULE_ID",
    "Immutable id of the data collection rule",
    Required(Need::Ingestion),
    "dcr-0123456789abcdef0123456789abcdef",
);
pub(super) const DCR_STREAM_NAME: Setting = setting(
    "LOGS_DCR_STREAM_NAME",
    "Stream of the data collection rule",
    Value("Custom-MicrosoftPurviewInformationProtection_CL"),
    "Custom-MicrosoftPurviewInformationProtection_CL",
);
pub(super) const STORAGE: Setting = secret(setting(
    "AzureWebJobsStorage",
    "Connection string of the storage account that holds the state; goes before the names that it begins",
    Required(Need::Storage),
    "UseDevelopmentStorage=true",
));
pub(super) const STORAGE_BLOB_SERVICE_URI: Setting = setting(
    "AzureWebJobsStorage__blobServiceUri",
    "Blob service of the storage account, opened by identity",
    Means("the connection string, or the account name"),
    "https://contosolabels.blob.core.windows.net",
);
pub(super) const STORAGE_QUEUE_SERVICE_URI: Setting = setting(
    "AzureWebJobsStorage__queueServiceUri",
    "Queue service of the storage account, opened by identity; for many tenants",
    Means("the blob service's address with `queue` for `blob`"),
    "https://contosolabels.queue.core.windows.net",
);
pub(super) const STORAGE_ACCOUNT_NAME: Setting = setting(
    "AzureWebJobsStorage__accountName",
    "Name of the storage account, opened by identity; for the public cloud",
    Means("the connection string, or the blob service"),
    "contosolabels",
);
pub(super) const STORAGE_CLIENT_ID: Setting = setting(
    "AzureWebJobsStorage__clientId",
    "User-assigned identity that opens the storage account",
    Means("`AZURE_CLIENT_ID`"),
    "1d9e8c7b-6a5f-4e3d-9c2b-1a0f9e8d7c6b",
);
pub(super) const STORAGE_CREDENTIAL: Setting = setting(
    "AzureWebJobsStorage__credential",
    "How the Functions host opens the storage account by identity; only `managedidentity`",
    Means("the ambient identity"),
    "managedidentity",
);
pub(super) const STATE_CONTAINER: Setting = setting(
    "STATE_CONTAINER",
    "Container for watermarks, ids and dead letters; made if missing",
    Value("labelstream"),
    "labelstream",
);
pub(super) const TIMER_SCHEDULE: Setting =
    for_host(setting("TIMER_SCHEDULE", "When the timer fires, as NCRONTAB", Required(Need::Always), "0 */5 * * * *"));
pub(super) const RUN_BUDGET_SECONDS: Setting = setting(
    "RUN_BUDGET_SECONDS",
    "A run stops taking work in time to be saved and answered by then",
    Value("240"),
    "240",
);
pub(super) const INITIAL_LOOKBACK_HOURS: Setting =
    setting("INITIAL_LOOKBACK_HOURS", "How far back the very first run goes, up to 168", Value("168"), "168");
pub(super) const CONTENT_TYPES: Setting = setting(
    "CONTENT_TYPES",
    "Content types to read, a comma list",
    Value("Audit.General,Audit.SharePoint,Audit.Exchange"),
    "Audit.General,Audit.SharePoint,Audit.Exchange",
);
pub(super) const RECORD_TYPES: Setting = setting(
    "RECORD_TYPES",
    "Record types to keep, a comma list of names or numbers",
    Means("the official connector's twelve"),
    "MIPLabel,SensitivityLabelAction,97",
);
pub(super) const OPERATIONS: Setting = setting(
    "OPERATIONS",
    "Operations to keep, a comma list",
    Means("the official connector's ten"),
    "SensitivityLabelApplied,SensitivityLabelRemoved",
);
pub(super) const HEARTBEATS: Setting = setting("HEARTBEATS", "`keep` or `drop` record type 97", Value("keep"), "drop");
pub(super) const LABELS: Setting = setting(
    "LABELS",
    "Where label names come from: `graph`, `off`, or the path or JSON of a static map",
    Value("graph"),
    "graph",
);
pub(super) const PUBLISHER_ID: Setting = setting(
    "PUBLISHER_ID",
    "PublisherIdentifier sent on every feed call, a GUID",
    Means("`M365_TENANT_ID`"),
    "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55",
);
pub(super) const MANAGEMENT_ENDPOINT: Setting = setting(
    "M365_MANAGEMENT_ENDPOINT",
    "Another host for the feed; `http://` on loopback only",
    Means("by `M365_CLOUD`"),
    "https://manage.office.com",
);
pub(super) const GRAPH_ENDPOINT: Setting = setting(
    "GRAPH_ENDPOINT",
    "Another host for Microsoft Graph; `http://` on loopback only",
    Means("by `M365_CLOUD`"),
    "https://graph.microsoft.com",
);
pub(super) const AUTHORITY_HOST: Setting = setting(
    "AZURE_AUTHORITY_HOST",
    "Another host that issues tokens; https only",
    Means("by `M365_CLOUD`"),
    "https://login.microsoftonline.com",
);
pub(super) const IDENTITY_ENDPOINT: Setting = by_platform(setting(
    "IDENTITY_ENDPOINT",
    "Where Functions and App Service give out a managed identity's tokens; read by the Azure SDK itself",
    Means("no managed identity"),
    "http://localhost:8081/msi/token",
));
pub(super) const IDENTITY_HEADER: Setting = by_platform(secret(setting(
    "IDENTITY_HEADER",
    "What the identity endpoint asks for; read by the Azure SDK itself",
    Means("no managed identity"),
    "(set by the platform)",
)));
pub(super) const FEDERATED_TOKEN_FILE: Setting = by_platform(setting(
    "AZURE_FEDERATED_TOKEN_FILE",
    "Token of the Kubernetes service account, for a workload identity",
    Means("no workload identity"),
    "/var/run/secrets/azure/tokens/azure-identity-token",
));
pub(super) const AMBIENT_TENANT_ID: Setting = by_platform(setting(
    "AZURE_TENANT_ID",
    "Tenant of the workload identity; nothing else reads it",
    Required(Need::Together),
    "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55",
));
pub(super) const TENANTS: Setting = Setting {
    set_by: SetBy::OperatorForTenants,
    ..setting(
        crate::tenants::TENANTS,
        "For providers: the tenants to read, as a JSON array, the path of a JSON file, or `state` (docs/providers.md)",
        Means("one tenant is read, `M365_TENANT_ID`"),
        "state",
    )
};

pub(super) const LOG: Setting = Setting {
    set_by: SetBy::OperatorForLog,
    ..setting(
        crate::telemetry::LOG_SETTING,
        "What is logged: a level, or levels by module",
        Value("info"),
        "info,labelstream::feed=debug",
    )
};

/// Every setting, in the order in which the documentation lists them.
pub const SETTINGS: &[Setting] = &[
    TENANT_ID,
    TENANTS,
    CLOUD,
    APP_CLIENT_ID,
    APP_CLIENT_SECRET,
    APP_CERTIFICATE_PATH,
    APP_FEDERATED,
    CLIENT_ID,
    DATA_COLLECTION_ENDPOINT,
    DCR_RULE_ID,
    DCR_STREAM_NAME,
    STORAGE,
    STORAGE_BLOB_SERVICE_URI,
    STORAGE_QUEUE_SERVICE_URI,
    STORAGE_ACCOUNT_NAME,
    STORAGE_CLIENT_ID,
    STORAGE_CREDENTIAL,
    STATE_CONTAINER,
    TIMER_SCHEDULE,
    RUN_BUDGET_SECONDS,
    INITIAL_LOOKBACK_HOURS,
    CONTENT_TYPES,
    RECORD_TYPES,
    OPERATIONS,
    HEARTBEATS,
    LABELS,
    PUBLISHER_ID,
    MANAGEMENT_ENDPOINT,
    GRAPH_ENDPOINT,
    AUTHORITY_HOST,
    LOG,
    IDENTITY_ENDPOINT,
    IDENTITY_HEADER,
    FEDERATED_TOKEN_FILE,
    AMBIENT_TENANT_ID,
];
