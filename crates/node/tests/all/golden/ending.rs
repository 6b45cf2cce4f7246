//! Makes a golden ledger: a realm that is deleted and made again, and a list that it leaves.

use grantd_ledger::source::Source;
use grantd_node::realm::Caller;
use grantd_node::realm::realms::{ListRealm, SYSTEM, UnlistRealm};
use grantd_node::realm::relationship::WriteRelationships;
use grantd_node::{Node, RealmChange};

use super::keep;
use crate::support::{Rig, does, user};

#[tokio::test]
#[ignore = "makes a file; see cases/ledgers/README.md"]
async fn make_a_golden_ledger_of_an_end() {
    let rig = Rig::new().await;
    rig.create(SYSTEM).await;
    let node = rig.node();
    let caller = Caller::system("test");
    let change = RealmChange {
        name: "acme".into(),
        on_system: caller.clone(),
        on_realm: caller,
        via: "test",
        reason: Some("the customer left".into()),
        idempotency: None,
    };
    one_life(&node, &change).await;
    node.delete_realm(&change).await.unwrap();
    one_life(&node, &change).await;
    keep("end-format-1", rig.store.entries("acme", 0, 1_000).await.unwrap(), None);
}

async fn one_life(node: &Node, change: &RealmChange) {
    let realm = node.create_realm(change).await.unwrap();
    does(&realm, user("ann")).await;
    let write =
        vec![grantd_node::realm::engine::Relationship::lasting("role:qa#member@user:ann".parse().unwrap())];
    does(&realm, WriteRelationships { write, delete: Vec::new(), require: Vec::new() }).await;
    for name in ["one", "two"] {
        does(&realm, ListRealm { name: name.into() }).await;
    }
    does(&realm, UnlistRealm { name: "one".into() }).await;
}
