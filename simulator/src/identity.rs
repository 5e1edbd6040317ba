//! Tokens: the managed-identity endpoint, the login endpoint, and the check of what they gave out.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use time::OffsetDateTime;

use crate::{answer, config::Config, query, shared::Shared};

/// The tokens that were given out.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    given: BTreeMap<u64, Token>,
    last: u64,
}

#[derive(Debug)]
struct Token {
    claims: Claims,
    expires: OffsetDateTime,
    revoked: bool,
}

/// What a token says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    pub audience: String,
    pub tenant: String,
    /// The client id of the identity.
    pub client: String,
    pub roles: Vec<String>,
}

impl Claims {
    /// Of a token for `resource` that the identity `client` is given.
    fn new(shared: &Shared, resource: &str, client: &str) -> Self {
        let config = &shared.config;
        let tenant = shared.token_tenant();
        let audience = canonical(resource);
        let roles = roles_for(config, &audience).to_vec();
        Self { audience, tenant: tenant.to_owned(), client: client.to_owned(), roles }
    }
}

fn roles_for<'a>(config: &'a Config, audience: &str) -> &'a [String] {
    match audience {
        audience if audience == canonical(&config.feed_audience) => &config.feed_roles,
        audience if audience == canonical(&config.graph_audience) => &config.graph_roles,
        _ => &[],
    }
}

/// The object id of every identity: there is one.
const OBJECT_ID: &str = "0b1ec700-0000-4000-8000-000000000001";
/// The client id of the managed identity where none is asked for.
const SYSTEM_ASSIGNED: &str = "5e1f0000-0000-4000-8000-000000000002";

/// Audience of a token that is presented as a client assertion (Microsoft Entra, "Configure an application to trust a
/// managed identity").
const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

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
    /// Gives a token out: its claims stand where a JWT has them, and its serial where the signature is.
    pub fn give(&mut self, claims: Claims, expires: OffsetDateTime) -> String {
        self.last += 1;
        let payload = json!({
            "aud": claims.audience, "tid": claims.tenant, "appid": claims.client, "oid": OBJECT_ID,
            "roles": claims.roles, "exp": expires.unix_timestamp(),
        });
        let token = format!("sim.{}.{}", URL_SAFE_NO_PAD.encode(payload.to_string()), self.last);
        self.given.insert(self.last, Token { claims, expires, revoked: false });
        token
    }

    /// Makes every token so far of a tenant invalid.
    pub fn revoke_all(&mut self, tenant: &str) {
        for token in self.given.values_mut().filter(|token| token.claims.tenant == tenant) {
            token.revoked = true;
        }
    }

    /// How many were given out.
    pub fn count(&self) -> u64 {
        self.last
    }

    /// The claims of the valid token for `audience` that the headers carry.
    pub fn check(&self, headers: &HeaderMap, audience: &str, now: OffsetDateTime) -> Result<Claims, BadToken> {
        let token = bearer(headers).and_then(|token| self.find(token)).ok_or(BadToken::Unknown)?;
        token.check(audience, now)
    }

    /// The tenant of the token that the headers carry, valid or not.
    pub fn tenant_of(&self, headers: &HeaderMap) -> Option<&str> {
        Some(&self.find(bearer(headers)?)?.claims.tenant)
    }

    fn find(&self, token: &str) -> Option<&Token> {
        let (_, serial) = token.strip_prefix("sim.")?.split_once('.')?;
        self.given.get(&serial.parse().ok()?)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

impl Token {
    fn check(&self, audience: &str, now: OffsetDateTime) -> Result<Claims, BadToken> {
        let token = self;
        if token.claims.audience != canonical(audience) {
            return Err(BadToken::Audience);
        }
        if token.revoked {
            return Err(BadToken::Revoked);
        }
        if token.expires <= now {
            return Err(BadToken::Expired);
        }
        Ok(token.claims.clone())
    }
}

/// A resource or scope as an audience: without `/.default` and slashes at the end, in lower case.
fn canonical(resource: &str) -> String {
    let resource = resource.strip_suffix("/.default").unwrap_or(resource);
    resource.trim_end_matches('/').to_ascii_lowercase()
}

/// `GET /msi/token`: the managed identity's endpoint as App Service and Functions have it.
pub(crate) async fn managed_identity(
    Extension(shared): Extension<Arc<Shared>>,
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
    let client = query::value(&raw, "client_id").unwrap_or_else(|| SYSTEM_ASSIGNED.to_owned());
    let token = shared.tokens().give(Claims::new(&shared, &resource, &client), expires);
    let body = json!({
        "access_token": token, "expires_on": expires.unix_timestamp().to_string(), "resource": resource,
        "token_type": "Bearer", "client_id": shared.config.identity_client_id,
    });
    answer::json(StatusCode::OK, &body)
}

/// `POST /{tenant}/oauth2/v2.0/token`: Entra's client credentials.
pub(crate) async fn login(
    Extension(shared): Extension<Arc<Shared>>,
    Path(tenant): Path<String>,
    body: Bytes,
) -> Response {
    let form = String::from_utf8_lossy(&body);
    let field = |name: &str| query::value(&form, name).unwrap_or_default();
    let refuse = |status: StatusCode, error: &str, description: &str| {
        answer::json(status, &json!({"error": error, "error_description": description}))
    };
    if !shared.config.exists || !tenant.eq_ignore_ascii_case(&shared.tenant.id) {
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
    let by_assertion = field("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    if by_assertion {
        if let Err(text) = trust(&shared, &field("client_assertion"), OffsetDateTime::now_utc()) {
            return refuse(StatusCode::UNAUTHORIZED, "invalid_client", text);
        }
    } else if field("client_secret") != *secret {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client", "AADSTS7000215: Invalid client secret provided.");
    }
    let lifetime = shared.config.token_lifetime;
    let token = shared.tokens().give(Claims::new(&shared, &audience, client), OffsetDateTime::now_utc() + lifetime);
    let seconds = lifetime.as_secs();
    let body = json!({"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token});
    answer::json(StatusCode::OK, &body).into_response()
}

/// Whether the app trusts an assertion: a token of the managed identity, which is its federated credential. A simulator
/// alone takes what is no token of its own for an assertion that the app's certificate signed.
fn trust(shared: &Shared, assertion: &str, now: OffsetDateTime) -> Result<(), &'static str> {
    let tokens = shared.tokens();
    let Some(token) = tokens.find(assertion) else {
        let signed = shared.origin.home.is_none() && !assertion.is_empty();
        return if signed { Ok(()) } else { Err("AADSTS50027: JWT token is invalid or malformed.") };
    };
    let issuer = shared.origin.home.as_deref().unwrap_or(&shared.tenant.id);
    match token.check(EXCHANGE_AUDIENCE, now) {
        Err(BadToken::Audience) => {
            Err("AADSTS700212: No matching federated identity record found for presented assertion audience.")
        }
        Err(_) => Err("AADSTS700024: Client assertion is not within its valid time range."),
        Ok(claims) if claims.tenant != issuer => {
            Err("AADSTS700211: No matching federated identity record found for presented assertion issuer.")
        }
        Ok(_) => Ok(()),
    }
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
        tokens.check(&headers, audience, now).map(drop)
    }

    fn claims(audience: &str) -> Claims {
        let roles = vec!["Some.Read".to_owned()];
        Claims { audience: canonical(audience), tenant: "t".to_owned(), client: "c".to_owned(), roles }
    }

    #[test]
    fn a_token_shows_its_claims() {
        let token = Tokens::default().give(claims("https://manage.office.com"), NOW);
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let shown: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!((&shown["aud"], &shown["tid"]), (&json!("https://manage.office.com"), &json!("t")));
        assert_eq!((&shown["roles"], &shown["appid"]), (&json!(["Some.Read"]), &json!("c")));
    }

    #[test]
    fn a_token_is_for_one_audience_and_for_its_time() {
        let mut tokens = Tokens::default();
        let token = tokens.give(claims("https://manage.office.com/.default"), NOW + Duration::HOUR);
        assert_eq!(check(&tokens, &token, "https://manage.office.com", NOW), Ok(()));
        assert_eq!(check(&tokens, &token, "https://monitor.azure.com", NOW), Err(BadToken::Audience));
        assert_eq!(check(&tokens, &token, "https://manage.office.com", NOW + Duration::HOUR), Err(BadToken::Expired));
        assert_eq!(check(&tokens, "sim.00.9", "https://manage.office.com", NOW), Err(BadToken::Unknown));
        assert_eq!(tokens.check(&HeaderMap::new(), "https://manage.office.com", NOW), Err(BadToken::Unknown));
        tokens.revoke_all("t");
        assert_eq!(check(&tokens, &token, "https://manage.office.com", NOW), Err(BadToken::Revoked));
    }

    #[test]
    fn the_double_slash_of_the_documentation_is_the_same_audience() {
        assert_eq!(canonical("https://monitor.azure.com//.default"), "https://monitor.azure.com");
        assert_eq!(canonical("https://monitor.azure.com/"), "https://monitor.azure.com");
    }
}
