//! Makes the SDK's credentials.

use std::sync::Arc;

use azure_core::{
    cloud::CustomConfiguration,
    credentials::TokenCredential,
    error::ErrorKind,
    http::{ClientOptions, ExponentialRetryOptions, RetryOptions, Transport},
    time::Duration,
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertion, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use url::Url;

use super::{
    App, Audience, CredentialFactory, IdentityError, Method, certificate::CertificateAssertion,
    exchange::ExchangeAssertion, reason::reason,
};
use crate::settings::{IdentitySettings, StorageAccount, StorageSettings};

/// A request for a token is repeated this often. With the SDK's own eight times one call to a host that refuses takes
/// over a minute, a third of a run.
const RETRIES: u32 = 2;

/// No repeat begins later than this.
const RETRIES_WITHIN: Duration = Duration::seconds(10);

/// What the SDK looks at to find the endpoint of a managed identity.
const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";

/// Makes credentials for one audience, with one [`Method`].
#[derive(Debug, Clone)]
pub struct Credential {
    method: Method,
    transport: Option<Transport>,
}

/// What to ask `audience` with. `tenant_id` is the tenant that is read.
///
/// For the feed and Graph it is the app registration of `M365_CLIENT_ID` where there is one; else, and for everything
/// else, the ambient identity.
#[must_use]
pub fn credential(identity: &IdentitySettings, tenant_id: &str, audience: Audience) -> Credential {
    Credential { method: Method::choose(identity, tenant_id, audience), transport: None }
}

/// The credential that opens the storage account, or `None` where a connection string does. The blob client keeps its
/// tokens itself. They are fetched over `transport`: see [`Credential::with_transport`].
///
/// # Errors
/// Something that the ambient identity needs is missing. Whether it may open the account is seen on first use.
pub fn storage_credential(
    identity: &IdentitySettings,
    storage: &StorageSettings,
    transport: Option<Transport>,
) -> Result<Option<Arc<dyn TokenCredential>>, IdentityError> {
    let StorageAccount::Identity { blob_service_uri, client_id, .. } = &storage.account else { return Ok(None) };
    let method = Method::ambient(identity, None).with_client_id(client_id.as_deref());
    let credential = Credential { method, transport };
    credential
        .credential()
        .map(Some)
        .map_err(|error| IdentityError { audience: blob_service_uri.to_string(), reason: credential.reason(&error) })
}

impl Credential {
    /// The same, with tokens fetched over `transport`, which follows no redirect; `None` makes a client for each fetch.
    #[must_use]
    pub fn with_transport(self, transport: Option<Transport>) -> Self {
        Self { transport, ..self }
    }

    /// The method, for people and for `doctor`.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    fn options(&self, authority: Option<&Url>) -> ClientOptions {
        let retry = ExponentialRetryOptions {
            max_retries: RETRIES,
            max_total_elapsed: RETRIES_WITHIN,
            ..ExponentialRetryOptions::default()
        };
        let cloud = authority.map(|authority| {
            let mut cloud = CustomConfiguration::default();
            authority.as_str().clone_into(&mut cloud.authority_host);
            Arc::new(cloud.into())
        });
        ClientOptions {
            retry: RetryOptions::exponential(retry),
            cloud,
            transport: self.transport.clone(),
            ..ClientOptions::default()
        }
    }

    fn make(&self, method: &Method) -> azure_core::Result<Arc<dyn TokenCredential>> {
        Ok(match method {
            Method::ManagedIdentity { client_id, .. } => {
                // Without the variable the SDK would ask the metadata service of a virtual machine, for over a minute.
                if std::env::var_os(IDENTITY_ENDPOINT).is_none() {
                    return Err(failed("IDENTITY_ENDPOINT is not in the environment of this process"));
                }
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                    client_options: self.options(None),
                }))?
            }
            Method::WorkloadIdentity { app, token_file } => {
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options: self.assertion_options(app),
                    client_id: Some(app.client_id.clone()),
                    tenant_id: Some(app.tenant_id.clone()),
                    token_file_path: Some(token_file.clone()),
                }))?
            }
            Method::AzureCli { tenant_id } => AzureCliCredential::new(Some(AzureCliCredentialOptions {
                tenant_id: tenant_id.clone(),
                ..AzureCliCredentialOptions::default()
            }))?,
            Method::ClientSecret { app, secret } => ClientSecretCredential::new(
                &app.tenant_id,
                app.client_id.clone(),
                secret.clone(),
                Some(ClientSecretCredentialOptions { client_options: self.options(Some(&app.authority)) }),
            )?,
            Method::ClientCertificate { app, path } => {
                self.asserting(app, CertificateAssertion::from_file(path, app).map_err(failed)?)?
            }
            Method::FederatedIdentity { app, ambient, scope } => {
                let ambient = self.make(ambient)?;
                self.asserting(app, ExchangeAssertion { ambient, scope: scope.clone() })?
            }
        })
    }

    fn asserting(
        &self,
        app: &App,
        assertion: impl ClientAssertion + 'static,
    ) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let options = Some(self.assertion_options(app));
        Ok(ClientAssertionCredential::new(app.tenant_id.clone(), app.client_id.clone(), assertion, options)?)
    }

    fn assertion_options(&self, app: &App) -> ClientAssertionCredentialOptions {
        ClientAssertionCredentialOptions { client_options: self.options(Some(&app.authority)) }
    }
}

impl CredentialFactory for Credential {
    fn credential(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        self.make(&self.method)
    }

    fn reason(&self, error: &azure_core::Error) -> String {
        let said = reason(error, &self.method.secrets());
        let advice = self.method.advice(&said).map(|advice| format!(". {advice}")).unwrap_or_default();
        format!("{}: {}{advice}", self.method.name(), said.trim_end_matches('.'))
    }
}

fn failed(problem: impl Into<std::borrow::Cow<'static, str>>) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Credential, problem)
}

#[cfg(test)]
mod tests;
