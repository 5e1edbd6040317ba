//! Tokens: the managed-identity endpoint, the login endpoint, and the check of what they gave out.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use time::OffsetDateTime;

use crate::{answer, query, server::Shared};

/// The tokens that were given out.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    given: BTreeMap<u64, Token>,
    last: u64,
}

#[derive(Debug)]
struct Token {
    audience: String,
    expires: OffsetDateTime,
    revoked: bool,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadToken {
    /// No `Authorization: Bearer`, or a token that was never given out.
    Unknown,
    /// For another audience.
    Audience,
    /// Its time is over.
    Expired,
    /// Revoked.
    Revoked,
}

impl Tokens {
    /// Gives a token out: opaque to clients, with its audience and serial in it.
    pub fn give(&mut self, audience: &str, expires: OffsetDateTime) -> String {
        self.last += 1;
        let audience = canonical(audience);
        let token =
            format!("sim.{}.{}", audience.bytes().map(|byte| format!("{byte:02x}")).collect::<String>(), self.last);
        self.given.insert(self.last, Token { audience, expires, revoked: false });
        token
    }

    /// Makes every token so far invalid.
    pub fn revoke_all(&mut self) {
        for token in self.given.values_mut() {
            token.revoked = true;
        }
    }

    /// How many were given out.
    pub fn count(&self) -> u64 {
        self.last
    }

    /// Whether the headers carry a valid token for `audience`.
    pub fn check(&self, headers: &HeaderMap, audience: &str, now: OffsetDateTime) -> Result<(), BadToken> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let serial = given
            .and_then(|value| value.strip_prefix("Bearer sim."))
            .and_then(|token| token.split_once('.'))
            .and_then(|(_, serial)| serial.parse().ok());
        let serial: u64 = serial.ok_or(BadToken::Unknown)?;
        let token = self.given.get(&serial).ok_or(BadToken::Unknown)?;
        if token.audience != canonical(audience) {
            return Err(BadToken::Audience);
        }
        if token.revoked {
            return Err(BadToken::Revoked);
        }
        if token.expires <= now {
            return Err(BadToken::Expired);
        }
        Ok(())
    }
}

/// A resource or scope as an audience: without `/.default` and slashes at the end, in lower case.
fn canonical(resource: &str) -> String {
    let resource = resource.strip_suffix("/.default").unwrap_or(resource);
    resource.trim_end_matches('/').to_ascii_lowercase()
}

/// `GET /msi/token`: the managed identity's endpoint as App Service and Functions have it.
pub(crate) async fn managed_identity(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Response {
    let raw = raw.unwrap_or_default();
    let bad = |message: &str| {
        answer::json(StatusCode::BAD_REQUEST, &json!({"statusCode": 400, "message": message, "correlationId": ""}))
    };
    let secret = headers.get("x-identity-header").and_then(|value| value.to_str().ok());
    if secret != Some(shared.config.identity_header.as_str()) {
        return answer::json(
            StatusCode::UNAUTHORIZED,
            &json!({"statusCode": 401, "message": "X-IDENTITY-HEADER is wrong"}),
        );
    }
    if query::value(&raw, "api-version").as_deref() != Some("2019-08-01") {
        return bad("api-version must be 2019-08-01");
    }
    let Some(resource) = query::value(&raw, "resource").filter(|resource| !resource.is_empty()) else {
        return bad("resource is missing");
    };
    if shared.config.identity_client_id.is_some() && query::value(&raw, "client_id") != shared.config.identity_client_id
    {
        return bad(
            "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        );
    }
    let expires = OffsetDateTime::now_utc() + shared.config.token_lifetime;
    let token = shared.tokens().give(&resource, expires);
    let body = json!({
        "access_token": token, "expires_on": expires.unix_timestamp().to_string(), "resource": resource,
        "token_type": "Bearer", "client_id": shared.config.identity_client_id,
    });
    answer::json(StatusCode::OK, &body)
}

/// `POST /{tenant}/oauth2/v2.0/token`: Entra's client credentials.
pub(crate) async fn login(State(shared): State<Arc<Shared>>, Path(tenant): Path<String>, body: Bytes) -> Response {
    let form = String::from_utf8_lossy(&body);
    let field = |name: &str| query::value(&form, name).unwrap_or_default();
    let refuse = |status: StatusCode, error: &str, description: &str| {
        answer::json(status, &json!({"error": error, "error_description": description}))
    };
    if tenant != shared.tenant.id {
        let text = format!("AADSTS90002: Tenant '{tenant}' not found.");
        return refuse(StatusCode::BAD_REQUEST, "invalid_request", &text);
    }
    if field("grant_type") != "client_credentials" {
        return refuse(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "AADSTS70003: The grant type is not supported.",
        );
    }
    let Some(audience) = field("scope").strip_suffix("/.default").map(str::to_owned) else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_scope", "AADSTS1002012: The scope must end with /.default.");
    };
    let (client, secret) = &shared.config.app;
    if field("client_id") != *client {
        return refuse(StatusCode::UNAUTHORIZED, "unauthorized_client", "AADSTS700016: Application was not found.");
    }
    let asserted = field("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        && !field("client_assertion").is_empty();
    if field("client_secret") != *secret && !asserted {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client", "AADSTS7000215: Invalid client secret provided.");
    }
    let lifetime = shared.config.token_lifetime;
    let token = shared.tokens().give(&audience, OffsetDateTime::now_utc() + lifetime);
    let seconds = lifetime.as_secs();
    let body = json!({"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token});
    answer::json(StatusCode::OK, &body).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use time::{Duration, macros::datetime};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-18 12:00 UTC);

    fn check(tokens: &Tokens, token: &str, audience: &str, now: OffsetDateTime) -> Result<(), BadToken> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap());
        tokens.check(&headers, audience, now)
    }

    #[test]
    fn a_token_is_for_one_audience_and_for_its_time() {
        let mut tokens = Tokens::default();
        let token = tokens.give("https://manage.office.com/.default", NOW + Duration::HOUR);
        assert_eq!(check(&tokens, &token, "https://manage.office.com", NOW), Ok(()));
        assert_eq!(check(&tokens, &token, "https://monitor.azure.com", NOW), Err(BadToken::Audience));
        assert_eq!(check(&tokens, &token, "https://manage.office.com", NOW + Duration::HOUR), Err(BadToken::Expired));
        assert_eq!(check(&tokens, "sim.00.9", "https://manage.office.com", NOW), Err(BadToken::Unknown));
        assert_eq!(tokens.check(&HeaderMap::new(), "https://manage.office.com", NOW), Err(BadToken::Unknown));
        tokens.revoke_all();
        assert_eq!(check(&tokens, &token, "https://manage.office.com", NOW), Err(BadToken::Revoked));
    }

    #[test]
    fn the_double_slash_of_the_documentation_is_the_same_audience() {
        assert_eq!(canonical("https://monitor.azure.com//.default"), "https://monitor.azure.com");
        assert_eq!(canonical("https://monitor.azure.com/"), "https://monitor.azure.com");
    }
}
