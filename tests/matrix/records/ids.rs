//! Ids that are empty, missing, no GUID, or written in another way.

use serde_json::{Value, json};

use super::Maker;
use crate::case::Case;

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("records", "ids that say nothing: empty, blank, null, missing, zeros", 205, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let mut odd = Vec::new();
                for nothing in ["\"\"", "\" \"", "null", "\"00000000-0000-0000-0000-000000000000\""] {
                    odd.extend((0..5).map(|_| maker.with("Id", nothing)));
                }
                for _ in 0..5 {
                    let mut event = maker.event();
                    event.remove("Id");
                    odd.push(Value::from(event).to_string());
                }
                maker.rng.shuffle(&mut odd);
                maker.publish_among_good(&mut scene, odd);
                scene.tick_answering(200).await;
                let totals = scene.world.simulator.report().totals;
                assert_eq!(
                    (totals.published_without_id, totals.rows_without_id),
                    (25, 25),
                    "none is taken for another"
                );
                scene
            })
        }),
        Case::new("records", "ids that are no GUID: text, blanks, 10 KB, other types", 206, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let long = "long".repeat(2_500);
                let ids = [
                    json!("a"),
                    json!("A"),
                    json!(" a"),
                    json!("a "),
                    json!("\u{e9}\u{1f600}"),
                    json!("\"\\\n\u{0}"),
                    json!(format!("{long}1")),
                    json!(format!("{long}2")),
                    json!(7),
                    json!(-7.5),
                    json!(true),
                    json!(["a"]),
                    json!({"a": 1}),
                    json!("0"),
                    json!("f28ab78a-d401-4060-8012-736e373933e"),
                ];
                let mut odd: Vec<String> = ids.iter().map(|id| maker.with("Id", &id.to_string())).collect();
                odd.extend([maker.with("Id", "1e400"), maker.with("Id", "1180591620717411303424")]);
                maker.publish_among_good(&mut scene, odd);
                scene.tick_answering(200).await;
                scene
            })
        }),
        // Decided: a GUID is one id in any case (RFC 9562, section 4), so these are one record delivered again.
        Case::new("records", "one GUID in upper and in lower case", 207, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let mut odd = Vec::new();
                for _ in 0..40 {
                    let mut event = maker.event();
                    odd.push(Value::from(event.clone()));
                    event.insert("Id".to_owned(), event["Id"].as_str().unwrap().to_uppercase().into());
                    odd.push(Value::from(event));
                }
                maker.rng.shuffle(&mut odd);
                maker.publish_among_good(&mut scene, odd);
                scene.tick_answering(200).await;
                let report = scene.world.simulator.report();
                assert_eq!(report.totals.rows + 40, report.totals.published_deliveries);
                scene
            })
        }),
    ]
}
