//! `connect` and `disconnect`.

use labelstream_simulator::{Config, Effect, Endpoint, Fault, RetryAfter, When};

use crate::shell::Shell;

#[tokio::test(flavor = "multi_thread")]
async fn connect_starts_what_is_missing_and_leaves_the_rest() {
    let shell = Shell::of(Config { strict_start_interval: true, ..Config::default() }).await;
    let (status, lines, said) = shell.run(&["connect"]).await;
    assert_eq!((status, said.as_str()), (0, ""));
    assert_eq!(lines, "Audit.General: started\nAudit.SharePoint: started\nAudit.Exchange: started\n");
    let (status, lines, _) = shell.run(&["connect"]).await;
    assert_eq!((status, lines.matches("enabled already").count()), (0, 3));
    assert_eq!(shell.asked(Endpoint::Start), 3, "the service wants 15 minutes between two starts");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_started_keeps_no_other_from_it() {
    let shell = Shell::of(Config::default()).await;
    let throttled = Fault::new(Endpoint::Start, When::Always, Effect::throttled(RetryAfter::Seconds(600)));
    shell.simulator.fault(throttled.matching("Audit.SharePoint")).unwrap();
    let (status, lines, said) = shell.run(&["connect"]).await;
    assert_eq!(status, 1);
    assert_eq!(lines, "Audit.General: started\nAudit.SharePoint: not started\nAudit.Exchange: started\n");
    assert!(
        said.starts_with("failed: starting the subscription of Audit.SharePoint") && said.contains("15 minutes"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_without_the_permission_is_told_so() {
    let shell = Shell::of(Config { feed_roles: Vec::new(), ..Config::default() }).await;
    for arguments in [&["connect"][..], &["disconnect", "--yes"]] {
        let (status, _, said) = shell.run(arguments).await;
        assert_eq!(status, 1);
        assert!(
            said.contains("AF10001") && said.contains("Grant the application permission ActivityFeed.Read"),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnect_wants_a_yes() {
    let shell = Shell::with_contents(1).await;
    let (status, _, said) = shell.run(&["disconnect"]).await;
    assert_eq!(status, 2);
    assert!(said.contains("--yes"), "{said}");
    for typed in ["n\n", "\n", "yess\n"] {
        let (status, screen) = shell.on_a_terminal("disconnect", typed).await;
        assert_eq!(status, 1, "{screen}");
        for part in ["can never be read", "stop the function app first", "Stop them? [y/N]", "Nothing was stopped."] {
            assert!(screen.contains(part), "{part}: {screen}");
        }
    }
    assert_eq!(shell.asked(Endpoint::Stop), 0);
    let (status, screen) = shell.on_a_terminal("disconnect", "y\n").await;
    assert_eq!((status, screen.matches(": stopped").count()), (0, 3), "{screen}");
    assert_eq!(shell.asked(Endpoint::Stop), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnect_with_yes_stops_once_and_again_is_no_failure() {
    let shell = Shell::with_contents(1).await;
    for _ in 0..2 {
        let (status, lines, said) = shell.run(&["disconnect", "--yes"]).await;
        assert_eq!((status, said.as_str()), (0, ""));
        assert_eq!(lines, "Audit.General: stopped\nAudit.SharePoint: stopped\nAudit.Exchange: stopped\n");
    }
    let (_, text, _) = {
        std::fs::create_dir(shell.folder.path().join("state")).unwrap();
        shell.run(&["status", "--state", "state"]).await
    };
    assert_eq!(text.matches("has no subscription: nothing is listed. `labelstream connect`").count(), 3, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_types_of_the_settings_are_meant() {
    let mut shell = Shell::of(Config::default()).await;
    shell.settings.push(("CONTENT_TYPES", "Audit.Exchange".to_owned()));
    assert_eq!(shell.run(&["connect"]).await.1, "Audit.Exchange: started\n");
    assert_eq!(shell.run(&["disconnect", "--yes"]).await.1, "Audit.Exchange: stopped\n");
}
