//! VM grants: who may log in as whom.

use grantd_realm::Refusal;
use grantd_realm::identity::{CreateIdentity, Identity};
use grantd_realm::refusal::Noun;
use grantd_realm::vm_grant::{
    GrantVm, RevokeVm, UpdateVmGrant, VM_TYPE, VmGrantView, describe, list, login_place,
};
use uuid::Uuid;

use crate::support::{World, invalid_field, root};

fn world() -> (World, Uuid) {
    let mut world = World::new();
    let identity = world.does(CreateIdentity { managed: false }).id;
    (world, identity)
}

fn users(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn grant(identity: Uuid, vm: &str, allowed_users: Option<Vec<String>>) -> GrantVm {
    GrantVm { identity, vm: vm.into(), allowed_users }
}

fn update(identity: Uuid, vm: &str, allowed_users: Option<Vec<String>>) -> UpdateVmGrant {
    UpdateVmGrant { identity, vm: vm.into(), allowed_users }
}

fn may(world: &World, identity: Uuid, vm: &str, user: &str) -> bool {
    let object = grantd_realm::engine::Object::new(VM_TYPE, &login_place(vm, user).unwrap()).unwrap();
    world.allows(&format!("identity:{identity}"), "login", &object.to_string())
}

fn described(world: &World, identity: Uuid, vm: &str) -> Option<VmGrantView> {
    describe(&world.state, Identity::find(&world.state, identity).unwrap(), vm)
}

#[test]
fn null_is_everybody_and_an_empty_list_is_nobody() {
    let (mut world, identity) = world();
    world.does(grant(identity, "open", None));
    world.does(grant(identity, "shut", users(&[])));
    world.does(grant(identity, "some", users(&["dev", "ops", "dev"])));
    for user in ["root", "dev", "anybody"] {
        assert!(may(&world, identity, "open", user), "{user}");
        assert!(!may(&world, identity, "shut", user), "{user}");
    }
    assert!(may(&world, identity, "some", "dev") && may(&world, identity, "some", "ops"));
    assert!(!may(&world, identity, "some", "root"));
    let shown = |vm| described(&world, identity, vm).unwrap().allowed_users;
    assert_eq!((shown("open"), shown("shut")), (None, users(&[])));
    assert_eq!(shown("some"), users(&["dev", "ops"]));
}

#[test]
fn an_update_keeps_id_and_time_and_leaves_nothing_of_the_old_list() {
    let (mut world, identity) = world();
    let made = world.does(grant(identity, "v", None));
    let lists = [users(&["dev"]), users(&[]), users(&["ops", "dev"]), None, users(&["ops"]), users(&["dev"])];
    for list in lists {
        world.now += 1_000;
        let changed = world.does(update(identity, "v", list.clone()));
        assert_eq!((changed.id, changed.granted_at), (made.id, made.granted_at));
        let sorted = list.clone().map(|mut users| {
            users.sort();
            users
        });
        assert_eq!(changed.allowed_users, sorted);
        assert_eq!(described(&world, identity, "v"), Some(changed));
        for user in ["dev", "ops", "root"] {
            let expected = list.as_ref().is_none_or(|users| users.iter().any(|one| one == user));
            assert_eq!(may(&world, identity, "v", user), expected, "{list:?} {user}");
        }
        let entries = world.entries.len();
        world.does(update(identity, "v", list));
        assert_eq!(world.entries.len(), entries, "the same again is no change");
    }
    world.does(RevokeVm { identity, vm: "v".into() });
    assert!(!may(&world, identity, "v", "dev"));
    assert_eq!(described(&world, identity, "v"), None);
}

#[test]
fn two_vms_that_differ_in_their_encoding_only_never_open_each_other() {
    let vms = [
        "a/b", "a%2Fb", "a%2fb", "a", "b", ".", "..", "%2E", "%2E%2E", "%", "a b", "a#b", "a:b", "*",
        "a/b/dev",
    ];
    for list in [None, users(&["dev"])] {
        for opened in vms {
            let (mut world, identity) = world();
            world.does(grant(identity, opened, list.clone()));
            for vm in vms {
                assert_eq!(may(&world, identity, vm, "dev"), vm == opened, "{opened} was opened, not {vm}");
                assert_eq!(described(&world, identity, vm).is_some(), vm == opened);
            }
        }
    }
}

#[test]
fn grants_are_listed_as_made() {
    let (mut world, identity) = world();
    for vm in ["b", "a", "a/b", "c"] {
        world.does(grant(identity, vm, users(&["dev"])));
    }
    world.does(RevokeVm { identity, vm: "a".into() });
    world.does(grant(identity, "a", None));
    let listed = list(&world.state, Identity::find(&world.state, identity).unwrap());
    let listed: Vec<_> = listed.into_iter().map(|grant| (grant.vm, grant.allowed_users)).collect();
    let dev = || users(&["dev"]);
    let expected = [("b", dev()), ("a/b", dev()), ("c", dev()), ("a", None)];
    assert_eq!(listed, expected.map(|(vm, list)| (vm.to_owned(), list)));
}

#[test]
fn names_of_vms_and_linux_users() {
    let (longest, too_long) = ("v".repeat(255), "v".repeat(256));
    for vm in ["v", "å", "a/b", ".", "..", &longest] {
        let (mut world, identity) = world();
        assert!(world.tries(&root(), grant(identity, vm, None)).is_ok(), "{vm:.20}");
    }
    for vm in ["", "a\n", "\u{7f}", &too_long] {
        let (mut world, identity) = world();
        assert_eq!(invalid_field(world.tries(&root(), grant(identity, vm, None))), "vmId", "{vm:.20}");
    }
    let (long, longer) = (format!("a{}", "b".repeat(31)), format!("a{}", "b".repeat(32)));
    let (long_with_sign, longer_with_sign) = (format!("{long}$"), format!("{longer}$"));
    for user in ["root", "_x", "a.b-c_9", "www-data", "machine$", &long, &long_with_sign] {
        let (mut world, identity) = world();
        assert!(world.tries(&root(), grant(identity, "v", users(&[user]))).is_ok(), "{user}");
        assert!(may(&world, identity, "v", user), "{user}");
    }
    for user in
        ["", ".", "..", "../x", "A", "9a", "-a", "a$b", "$", "a b", "å", "a\n", &longer, &longer_with_sign]
    {
        let (mut world, identity) = world();
        assert_eq!(
            invalid_field(world.tries(&root(), grant(identity, "v", users(&["dev", user])))),
            "allowedUsers"
        );
        world.does(grant(identity, "v", users(&["dev"])));
        assert_eq!(
            invalid_field(world.tries(&root(), update(identity, "v", users(&[user])))),
            "allowedUsers"
        );
    }
}

#[test]
fn a_managed_identity_is_not_changed() {
    let mut world = World::new();
    let id = world.does(CreateIdentity { managed: true }).id;
    assert_eq!(world.tries(&root(), grant(id, "v", None)), Err(Refusal::ManagedIdentity(id)));
}

#[test]
fn a_grant_is_made_once_and_changed_only_if_there() {
    let (mut world, identity) = world();
    let absent = Refusal::not_found(Noun::VmGrant, "v");
    assert_eq!(world.tries(&root(), update(identity, "v", None)), Err(absent.clone()));
    assert_eq!(world.tries(&root(), RevokeVm { identity, vm: "v".into() }), Err(absent));
    world.does(grant(identity, "v", users(&[])));
    assert_eq!(world.tries(&root(), grant(identity, "v", None)), Err(Refusal::exists(Noun::VmGrant, "v")));
    assert!(!may(&world, identity, "v", "root"));
}

#[test]
fn what_is_no_user_of_a_machine_has_no_place_on_it() {
    assert_eq!(login_place("a/b", "dev").as_deref(), Some("/a%2Fb/dev/"));
    for user in ["", ".", "..", "a/b", "a b", "Root", "-x", "dev\n"] {
        assert_eq!(login_place("v", user), None, "{user}");
    }
    assert_eq!((login_place("", "dev"), login_place("a\n", "dev")), (None, None));
}
