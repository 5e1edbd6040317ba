//! Where the state lies.

use azure_core::credentials::Secret;
use url::Url;

use super::{
    endpoint::secure_endpoint,
    reader::Reader,
    table,
    value::{choice, guid},
};

/// The storage account, and how it is opened.
#[derive(Debug, Clone, PartialEq)]
pub enum StorageAccount {
    /// A connection string with a key or a signature, or `UseDevelopmentStorage=true`; not looked into here.
    ConnectionString(Secret),
    /// An account that is opened by the ambient identity.
    Identity {
        /// The blob service's root; always https, since the SDK sends no token over plain HTTP.
        blob_service_uri: Url,
        /// The queue service's root, where it is not told by the blob service's.
        queue_service_uri: Option<Url>,
        /// The user-assigned identity, where it is another than `AZURE_CLIENT_ID`.
        client_id: Option<String>,
    },
}

/// Where the state lies.
#[derive(Debug, Clone, PartialEq)]
pub struct StorageSettings {
    /// The storage account.
    pub account: StorageAccount,
    /// The container, made if it is missing.
    pub container: String,
}

impl StorageSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let container = reader.or_default(&table::STATE_CONTAINER, container);
        let connection_string = reader.text(&table::STORAGE);
        let client_id = reader.optional(&table::STORAGE_CLIENT_ID, guid);
        // The host's own switch. An identity of another kind than the ambient one is not supported.
        let credential = reader.optional(&table::STORAGE_CREDENTIAL, |text| choice(text, &[("managedidentity", ())]));
        let service_uri = reader.optional(&table::STORAGE_BLOB_SERVICE_URI, secure_endpoint);
        let queue_service_uri = reader.optional(&table::STORAGE_QUEUE_SERVICE_URI, secure_endpoint);
        let account_name = reader.optional(&table::STORAGE_ACCOUNT_NAME, account_uri);
        let account = match (connection_string, service_uri?.or(account_name?)) {
            // As the Functions host does: an exact match of the name comes before the names that it begins.
            (Some(text), _) => StorageAccount::ConnectionString(Secret::new(text)),
            (None, Some(blob_service_uri)) => {
                credential?;
                StorageAccount::Identity {
                    blob_service_uri,
                    queue_service_uri: queue_service_uri?,
                    client_id: client_id?,
                }
            }
            (None, None) => {
                reader.fault(
                    &table::STORAGE,
                    "is missing: set it to a connection string, or AzureWebJobsStorage__blobServiceUri to the account's \
                     address for access by identity",
                );
                return None;
            }
        };
        Some(Self { account, container: container? })
    }
}

/// The Functions host takes the name of an account too, and gives it the public cloud's suffix whatever the cloud is
/// (`StorageServiceUriOptions` of azure-functions-host); so does the connector, to mean the same account.
fn account_uri(text: &str) -> Result<Url, String> {
    // "Storage account overview": 3 to 24 lower-case letters and digits.
    if (3..=24).contains(&text.len()) && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        secure_endpoint(&format!("https://{text}.blob.core.windows.net"))
    } else {
        Err("is not the name of a storage account, which has 3 to 24 lower-case letters and digits".to_owned())
    }
}

/// "Naming and referencing containers, blobs, and metadata".
fn container(text: &str) -> Result<String, String> {
    let parts_are_good = text
        .split('-')
        .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    if (3..=63).contains(&text.len()) && parts_are_good {
        Ok(text.to_owned())
    } else {
        Err("is not the name of a container, which has 3 to 63 lower-case letters and digits, and single hyphens \
             between them"
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn containers_go_by_the_naming_rules() {
        for good in ["labelstream", "abc", "a-b", "0-1-2", &"a".repeat(63)] {
            assert_eq!(container(good).as_deref(), Ok(good));
        }
        for bad in ["ab", "Labelstream", "a--b", "-ab", "ab-", "a_b", "a.b", "$root", "a/b", &"a".repeat(64)] {
            assert!(container(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_container_needs_no_escape_in_a_url(text in "\\PC{0,70}") {
            if let Ok(name) = container(&text) {
                let url = Url::parse(&format!("https://host/{name}/blob")).unwrap();
                prop_assert_eq!(url.path_segments().unwrap().next(), Some(name.as_str()));
            }
        }
    }
}
