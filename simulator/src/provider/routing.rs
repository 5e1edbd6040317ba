//! Which tenant a request is for.

use std::{borrow::Cow, sync::Arc};

use axum::{Extension, extract::Request, http::HeaderMap, middleware::Next, response::Response};
use serde::Deserialize;

use super::Tenants;
use crate::{ingestion, requests::Endpoint, shared::Shared};

/// Hands a request on with its tenant, and counts what is of another.
pub(super) async fn to_its_tenant(
    Extension(tenants): Extension<Arc<Tenants>>,
    request: Request,
    next: Next,
) -> Response {
    let endpoint = Endpoint::of(request.method(), request.uri().path());
    let parts: Vec<&str> = request.uri().path().split('/').skip(1).collect();
    let named = |place: usize| parts.get(place).copied().unwrap_or_default().to_owned();
    let (tenant, mut request) = match endpoint {
        Endpoint::Login => (tenants.get(&named(0)).cloned(), request),
        Endpoint::Labels => (tenants.of_token(request.headers()), request),
        Endpoint::Ingest | Endpoint::Heartbeat => {
            let rule = named(1);
            tenants.count_token(request.headers(), &tenants.home.tenant.id);
            let (request, json) = ingestion::look_into(request).await;
            (tenants.of_rows(&rule, &json), request)
        }
        _ if parts.first() == Some(&"api") => {
            let id = named(2);
            tenants.count_token(request.headers(), &id);
            (tenants.get(&id).cloned(), request)
        }
        _ => (None, request),
    };
    request.extensions_mut().insert(tenant.unwrap_or_else(|| Arc::clone(&tenants.home)));
    next.run(request).await
}

/// Whose a row is.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, rename = "OrganizationId")]
    tenant: Option<Cow<'a, str>>,
}

impl Tenants {
    fn of_token(&self, headers: &HeaderMap) -> Option<Arc<Shared>> {
        let tenant = self.home.tokens().tenant_of(headers).map(str::to_owned);
        self.get(&tenant?).cloned()
    }

    /// Counts a request whose token is of another tenant than `id`.
    fn count_token(&self, headers: &HeaderMap, id: &str) {
        let is_foreign = self.home.tokens().tenant_of(headers).is_some_and(|tenant| !tenant.eq_ignore_ascii_case(id));
        self.isolation().foreign_tokens += u64::from(is_foreign);
    }

    /// The tenant that alone has the rule; else that of the first row which is of one. Counts the rows that are of others.
    fn of_rows(&self, rule: &str, json: &[u8]) -> Option<Arc<Shared>> {
        // What cannot be read is refused by whoever it is for.
        let rows: Vec<Row<'_>> = serde_json::from_slice(json).unwrap_or_default();
        let owner = |row: &Row<'_>| row.tenant.as_deref().and_then(|id| self.get(id));
        let mut holders = self.all.iter().filter(|tenant| tenant.has_rule(rule));
        let holder = holders.next().filter(|_| holders.next().is_none() && !self.home.has_rule(rule));
        let owners: Vec<_> = rows.iter().map(owner).collect();
        let nobodys = owners.iter().filter(|owner| owner.is_none()).count();
        self.isolation().rows_of_nobody += nobodys as u64;
        let tenant = holder.or_else(|| owners.iter().flatten().next().copied())?;
        let others = owners.iter().flatten().filter(|owner| !Arc::ptr_eq(owner, tenant)).count();
        let mut isolation = self.isolation();
        isolation.foreign_rows += others as u64;
        isolation.mixed_posts += u64::from(others > 0);
        Some(Arc::clone(tenant))
    }
}
