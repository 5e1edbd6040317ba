use labelstream_simulator::{Config, Effect, Endpoint, Fault, When};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{World, json as body};

const PATH: &str = "/v1.0/security/dataSecurityAndGovernance/sensitivityLabels";

async fn world(config: Config) -> (World, String) {
    let world = World::new(config).await;
    let token = world.token("https://graph.microsoft.com").await;
    (world, token)
}

/// A page of the labels.
async fn page(world: &World, token: &str, url: &str) -> Value {
    body(world.http.get(url).bearer_auth(token).send().await.unwrap()).await
}

/// The names of the labels at the top, over all pages, and how many pages there were.
async fn tops((world, token): &(World, String)) -> (Vec<String>, usize) {
    let (mut names, mut pages, mut url) = (Vec::new(), 0, format!("{}{PATH}", world.simulator.base()));
    loop {
        let page = page(world, token, &url).await;
        pages += 1;
        names.extend(page["value"].as_array().unwrap().iter().map(|label| label["name"].as_str().unwrap().to_owned()));
        match page["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => return (names, pages),
        }
    }
}

#[tokio::test]
async fn pages_follow_each_other_and_are_counted() {
    let one = world(Config::default()).await;
    let many = world(Config { label_page_size: 2, ..Config::default() }).await;
    let ((all, _), (paged, pages)) = (tops(&one).await, tops(&many).await);
    assert_eq!((&paged, pages), (&all, all.len().div_ceil(2)));
    assert_eq!(many.0.simulator.requests().by_endpoint[&Endpoint::Labels], pages as u64);
}

#[tokio::test]
async fn labels_come_go_and_change_their_names() {
    let here = world(Config::default()).await;
    let (before, _) = tops(&here).await;
    let id = here.0.simulator.create_label("Made later", None);
    assert_eq!(tops(&here).await.0.last().unwrap(), "Made later");
    assert!(here.0.simulator.rename_label(&id, "Renamed"));
    assert_eq!(tops(&here).await.0.last().unwrap(), "Renamed");
    assert!(here.0.simulator.delete_label(&id) && !here.0.simulator.delete_label(&id));
    assert_eq!(tops(&here).await.0, before);
}

#[tokio::test]
async fn labels_are_changed_over_http_too() {
    let here = world(Config::default()).await;
    let change = |change: Value| {
        let url = format!("{}/_sim/labels", here.0.simulator.base());
        here.0.http.request(Method::POST, url).body(change.to_string()).send()
    };
    let made = body(change(json!({"create": {"name": "Top"}})).await.unwrap()).await;
    let id = made["id"].as_str().unwrap();
    let sub = change(json!({"create": {"name": "Sub", "parent": id}})).await.unwrap();
    assert_eq!(sub.status(), 200);
    assert_eq!(change(json!({"rename": {"id": id, "name": "Other"}})).await.unwrap().status(), 200);
    let listed = page(&here.0, &here.1, &format!("{}{PATH}", here.0.simulator.base())).await;
    let last = listed["value"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["name"], &last["sublabels"][0]["name"]), (&json!("Other"), &json!("Sub")));
    assert_eq!(change(json!({"delete": {"id": id}})).await.unwrap().status(), 200);
    assert_eq!(change(json!({"delete": {"id": id}})).await.unwrap().status(), 404);
    assert_eq!(change(json!({"forget": {}})).await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_next_page_may_be_elsewhere() {
    let (world, token) = world(Config::default()).await;
    let effect = Effect::ForeignPage("https://evil.example".to_owned());
    world.simulator.fault(Fault::new(Endpoint::Labels, When::First(1), effect)).unwrap();
    let url = format!("{}{PATH}", world.simulator.base());
    let next = page(&world, &token, &url).await["@odata.nextLink"].clone();
    assert!(next.as_str().unwrap().starts_with("https://evil.example/v1.0/"), "{next}");
    assert_eq!(page(&world, &token, &url).await.get("@odata.nextLink"), None);
}
