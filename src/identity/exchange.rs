//! A client assertion that is a token of the ambient identity: workload identity federation.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{credentials::TokenCredential, http::ClientMethodOptions};
use azure_identity::ClientAssertion;

/// Presents a token of one identity as the proof of another.
#[derive(Debug)]
pub(super) struct ExchangeAssertion {
    /// Whose token is presented.
    pub(super) ambient: Arc<dyn TokenCredential>,
    /// The scope of that token, `api://AzureADTokenExchange/.default` in the public cloud.
    pub(super) scope: String,
}

#[async_trait]
impl ClientAssertion for ExchangeAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let token = self.ambient.get_token(&[&self.scope], None).await?;
        Ok(token.token.secret().to_owned())
    }
}
