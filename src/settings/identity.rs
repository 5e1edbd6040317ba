//! Who the connector is: which credentials the settings and the platform offer.

use std::path::PathBuf;

use azure_core::credentials::Secret;
use url::Url;

use super::{
    cloud::{Cloud, scope},
    endpoint::secure_endpoint,
    reader::Reader,
    table,
    value::{guid, truth},
};

/// The identity that the surroundings give, decided by what is set and not by trial.
#[derive(Debug, Clone, PartialEq)]
pub enum AmbientIdentity {
    /// A managed identity of Functions, App Service or Container Apps.
    Managed {
        /// The user-assigned identity (`AZURE_CLIENT_ID`), or `None` for the system-assigned one.
        client_id: Option<String>,
        /// What proves to the identity endpoint that the request comes from within (`IDENTITY_HEADER`).
        header: Secret,
    },
    /// A workload identity of Kubernetes.
    Workload {
        /// The tenant of the identity (`AZURE_TENANT_ID`).
        tenant_id: String,
        /// Its client id (`AZURE_CLIENT_ID`).
        client_id: String,
        /// Where the service account's token is.
        token_file: PathBuf,
    },
    /// Whoever is logged in to the Azure CLI.
    AzureCli,
}

/// An app registration that may read the tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct AppRegistration {
    /// Its application (client) id.
    pub client_id: String,
    /// What it proves itself with.
    pub proof: Proof,
}

/// What an app registration proves itself with.
#[derive(Debug, Clone, PartialEq)]
pub enum Proof {
    /// A client secret.
    Secret(Secret),
    /// A PEM file with an unencrypted private key and its certificate. That it is there was not checked.
    Certificate(PathBuf),
    /// A token of the ambient identity, by a federated credential.
    Federated,
}

/// Who the connector is.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentitySettings {
    /// The identity for ingestion and storage, and for the feed and Graph where there is no app registration.
    pub ambient: AmbientIdentity,
    /// The identity for the feed and Graph, where it is not the ambient one.
    pub app: Option<AppRegistration>,
    /// Where Microsoft Entra ID issues tokens; always https.
    pub authority: Url,
    /// The scope of the ambient identity's token that [`Proof::Federated`] presents.
    pub token_exchange_scope: String,
}

impl IdentitySettings {
    pub(super) fn read(reader: &mut Reader<'_>, cloud: Cloud) -> Option<Self> {
        let alone = Self::read_ambient(reader, cloud);
        let app = read_app(reader, alone.as_ref().map(|alone| &alone.ambient));
        Some(Self { app: app?, ..alone? })
    }

    /// The ambient identity alone.
    pub(super) fn read_ambient(reader: &mut Reader<'_>, cloud: Cloud) -> Option<Self> {
        let hosts = cloud.hosts();
        let authority = reader.or(&table::AUTHORITY_HOST, hosts.authority, secure_endpoint);
        let ambient = read_ambient(reader);
        Some(Self {
            ambient: ambient?,
            app: None,
            authority: authority?,
            token_exchange_scope: scope(hosts.token_exchange),
        })
    }
}

fn read_ambient(reader: &mut Reader<'_>) -> Option<AmbientIdentity> {
    let client_id = reader.optional(&table::CLIENT_ID, guid);
    let endpoint = reader.text(&table::IDENTITY_ENDPOINT);
    let header = reader.text(&table::IDENTITY_HEADER);
    let token_file = reader.text(&table::FEDERATED_TOKEN_FILE);
    match (endpoint.and(header), token_file) {
        (Some(header), _) => Some(AmbientIdentity::Managed { client_id: client_id?, header: Secret::new(header) }),
        (None, Some(token_file)) => {
            let tenant_id = reader.or_default(&table::AMBIENT_TENANT_ID, guid);
            let client_id = client_id.and_then(|id| {
                if id.is_none() {
                    reader.fault(&table::CLIENT_ID, "is missing, and AZURE_FEDERATED_TOKEN_FILE needs it");
                }
                id
            });
            Some(AmbientIdentity::Workload {
                tenant_id: tenant_id?,
                client_id: client_id?,
                token_file: token_file.into(),
            })
        }
        (None, None) => client_id.map(|_| AmbientIdentity::AzureCli),
    }
}

/// `Some(None)` where no app registration is set.
fn read_app(reader: &mut Reader<'_>, ambient: Option<&AmbientIdentity>) -> Option<Option<AppRegistration>> {
    let client_id = reader.optional(&table::APP_CLIENT_ID, guid);
    let secret = reader.text(&table::APP_CLIENT_SECRET);
    let certificate = reader.text(&table::APP_CERTIFICATE_PATH);
    let federated = reader.or_default(&table::APP_FEDERATED, truth);
    let set: Vec<_> = [
        (secret.is_some(), &table::APP_CLIENT_SECRET),
        (certificate.is_some(), &table::APP_CERTIFICATE_PATH),
        (federated == Some(true), &table::APP_FEDERATED),
    ]
    .into_iter()
    .filter_map(|(is_set, setting)| is_set.then_some(setting))
    .collect();
    if let [first, second, ..] = set[..] {
        reader.fault(second, format!("is set together with {}; keep one of them", first.name));
        return None;
    }
    match (reader.text(&table::APP_CLIENT_ID), set.first()) {
        (None, Some(proof)) => {
            reader.fault(&table::APP_CLIENT_ID, format!("is missing, and {} needs it", proof.name));
            return None;
        }
        // `federated` could not be read: its fault says enough.
        (Some(_), None) if federated.is_some() => {
            reader.fault(
                &table::APP_CLIENT_ID,
                "is set without M365_CLIENT_SECRET, M365_CLIENT_CERTIFICATE_PATH or M365_FEDERATED_IDENTITY=true",
            );
            return None;
        }
        _ => {}
    }
    let proof = match (secret, certificate, federated?) {
        (Some(secret), ..) => Proof::Secret(Secret::new(secret)),
        (None, Some(path), _) => Proof::Certificate(path.into()),
        (None, None, true) => {
            if matches!(ambient, Some(AmbientIdentity::AzureCli)) {
                reader.fault(
                    &table::APP_FEDERATED,
                    "needs a managed identity, and there is none here (IDENTITY_ENDPOINT is not set)",
                );
                return None;
            }
            Proof::Federated
        }
        (None, None, false) => return client_id.map(|_| None),
    };
    client_id?.map(|client_id| Some(AppRegistration { client_id, proof }))
}
