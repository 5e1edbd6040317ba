//! Graph failing in every way: rows arrive all the same, and it is said once that names are missing or old, and why.

use futures_util::{StreamExt as _, stream};
use labelstream_simulator::{Answer, Effect, Endpoint, Fault, ResetAt, RetryAfter, When};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::{
    share::Share,
    shell::{A_DAY, Ran, Shell},
};

/// What Graph does, and the words by which it is told. `None`: the identity gives no token for it.
type Case = (&'static str, Option<Effect>, &'static [&'static str]);

fn answer(status: u16, body: &str) -> Effect {
    Effect::Answer(Answer { status, body: body.to_owned(), ..Answer::default() })
}

fn redirect() -> Effect {
    let headers = vec![("Location".to_owned(), "http://127.0.0.1:9/v1.0/labels".to_owned())];
    Effect::Answer(Answer { status: 302, headers, ..Answer::default() })
}

fn cases() -> Vec<Case> {
    let refused = r#"{"error":{"code":"accessDenied","message":"The caller lacks the permission."}}"#;
    let half = r#"{"value":[{"id":"11111111-1111-4111-8111-111111111111","name":"Half"}"#;
    vec![
        (
            "403",
            Some(answer(403, refused)),
            &["refuses them (HTTP 403 accessDenied The caller lacks", "grant-feed-access"],
        ),
        ("401, also with a new token", Some(answer(401, "")), &["refuses them (HTTP 401)", "grant-feed-access"]),
        ("404", Some(Effect::status(404)), &["does not serve them here (HTTP 404)", "M365_CLOUD", "map"]),
        ("429 without Retry-After", Some(Effect::status(429)), &["asks for fewer requests (HTTP 429)"]),
        (
            "429 with a long Retry-After",
            Some(Effect::throttled(RetryAfter::Seconds(600))),
            &["(HTTP 429 TooManyRequests"],
        ),
        ("429 with a date", Some(Effect::throttled(RetryAfter::DateIn(600))), &["(HTTP 429 TooManyRequests"]),
        ("500", Some(answer(500, "<h1>broken</h1>")), &["Microsoft Graph fails (HTTP 500);"]),
        ("503", Some(Effect::status(503)), &["Microsoft Graph fails (HTTP 503);"]),
        ("no answer", Some(Effect::Delay(60_000)), &["gave no answer within 2 s"]),
        ("a body that hangs", Some(Effect::HangBody { bytes: 100 }), &["gave no answer within 2 s"]),
        ("reset before", Some(Effect::Reset(ResetAt::Before)), &["could not be reached: "]),
        ("reset in the body", Some(Effect::Reset(ResetAt::InBody)), &["broke off: "]),
        ("truncated", Some(Effect::Truncate { bytes: 500 }), &["broke off: "]),
        ("cut JSON", Some(answer(200, half)), &["is no list of labels: it is no JSON (EOF"]),
        ("another JSON", Some(answer(200, r#"{"labels":[]}"#)), &["is no list of labels: it has no array `value`"]),
        ("labels without names", Some(answer(200, r#"{"value":[{"id":"x"},7]}"#)), &["none of its 2 entries has"]),
        ("HTML", Some(answer(200, "<html>Sign in</html>")), &["is no list of labels: it is no JSON (expected"]),
        ("nothing", Some(answer(200, "")), &["is no list of labels: it is no JSON (EOF"]),
        ("204", Some(Effect::status(204)), &["does not serve them here (HTTP 204)"]),
        ("an empty list", Some(answer(200, r#"{"value":[]}"#)), &["lists no label at all", "grant-feed-access"]),
        ("too much", Some(answer(200, &" ".repeat(5 << 20))), &["is larger than 4194304 bytes"]),
        ("a redirect", Some(redirect()), &["does not serve them here (HTTP 302)"]),
        (
            "a next page elsewhere",
            Some(Effect::ForeignPage("http://127.0.0.1:9".to_owned())),
            &["at http://127.0.0.1:9, and no token"],
        ),
        ("no token", None, &["no token for https://graph.microsoft.com", "labelstream doctor"]),
    ]
}

fn switch_on(shell: &Shell, effect: Option<Effect>) {
    let fault = match effect {
        Some(effect) => Fault::new(Endpoint::Labels, When::Always, effect),
        None => {
            let refusal = answer(400, r#"{"error":"invalid_request","error_description":"no such identity"}"#);
            Fault::new(Endpoint::ManagedIdentity, When::Always, refusal).matching("graph.microsoft.com")
        }
    };
    shell.simulator.fault(fault).unwrap();
}

/// What was said once, wherever people look; no token is in any of it.
#[track_caller]
fn assert_told(name: &str, shell: &Shell, ran: &Ran, status: &Value, begins: &str, words: &[&str]) {
    let warned = ran.warned(begins);
    assert_eq!(warned.len(), 1, "{name}: {}", ran.said);
    let noted = status["notes"].to_string();
    let row: Value = serde_json::from_str(shell.simulator.heartbeats().last().unwrap().row.get()).unwrap();
    let told = row["CatalogueTrouble"].as_str().unwrap();
    for word in words {
        assert!(warned[0].contains(word) && told.contains(word), "{name}: {word}: {warned:?} {told}");
    }
    assert!(noted.contains(begins) && status["healthy"] == true, "{name}: {status:#}");
    assert_eq!(ran.lines("label names are").len(), 2, "{name}: the warning, and the figures of the run: {}", ran.said);
    assert!(!ran.said.contains("eyJ") && !told.contains("eyJ"), "{name}: a token is in {}", ran.said);
}

async fn never_listed((name, effect, words): Case) -> String {
    let shell = Shell::new().await;
    switch_on(&shell, effect);
    let ran = shell.pull().await;
    assert_eq!(ran.status, 0, "{name}: {}", ran.said);
    let report = shell.simulator.report();
    assert!(report.is_clean() && report.surplus_rows == 0, "{name}: {report:#?}");
    let status = shell.run(&["status", "--state", "state", "--offline", "--json"]).await.ok().json();
    assert_told(name, &shell, &ran, &status, "label names are missing", words);
    assert!(shell.rows().iter().all(|row| row.get("SensitivityLabelName").is_none()), "{name}");
    assert_eq!(shell.stored().await.unwrap().catalogue.len(), 0, "{name}");
    format!("{name:30} {} rows, none with a name: {}", report.arrived, words[0])
}

async fn listed_before((name, effect, words): Case) -> String {
    let shell = Shell::new().await;
    shell.pull().await.ok();
    shell.age(A_DAY).await;
    switch_on(&shell, effect);
    shell.simulator.publish_every_kind(OffsetDateTime::now_utc() - Duration::minutes(20));
    let ran = shell.pull().await;
    assert_eq!(ran.status, 0, "{name}: {}", ran.said);
    let report = shell.simulator.report();
    assert!(report.is_clean() && report.surplus_rows == 0, "{name}: {report:#?}");
    let status = shell.run(&["status", "--state", "state", "--offline", "--json"]).await.ok().json();
    assert_told(name, &shell, &ran, &status, "label names are as they were at 2", words);
    let share = Share::of(&shell.simulator, &shell.rows());
    assert!(share.rows > 30 && share.named == share.rows, "{name}: stale is better than none: {share:?}");
    format!("{name:30} {} rows, those with a label of yesterday's list named: {}", report.arrived, share.named)
}

/// Run with `--nocapture` for the table.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_graph_does_rows_arrive_without_names() {
    let mut told = stream::iter(cases()).map(never_listed).buffered(6);
    while let Some(line) = told.next().await {
        println!("{line}");
    }
}

/// Run with `--nocapture` for the table.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_graph_does_rows_have_the_names_that_were_known() {
    let mut told = stream::iter(cases()).map(listed_before).buffered(6);
    while let Some(line) = told.next().await {
        println!("{line}");
    }
}
