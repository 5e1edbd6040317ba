use proptest::prelude::*;
use serde_json::{Value, json};
use time::{Duration, macros::datetime};

use super::*;
use crate::{
    health::{
        Ring,
        run_record::tests::{figures, record},
    },
    settings::Needs,
    tenants::List,
};

const NOW: OffsetDateTime = datetime!(2026-11-22 19:04 UTC);

fn entry(name: &str) -> Entry {
    let id = format!("4b0a6d34-6f8c-4f5e-9c1a-{:0>12}", name.len());
    List::parse(json!([{"tenantId": id, "name": name}]).to_string().as_bytes()).unwrap().entries()[0].clone()
}

fn looked(name: &str, lag: Option<i64>, problems: &[&str]) -> TenantHealth {
    let mut ring = Ring::default();
    for _ in 0..3 {
        ring.push(record(figures(), None));
    }
    let status = Status { lag_seconds: lag, runs: ring.into_runs(), ..Status::unknown(entry(name).id, NOW) };
    TenantHealth::of(&entry(name), Health::unknown(status, problems.iter().map(ToString::to_string).collect()))
}

fn bad() -> TenantHealth {
    let list = List::parse(br#"[7]"#).unwrap();
    let entry = &list.entries()[0];
    TenantHealth::bad(entry, &entry.settings(&|_| None, Needs::FEED).unwrap_err(), NOW)
}

fn names(fleet: &Fleet) -> Vec<&str> {
    fleet.tenants.iter().map(TenantHealth::short_label).collect()
}

#[test]
fn the_worst_is_first_and_what_is_not_read_last() {
    let off = TenantHealth::disabled(&entry("Off"), NOW);
    let tenants = vec![
        off,
        looked("Well", Some(60), &[]),
        looked("Late", Some(9_000), &["late"]),
        looked("New", None, &[]),
        looked("Later", Some(99_000), &["later"]),
        looked("Slower", Some(600), &[]),
        bad(),
    ];
    let fleet = Fleet::of(tenants, NOW);
    assert_eq!(names(&fleet), ["entry 1", "Later", "Late", "Slower", "Well", "New", "Off"]);
    assert_eq!((fleet.healthy, fleet.counts()), (false, (6, 3, 1)));
    let text = fleet.to_string();
    assert!(text.starts_with("needs attention: 3 of 6 tenants, 1 more disabled\n\nentry 1\n  problem: "), "{text}");
    for part in [
        "  problem: The entry in the list is not good: it is no JSON object\n",
        "\nLater (4b0a6d34-6f8c-4f5e-9c1a-000000000005)\n  problem: later\n",
        "\ntenant   state            lag  ",
        "\nWell     healthy          1 min ",
        "Done 3 min ago",
        "\nOff      disabled         -  ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn disabled_tenants_make_nothing_unhealthy_and_the_deployment_may() {
    let mut fleet = Fleet::of(vec![TenantHealth::disabled(&entry("Off"), NOW), looked("Well", Some(1), &[])], NOW);
    assert!(fleet.healthy);
    assert_eq!(fleet.headline(), "healthy: 1 tenant, 1 more disabled");
    fleet.add_problem("The list cannot be read.".to_owned());
    assert_eq!(fleet.headline(), "needs attention: the deployment; 1 tenant, 1 more disabled");
    assert!(fleet.to_string().contains("\n  problem: The list cannot be read.\n"));
}

#[test]
fn the_json_of_a_tenant_is_that_of_a_single_one_with_its_name() {
    let fleet = Fleet::of(vec![looked("Contoso", Some(5), &[])], NOW);
    let told: Value = serde_json::to_value(&fleet).unwrap();
    let tenant = &told["tenants"][0];
    assert_eq!((&told["healthy"], &tenant["healthy"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&tenant["name"], &tenant["enabled"], &tenant["lagSeconds"]),
        (&json!("Contoso"), &json!(true), &json!(5))
    );
    assert_eq!(tenant["runs"].as_array().unwrap().len(), 1, "the last one alone");
    let single = serde_json::to_value(&fleet.tenants[0].health).unwrap();
    assert!(single.as_object().unwrap().iter().all(|(key, value)| tenant[key] == *value));
}

proptest! {
    #[test]
    fn no_healthy_tenant_stands_before_one_that_is_not(lags in proptest::collection::vec((proptest::option::of(0_i64..1_000), any::<bool>()), 0..12)) {
        let tenants = lags.iter().map(|(lag, well)| looked("x", *lag, if *well { &[] } else { &["no"] })).collect();
        let fleet = Fleet::of(tenants, NOW + Duration::MINUTE);
        prop_assert_eq!(fleet.healthy, lags.iter().all(|(_, well)| *well));
        prop_assert!(fleet.tenants.is_sorted_by_key(|tenant| tenant.health.healthy));
        for pair in fleet.tenants.windows(2).filter(|pair| pair[0].health.healthy == pair[1].health.healthy) {
            let lag = |tenant: &TenantHealth| tenant.health.status.lag_seconds;
            if let (Some(first), Some(second)) = (lag(&pair[0]), lag(&pair[1])) {
                prop_assert!(first >= second);
            }
        }
    }
}
