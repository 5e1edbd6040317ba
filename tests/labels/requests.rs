//! How often Graph is asked.

use labelstream::labels::PAUSE_AFTER_FAILURE;
use labelstream_simulator::{Config, Effect, Endpoint, When};

use crate::shell::{A_DAY, Shell, changed};

/// An id that is no label's of the tenant.
fn foreign(number: u32) -> String {
    format!("abcdef00-0000-4000-8000-{number:012}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connector_asks_graph_once_a_day() {
    let shell = Shell::of(Config::default()).await;
    for day in 1..=3 {
        for _ in 0..3 {
            shell.pull().await.ok();
        }
        assert_eq!(shell.asked(Endpoint::Labels), day, "on day {day}");
        shell.age(A_DAY).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_no_label_is_asked_for_once() {
    let shell = Shell::of(Config::default()).await;
    shell.pull().await.ok();
    assert_eq!(shell.asked(Endpoint::Labels), 1);
    for run in 0..3 {
        // Each run has one that is new to it, and those of the runs before.
        let ids: Vec<_> =
            (0..=run).map(|number| changed(&format!("{run}-{number}"), &foreign(number), &foreign(0))).collect();
        shell.publish(ids);
        shell.pull().await.ok();
        assert_eq!(shell.asked(Endpoint::Labels), u64::from(run) + 2);
        // Known to be none by now.
        shell.publish([changed(&format!("{run}-again"), &foreign(0), &foreign(run))]);
        shell.pull().await.ok();
        assert_eq!(shell.asked(Endpoint::Labels), u64::from(run) + 2);
    }
    assert_eq!(shell.stored().await.unwrap().in_vain, [foreign(0), foreign(1), foreign(2)]);
    // Many at once, in several contents: one request, and all of them are remembered.
    for number in 10..30 {
        shell.publish([changed(&format!("many-{number}"), &foreign(number), "no GUID at all")]);
    }
    shell.pull().await.ok();
    shell.publish((10..30).map(|number| changed(&format!("more-{number}"), &foreign(number), "")));
    shell.pull().await.ok();
    assert_eq!(shell.asked(Endpoint::Labels), 5);
    // A day later they are not asked for one by one.
    shell.age(A_DAY).await;
    shell.publish([changed("day", &foreign(10), &foreign(11))]);
    shell.pull().await.ok();
    shell.pull().await.ok();
    assert_eq!(shell.asked(Endpoint::Labels), 6);
    assert!(shell.simulator.report().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_is_left_alone_for_an_hour_after_it_failed() {
    let shell = Shell::new().await;
    shell.fault(Endpoint::Labels, When::Always, Effect::status(403));
    for run in 0..3 {
        shell.publish([changed(&format!("run-{run}"), &foreign(run), "")]);
        let ran = shell.pull().await.ok();
        assert_eq!(ran.warned("label names are missing").len(), 1, "{}", ran.said);
    }
    assert_eq!(shell.asked(Endpoint::Labels), 1, "by other processes too");
    shell.simulator.clear_faults();
    shell.age(PAUSE_AFTER_FAILURE).await;
    let ran = shell.pull().await.ok();
    assert_eq!((shell.asked(Endpoint::Labels), ran.lines("label names are").len()), (2, 0), "{}", ran.said);
}
