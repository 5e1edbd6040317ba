//! `connect` and `disconnect` of many tenants.

use labelstream_simulator::{Endpoint, Trouble};
use serde_json::json;

use crate::world::{World, line};

/// The subscriptions of all three are stopped; those of the second can never be started.
async fn stopped() -> World {
    let world = World::with(3, &[(2, Trouble::NoPermission)]).await;
    let (_, said) = world.expect(1, &["disconnect", "--yes"]).await;
    assert!(line(&said, "customer-2: failed: ").contains("AF10001"), "{said}");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_starts_those_of_each_that_can_be_started() {
    let mut world = stopped().await;
    let (_, said) = world.expect(1, &["connect"]).await;
    let started = "Audit.General started, Audit.SharePoint started, Audit.Exchange started";
    assert_eq!(line(&said, "customer-1: "), format!("customer-1: {started}"));
    assert!(line(&said, "customer-2: failed: ").contains("Grant the application permission"), "{said}");
    assert!(said.ends_with("3 tenants: subscriptions of 2 enabled; 1 failed.\n"), "{said}");
    world.change(|entries| entries[0]["contentTypes"] = json!(["Audit.General", "DLP.All"]));
    let (_, said) = world.expect(0, &["connect", "--tenant", "customer-1", "--tenant", "customer-3"]).await;
    assert_eq!(line(&said, "customer-1: "), "customer-1: Audit.General enabled already, DLP.All enabled already");
    assert_eq!(world.asked(1, Endpoint::Start), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnect_asks_once_for_all_and_says_what_each_loses() {
    let mut world = World::of(2).await;
    world.publish(1, 1);
    world.expect(0, &["pull", "--tenant", "customer-1"]).await;
    let (_, said) = world.expect(2, &["disconnect"]).await;
    assert!(said.contains("--yes"), "{said}");
    let (status, screen) = world.on_a_terminal("disconnect", "n\n").await;
    assert_eq!(status, 1, "{screen}");
    for part in [
        "This stops the subscriptions of 2 tenants. Not delivered of them yet:",
        "  customer-1: Audit.General, Audit.SharePoint, Audit.Exchange; what was published in the last ",
        "  customer-2: Audit.General, Audit.SharePoint, Audit.Exchange; all of the last 7 days of what was never listed",
        "Lost for good is",
        "`labelstream tenants disable` takes a tenant from the runs first.",
        "Stop those of 2 tenants? [y/N]",
        "Nothing was stopped.",
    ] {
        assert!(screen.contains(part), "{part}\n{screen}");
    }
    assert_eq!(world.asked(1, Endpoint::Stop) + world.asked(2, Endpoint::Stop), 0);
    let (status, screen) = world.on_a_terminal("disconnect", "y\n").await;
    assert_eq!(status, 0, "{screen}");
    assert!(
        screen.contains("customer-2: Audit.General stopped, Audit.SharePoint stopped, Audit.Exchange stopped"),
        "{screen}"
    );
    world.settings.push(("CONTENT_TYPES", "Audit.Exchange".to_owned()));
    let (_, said) = world.expect(0, &["disconnect", "--yes"]).await;
    assert_eq!(line(&said, "customer-1: "), "customer-1: Audit.Exchange was not enabled");
    assert!(!said.contains("Lost for good"), "{said}");
}
