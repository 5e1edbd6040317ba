use labelstream_simulator::Config;
use serde_json::Value;

use crate::client::{World, json};

#[tokio::test]
async fn the_managed_identity_wants_its_header_and_its_client_id() {
    let id = "11111111-2222-4333-8444-555555555555".to_owned();
    let simulator =
        labelstream_simulator::Simulator::start(Config { identity_client_id: Some(id.clone()), ..Config::default() });
    let simulator = simulator.await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |query: &str, header: &str| {
        let url = format!("{}/msi/token?{query}", simulator.base());
        http.get(url).header("X-IDENTITY-HEADER", header).send().await.unwrap()
    };
    let (good, secret) =
        ("api-version=2019-08-01&resource=https%3A%2F%2Fmonitor.azure.com", "simulated-identity-header");
    assert_eq!(ask(good, "wrong").await.status(), 401);
    assert_eq!(ask(good, secret).await.status(), 400, "the client id is missing");
    assert_eq!(ask(&format!("{good}&client_id=other"), secret).await.status(), 400);
    assert_eq!(ask(&format!("resource=x&client_id={id}"), secret).await.status(), 400);
    let answer = ask(&format!("{good}&client_id={id}"), secret).await;
    assert_eq!(answer.status(), 200);
    let body = json(answer).await;
    assert!(body["expires_on"].as_str().unwrap().parse::<i64>().unwrap() > 0, "a string of seconds");
    assert_eq!(body["token_type"], "Bearer");
}

#[tokio::test]
async fn the_login_endpoint_wants_the_app_and_a_secret_or_an_assertion() {
    let world = World::new(Config::default()).await;
    let settings: std::collections::HashMap<_, _> = world.simulator.app_environment().into_iter().collect();
    let (client, secret) = (settings["M365_CLIENT_ID"].as_str(), settings["M365_CLIENT_SECRET"].as_str());
    let url = format!("{}/{}/oauth2/v2.0/token", world.simulator.base(), world.simulator.tenant().id);
    let ask = async |rest: &str| {
        let form = format!("grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&{rest}");
        let request = world.http.post(&url).header("Content-Type", "application/x-www-form-urlencoded").body(form);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), json(response).await)
    };
    assert_eq!(ask(&format!("client_id={client}&client_secret=guess")).await.1["error"], "invalid_client");
    assert_eq!(ask(&format!("client_id=other&client_secret={secret}")).await.1["error"], "unauthorized_client");
    let assertion =
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=e30";
    assert_eq!(ask(&format!("client_id={client}&{assertion}")).await.0, 200);
    let (status, body) = ask(&format!("client_id={client}&client_secret={secret}")).await;
    assert_eq!(status, 200);
    let labels = format!("{}/v1.0/security/dataSecurityAndGovernance/sensitivityLabels", world.simulator.base());
    let graph = world.http.get(&labels).bearer_auth(body["access_token"].as_str().unwrap()).send().await.unwrap();
    let tree: Value = json(graph).await;
    assert!(tree["value"].as_array().unwrap().iter().any(|label| label["sublabels"][0]["name"] == "All Employees"));
    assert_eq!(world.http.get(&labels).bearer_auth(&world.feed_token).send().await.unwrap().status(), 401);
}

/// A world whose tenant is set up as `change` has it.
async fn world(change: impl FnOnce(&mut Config)) -> World {
    let mut config = Config { subscribed: true, ..Config::default() };
    change(&mut config);
    World::new(config).await
}

#[tokio::test]
async fn the_feed_wants_its_permission_its_tenant_and_auditing() {
    let code = async |world: &World| {
        let answer = world.feed(reqwest::Method::GET, "subscriptions/list").send().await.unwrap();
        (answer.status().as_u16(), json(answer).await["error"]["code"].as_str().map(str::to_owned))
    };
    assert_eq!(code(&world(|_| ()).await).await, (200, None));
    let without = world(|config| config.feed_roles = vec!["ServiceHealth.Read".to_owned()]).await;
    assert_eq!(code(&without).await, (401, Some("AF10001".to_owned())));
    let other = "11111111-2222-4333-8444-555555555555";
    let elsewhere = world(|config| config.token_tenant = Some(other.to_owned())).await;
    assert_eq!(code(&elsewhere).await, (400, Some("AF20010".to_owned())));
    let off = world(|config| config.auditing = false).await;
    let answer = off.feed(reqwest::Method::GET, "subscriptions/list").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let message = json(answer).await["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(message, format!("Tenant {} does not exist.", off.simulator.tenant().id));
}

#[tokio::test]
async fn graph_wants_its_permission() {
    let status = async |world: &World| {
        let token = world.token("https://graph.microsoft.com").await;
        let url = format!("{}/v1.0/security/dataSecurityAndGovernance/sensitivityLabels", world.simulator.base());
        world.http.get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(&world(|_| ()).await).await, 200);
    assert_eq!(status(&world(|config| config.graph_roles.clear()).await).await, 403);
}
