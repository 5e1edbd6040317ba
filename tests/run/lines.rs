//! What the process writes, as the host reads it.

use labelstream_simulator::ContentType;

use crate::{
    host::Stream,
    world::{World, minutes_ago, tick},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_good_run_writes_to_stdout_with_its_invocation_id_and_no_secret() {
    let world = World::with_small_pages().await;
    world.simulator.publish(ContentType::General, minutes_ago(5.0), 3, 3);
    let (host, answered) = tick(world.start().await).await;
    assert_eq!(answered.status, 200);
    let lines = host.lines();
    assert!(lines.len() > 3, "{lines:?}");
    let sample =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/host/timer-later.http")).unwrap();
    let (_, id) = sample.lines().find_map(|line| line.split_once("InvocationId: ")).unwrap();
    for (stream, line) in &lines {
        assert_eq!(*stream, Stream::Out, "{line}");
        assert!(line.contains(&format!("invocation_id={}", id.trim())), "{line}");
    }
    let all = lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n") + &answered.body.to_string();
    for secret in ["simulated-identity-header", crate::azurite::KEY, "Bearer", "eyJ"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}
