//! Who the connector is: bearer tokens for the feed, the data collection rule, Graph and storage.
//!
//! [`credential`] picks one [`Method`] by what is set, never by trial: the app registration of `M365_CLIENT_ID` for
//! the feed and Graph where there is one, otherwise and for everything else the ambient identity. [`Tokens`] keeps a
//! token until shortly before it expires and fetches one at a time.
//!
//! The Azure SDK reads `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` from the environment of the process itself and lets
//! nobody give them. What [`crate::settings`] reads of them only decides that there is a managed identity.

mod cache;
mod certificate;
mod claims;
mod credential;
mod exchange;
mod method;
mod reason;
mod tokens;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

pub use claims::Claims;
pub use credential::{Credential, credential, storage_credential};
pub use method::{App, Audience, Method};
pub use tokens::{CredentialFactory, Tokens};

/// A bearer token for one audience. Its text is shown by no `Debug` and no error.
#[derive(Clone)]
pub struct Token {
    secret: Arc<str>,
    generation: u64,
}

impl Token {
    /// A token as a credential gave it. `generation` counts the tokens of one source, so that a refusal names one.
    #[must_use]
    pub fn new(secret: &str, generation: u64) -> Self {
        Self { secret: secret.into(), generation }
    }

    /// The text that follows `Bearer `.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Which of the source's tokens this is.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// Why there is no token.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no token for {audience}: {reason}")]
pub struct IdentityError {
    /// The audience that was asked for.
    pub audience: String,
    /// What the identity provider or the credential said, without any secret.
    pub reason: String,
}

/// Hands out tokens for one audience. Tokens are cached until shortly before they expire.
#[async_trait]
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// A token to attach to a request.
    ///
    /// # Errors
    /// The identity provider refused, or could not be reached.
    async fn token(&self) -> Result<Token, IdentityError>;

    /// The service answered 401 to `token`: it is handed out no more. Refusing a token that was replaced already does
    /// nothing, so that many workers refusing the same token cause one new one.
    fn refuse(&self, token: &Token);
}
