//! The authority that signs client certificates: one at a time, its key never without its certificate.

use grantd_realm::caller::Authority;
use grantd_realm::client_ca::MakeClientCa;
use grantd_realm::command::{SealedWrite, Secret};
use grantd_realm::realms::{CreateRealm, DeleteRealm};
use grantd_realm::{Refusal, State};

use crate::support::{World, root, with};

fn make(replaces: u32) -> MakeClientCa {
    let key = Secret(format!("key after {replaces}"));
    MakeClientCa { certificate: vec![0x30, u8::try_from(replaces).unwrap()], key, until: 7, replaces }
}

fn put(version: u32) -> SealedWrite {
    let value = Secret(format!("key after {}", version - 1));
    SealedWrite::Put { name: format!("client-ca/{version}"), version: 1, value }
}

fn delete(version: u32) -> SealedWrite {
    SealedWrite::Delete { name: format!("client-ca/{version}") }
}

fn in_force(state: &State) -> Option<(u32, Vec<u8>)> {
    state.client_ca().map(|ca| (ca.version, ca.certificate.to_vec()))
}

#[test]
fn each_takes_the_place_of_the_one_before() {
    let mut world = World::new();
    assert_eq!(in_force(&world.state), None);
    let (changes, sealed, ()) = world.decides(&root(), &make(0)).unwrap();
    assert_eq!(sealed, [put(1)]);
    world.applies(changes);
    assert_eq!(in_force(&world.state), Some((1, vec![0x30, 0])));
    let (changes, sealed, ()) = world.decides(&root(), &make(1)).unwrap();
    assert_eq!(sealed, [put(2), delete(1)]);
    world.applies(changes);
    assert_eq!(in_force(&world.state), Some((2, vec![0x30, 1])));
}

#[test]
fn of_two_that_are_made_at_once_one_comes_into_force() {
    let mut world = World::new();
    world.does(make(0));
    for late in [0, 2, 9] {
        let (changes, sealed, ()) = world.decides(&root(), &make(late)).unwrap();
        assert!(changes.is_empty() && sealed.is_empty(), "{late}");
    }
}

#[test]
fn nobody_but_an_administrator_makes_one() {
    let mut world = World::new();
    let refused = world.tries(&with(&[Authority::Operator, Authority::Writer]), make(0));
    assert_eq!(refused, Err(Refusal::NotAllowed(Authority::Admin)));
}

#[test]
fn the_states_hash_and_its_snapshot_know_it() {
    let mut world = World::new();
    let before = world.state.hash();
    world.does(make(0));
    let with_one = world.state.hash();
    assert_ne!(before, with_one);
    let read =
        State::from_snapshot(&world.state.to_snapshot(), world.state.graph().schema().clone()).unwrap();
    assert_eq!(in_force(&read), in_force(&world.state));
    world.does(make(1));
    assert_ne!(world.state.hash(), with_one);
}

#[test]
fn it_goes_with_the_realm() {
    let mut world = World::before_the_first_entry();
    world.does(CreateRealm { name: "acme".into() });
    world.does(make(0));
    let (changes, sealed, ()) = world.decides(&root(), &DeleteRealm { name: "acme".into() }).unwrap();
    assert_eq!(sealed, [delete(1)]);
    world.applies(changes);
    assert_eq!(in_force(&world.state), None);
}
