//! A manual run as the portal asks for it: `POST /admin/functions/TimerPull`. The host answers at once, and makes of the
//! input what the handler gets.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::{
    app::{Trigger, bindings, functions, trigger},
    host::request,
    oracle::{Verdict, judge},
    wire::{self, Connection},
    world::{World, minutes_ago},
};

/// What the host does with a request to its admin endpoint that has its key: the answer's status, and the body for the
/// handler where there is to be a run. The `input` is a text or absent (`FunctionInvocation.cs`).
fn admin(content_type: &str, body: &str) -> (u16, Option<Vec<u8>>) {
    if content_type != "application/json" {
        return (415, None);
    }
    let Ok(Value::Object(invocation)) = serde_json::from_str(body) else { return (400, None) };
    let input = match invocation.get("input") {
        None | Some(Value::Null) => None,
        Some(Value::String(input)) => Some(input),
        Some(_) => return (400, None),
    };
    let (folder, function) =
        functions().into_iter().find(|(folder, _)| trigger(folder) == Some(Trigger::Timer)).unwrap();
    let binding = bindings(&function)[0]["name"].as_str().unwrap();
    // The input is told beside the timer, as JSON within a text, under the name of the binding.
    let mut metadata = json!({"sys": {"MethodName": folder, "UtcNow": "2026-11-22T22:32:44.6534655Z"}});
    if let Some(input) = input {
        metadata[binding] = Value::from(Value::from(input.as_str()).to_string());
    }
    let timer = json!({"Schedule": {"AdjustForDST": true}, "ScheduleStatus": null, "IsPastDue": false});
    (202, Some(json!({"Data": {binding: timer}, "Metadata": metadata}).to_string().into_bytes()))
}

/// The one chunk of a sample's body.
fn body_of(sample: &str) -> Value {
    let text = String::from_utf8(request(sample)).unwrap();
    serde_json::from_str(text.lines().find(|line| line.starts_with('{')).unwrap()).unwrap()
}

#[test]
fn the_fake_host_makes_of_an_input_what_the_real_one_made() {
    let range = r#"{"since":"2026-11-15T00:00:00Z","until":"2026-11-16T00:00:00Z"}"#;
    for (asked, sample) in [
        (json!({}), "manual-no-input.http"),
        (json!({"input": ""}), "manual-empty.http"),
        (json!({"input": "hello"}), "manual-hello.http"),
        (json!({"input": range}), "manual-range.http"),
    ] {
        let (status, made) = admin("application/json", &asked.to_string());
        let made: Value = serde_json::from_slice(&made.unwrap()).unwrap();
        let real = body_of(sample);
        assert_eq!((status, &made["Metadata"]["timer"]), (202, &real["Metadata"]["timer"]), "{sample}");
        assert_eq!(made["Data"]["timer"]["IsPastDue"], real["Data"]["timer"]["IsPastDue"], "{sample}");
    }
    for (content_type, body, status) in [
        ("text/plain", "{}", 415),
        ("application/json", "", 400),
        ("application/json", r#"{"input":{}}"#, 400),
        ("application/json", r#"{"input":7}"#, 400),
    ] {
        assert_eq!(admin(content_type, body), (status, None), "{content_type} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_the_portal_asks_for_is_read_again_and_not_sent_again() {
    let world = World::with_small_pages().await;
    world.publish_an_hour(3);
    let host = world.start().await;
    let mut connection = Connection::open(host.address()).await;
    assert!(matches!(judge(&connection.ask(&request("timer-later.http")).await), Verdict::Succeeded(_)));
    let delivered = world.assert_delivered();
    let input = json!({"since": minutes_ago(120.0).format(&Rfc3339).unwrap()}).to_string();
    let (_, body) = admin("application/json", &json!({"input": input}).to_string());
    let reply = connection.ask(&wire::timer_pull("by-hand", &body.unwrap())).await;
    let Verdict::Succeeded(lines) = judge(&reply) else { panic!("{reply:?}") };
    assert!(lines.concat().contains("9 contents read"), "{lines:?}");
    let again = world.assert_delivered();
    assert_eq!((again.totals.rows, again.totals.posts), (delivered.totals.rows, delivered.totals.posts));
}
