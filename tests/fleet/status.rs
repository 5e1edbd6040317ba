//! How all tenants stand, over HTTP.

use labelstream_simulator::{ProviderConfig, Trouble};
use serde_json::{Value, json};

use crate::{
    deployment::{Deployment, Process, id},
    host::request,
};

/// Asks for the status, for a browser or a program; what its caller gets.
fn ask(process: &Process, browser: bool) -> (u64, String) {
    let ask = String::from_utf8(request("status-get.http")).unwrap();
    let ask = if browser {
        ask.replace("\"Accept\":[\"*/*\"]", "\"Accept\":[\"text/html\"]").replacen("\r\n400\r\n", "\r\n406\r\n", 1)
    } else {
        ask
    };
    let answered = process.host().send(ask.as_bytes());
    assert_eq!(answered.status, 200, "{}", answered.body);
    let caller = &answered.body["Outputs"]["res"];
    (caller["statusCode"].as_u64().unwrap(), caller["body"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_of_all_tenants_the_worst_first() {
    let mut config = ProviderConfig::of(3);
    Trouble::ALL[0].set_up(&mut config.tenants[1]);
    let (mut deployment, provider) = Deployment::provider(config).await;
    let mut list: Vec<Value> = serde_json::from_str(&provider.tenants_json()).unwrap();
    list.push(json!({"tenantId": id(1), "name": "Fabrikam", "cloud": "mars"}));
    list.push(json!({"tenantId": id(2), "name": "Adatum", "enabled": false}));
    deployment.set("TENANTS", &Value::from(list).to_string());
    let mut process = deployment.start().await;
    process.tick().await;
    for message in deployment.take_all().await {
        process.hand_over(&message).await;
    }
    let (process, told, page) = tokio::task::spawn_blocking(move || {
        let (told, page) = (ask(&process, false), ask(&process, true));
        (process, told, page)
    })
    .await
    .unwrap();
    assert_eq!((told.0, page.0), (503, 503));
    let fleet: Value = serde_json::from_str(&told.1).unwrap();
    let of =
        |key: &str| fleet["tenants"].as_array().unwrap().iter().map(|tenant| tenant[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("name")[2..], [json!("customer-1"), json!("customer-3"), json!("Adatum")], "{fleet}");
    assert_eq!(of("healthy"), [json!(false), json!(false), json!(true), json!(true), json!(true)]);
    for part in ["Needs attention", "2 of 4 tenants", "customer-2", "ActivityFeed.Read", "Fabrikam", "mars"] {
        assert!(page.1.contains(part), "{part} is not in {}", page.1);
    }
    assert!(!process.lines().concat().contains("0123456789abcdef-function-key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_there_is_no_list_and_that_the_storage_is_away() {
    let mut deployment = Deployment::of(0);
    deployment.set("TENANTS", "state");
    let process = deployment.start().await;
    let (status, told) = tokio::task::spawn_blocking(move || ask(&process, false)).await.unwrap();
    assert!(status == 503 && told.contains("labelstream tenants add"), "{told}");

    deployment.set("TENANTS", &json!([{"tenantId": id(1)}]).to_string());
    deployment.set(
        "AzureWebJobsStorage",
        "AccountName=a;AccountKey=YWJj;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a",
    );
    let process = deployment.start().await;
    let (status, told) = tokio::task::spawn_blocking(move || ask(&process, false)).await.unwrap();
    assert!(status == 503 && told.contains("The state cannot be read"), "{told}");
}
