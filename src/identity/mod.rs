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

use reason::HIDDEN;

/// How many bytes of a token in a row are taken for a piece of it, and not for text that happens to be in it.
const PIECE: usize = 16;

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

    /// `text` without the token, which services and gateways echo: whole, or cut, of which 16 bytes in a row and
    /// more are taken out.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let secret = &*self.secret;
        let least = PIECE.min(secret.len()).max(1);
        let is_piece = |piece: &str| secret.contains(piece);
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if !rest.get(..least).is_some_and(is_piece) {
                out.push(character);
                rest = &rest[character.len_utf8()..];
                continue;
            }
            let longer = (least..=rest.len()).take_while(|&end| rest.get(..end).is_none_or(is_piece));
            let end = longer.filter(|&end| rest.is_char_boundary(end)).last().unwrap_or(least);
            out.push_str(HIDDEN);
            rest = &rest[end..];
        }
        out
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_hidden_whole_and_in_pieces() {
        let token = Token::new("0123456789abcdefghijklmnop", 1);
        for (text, expected) in [
            ("Bearer 0123456789abcdefghijklmnop!", "Bearer ***!"),
            ("Bearer 0123456789abcdefg...", "Bearer ***..."),
            ("\u{e9}abcdefghijklmnop\u{e9}", "\u{e9}***\u{e9}"),
            ("0123456789abcde is short", "0123456789abcde is short"),
            ("", ""),
        ] {
            assert_eq!(token.hide(text), expected);
        }
        assert_eq!(Token::new("hidden", 1).hide("Bearer hidden, hidde"), "Bearer ***, hidde");
        assert_eq!(Token::new("", 1).hide("x"), "x");
    }

    proptest! {
        #[test]
        fn no_piece_stays_and_nothing_else_goes(
            secret in "[a-z]{20,60}",
            from in 0_usize..60,
            len in 0_usize..60,
            around in "[A-Z\u{20ac}]{0,20}",
        ) {
            let piece: String = secret.chars().skip(from).take(len).collect();
            let hidden = Token::new(&secret, 1).hide(&format!("{around}{piece}{around}"));
            let kept = if piece.len() < PIECE { piece.as_str() } else { HIDDEN };
            prop_assert_eq!(hidden, format!("{around}{kept}{around}"));
        }
    }
}
