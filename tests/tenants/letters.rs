//! `dead-letters` of many tenants.

use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, Isolation, When};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::world::{World, line};

/// The first and the second tenant have one dead letter of a row each, the third has none.
async fn refused() -> World {
    let world = World::of(3).await;
    for number in 1..=2 {
        world.tenant(number).publish(ContentType::General, OffsetDateTime::now_utc() - Duration::minutes(20), 2, 0);
    }
    for number in 1..=2 {
        // Both rows together, and then the first by itself.
        world.tenant(number).fault(Fault::new(Endpoint::Ingest, When::First(2), Effect::status(400))).unwrap();
    }
    world.expect(0, &["pull"]).await;
    assert_eq!(world.provider.report().sum(|tenant| tenant.missing), 2);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_all_are_listed_with_their_tenants() {
    let world = refused().await;
    let (lines, said) = world.expect(0, &["dead-letters", "list"]).await;
    let begins: Vec<_> =
        lines.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        (begins, said.as_str()),
        (vec!["customer-1: row".into(), "customer-2: row".into()], "3 tenants: 2 dead letters of 2 tenants.\n")
    );
    let (lines, _) = world.expect(0, &["dead-letters", "list", "--json"]).await;
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["tenantId"], &first["tenant"], &first["kind"]),
        (&json!(world.id(1)), &json!("customer-1"), &json!("row"))
    );
    let key = first["key"].as_str().unwrap();
    let (_, said) = world.expect(2, &["dead-letters", "show", key]).await;
    assert!(said.contains("--tenant"), "{said}");
    let (_, said) = world.expect(2, &["dead-letters", "replay", key]).await;
    assert!(said.contains("--tenant"), "{said}");
    let (letter, _) = world.expect(0, &["dead-letters", "show", key, "--tenant", "customer-1"]).await;
    assert!(serde_json::from_str::<Value>(&letter).unwrap()["body"].as_str().unwrap().contains(world.id(1)));
    world.expect(2, &["dead-letters", "show", key, "--tenant", "customer-2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_all_are_sent_again() {
    let world = refused().await;
    let (_, said) = world.expect(0, &["dead-letters", "replay", "--all", "--dry-run"]).await;
    assert!(said.contains("2 rows would be sent"), "{said}");
    let (_, said) = world.expect(0, &["dead-letters", "replay", "--all"]).await;
    assert_eq!(
        line(&said, "customer-1: "),
        "customer-1: 1 rows sent; 1 dead letters removed, 0 stay, 0 are new. 0 lie there now."
    );
    assert_eq!(line(&said, "customer-3: "), "customer-3: There are no dead letters to send.");
    assert!(said.ends_with("3 tenants: 2 rows sent; 2 dead letters removed, 0 stay, 0 are new.\n"), "{said}");
    let report = world.provider.report();
    assert!(report.is_clean() && report.isolation == Isolation::default(), "{report:?}");
}
