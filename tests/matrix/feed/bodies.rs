//! Bodies that are short, slow, hang, or are none.

use labelstream_simulator::{Config, ContentType, Effect, Endpoint, Spoil, When};

use super::{error, missing, publish, publish_an_hour, strike, strike_at, strike_some};
use crate::{case::Case, scene::Scene, world::minutes_ago};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "a listing hangs in its body", 30, |scene| Box::pin(listing_hangs(scene))),
        Case::new("feed", "all contents of one content type hang", 31, |scene| Box::pin(contents_hang(scene))),
        Case::new("feed", "gzip cut short of its length", 32, |scene| {
            Box::pin(spoilt(scene, Effect::Truncate { bytes: 200 }))
        }),
        Case::new("feed", "gzip that ends in its middle", 33, |scene| {
            Box::pin(spoilt(scene, Effect::Spoil(Spoil::CutGzip)))
        }),
        Case::new("feed", "what is no gzip and says it is", 34, |scene| {
            Box::pin(spoilt(scene, Effect::Spoil(Spoil::BadGzip)))
        }),
        Case::new("feed", "JSON that ends in its middle", 35, |scene| {
            Box::pin(spoilt(scene, Effect::Spoil(Spoil::CutJson)))
        }),
        Case::new("feed", "a content without a byte", 36, |scene| Box::pin(spoilt(scene, Effect::Spoil(Spoil::Empty)))),
        Case::new("feed", "a content cut short of its length, not packed", 37, |scene| Box::pin(cut_unpacked(scene))),
        Case::new("feed", "a listing cut short of its length", 38, |scene| Box::pin(cut_listing(scene))),
        Case::new("feed", "bodies that come piece by piece", 39, |scene| Box::pin(slow(scene))),
        Case::new("feed", "a large content breaks off after its first rows went out", 40, |scene| {
            Box::pin(large_content_breaks_off(scene))
        }),
    ]
}

/// Every third content is spoilt once or twice: the run asks again.
async fn spoilt(mut scene: Scene, effect: Effect) -> Scene {
    let published = publish_an_hour(&mut scene);
    strike_some(&mut scene, &published, &effect);
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    scene
}

async fn cut_unpacked(scene: Scene) -> Scene {
    let seed = scene.seed;
    let scene = Scene::with(Config { seed, page_size: 5, gzip_contents: false, ..Config::default() }).await;
    spoilt(scene, Effect::Truncate { bytes: 3_000 }).await
}

async fn cut_listing(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    strike(&scene, Endpoint::List, When::Every(3), Effect::Truncate { bytes: 500 });
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    scene
}

async fn slow(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    let effect = Effect::SlowBody { piece: 300, pause_ms: 30 };
    strike(&scene, Endpoint::Retrieve, When::Always, effect.clone());
    strike(&scene, Endpoint::List, When::Always, effect);
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0);
    scene
}

/// The rows of the first part are on their way, or stored, when the body breaks: the second try sends the others alone.
async fn large_content_breaks_off(scene: Scene) -> Scene {
    let seed = scene.seed;
    let mut scene = Scene::with(Config { seed, gzip_contents: false, ..Config::default() }).await;
    let labels = scene.rng.u32(3_000..4_000);
    scene.world.simulator.publish(ContentType::General, minutes_ago(20.0), labels, 50);
    strike(&scene, Endpoint::Retrieve, When::First(2), Effect::Truncate { bytes: 2_500_000 });
    scene.tick_answering(200).await;
    let report = scene.world.simulator.report();
    assert_eq!((report.missing, report.totals.rows), (0, u64::from(labels)));
    assert!(report.totals.posts > 2, "several batches: {report:?}");
    scene
}

async fn contents_hang(mut scene: Scene) -> Scene {
    scene.world.set("RUN_BUDGET_SECONDS", "16");
    publish_an_hour(&mut scene);
    // More than are read at once.
    for number in 0..20 {
        publish(&mut scene, ContentType::SharePoint, minutes_ago(59.0 - f64::from(number) / 10.0));
    }
    let hangs = Effect::HangBody { bytes: 100 };
    strike_at(&scene, Endpoint::Retrieve, "audit_sharepoint", When::Always, hangs);
    let said = error(&scene.tick().await);
    assert!(said.starts_with("Audit.SharePoint: none of"), "{said}");
    let arrived = |kind: &str| scene.world.simulator.rows().iter().filter(|row| row.get().contains(kind)).count();
    let left = scene.world.simulator.report();
    assert_eq!(left.arrived as usize, arrived("\"Audit.General\"") + arrived("\"Audit.Exchange\""));
    assert!(arrived("\"Audit.General\"") > 0 && arrived("\"Audit.Exchange\"") > 0, "{left:?}");
    scene
}

async fn listing_hangs(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    strike_at(&scene, Endpoint::List, "Audit.General", When::Nth(2), Effect::HangBody { bytes: 1 });
    scene.tick_answering(200).await;
    assert_eq!(missing(&scene), 0, "after 30 s of silence it is asked again");
    scene
}
