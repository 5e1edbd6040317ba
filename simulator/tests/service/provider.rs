//! Many tenants at one address.

use std::collections::HashMap;

use labelstream_simulator::{Config, ContentType, Isolation, Provider, ProviderConfig, Simulator, Trouble};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::client::{FEED, MONITOR, af_code, ago, gzip, json};

const GRAPH: &str = "https://graph.microsoft.com";
const EXCHANGE: &str = "api://AzureADTokenExchange";

struct World {
    provider: Provider,
    settings: HashMap<&'static str, String>,
    http: Client,
}

impl World {
    async fn new(config: ProviderConfig) -> Self {
        let provider = Provider::start(config).await.unwrap();
        let settings: HashMap<_, _> = provider.environment().into_iter().collect();
        let pem = std::fs::read(&settings["SSL_CERT_FILE"]).unwrap();
        let trusted = [Certificate::from_pem(&pem).unwrap()];
        let http = Client::builder().no_proxy().tls_certs_only(trusted).build().unwrap();
        Self { provider, settings, http }
    }

    async fn of(tenants: u32) -> Self {
        let mut config = ProviderConfig::of(tenants);
        config.tenants.iter_mut().for_each(|tenant| tenant.subscribed = true);
        Self::new(config).await
    }

    fn tenant(&self, number: usize) -> &Simulator {
        &self.provider.tenants()[number]
    }

    /// A token of the managed identity.
    async fn managed(&self, resource: &str) -> String {
        let url = format!("{}?api-version=2019-08-01&resource={resource}", self.settings["IDENTITY_ENDPOINT"]);
        let request = self.http.get(url).header("X-IDENTITY-HEADER", &self.settings["IDENTITY_HEADER"]);
        json(request.send().await.unwrap()).await["access_token"].as_str().unwrap().to_owned()
    }

    /// What the login endpoint of a tenant answers to an assertion.
    async fn log_in(&self, tenant: &str, resource: &str, assertion: &str) -> Value {
        self.log_in_as(&self.settings["M365_CLIENT_ID"], tenant, resource, assertion).await
    }

    async fn log_in_as(&self, client: &str, tenant: &str, resource: &str, assertion: &str) -> Value {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.settings["AZURE_AUTHORITY_HOST"]);
        let form = format!(
            "grant_type=client_credentials&scope={resource}/.default&client_id={client}&client_assertion_type=\
             urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={assertion}"
        );
        let request = self.http.post(url).header("Content-Type", "application/x-www-form-urlencoded").body(form);
        json(request.send().await.unwrap()).await
    }

    /// A token for a tenant, by the managed identity.
    async fn federated(&self, tenant: &Simulator, resource: &str) -> String {
        let assertion = self.managed(EXCHANGE).await;
        let answer = self.log_in(&tenant.tenant().id, resource, &assertion).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    fn feed(&self, tenant: &Simulator, operation: &str, token: &str) -> RequestBuilder {
        let url = format!("{}/api/v1.0/{}/activity/feed/{operation}", tenant.base(), tenant.tenant().id);
        self.http.request(Method::GET, url).bearer_auth(token)
    }

    async fn post(&self, rule: &str, token: &str, rows: &Value) -> Response {
        let url = format!(
            "{}/dataCollectionRules/{rule}/streams/{}?api-version=2023-01-01",
            self.settings["DATA_COLLECTION_ENDPOINT"], self.settings["LOGS_DCR_STREAM_NAME"]
        );
        let request = self.http.post(url).bearer_auth(token).header("Content-Type", "application/json");
        request.header("Content-Encoding", "gzip").body(gzip(&rows.to_string())).send().await.unwrap()
    }

    fn isolation(&self) -> Isolation {
        self.provider.report().isolation
    }
}

/// A row of the tenant that is numbered, or of nobody.
fn row(tenant: Option<&Simulator>, id: &str) -> Value {
    json!({"AuditRecordId": id, "OrganizationId": tenant.map(|tenant| tenant.tenant().id.clone())})
}

#[tokio::test]
async fn the_managed_identity_logs_in_to_every_tenant_and_reads_its_own_feed_and_labels() {
    let world = World::of(3).await;
    for tenant in world.provider.tenants() {
        let token = world.federated(tenant, FEED).await;
        let answer = world.feed(tenant, "subscriptions/list", &token).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), json(answer).await.as_array().unwrap().len()), (200, 5));
        let token = world.federated(tenant, GRAPH).await;
        let url = format!("{}/v1.0/security/dataSecurityAndGovernance/sensitivityLabels", tenant.base());
        let labels = json(world.http.get(url).bearer_auth(token).send().await.unwrap()).await;
        assert_eq!(labels["value"][0]["id"], tenant.tenant().labels[0].id);
    }
    assert_eq!(world.isolation(), Isolation::default());
}

#[tokio::test]
async fn an_assertion_is_a_token_of_the_managed_identity_for_the_exchange() {
    let world = World::of(2).await;
    let (id, exchange) = (&world.tenant(0).tenant().id, world.managed(EXCHANGE).await);
    let said = async |answer: Value| answer["error_description"].as_str().unwrap_or("a token").to_owned();
    assert_eq!(said(world.log_in(id, FEED, &exchange).await).await, "a token");
    let other_audience = world.managed(MONITOR).await;
    assert!(said(world.log_in(id, FEED, &other_audience).await).await.starts_with("AADSTS700212"));
    let other_issuer = world.federated(world.tenant(1), EXCHANGE).await;
    assert!(said(world.log_in(id, FEED, &other_issuer).await).await.starts_with("AADSTS700211"));
    assert!(said(world.log_in(id, FEED, "e30").await).await.starts_with("AADSTS50027"));
    assert!(said(world.log_in_as("other", id, FEED, &exchange).await).await.starts_with("AADSTS700016"));
    let nobody = "11111111-2222-4333-8444-555555555555";
    assert!(said(world.log_in(nobody, FEED, &exchange).await).await.starts_with("AADSTS90002"));
    world.provider.home().revoke_tokens();
    assert!(said(world.log_in(id, FEED, &exchange).await).await.starts_with("AADSTS700024"));
}

#[tokio::test]
async fn a_token_of_another_tenant_is_refused_and_counted() {
    let world = World::of(2).await;
    let (one, two) = (world.tenant(0), world.tenant(1));
    let (token, home) = (world.federated(one, FEED).await, world.managed(FEED).await);
    for foreign in [&token, &home] {
        let answer = world.feed(two, "subscriptions/list", foreign).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), af_code(answer).await.as_str()), (400, "AF20010"));
    }
    let customers = world.federated(one, MONITOR).await;
    assert_eq!(world.post(&world.settings["LOGS_DCR_RULE_ID"], &customers, &json!([])).await.status(), 401);
    assert_eq!(world.isolation(), Isolation { foreign_tokens: 3, ..Isolation::default() });
    assert!(!world.provider.report().is_clean());
}

#[tokio::test]
async fn rows_arrive_where_their_tenant_is() {
    let mut config = ProviderConfig::of(3);
    config.tenants[2].rule_id = "dcr-of-its-own".to_owned();
    let world = World::new(config).await;
    let tenants = [0, 1, 2].map(|number| world.tenant(number));
    for (number, tenant) in tenants.into_iter().enumerate() {
        let record = json!({"Id": format!("id-{number}"), "RecordType": 43});
        tenant.publish_records(ContentType::General, ago(5), [record]);
    }
    let (token, shared) = (world.managed(MONITOR).await, world.settings["LOGS_DCR_RULE_ID"].clone());
    assert_eq!(world.provider.report().sum(|tenant| tenant.missing), 3);
    for (rule, number) in [(&*shared, 0), (&*shared, 1), ("dcr-of-its-own", 2)] {
        let rows = json!([row(Some(tenants[number]), &format!("id-{number}"))]);
        assert_eq!(world.post(rule, &token, &rows).await.status(), 204);
    }
    let report = world.provider.report();
    assert!(report.is_clean(), "{report:#?}");
    assert_eq!((report.sum(|tenant| tenant.arrived), report.sum(|tenant| tenant.totals.posts)), (3, 3));

    // A row of the second tenant with one of the first; one in the third's own rule; one of nobody.
    world.post(&shared, &token, &json!([row(Some(tenants[0]), "a"), row(Some(tenants[1]), "b")])).await;
    world.post("dcr-of-its-own", &token, &json!([row(Some(tenants[1]), "c")])).await;
    assert_eq!(world.post(&shared, &token, &json!([row(None, "d")])).await.status(), 204);
    assert_eq!(world.post("dcr-of-nobody", &token, &json!([])).await.status(), 404);
    let expected = Isolation { mixed_posts: 2, foreign_rows: 2, rows_of_nobody: 1, foreign_tokens: 0 };
    let report = world.provider.report();
    assert_eq!(report.isolation, expected);
    assert_eq!(
        (report.tenants[&tenants[2].tenant().id].unexpected_ids.as_slice(), report.home.unexpected),
        (&["c".to_owned()][..], 1)
    );
    assert_eq!(report.unclean().len(), 2);
}

#[tokio::test]
async fn tenants_can_be_broken_in_five_ways() {
    let mut config = ProviderConfig::of(5);
    for (tenant, trouble) in config.tenants.iter_mut().zip(Trouble::ALL) {
        tenant.subscribed = true;
        trouble.set_up(tenant);
    }
    let world = World::new(config).await;
    let assertion = world.managed(EXCHANGE).await;
    let mut seen = Vec::new();
    for (tenant, trouble) in world.provider.tenants().iter().zip(Trouble::ALL) {
        trouble.begin(tenant).unwrap();
        let answer = world.log_in(&tenant.tenant().id, FEED, &assertion).await;
        let Some(token) = answer["access_token"].as_str() else {
            seen.push(answer["error_description"].as_str().unwrap()[..11].to_owned());
            continue;
        };
        let listing =
            world.feed(tenant, "subscriptions/content?contentType=Audit.General", token).send().await.unwrap();
        let body = listing.text().await.unwrap();
        match serde_json::from_str::<Value>(&body) {
            Ok(Value::Array(contents)) => {
                let uri = contents[0]["contentUri"].as_str().unwrap();
                let content = world.http.get(uri).bearer_auth(token).send().await.unwrap().text().await.unwrap();
                seen.push(content[..3].to_owned());
            }
            Ok(error) => seen.push(error["error"]["code"].as_str().unwrap().to_owned()),
            Err(_) => seen.push(body[18..23].to_owned()),
        }
    }
    assert_eq!(seen, ["AF10001", "AADSTS90002", "AF20023", "AF429", "[[["]);
}

#[tokio::test]
async fn the_tenants_are_listed_as_the_setting_has_them() {
    let mut config = ProviderConfig::of(2);
    config.tenants[1].rule_id = "dcr-other".to_owned();
    config.tenants[1].app.0 = "another-app".to_owned();
    let world = World::new(config).await;
    let [one, two] = [0, 1].map(|number| world.tenant(number).tenant().id.clone());
    let listed: Value = serde_json::from_str(&world.provider.tenants_json()).unwrap();
    let expected = json!([
        {"tenantId": one, "name": "customer-1"},
        {"tenantId": two, "name": "customer-2", "clientId": "another-app", "dcrRuleId": "dcr-other"},
    ]);
    assert_eq!(listed, expected);
    assert!(!world.settings.contains_key("M365_TENANT_ID"));
    let same = Config { seed: 7, ..Config::default() };
    let twice = ProviderConfig { tenants: vec![same.clone(), same], ..ProviderConfig::default() };
    assert!(Provider::start(twice).await.unwrap_err().to_string().contains("the same seed"));
}
