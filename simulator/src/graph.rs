//! Microsoft Graph: the tenant's sensitivity labels.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    answer,
    config::GRAPH_ROLE,
    server::Shared,
    tenant::{Label, Tenant},
};

/// `GET /v1.0/security/dataSecurityAndGovernance/sensitivityLabels`
pub(crate) async fn labels(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
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
    answer::json(StatusCode::OK, &tree(&shared.tenant))
}

/// The label tree as Graph answers it: sublabels inside their parents, `displayName` null, text in `toolTip`.
fn tree(tenant: &Tenant) -> Value {
    let tops: Vec<Value> =
        tenant.labels.iter().filter(|label| label.parent.is_none()).map(|label| branch(tenant, label)).collect();
    json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#security/dataSecurityAndGovernance/sensitivityLabels",
        "value": tops,
    })
}

fn branch(tenant: &Tenant, label: &Label) -> Value {
    let parent = label.parent.and_then(|at| tenant.labels.get(at));
    let below = |other: &&Label| other.parent.and_then(|at| tenant.labels.get(at)).is_some_and(|of| of.id == label.id);
    let sublabels: Vec<Value> = tenant.labels.iter().filter(below).map(|other| branch(tenant, other)).collect();
    let settings: Vec<Value> = parent.iter().map(|parent| json!({"name": "parentid", "value": parent.id})).collect();
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

    #[test]
    fn every_label_is_in_the_tree_once() {
        fn count(labels: &Value) -> usize {
            labels.as_array().unwrap().iter().map(|label| 1 + count(&label["sublabels"])).sum()
        }
        let tenant = Tenant::new(4);
        let tree = tree(&tenant);
        assert_eq!(count(&tree["value"]), tenant.labels.len());
        let below: Vec<&Value> =
            tree["value"].as_array().unwrap().iter().flat_map(|label| label["sublabels"].as_array().unwrap()).collect();
        assert!(below.iter().all(|label| label["customSettings"][0]["name"] == "parentid"));
        assert!(!tree.to_string().contains(&tenant.retired_label));
    }
}
