//! What is done to a store without a server, where the command line cannot reach.

use grantd_ledger::checkpoint::CheckpointSigner;
use grantd_ledger::entry::Hash;
use grantd_ledger::secret::Secret;
use grantd_ledger::source::Source;
use grantd_node::offline::{Erasure, erase, verify};
use grantd_node::realm::builtin;
use grantd_node::realm::client_ca::MakeClientCa;
use grantd_node::realm::command::Secret as Text;
use grantd_node::realm::engine::Object;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::role::CreateRole;
use grantd_node::realm::sealed::sealed_secrets;
use grantd_node::realm::ssh_ca::MakeSshCa;
use grantd_node::realm::ssh_public_key::PublicKey;
use grantd_node::realm::user::{CreateUser, DeleteUser, UpdateUser};
use grantd_node::realm::vm::{KeyPair, PutVm, RemoveVm, RotateVmKey};
use grantd_node::realm::webhook::{CreateWebhook, RotateWebhookSecret};

use crate::support::{Rig, does, user};

fn alice() -> Erasure {
    Erasure { object: Object::new("user", "alice").unwrap(), reasons: false }
}

#[tokio::test]
async fn a_state_that_was_not_signed_for_is_found() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    does(&realm, user("alice")).await;
    let head = rig.store.head(DEFAULT).await.unwrap();
    let signer = CheckpointSigner::from_seed(&Secret::new([9; 32])).unwrap();
    let sign = |state_hash| signer.sign(head.ledger_id, head.revision, head.hash, state_hash, 1).unwrap();
    let schema = builtin::schema().unwrap();
    let good = verify(&*rig.store, DEFAULT, schema.clone(), &[]).await.unwrap();
    let same = verify(&*rig.store, DEFAULT, schema.clone(), &[sign(good.state_hash)]).await.unwrap();
    assert_eq!((same.problem, same.checkpoints), (None, 1));
    let other = verify(&*rig.store, DEFAULT, schema, &[sign(Hash([1; 32]))]).await.unwrap();
    let problem = other.problem.unwrap();
    assert_eq!(problem.revision, head.revision);
    assert!(problem.what.contains("the state at revision 2"), "{}", problem.what);
}

#[tokio::test]
async fn an_older_checkpoint_is_compared_with_the_state_of_its_time() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    does(&realm, user("alice")).await;
    let schema = builtin::schema().unwrap();
    let then = verify(&*rig.store, DEFAULT, schema.clone(), &[]).await.unwrap();
    let signer = CheckpointSigner::from_seed(&Secret::new([9; 32])).unwrap();
    let head = then.head;
    let kept = signer.sign(head.ledger_id, head.revision, head.hash, then.state_hash, 1).unwrap();
    does(&realm, user("bob")).await;
    let now = verify(&*rig.store, DEFAULT, schema, &[kept]).await.unwrap();
    assert_eq!((now.problem, now.checkpoints), (None, 1));
    assert_ne!(now.state_hash, then.state_hash);
}

#[tokio::test]
async fn every_name_of_a_login_goes_also_of_who_had_it_before() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    does(&realm, user("alice")).await;
    let name = Some(Some("another name of alice".into()));
    does(&realm, UpdateUser { login: "alice".into(), name, ..UpdateUser::default() }).await;
    does(&realm, DeleteUser { login: "alice".into(), ..DeleteUser::default() }).await;
    does(&realm, user("alice")).await;
    does(&realm, user("bob")).await;
    let schema = builtin::schema().unwrap();
    let erased = erase(&*rig.store, DEFAULT, schema.clone(), &alice()).await.unwrap();
    assert_eq!(erased.values, 3);
    let left = rig.ledger().await.into_iter().skip(1).flat_map(|disclosed| disclosed.disclosures);
    let left: Vec<_> = left.collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].value, b"the name of bob");
    let verified = verify(&*rig.store, DEFAULT, schema, &[]).await.unwrap();
    assert_eq!((verified.problem, verified.erased), (None, 3));
}

#[tokio::test]
async fn every_text_of_a_role_goes_also_two_of_one_change() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let text = |text: &str| Some(text.to_owned());
    for key in ["qa", "ops"] {
        let (display_name, description) = (text("what it is called"), text("what it is for"));
        let create = CreateRole { key: key.into(), display_name, description, ..CreateRole::default() };
        does(&realm, create).await;
    }
    let qa = Erasure { object: Object::new("role", "qa").unwrap(), reasons: false };
    let schema = builtin::schema().unwrap();
    assert_eq!(erase(&*rig.store, DEFAULT, schema.clone(), &qa).await.unwrap().values, 2);
    assert_eq!(erase(&*rig.store, DEFAULT, schema.clone(), &qa).await.unwrap().values, 0);
    let left = rig.ledger().await.into_iter().skip(1).flat_map(|disclosed| disclosed.disclosures);
    let left: Vec<_> = left.collect();
    assert_eq!(left.len(), 2, "those of the other role");
    let verified = verify(&*rig.store, DEFAULT, schema, &[]).await.unwrap();
    assert_eq!((verified.problem, verified.erased), (None, 2));
}

#[tokio::test]
async fn a_node_that_shares_the_store_forgets_too() {
    let rig = Rig::shared().await;
    let realm = rig.realm().await;
    does(&realm, user("alice")).await;
    let name = || {
        let published = realm.published();
        published.state.users().get("alice").unwrap().name.as_ref().unwrap().text().map(str::to_owned)
    };
    assert_eq!(name().as_deref(), Some("the name of alice"));
    let before = realm.published().state.hash();
    erase(&*rig.store, DEFAULT, builtin::schema().unwrap(), &alice()).await.unwrap();
    realm.catch_up().await.unwrap();
    assert_eq!(name(), None);
    assert_eq!(realm.published().state.hash(), before);
}

/// A restore to a revision keeps these and no others.
#[tokio::test]
async fn the_state_names_every_sealed_secret_of_the_store() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let password = |text: &str| Some(Text(text.to_owned()));
    does(&realm, CreateUser { login: "alice".into(), password: password("one"), ..CreateUser::default() })
        .await;
    does(&realm, UpdateUser { login: "alice".into(), password: password("two"), ..UpdateUser::default() })
        .await;
    let ca = |replaces| MakeClientCa {
        certificate: vec![1],
        key: Text("key".to_owned()),
        until: i64::MAX,
        replaces,
    };
    does(&realm, ca(0)).await;
    does(&realm, ca(1)).await;
    let webhook = CreateWebhook {
        url: "https://receiver.example/".into(),
        events: Vec::new(),
        description: None,
        app: None,
    };
    let id = does(&realm, webhook).await.answer.id;
    for _ in 0..3 {
        does(&realm, RotateWebhookSecret { id }).await;
    }
    let pair = || KeyPair { public: PublicKey::ed25519(&[1; 32]), private: Text("key".to_owned()) };
    let put = |id: &str| PutVm {
        id: id.into(),
        address: "a".into(),
        host_key: pair().public.to_string(),
        gateway_key: pair(),
    };
    does(&realm, put("gone")).await;
    does(&realm, RemoveVm { id: "gone".into() }).await;
    does(&realm, put("build")).await;
    for _ in 0..3 {
        does(&realm, RotateVmKey { id: "build".into(), gateway_key: pair() }).await;
    }
    does(&realm, MakeSshCa { pair: pair(), replaces: None }).await;
    let first = realm.published().state.ssh_ca().map(|ca| ca.id);
    does(&realm, MakeSshCa { pair: pair(), replaces: first }).await;
    let there: std::collections::BTreeSet<_> = rig
        .store
        .secrets()
        .await
        .unwrap()
        .into_iter()
        .map(|(_, secret)| (secret.name, secret.version))
        .collect();
    assert_eq!(
        there.len(),
        7,
        "a password, an authority of each kind, and two each that sign and that log in"
    );
    assert_eq!(sealed_secrets(&realm.published().state), there);
}
