//! Which identity is used for what, and what to do where it is refused. No I/O.

use std::path::PathBuf;

use azure_core::credentials::Secret;
use url::Url;

use crate::settings::{AmbientIdentity, IdentitySettings, Proof};

/// How the SDK words the answer 400 of the identity endpoint.
const NOT_ASSIGNED: &str = "has not been assigned";

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The Management Activity API.
    Feed,
    /// Microsoft Graph.
    Graph,
    /// The data collection rule.
    Ingestion,
    /// The storage account.
    Storage,
}

/// An application that may read the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The tenant that is read.
    pub tenant_id: String,
    /// The application (client) id.
    pub client_id: String,
    /// Where Microsoft Entra ID issues tokens.
    pub authority: Url,
}

/// How the connector proves who it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// A managed identity of the platform.
    ManagedIdentity {
        /// The user-assigned identity, or `None` for the system-assigned one.
        client_id: Option<String>,
        /// What the identity endpoint asks for. The SDK reads it itself; here it is kept out of errors.
        header: Secret,
    },
    /// A workload identity of Kubernetes.
    WorkloadIdentity {
        /// The identity, in its own tenant.
        app: App,
        /// Where the service account's token is.
        token_file: PathBuf,
    },
    /// Whoever is logged in to the Azure CLI.
    AzureCli {
        /// The tenant to ask for, or `None` for the default one.
        tenant_id: Option<String>,
    },
    /// A client secret.
    ClientSecret {
        /// Whose it is.
        app: App,
        /// The secret.
        secret: Secret,
    },
    /// A certificate.
    ClientCertificate {
        /// Whose it is.
        app: App,
        /// A PEM file with the key and the certificate.
        path: PathBuf,
    },
    /// A token of the ambient identity, which is a federated credential of the app.
    FederatedIdentity {
        /// Whose credential it is.
        app: App,
        /// The identity whose token is presented.
        ambient: Box<Self>,
        /// The scope of that token.
        scope: String,
    },
}

impl Method {
    /// The identity that `audience` is asked with. `tenant_id` is the tenant that is read.
    #[must_use]
    pub fn choose(identity: &IdentitySettings, tenant_id: &str, audience: Audience) -> Self {
        let reads_tenant = matches!(audience, Audience::Feed | Audience::Graph);
        let Some(registration) = identity.app.as_ref().filter(|_| reads_tenant) else {
            // A developer may be logged in to several tenants; Azure resources are in the default one.
            return Self::ambient(identity, reads_tenant.then_some(tenant_id));
        };
        let app = App {
            tenant_id: tenant_id.to_owned(),
            client_id: registration.client_id.clone(),
            authority: identity.authority.clone(),
        };
        match &registration.proof {
            Proof::Secret(secret) => Self::ClientSecret { app, secret: secret.clone() },
            Proof::Certificate(path) => Self::ClientCertificate { app, path: path.clone() },
            Proof::Federated => Self::FederatedIdentity {
                app,
                ambient: Box::new(Self::ambient(identity, None)),
                scope: identity.token_exchange_scope.clone(),
            },
        }
    }

    /// The ambient identity. `cli_tenant` is the tenant that the Azure CLI is asked for.
    pub(super) fn ambient(identity: &IdentitySettings, cli_tenant: Option<&str>) -> Self {
        match &identity.ambient {
            AmbientIdentity::Managed { client_id, header } => {
                Self::ManagedIdentity { client_id: client_id.clone(), header: header.clone() }
            }
            AmbientIdentity::Workload { tenant_id, client_id, token_file } => Self::WorkloadIdentity {
                app: App {
                    tenant_id: tenant_id.clone(),
                    client_id: client_id.clone(),
                    authority: identity.authority.clone(),
                },
                token_file: token_file.clone(),
            },
            AmbientIdentity::AzureCli => Self::AzureCli { tenant_id: cli_tenant.map(str::to_owned) },
        }
    }

    /// The same way of proving, as another user-assigned identity. The Azure CLI has no other identity to offer.
    #[must_use]
    pub fn with_client_id(mut self, other: Option<&str>) -> Self {
        if let Some(other) = other {
            match &mut self {
                Self::ManagedIdentity { client_id, .. } => *client_id = Some(other.to_owned()),
                Self::WorkloadIdentity { app, .. }
                | Self::ClientSecret { app, .. }
                | Self::ClientCertificate { app, .. }
                | Self::FederatedIdentity { app, .. } => other.clone_into(&mut app.client_id),
                Self::AzureCli { .. } => {}
            }
        }
        self
    }

    /// What people call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ManagedIdentity { client_id: None, .. } => "system-assigned managed identity",
            Self::ManagedIdentity { client_id: Some(_), .. } => "user-assigned managed identity",
            Self::WorkloadIdentity { .. } => "workload identity",
            Self::AzureCli { .. } => "Azure CLI",
            Self::ClientSecret { .. } => "client secret",
            Self::ClientCertificate { .. } => "client certificate",
            Self::FederatedIdentity { .. } => "federated managed identity",
        }
    }

    /// What no text may show.
    pub(super) fn secrets(&self) -> Vec<&Secret> {
        match self {
            Self::ManagedIdentity { header, .. } => vec![header],
            Self::ClientSecret { secret, .. } => vec![secret],
            Self::FederatedIdentity { ambient, .. } => ambient.secrets(),
            Self::WorkloadIdentity { .. } | Self::AzureCli { .. } | Self::ClientCertificate { .. } => Vec::new(),
        }
    }

    /// What may help where an identity provider said `text`. Its codes may change, so that nothing but this advice
    /// goes by them ("Microsoft Entra authentication and authorization error codes").
    pub(super) fn advice(&self, text: &str) -> Option<&'static str> {
        match self {
            Self::ManagedIdentity { .. } | Self::FederatedIdentity { .. } if text.contains(NOT_ASSIGNED) => Some(
                "Assign the identity to the function app, or correct AZURE_CLIENT_ID \
                 (for storage: AzureWebJobsStorage__clientId)",
            ),
            Self::ManagedIdentity { .. } => Some(
                "The platform's identity endpoint (IDENTITY_ENDPOINT) does not answer as it should: restart the app",
            ),
            Self::AzureCli { .. } if text.contains("not found on PATH") => {
                Some("Install the Azure CLI and run `az login`, or set M365_CLIENT_ID for the feed")
            }
            Self::AzureCli { .. } => Some("Run `az login`; outside Azure the connector is whoever is logged in there"),
            Self::WorkloadIdentity { .. } => Some(
                "Check AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE and the identity's federated \
                 credential",
            ),
            Self::ClientSecret { .. } | Self::ClientCertificate { .. } | Self::FederatedIdentity { .. } => {
                advice_on_app(text)
            }
        }
    }
}

/// By the codes that Microsoft Entra ID puts before its descriptions. Some stand for all
/// codes that they begin.
fn advice_on_app(text: &str) -> Option<&'static str> {
    const ADVICE: [(&str, &str); 9] = [
        ("AADSTS7000215", "Set M365_CLIENT_SECRET to the secret's value, not to its id"),
        ("AADSTS7000222", "The client secret has expired: make a new one and set M365_CLIENT_SECRET"),
        (
            "AADSTS700016",
            "M365_CLIENT_ID is not known in the tenant M365_TENANT_ID: an admin has to consent to it there",
        ),
        ("AADSTS700027", "Add the certificate in M365_CLIENT_CERTIFICATE_PATH to the app registration"),
        ("AADSTS700024", "The clock of this machine is wrong"),
        ("AADSTS700236", OF_ANOTHER_TENANT),
        ("AADSTS7002", FEDERATED),
        ("AADSTS90002", "Check M365_TENANT_ID and M365_CLOUD"),
        ("AADSTS500011", "The service has no service principal in the tenant: check M365_CLOUD, or create it there"),
    ];
    const FEDERATED: &str = "The app registration's federated credential must have this identity's issuer, its \
                             principal id as subject, and the audience of token exchange";
    // "Configure an application to trust a managed identity".
    const OF_ANOTHER_TENANT: &str = "A managed identity can act only as an app registration of its own tenant: make it a \
                                     multi-tenant one there, and let it in where it reads (scripts/provider-app)";
    ADVICE.iter().find(|(code, _)| text.contains(code)).map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::AppRegistration;

    fn identity(ambient: AmbientIdentity, proof: Option<Proof>) -> IdentitySettings {
        IdentitySettings {
            ambient,
            app: proof.map(|proof| AppRegistration { client_id: "app".to_owned(), proof }),
            authority: "https://login.microsoftonline.com".parse().unwrap(),
            token_exchange_scope: "api://AzureADTokenExchange/.default".to_owned(),
        }
    }

    fn managed() -> AmbientIdentity {
        AmbientIdentity::Managed { client_id: Some("mine".to_owned()), header: "opaque".into() }
    }

    #[test]
    fn the_app_registration_reads_the_tenant_and_the_ambient_identity_does_the_rest() {
        let identity = identity(managed(), Some(Proof::Secret("hunter2".into())));
        for audience in [Audience::Feed, Audience::Graph] {
            let Method::ClientSecret { app, .. } = Method::choose(&identity, "tenant", audience) else {
                panic!("{audience:?}")
            };
            assert_eq!((app.tenant_id.as_str(), app.client_id.as_str()), ("tenant", "app"));
        }
        for audience in [Audience::Ingestion, Audience::Storage] {
            let method = Method::choose(&identity, "tenant", audience);
            assert!(matches!(method, Method::ManagedIdentity { client_id: Some(id), .. } if id == "mine"));
        }
    }

    #[test]
    fn without_an_app_registration_all_is_the_ambient_identity() {
        let cli = identity(AmbientIdentity::AzureCli, None);
        let tenant_id = Some("tenant".to_owned());
        assert_eq!(Method::choose(&cli, "tenant", Audience::Feed), Method::AzureCli { tenant_id });
        assert_eq!(Method::choose(&cli, "tenant", Audience::Ingestion), Method::AzureCli { tenant_id: None });
        let workload = AmbientIdentity::Workload {
            tenant_id: "own".to_owned(),
            client_id: "mine".to_owned(),
            token_file: "/token".into(),
        };
        let method = Method::choose(&identity(workload, None), "tenant", Audience::Feed);
        assert!(matches!(method, Method::WorkloadIdentity { app, .. } if app.tenant_id == "own"));
    }

    #[test]
    fn a_federated_identity_presents_the_ambient_one() {
        let identity = identity(managed(), Some(Proof::Federated));
        let Method::FederatedIdentity { app, ambient, scope } = Method::choose(&identity, "tenant", Audience::Feed)
        else {
            panic!("not federated")
        };
        assert_eq!((app.client_id.as_str(), scope.as_str()), ("app", "api://AzureADTokenExchange/.default"));
        assert!(matches!(*ambient, Method::ManagedIdentity { .. }));
    }

    #[test]
    fn storage_may_have_an_identity_of_its_own() {
        let method = Method::choose(&identity(managed(), None), "tenant", Audience::Storage);
        let other = method.clone().with_client_id(Some("other"));
        assert!(matches!(other, Method::ManagedIdentity { client_id: Some(id), .. } if id == "other"));
        assert_eq!(method.clone().with_client_id(None), method);
    }

    #[test]
    fn advice_names_the_setting() {
        let app = || App {
            tenant_id: "tenant".to_owned(),
            client_id: "app".to_owned(),
            authority: "https://login.microsoftonline.com".parse().unwrap(),
        };
        let secret = Method::ClientSecret { app: app(), secret: "hunter2".into() };
        for (text, word) in [
            ("AADSTS7000215: Invalid client secret provided.", "M365_CLIENT_SECRET"),
            ("AADSTS7000222: The provided client secret keys are expired.", "expired"),
            ("AADSTS700016: Application was not found in the directory.", "M365_CLIENT_ID"),
            ("AADSTS90002: Tenant not found.", "M365_TENANT_ID"),
            ("AADSTS700213: No matching federated identity record found.", "federated credential"),
            ("AADSTS700236: Entra ID tokens issued by issuer may not be used.", "multi-tenant"),
            ("AADSTS70021: No matching federated identity record found.", "federated credential"),
        ] {
            assert!(secret.advice(text).unwrap().contains(word), "{text}");
        }
        assert_eq!(secret.advice("AADSTS1: news"), None);
        let managed = Method::ManagedIdentity { client_id: None, header: "opaque".into() };
        let federated = Method::FederatedIdentity { app: app(), ambient: Box::new(managed), scope: String::new() };
        let not_assigned = "The requested identity has not been assigned to this resource";
        assert!(federated.advice(not_assigned).unwrap().contains("AZURE_CLIENT_ID"));
        let cli = Method::AzureCli { tenant_id: None };
        assert!(cli.advice("az not found on PATH").unwrap().contains("Install"));
    }
}
