//! Runs that fail say why, lose nothing, and leave what they can.

use labelstream::{
    dead_letter::{self, DeadLetter},
    state::Store as _,
};
use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Fault, Spoil, When};

use crate::{
    host::{Host, Stream},
    world::{World, minutes_ago, tick},
};

/// The lines that the host would show as errors.
fn errors(host: &Host) -> Vec<String> {
    let lines = host.lines().into_iter();
    lines
        .filter(|(stream, line)| *stream == Stream::Err && !line.to_lowercase().contains("warn"))
        .map(|(_, line)| line)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_settings_the_handler_answers_and_a_run_names_every_setting() {
    let host = tokio::task::spawn_blocking(|| Host::start(&[])).await.unwrap();
    let (host, answered) = tick(host).await;
    assert_eq!(answered.status, 500);
    let errors = errors(&host);
    assert_eq!(errors.len(), 1, "{errors:?}");
    for name in ["M365_TENANT_ID", "DATA_COLLECTION_ENDPOINT", "LOGS_DCR_RULE_ID", "AzureWebJobsStorage"] {
        assert!(errors[0].contains(&format!("{name}=")), "no example for {name}: {}", errors[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_refuses_the_identity_stops_the_run_and_nothing_advances() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(4);
    world.simulator.fault(Fault::new(Endpoint::Ingest, When::Every(1), Effect::not_granted())).unwrap();
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 500);
    let said = errors(&host);
    assert!(said.len() == 1 && said[0].contains("Monitoring Metrics Publisher"), "{said:?}");
    assert_eq!(world.simulator.report().arrived, 0);
    world.simulator.clear_faults();
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_content_harms_only_itself_and_goes_to_the_dead_letters() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(4);
    let bad = world.simulator.publish_records(ContentType::General, minutes_ago(20.0), [r#"{"Id":"x""#]);
    world
        .simulator
        .fault(Fault::new(Endpoint::Retrieve, When::Every(1), Effect::Spoil(Spoil::Object)).matching(&*bad.id))
        .unwrap();
    let mut host = world.start().await;
    for run in 1..=9 {
        // Beside others that can be read, so that it is the content's own fault.
        world.simulator.publish(ContentType::General, minutes_ago(5.0), 1, 0);
        let (same, answered) = tick(host).await;
        assert_eq!(answered.status, 200, "one bad content is no failed run: {answered:?}");
        host = same;
        let waiting = answered.logs().concat().contains(" 1 contents to be tried again");
        assert_eq!(waiting, run < 9, "run {run}: {answered:?}");
    }
    world.assert_delivered();
    let letters = letters(&world).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0].content.as_ref().unwrap().id, bad.id);
    assert!(letters[0].reason.contains("no JSON array"), "{}", letters[0].reason);
    // It is not tried again.
    let before = world.simulator.requests().by_endpoint[&Endpoint::Retrieve];
    tick(host).await;
    assert_eq!(world.simulator.requests().by_endpoint[&Endpoint::Retrieve], before);
}

/// The dead letters of the tenant.
async fn letters(world: &World) -> Vec<DeadLetter> {
    let store = world.store();
    let mut letters = Vec::new();
    for entry in store.list(&dead_letter::prefix(&world.simulator.tenant().id)).await.unwrap() {
        let (letter, _) = store.get(&entry.key).await.unwrap().unwrap();
        letters.push(serde_json::from_slice(&letter).unwrap());
    }
    letters
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_that_are_all_refused_fail_the_run_and_are_not_given_up() {
    // A proxy that refuses, and one that answers with a page of its own.
    for effect in [Effect::status(403), Effect::Spoil(Spoil::Object)] {
        let world = World::with_small_pages().await;
        world.publish_an_hour(4);
        world.simulator.fault(Fault::new(Endpoint::Retrieve, When::Every(1), effect)).unwrap();
        let (mut host, answered) = tick(world.start().await).await;
        assert_eq!(answered.status, 500, "{answered:?}");
        for content_type in ContentType::WITH_LABELS {
            assert!(errors(&host)[0].contains(&format!("{content_type}: none of 4 contents")), "{:?}", errors(&host));
        }
        for _ in 0..10 {
            (host, _) = tick(host).await;
        }
        assert_eq!(world.simulator.report().arrived, 0);
        assert!(letters(&world).await.is_empty(), "nothing is given up");
        world.simulator.clear_faults();
        let (_host, answered) = tick(host).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        world.assert_delivered();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_that_hang_or_fail_hold_up_no_others() {
    let mut world = World::with_small_pages().await;
    world.set("RUN_BUDGET_SECONDS", "16");
    for _ in 0..20 {
        world.simulator.publish(ContentType::Exchange, minutes_ago(50.0), 1, 0);
        world.simulator.publish(ContentType::SharePoint, minutes_ago(49.0), 1, 0);
    }
    for _ in 0..40 {
        world.simulator.publish(ContentType::General, minutes_ago(10.0), 1, 0);
    }
    let hang = Fault::new(Endpoint::Retrieve, When::Every(1), Effect::Delay(600_000)).matching("audit_exchange");
    let fail = Fault::new(Endpoint::Retrieve, When::Every(1), Effect::af("AF50000")).matching("audit_sharepoint");
    world.simulator.fault(hang).unwrap();
    world.simulator.fault(fail).unwrap();
    let mut host = world.start().await;
    for run in 0..3 {
        let (same, answered) = tick(host).await;
        host = same;
        assert_eq!(answered.status, if run == 0 { 500 } else { answered.status }, "two content types serve nothing");
        world.simulator.publish(ContentType::General, minutes_ago(5.0), 3, 0);
    }
    let (host, _) = tick(host).await;
    assert_eq!(world.simulator.report().missing, 40, "General arrived, whatever the others do");
    world.simulator.clear_faults();
    let mut host = host;
    for _ in 0..8 {
        let (same, _) = tick(host).await;
        host = same;
        if world.simulator.report().missing == 0 {
            break;
        }
    }
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_bad_records_stop_no_good_one() {
    let world = World::with_small_pages().await;
    let label = |number: u32| {
        format!(
            r#"{{"Id":"6b9f9c3e-98a2-4f5f-8c0a-1d1e6f6f{number:04}","RecordType":83,"CreationTime":"2026-11-20T10:00:00","Operation":"SensitivityLabelApplied"}}"#
        )
    };
    let records = (0..150).map(|number| number.to_string()).chain((0..30).map(label));
    world.simulator.publish_records(ContentType::General, minutes_ago(20.0), records);
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    assert_eq!(letters(&world).await.len(), 100 + 1, "the first hundred, and the content");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_record_harms_only_itself() {
    let world = World::with_small_pages().await;
    let label = r#"{"Id":"6b9f9c3e-98a2-4f5f-8c0a-1d1e6f6f0001","RecordType":83,"CreationTime":"2026-11-20T10:00:00","Operation":"SensitivityLabelApplied"}"#;
    world.simulator.publish_records(ContentType::General, minutes_ago(20.0), ["17", r#""text""#, label, "[1]", "{]"]);
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert!(answered.logs().concat().contains("4 dead letters"), "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_type_that_cannot_be_listed_stops_no_other_and_fails_the_run() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(4);
    let refused =
        Fault::new(Endpoint::List, When::Every(1), Effect::status(403)).matching("contentType=Audit.Exchange");
    world.simulator.fault(refused).unwrap();
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 500);
    assert!(errors(&host)[0].contains("Audit.Exchange"), "{:?}", errors(&host));
    assert_eq!(world.simulator.report().missing, 4 * 4, "the other two arrived");
    world.simulator.clear_faults();
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_in_the_middle_is_replaced() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(6);
    world.simulator.fault(Fault::new(Endpoint::Retrieve, When::Nth(5), Effect::RevokeTokens)).unwrap();
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_contents_that_fail_at_once_stop_no_others_of_their_content_type() {
    let world = World::with_small_pages().await;
    for number in 0..15 {
        world.simulator.publish(ContentType::General, minutes_ago(50.0 - f64::from(number)), 2, 2);
    }
    // No request is made for them: they fail faster than anything that is new can be listed and read.
    let nowhere = Effect::MalformedUri("https://[".to_owned());
    world.simulator.fault(Fault::new(Endpoint::List, When::Always, nowhere)).unwrap();
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 500, "nothing of the content type could be read");
    world.simulator.clear_faults();
    world.simulator.publish(ContentType::General, minutes_ago(1.5), 5, 5);
    let (host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert!(world.simulator.report().arrived >= 5, "what is new arrives");
    // They were listed again where they are.
    let (_host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
}

/// More bodies hang than are worked on at once, and fewer than are under way. If each held its place for the quarter of the
/// run that it may take, the others would not be read in this run.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_hang_hold_up_no_others() {
    const HANGING: u64 = 20;
    let mut world = World::new(Config::default()).await;
    world.set("RUN_BUDGET_SECONDS", "24");
    for number in 0..50 {
        world.simulator.publish(ContentType::General, minutes_ago(50.0 - f64::from(number) / 2.0), 1, 1);
    }
    let hang = Effect::HangBody { bytes: 100 };
    world.simulator.fault(Fault::new(Endpoint::Retrieve, When::First(HANGING), hang)).unwrap();
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let report = world.simulator.report();
    assert_eq!((report.arrived, report.missing), (50 - HANGING, HANGING), "{report:?}");
}
