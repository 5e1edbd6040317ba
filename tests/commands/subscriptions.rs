//! `connect` and `disconnect`.

use labelstream_simulator::{Answer, Config, ContentType, Effect, Endpoint, Fault, RetryAfter, Spoil, When};
use time::{Duration, OffsetDateTime};

use crate::{azurite, shell::Shell};

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

/// The service's own answer to a second start within 15 minutes, and a gateway's to too many requests: nobody waits for
/// either at a shell.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_started_keeps_no_other_from_it() {
    let too_soon = Answer {
        status: 403,
        body: r#"{"error":{"code":"429","message":"Too many frequent subscription start requests. Please retry again after 14m 56s"}}"#.to_owned(),
        ..Answer::default()
    };
    for (effect, why) in [
        (Effect::Answer(too_soon), "A subscription is started no more often than every 15 minutes"),
        (Effect::throttled(RetryAfter::Seconds(600)), "the feed asks for fewer requests"),
    ] {
        let shell = Shell::of(Config::default()).await;
        shell.simulator.fault(Fault::new(Endpoint::Start, When::Always, effect).matching("Audit.SharePoint")).unwrap();
        let (status, lines, said) = shell.run(&["connect"]).await;
        assert_eq!(status, 1);
        assert_eq!(lines, "Audit.General: started\nAudit.SharePoint: not started\nAudit.Exchange: started\n");
        assert!(
            said.starts_with("failed: starting the subscription of Audit.SharePoint") && said.contains(why),
            "{said}"
        );
    }
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
        for part in ["Lost for good is", "stop the function app first", "Stop them? [y/N]", "Nothing was stopped."] {
            assert!(screen.contains(part), "{part}: {screen}");
        }
    }
    assert_eq!(shell.asked(Endpoint::Stop), 0);
    let (status, screen) = shell.on_a_terminal("disconnect", "y\n").await;
    assert_eq!((status, screen.matches(": stopped").count()), (0, 3), "{screen}");
    assert_eq!(shell.asked(Endpoint::Stop), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnect_with_yes_says_what_is_lost_and_again_is_no_failure() {
    let shell = Shell::with_contents(1).await;
    let (status, lines, said) = shell.run(&["disconnect", "--yes"]).await;
    assert_eq!(status, 0, "{said}");
    assert_eq!(lines, "Audit.General: stopped\nAudit.SharePoint: stopped\nAudit.Exchange: stopped\n");
    for part in ["Lost for good", "cannot be told without the state: give --state DIR", "stop the function app first"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (status, lines, said) = shell.run(&["disconnect", "--yes"]).await;
    assert_eq!((status, said.as_str()), (0, ""), "nothing is lost any more");
    assert_eq!(lines.matches(": was not enabled").count(), 3);
    assert_eq!(shell.asked(Endpoint::Stop), 3);
    std::fs::create_dir(shell.folder.path().join("state")).unwrap();
    let (_, text, _) = shell.run(&["status", "--state", "state"]).await;
    assert_eq!(text.matches("has no subscription: nothing is listed. `labelstream connect`").count(), 3, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnect_says_how_far_each_content_type_was_delivered() {
    let mut shell = Shell::with_contents(2).await;
    let created = OffsetDateTime::now_utc() - Duration::minutes(50);
    let bad = shell.simulator.publish(ContentType::General, created, 1, 0);
    let spoil = Fault::new(Endpoint::Retrieve, When::Always, Effect::Spoil(Spoil::Object)).matching(&*bad.id);
    shell.simulator.fault(spoil).unwrap();
    shell.settings.push(("CONTENT_TYPES", "Audit.General,Audit.SharePoint".to_owned()));
    assert_eq!(shell.run(&["pull", "--state", "state"]).await.0, 0);
    shell.settings[0].1.push_str(",Audit.Exchange");
    let (status, screen) = shell.on_a_terminal("disconnect --state state", "n\n").await;
    assert_eq!(status, 1, "{screen}");
    for part in [
        "Not delivered yet:",
        "  Audit.General     what was published since 20",
        "; 1 content to be tried again, the oldest of 20",
        "  Audit.SharePoint  what was published since 20",
        "  Audit.Exchange    all of the last 7 days: it was never listed",
    ] {
        assert!(screen.contains(part), "{part}\n{screen}");
    }
    let (status, _, said) = shell.run(&["disconnect", "--yes", "--state", "nowhere"]).await;
    assert_eq!((status, said.contains("there is no folder nowhere")), (2, true), "{said}");
    assert_eq!(shell.asked(Endpoint::Stop), 0);
}

/// The subscriptions can be stopped while the storage is away: what is not known is said.
#[tokio::test(flavor = "multi_thread")]
async fn disconnect_does_not_need_the_state() {
    let mut shell = Shell::with_contents(1).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let account = azurite::connection_string(nobody, azurite::KEY);
    shell.settings = vec![("AzureWebJobsStorage", account), ("CONTENT_TYPES", "Audit.General".to_owned())];
    let (status, lines, said) = shell.run(&["disconnect", "--yes"]).await;
    assert_eq!((status, lines.as_str()), (0, "Audit.General: stopped\n"), "{said}");
    assert!(said.contains("How much that is cannot be told: state: ") && !said.contains(azurite::KEY), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_types_of_the_settings_are_meant() {
    let mut shell = Shell::of(Config::default()).await;
    shell.settings.push(("CONTENT_TYPES", "Audit.Exchange".to_owned()));
    assert_eq!(shell.run(&["connect"]).await.1, "Audit.Exchange: started\n");
    assert_eq!(shell.run(&["disconnect", "--yes"]).await.1, "Audit.Exchange: stopped\n");
}
