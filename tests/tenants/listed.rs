//! `tenants list`, `add`, `remove`, `enable` and `disable`: the list in the state.

use serde_json::{Value, json};

use crate::world::{World, line};

const OTHER: &str = "7c5a1f0e-2d3b-4a69-8f47-5e6d7c8b9a01";

/// A provider whose list is that of the state, and has nobody yet.
async fn state(tenants: u32) -> World {
    let mut world = World::of(tenants).await;
    world.tenants = Some("state".to_owned());
    world
}

async fn listed(world: &World) -> Value {
    let (told, _) = world.expect(0, &["tenants", "list", "--json"]).await;
    serde_json::from_str(&told).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_comes_and_is_read_and_goes() {
    for world in [state(2).await, state(2).await.in_a_container()] {
        (1..=2).for_each(|number| world.publish(number, 2));
        let (_, said) = world.expect(0, &["tenants", "add", world.id(1), "--name", "Contoso"]).await;
        assert!(said.starts_with(&format!("Contoso ({}) is in the list.\nNext:\n", world.id(1))), "{said}");
        assert!(said.contains("  labelstream tenants check --tenant Contoso"), "{said}");
        let (_, said) = world.expect(0, &["tenants", "add", world.id(2), "--name", "Lit ware", "--disabled"]).await;
        assert!(said.contains(&format!("  labelstream tenants enable {}", world.id(2))), "{said}");
        world.expect(0, &["tenants", "check", "--tenant", "Contoso"]).await;
        world.expect(0, &["connect", "--tenant", "Contoso"]).await;
        let (_, said) = world.expect(0, &["pull"]).await;
        assert_eq!(said, "Contoso: 2 rows in 1 post; nothing left\n1 tenant: 2 rows in 1 post.\n");
        world.expect(0, &["tenants", "enable", "lit ware"]).await;
        let (_, said) = world.expect(0, &["pull"]).await;
        assert!(said.contains("Lit ware: 2 rows in 1 post"), "{said}");
        world.expect(0, &["tenants", "disable", "Contoso"]).await;
        let list = listed(&world).await;
        assert_eq!((&list["tenants"][0]["enabled"], &list["tenants"][1]["enabled"]), (&json!(false), &json!(true)));
        let (_, said) = world.expect(0, &["tenants", "remove", "contoso"]).await;
        assert!(said.contains("is out of the list") && said.contains("--purge-state"), "{said}");
        let (_, said) = world.expect(0, &["pull"]).await;
        assert!(!said.contains("Contoso") && said.ends_with("1 tenant: 0 rows.\n"), "{said}");
        assert!(world.provider.report().is_clean());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_options_are_the_keys_of_the_entry() {
    let world = state(1).await;
    let add =
        ["tenants", "add", OTHER, "--name", "Own", "--cloud", "gcc", "--content-types", "Audit.General,Audit.Exchange"];
    let more = [
        "--labels",
        "off",
        "--heartbeats",
        "drop",
        "--publisher-id",
        OTHER,
        "--dcr-rule-id",
        "dcr-1",
        "--record-types",
        "83,MIPLabel",
    ];
    world.expect(0, &[&add[..], &more].concat()).await;
    let stored = std::fs::read_to_string(world.state_folder().join("tenants.json")).unwrap();
    let stored: Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(
        stored,
        json!([{
            "tenantId": OTHER, "name": "Own", "cloud": "gcc", "contentTypes": ["Audit.General", "Audit.Exchange"],
            "labels": "off", "heartbeats": "drop", "publisherId": OTHER, "dcrRuleId": "dcr-1", "recordTypes": ["83", "MIPLabel"]
        }])
    );
    let (text, _) = world.expect(0, &["tenants", "list"]).await;
    assert!(text.starts_with("tenants.json of the state: 1 tenants\n"), "{text}");
    let row = line(&text, "Own ");
    assert!(row.contains(" enabled ") && row.contains("cloud=gcc") && row.contains("recordTypes=83,MIPLabel"), "{row}");
    assert!(!row.contains("tenantId="), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_not_good_is_told_with_all_faults_and_not_written() {
    let mut world = state(1).await;
    let bad =
        ["tenants", "add", "contoso.com", "--cloud", "mars", "--content-types", "Audit.Nothing", "--labels", "off"];
    let (_, said) = world.expect(2, &bad).await;
    for part in ["tenantId is not a GUID", "cloud is \"mars\"", "contentTypes has"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!world.state_folder().join("tenants.json").exists());
    world.settings.push(("LOGS_DCR_RULE_ID", String::new()));
    let (_, said) = world.expect(2, &["tenants", "add", OTHER]).await;
    assert!(said.contains("dcrRuleId is left to the app setting LOGS_DCR_RULE_ID, which is missing"), "{said}");
    world.settings.clear();
    world.expect(0, &["tenants", "add", OTHER, "--name", "One"]).await;
    let (_, said) = world.expect(2, &["tenants", "add", &OTHER.to_uppercase()]).await;
    assert!(said.contains("is in the list already"), "{said}");
    let (_, said) = world.expect(0, &["tenants", "add", world.id(1), "--name", "one"]).await;
    assert!(
        said.contains("Another tenant has the same name") && said.contains(&format!("check --tenant {}", world.id(1))),
        "{said}"
    );
    let (_, said) = world.expect(2, &["tenants", "remove", "one"]).await;
    assert!(said.contains("is the name of several tenants"), "{said}");
    let (_, said) = world.expect(2, &["tenants", "disable", "nobody"]).await;
    assert!(said.contains("is neither the id nor the name"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_elsewhere_is_changed_by_hand() {
    let mut world = World::of(2).await;
    world.change(|entries| {
        entries[0]["colour"] = json!(1);
        entries[1]["dcrRuleId"] = json!("/subscriptions/x");
    });
    let (text, _) = world.expect(0, &["tenants", "list"]).await;
    assert!(text.contains("  fault: colour is no key; ") && text.contains("  fault: dcrRuleId is a path"), "{text}");
    for (tenants, why) in [
        (world.tenants.clone().unwrap(), "TENANTS is an array"),
        ("/x/t.json".to_owned(), "TENANTS is the file /x/t.json"),
    ] {
        world.tenants = Some(tenants);
        for action in [&["add", OTHER][..], &["remove", OTHER], &["enable", OTHER]] {
            let (_, said) = world.expect(2, &[&["tenants"], action].concat()).await;
            assert!(said.starts_with(why) && said.contains("`state`"), "{said}");
        }
    }
    world.tenants = None;
    let (_, said) = world.expect(0, &["tenants", "add", OTHER]).await;
    assert!(said.contains("TENANTS is not set here"), "{said}");
    let (text, said) = world.expect(0, &["tenants", "list"]).await;
    assert!(text.contains(OTHER) && said.contains("TENANTS is not set here"), "{text}\n{said}");
}

/// A fault of an app setting is one fault, however many tenants leave it to that.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_app_settings_is_told_once() {
    let mut world = World::of(3).await;
    world.settings.push(("RECORD_TYPES", ",".to_owned()));
    world.change(|entries| entries[1]["recordTypes"] = json!([83]));
    let (text, _) = world.expect(0, &["tenants", "list"]).await;
    assert!(
        line(&text, "  fault of 2 of 3 tenants: ").contains("recordTypes is left to the app setting RECORD_TYPES"),
        "{text}"
    );
}
