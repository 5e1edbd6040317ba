//! How a run begins.

use std::time::Duration;

use labelstream_simulator::{Config, ContentType, Endpoint};

use crate::{
    azurite::{Azurite, KEY, connection_string},
    front::Front,
    world::{World, minutes_ago, tick},
};

/// Until the run waits for its lock alone.
const SOON: Duration = Duration::from_secs(20);

fn tokens(world: &World) -> u64 {
    world.simulator.requests().by_endpoint.get(&Endpoint::ManagedIdentity).copied().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_asked_for_beside_the_lock_and_nothing_else_is() {
    let mut world = World::new(Config::default()).await;
    let front = Front::before(Azurite::shared().port()).await;
    world.set("AzureWebJobsStorage", &connection_string(front.port(), KEY));
    world.simulator.publish(ContentType::SharePoint, minutes_ago(5.0), 2, 1);
    front.hold(Some("comp=lease"));
    let meanwhile = async {
        let asked = async {
            while tokens(&world) < 2 || front.seen().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, asked).await.expect("those of the feed and of the rule are asked for");
        let by_endpoint = world.simulator.requests().by_endpoint;
        assert_eq!(by_endpoint.keys().collect::<Vec<_>>(), [&Endpoint::ManagedIdentity]);
        assert!(front.seen().iter().all(|request| request.contains("comp=lease")), "{:?}", front.seen());
        front.hold(None);
    };
    let ((_host, answered), ()) = tokio::join!(tick(world.start().await), meanwhile);
    assert_eq!(answered.status, 200, "{answered:?}");
    world.assert_delivered();
    assert_eq!(tokens(&world), 3, "one each, and one for Graph");
}
