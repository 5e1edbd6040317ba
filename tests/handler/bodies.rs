//! Bodies of a timer's requests that no sample shows: what the host is known to send, and what it is not.

use labelstream::handler::{Range, Trigger};
use serde_json::{Value, json};
use time::macros::datetime;

/// Each with its name, which is the invocation id in the tests, and the run that it asks for.
pub fn variants() -> Vec<(&'static str, Vec<u8>, Trigger)> {
    let timer = |status: Value, metadata: Value| {
        let schedule = json!({"AdjustForDST": true});
        let timer = json!({"Schedule": schedule, "ScheduleStatus": status, "IsPastDue": false});
        json!({"Data": {"timer": timer}, "Metadata": metadata}).to_string().into_bytes()
    };
    let status = |last: &str| json!({"Last": last, "Next": "2026-11-22T19:05:00+00:00", "LastUpdated": last});
    let sys = || json!({"sys": {"MethodName": "TimerPull", "UtcNow": "2026-11-22T19:05:00.004275Z"}});
    let input = |text: &str| json!({"timer": Value::from(text).to_string()});
    let timer_run = Trigger::default;
    let manual = || Trigger { manual: true, ..Trigger::default() };
    let since = Range { since: Some(datetime!(2026-11-15 0:00 UTC)), until: None };
    vec![
        ("first run", timer(status("0001-01-01T00:00:00+00:00"), sys()), timer_run()),
        ("first run without offset", timer(status("0001-01-01T00:00:00"), sys()), timer_run()),
        ("local time without offset", timer(status("2026-01-01T01:00:00"), sys()), timer_run()),
        ("seven digits of a second", timer(status("2026-11-22T19:00:00.0155123+00:00"), sys()), timer_run()),
        ("no status", timer(Value::Null, sys()), timer_run()),
        ("empty metadata", timer(Value::Null, json!({})), timer_run()),
        (
            "first try under a retry policy",
            timer(Value::Null, json!({"RetryContext": {"RetryCount": 0, "Exception": null, "State": {}}})),
            timer_run(),
        ),
        (
            "unknown fields",
            br#"{"Data":{"timer":{"New":[1]},"x":{}},"Metadata":{"y":"z"},"More":1}"#.to_vec(),
            timer_run(),
        ),
        ("fields of other types", br#"{"Data":{"timer":{"IsPastDue":"no"}},"Metadata":[]}"#.to_vec(), timer_run()),
        ("empty object", b"{}".to_vec(), timer_run()),
        ("manual with a text", timer(Value::Null, input("test")), manual()),
        ("manual with an empty object", timer(Value::Null, input("{}")), manual()),
        ("manual with a misspelt key", timer(Value::Null, input(r#"{"untill": "2026-11-15"}"#)), manual()),
        (
            "manual with an open range",
            timer(Value::Null, input(r#"{"since": "2026-11-15T00:00:00Z"}"#)),
            Trigger { range: Some(since), ..manual() },
        ),
        ("no body", Vec::new(), timer_run()),
        ("half a body", br#"{"Data":{"ti"#.to_vec(), timer_run()),
        ("an array", b"[]".to_vec(), timer_run()),
        ("bytes", vec![0xff; 3000], timer_run()),
    ]
}
