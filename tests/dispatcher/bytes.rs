//! The request, byte for byte.

use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};

use crate::{dispatcher::Invocation, host};

fn invocation(text: &str) -> Invocation {
    Invocation {
        function: "FleetPull".to_owned(),
        binding: "work".to_owned(),
        host: "127.0.0.1:46159".to_owned(),
        invocation_id: String::new(),
        rand_guid: String::new(),
        now: OffsetDateTime::UNIX_EPOCH,
        text: text.to_owned(),
        message_id: String::new(),
        dequeue_count: 1,
        receipt: String::new(),
        inserted: OffsetDateTime::UNIX_EPOCH,
        expires: OffsetDateTime::UNIX_EPOCH,
        visible_again: OffsetDateTime::UNIX_EPOCH,
    }
}

#[test]
fn a_message_is_posted_as_a_host_posts_it() {
    let json = Invocation {
        invocation_id: "efc44e73-4944-481c-904c-29f3c6174c41".to_owned(),
        rand_guid: "1ab723f4-47e5-4d8a-ac23-12ef00780b19".to_owned(),
        now: datetime!(2026-11-22 22:42:31.783_310_7 UTC),
        message_id: "9e5b70ae-2894-424b-9468-65c97f600332".to_owned(),
        receipt: "MjJOb3YyMDI2MjI6NDI6MzFkOGRh".to_owned(),
        inserted: datetime!(2026-11-22 22:42:30 UTC),
        expires: datetime!(2026-11-29 22:42:30 UTC),
        visible_again: datetime!(2026-11-22 22:52:31 UTC),
        ..invocation(r#"{"tenantId":"x","n":1}"#)
    };
    let text = Invocation {
        invocation_id: "a401dd4f-e0ab-46af-97d7-4281140bb2f4".to_owned(),
        rand_guid: "ff4afd33-b210-4fc8-9de5-7faffd38526d".to_owned(),
        now: datetime!(2026-11-22 22:42:33.785_297_3 UTC),
        message_id: "1c583c16-4c64-49e3-83b4-617d5fba5e00".to_owned(),
        receipt: "MjJOb3YyMDI2MjI6NDI6MzM3ODg3".to_owned(),
        inserted: datetime!(2026-11-22 22:42:33 UTC),
        expires: datetime!(2026-11-29 22:42:33 UTC),
        visible_again: datetime!(2026-11-22 22:52:33 UTC),
        ..invocation("plain text with \"quotes\" & <tags> äöü €")
    };
    for (sample, made) in [("queue-json.http", json), ("queue-text.http", text)] {
        let (sample, made) = (host::request(sample), made.request());
        assert_eq!(String::from_utf8_lossy(&made), String::from_utf8_lossy(&sample));
    }
}

fn metadata(text: &str) -> Value {
    let request = String::from_utf8(invocation(text).request()).unwrap();
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let body = body.lines().nth(1).unwrap();
    serde_json::from_str::<Value>(body).unwrap()["Metadata"].clone()
}

#[test]
fn properties_are_copied_and_override_the_built_in_ones_in_any_case() {
    let copied = metadata(r#"{"b":true,"o":{"x":[1]},"a":[1],"z":null,"id":"mine","DEQUEUECOUNT":7,"t":"<é>"}"#);
    let (mine, seven) = (json!("\"mine\""), json!("\"7\""));
    assert_eq!((&copied["Id"], &copied["DequeueCount"], copied.get("id")), (&mine, &seven, None));
    assert_eq!((&copied["b"], &copied["t"]), (&json!("\"True\""), &json!("\"<é>\"")));
    assert_eq!(copied["o"], json!(r#""{\"x\":[1]}""#));
    assert_eq!((copied.get("a"), copied.get("z")), (None, None));
    assert_eq!(metadata("[1]").as_object().unwrap().len(), 7, "only an object has properties");
}

#[test]
fn a_long_message_comes_in_pieces_of_a_kibibyte() {
    let request = invocation(&"x".repeat(3_000)).request();
    let (_, body) = std::str::from_utf8(&request).unwrap().split_once("\r\n\r\n").unwrap();
    let sizes: Vec<&str> = body.split("\r\n").step_by(2).take(3).collect();
    assert_eq!((sizes.as_slice(), body.ends_with("\r\n0\r\n\r\n")), (&["400", "400", "400"][..], true));
}
