//! The tokens, and what they say of themselves.

use super::{Check, Finding};
use crate::{
    content::ContentType,
    identity::{Claims, TokenSource, Tokens},
};

/// What a token must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The check that it is for.
    pub check: Check,
    /// The audience, without `/.default`.
    pub audience: &'a str,
    /// The tenant that must have issued it, where that matters.
    pub tenant: Option<&'a str>,
}

/// Asks for a token and judges it; with its claims, where it is not opaque.
pub(super) async fn examine(tokens: &Tokens, method: &str, wanted: Wanted<'_>) -> (Finding, Option<Claims>) {
    match tokens.token().await {
        Ok(token) => {
            let claims = Claims::of(&token);
            (judge(claims.as_ref(), method, wanted), claims)
        }
        Err(error) => {
            let (found, fix) = apart(&error.to_string());
            (Finding::failed(wanted.check, found, fix), None)
        }
    }
}

/// An error of the identity ends with the advice where there is one: its last sentence.
fn apart(error: &str) -> (String, String) {
    match error.rsplit_once(". ") {
        Some((said, advice)) => (said.to_owned(), advice.to_owned()),
        None => (error.to_owned(), "Check the identity's settings: docs/settings.md lists them".to_owned()),
    }
}

fn judge(claims: Option<&Claims>, method: &str, wanted: Wanted<'_>) -> Finding {
    let check = wanted.check;
    let Some(claims) = claims else {
        return Finding::ok(check, format!("{method}; the token does not show what is in it"));
    };
    if let Some(audience) = claims.audience.as_deref().filter(|found| is_other(found, wanted.audience)) {
        return Finding::failed(
            check,
            format!("{method}: the token is for {audience}, and {} is wanted", wanted.audience),
            "Set M365_CLOUD to the cloud of the tenant (commercial, gcc, gcchigh or dod)",
        );
    }
    match (wanted.tenant, claims.tenant_id.as_deref()) {
        (Some(wanted), Some(found)) if !wanted.eq_ignore_ascii_case(found) => Finding::failed(
            check,
            format!("{method}: the token is of tenant {found}, and M365_TENANT_ID is {wanted}"),
            "Correct M365_TENANT_ID; or, to read another tenant than the identity's own, set M365_CLIENT_ID to an app \
             registration that may read that tenant, with M365_FEDERATED_IDENTITY=true",
        ),
        _ => Finding::ok(check, format!("{method}{}", who(claims))),
    }
}

/// Whether `found` is an address, and of another service than `wanted`. Tokens of version 2 name the service by an id.
fn is_other(found: &str, wanted: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    found.contains("://") && bare(found) != bare(wanted)
}

fn who(claims: &Claims) -> String {
    let parts = [("application", &claims.app_id), ("object", &claims.object_id), ("tenant", &claims.tenant_id)];
    let parts: Vec<_> = parts.into_iter().filter_map(|(name, id)| Some(format!("{name} {}", id.as_ref()?))).collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}

/// How the identity is named in a command: by its object id where the token told it.
pub(super) fn principal(claims: Option<&Claims>) -> String {
    claims.and_then(|claims| claims.object_id.clone()).unwrap_or_else(|| "<object id of the identity>".to_owned())
}

/// Whether the token may read the feed (application permission, or delegated for a developer; Management Activity API
/// reference: the token must contain `ActivityFeed.Read`).
pub(super) fn permission(claims: Option<&Claims>, content_types: &[ContentType]) -> Finding {
    let check = Check::FeedPermission;
    let Some(claims) = claims else {
        return Finding::ok(check, "the token does not show its permissions; the feed's answers do");
    };
    let mut needed = vec!["ActivityFeed.Read"];
    if content_types.contains(&ContentType::Dlp) {
        needed.push("ActivityFeed.ReadDlp");
    }
    let has = |name: &str| claims.roles.iter().chain(&claims.scopes).any(|found| found == name);
    let missing: Vec<_> = needed.iter().copied().filter(|name| !has(name)).collect();
    if missing.is_empty() {
        return Finding::ok(check, needed.join(", "));
    }
    let found = if claims.roles.is_empty() { "none".to_owned() } else { claims.roles.join(", ") };
    Finding::failed(
        check,
        format!("{} is not among the token's permissions ({found})", missing.join(" and ")),
        format!(
            "./scripts/grant-feed-access --principal-id {}\nThen restart the app: a token that was given out before \
             the grant may be used for up to a day",
            principal(Some(claims))
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    const WANTED: Wanted<'_> =
        Wanted { check: Check::FeedToken, audience: "https://manage.office.com", tenant: Some("t") };

    fn claims(audience: &str, tenant: &str) -> Claims {
        Claims {
            audience: Some(audience.to_owned()),
            tenant_id: Some(tenant.to_owned()),
            object_id: Some("o".to_owned()),
            ..Claims::default()
        }
    }

    #[test]
    fn a_token_is_for_its_service_and_of_its_tenant() {
        let verdict = |audience, tenant| judge(Some(&claims(audience, tenant)), "m", WANTED).verdict;
        for audience in
            ["https://manage.office.com", "https://Manage.office.com/", "c5393580-f805-4401-95e8-94b7a6ef2fc2"]
        {
            assert_eq!(verdict(audience, "T"), Verdict::Ok, "{audience}");
        }
        assert_eq!(verdict("https://manage-gcc.office.com", "t"), Verdict::Failed);
        assert_eq!(verdict("https://manage.office.com", "u"), Verdict::Failed);
        assert_eq!(judge(None, "m", WANTED).verdict, Verdict::Ok);
        let anywhere = Wanted { tenant: None, ..WANTED };
        let finding = judge(Some(&claims("https://manage.office.com", "u")), "m", anywhere);
        assert_eq!((finding.verdict, finding.found.as_str()), (Verdict::Ok, "m: object o, tenant u"));
    }

    #[test]
    fn the_permission_is_a_role_or_a_scope() {
        let with = |roles: &[&str], scopes: &[&str]| Claims {
            roles: roles.iter().map(ToString::to_string).collect(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            ..claims("a", "t")
        };
        let verdict = |claims: &Claims, types: &[ContentType]| permission(Some(claims), types).verdict;
        assert_eq!(verdict(&with(&["ActivityFeed.Read"], &[]), &[]), Verdict::Ok);
        assert_eq!(verdict(&with(&[], &["ActivityFeed.Read"]), &[]), Verdict::Ok);
        assert_eq!(verdict(&with(&["ActivityFeed.Read"], &[]), &[ContentType::Dlp]), Verdict::Failed);
        let missing = permission(Some(&with(&["ServiceHealth.Read"], &[])), &[]);
        assert_eq!(missing.verdict, Verdict::Failed);
        assert!(missing.found.contains("ServiceHealth.Read") && missing.fix.unwrap().contains("--principal-id o"));
        assert_eq!(permission(None, &[]).verdict, Verdict::Ok);
    }

    #[test]
    fn the_advice_of_an_error_is_its_last_sentence() {
        assert_eq!(apart("no token: it said. Run `az login`"), ("no token: it said".into(), "Run `az login`".into()));
        assert_eq!(apart("no token").0, "no token");
    }
}
