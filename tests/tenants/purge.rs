//! `tenants remove --purge-state`: the end of what is kept of a tenant.

use labelstream::{state::Expect, watermark::Memory};

use crate::world::World;

async fn two() -> World {
    let mut world = World::of(2).await;
    world.tenants = Some("state".to_owned());
    world
}

/// Both are in the list, and have a state.
async fn pulled(world: World) -> World {
    for number in 1..=2 {
        world.publish(number, 2);
        world.expect(0, &["tenants", "add", world.id(number), "--name", &format!("customer-{number}")]).await;
    }
    world.expect(0, &["pull"]).await;
    world
}

async fn keys(world: &World, number: usize) -> usize {
    let (store, id) = (world.store(), world.id(number));
    let keys = store.list("").await.unwrap();
    keys.iter().filter(|entry| entry.key.contains(id)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_leaves_no_trace_and_the_others_lose_nothing() {
    for world in [pulled(two().await).await, pulled(two().await.in_a_container()).await] {
        for number in 1..=2 {
            let marker = format!("again/{}.json", world.id(number));
            world.store().put(&marker, "{}".into(), &Expect::Absent).await.unwrap();
        }
        let (kept, gone) = (keys(&world, 2).await, keys(&world, 1).await);
        assert!(kept > 3 && gone > 3);
        let (_, said) = world.expect(0, &["tenants", "remove", "customer-1", "--purge-state", "--yes"]).await;
        assert!(said.contains(&format!("{gone} blobs, 0 of them dead letters")), "{said}");
        assert!(said.contains(&format!("is out of the list, and without a state: {gone} blobs deleted.")), "{said}");
        assert_eq!((keys(&world, 1).await, keys(&world, 2).await), (0, kept));
        // Again, by its id alone; the list does not know it any more.
        let (_, said) = world.expect(0, &["tenants", "remove", world.id(1), "--purge-state", "--yes"]).await;
        assert!(said.contains("nothing is there"), "{said}");
        world.expect(2, &["tenants", "remove", "customer-1", "--purge-state", "--yes"]).await;
        let (_, said) = world.expect(0, &["pull"]).await;
        assert_eq!(said, "customer-2: 0 rows; nothing left\n1 tenant: 0 rows.\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_refused_while_a_run_holds_the_lock() {
    for world in [pulled(two().await).await, pulled(two().await.in_a_container()).await] {
        let before = keys(&world, 1).await;
        let store = world.store();
        let lock = store.lock(&Memory::lock_key(world.id(1))).await.unwrap().unwrap();
        let (_, said) = world.expect(1, &["tenants", "remove", "customer-1", "--purge-state", "--yes"]).await;
        assert!(said.contains("is under way and holds its lock; nothing was removed"), "{said}");
        lock.release().await.unwrap();
        assert_eq!(keys(&world, 1).await, before);
        let (_, said) = world.expect(0, &["pull"]).await;
        assert!(said.contains("customer-1: 0 rows"), "still in the list: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_first() {
    let world = pulled(two().await).await;
    let before = keys(&world, 1).await;
    let (_, said) = world.expect(2, &["tenants", "remove", "customer-1", "--purge-state"]).await;
    assert!(said.contains("--yes"), "{said}");
    let (status, screen) = world.on_a_terminal("tenants remove customer-1 --purge-state", "n\n").await;
    assert!(status == 1 && screen.contains("Delete it? [y/N]") && screen.contains("Nothing was deleted."), "{screen}");
    assert_eq!(keys(&world, 1).await, before);
    let (status, screen) = world.on_a_terminal("tenants remove customer-1 --purge-state", "y\n").await;
    assert_eq!((status, keys(&world, 1).await), (0, 0), "{screen}");
}

/// The other entry of the same tenant goes on being read, by the same state.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_stands_twice_keeps_its_state() {
    let world = pulled(two().await).await;
    let list = world.state_folder().join("tenants.json");
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, text.replace(world.id(2), world.id(1))).unwrap();
    let (_, said) = world.expect(2, &["tenants", "remove", "customer-1", "--purge-state", "--yes"]).await;
    assert!(said.contains("stands in the list more than once"), "{said}");
    assert!(keys(&world, 1).await > 0);
}
