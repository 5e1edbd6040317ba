//! Messages: what a run of one tenant is asked with, and what becomes of it.

use labelstream::state::{Expect, Store as _};
use labelstream_simulator::{
    Config, ContentType, Effect, Endpoint, Fault, Provider, ProviderConfig, Simulator, Trouble, When,
};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::{
    deployment::{Deployment, Process, id, message_request, replaced, tenants},
    host::request,
};

/// A provider whose tenants have label events of the last hour.
async fn provider(count: u32, change: impl FnOnce(&mut Vec<Config>)) -> (Deployment, Provider) {
    let mut config = ProviderConfig::of(count);
    config.tenants.iter_mut().for_each(|tenant| tenant.subscribed = true);
    change(&mut config.tenants);
    let (deployment, provider) = Deployment::provider(config).await;
    for tenant in provider.tenants() {
        publish(tenant);
    }
    (deployment, provider)
}

fn publish(tenant: &Simulator) {
    tenant.publish(ContentType::General, OffsetDateTime::now_utc() - Duration::minutes(20), 5, 4);
}

fn id_of(tenant: &Simulator) -> String {
    tenant.tenant().id.clone()
}

fn logins(tenant: &Simulator) -> u64 {
    tenant.requests().by_endpoint.get(&Endpoint::Login).copied().unwrap_or(0)
}

/// Works off the queue until it is empty, message by message.
async fn work_off(deployment: &Deployment, process: &mut Process) -> usize {
    let mut handed_over = 0;
    loop {
        let messages = deployment.take_all().await;
        if messages.is_empty() {
            return handed_over;
        }
        for message in messages {
            assert_eq!(process.hand_over(&message).await.status, 200);
            handed_over += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_is_a_run_of_its_tenant_and_the_next_tick_asks_again() {
    let (deployment, provider) = provider(3, |_| ()).await;
    let mut process = deployment.start().await;
    for _ in 0..2 {
        assert!(process.tick().await.logs()[0].starts_with("3 messages put"));
        assert_eq!(work_off(&deployment, &mut process).await, 3);
    }
    let report = provider.report();
    assert!(report.is_clean(), "{:?}", report.unclean());
    for (place, tenant) in provider.tenants().iter().enumerate() {
        assert_eq!((tenant.report().arrived, tenant.heartbeats().len()), (5, 2), "a row of each run");
        assert_eq!(logins(tenant), 1, "the connector is kept, and its token with it");
        let name = format!("tenant{{name=customer-{} ({})}} ", place + 1, id_of(tenant));
        let lines = process.lines();
        assert_eq!(lines.iter().filter(|line| line.contains(&name) && line.contains("contents read")).count(), 2);
    }
    let identity = provider.home().requests().by_endpoint;
    assert_eq!(identity[&Endpoint::ManagedIdentity], 3 + 1, "one token for all rules, and an assertion for each login");
    assert_eq!(process.errors(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_a_host_are_read_byte_for_byte() {
    let (deployment, provider) = provider(1, |_| ()).await;
    let mut process = deployment.start().await;
    for (sample, why) in [("queue-json.http", "a tenantId that is no GUID"), ("queue-text.http", "is no JSON object")] {
        assert_eq!(process.send(request(sample)).await.status, 500, "{sample}");
        let errors = process.errors();
        assert!(errors.last().unwrap().contains(why), "{sample}: {errors:?}");
        assert!(!errors.concat().contains("quotes"), "what a message says is not repeated: {errors:?}");
    }
    // The chunk's length goes with the id.
    let of_tenant = replaced(
        request("queue-json.http"),
        "\\\"x\\\\\\\"",
        &format!("\\\"{}\\\\\\\"", id_of(&provider.tenants()[0])),
    );
    let grown = replaced(of_tenant, "\r\n1E1\r\n", &format!("\r\n{:X}\r\n", 0x1E1 + 35));
    assert_eq!(process.send(grown).await.status, 200);
    assert_eq!(provider.tenants()[0].report().arrived, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_to_be_read_costs_a_line_and_no_request() {
    let (mut deployment, provider) = provider(2, |_| ()).await;
    let [off, bad] = [0, 1].map(|place| id_of(&provider.tenants()[place]));
    deployment.set(
        "TENANTS",
        &json!([{"tenantId": off, "enabled": false}, {"tenantId": bad, "name": "Fabrikam", "recordTypes": ["Nonsense"]}])
            .to_string(),
    );
    let mut process = deployment.start().await;
    deployment.store.put(&format!("again/{off}.json"), "{}".into(), &Expect::Any).await.unwrap();
    for (message, told) in [
        (json!({"tenantId": off, "again": true}), "is disabled in the list"),
        (json!({"tenantId": id(7)}), "is not in the list"),
        (json!({"tenantId": bad}), "Fabrikam"),
    ] {
        let answered = process.hand_over(&message).await;
        assert!(answered.logs().concat().contains(told), "{:?}", answered.logs());
    }
    assert_eq!(provider.report().sum(|report| report.missing), 10);
    assert!(provider.tenants().iter().all(|tenant| logins(tenant) == 0));
    let errors = process.errors();
    assert!(errors.len() == 1 && errors[0].contains("Fabrikam") && errors[0].contains("Nonsense"), "{errors:?}");
    assert!(deployment.keys("again/").await.is_empty(), "its message is gone, and its marker with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_cannot_be_read_harms_only_itself_and_is_tried_by_the_next_tick() {
    let (mut deployment, provider) = provider(2, |tenants| Trouble::ALL[0].set_up(&mut tenants[0])).await;
    let [broken, well] = provider.tenants() else { panic!("two tenants") };
    Trouble::ALL[0].begin(broken).unwrap();
    deployment.set("LABELS", "off");
    let mut process = deployment.start().await;
    process.tick().await;
    assert_eq!(work_off(&deployment, &mut process).await, 2);
    assert_eq!((broken.report().arrived, well.report().arrived), (0, 5));
    let errors = process.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("customer-1") && errors[0].contains("ActivityFeed.Read"), "{errors:?}");
    let heartbeats = broken.heartbeats();
    assert!(heartbeats.len() == 1 && heartbeats[0].row.get().contains(r#""Outcome":"Failed""#), "{heartbeats:?}");
    assert_eq!((deployment.queue.count().await, deployment.queue.poison().count().await), (0, 0));
    assert!(process.tick().await.logs()[0].starts_with("2 messages put"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_leaves_work_is_followed_by_another_behind_the_others() {
    let (mut deployment, provider) = provider(1, |_| ()).await;
    let tenant = &provider.tenants()[0];
    for _ in 0..400 {
        publish(tenant);
    }
    deployment.set("RUN_BUDGET_SECONDS", "10");
    let slow = Fault::new(Endpoint::Retrieve, When::Always, Effect::Delay(1_000));
    let slow = tenant.fault(slow).unwrap();
    let mut process = deployment.start().await;
    process.tick().await;
    let message = deployment.take_all().await.remove(0);
    let answered = process.hand_over(&message).await;
    assert!(answered.logs().concat().contains("its message is put again"), "{:?}", answered.logs());
    let marker = vec![format!("again/{}.json", id_of(tenant))];
    assert_eq!(deployment.keys("again/").await, marker);
    let again = deployment.messages().await;
    assert_eq!((tenants(&again), &again[0]["again"]), ([id_of(tenant)].into(), &json!(true)));
    // A run ended since the timer's message was put, and its message waits all the same.
    assert!(process.tick().await.logs()[0].starts_with("0 messages put; 1 tenants whose message still waits"));

    assert!(tenant.end_fault(slow));
    while let Some(message) = deployment.take_all().await.pop() {
        assert_eq!(process.hand_over(&message).await.status, 200);
    }
    assert!(provider.report().is_clean());
    assert!(deployment.keys("again/").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_beside_a_run_is_dropped_and_that_of_a_killed_run_comes_back() {
    let (deployment, provider) = provider(1, |_| ()).await;
    let tenant = id_of(&provider.tenants()[0]);
    let mut process = deployment.start().await;
    let lock = deployment.store.lock(&format!("{tenant}/lock")).await.unwrap().unwrap();
    let message = json!({"tenantId": tenant});
    let answered = process.hand_over(&message).await;
    assert!(answered.logs().concat().contains("Another run is under way"), "{:?}", answered.logs());
    assert_eq!(deployment.queue.count().await, 0);
    assert_eq!(process.send(message_request(&message, 2)).await.status, 200);
    assert_eq!((deployment.queue.count().await, deployment.messages().await.len()), (1, 0), "hidden for a minute");
    lock.release().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_of_its_tenants() {
    let (deployment, provider) = provider(2, |_| ()).await;
    let mut process = deployment.start().await;
    let slow = Effect::Delay(3_600_000);
    let tenant = &provider.tenants()[0];
    let slow = tenant.fault(Fault::new(Endpoint::Ingest, When::Always, slow)).unwrap();
    process.tick().await;
    let messages = deployment.take_all().await;
    let connections: Vec<_> =
        messages.iter().map(|message| process.host().begin(&message_request(message, 1))).collect();
    let posting = || tenant.requests().by_endpoint.contains_key(&Endpoint::Ingest);
    while provider.tenants()[1].heartbeats().is_empty() || !posting() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    process.take().kill();
    drop(connections);
    assert!(tenant.end_fault(slow));
    let mut process = deployment.start().await;
    for message in &messages {
        assert_eq!(process.send(message_request(message, 2)).await.status, 200);
    }
    assert_eq!((provider.tenants()[1].report().arrived, provider.tenants()[1].heartbeats().len()), (5, 2));
    // The lock of the killed run is still there: its message comes once that has run out, and no tick puts another.
    assert_eq!((deployment.queue.count().await, deployment.messages().await.len()), (1, 0));
    process.tick().await;
    assert_eq!(tenants(&deployment.messages().await), [id_of(&provider.tenants()[1])].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_state_a_run_never_begins_and_the_host_tries_again() {
    let (mut deployment, provider) = provider(1, |_| ()).await;
    let (name, string) = deployment.settings.iter().find(|(name, _)| name == "AzureWebJobsStorage").unwrap().clone();
    let away = string.split(';').map(|part| match part.split_once('=') {
        Some(("BlobEndpoint", _)) => "BlobEndpoint=http://127.0.0.1:9/account".to_owned(),
        _ => part.to_owned(),
    });
    deployment.set(&name, &away.collect::<Vec<_>>().join(";"));
    let mut process = deployment.start().await;
    let tenant = id_of(&provider.tenants()[0]);
    assert_eq!(process.hand_over(&json!({"tenantId": tenant})).await.status, 500);
    let errors = process.errors();
    assert!(errors.len() == 1 && errors[0].contains("customer-1") && errors[0].contains("state: "), "{errors:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_was_just_added_is_read_by_a_process_that_knows_the_list_of_before() {
    let (mut deployment, provider) = provider(2, |_| ()).await;
    let list: Vec<serde_json::Value> = serde_json::from_str(&provider.tenants_json()).unwrap();
    deployment.set("TENANTS", "state");
    deployment.write_list(&json!(list[..1])).await;
    let mut process = deployment.start().await;
    process.tick().await;
    assert_eq!(work_off(&deployment, &mut process).await, 1);
    deployment.write_list(&json!(list)).await;
    assert!(process.tick().await.logs()[0].starts_with("2 messages put"));
    assert_eq!(work_off(&deployment, &mut process).await, 2);
    assert!(provider.report().is_clean());

    // Its entry changes: the connector is made anew, and reads other content types.
    let mut list = list;
    list[1]["contentTypes"] = json!(["Audit.Exchange"]);
    deployment.write_list(&json!(list[1..])).await;
    publish(&provider.tenants()[1]);
    let mut process = deployment.start().await;
    let message = json!({"tenantId": id_of(&provider.tenants()[1])});
    assert_eq!(process.hand_over(&message).await.status, 200);
    assert_eq!(provider.tenants()[1].report().missing, 5, "what is published of another content type is not read");
}
