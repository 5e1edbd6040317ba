//! The state.

use super::*;

pub const CASES: &[Case] = &[
    Case {
        broken: "the account key was rotated",
        setup: || {
            with(|setup| {
                setup.settings.push((
                    "AzureWebJobsStorage",
                    azurite::connection_string(azurite::Azurite::shared().port(), "cm90YXRlZA=="),
                ));
            })
        },
        named: &[("state", "failed")],
        found: "reading a blob: HTTP 403",
        fix: "check AccountKey in AzureWebJobsStorage",
    },
    Case {
        broken: "the storage may not be written to",
        setup: || storage_refuses(Some(Method::PUT), ""),
        named: &[("state", "failed")],
        found: "writing a blob: HTTP 403 AuthorizationPermissionMismatch",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "the storage may not be appended to",
        setup: || storage_refuses(None, "comp=appendblock"),
        named: &[("state", "failed")],
        found: "appending to a blob: HTTP 403",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "the storage may not be listed",
        setup: || storage_refuses(None, "comp=list"),
        named: &[("state", "failed")],
        found: "listing blobs: HTTP 403",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "the storage is away",
        setup: || with(|setup| setup.storage_is_shut = true),
        named: &[("state", "failed")],
        found: "reading a blob",
        fix: "can be reached from here",
    },
    Case {
        broken: "no lease may be taken",
        setup: || storage_refuses(None, "comp=lease"),
        named: &[("lease", "failed")],
        found: "taking a lease: HTTP 403",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "the container is not there",
        setup: || with(|setup| setup.has_container = false),
        named: &[("state", "warning")],
        found: "is not there; the first run makes it",
        fix: "az storage container create",
    },
    Case {
        broken: "the storage may not be read",
        setup: || storage_refuses(Some(Method::GET), "doctor-"),
        named: &[("state", "failed")],
        found: "reading a blob: HTTP 403 AuthorizationPermissionMismatch",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "nothing may be removed from the storage",
        setup: || storage_refuses(Some(Method::DELETE), ""),
        named: &[("state", "failed")],
        found: "removing a blob: HTTP 403",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "the network is kept out of the storage",
        setup: || storage_answers(403, "AuthorizationFailure"),
        named: &[("state", "failed")],
        found: "HTTP 403 AuthorizationFailure",
        fix: "networking settings",
    },
    Case {
        broken: "the account takes no key",
        setup: || storage_answers(403, "KeyBasedAuthenticationNotPermitted"),
        named: &[("state", "failed")],
        found: "KeyBasedAuthenticationNotPermitted",
        fix: "AzureWebJobsStorage__blobServiceUri",
    },
    Case {
        broken: "the account is another",
        setup: || set("AzureWebJobsStorage", &elsewhere()),
        named: &[("state", "failed")],
        found: "HTTP 4",
        fix: "AzureWebJobsStorage",
    },
    Case {
        broken: "the storage fails",
        setup: || storage_answers(500, "InternalError"),
        named: &[("state", "failed")],
        found: "HTTP 500 InternalError",
        fix: "can be reached from here",
    },
    Case {
        broken: "somebody leased the lock for good",
        setup: || with(|setup| setup.is_locked_for_good = true),
        named: &[("lease", "failed")],
        found: "has a lease that never runs out",
        fix: "az storage blob lease break",
    },
];
