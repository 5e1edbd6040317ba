//! The page of the status in a real browser: a headless Chromium asks for it as through the Functions host. With
//! `STATUS_SCREENSHOTS` set to a folder, the pictures of the documentation are put there (`./scripts/screenshots`).
//!
//! Where no browser is installed its tests are shown as ignored, with the reason. With `STATUS_BROWSER=required` that
//! fails, so that CI does not pass for want of one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

#[path = "support/browser.rs"]
#[expect(dead_code, reason = "the tests of the report use the rest")]
mod browser;
#[path = "status_page/connectors.rs"]
mod connectors;
#[path = "status_page/front.rs"]
mod front;
#[path = "handler/oracle.rs"]
mod oracle;
#[path = "handler/wire.rs"]
#[expect(dead_code, reason = "the tests of the handler use the rest")]
mod wire;

use std::{env, path::PathBuf, process::ExitCode};

use browser::Browser;
use front::Front;
use labelstream::health::Health;
use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let Ok(browser) = Browser::find_or_tell("the page of the status") else { return ExitCode::FAILURE };
    let trial = |name: &str, test: fn(&Browser)| Browser::trial(browser.as_ref(), name, test);
    let trials = vec![
        trial("a_healthy_connector_is_shown_as_one", |browser| {
            shown(
                browser,
                connectors::healthy(),
                "status-healthy.png",
                &["Healthy", "Audit.General", "Done", "enabled"],
            );
        }),
        trial("a_lagging_connector_says_what_is_wrong", |browser| {
            let problem = "Audit.Exchange lags 3 h 20 min behind";
            shown(browser, connectors::lagging(), "status-lagging.png", &["Needs attention", problem, "Unfinished"]);
        }),
        trial("texts_of_others_are_shown_and_not_carried_out", |browser| {
            let text = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">";
            let dom = shown(browser, connectors::with_text(text), "", &["&lt;script&gt;", "&lt;img src=x"]);
            assert!(!dom.contains("taken</title>"), "{dom}");
        }),
        trial("the_browser_would_tell_of_a_style_that_its_policy_forbids", |browser| {
            let front = Front::start(connectors::healthy(), Some("default-src 'none'"));
            let shown = browser.show(&front.address());
            assert!(shown.complaints.iter().any(|line| line.contains("Content Security Policy")), "{shown:?}");
            drop(front);
        }),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Shows the page of `health` and looks for `texts` in what the browser made of it. Returns that.
fn shown(browser: &Browser, health: Health, picture: &str, texts: &[&str]) -> String {
    let front = Front::start(health, None);
    let shown = browser.show(&front.address());
    assert_eq!(shown.complaints, [""; 0], "the browser complains");
    for text in texts {
        assert!(shown.dom.contains(text), "{text} is not in {}", shown.dom);
    }
    if let Some(folder) = env::var_os("STATUS_SCREENSHOTS").map(PathBuf::from)
        && !picture.is_empty()
    {
        browser.picture(&front.address(), &folder.join(picture), 1_000, 150_000, false);
    }
    // The page, and nothing that it would have the browser load: only an icon is asked for unbidden.
    let asked = front.asked();
    assert!(asked.iter().all(|path| path.starts_with("/api/status") || path == "/favicon.ico"), "{asked:?}");
    shown.dom
}
