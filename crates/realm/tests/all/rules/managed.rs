//! Relations that a record or a rule stands behind change only by their own command.

use grantd_realm::Refusal;
use grantd_realm::relationship::WriteRelationships;

use crate::support::{World, deleting, key_of, lasting, root, writing};

/// A key, the relation that the refusal names, and a word of the call that it points to.
const MANAGED: [(&str, &str, &str); 8] = [
    ("grantd:default#admin@user:ann", "grantd#admin", "/api/v1/keys"),
    ("grantd:default#admin@role:qa#member", "grantd#admin", "/api/v1/keys"),
    ("role:super-users#member@user:ann", "role#member", "/api/v1/roles/super-users/members"),
    ("role:super-users#member@role:qa#member", "role#member", "/api/v1/roles/super-users/members"),
    ("pulp_uri:/#read@role:super-users#member", "pulp_uri#read", "another role"),
    ("pulp_uri:/x/#delete@role:super-users#member", "pulp_uri#delete", "another role"),
    ("fs_vm:/v/dev/#login@identity:x", "fs_vm#login", "permissions/vm"),
    ("fs_repo:x#read@identity:*", "fs_repo#read", "visibility"),
];

#[test]
fn a_generic_write_or_delete_is_refused_and_told_where_to_go() {
    for (key, named, call) in MANAGED {
        for command in [writing(key), deleting(key)] {
            match World::new().tries(&root(), command) {
                Err(Refusal::ManagedRelation { relation, instead }) => {
                    assert_eq!(relation, named, "{key}");
                    assert!(instead.contains(call), "{key}: {instead}");
                }
                other => panic!("{key}: {other:?}"),
            }
        }
    }
}

#[test]
fn one_managed_relation_refuses_the_whole_call() {
    for (managed, ..) in MANAGED {
        let mut world = World::new();
        let before = world.state.hash();
        let write = vec![lasting("role:qa#member@user:ann"), lasting(managed)];
        let outcome =
            world.tries(&root(), WriteRelationships { write, delete: Vec::new(), require: Vec::new() });
        assert!(matches!(outcome, Err(Refusal::ManagedRelation { .. })), "{managed}: {outcome:?}");
        let delete = vec![key_of("role:qa#member@user:ann"), key_of(managed)];
        let outcome =
            world.tries(&root(), WriteRelationships { write: Vec::new(), delete, require: Vec::new() });
        assert!(matches!(outcome, Err(Refusal::ManagedRelation { .. })), "{managed}: {outcome:?}");
        assert_eq!(world.state.hash(), before);
    }
}

#[test]
fn their_neighbours_are_free() {
    for key in [
        "grantd:default#operator@user:ann",
        "role:super-user#member@user:ann",
        "role:qa#member@role:super-users#member",
        "fs_repo:x#read@identity:y",
        "fs_repo:x#write@identity:y",
        "pulp_uri:/#read@role:qa#member",
        "pulp_uri:/#read@user:super-users",
    ] {
        assert!(World::new().tries(&root(), writing(key)).is_ok(), "{key}");
    }
}
