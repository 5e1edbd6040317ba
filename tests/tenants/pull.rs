//! `pull` of many tenants.

use std::{collections::BTreeMap, process::Command};

use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, Isolation, Trouble, When};
use serde_json::{Value, json};

use crate::world::{World, line, texts};

/// More tenants than are worked on at once; four that cannot be read, and one that is disabled.
async fn mixed() -> World {
    let troubles = [(1, Trouble::NoPermission), (2, Trouble::UnknownTenant)];
    let mut world = World::with(12, &troubles).await;
    for number in 1..=12 {
        world.publish(number, number as u32);
    }
    world.change(|entries| {
        entries[2]["cloud"] = json!("mars");
        entries[3]["colour"] = json!("blue");
        entries[4]["enabled"] = json!(false);
    });
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_is_a_run_and_a_line_and_a_bad_one_harms_only_itself() {
    for world in [mixed().await, mixed().await.in_a_container()] {
        let (data, said) = world.expect(1, &["pull"]).await;
        assert_eq!(data, "");
        assert!(line(&said, "customer-1: failed: ").contains("ActivityFeed.Read"), "{said}");
        assert!(line(&said, "customer-2: failed: ").contains("AADSTS90002"), "{said}");
        assert!(
            line(&said, "customer-3: failed: ").contains("its entry in the list is not good: cloud is \"mars\""),
            "{said}"
        );
        assert!(line(&said, "customer-4: failed: ").contains("colour is no key"), "{said}");
        assert!(!said.contains("customer-5"), "{said}");
        for number in 6..=12 {
            let told = line(&said, &format!("customer-{number}: "));
            assert_eq!(told, format!("customer-{number}: {number} rows in 1 post; nothing left"));
        }
        assert_eq!(said.lines().last(), Some("11 tenants: 63 rows in 7 posts; 4 failed."), "{said}");
        let report = world.provider.report();
        let unread: Vec<_> = (1..=5).map(|number| world.id(number)).collect();
        assert!(report.unclean().iter().all(|id| unread.contains(id)), "{:?}", report.unclean());
        assert_eq!((report.isolation, world.asked(5, Endpoint::List)), (Isolation::default(), 0));
        let (_, said) = world.expect(1, &["pull"]).await;
        assert_eq!(line(&said, "customer-9: "), "customer-9: 0 rows; nothing left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_all_go_into_one_file_and_the_report_tells_them_apart() {
    let world = World::of(10).await;
    (1..=10).for_each(|number| world.publish(number, 4));
    let (_, said) = world.expect(0, &["pull", "--output", "rows.ndjson"]).await;
    assert_eq!(said.lines().last(), Some("10 tenants: 40 rows written."), "{said}");
    let rows = std::fs::read_to_string(world.folder.path().join("rows.ndjson")).unwrap();
    let mut owners = BTreeMap::new();
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        *owners.entry(row["OrganizationId"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    let expected: BTreeMap<_, _> = (1..=10).map(|number| (world.id(number).to_owned(), 4)).collect();
    assert_eq!(owners, expected);
    let id = world.id(3).to_uppercase();
    for tenant in ["customer-3", &id] {
        let page = format!("{tenant}.html");
        let (_, said) = world.expect(0, &["report", "rows.ndjson", "--html", &page, "--tenant", tenant]).await;
        assert!(said.contains(": 4 label events on 1 day") && said.contains("36 rows of other tenants"), "{said}");
    }
    let nobody = "11111111-1111-4111-8111-111111111111";
    let (_, said) = world.expect(1, &["report", "rows.ndjson", "--html", "x.html", "--tenant", nobody]).await;
    assert!(said.contains("none of 40 rows is of --tenant"), "{said}");
    let (_, said) = world.expect(2, &["report", "rows.ndjson", "--html", "x.html", "--tenant", "nobody"]).await;
    assert!(said.contains("\"nobody\" is neither the id nor the name"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_all_shows_the_rows_and_leaves_no_trace() {
    let world = World::of(3).await;
    (1..=3).for_each(|number| world.publish(number, 2));
    let (rows, said) = world.expect(0, &["pull", "--dry-run", "--output", "-"]).await;
    assert_eq!((rows.lines().count(), said.lines().last()), (6, Some("3 tenants: 6 rows written.")), "{said}");
    let (_, said) = world.expect(0, &["pull", "--dry-run"]).await;
    assert_eq!(line(&said, "customer-2: "), "customer-2: 2 rows to send; nothing left");
    assert_eq!(world.provider.report().sum(|tenant| tenant.totals.posts), 0);
    assert_eq!(world.store().list("").await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_asked_of_each() {
    let world = World::of(2).await;
    (1..=2).for_each(|number| world.publish(number, 3));
    let (_, said) = world.expect(0, &["pull", "--until", "2000-01-01T00:00:00Z"]).await;
    assert!(said.ends_with("2 tenants: 0 rows.\n"), "{said}");
    let since = (time::OffsetDateTime::now_utc() - time::Duration::hours(2)).replace_nanosecond(0).unwrap();
    let since = since.format(&time::format_description::well_known::Rfc3339).unwrap();
    let (_, said) = world.expect(0, &["pull", "--since", &since]).await;
    assert!(said.contains("2 tenants: 6 rows in 2 posts"), "{said}");
}

/// One of them is in the midst of its run, and others were not begun.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_those_under_way_and_begins_no_other() {
    let world = World::of(10).await;
    for number in 1..=10 {
        world.publish(number, 1);
        world.tenant(number).fault(Fault::new(Endpoint::Retrieve, When::Always, Effect::Delay(1_000))).unwrap();
    }
    let pull = world.start(&["pull"]);
    while (1..=10).filter(|number| world.asked(*number, Endpoint::Retrieve) > 0).count() < 8 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(Command::new("kill").args(["-s", "INT", &pull.id().to_string()]).status().unwrap().success());
    let output = tokio::task::spawn_blocking(move || pull.wait_with_output().unwrap()).await.unwrap();
    let (status, _, said) = texts(&output);
    assert!(said.starts_with("Ending; what was delivered is being saved.\n"), "{said}");
    assert!(said.contains("10 tenants: ") && said.contains("; 2 not begun.\n"), "{said}");
    assert_eq!((1..=10).filter(|number| world.asked(*number, Endpoint::List) > 0).count(), 8);
    (1..=10).for_each(|number| world.tenant(number).clear_faults());
    assert_eq!((status, said.contains("Interrupted; ")), (130, true), "{said}");
    world.expect(0, &["pull"]).await;
    assert_eq!(world.provider.report().unclean(), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_ends_it_without_a_failure() {
    let world = World::of(9).await;
    for number in 1..=9 {
        // More than a pipe holds.
        for _ in 0..3 {
            world.tenant(number).publish(
                ContentType::General,
                time::OffsetDateTime::now_utc() - time::Duration::HOUR,
                60,
                0,
            );
        }
    }
    let mut pull = world.start(&["pull", "--dry-run", "--output", "-"]);
    drop(pull.stdout.take());
    let output = tokio::task::spawn_blocking(move || pull.wait_with_output().unwrap()).await.unwrap();
    let (status, _, said) = texts(&output);
    assert_eq!((status, said.contains("failed")), (0, false), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_told() {
    let world = World::with(2, &[(2, Trouble::PoisonedContent)]).await;
    let (_, said) = world.expect(1, &["pull"]).await;
    assert_eq!(line(&said, "customer-1: "), "customer-1: 0 rows; nothing left");
    assert!(line(&said, "customer-2: failed: ").contains("none of 1 contents could be read"), "{said}");
    assert!(said.contains(" WARN tenant{name=customer-2} "), "log lines name the tenant: {said}");
    world.publish(1, 1);
    let bad = Fault::new(Endpoint::Retrieve, When::Always, Effect::Spoil(labelstream_simulator::Spoil::Object));
    let created = time::OffsetDateTime::now_utc() - time::Duration::minutes(30);
    let content = world.tenant(1).publish(ContentType::General, created, 1, 0);
    world.tenant(1).fault(bad.matching(&*content.id)).unwrap();
    let (_, said) = world.expect(0, &["pull"]).await;
    assert_eq!(line(&said, "customer-1: "), "customer-1: 1 row in 1 post; 1 content left");
    assert_eq!(line(&said, "customer-2: "), "customer-2: 0 rows; 3 contents left");
    assert!(said.contains("2 tenants: 1 row in 1 post; 2 with work left."), "{said}");
}
