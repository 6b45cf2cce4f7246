//! Roles, grants, and who may do what.

use serde_json::Value;

use crate::support::Place;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn roles_come_and_go() {
    let place = Place::new();
    let server = place.serve(&[]);
    let made =
        server.run(&["role", "create", "qa", "--name", "Quality", "--description", "who tests"]).good();
    assert_eq!(made, "role qa is made\n");
    server.run(&["role", "create", "dev"]).good();
    for login in ["alice", "bob"] {
        server.run(&["user", "create", login, "--role", "dev"]).good();
    }
    let added = server.run(&["role", "add", "qa", "alice", "user:bob", "role:dev#member"]).good();
    assert_eq!(added, "alice is in role qa\nuser:bob is in role qa\nrole:dev#member is in role qa\n");
    let table = server.run(&["role", "list"]).good();
    assert!(
        table.starts_with("KEY") && table.contains("Quality") && table.contains("super-users"),
        "{table}"
    );
    let shown = json(&server.run(&["role", "show", "qa", "--json"]).good());
    assert_eq!(shown["description"], "who tests");
    let members: Vec<&str> =
        shown["members"].as_array().unwrap().iter().map(|one| one["member"].as_str().unwrap()).collect();
    assert_eq!(members, ["user:alice", "user:bob", "role:dev#member"]);
    server.run(&["role", "remove", "qa", "bob"]).good();
    server.run(&["role", "set", "qa", "--no-name"]).good();
    let shown = server.run(&["role", "show", "qa"]).good();
    assert!(!shown.contains("bob") && !shown.contains("Quality") && shown.contains("user:alice"), "{shown}");
    server.run(&["user", "set", "alice", "--role", "qa"]).good();
    assert_eq!(json(&server.run(&["user", "show", "alice", "--json"]).good())["roles"][0], "qa");
    server.run(&["user", "set", "alice", "--no-roles"]).good();
    assert_eq!(json(&server.run(&["user", "show", "alice", "--json"]).good())["roles"], json("[]"));
    server.run(&["role", "delete", "qa"]).good();
    let said = server.run(&["role", "show", "qa"]).error();
    assert_eq!(said, "error: there is no role `qa` (not_found)\n");
    let said = server.run(&["role", "remove", "super-users", "admin"]).error();
    assert!(said.contains("(last_super_user)"), "{said}");
}

#[test]
fn who_can_and_why() {
    let place = Place::new();
    let server = place.serve(&[]);
    server.run(&["role", "create", "qa"]).good();
    server.run(&["user", "create", "alice", "--role", "qa"]).good();
    let zoo = "pulp_uri:/v2/repositories/zoo/";
    let granted = server.run(&["grant", "role:qa#member", "update", "pulp_uri:/v2/repositories/"]).good();
    assert_eq!(granted, "role:qa#member has `update` on pulp_uri:/v2/repositories/\n");
    let again = server.run(&["grant", "role:qa#member", "update", "pulp_uri:/v2/repositories/"]).good();
    assert!(again.ends_with(" already\n"), "{again}");
    assert_eq!(server.run(&["who", "can", "update", zoo]).good(), "user:admin\nuser:alice\n");
    let why = server.run(&["who", "can", "update", zoo, "--why"]).good();
    assert!(why.contains("  because role:qa#member@user:alice\n"), "{why}");
    assert!(why.contains("  because pulp_uri:/#update@role:super-users#member\n"), "{why}");
    let roles = server.run(&["who", "can", "update", zoo, "--type", "role"]);
    assert_eq!(roles.code, 1, "{roles:?}");
    assert!(roles.err.contains("nobody of the types role may"), "{roles:?}");
    let found = json(&server.run(&["who", "is", "user:alice", "--type", "pulp_uri", "--json"]).good());
    let has = |action: &str, resource: &str| {
        found.as_array().unwrap().iter().any(|one| one["action"] == action && one["resource"] == resource)
    };
    assert!(
        has("update", "pulp_uri:/v2/repositories/") && has("read", "pulp_uri:/v2/users/alice/"),
        "{found}"
    );
    assert!(!has("delete", "pulp_uri:/v2/users/alice/"));
    let all = server.run(&["who", "is", "user:alice"]).good();
    assert!(all.contains("member") && all.contains("role:qa"), "{all}");
    assert_eq!(server.run(&["who", "is", "user:nobody"]).code, 1);
    let revoked = server.run(&["revoke", "role:qa#member", "update", "pulp_uri:/v2/repositories/"]).good();
    assert!(revoked.ends_with("is revoked\n"), "{revoked}");
    let nothing = server.run(&["revoke", "role:qa#member", "update", "pulp_uri:/v2/repositories/"]).good();
    assert!(nothing.contains("was not granted"), "{nothing}");
    assert_eq!(server.run(&["check", "user:alice", "update", zoo]).code, 1);
    let said = server.run(&["grant", "user:alice", "admin", "grantd:default"]).error();
    assert!(said.contains("(managed_relation)"), "{said}");
}

#[test]
fn a_grant_may_have_an_end() {
    let place = Place::new();
    let server = place.serve(&[]);
    server.run(&["grant", "user:alice", "read", "pulp_uri:/x/", "--until", "2999-01-01T00:00:00Z"]).good();
    let why = server.run(&["who", "can", "read", "pulp_uri:/x/", "--why"]).good();
    assert!(why.contains("pulp_uri:/x/#read@user:alice until 2999-01-01T00:00:00"), "{why}");
    let said = server.run(&["grant", "user:alice", "read", "pulp_uri:/x/", "--until", "soon"]).error();
    assert!(said.contains("RFC 3339"), "{said}");
}
