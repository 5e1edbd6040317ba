//! App settings that point a connector to a simulated tenant.

use crate::{Simulator, config::Config};

/// App settings: name and value.
pub type Environment = Vec<(&'static str, String)>;

impl Simulator {
    /// The app settings that point a connector to this tenant, with the managed identity as its identity. For a tenant of
    /// a [`crate::Provider`] that identity is one of the provider's own tenant: [`Simulator::federated_environment`] or
    /// [`Simulator::app_environment`] belong beside it.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let (shared, base) = (self.shared(), self.base().to_owned());
        let config = &shared.config;
        let mut environment = vec![
            ("M365_TENANT_ID", shared.tenant.id.clone()),
            ("M365_MANAGEMENT_ENDPOINT", base.clone()),
            ("GRAPH_ENDPOINT", base.clone()),
            ("IDENTITY_ENDPOINT", format!("{base}/msi/token")),
            ("IDENTITY_HEADER", config.identity_header.clone()),
            ("DATA_COLLECTION_ENDPOINT", base),
            ("LOGS_DCR_RULE_ID", config.rule_id.clone()),
            ("LOGS_DCR_STREAM_NAME", config.stream.clone()),
        ];
        environment.extend(config.identity_client_id.clone().map(|id| ("AZURE_CLIENT_ID", id)));
        let certificates = shared.origin.login.as_ref().map(|login| login.certificates.display().to_string());
        environment.extend(certificates.map(|path| ("SSL_CERT_FILE", path)));
        environment
    }

    /// The settings of an app registration with a secret, to be used beside [`Simulator::environment`].
    #[must_use]
    pub fn app_environment(&self) -> Environment {
        let Config { app: (client, secret), .. } = &self.shared().config;
        vec![("M365_CLIENT_ID", client.clone()), ("M365_CLIENT_SECRET", secret.clone()), self.authority()]
    }

    /// The settings of an app registration that trusts the managed identity, to be used beside
    /// [`Simulator::environment`]. The SDK logs in over TLS alone, which a [`crate::Provider`] has.
    #[must_use]
    pub fn federated_environment(&self) -> Environment {
        let client = self.shared().config.app.0.clone();
        vec![("M365_CLIENT_ID", client), ("M365_FEDERATED_IDENTITY", "true".to_owned()), self.authority()]
    }

    fn authority(&self) -> (&'static str, String) {
        ("AZURE_AUTHORITY_HOST", self.shared().origin.authority().to_owned())
    }
}
