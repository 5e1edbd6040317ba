//! `status` and `labels` of many tenants.

use labelstream_simulator::{ContentType, Endpoint, Trouble};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::world::{World, line};

/// One that is well, one that lags, one that cannot be read, one with a bad entry, one that is disabled.
async fn five() -> World {
    let mut world = World::with(5, &[(3, Trouble::NoPermission)]).await;
    world.publish(1, 1);
    world.publish(2, 1);
    world.change(|entries| {
        entries[3]["heartbeats"] = json!("sometimes");
        entries[4]["enabled"] = json!(false);
    });
    world.expect(1, &["pull"]).await;
    let created = OffsetDateTime::now_utc() - Duration::hours(30);
    let bad = world.tenant(2).publish(ContentType::General, created, 1, 0);
    let spoil = labelstream_simulator::Effect::Spoil(labelstream_simulator::Spoil::Object);
    let spoil = labelstream_simulator::Fault::new(Endpoint::Retrieve, labelstream_simulator::When::Always, spoil);
    world.tenant(2).fault(spoil.matching(&*bad.id)).unwrap();
    let since = (created - Duration::HOUR).replace_nanosecond(0).unwrap();
    let since = since.format(&time::format_description::well_known::Rfc3339).unwrap();
    world.run(&["pull", "--tenant", "customer-2", "--since", &since]).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn all_stand_in_a_table_with_the_worst_first() {
    for world in [five().await, five().await.in_a_container()] {
        // The container has seen no run.
        world.run(&["pull"]).await;
        let (text, said) = world.expect(1, &["status"]).await;
        assert!(said.is_empty() && text.starts_with("needs attention: "), "{text}\n{said}");
        assert!(text.contains(" of 4 tenants, 1 more disabled\n"), "{text}");
        let rows: Vec<_> = text.lines().skip_while(|line| !line.starts_with("tenant ")).skip(1).collect();
        let names: Vec<_> = rows.iter().map(|row| row.split("  ").next().unwrap()).collect();
        assert_eq!((names.len(), names[4]), (5, "customer-5"), "{text}");
        assert!(names[..2].contains(&"customer-3") && names[..2].contains(&"customer-4"), "{text}");
        assert!(line(&text, "customer-1 ").contains("Done 0 s ago") || text.contains("Done "), "{text}");
        assert!(text.contains("heartbeats is \"sometimes\"") && text.contains("AF10001"), "{text}");
        let (told, _) = world.expect(1, &["status", "--json"]).await;
        let told: Value = serde_json::from_str(&told).unwrap();
        let tenant = |number: usize| {
            told["tenants"].as_array().unwrap().iter().find(|tenant| tenant["tenantId"] == world.id(number)).unwrap()
        };
        assert_eq!(
            (&told["healthy"], &tenant(1)["healthy"], &tenant(3)["healthy"]),
            (&json!(false), &json!(true), &json!(false))
        );
        assert_eq!((&tenant(5)["enabled"], &tenant(4)["name"]), (&json!(false), &json!("customer-4")));
        assert_eq!(tenant(1)["runs"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_state_alone_nobody_is_asked() {
    let world = five().await;
    let before: Vec<_> = (1..=5).map(|number| world.tenant(number).requests().by_endpoint).collect();
    let (text, _) = world.expect(1, &["status", "--offline"]).await;
    let row = line(text.split("\ntenant ").nth(1).unwrap(), "customer-2 ").to_owned();
    assert!(row.contains("1 d "), "the lag of what failed: {row}");
    assert_eq!((1..=5).map(|number| world.tenant(number).requests().by_endpoint).collect::<Vec<_>>(), before);
    let (text, _) = world.expect(0, &["status", "--offline", "--tenant", "customer-1", "--tenant", "customer-2"]).await;
    assert!(!text.contains("customer-4"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_of_all_are_a_line_each() {
    let mut world = World::with(3, &[(2, Trouble::UnknownTenant)]).await;
    world.change(|entries| entries[2]["labels"] = json!("off"));
    let (_, said) = world.expect(1, &["labels", "--refresh"]).await;
    assert!(line(&said, "customer-1: ").starts_with("customer-1: 12 labels from Microsoft Graph, listed "), "{said}");
    assert!(line(&said, "customer-2: failed: ").contains("AADSTS90002"), "{said}");
    assert_eq!(line(&said, "customer-3: "), "customer-3: no label names are asked for");
    assert!(said.ends_with("3 tenants: 1 with label names; 1 failed.\n"), "{said}");
    // Why the second was not listed is remembered.
    let (told, _) = world.expect(1, &["labels", "--json"]).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["tenants"][0]["labels"].as_array().unwrap().len(), 12, "{told:#}");
    assert_eq!(
        (&told["tenants"][0]["name"], &told["tenants"][2]["tenantId"]),
        (&json!("customer-1"), &json!(world.id(3)))
    );
}
