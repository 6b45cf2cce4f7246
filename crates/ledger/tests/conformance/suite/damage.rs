//! Somebody changed the tables. Reading names the revision.

use grantd_ledger::store::StoreError;

use crate::world::{REALM, World};

async fn damaged_at(world: &World, revision: u64, sql: &str) {
    world.tamper.run(sql).await;
    match world.store.entries(REALM, 0, 100).await {
        Err(StoreError::Damaged(text)) => {
            assert!(text.starts_with(&format!("entry {revision} ")), "{text}");
        }
        other => panic!("expected damage at {revision}, got {other:?}"),
    }
}

pub(crate) async fn changed_entry(world: &World) {
    world.ledger(REALM, 4).await;
    damaged_at(world, 3, "UPDATE entry SET bytes = hash WHERE revision = 3").await;
    // What lies before can still be read.
    assert_eq!(world.store.entries(REALM, 0, 2).await.unwrap().len(), 2);
    damaged_at(world, 2, "UPDATE entry SET hash = command_id WHERE revision = 2").await;
}

pub(crate) async fn missing_entry(world: &World) {
    world.ledger(REALM, 4).await;
    damaged_at(world, 2, "DELETE FROM entry WHERE revision = 2").await;
}

pub(crate) async fn swapped_entries(world: &World) {
    world.ledger(REALM, 4).await;
    let swap = "UPDATE entry SET revision = 99 WHERE revision = 2;
                UPDATE entry SET revision = 2 WHERE revision = 3;
                UPDATE entry SET revision = 3 WHERE revision = 99";
    damaged_at(world, 2, swap).await;
}

pub(crate) async fn cut_ledger(world: &World) {
    world.ledger(REALM, 4).await;
    damaged_at(world, 4, "DELETE FROM entry WHERE revision = 4").await;
}

/// Every entry is in order, but the head names another last one.
pub(crate) async fn replaced_ledger(world: &World) {
    world.ledger(REALM, 3).await;
    damaged_at(world, 3, "UPDATE ledger SET hash = (SELECT hash FROM entry WHERE revision = 2)").await;
}
