//! Who may do what, where, and how it is reached.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::snapshot::Snapshot;

const BLOB_OWNER: &str = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b";
const TABLE_CONTRIBUTOR: &str = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3";
const QUEUE_CONTRIBUTOR: &str = "974c5e8b-45b9-4653-ba55-5f855dd0fb88";
const METRICS_PUBLISHER: &str = "3913510d-42f4-4e42-8a64-420c390055eb";
const SECRETS_USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";

/// Role, type of the resource that it is on, and why. docs/deploy.md has the same table.
pub const ROLES: [(&str, &str, &str); 4] = [
    (BLOB_OWNER, "Microsoft.Storage/storageAccounts", "the host makes containers for locks, timers and keys"),
    (TABLE_CONTRIBUTOR, "Microsoft.Storage/storageAccounts", "the host makes tables for diagnostic events"),
    (METRICS_PUBLISHER, "Microsoft.Insights/components", "telemetry"),
    (METRICS_PUBLISHER, "Microsoft.Insights/dataCollectionRules", "rows"),
];

/// What a fleet has besides.
pub const ROLE_OF_A_FLEET: (&str, &str, &str) = (
    QUEUE_CONTRIBUTOR,
    "Microsoft.Storage/storageAccounts",
    "the queue trigger, its poison queue, and who asks for work",
);

/// The role and the type of the resource that an assignment is on.
fn grant(assignment: &Value) -> (String, String) {
    let role = assignment["properties"]["roleDefinitionId"].as_str().unwrap().rsplit('/').next().unwrap();
    let id = assignment["id"].as_str().unwrap();
    let scope = id.split('\'').nth(1).unwrap_or_else(|| panic!("{id} is on no resource"));
    let within = scope.split("/providers/").nth(1).unwrap_or_else(|| panic!("{scope} is a whole group"));
    let parts: Vec<_> = within.split('/').collect();
    (role.to_owned(), format!("{}/{}", parts[0], parts[1]))
}

#[test]
fn the_identity_has_these_roles_on_these_resources() {
    for snapshot in Snapshot::all() {
        let mut wanted: BTreeSet<_> =
            ROLES.iter().map(|(role, on, _)| ((*role).to_owned(), (*on).to_owned())).collect();
        if snapshot.settings().contains_key("M365_CLIENT_SECRET") {
            wanted.insert((SECRETS_USER.to_owned(), "Microsoft.KeyVault/vaults".to_owned()));
        }
        if snapshot.is_fleet() {
            wanted.insert((ROLE_OF_A_FLEET.0.to_owned(), ROLE_OF_A_FLEET.1.to_owned()));
        }
        let assignments = snapshot.of_type("Microsoft.Authorization/roleAssignments");
        assert_eq!(assignments.len(), wanted.len(), "{}", snapshot.name);
        assert_eq!(assignments.iter().map(|one| grant(one)).collect::<BTreeSet<_>>(), wanted, "{}", snapshot.name);
        let identity = snapshot.the("Microsoft.ManagedIdentity/userAssignedIdentities")["id"].as_str().unwrap();
        for assignment in assignments {
            let principal = assignment["properties"]["principalId"].as_str().unwrap();
            assert!(principal.contains(identity) && principal.ends_with(".principalId]"), "{principal}");
            assert_eq!(assignment["properties"]["principalType"], "ServicePrincipal");
        }
    }
}

#[test]
fn the_app_is_that_identity_and_no_other() {
    for snapshot in Snapshot::all() {
        let identity = snapshot.the("Microsoft.ManagedIdentity/userAssignedIdentities")["id"].as_str().unwrap();
        let app = snapshot.the("Microsoft.Web/sites");
        assert_eq!(app["identity"]["type"], "UserAssigned");
        let identities: Vec<_> = app["identity"]["userAssignedIdentities"].as_object().unwrap().keys().collect();
        assert_eq!(identities, [identity]);
        let properties = &app["properties"];
        assert_eq!(properties["keyVaultReferenceIdentity"], identity);
        let package = &properties["functionAppConfig"]["deployment"]["storage"]["authentication"];
        assert_eq!(package["userAssignedIdentityResourceId"], identity);
        let client = |name: &str| snapshot.settings()[name].as_str().unwrap();
        for name in ["AZURE_CLIENT_ID", "AzureWebJobsStorage__clientId"] {
            assert!(client(name).contains(identity) && client(name).ends_with(".clientId]"), "{name}");
        }
        assert_eq!(client("AzureWebJobsStorage__credential"), "managedidentity");
        let telemetry = client("APPLICATIONINSIGHTS_AUTHENTICATION_STRING");
        assert!(telemetry.contains("ClientId={0};Authorization=AAD") && telemetry.contains(identity), "{telemetry}");
    }
}

#[test]
fn keys_and_passwords_are_off() {
    for snapshot in Snapshot::all() {
        let storage = &snapshot.the("Microsoft.Storage/storageAccounts")["properties"];
        assert_eq!(storage["allowSharedKeyAccess"], false);
        assert_eq!(storage["defaultToOAuthAuthentication"], true);
        assert_eq!(snapshot.the("Microsoft.Insights/components")["properties"]["DisableLocalAuth"], true);
        let policies = snapshot.of_type("Microsoft.Web/sites/basicPublishingCredentialsPolicies");
        assert_eq!(policies.len(), 2);
        assert!(policies.iter().all(|policy| policy["properties"]["allow"] == false));
        for vault in snapshot.of_type("Microsoft.KeyVault/vaults") {
            let properties = &vault["properties"];
            assert_eq!(properties["enableRbacAuthorization"], true);
            assert_eq!(properties["enablePurgeProtection"], true);
            assert!(properties.get("accessPolicies").is_none());
        }
    }
}

#[test]
fn everything_is_encrypted_on_its_way() {
    for snapshot in Snapshot::all() {
        let storage = &snapshot.the("Microsoft.Storage/storageAccounts")["properties"];
        assert_eq!(storage["minimumTlsVersion"], "TLS1_2");
        assert_eq!(storage["supportsHttpsTrafficOnly"], true);
        let app = &snapshot.the("Microsoft.Web/sites")["properties"];
        assert_eq!(app["httpsOnly"], true);
        let site = &app["siteConfig"];
        assert_eq!((&site["minTlsVersion"], &site["scmMinTlsVersion"]), (&"1.2".into(), &"1.2".into()));
        assert_eq!(site["ftpsState"], "Disabled");
    }
}

#[test]
fn no_blob_is_public() {
    for snapshot in Snapshot::all() {
        let storage = &snapshot.the("Microsoft.Storage/storageAccounts")["properties"];
        assert_eq!(storage["allowBlobPublicAccess"], false);
        assert_eq!(storage["allowCrossTenantReplication"], false);
        let containers = snapshot.of_type("Microsoft.Storage/storageAccounts/blobServices/containers");
        assert!(containers.iter().all(|container| container["properties"]["publicAccess"] == "None"));
    }
}

#[test]
fn what_is_deleted_or_overwritten_can_be_had_back_for_some_days_and_then_costs_nothing() {
    for snapshot in Snapshot::all() {
        let blobs = &snapshot.the("Microsoft.Storage/storageAccounts/blobServices")["properties"];
        assert_eq!(blobs["isVersioningEnabled"], true);
        assert_eq!(blobs["deleteRetentionPolicy"]["enabled"], true);
        assert_eq!(blobs["containerDeleteRetentionPolicy"]["enabled"], true);
        let policy = snapshot.the("Microsoft.Storage/storageAccounts/managementPolicies");
        let rule = &policy["properties"]["policy"]["rules"][0];
        assert_eq!(rule["enabled"], true);
        assert_eq!(rule["definition"]["filters"]["blobTypes"], Value::from(vec!["blockBlob", "appendBlob"]));
        assert!(rule["definition"]["filters"].get("prefixMatch").is_none(), "versions of all blobs");
        let actions = &rule["definition"]["actions"];
        let days = actions["version"]["delete"]["daysAfterCreationGreaterThan"].as_u64().unwrap();
        assert!((1..=30).contains(&days));
        assert!(actions.get("baseBlob").is_none(), "what is in use is never deleted by age");
    }
}

#[test]
fn a_private_deployment_has_no_public_door_to_its_data() {
    for snapshot in Snapshot::all() {
        let private = snapshot.name == "private";
        let (access, default) = if private { ("Disabled", "Deny") } else { ("Enabled", "Allow") };
        for kind in ["Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"] {
            for resource in snapshot.of_type(kind) {
                assert_eq!(resource["properties"]["publicNetworkAccess"], access, "{}: {kind}", snapshot.name);
                assert_eq!(resource["properties"]["networkAcls"]["defaultAction"], default);
            }
        }
        let telemetry = &snapshot.the("Microsoft.Insights/components")["properties"];
        assert_eq!(telemetry["publicNetworkAccessForIngestion"], access);
        let app = &snapshot.the("Microsoft.Web/sites")["properties"];
        assert_eq!(app["siteConfig"]["ipSecurityRestrictionsDefaultAction"], default);
        assert_eq!(app["virtualNetworkSubnetId"].is_string(), private);
        assert_eq!(snapshot.of_type("Microsoft.Insights/dataCollectionEndpoints").len(), usize::from(private));
        let endpoint = snapshot.settings()["DATA_COLLECTION_ENDPOINT"].as_str().unwrap();
        // A private link needs a data collection endpoint; without one the rule's own is enough.
        assert_eq!(endpoint.contains("dataCollectionEndpoints/"), private, "{endpoint}");
        assert_eq!(endpoint.contains(".endpoints.logsIngestion]"), !private, "{endpoint}");
    }
}

#[test]
fn a_private_deployment_has_an_endpoint_and_a_zone_for_each_service() {
    let snapshot = Snapshot::named("private");
    let groups: BTreeSet<_> = snapshot
        .of_type("Microsoft.Network/privateEndpoints")
        .into_iter()
        .map(|one| one["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"][0].as_str().unwrap())
        .collect();
    assert_eq!(groups, BTreeSet::from(["azuremonitor", "blob", "queue", "table", "vault"]));
    let zones: BTreeSet<_> =
        snapshot.of_type("Microsoft.Network/privateDnsZones").iter().map(|zone| zone["id"].as_str().unwrap()).collect();
    let links = snapshot.of_type("Microsoft.Network/privateDnsZones/virtualNetworkLinks");
    assert_eq!((zones.len(), links.len()), (8, 8));
    for group in snapshot.of_type("Microsoft.Network/privateEndpoints/privateDnsZoneGroups") {
        for zone in group["properties"]["privateDnsZoneConfigs"].as_array().unwrap() {
            let id = zone["properties"]["privateDnsZoneId"].as_str().unwrap();
            assert!(zones.contains(id), "{id} is no zone of the deployment");
        }
    }
    let network = snapshot.the("Microsoft.Network/virtualNetworks");
    let app = &network["properties"]["subnets"][0];
    assert_eq!(app["properties"]["delegations"][0]["properties"]["serviceName"], "Microsoft.App/environments");
    assert!(app["properties"]["natGateway"]["id"].is_string(), "the feed is on the internet");
}
