//! What a token says of itself.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::Token;

/// What a token says of itself, to tell people which identity was refused and which role it lacks. Nothing is
/// verified: only the service that a token is for may judge by it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// `aud`: the service that it is for.
    pub audience: Option<String>,
    /// `tid`: the tenant that issued it.
    pub tenant_id: Option<String>,
    /// `appid`, or `azp` in tokens of version 2: the client id of the identity.
    pub app_id: Option<String>,
    /// `oid`: the principal that roles are granted to.
    pub object_id: Option<String>,
    /// `roles`: the application permissions, such as `ActivityFeed.Read`. Azure roles are not among them.
    pub roles: Vec<String>,
    /// `scp`: the permissions of a signed-in user, as a developer's token has them in place of roles.
    pub scopes: Vec<String>,
    /// `exp`.
    pub expires: Option<OffsetDateTime>,
}

impl Claims {
    /// The claims of a token, or `None` where it is opaque, as a token may be.
    #[must_use]
    pub fn of(token: &Token) -> Option<Self> {
        let payload = token.secret().split('.').nth(1)?;
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
        let text = |name: &str| claims.get(name).and_then(first_text);
        Some(Self {
            audience: text("aud"),
            tenant_id: text("tid"),
            app_id: text("appid").or_else(|| text("azp")),
            object_id: text("oid"),
            roles: claims.get("roles").map(all_texts).unwrap_or_default(),
            scopes: text("scp").map(|list| list.split_whitespace().map(str::to_owned).collect()).unwrap_or_default(),
            expires: claims.get("exp").and_then(seconds).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()),
        })
    }
}

fn first_text(value: &Value) -> Option<String> {
    all_texts(value).into_iter().next()
}

fn all_texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use time::macros::datetime;

    fn claims(payload: &Value) -> Option<Claims> {
        Claims::of(&Token::new(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string())), 1))
    }

    #[test]
    fn an_access_token_tells_who_it_is_for() {
        let payload = json!({
            "aud": "https://manage.office.com", "tid": "t", "appid": "a", "oid": "o",
            "roles": ["ActivityFeed.Read"], "exp": 1_795_000_000,
        });
        let claims = claims(&payload).unwrap();
        assert_eq!(claims.audience.as_deref(), Some("https://manage.office.com"));
        assert_eq!((claims.tenant_id.as_deref(), claims.app_id.as_deref()), (Some("t"), Some("a")));
        assert_eq!((claims.object_id.as_deref(), claims.roles), (Some("o"), vec!["ActivityFeed.Read".to_owned()]));
        assert_eq!(claims.expires, Some(datetime!(2026-11-18 11:06:40 UTC)));
    }

    #[test]
    fn other_shapes_are_tolerated() {
        let other =
            claims(&json!({"aud": ["one", "two"], "azp": "a", "exp": "60", "roles": "one", "scp": "a b", "tid": 7}))
                .unwrap();
        assert_eq!((other.audience.as_deref(), other.app_id.as_deref()), (Some("one"), Some("a")));
        assert_eq!((other.tenant_id, other.roles), (None, vec!["one".to_owned()]));
        assert_eq!(other.scopes, ["a", "b"]);
        assert_eq!(other.expires.map(OffsetDateTime::unix_timestamp), Some(60));
        assert_eq!(claims(&json!({})), Some(Claims::default()));
        assert_eq!(claims(&json!([1])), None);
        for opaque in ["", "opaque", "a.b", "a.b.c", "..", "e30.é.c"] {
            assert_eq!(Claims::of(&Token::new(opaque, 1)), None, "{opaque}");
        }
    }

    proptest! {
        #[test]
        fn no_token_is_too_odd(text in any::<String>(), payload in any::<Vec<u8>>(), exp in any::<i64>()) {
            drop(Claims::of(&Token::new(&text, 1)));
            drop(Claims::of(&Token::new(&format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload)), 1)));
            let expires = claims(&json!({ "exp": exp })).unwrap().expires;
            prop_assert!(expires.is_none_or(|at| at.unix_timestamp() == exp));
        }
    }
}
