//! Contents that are no array, or not to their end.

use labelstream::dead_letter::Kind;
use labelstream_simulator::ContentType;
use serde_json::Value;

use super::Maker;
use crate::{case::Case, scene::Scene, world::minutes_ago};

/// Runs in which others can be read until a content that cannot is given up.
const TRIES: usize = 8;

/// So many label events, joined by commas, and their ids.
fn events(maker: &mut Maker, count: usize) -> (String, Vec<String>) {
    let events: Vec<Value> = (0..count).map(|_| maker.event().into()).collect();
    let ids = events.iter().map(|event| event["Id"].as_str().unwrap().to_owned()).collect();
    (events.iter().map(Value::to_string).collect::<Vec<_>>().join(","), ids)
}

/// Publishes a body with these label events in it.
fn publish(scene: &mut Scene, maker: &mut Maker, body: impl Into<Vec<u8>>, ids: &[String]) {
    let content_type = ContentType::WITH_LABELS[maker.rng.usize(..3)];
    let created = minutes_ago(2.0 + 55.0 * maker.rng.f64());
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    scene.world.simulator.publish_body(content_type, created, body.into(), &ids);
    scene.struck += 1;
}

/// Runs until contents that cannot be read are given up, each with something new to read in each content type.
async fn until_given_up(scene: &mut Scene) {
    for _ in 0..TRIES {
        assert_eq!(scene.letters().await.len(), 0, "nothing is given up before its time");
        scene.world.publish_an_hour(1);
        scene.tick_answering(200).await;
    }
    assert!(scene.letters().await.iter().all(|letter| letter.kind == Kind::Content && letter.tries == TRIES as u32));
}

/// The rows of this file.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("records", "contents that are no array", 230, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let bodies = [
                    "{\"value\":[]}",
                    "null",
                    "7",
                    "\"text\"",
                    "",
                    " \r\n",
                    "\u{feff}",
                    "<html></html>",
                    "\u{feff}{}",
                    "}",
                ];
                for body in bodies {
                    publish(&mut scene, &mut maker, body, &[]);
                }
                scene.dead_letters = bodies.len();
                until_given_up(&mut scene).await;
                scene
            })
        }),
        Case::new("records", "contents that end in the middle", 231, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                // After a comma, after a record, in a record, in a string, in an escape, in a character.
                let ends: [&[u8]; 7] =
                    [b",", b"", b",{\"RecordType\":43", b",{\"Id\":\"x", b",{\"Id\":\"\\", b",{\"Id\":\"\xe2", b",[[["];
                for end in ends {
                    let count = maker.rng.usize(1..40);
                    let (text, ids) = events(&mut maker, count);
                    // The last one before the end is not known to be whole where nothing follows it.
                    let known = if end.is_empty() { count - 1 } else { count };
                    publish(&mut scene, &mut maker, [b"[", text.as_bytes(), end].concat(), &ids[..known]);
                }
                scene.dead_letters = ends.len();
                until_given_up(&mut scene).await;
                scene
            })
        }),
        Case::new("records", "an array with a byte order mark, blanks, and an empty one", 232, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                for (before, after) in
                    [("\u{feff}[", "]"), ("\u{feff}\r\n [ ", "\r\n]\r\n \t"), ("\n[", "]\n"), (" [", " ] ")]
                {
                    let (text, ids) = events(&mut maker, 30);
                    publish(&mut scene, &mut maker, format!("{before}{text}{after}"), &ids);
                    publish(&mut scene, &mut maker, format!("{before}{after}"), &[]);
                }
                scene.tick_answering(200).await;
                assert_eq!(scene.missing(), [""; 0]);
                scene
            })
        }),
        Case::new("records", "a comma that is missing, and one too many", 233, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                for between in ["", " ", "\r\n"] {
                    let (first, mut ids) = events(&mut maker, 25);
                    let (second, more) = events(&mut maker, 25);
                    ids.extend(more);
                    publish(&mut scene, &mut maker, format!("[{first}{between}{second}]"), &ids);
                }
                for (before, between, after) in [(",", ",", ""), ("", ",,", ""), ("", ",", ",")] {
                    let (first, mut ids) = events(&mut maker, 25);
                    let (second, more) = events(&mut maker, 25);
                    ids.extend(more);
                    publish(&mut scene, &mut maker, format!("[{before}{first}{between}{second}{after}]"), &ids);
                }
                // The empty elements.
                scene.dead_letters = 3;
                scene.tick_answering(200).await;
                assert_eq!(scene.missing(), [""; 0]);
                scene
            })
        }),
        Case::new("records", "something that follows the end of the array", 234, |mut scene| {
            Box::pin(async move {
                let mut maker = Maker::new(&scene);
                let rests = ["garbage", "]", "[]", "{\"odata.nextLink\":1}", "\u{0}", ",{}", "<html></html>"];
                for rest in rests {
                    let (text, ids) = events(&mut maker, 20);
                    publish(&mut scene, &mut maker, format!("[{text}]{rest}"), &ids);
                }
                // What is not read is not dropped in silence: each content is kept by its address.
                scene.dead_letters = rests.len();
                scene.tick_answering(200).await;
                assert_eq!(scene.missing(), [""; 0]);
                scene
            })
        }),
    ]
}
