//! SSH keys of identities, and who signs certificates.

use grantd_realm::caller::Authority;
use grantd_realm::command::{SealedWrite, Secret};
use grantd_realm::engine::Object;
use grantd_realm::erasure::EraseFields;
use grantd_realm::identity::{CreateIdentity, DeleteIdentity};
use grantd_realm::personal::Personal;
use grantd_realm::refusal::Noun;
use grantd_realm::ssh_ca::{MakeSshCa, ca_secret};
use grantd_realm::ssh_key::{AddSshKey, MAX_KEYS, RemoveSshKey};
use grantd_realm::ssh_public_key::PublicKey;
use grantd_realm::vm::KeyPair;
use grantd_realm::{Refusal, State, builtin};
use uuid::Uuid;

use crate::support::{World, invalid_field, root, with};

fn key(byte: u8) -> PublicKey {
    PublicKey::ed25519(&[byte; 32])
}

fn add(identity: Uuid, byte: u8) -> AddSshKey {
    AddSshKey { identity, public_key: format!("{} anna@laptop", key(byte)), name: None }
}

fn identity(world: &mut World) -> Uuid {
    world.does(CreateIdentity { managed: false }).id
}

fn whose(world: &World, byte: u8) -> Option<Uuid> {
    world.state.ssh_keys().find(&key(byte)).map(|key| key.form.identity)
}

#[test]
fn a_key_belongs_to_one_identity_until_it_is_removed() {
    let mut world = World::new();
    let (one, two) = (identity(&mut world), identity(&mut world));
    let id = world.does(add(one, 1));
    world.does(add(one, 2));
    let taken = Refusal::exists(Noun::SshKey, key(1).fingerprint());
    for identity in [one, two] {
        assert_eq!(world.tries(&root(), add(identity, 1)).map(drop), Err(taken.clone()));
    }
    assert_eq!((whose(&world, 1), whose(&world, 2), whose(&world, 3)), (Some(one), Some(one), None));
    world.does(RemoveSshKey { id });
    assert_eq!(world.tries(&root(), RemoveSshKey { id }), Err(Refusal::not_found(Noun::SshKey, id)));
    assert_eq!(whose(&world, 1), None);
    world.does(add(two, 1));
    assert_eq!(whose(&world, 1), Some(two));
    let of = |identity| world.state.ssh_keys().of(identity, None).map(|one| one.form.key.clone()).collect();
    let (ones, twos): (Vec<_>, Vec<_>) = (of(one), of(two));
    assert_eq!((ones, twos), (vec![key(2)], vec![key(1)]));
}

#[test]
fn they_go_with_their_identity() {
    let mut world = World::new();
    let (one, two) = (identity(&mut world), identity(&mut world));
    for byte in [1, 2] {
        world.does(add(one, byte));
    }
    world.does(add(two, 3));
    world.does(DeleteIdentity { id: one });
    assert_eq!((whose(&world, 1), whose(&world, 2), whose(&world, 3)), (None, None, Some(two)));
    assert_eq!(world.state.ssh_keys().len(), 1);
    assert_eq!(world.tries(&root(), add(one, 1)).map(drop), Err(Refusal::not_found(Noun::Identity, one)));
}

#[test]
fn who_may_give_a_token_may_give_a_key() {
    let mut world = World::new();
    let one = identity(&mut world);
    let others = with(&[Authority::Operator, Authority::Checker]);
    assert_eq!(world.tries(&others, add(one, 1)).map(drop), Err(Refusal::NotAllowed(Authority::Writer)));
    let id = world.tries(&with(&[Authority::Writer]), add(one, 1)).unwrap();
    assert_eq!(world.tries(&others, RemoveSshKey { id }), Err(Refusal::NotAllowed(Authority::Writer)));
    let managed = world.does(CreateIdentity { managed: true }).id;
    assert_eq!(world.tries(&root(), add(managed, 2)).map(drop), Err(Refusal::ManagedIdentity(managed)));
}

#[test]
fn what_is_no_key_is_refused() {
    let mut world = World::new();
    let one = identity(&mut world);
    let with_key = |public_key: &str| AddSshKey { public_key: public_key.into(), ..add(one, 1) };
    for text in ["", "ssh-ed25519", "no key", &format!("no-pty {}", key(1))] {
        assert_eq!(invalid_field(world.tries(&root(), with_key(text))), "public_key", "{text}");
    }
    for name in ["a\nb", &"x".repeat(256)] {
        let named = AddSshKey { name: Some(name.into()), ..add(one, 1) };
        assert_eq!(invalid_field(world.tries(&root(), named)), "name", "{name:.20}");
    }
    for byte in 0..u8::try_from(MAX_KEYS).unwrap() {
        world.does(add(one, byte));
    }
    assert!(matches!(world.tries(&root(), add(one, 200)), Err(Refusal::TooMany { .. })));
}

#[test]
fn a_name_can_be_erased_and_a_comment_is_kept_nowhere() {
    let mut world = World::new();
    let one = identity(&mut world);
    let id = world.does(AddSshKey { name: Some("Zdenka's".into()), ..add(one, 1) });
    let holds = |world: &World, text: &str| {
        let bytes = world.state.to_snapshot();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    assert!(holds(&world, "Zdenka's") && !holds(&world, "anna@laptop"));
    let before = world.state.hash();
    world.does(EraseFields { object: Object::new("ssh_key", &id.to_string()).unwrap() });
    assert!(!holds(&world, "Zdenka's"));
    assert_eq!(world.state.hash(), before);
    let name = world.state.ssh_keys().get(id).unwrap().form.name.clone();
    assert_eq!(name.as_ref().and_then(Personal::text), None);
}

#[test]
fn one_authority_signs_at_a_time() {
    let mut world = World::new();
    let pair = |byte| KeyPair { public: key(byte), private: Secret(format!("private {byte}")) };
    let make = |byte, replaces| MakeSshCa { pair: pair(byte), replaces };
    assert_eq!(
        world.tries(&with(&[Authority::Operator]), make(1, None)),
        Err(Refusal::NotAllowed(Authority::Admin))
    );
    let (changes, sealed, ()) = world.decides(&root(), &make(1, None)).unwrap();
    world.applies(changes);
    let first = world.state.ssh_ca().unwrap().clone();
    assert_eq!(first.public, key(1));
    let put = |id, byte| SealedWrite::Put { name: ca_secret(id), version: 1, value: pair(byte).private };
    assert_eq!(sealed, [put(first.id, 1)]);
    world.does(make(2, None));
    assert_eq!(world.state.ssh_ca(), Some(&first), "the other one was faster");
    let (changes, sealed, ()) = world.decides(&root(), &make(3, Some(first.id))).unwrap();
    world.applies(changes);
    let second = world.state.ssh_ca().unwrap().clone();
    assert_eq!(sealed, [put(second.id, 3), SealedWrite::Delete { name: ca_secret(first.id) }]);
    let again = State::from_snapshot(&world.state.to_snapshot(), builtin::schema().unwrap()).unwrap();
    assert_eq!((again.ssh_ca(), again.hash()), (Some(&second), world.state.hash()));
}
