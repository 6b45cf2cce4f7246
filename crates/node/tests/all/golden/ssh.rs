//! Makes a golden ledger: VMs, SSH keys of identities, and who signs SSH certificates.

use grantd_node::realm::command::Secret;
use grantd_node::realm::identity::{CreateIdentity, DeleteIdentity};
use grantd_node::realm::ssh_ca::MakeSshCa;
use grantd_node::realm::ssh_key::{AddSshKey, RemoveSshKey};
use grantd_node::realm::ssh_public_key::PublicKey;
use grantd_node::realm::vm::{KeyPair, PutVm, RemoveVm, RotateVmKey};
use grantd_node::realm::vm_grant::GrantVm;

use super::keep;
use crate::support::{Rig, does};

fn pair(byte: u8) -> KeyPair {
    KeyPair { public: PublicKey::ed25519(&[byte; 32]), private: Secret("private".into()) }
}

#[tokio::test]
#[ignore = "makes a file; see cases/ledgers/README.md"]
async fn make_a_golden_ledger_of_ssh() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let put = |id: &str, address: &str| PutVm {
        id: id.into(),
        address: address.into(),
        host_key: PublicKey::ed25519(&[1; 32]).to_string(),
        gateway_key: pair(2),
    };
    let key = |identity, byte, name: Option<&str>| AddSshKey {
        identity,
        public_key: PublicKey::ed25519(&[byte; 32]).to_string(),
        name: name.map(Into::into),
    };
    let one = does(&realm, CreateIdentity { managed: false }).await.answer.id;
    let two = does(&realm, CreateIdentity { managed: false }).await.answer.id;
    does(&realm, put("build", "10.0.0.7:22")).await;
    does(&realm, put("a/b", "[2001:db8::7]:2222")).await;
    does(&realm, put("build", "build.example:22")).await;
    does(&realm, RotateVmKey { id: "build".into(), gateway_key: pair(3) }).await;
    does(&realm, GrantVm { identity: one, vm: "a/b".into(), allowed_users: Some(vec!["dev".into()]) }).await;
    does(&realm, RemoveVm { id: "a/b".into() }).await;
    let gone = does(&realm, key(one, 4, Some("laptop"))).await.answer;
    does(&realm, key(one, 5, None)).await;
    does(&realm, key(two, 6, Some("build"))).await;
    does(&realm, RemoveSshKey { id: gone }).await;
    does(&realm, DeleteIdentity { id: two }).await;
    does(&realm, MakeSshCa { pair: pair(7), replaces: None }).await;
    let first = realm.published().state.ssh_ca().map(|ca| ca.id);
    does(&realm, MakeSshCa { pair: pair(8), replaces: first }).await;
    keep("ssh-format-1", rig.ledger().await, Some(&realm));
}
