//! A feed of records shaped as the published samples are.

use std::collections::{BTreeMap, BTreeSet};

use labelstream_simulator::{Bulk, Config, Mix};
use serde_json::Value;

use crate::world::{World, tick};

#[tokio::test(flavor = "multi_thread")]
async fn each_published_label_event_arrives_once_with_its_label_names() {
    let world = World::new(Config { mix: Mix::Published, ..Config::default() }).await;
    world.simulator.publish_bulk(&Bulk { contents: 40, records_per_content: 100, label_share: 0.4, ..Bulk::default() });
    let (_host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(world.assert_delivered().published, 1_600);

    let tenant = world.simulator.tenant();
    let paths: BTreeMap<&str, String> =
        tenant.labels.iter().map(|label| (label.id.as_str(), tenant.label_path(label))).collect();
    let (mut kinds, mut changes, mut named) = (BTreeSet::new(), BTreeSet::new(), 0);
    for row in world.simulator.rows() {
        let row: Value = serde_json::from_str(row.get()).unwrap();
        for (id, name) in
            [("SensitivityLabelId", "SensitivityLabelName"), ("OldSensitivityLabelId", "OldSensitivityLabelName")]
        {
            // A label that was deleted has no name.
            let expected = row[id].as_str().and_then(|id| paths.get(id)).map(String::as_str);
            assert_eq!(row[name].as_str(), expected, "{row}");
            named += u32::from(expected.is_some());
        }
        kinds.insert(row["RecordTypeName"].as_str().unwrap().to_owned());
        changes.extend(row["LabelChange"].as_str().map(str::to_owned));
    }
    let names = ["AipDiscover", "AipSensitivityLabelAction", "AipProtectionAction", "AipFileDeleted", "AipHeartBeat"];
    assert_eq!(kinds, names.map(str::to_owned).into());
    assert!(changes.is_superset(&["Upgraded", "Downgraded", "Removed"].map(str::to_owned).into()), "{changes:?}");
    assert!(named > 1_000, "{named} names");
}
