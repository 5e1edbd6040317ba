//! Which storage account holds the state and the work queue, and how it is entered: `AzureWebJobsStorage` as a connection
//! string, or `AzureWebJobsStorage__blobServiceUri` (and `__queueServiceUri`) with an identity.

use std::{collections::HashMap, fmt, net::IpAddr};

use azure_core::credentials::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::{Host, Url};

/// The setting that holds a connection string.
pub const CONNECTION_STRING: &str = "AzureWebJobsStorage";

/// The setting that holds the address of the blob service where an identity is used.
pub const SERVICE_URI: &str = "AzureWebJobsStorage__blobServiceUri";

/// The setting that holds the address of the queue service where an identity is used.
pub const QUEUE_SERVICE_URI: &str = "AzureWebJobsStorage__queueServiceUri";

/// Where a connection string names no `EndpointSuffix`: the public cloud.
const PUBLIC_SUFFIX: &str = "core.windows.net";

/// The account of the storage emulator, and its key, which is public (README of Azurite).
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A service of a storage account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Blobs: the state.
    Blob,
    /// Queues: the work of many tenants.
    Queue,
}

impl Service {
    /// Its word in host names, and for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Queue => "queue",
        }
    }

    /// The setting that holds its address where an identity is used.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Blob => SERVICE_URI,
            Self::Queue => QUEUE_SERVICE_URI,
        }
    }

    /// The part of a connection string that holds its address.
    const fn part(self) -> &'static str {
        match self {
            Self::Blob => "BlobEndpoint",
            Self::Queue => "QueueEndpoint",
        }
    }

    /// Its port at the emulator.
    const fn emulator_port(self) -> u16 {
        match self {
            Self::Blob => 10000,
            Self::Queue => 10001,
        }
    }
}

/// Why a setting names no storage account. It names the part at fault and holds no value of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {part} {problem}")]
pub struct ConnectionError {
    /// The app setting.
    pub setting: &'static str,
    /// The part of it that is at fault, `AccountKey` for example.
    pub part: String,
    /// What is wrong with it and what would be right.
    pub problem: &'static str,
}

/// How a service is entered. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub enum Access {
    /// Every request is signed with the account's key.
    Key {
        /// The account's name, which is part of the signature.
        account: String,
        /// The key in base64.
        key: Secret,
    },
    /// A shared access signature: the query of every request, without `?`.
    Sas(Secret),
    /// A bearer token of an identity.
    Identity {
        /// The client id of a user-assigned managed identity, where one is named.
        client_id: Option<String>,
    },
}

/// A service of a storage account and the way in.
#[derive(Clone)]
pub struct StorageAccount {
    service: Service,
    endpoint: Url,
    access: Access,
}

impl StorageAccount {
    /// The blob service of a connection string: see [`StorageAccount::service_of`].
    ///
    /// # Errors
    /// As there.
    pub fn from_connection_string(text: &str) -> Result<Self, ConnectionError> {
        Self::service_of(Service::Blob, text)
    }

    /// Reads a connection string: `Name=Value` pairs with `;` between them, names in any case. It needs
    /// `UseDevelopmentStorage=true`, or `AccountName` with `AccountKey`, or a `SharedAccessSignature` with
    /// `BlobEndpoint` (for queues `QueueEndpoint`) or `AccountName`.
    ///
    /// # Errors
    /// A part is missing, stands twice, or is not what it should be.
    pub fn service_of(service: Service, text: &str) -> Result<Self, ConnectionError> {
        let parts = Parts::read(text)?;
        match parts.get("UseDevelopmentStorage") {
            Some(value) if value.eq_ignore_ascii_case("true") => return Self::emulator(service, &parts),
            Some(value) if !value.eq_ignore_ascii_case("false") => {
                return Err(fault("UseDevelopmentStorage", "is neither `true` nor `false`"));
            }
            _ => {}
        }
        let access = match (parts.get("AccountKey"), parts.get("SharedAccessSignature")) {
            (Some(_), Some(_)) => {
                return Err(fault("AccountKey", "stands next to a SharedAccessSignature; give one of the two"));
            }
            (Some(key), None) => Access::Key { account: account_name(&parts)?.to_owned(), key: account_key(key)? },
            (None, Some(sas)) => Access::Sas(shared_access_signature(sas)?),
            (None, None) => {
                return Err(fault(
                    "AccountKey",
                    "is missing (as is SharedAccessSignature); for an identity set AzureWebJobsStorage__blobServiceUri \
                     in place of the connection string",
                ));
            }
        };
        let endpoint = match parts.get(service.part()) {
            Some(text) => service_url(service, CONNECTION_STRING, service.part(), text)?,
            None => composed_endpoint(service, &parts)?,
        };
        Ok(Self { service, endpoint, access })
    }

    /// The blob service at `uri`: see [`StorageAccount::service_at`].
    ///
    /// # Errors
    /// As there.
    pub fn from_service_uri(uri: &str, client_id: Option<&str>) -> Result<Self, ConnectionError> {
        Self::service_at(Service::Blob, uri, client_id)
    }

    /// The service at `uri` (`https://{account}.blob.core.windows.net`), entered with an identity: the user-assigned one
    /// with `client_id`, or whichever is ambient.
    ///
    /// # Errors
    /// `uri` is no `https` address of a service.
    pub fn service_at(service: Service, uri: &str, client_id: Option<&str>) -> Result<Self, ConnectionError> {
        let endpoint = service_url(service, service.setting(), "the address", uri)?;
        if endpoint.scheme() != "https" {
            return Err(ConnectionError {
                setting: service.setting(),
                part: "the address".to_owned(),
                problem: "must begin with https://, because a token is sent there",
            });
        }
        let client_id = client_id.map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned);
        Ok(Self { service, endpoint, access: Access::Identity { client_id } })
    }

    /// The queue service beside the blob service at `blob`, entered with an identity. Its address is told by that of the
    /// blob service, as Azure names them.
    ///
    /// # Errors
    /// The address of the blob service is of another form (a private name, for example).
    pub fn queues_beside(blob: &Url, client_id: Option<&str>) -> Result<Self, ConnectionError> {
        let host = blob.host_str().filter(|host| host.contains(".blob."));
        let beside = host.map(|host| format!("https://{}", host.replacen(".blob.", ".queue.", 1)));
        let uri = beside.ok_or_else(|| ConnectionError {
            setting: QUEUE_SERVICE_URI,
            part: "the address".to_owned(),
            problem: "is missing, and the blob service's does not tell it; set it to an address such as \
                      https://myaccount.queue.core.windows.net",
        })?;
        Self::service_at(Service::Queue, &uri, client_id)
    }

    /// Which service it is.
    #[must_use]
    pub const fn service(&self) -> Service {
        self.service
    }

    /// The address of the service. A shared access signature is not in it.
    #[must_use]
    pub const fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The way in.
    #[must_use]
    pub const fn access(&self) -> &Access {
        &self.access
    }

    fn emulator(service: Service, parts: &Parts) -> Result<Self, ConnectionError> {
        const PROXY: &str = "DevelopmentStorageProxyUri";
        let mut endpoint =
            service_url(service, CONNECTION_STRING, PROXY, parts.get(PROXY).unwrap_or("http://127.0.0.1"))?;
        endpoint.set_port(Some(service.emulator_port())).map_err(|()| fault(PROXY, "takes no port"))?;
        endpoint.set_path(EMULATOR_ACCOUNT);
        let access = Access::Key { account: EMULATOR_ACCOUNT.to_owned(), key: Secret::new(EMULATOR_KEY) };
        Ok(Self { service, endpoint, access })
    }
}

impl fmt::Debug for StorageAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageAccount")
            .field("service", &self.service)
            .field("endpoint", &self.endpoint.as_str())
            .field("access", &self.access)
            .finish()
    }
}

/// The pairs of a connection string, by name in lower case.
struct Parts<'a>(HashMap<String, &'a str>);

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Result<Self, ConnectionError> {
        let mut parts = HashMap::new();
        for (index, pair) in text.split(';').map(str::trim).enumerate().filter(|(_, pair)| !pair.is_empty()) {
            // A key is base64 and may end in `=`, so only the first one divides. A pair without any may be a key that
            // was pasted alone: it is named by its place.
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| fault(format!("part {}", index + 1), "has no `=`; a part is `Name=Value`"))?;
            let name = name.trim().to_ascii_lowercase();
            if parts.insert(name, value.trim()).is_some() {
                return Err(fault(format!("part {}", index + 1), "has a name that stands before it already"));
            }
        }
        if parts.is_empty() { Err(fault("the connection string", "is empty")) } else { Ok(Self(parts)) }
    }

    /// The value of `name`; an empty one counts as absent.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(&name.to_ascii_lowercase()).copied().filter(|value| !value.is_empty())
    }
}

fn fault(part: impl Into<String>, problem: &'static str) -> ConnectionError {
    ConnectionError { setting: CONNECTION_STRING, part: part.into(), problem }
}

/// A name that is safe in a host; longer than Azure's 24 characters may be a private endpoint's.
fn account_name<'a>(parts: &Parts<'a>) -> Result<&'a str, ConnectionError> {
    let name = parts.get("AccountName").ok_or_else(|| fault("AccountName", "is missing"))?;
    if name.len() <= 63 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        Ok(name)
    } else {
        Err(fault("AccountName", "is no name of a storage account (lower-case letters and digits)"))
    }
}

fn account_key(text: &str) -> Result<Secret, ConnectionError> {
    match STANDARD.decode(text) {
        Ok(bytes) if !bytes.is_empty() => Ok(Secret::new(text.to_owned())),
        _ => Err(fault("AccountKey", "is no base64; copy the whole key, up to its closing `=`")),
    }
}

fn shared_access_signature(text: &str) -> Result<Secret, ConnectionError> {
    let query = text.strip_prefix('?').unwrap_or(text);
    let signed = url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "sig" && !value.is_empty());
    if !signed {
        return Err(fault("SharedAccessSignature", "has no `sig`; copy the whole token"));
    }
    Ok(Secret::new(query.to_owned()))
}

fn composed_endpoint(service: Service, parts: &Parts<'_>) -> Result<Url, ConnectionError> {
    const PROTOCOL: &str = "DefaultEndpointsProtocol";
    let protocol = parts.get(PROTOCOL).unwrap_or("https");
    if !protocol.eq_ignore_ascii_case("https") {
        return Err(fault(
            PROTOCOL,
            "must be https; http is for an emulator on loopback, named by BlobEndpoint and QueueEndpoint",
        ));
    }
    let suffix = parts.get("EndpointSuffix").unwrap_or(PUBLIC_SUFFIX);
    let name_only = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if !suffix.bytes().all(name_only) {
        return Err(fault("EndpointSuffix", "is no host name such as core.windows.net"));
    }
    let text = format!("https://{}.{}.{suffix}", account_name(parts)?, service.word());
    Url::parse(&text).map_err(|_| fault("EndpointSuffix", "is no host name such as core.windows.net"))
}

/// An address that a client can be built on: `https` (or `http` on loopback), nothing but host, port and path.
fn service_url(service: Service, setting: &'static str, part: &str, text: &str) -> Result<Url, ConnectionError> {
    let fault = |problem| ConnectionError { setting, part: part.to_owned(), problem };
    let mut url = Url::parse(text.trim()).map_err(|_| {
        fault(match service {
            Service::Blob => "is no address such as https://myaccount.blob.core.windows.net",
            Service::Queue => "is no address such as https://myaccount.queue.core.windows.net",
        })
    })?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(fault("is http; plain http is allowed on loopback alone, use https")),
        _ => return Err(fault("must begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault("must not hold a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fault("must end before any `?`; a SAS belongs in SharedAccessSignature of a connection string"));
    }
    let path = url.path().trim_end_matches('/').to_owned(); // a blob's address must not get an empty part
    url.set_path(&path);
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
