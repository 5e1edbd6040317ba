//! Pages and windows that the feed refuses.

use labelstream_simulator::{ContentType, Effect, Endpoint, When};
use time::Duration;

use super::{error, listing_of, missing, publish_a_week, publish_an_hour, publish_since, requests, strike_at};
use crate::{case::Case, scene::Scene, world::minutes_ago};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "the second page of one window fails for a run, and no other page", 80, |scene| {
            Box::pin(second_page(scene))
        }),
        Case::new("feed", "a next page goes stale in the middle (AF20031)", 81, |scene| Box::pin(stale(scene))),
        Case::new("feed", "every next page is refused for a run (AF20031)", 82, |scene| Box::pin(no_next_page(scene))),
        Case::new("feed", "a window in the midst of the week is refused once (AF20030)", 83, |scene| {
            Box::pin(refused_once(scene))
        }),
        Case::new("feed", "a window in the midst of the week is refused for a run (AF20055)", 84, |scene| {
            Box::pin(refused_for_a_run(scene))
        }),
        Case::new("feed", "the first window is refused at the 7-day edge (AF20055)", 85, |scene| {
            Box::pin(refused_at_the_edge(scene))
        }),
        Case::new("feed", "a listing names its contents twice on a page", 86, |scene| Box::pin(twice_on_a_page(scene))),
    ]
}

async fn second_page(mut scene: Scene) -> Scene {
    let published = publish_since(&mut scene, 58.0, 12..20);
    let of = |content_type| published.iter().filter(move |content| content.content_type == content_type);
    // The next page is known by the last content of the one before.
    let last = of(ContentType::SharePoint).nth(4).unwrap();
    let page = format!("nextPage={:x}-", last.created.unix_timestamp_nanos());
    strike_at(&scene, Endpoint::List, &page, When::Always, Effect::af("AF50000"));
    let said = error(&scene.tick().await);
    assert!(said.starts_with("Audit.SharePoint: listing Audit.SharePoint: the feed failed"), "{said}");
    assert!(!said.contains("Audit.General") && !said.contains("Audit.Exchange"), "{said}");
    let others = of(ContentType::General).count() + of(ContentType::Exchange).count();
    assert_eq!(requests(&scene, Endpoint::Retrieve) as usize, others + 5, "all others, and the first page");
    assert!(missing(&scene) > 0);
    scene
}

async fn stale(mut scene: Scene) -> Scene {
    publish_since(&mut scene, 58.0, 17..25);
    strike_at(&scene, Endpoint::List, "nextPage=", When::First(2), Effect::StaleNextPage);
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0, "the window is listed from its first page again");
    scene
}

async fn no_next_page(mut scene: Scene) -> Scene {
    let published = publish_since(&mut scene, 58.0, 7..15).len() as u64;
    strike_at(&scene, Endpoint::List, "nextPage=", When::Always, Effect::af("AF20031"));
    let said = error(&scene.tick().await);
    assert_eq!(said.matches("the feed does not know this page any more").count(), 3, "{said}");
    // Six windows without a content, and three tries of two pages for the last one.
    assert_eq!(requests(&scene, Endpoint::List), 3 * (6 + 3 * 2));
    assert_eq!(requests(&scene, Endpoint::Retrieve), (3 * 5).min(published), "the first pages are delivered");
    scene
}

async fn refused_once(mut scene: Scene) -> Scene {
    publish_a_week(&mut scene);
    for content_type in ContentType::WITH_LABELS {
        strike_at(&scene, Endpoint::List, &listing_of(content_type), When::Nth(7), Effect::af("AF20030"));
    }
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0, "nothing of the window is passed over");
    scene
}

async fn refused_for_a_run(mut scene: Scene) -> Scene {
    publish_a_week(&mut scene);
    // The windows begin at the same time of the day, one on each day.
    let day = (minutes_ago(0.0) - Duration::days(4)).date();
    let window = format!("{}startTime={day}T", listing_of(ContentType::General));
    strike_at(&scene, Endpoint::List, &window, When::Always, Effect::af("AF20055"));
    let said = error(&scene.tick().await);
    assert!(said.starts_with("Audit.General: listing Audit.General: the feed refuses the window"), "{said}");
    assert!(!said.contains("Audit.SharePoint") && missing(&scene) > 0, "{said}");
    scene
}

async fn refused_at_the_edge(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    for content_type in ContentType::WITH_LABELS {
        // The window begins five minutes after the edge, and is begun a quarter of an hour later.
        scene.world.simulator.publish(content_type, minutes_ago(7.0 * 24.0 * 60.0 - 22.0), 3, 3);
        strike_at(&scene, Endpoint::List, &listing_of(content_type), When::First(1), Effect::af("AF20055"));
    }
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0, "of the day at the edge all is delivered that can be");
    scene
}

async fn twice_on_a_page(mut scene: Scene) -> Scene {
    let published = publish_an_hour(&mut scene).len() as u64;
    strike_at(&scene, Endpoint::List, "", When::Always, Effect::DuplicateListing);
    scene.tick_answering(200).await;
    assert_eq!((missing(&scene), requests(&scene, Endpoint::Retrieve)), (0, published), "each is fetched once");
    scene
}
