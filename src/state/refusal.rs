//! What the refusals of a storage account mean, and how they are told without a secret.

use azure_core::error::ErrorKind;
use azure_storage_blob::StorageError;

use super::{
    StateError,
    connection::{Access, Service},
};

/// What an error of the blob or the queue service means to its client.
///
/// Source: Status and error codes, Blob and Queue service error codes (learn.microsoft.com, rest/api/storageservices), and what
/// Azurite answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such blob or queue.
    NoBlob,
    /// There is no such container.
    NoContainer,
    /// A condition does not hold: another writer came first, or an earlier try of the same write.
    Condition,
    /// Another holds the lease.
    LeaseHeld,
    /// The lease is not ours any more.
    LeaseLost,
    /// An append blob has all the blocks that it can have.
    Full,
    /// The key, SAS or identity is refused.
    Denied,
    /// Everything else.
    Other,
}

impl Refusal {
    /// Reads the SDK's error.
    pub(crate) fn of(error: &azure_core::Error) -> Self {
        match error.kind() {
            ErrorKind::HttpResponse { status, error_code, .. } => {
                classify(u16::from(*status), error_code.as_deref().unwrap_or_default())
            }
            _ => Self::Other,
        }
    }
}

fn classify(status: u16, code: &str) -> Refusal {
    match (status, code) {
        (404, "ContainerNotFound") => Refusal::NoContainer,
        (404, _) => Refusal::NoBlob,
        (409, "BlobAlreadyExists") => Refusal::Condition,
        (412, "ConditionNotMet" | "AppendPositionConditionNotMet" | "TargetConditionNotMet") => Refusal::Condition,
        (409, "BlockCountExceedsLimit") => Refusal::Full,
        (409, "LeaseAlreadyPresent" | "LeaseIsBreakingAndCannotBeAcquired") => Refusal::LeaseHeld,
        (409 | 412, code) if code.starts_with("Lease") => Refusal::LeaseLost,
        (401 | 403, _) => Refusal::Denied,
        _ => Refusal::Other,
    }
}

/// The error that a caller gets where the refusal has no meaning of its own for it.
pub(super) fn state_error(key: &str, access: &Access, error: azure_core::Error) -> StateError {
    let key = key.to_owned();
    match Refusal::of(&error) {
        Refusal::Condition => StateError::Conflict { key },
        Refusal::Full => StateError::Full { key },
        Refusal::LeaseHeld | Refusal::LeaseLost => StateError::LockLost { key },
        Refusal::Denied => {
            let advice = advice(Service::Blob, access, code_of(&error));
            StateError::Denied { key, reason: format!("{}; {advice}", describe(error)) }
        }
        Refusal::NoBlob | Refusal::NoContainer | Refusal::Other => {
            StateError::Unavailable { key, reason: describe(error) }
        }
    }
}

/// The code of an answer that has one.
pub(crate) fn code_of(error: &azure_core::Error) -> &str {
    match error.kind() {
        ErrorKind::HttpResponse { error_code, .. } => error_code.as_deref().unwrap_or_default(),
        _ => "",
    }
}

/// What the person can do about a refusal with `code`.
pub(crate) fn advice(service: Service, access: &Access, code: &str) -> &'static str {
    match (access, code) {
        (Access::Sas(_) | Access::Identity { .. }, "AuthorizationFailure" | "IpAuthorizationError") => {
            "let this network in: the storage account's networking settings keep it out (or the SAS is for other \
             addresses or fewer operations)"
        }
        (_, "KeyBasedAuthenticationNotPermitted") => {
            "the account takes no key: set AzureWebJobsStorage__blobServiceUri in place of AzureWebJobsStorage"
        }
        (_, "AccountIsDisabled") => "enable the storage account again",
        (Access::Key { .. }, _) => {
            "check AccountKey in AzureWebJobsStorage (was the key rotated?), this machine's clock, and whether the \
             storage account's networking settings let this network in"
        }
        (Access::Sas(_), _) if service == Service::Queue => {
            "make a new SAS for AzureWebJobsStorage: queue service, container and object, read, write, add, process, \
             update, delete and create, not yet expired"
        }
        (Access::Sas(_), _) => {
            "make a new SAS for AzureWebJobsStorage: blob service, container and object, read, write, delete, list, \
             add and create, not yet expired"
        }
        (Access::Identity { .. }, _) if service == Service::Queue => {
            "grant the identity the role Storage Queue Data Contributor on the storage account; a grant takes up to ten \
             minutes to work"
        }
        (Access::Identity { .. }, _) => {
            "grant the identity the role Storage Blob Data Contributor (or Owner) on the storage account; a grant \
             takes up to ten minutes to work"
        }
    }
}

/// What went wrong, in one line. Answers give their status, code and first line, since further lines may quote what
/// was signed; transport errors give their innermost cause. Queries are cut off, for a SAS is one.
pub(crate) fn describe(error: azure_core::Error) -> String {
    if !matches!(error.kind(), ErrorKind::HttpResponse { .. }) {
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(cause) = innermost.source() {
            innermost = cause;
        }
        let (top, cause) = (error.to_string(), innermost.to_string());
        return without_queries(&if top.contains(&cause) { top } else { format!("{top}: {cause}") });
    }
    let status = error.http_status().map(|status| u16::from(status).to_string()).unwrap_or_default();
    let code = code_of(&error).to_owned();
    let (message, request) = match StorageError::try_from(error) {
        Ok(answer) => (answer.message.unwrap_or_default(), answer.request_id.unwrap_or_default()),
        Err(_) => (String::new(), String::new()), // an answer in no known form: status and code have to do
    };
    let mut text = format!("HTTP {status} {code}").trim_end().to_owned();
    if let Some(line) = message.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        text.push_str(&format!(": {}", line.trim_end_matches('.')));
    }
    if !request.is_empty() {
        text.push_str(&format!(" (request {request})"));
    }
    without_queries(&text)
}

/// The text with every `?` and what follows it up to a blank, quote or bracket cut out.
fn without_queries(text: &str) -> String {
    let ends = |char: char| char.is_whitespace() || matches!(char, ')' | '"' | '\'' | '>' | '`' | ']');
    let mut kept = String::with_capacity(text.len());
    let mut in_query = false;
    for char in text.chars() {
        in_query = if in_query { !ends(char) } else { char == '?' };
        if !in_query {
            kept.push(char);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_told_apart() {
        for (status, code, refusal) in [
            (404, "BlobNotFound", Refusal::NoBlob),
            (404, "", Refusal::NoBlob),
            (404, "ContainerNotFound", Refusal::NoContainer),
            (409, "BlobAlreadyExists", Refusal::Condition),
            (412, "ConditionNotMet", Refusal::Condition),
            (412, "AppendPositionConditionNotMet", Refusal::Condition),
            (409, "BlockCountExceedsLimit", Refusal::Full),
            (409, "LeaseAlreadyPresent", Refusal::LeaseHeld),
            (409, "LeaseIdMismatchWithLeaseOperation", Refusal::LeaseLost),
            (409, "LeaseNotPresentWithLeaseOperation", Refusal::LeaseLost),
            (409, "LeaseIsBrokenAndCannotBeRenewed", Refusal::LeaseLost),
            (412, "LeaseLost", Refusal::LeaseLost),
            (401, "InvalidAuthenticationInfo", Refusal::Denied),
            (403, "AuthorizationPermissionMismatch", Refusal::Denied),
            (409, "InvalidBlobType", Refusal::Other),
            (500, "InternalError", Refusal::Other),
            (503, "ServerBusy", Refusal::Other),
        ] {
            assert_eq!(classify(status, code), refusal, "{status} {code}");
        }
    }

    #[test]
    fn advice_fits_the_way_in_and_the_code() {
        let (blob, queue) = (Service::Blob, Service::Queue);
        let key = Access::Key { account: "a".to_owned(), key: "YWJj".into() };
        let identity = Access::Identity { client_id: None };
        assert!(advice(blob, &identity, "AuthorizationPermissionMismatch").contains("Storage Blob Data Contributor"));
        assert!(advice(queue, &identity, "AuthorizationPermissionMismatch").contains("Storage Queue Data Contributor"));
        assert!(advice(blob, &key, "AuthenticationFailed").contains("AccountKey"));
        assert!(advice(queue, &key, "KeyBasedAuthenticationNotPermitted").contains("blobServiceUri"));
        assert!(advice(blob, &identity, "AuthorizationFailure").contains("network"));
        let sas = Access::Sas("sig=x".into());
        assert!(advice(blob, &sas, "AuthenticationFailed").contains("blob service"));
        assert!(advice(queue, &sas, "AuthenticationFailed").contains("queue service"));
    }

    #[test]
    fn the_innermost_cause_is_told() {
        let cause = std::io::Error::other("connection refused by https://a.example/c?sig=secret");
        let error = azure_core::Error::with_error(ErrorKind::Io, cause, "the request failed");
        assert_eq!(describe(error), "the request failed: connection refused by https://a.example/c");
    }

    proptest! {
        #[test]
        fn no_query_survives(before in "[a-z :/.]{0,20}", query in "[A-Za-z0-9%&=+/?_-]{8,40}", after in "[) \"'][a-z ]{0,10}") {
            let shown = without_queries(&format!("{before}?{query}{after}"));
            prop_assert!(shown.starts_with(&before));
            prop_assert!(!shown.contains(&query) && !shown[before.len()..].contains('&'), "{shown}");
        }

        #[test]
        fn text_without_a_query_stays(text in "[^?]{0,60}") {
            prop_assert_eq!(without_queries(&text), text);
        }
    }
}
