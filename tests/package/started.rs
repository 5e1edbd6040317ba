//! The package under the host.

use std::{collections::BTreeSet, fs, process::Command};

use labelstream_simulator::Config;

use crate::{
    host::Host,
    made::{Package, executable},
    world::{World, tick},
    zip::unpack,
};

#[tokio::test(flavor = "multi_thread")]
async fn unpacked_into_an_empty_folder_it_does_a_tick() {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().to_owned();
    unpack(&Package::judged().entries, &app);
    let description = serde_json::from_slice::<serde_json::Value>(&fs::read(app.join("host.json")).unwrap()).unwrap();
    let description = &description["customHandler"]["description"];
    assert_eq!((&description["workingDirectory"], &description["arguments"]), (&"".into(), &serde_json::json!([])));

    let world = World::new(Config::default()).await;
    world.publish_an_hour(2);
    let settings = world.settings.clone();
    let start = move || {
        let program = app.join(executable(&fs::read(app.join("host.json")).unwrap()));
        Host::start_in(&app, Command::new(program), &settings)
    };
    let host = tokio::task::spawn_blocking(start).await.unwrap();
    let (host, answered) = tick(host).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    let report = world.assert_delivered();
    assert!(report.totals.rows > 0, "{report:#?}");
    host.kill();

    // Where the package is mounted, nothing can be written.
    let found: BTreeSet<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let packed = Package::judged().entries.iter().filter_map(|entry| entry.name.split('/').next());
    assert_eq!(found, packed.map(str::to_owned).collect());
}
