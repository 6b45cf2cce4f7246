//! Makes a golden ledger: who is told of pushes to repositories.

use grantd_node::realm::repository::{CreateRepository, DeleteRepository};
use grantd_node::realm::trigger::{CreateTrigger, DeleteTrigger};

use super::keep;
use crate::support::{Rig, does};

#[tokio::test]
#[ignore = "makes a file; see cases/ledgers/README.md"]
async fn make_a_golden_ledger_of_triggers() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let made = |name: &str| CreateRepository {
        name: Some(name.into()),
        public: false,
        default_branch: "main".into(),
    };
    let one = does(&realm, made("one")).await.answer;
    let two = does(&realm, made("two")).await.answer;
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let trigger = |repository, branches, globs| {
        let endpoint = "https://receiver.example/pushed".into();
        CreateTrigger { repository, branches, globs, endpoint }
    };
    does(&realm, trigger(one, None, None)).await;
    let gone = does(&realm, trigger(one, names(&["main", "release/1"]), None)).await.answer;
    does(&realm, trigger(two, names(&["main"]), names(&["*.js", "docs/**"]))).await;
    does(&realm, trigger(one, None, names(&["Cargo.lock"]))).await;
    does(&realm, DeleteTrigger { repository: one, id: gone }).await;
    does(&realm, DeleteRepository { id: two }).await;
    keep("triggers-format-1", rig.ledger().await, Some(&realm));
}
