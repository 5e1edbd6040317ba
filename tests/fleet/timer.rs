//! The timer: who gets a message, and who does not.

use labelstream::state::Store as _;
use serde_json::json;

use crate::deployment::{Deployment, id, tenants, tick_request};

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_tenants_get_a_message_each_and_none_while_it_waits() {
    let deployment = Deployment::of(300);
    let mut process = deployment.start().await;
    let logs = process.tick().await.logs().concat();
    assert!(logs.starts_with("300 messages put; 0 tenants whose message still waits"), "{logs}");
    assert_eq!(deployment.queue.count().await, 300);
    for _ in 0..2 {
        let logs = process.tick().await.logs().concat();
        assert!(logs.starts_with("0 messages put; 300 tenants whose message still waits"), "{logs}");
        assert_eq!(deployment.queue.count().await, 300);
    }
    assert_eq!(process.errors(), Vec::<String>::new());
    let messages = deployment.take_all().await;
    assert_eq!((messages.len(), tenants(&messages).len()), (300, 300));
    assert!(messages.iter().all(|message| message["queued"].is_string() && message["again"] == false), "{messages:?}");
    // The queue is empty: whatever became of them, all are due.
    let logs = process.tick().await.logs().concat();
    assert!(logs.starts_with("300 messages put; "), "{logs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_run_just_before_is_not_taken_for_that_of_the_message() {
    let deployment = Deployment::of(2);
    let mut process = deployment.start().await;
    process.tick().await;
    deployment.take_all().await;
    // Another message keeps the queue from being empty.
    deployment.queue.put("{}").await.unwrap();
    for number in 0..2 {
        let key = labelstream::health::runs_key(&id(number));
        deployment.store.put(&key, "{}".into(), &labelstream::state::Expect::Any).await.unwrap();
    }
    assert!(process.tick().await.logs()[0].starts_with("2 messages put"));
    let logs = process.tick().await.logs().concat();
    assert!(logs.starts_with("0 messages put; 2 tenants whose message still waits"), "{logs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_disabled_bad_or_under_way_gets_none_and_the_others_go_on() {
    let deployment = Deployment::unreachable(&json!([
        {"tenantId": id(1), "name": "Contoso"},
        {"tenantId": id(2), "name": "Fabrikam", "cloud": "mars"},
        {"tenantId": id(3), "enabled": false},
        {"tenantId": id(4), "name": "Adatum"},
        7,
    ]));
    let lock = deployment.store.lock(&format!("{}/lock", id(4))).await.unwrap().unwrap();
    let mut process = deployment.start().await;
    let answered = process.tick().await;
    let logs = answered.logs();
    assert!(
        logs[0].starts_with(
            "1 messages put; 0 tenants whose message still waits, 1 with a run under way, 1 disabled, 2 with a bad entry"
        ),
        "{logs:?}"
    );
    assert!(logs[1].contains("Fabrikam") && logs[1].contains("mars") && logs[1].contains("entry 5"), "{logs:?}");
    assert_eq!(tenants(&deployment.messages().await), [id(1)].into());
    let errors = process.errors();
    assert!(errors.len() == 1 && errors[0].contains("Fabrikam") && errors[0].contains("entry 5"), "{errors:?}");

    lock.release().await.unwrap();
    let logs = process.tick().await.logs().concat();
    assert!(logs.starts_with("1 messages put; 1 tenants whose message still waits"), "{logs}");
    assert_eq!(tenants(&deployment.messages().await), [id(1), id(4)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_changes_is_seen_by_the_next_tick() {
    let mut deployment = Deployment::of(0);
    deployment.set("TENANTS", "state");
    let mut process = deployment.start().await;
    let answered = process.tick().await;
    assert_eq!(answered.status, 500, "{}", answered.body);
    assert!(process.errors()[0].contains("labelstream tenants add"), "{:?}", process.errors());

    deployment.write_list(&json!([{"tenantId": id(1)}])).await;
    assert!(process.tick().await.logs()[0].starts_with("1 messages put"));
    deployment.write_list(&json!([{"tenantId": id(2)}, {"tenantId": id(3)}])).await;
    assert!(process.tick().await.logs()[0].starts_with("2 messages put"));
    deployment.write_list(&json!({"tenantId": id(1)})).await;
    let answered = process.tick().await;
    assert_eq!(answered.status, 500, "{}", answered.body);
    assert!(process.errors()[1].contains("is no JSON array"), "{:?}", process.errors());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_timers_at_once_put_each_message_once() {
    let deployment = Deployment::of(100);
    let (mut one, mut other) = (deployment.start().await, deployment.start().await);
    let (first, second) = tokio::join!(one.tick(), other.tick());
    let logs = [first.logs().concat(), second.logs().concat()];
    assert_eq!(logs.iter().filter(|logs| logs.starts_with("100 messages put")).count(), 1, "{logs:?}");
    assert_eq!(deployment.queue.count().await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_or_a_state_that_cannot_be_used_is_a_failure_that_says_so() {
    let good = Deployment::of(2);
    for (from, told) in [("QueueEndpoint", "the queue labelstream-work"), ("BlobEndpoint", "state: fleet")] {
        let mut deployment = Deployment::of(2);
        let string = good.settings.iter().find(|(name, _)| name == "AzureWebJobsStorage").unwrap().1.clone();
        let parts: Vec<_> = string
            .split(';')
            .map(|part| match part.split_once('=') {
                Some((name, _)) if name == from => format!("{name}=http://127.0.0.1:9/account"),
                _ => part.to_owned(),
            })
            .collect();
        deployment.set("AzureWebJobsStorage", &parts.join(";"));
        deployment.set("RUN_BUDGET_SECONDS", "30");
        let mut process = deployment.start().await;
        let answered = process.send(tick_request()).await;
        assert_eq!(answered.status, 500, "{}", answered.body);
        let errors = process.errors();
        assert!(errors.len() == 1 && errors[0].contains(told), "{errors:?}");
        assert!(!errors[0].contains(crate::azurite::KEY));
    }
    assert_eq!(good.queue.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_one_tenant_says_that_it_has_no_fleet_and_one_of_many_that_it_has_no_timer_of_one() {
    let mut one = Deployment::of(1);
    one.set("TENANTS", " ");
    one.set("M365_TENANT_ID", &id(1));
    let mut process = one.start().await;
    assert_eq!(process.tick().await.status, 500);
    assert!(process.errors()[0].contains("set TENANTS for many"), "{:?}", process.errors());

    let mut process = Deployment::of(1).start().await;
    assert_eq!(process.send(crate::host::request("timer-later.http")).await.status, 500);
    assert!(process.errors()[0].contains("whose timer is FleetTimer"), "{:?}", process.errors());
}
