//! Which tenants are meant.

use serde_json::json;

use crate::world::World;

/// The settings of one tenant, in place of those of many.
fn single(world: &mut World) {
    world.tenants = None;
    let tenant = world.provider.tenants()[0].tenant().id.clone();
    world.settings.push(("M365_TENANT_ID", tenant));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_named_is_told_as_a_single_one_is() {
    let mut world = World::of(2).await;
    world.publish(1, 2);
    let (lines, said) = world.expect(0, &["connect", "--tenant", "Customer-1"]).await;
    let three = "Audit.General: enabled already\nAudit.SharePoint: enabled already\nAudit.Exchange: enabled already\n";
    assert_eq!((lines.as_str(), said.as_str()), (three, ""));
    world.expect(0, &["pull", "--tenant", "customer-1"]).await;
    let commands =
        [&["status", "--offline"][..], &["status"], &["dead-letters", "list"], &["labels"], &["connect"], &["doctor"]];
    let mut told = Vec::new();
    for command in commands {
        told.push(world.run(&[command, &["--tenant", "customer-1"]].concat()).await);
    }
    single(&mut world);
    for (command, told) in commands.iter().zip(told) {
        let plain = |text: &str| text.chars().filter(|char| !char.is_ascii_digit()).collect::<String>();
        let (status, data, said) = world.run(command).await;
        assert_eq!((told.0, plain(&told.1), plain(&told.2)), (status, plain(&data), plain(&said)), "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_tenant_is_read_another_is_wrong_use() {
    let mut world = World::of(1).await;
    single(&mut world);
    let id = world.id(1).to_uppercase();
    world.expect(0, &["status", "--offline", "--tenant", &id]).await;
    for command in [
        &["pull"][..],
        &["status"],
        &["connect"],
        &["disconnect", "--yes"],
        &["labels"],
        &["doctor"],
        &["dead-letters", "list"],
    ] {
        let (_, said) = world.expect(2, &[command, &["--tenant", "Contoso"]].concat()).await;
        assert!(
            said.starts_with("--tenant Contoso: these settings read one tenant") && said.contains("TENANTS"),
            "{said}"
        );
    }
    let (_, said) = world.expect(2, &["tenants", "check"]).await;
    assert!(said.contains("TENANTS is not set") && said.contains("labelstream doctor"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_of_nobody_are_all_told() {
    let mut world = World::of(2).await;
    let (_, said) =
        world.expect(2, &["pull", "--tenant", "Contoso", "--tenant", "customer-1", "--tenant", "Fabrikam"]).await;
    assert!(said.contains("\"Contoso\" is neither") && said.contains("\"Fabrikam\" is neither"), "{said}");
    world.change(|entries| {
        entries[1]["name"] = json!("customer-1");
        entries.push(json!({"tenantId": "x", "name": "bad"}));
    });
    let (_, said) = world.expect(2, &["pull", "--tenant", "customer-1"]).await;
    assert!(said.contains("is the name of several tenants") && said.contains(world.id(2)), "{said}");
    let (_, said) = world.expect(2, &["pull", "--tenant", "bad"]).await;
    assert!(said.contains("bad (entry 3): tenantId is not a GUID"), "{said}");
    let (_, said) = world.expect(1, &["pull"]).await;
    for number in 1..=2 {
        assert!(said.contains(&format!("customer-1 ({}): 0 rows; nothing left", world.id(number))), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_one_is_meant_where_it_is_named() {
    let mut world = World::of(2).await;
    world.publish(2, 1);
    world.change(|entries| entries[1]["enabled"] = json!(false));
    let (_, said) = world.expect(0, &["pull", "--tenant", "customer-2", "--tenant", "customer-1"]).await;
    assert!(
        said.contains("is disabled in the list; it was named") && said.contains("customer-2: 1 row in 1 post"),
        "{said}"
    );
    world.change(|entries| entries.iter_mut().for_each(|entry| entry["enabled"] = json!(false)));
    let (_, said) = world.expect(0, &["pull"]).await;
    assert!(said.starts_with("No tenant of the list is enabled"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_none_is_told_and_stops_all() {
    let mut world = World::of(1).await;
    for (tenants, why) in [
        ("{}", "it is no JSON array"),
        ("[{", "it is not JSON"),
        ("/nowhere/tenants.json", "TENANTS: /nowhere/tenants.json: "),
        ("state", "the state has no tenants.json yet: `labelstream tenants add"),
    ] {
        world.tenants = Some(tenants.to_owned());
        for command in ["pull", "status", "connect", "doctor"] {
            let (_, said) = world.expect(2, &[command]).await;
            assert!(said.contains(why), "{command} {tenants}: {said}");
        }
    }
    let file = world.folder.path().join("tenants.json");
    std::fs::write(&file, world.provider.tenants_json()).unwrap();
    world.tenants = Some(file.to_str().unwrap().to_owned());
    world.expect(0, &["pull"]).await;
}
