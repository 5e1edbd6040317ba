use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const NOON: OffsetDateTime = datetime!(2026-11-22 12:00:00.123456789 UTC);

/// A stream kept in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Memory {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// What goes to stdout and to stderr while `speak` runs.
fn heard(filter: Option<&str>, speak: impl FnOnce()) -> (String, String) {
    let (out, err) = (Memory::default(), Memory::default());
    tracing::subscriber::with_default(subscriber(filter, out.clone(), err.clone()), speak);
    (out.text(), err.text())
}

#[test]
fn levels_go_to_the_stream_that_the_host_reads_them_from() {
    let (out, err) = heard(Some("trace"), || {
        tracing::trace!("one");
        tracing::debug!("two");
        tracing::info!("three");
        tracing::warn!("four");
        tracing::error!("five");
    });
    let levels =
        |text: &str| -> Vec<String> { text.lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect() };
    assert_eq!(levels(&out), ["TRACE", "DEBUG", "INFO"]);
    assert_eq!(levels(&err), ["WARN", "ERROR"]);
}

#[test]
fn every_line_of_a_run_names_its_invocation() {
    for filter in [None, Some("error"), Some("debug")] {
        let (_, err) = heard(filter, || {
            let _run = run_span("4ef44436").entered();
            let _content = tracing::info_span!("content", id = 7).entered();
            tracing::error!(status = 500, "refused");
        });
        assert!(err.contains(" ERROR run{invocation_id=4ef44436} "), "{filter:?}: {err}");
        assert!(err.ends_with("labelstream::telemetry::tests: refused status=500\n"), "{err}");
    }
}

#[test]
fn libraries_are_quiet_unless_they_are_asked_for() {
    let speak = || {
        tracing::info!(target: "hyper_util::client", "chatter");
        tracing::debug!(target: "azure_core::http", "chatter");
        tracing::warn!(target: "azure_identity", "token refused");
        tracing::debug!(target: "labelstream::feed", "listed");
    };
    let (out, err) = heard(None, speak);
    assert_eq!((out.as_str(), err.lines().count()), ("", 1));
    let (out, _) = heard(Some("debug"), speak);
    assert!(out.contains("listed") && !out.contains("chatter"), "{out}");
    let (out, _) = heard(Some("hyper=info"), speak);
    assert!(out.contains("hyper_util::client: chatter") && !out.contains("listed"), "{out}");
}

#[test]
fn an_empty_filter_is_the_default_and_a_bad_one_is_told() {
    assert_eq!(parse(Some("  ")).unwrap().to_string(), parse(None).unwrap().to_string());
    assert!(parse(Some("labelstream=loud")).is_err());
    let (out, _) = heard(Some("labelstream=loud"), || tracing::info!("still here"));
    assert!(out.contains("still here"));
}

#[test]
fn a_line_has_the_time_in_milliseconds_and_no_second_line() {
    assert_eq!(
        line(NOON, Level::INFO, "a\r\nb\tc \u{1b}[31mred\u{2028}ü"),
        "2026-11-22T12:00:00.123Z INFO a\\r\\nb\\tc \\u{1b}[31mred\\u{2028}ü\n"
    );
}

#[test]
fn an_error_never_reads_as_a_warning() {
    assert_eq!(mask_warn("Warning: forWARNed, warnwarn"), "W-arning: forW-ARNed, w-arnw-arn");
    let (_, err) = heard(None, || {
        let _run = run_span("warn").entered();
        tracing::error!(target: "labelstream::warn", header = "Warning", "WARN");
    });
    assert!(!err.to_lowercase().contains("warn"), "{err}");
}

proptest! {
    #[test]
    fn any_text_is_one_line_of_its_level(text in any::<String>(), error in any::<bool>()) {
        let level = if error { Level::ERROR } else { Level::WARN };
        let line = line(NOON, level, &text);
        prop_assert_eq!(line.lines().count(), 1);
        prop_assert!(line.ends_with('\n') && !line.trim_end_matches('\n').contains(char::is_control));
        prop_assert_eq!(line.to_lowercase().contains("warn"), !error);
        prop_assert!(!line.starts_with("LanguageWorkerConsoleLog"));
    }

    #[test]
    fn masking_takes_nothing_away(text in "[warnWARN \\-ü]{0,40}") {
        let masked = mask_warn(&text);
        let letters = |text: &str| text.replace('-', "");
        prop_assert_eq!(letters(&masked), letters(&text));
        prop_assert!(!masked.to_lowercase().contains("warn"));
    }
}
