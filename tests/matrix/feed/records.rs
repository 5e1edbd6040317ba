//! Contents without a record or with very many, and ids that are empty or missing.

use labelstream_simulator::{Answer, ContentType, Effect, Endpoint, ResetAt, When};
use serde_json::{Value, json};

use super::{error, letters, listing_of, missing, publish, publish_an_hour, requests, strike, strike_at};
use crate::{case::Case, scene::Scene, world::minutes_ago};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "a content of 50,000 records, reset in its body", 150, |scene| Box::pin(many(scene))),
        Case::new("feed", "contents without a record", 151, |scene| Box::pin(none(scene))),
        Case::new("feed", "records with an empty or no Id", 152, |scene| Box::pin(without_id(scene))),
        Case::new("feed", "entries of a listing with an empty or no id or address", 153, |scene| {
            Box::pin(nameless(scene))
        }),
    ]
}

async fn many(mut scene: Scene) -> Scene {
    let labels = scene.rng.u32(1_500..2_500);
    scene.world.simulator.publish(ContentType::SharePoint, minutes_ago(20.0), labels, 50_000 - labels);
    strike(&scene, Endpoint::Retrieve, When::First(1), Effect::Reset(ResetAt::InBody));
    let answered = scene.tick_answering(200).await;
    let report = scene.world.simulator.report();
    assert_eq!((report.missing, report.totals.rows), (0, u64::from(labels)), "{answered:?}");
    assert!(answered.logs()[0].starts_with("1 contents read with 50000 records"), "{answered:?}");
    scene
}

async fn none(mut scene: Scene) -> Scene {
    for content_type in ContentType::WITH_LABELS {
        for number in 0..12 {
            let created = minutes_ago(50.0 - 3.0 * f64::from(number));
            scene.world.simulator.publish(content_type, created, 0, 0);
            scene.struck += 1;
        }
    }
    publish(&mut scene, ContentType::General, minutes_ago(30.0));
    scene.tick_answering(200).await;
    assert_eq!((missing(&scene), requests(&scene, Endpoint::Retrieve)), (0, 37));
    scene.tick_answering(200).await;
    assert_eq!(requests(&scene, Endpoint::Retrieve), 37, "an empty content is settled too");
    scene
}

async fn without_id(mut scene: Scene) -> Scene {
    publish_an_hour(&mut scene);
    let operation = "SensitivityLabelApplied";
    let record = |id: Value| {
        let mut record = json!({"RecordType": 83, "CreationTime": "2026-11-20T10:00:00", "Operation": operation});
        if !id.is_null() {
            record["Id"] = id;
        }
        record
    };
    let mut contents = Vec::new();
    let mut expected = 0;
    for number in 0..3 {
        let records: Vec<Value> =
            (0..scene.rng.u32(3..9)).flat_map(|_| [record(Value::Null), record(json!(""))]).collect();
        expected += records.len() as u64;
        let created = minutes_ago(40.0 - f64::from(number));
        contents.push(scene.world.simulator.publish_records(ContentType::General, created, records));
    }
    // Read twice within the run: what has no id is known by its place.
    strike_at(&scene, Endpoint::Retrieve, &contents[1].id, When::First(1), Effect::Reset(ResetAt::InBody));
    scene.tick_answering(200).await;
    let without_id = |scene: &Scene| scene.world.simulator.report().totals.rows_without_id;
    assert_eq!(without_id(&scene), expected, "none is taken for another");
    for content in &contents {
        scene.world.simulator.list_again(&content.id, None, minutes_ago(4.0), true).unwrap();
    }
    scene.tick_answering(200).await;
    assert_eq!(without_id(&scene), expected, "nor sent again with its content");
    scene
}

async fn nameless(mut scene: Scene) -> Scene {
    let published = publish_an_hour(&mut scene);
    let (base, tenant) = (scene.world.simulator.base(), &scene.world.simulator.tenant().id);
    let of = |content_type| published.iter().filter(move |content| content.content_type == content_type);
    let entry = |id: &str| {
        let uri = format!("{base}/api/v1.0/{tenant}/activity/feed/audit/{id}");
        json!({"contentType": "Audit.General", "contentId": id, "contentUri": uri, "contentCreated": "2026-11-20T10:00:00.000Z"})
    };
    let bad = [
        json!({"contentType": "Audit.General", "contentUri": format!("{base}/x"), "contentCreated": "2026-11-20T10:00:00.000Z"}),
        json!({"contentType": "Audit.General", "contentId": "", "contentUri": format!("{base}/y")}),
        json!({"contentType": "Audit.General", "contentId": "a$b", "contentUri": ""}),
        json!({"contentType": "Audit.General", "contentId": "c$d"}),
    ];
    let good = of(ContentType::General).map(|content| entry(&content.id));
    let page: Vec<Value> = bad.iter().cloned().chain(good).collect();
    let body = Value::Array(page).to_string();
    let effect = Effect::Answer(Answer { status: 200, body, ..Answer::default() });
    strike_at(&scene, Endpoint::List, &listing_of(ContentType::General), When::Nth(7), effect);
    let said = error(&scene.tick().await);
    assert!(said.starts_with("Audit.General: 4 entries of the listing name no content"), "{said}");
    assert_eq!(missing(&scene), 0, "those beside them are delivered");
    let kept: Vec<Value> =
        letters(&scene).await.into_iter().map(|letter| serde_json::from_str(&letter.body.unwrap()).unwrap()).collect();
    assert!(kept.len() == 4 && bad.iter().all(|entry| kept.contains(entry)), "kept as they came: {kept:?}");
    scene.dead_letters = 4;
    scene
}
