//! Microsoft Graph: the tenant's sensitivity labels.

use std::sync::Arc;

use axum::{
    Extension,
    extract::RawQuery,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    answer,
    config::GRAPH_ROLE,
    directory::{Directory, Entry},
    faults::Effect,
    query,
    shared::Shared,
    strike::Struck,
};

/// Where the labels are.
pub(crate) const PATH: &str = "/v1.0/security/dataSecurityAndGovernance/sensitivityLabels";

/// `GET /v1.0/security/dataSecurityAndGovernance/sensitivityLabels`
pub(crate) async fn labels(
    Extension(shared): Extension<Arc<Shared>>,
    Extension(Struck(effects)): Extension<Struck>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    let checked = shared.tokens().check(&headers, &shared.config.graph_audience, OffsetDateTime::now_utc());
    let Ok(claims) = checked else {
        return answer::error(
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationToken",
            "Access token validation failure.",
        );
    };
    if !claims.roles.iter().any(|role| role == GRAPH_ROLE) {
        return answer::error(StatusCode::FORBIDDEN, "accessDenied", "The caller lacks the permission for the labels.");
    }
    let from = raw.and_then(|raw| query::value(&raw, "$skiptoken")).and_then(|token| token.parse().ok()).unwrap_or(0);
    let mut page = page(&shared.directory(), from, shared.config.label_page_size, shared.base());
    for effect in &effects {
        if let Effect::ForeignPage(origin) = effect {
            page["@odata.nextLink"] = format!("{origin}{PATH}?$skiptoken=1").into();
        }
    }
    answer::json(StatusCode::OK, &page)
}

/// A page of the label tree as Graph answers it: sublabels inside their parents, `displayName` null, text in `toolTip`.
fn page(directory: &Directory, from: usize, size: usize, base: &str) -> Value {
    let size = size.max(1);
    let tops: Vec<Value> = directory.below(None).skip(from).take(size).map(|label| branch(directory, label)).collect();
    let mut page = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#security/dataSecurityAndGovernance/sensitivityLabels",
        "value": tops,
    });
    if directory.below(None).nth(from + size).is_some() {
        page["@odata.nextLink"] = format!("{base}{PATH}?$skiptoken={}", from + size).into();
    }
    page
}

fn branch(directory: &Directory, label: &Entry) -> Value {
    let sublabels: Vec<Value> = directory.below(Some(&label.id)).map(|below| branch(directory, below)).collect();
    let settings: Vec<Value> = label.parent.iter().map(|parent| json!({"name": "parentid", "value": parent})).collect();
    json!({
        "id": label.id, "name": label.name, "displayName": null, "description": "", "color": "#317100",
        "priority": label.priority, "toolTip": label.tooltip, "isEnabled": true, "isEndpointProtectionEnabled": false,
        "hasProtection": label.protects, "autoTooltip": "", "actionSource": "manual", "applicableTo": "email,file",
        "customSettings": settings, "sublabels": sublabels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::Tenant;

    fn count(labels: &Value) -> usize {
        labels.as_array().unwrap().iter().map(|label| 1 + count(&label["sublabels"])).sum()
    }

    #[test]
    fn every_label_is_in_the_tree_once() {
        let tenant = Tenant::new(4);
        let tree = page(&Directory::of(&tenant), 0, 100, "http://x");
        assert_eq!(count(&tree["value"]), tenant.labels.len());
        let below: Vec<&Value> =
            tree["value"].as_array().unwrap().iter().flat_map(|label| label["sublabels"].as_array().unwrap()).collect();
        assert!(below.iter().all(|label| label["customSettings"][0]["name"] == "parentid"));
        assert!(!tree.to_string().contains(&tenant.retired_label));
        assert_eq!(tree.get("@odata.nextLink"), None);
    }

    #[test]
    fn pages_hold_every_label_once() {
        let tenant = Tenant::new(4);
        let directory = Directory::of(&tenant);
        let (mut from, mut seen, mut pages) = (0, 0, 0);
        loop {
            let page = page(&directory, from, 2, "http://x");
            (seen, pages) = (seen + count(&page["value"]), pages + 1);
            let Some(next) = page["@odata.nextLink"].as_str() else { break };
            let (address, token) = next.split_once("?$skiptoken=").unwrap();
            assert_eq!(address, format!("http://x{PATH}"));
            from = token.parse().unwrap();
        }
        assert_eq!((seen, pages), (tenant.labels.len(), 3));
    }
}
