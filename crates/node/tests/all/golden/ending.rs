//! Makes a golden ledger: a realm that is deleted and made again, and a list that it leaves.

use grantd_ledger::source::Source;
use grantd_node::entry::fold;
use grantd_node::realm::realms::{ListRealm, SYSTEM, UnlistRealm};
use grantd_node::realm::relationship::WriteRelationships;
use grantd_node::realm::{Caller, State, builtin};
use grantd_node::{Node, RealmChange};

use super::form::Line;
use super::{directory, hex};
use crate::support::{Rig, does, user};

/// Refuses to replace one that is there: golden ledgers are for ever.
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

    let mut state = State::empty(builtin::schema().unwrap());
    let mut text = String::new();
    for disclosed in rig.store.entries("acme", 0, 1_000).await.unwrap() {
        fold(&mut state, &disclosed).unwrap();
        text.push_str(&Line::new(&disclosed, state.hash()).write());
        text.push('\n');
    }
    let file = directory().join(format!("end-format-1-{}.jsonl", &hex(&state.hash())[..8]));
    let mut file = std::fs::File::create_new(file).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
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
