//! One master key takes the place of another.

use grantd_ledger::seal::MasterKey;
use grantd_ledger::secret::Secret;
use grantd_ledger::source::Source;
use grantd_ledger::store::Store;
use grantd_node::offline::{Unopened, reseal};
use grantd_node::realm::command;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::user::{UpdateUser, password_secret};

use crate::support::{Rig, does, user};

/// A key file with the new key before the one of the rig's nodes.
fn both() -> MasterKey {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    std::fs::write(&path, [[8; 32], [7; 32]].concat()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    MasterKey::load(&path).unwrap()
}

#[tokio::test]
async fn what_a_node_writes_meanwhile_is_not_put_back() {
    let rig = Rig::shared().await;
    let realm = rig.realm().await;
    let uuid = does(&realm, user("alice")).await.answer.uuid;
    let set = async |n: usize| {
        let password = Some(command::Secret(format!("hash {n}")));
        does(&realm, UpdateUser { login: "alice".into(), password, ..UpdateUser::default() }).await;
    };
    set(0).await;
    let both = both();
    for round in 1..=40 {
        let (resealed, ()) = tokio::join!(reseal(&*rig.store, &both, Unopened::Keep), set(round));
        assert_eq!(resealed.unwrap().unopened, []);
        let sealed = rig.store.secret(DEFAULT, &password_secret(uuid)).await.unwrap().unwrap();
        let opened: Secret = both.open(DEFAULT, &sealed).unwrap();
        assert_eq!(String::from_utf8_lossy(opened.expose()), format!("hash {round}"));
    }
    reseal(&*rig.store, &both, Unopened::Keep).await.unwrap();
    let sealed = rig.store.secret(DEFAULT, &password_secret(uuid)).await.unwrap().unwrap();
    assert_eq!(sealed.key_id, MasterKey::from_bytes([8; 32]).id());
}

#[tokio::test]
async fn a_conflict_is_tried_again_and_a_lost_key_takes_nothing_unasked() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let password = Some(command::Secret("hash".into()));
    does(&realm, user("alice")).await;
    does(&realm, UpdateUser { login: "alice".into(), password, ..UpdateUser::default() }).await;
    rig.store.on_next_append(grantd_testkit::faulty_store::Fault::Conflict);
    assert_eq!(reseal(&*rig.store, &both(), Unopened::Keep).await.unwrap().resealed, 1);
    let lost = MasterKey::from_bytes([9; 32]);
    let kept = reseal(&*rig.store, &lost, Unopened::Keep).await.unwrap();
    assert_eq!((kept.unopened.len(), rig.store.secrets().await.unwrap().len()), (1, 1));
    let gone = reseal(&*rig.store, &lost, Unopened::Forget).await.unwrap();
    assert_eq!((gone.unopened.len(), rig.store.secrets().await.unwrap().len()), (1, 0));
}
