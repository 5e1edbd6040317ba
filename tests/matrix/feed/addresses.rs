//! Addresses that are not the feed's own.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use labelstream_simulator::{ContentType, Effect, Endpoint, When};
use tokio::net::TcpListener;

use super::{error, listing_of, missing, publish_an_hour, requests, strike_at};
use crate::{case::Case, scene::Scene};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("feed", "contentUris on a foreign host, on one page", 160, |scene| Box::pin(foreign(scene))),
        Case::new("feed", "contentUris that are none, on one page", 161, |scene| {
            Box::pin(one_page(scene, Effect::MalformedUri("http//manage office com:x".to_owned())))
        }),
        Case::new("feed", "relative contentUris, on one page", 162, |scene| {
            Box::pin(one_page(scene, Effect::MalformedUri("/api/v1.0/activity/feed/audit/1".to_owned())))
        }),
        Case::new("feed", "every contentUri on a foreign host", 163, |scene| Box::pin(all_foreign(scene))),
        Case::new("feed", "a next page on a foreign host", 164, |scene| Box::pin(foreign_page(scene))),
    ]
}

/// A host that is none of the feed's, and what came there.
struct Stranger {
    url: String,
    connections: Arc<AtomicU64>,
}

impl Stranger {
    async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::<AtomicU64>::default();
        let seen = Arc::clone(&connections);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                seen.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { url, connections }
    }

    /// Nobody came; the connection made here is the first.
    async fn assert_alone(&self) {
        drop(tokio::net::TcpStream::connect(self.url.trim_start_matches("http://")).await.unwrap());
        while self.connections.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            self.connections.load(Ordering::SeqCst),
            1,
            "nothing may go to a foreign host, least of all a token"
        );
    }
}

/// The first page of the last window of one content type names bad addresses, once.
async fn one_page(mut scene: Scene, effect: Effect) -> Scene {
    let published = publish_an_hour(&mut scene).len() as u64;
    strike_at(&scene, Endpoint::List, &listing_of(ContentType::General), When::Nth(7), effect);
    let answered = scene.tick_answering(200).await;
    assert!(answered.logs().concat().contains(" 5 contents to be tried again"), "{answered:?}");
    assert_eq!(requests(&scene, Endpoint::Retrieve), published - 5, "the others are delivered");
    scene
}

async fn foreign(scene: Scene) -> Scene {
    let stranger = Stranger::listen().await;
    let mut scene = one_page(scene, Effect::ForeignHost(stranger.url.clone())).await;
    // The addresses are remembered, and no better when they are tried again.
    scene.tick().await;
    stranger.assert_alone().await;
    scene
}

async fn all_foreign(mut scene: Scene) -> Scene {
    let stranger = Stranger::listen().await;
    publish_an_hour(&mut scene);
    strike_at(&scene, Endpoint::List, "", When::Always, Effect::ForeignHost(stranger.url.clone()));
    let said = error(&scene.tick().await);
    assert_eq!(said.matches("none of").count(), 3, "{said}");
    assert!(said.contains("Check M365_MANAGEMENT_ENDPOINT") && said.contains(&stranger.url), "{said}");
    assert_eq!(requests(&scene, Endpoint::Retrieve), 0);
    stranger.assert_alone().await;
    scene
}

async fn foreign_page(mut scene: Scene) -> Scene {
    let stranger = Stranger::listen().await;
    publish_an_hour(&mut scene);
    strike_at(
        &scene,
        Endpoint::List,
        &listing_of(ContentType::Exchange),
        When::Nth(7),
        Effect::ForeignPage(stranger.url.clone()),
    );
    let said = error(&scene.tick().await);
    assert!(said.starts_with("Audit.Exchange: listing Audit.Exchange: the address is not one of the feed's"), "{said}");
    assert!(missing(&scene) > 0);
    stranger.assert_alone().await;
    scene
}
