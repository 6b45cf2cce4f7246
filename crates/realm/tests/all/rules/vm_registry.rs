//! VMs: how each is reached and known, and by which key the gateway signs in there.

use grantd_realm::caller::Authority;
use grantd_realm::command::{SealedWrite, Secret};
use grantd_realm::identity::{CreateIdentity, Identity};
use grantd_realm::realms::{CreateRealm, DeleteRealm};
use grantd_realm::refusal::Noun;
use grantd_realm::sealed::sealed_secrets;
use grantd_realm::ssh_public_key::PublicKey;
use grantd_realm::vm::{KeyPair, OVERLAP, PutVm, RemoveVm, RotateVmKey, Vm, gateway_secret};
use grantd_realm::vm_grant::{GrantVm, list};
use grantd_realm::{Refusal, State, builtin};

use crate::support::{World, invalid_field, root, with};

/// Made by `ssh-keygen`.
const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCr7iiYmrz64SfiqET6Alt3tAap0//gID60Pj06ABRBQ5cgGOzJIh385S+dqdn0k/0SBXbgFmFyF6wKJI6tSLy5eqKrXrd/K4b23ioS6DQuuoS1iZuGp6Ne6irdmvm42Iq/euUKaeztm6e7zi3U97/XMBJ0eH9YznijFtkYv8eOnJIeQlnXsLLIxtjUwIbBg1yaJCCpegEfe5gwQ3hCzaFd9C3oyWkiuKknNB5VtfdoNCzHlx7+T7lxQa4DF7swK//iq+VsGxPVF98603j+NJpq2GdZH5OkYM/hq4OcfSuGG8ffvQL/RFeGR6QvFgYG14LU2gFg6XGQ/wssq0MuGGKd";

fn pair(byte: u8) -> KeyPair {
    KeyPair { public: PublicKey::ed25519(&[byte; 32]), private: Secret(format!("private {byte}")) }
}

fn put(id: &str, address: &str) -> PutVm {
    let host_key = format!("{} a comment", PublicKey::ed25519(&[1; 32]));
    PutVm { id: id.into(), address: address.into(), host_key, gateway_key: pair(2) }
}

fn remove(id: &str) -> RemoveVm {
    RemoveVm { id: id.into() }
}

fn vm<'w>(world: &'w World, id: &str) -> &'w Vm {
    world.state.vms().get(id).unwrap()
}

fn keys(world: &World, id: &str) -> Vec<PublicKey> {
    vm(world, id).gateway_keys(world.now).map(|key| key.public.clone()).collect()
}

#[test]
fn the_same_again_is_no_change_and_another_address_keeps_the_key() {
    let mut world = World::new();
    let (changes, sealed, made) = world.decides(&root(), &put("v", "10.0.0.7")).unwrap();
    world.applies(changes);
    assert!(made);
    assert_eq!(&*vm(&world, "v").form.address, "10.0.0.7:22");
    let name = gateway_secret(vm(&world, "v").gateway_key.id);
    assert_eq!(sealed, [SealedWrite::Put { name, version: 1, value: pair(2).private }]);
    let (entries, before) = (world.entries.len(), vm(&world, "v").gateway_key.clone());
    assert!(!world.does(put("v", "10.0.0.7:22")));
    assert_eq!(world.entries.len(), entries);
    let moved = PutVm { gateway_key: pair(3), ..put("v", "[::1]:2222") };
    let (changes, sealed, made) = world.decides(&root(), &moved).unwrap();
    world.applies(changes);
    assert!(!made && sealed.is_empty());
    assert_eq!((&*vm(&world, "v").form.address, &vm(&world, "v").gateway_key), ("[::1]:2222", &before));
}

#[test]
fn the_key_before_signs_in_for_a_day() {
    let mut world = World::new();
    world.does(put("v", "a"));
    let first = vm(&world, "v").gateway_key.id;
    let rotate = |byte| RotateVmKey { id: "v".into(), gateway_key: pair(byte) };
    let until = world.does(rotate(3)).previous_until;
    assert_eq!(until, world.now + OVERLAP);
    assert_eq!(keys(&world, "v"), [pair(3).public, pair(2).public]);
    world.now = until;
    assert_eq!(keys(&world, "v"), [pair(3).public]);
    let (_, sealed, _) = world.decides(&root(), &rotate(4)).unwrap();
    let deleted = SealedWrite::Delete { name: gateway_secret(first) };
    assert!(sealed.contains(&deleted), "{sealed:?}");
    assert_eq!(
        world.tries(&root(), RotateVmKey { id: "w".into(), gateway_key: pair(3) }),
        Err(Refusal::not_found(Noun::Vm, "w"))
    );
}

#[test]
fn a_machine_under_an_id_of_before_starts_with_nothing() {
    let mut world = World::new();
    let mut holders = Vec::new();
    for (vm, users) in [("v", None), ("v", Some(vec![])), ("v", Some(vec!["dev".to_owned()])), ("w", None)] {
        let identity = world.does(CreateIdentity { managed: false }).id;
        world.does(GrantVm { identity, vm: vm.into(), allowed_users: users });
        holders.push(identity);
    }
    let grants = |world: &World| -> Vec<usize> {
        let held = |id| list(&world.state, Identity::find(&world.state, id).unwrap()).len();
        holders.iter().map(|id| held(*id)).collect()
    };
    // Grants need no registered VM, and registering changes none.
    world.does(put("v", "a"));
    world.does(put("w", "a"));
    assert_eq!(grants(&world), [1, 1, 1, 1]);
    world.does(RotateVmKey { id: "v".into(), gateway_key: pair(3) });
    let secrets = sealed_secrets(&world.state);
    let (changes, sealed, gone) = world.decides(&root(), &remove("v")).unwrap();
    world.applies(changes);
    assert_eq!((gone, sealed.len()), (3, 2));
    assert_eq!(grants(&world), [0, 0, 0, 1]);
    assert_eq!(sealed_secrets(&world.state).len(), secrets.len() - 2);
    let may = |vm: &str, holder: usize| {
        world.allows(&format!("identity:{}", holders[holder]), "login", &format!("fs_vm:/{vm}/dev/"))
    };
    assert!(!may("v", 0) && !may("v", 2) && may("w", 3));
    let before = world.state.hash();
    world.does(put("v", "a"));
    assert_eq!(grants(&world), [0, 0, 0, 1]);
    world.does(remove("v"));
    assert_eq!(world.state.hash(), before);
    assert_eq!(world.tries(&root(), remove("v")), Err(Refusal::not_found(Noun::Vm, "v")));
}

#[test]
fn who_runs_the_realm_registers_vms() {
    let mut world = World::new();
    let refused = Refusal::NotAllowed(Authority::Operator);
    let others = with(&[Authority::Writer, Authority::Auditor, Authority::Approver]);
    assert_eq!(world.tries(&others, put("v", "a")), Err(refused.clone()));
    let operator = with(&[Authority::Operator]);
    assert_eq!(world.tries(&operator, put("v", "a")), Ok(true));
    assert_eq!(world.tries(&others, remove("v")), Err(refused.clone()));
    let rotate = RotateVmKey { id: "v".into(), gateway_key: pair(3) };
    assert_eq!(world.tries(&others, rotate), Err(refused));
    assert_eq!(world.tries(&operator, remove("v")), Ok(0));
}

#[test]
fn what_no_vm_can_be_is_refused() {
    let mut world = World::new();
    for id in ["", "a\n", &"v".repeat(256)] {
        assert_eq!(invalid_field(world.tries(&root(), put(id, "a"))), "id", "{id:.20}");
    }
    assert_eq!(invalid_field(world.tries(&root(), put("v", "a b"))), "address");
    let mut host_key = |host_key: &str| {
        invalid_field(world.tries(&root(), PutVm { host_key: host_key.into(), ..put("v", "a") }))
    };
    assert_eq!(host_key("ssh-dss AAAA"), "host_key");
    // Made by the rules of OpenSSH's PROTOCOL.u2f, with a key of zeros and the application `ssh:`.
    let held = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABHNzaDo=";
    assert!(PublicKey::parse("x", held).is_ok());
    assert_eq!(host_key(held), "host_key");
    assert!(PublicKey::parse("x", RSA).is_ok());
    assert_eq!(host_key(RSA), "host_key");
}

#[test]
fn a_snapshot_has_them_and_they_go_with_the_realm() {
    let mut world = World::before_the_first_entry();
    world.does(CreateRealm { name: "acme".into() });
    let empty = world.state.hash();
    world.does(put("a/b", "a"));
    world.does(put("c", "[::1]:22"));
    world.does(RotateVmKey { id: "c".into(), gateway_key: pair(3) });
    assert_ne!(world.state.hash(), empty);
    let again = State::from_snapshot(&world.state.to_snapshot(), builtin::schema().unwrap()).unwrap();
    assert_eq!(again.hash(), world.state.hash());
    let ids: Vec<_> = again.vms().iter_after(Some("a/b")).map(|vm| vm.form.id.to_string()).collect();
    assert_eq!(ids, ["c"]);
    let (changes, sealed, ()) = world.decides(&root(), &DeleteRealm { name: "acme".into() }).unwrap();
    assert_eq!(sealed.len(), 3);
    world.applies(changes);
    assert!(world.state.vms().is_empty());
}
