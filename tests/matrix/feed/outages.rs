//! The service fails, or what stands before it.

use labelstream_simulator::{Answer, ContentType, Effect, Endpoint, Spoil, When};

use super::{error, missing, publish_an_hour, requests, strike, strike_at, strike_some};
use crate::{case::Case, scene::Scene};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "no content is served for a run (AF50000)", 10, |scene| Box::pin(contents_down(scene))),
        Case::new("feed", "no listing is served for a run (AF50000)", 11, |scene| Box::pin(listings_down(scene))),
        Case::new("feed", "AF50000 for a fifth of the requests", 12, |scene| Box::pin(now_and_then(scene))),
        Case::new("feed", "503 and 502 with a gateway's page", 13, |scene| Box::pin(gateway(scene))),
        Case::new("feed", "504 for all contents of one content type", 14, |scene| Box::pin(one_content_type(scene))),
        Case::new("feed", "a gateway's page with status 200", 15, |scene| Box::pin(page_as_success(scene))),
        Case::new("feed", "an error in place of a listing, with status 200", 16, |scene| {
            Box::pin(error_as_success(scene))
        }),
    ]
}

async fn contents_down(mut scene: Scene) -> Scene {
    scene.world.set("RUN_BUDGET_SECONDS", "40");
    let contents = publish_an_hour(&mut scene).len() as u64;
    strike(&scene, Endpoint::Retrieve, When::Always, Effect::af("AF50000"));
    let said = error(&scene.tick().await);
    assert_eq!(said.matches("none of").count(), 3, "{said}");
    assert_eq!(scene.world.simulator.report().arrived, 0);
    assert!(requests(&scene, Endpoint::Retrieve) <= contents * 15, "5 tries of a call, 3 of a content");
    scene
}

async fn listings_down(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    strike(&scene, Endpoint::List, When::Always, Effect::af("AF50000"));
    let said = error(&scene.tick().await);
    for content_type in ContentType::WITH_LABELS {
        let expected = format!("{content_type}: listing {content_type}: the feed failed (HTTP 500, AF50000");
        assert!(said.contains(&expected), "{said}");
    }
    assert_eq!(requests(&scene, Endpoint::List), 3 * 5, "5 tries for each content type, and no window is passed over");
    scene
}

async fn now_and_then(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    let share = |seed| When::Share { share: 0.2, seed };
    strike(&scene, Endpoint::List, share(scene.seed), Effect::af("AF50000"));
    strike(&scene, Endpoint::Retrieve, share(scene.seed + 1), Effect::af("AF50000"));
    scene.tick_answering(200).await;
    scene
}

fn page(status: u16) -> Effect {
    let body = "<html><head><title>Bad Gateway</title></head><body><h1>Try later</h1></body></html>".to_owned();
    let headers = vec![("Content-Type".to_owned(), "text/html".to_owned())];
    Effect::Answer(Answer { status, headers, body, ..Answer::default() })
}

async fn gateway(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    strike(&scene, Endpoint::List, When::Every(4), page(503));
    strike(&scene, Endpoint::Retrieve, When::Every(3), page(502));
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    scene
}

async fn one_content_type(mut scene: Scene) -> Scene {
    scene.world.set("RUN_BUDGET_SECONDS", "20");
    publish_an_hour(&mut scene);
    strike_at(&scene, Endpoint::Retrieve, "audit_exchange", When::Always, page(504));
    let said = error(&scene.tick().await);
    assert!(said.starts_with("Audit.Exchange: none of") && !said.contains("Audit.General"), "{said}");
    let left = scene.world.simulator.report();
    assert!(left.missing > 0 && left.arrived > left.missing, "the other two arrived: {left:?}");
    let arrived = |kind: &str| scene.world.simulator.rows().iter().any(|row| row.get().contains(kind));
    assert!(arrived("\"Audit.General\"") && arrived("\"Audit.SharePoint\"") && !arrived("\"Audit.Exchange\""));
    scene
}

async fn page_as_success(mut scene: Scene) -> Scene {
    let published = publish_an_hour(&mut scene);
    strike(&scene, Endpoint::List, When::Every(4), page(200));
    strike_some(&mut scene, &published, &Effect::Spoil(Spoil::Html));
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    scene
}

async fn error_as_success(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    let body = r#"{"error":{"code":"AF50000","message":"An internal error occurred. Retry the request."}}"#.to_owned();
    strike(&scene, Endpoint::List, When::Every(4), Effect::Answer(Answer { status: 200, body, ..Answer::default() }));
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    scene
}
