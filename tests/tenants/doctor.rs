//! `tenants check` and `doctor` of many tenants.

use labelstream_simulator::Trouble;
use serde_json::{Value, json};

use crate::world::{World, line};

async fn five() -> World {
    let troubles = [(2, Trouble::NoPermission), (3, Trouble::UnknownTenant)];
    let mut world = World::with(5, &troubles).await;
    [1, 5].into_iter().for_each(|number| world.publish(number, 1));
    world.change(|entries| {
        entries[3]["clientSecret"] = json!("s3cret");
        entries[4]["enabled"] = json!(false);
    });
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_a_line_and_those_that_failed_say_how_to_mend() {
    for world in [five().await, five().await.in_a_container()] {
        world.run(&["pull"]).await;
        let (text, said) = world.expect(1, &["tenants", "check"]).await;
        let cells = |name: &str| {
            let table = text.split("\n\n").find(|part| part.starts_with("tenant ")).unwrap();
            line(table, &format!("{name} ")).split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(said, "");
        let lock = if text.contains("folder state") { "-" } else { "ok" };
        assert_eq!(cells("tenant"), "settings access feed subscriptions lock ingestion labels");
        assert_eq!(cells("customer-1"), format!("ok ok ok ok {lock} ok ok"));
        assert_eq!(cells("customer-2"), format!("ok failed - - {lock} ok ok"));
        assert_eq!(cells("customer-3"), format!("ok failed - - {lock} ok -"), "{text}");
        assert_eq!(cells("customer-4"), "failed - - - - - -");
        assert_eq!(text.matches("feed-permission").count(), 1, "{text}");
        assert!(
            text.contains("./scripts/grant-feed-access") && text.contains("clientSecret does not belong here"),
            "{text}"
        );
        assert!(!text.contains("s3cret"), "{text}");
        assert_eq!(
            (
                text.matches("\nok       state  ").count() + text.matches("\nok       state ").count() > 0,
                text.matches(" clock ").count()
            ),
            (true, 1),
            "{text}"
        );
        assert!(text.ends_with("Disabled, and not looked at: customer-5\n\n3 of 4 tenants failed.\n"), "{text}");
        let (same, _) = world.expect(1, &["doctor"]).await;
        // Which clock differs most differs.
        let plain = |text: &str| text.lines().filter(|line| !line.contains("  clock ")).collect::<Vec<_>>().join("\n");
        assert_eq!(plain(&same), plain(&text));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_it_as_json() {
    let world = five().await;
    let (told, _) = world.expect(1, &["tenants", "check", "--json"]).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    let oks: Vec<_> =
        told["tenants"].as_array().unwrap().iter().map(|tenant| tenant["ok"].as_bool().unwrap()).collect();
    assert_eq!(
        (&told["ok"], oks, &told["disabled"]),
        (&json!(false), vec![true, false, false, false], &json!(["customer-5"]))
    );
    let (told, _) = world.expect(0, &["tenants", "check", "--tenant", "customer-1", "--json"]).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["ok"], told["tenants"].as_array().unwrap().len()), (&json!(true), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_named_is_told_in_full() {
    let world = five().await;
    let (text, _) = world.expect(1, &["doctor", "--tenant", "customer-2"]).await;
    assert!(line(&text, "failed   feed-permission").contains("ActivityFeed.Read"), "{text}");
    assert!(text.ends_with("1 failed.\n"), "{text}");
    let (text, said) = world.expect(0, &["tenants", "check", "--tenant", "customer-5"]).await;
    assert!(said.contains("is disabled in the list; it was named"), "{said}");
    assert!(text.ends_with("Nothing failed; 1 tenant.\n"), "{text}");
}

/// What all of them need is told once.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_cannot_be_used_is_one_fault() {
    let mut world = World::of(3).await.in_a_container();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let account = crate::azurite::connection_string(nobody, crate::azurite::KEY);
    world.settings = vec![("AzureWebJobsStorage", account)];
    let (text, _) = world.expect(1, &["tenants", "check"]).await;
    assert!(line(&text, "failed   state").contains("container tenants-"), "{text}");
}
