//! Operations on URIs.

use grantd_realm::basis::{Basis, Delegation};
use grantd_realm::caller::Authority::{Operator, Writer};
use grantd_realm::caller::Caller;
use grantd_realm::command::Secret;
use grantd_realm::engine::path;
use grantd_realm::managed::SUPER_USERS;
use grantd_realm::pulp::{
    BadUri, GrantOperations, Grantee, MAX_URI, Operation, PulpUri, RevokeOperations, may, permissions,
    user_permissions,
};
use grantd_realm::role::{AddMember, Member};
use grantd_realm::user::{CreateUser, DeleteUser, UpdateUser};
use grantd_realm::{Refusal, State};
use proptest::prelude::*;

use crate::support::{World, came_to, deleting, lasting, root, with, writing};

use Operation::{Create, Delete, Execute, Read, Update};

fn uri(text: &str) -> PulpUri {
    PulpUri::normalise(text).unwrap_or_else(|problem| panic!("{text}: {problem}"))
}

fn by(on: &str, operation: Operation) -> Basis {
    Basis::Pulp { uri: uri(on), operation, delegation: Delegation::Free }
}

fn grant(to: Grantee, on: &str, operations: &[Operation]) -> GrantOperations {
    GrantOperations { to, resource: uri(on), operations: operations.to_vec(), basis: Basis::Grantd }
}

fn revoke(from: Grantee, on: &str, operations: &[Operation]) -> RevokeOperations {
    RevokeOperations { from, resource: uri(on), operations: operations.to_vec(), basis: Basis::Grantd }
}

fn ann() -> Grantee {
    Grantee::User("ann".into())
}

fn qa() -> Grantee {
    Grantee::Role("qa".into())
}

/// `ann` is in `qa`, which nothing was granted to.
fn world() -> (World, Caller) {
    let mut world = World::new();
    let ann = world.user("ann");
    world.role("qa");
    world.does(AddMember { role: "qa".into(), member: Member::User("ann".into()), basis: Basis::Grantd });
    (world, ann)
}

fn holds(state: &State, caller: &Caller, on: &str) -> Vec<Operation> {
    let held = |operation: &Operation| may(state, caller, *operation, &uri(on), 0);
    Operation::ALL.into_iter().filter(held).collect()
}

fn listed(world: &World, on: &str) -> Vec<(String, Vec<Operation>)> {
    let found = permissions(&world.state, Some(&uri(on)), world.now);
    found.into_iter().flat_map(|one| one.users).map(|(login, held)| (login.to_string(), held)).collect()
}

#[test]
fn a_uri_has_one_spelling() {
    for (text, normal) in [
        ("/", "/"),
        ("/v2/x/", "/v2/x/"),
        ("v2/x", "/v2/x/"),
        ("/v2/x", "/v2/x/"),
        ("/pulp/api/v2/x/", "/v2/x/"),
        ("pulp/api/v2/x", "/v2/x/"),
        ("/pulp/api/", "/"),
        ("/pulp/api", "/"),
        ("/pulp/apis/", "/pulp/apis/"),
        ("/pulp/", "/pulp/"),
        ("/pulp/api/pulp/api/x/", "/x/"),
        ("/v2/users/a@b+c/", "/v2/users/a%40b%2Bc/"),
        ("/v2/users/a%40b%2bc/", "/v2/users/a%40b%2Bc/"),
        ("/%76%32/x", "/v2/x/"),
        ("/a b/", "/a%20b/"),
        ("/.../.a/", "/.../.a/"),
    ] {
        assert_eq!(uri(text).as_str(), normal, "{text}");
        assert_eq!(uri(normal).as_str(), normal, "normal stays so");
    }
    let deep = |segments: usize| format!("/{}/", vec!["a"; segments].join("/"));
    let long = |bytes: usize| format!("/{}/", "a".repeat(bytes - 2));
    assert_eq!(uri(&deep(64)).as_str(), deep(64));
    assert_eq!(uri(&long(MAX_URI)).as_str(), long(MAX_URI));
    let (too_deep, too_long, far_too_long) = (deep(65), long(MAX_URI + 1), long(10_000));
    for (text, problem) in [
        ("", BadUri::Empty),
        ("//", BadUri::EmptySegment),
        ("/a//b/", BadUri::EmptySegment),
        ("/pulp/api//", BadUri::EmptySegment),
        (".", BadUri::Dots),
        ("/a/../b/", BadUri::Dots),
        ("/a/./b/", BadUri::Dots),
        ("/a/%2e%2E/", BadUri::Dots),
        ("/a/.%2e", BadUri::Dots),
        ("/a%2Fb/", BadUri::EncodedSeparator),
        ("/a/%2f", BadUri::EncodedSeparator),
        ("/a\n/", BadUri::Control),
        ("/a%00/", BadUri::Control),
        (&too_deep, BadUri::TooDeep),
        (&too_long, BadUri::TooLong),
        (&far_too_long, BadUri::TooLong),
    ] {
        assert_eq!(PulpUri::normalise(text), Err(problem), "{text:.40}");
    }
    // As long as it may be, and longer once what must be is encoded.
    assert_eq!(PulpUri::normalise(&format!("/{}/", "@".repeat(400))), Err(BadUri::TooLong));
}

#[test]
fn the_uris_of_users_and_roles_are_normal() {
    for login in ["ann", "a.b@c+d_e-9", "@"] {
        assert_eq!(PulpUri::of_user(login), uri(&format!("/v2/users/{login}/")));
    }
    // Such a login has a URI of its own, which no path leads to.
    assert_eq!(PulpUri::of_user("..").as_str(), "/v2/users/%2E%2E/");
    assert_eq!(PulpUri::of_role("q-a_"), uri("/v2/roles/q-a_/"));
    assert_eq!(PulpUri::of_members("q-a_"), uri("/v2/roles/q-a_/users/"));
}

#[test]
fn operations_have_names_in_any_case() {
    for operation in Operation::ALL {
        assert_eq!(Operation::of_name(operation.name()), Some(operation));
        assert_eq!(Operation::of_name(operation.relation()), Some(operation));
    }
    assert_eq!(Operation::of_name("ReAd"), Some(Read));
    for unknown in ["", "READ ", "ALL", "0", "*"] {
        assert_eq!(Operation::of_name(unknown), None);
    }
}

#[test]
fn a_grant_counts_for_everything_below_by_whole_segments() {
    let (mut world, caller) = world();
    world.does(grant(ann(), "/v2/user/", &[Read]));
    for (on, held) in [
        ("/v2/user/", true),
        ("/v2/user/x/y/", true),
        ("/v2/users/", false),
        ("/v2/", false),
        ("/", false),
        ("/v2/use/", false),
    ] {
        assert_eq!(may(&world.state, &caller, Read, &uri(on), world.now), held, "{on}");
    }
    assert_eq!(holds(&world.state, &caller, "/v2/user/"), [Read], "no operation is part of another");
    world.does(grant(ann(), "/", &[Delete]));
    assert_eq!(holds(&world.state, &caller, "/anything/at/all/"), [Delete]);
}

#[test]
fn direct_grants_and_those_of_roles_are_kept_apart() {
    let (mut world, caller) = world();
    world.does(grant(ann(), "/x/", &[Read, Create]));
    world.does(grant(qa(), "/x/", &[Update, Read]));
    assert_eq!(listed(&world, "/x/"), [("ann".into(), vec![Create, Read, Update])]);
    assert_eq!(
        user_permissions(&world.state, "ann", world.now).last(),
        Some(&(uri("/x/"), vec![Create, Read]))
    );
    world.does(revoke(ann(), "/x/", &[Read, Update]));
    assert_eq!(holds(&world.state, &caller, "/x/"), [Create, Read, Update], "the role still gives READ");
    world.does(grant(ann(), "/x/", &[Read]));
    world.does(revoke(qa(), "/x/", &[Create, Read, Update]));
    assert_eq!(listed(&world, "/x/"), [("ann".into(), vec![Create, Read])], "nothing that was hers is lost");
    world.does(revoke(ann(), "/x/", &Operation::ALL));
    assert_eq!(permissions(&world.state, Some(&uri("/x/")), world.now), [], "nobody holds anything");
    let all = permissions(&world.state, None, world.now);
    let resources: Vec<&str> = all.iter().map(|one| one.resource.as_str()).collect();
    assert_eq!(resources, ["/v2/actions/login/", "/v2/actions/logout/", "/v2/users/ann/"]);
}

#[test]
fn members_by_way_of_other_roles_hold_it_too() {
    let (mut world, _) = world();
    world.role("all");
    let member = Member::Role("qa".into());
    world.does(AddMember { role: "all".into(), member, basis: Basis::Grantd });
    world.does(grant(Grantee::Role("all".into()), "/x/", &[Execute]));
    assert_eq!(listed(&world, "/x/"), [("ann".into(), vec![Execute])]);
    assert!(world.allows("user:ann", "execute", "pulp_uri:/x/y/"));
}

#[test]
fn a_grant_that_changes_nothing_makes_no_entry() {
    let (mut world, _) = world();
    world.does(grant(ann(), "/x/", &[Read, Read, Update]));
    assert_eq!(world.entries.last().unwrap().1.len(), 2);
    let entries = world.entries.len();
    world.does(grant(ann(), "/pulp/api/x", &[Update]));
    world.does(revoke(ann(), "/x/", &[Delete]));
    world.does(revoke(ann(), "/never/named/", &[Delete]));
    assert_eq!(world.entries.len(), entries);
    let nobody = Grantee::User("nobody".into());
    assert!(matches!(world.tries(&root(), grant(nobody, "/x/", &[Read])), Err(Refusal::NotFound { .. })));
    let none = Grantee::Role("none".into());
    assert!(matches!(world.tries(&root(), revoke(none, "/x/", &[Read])), Err(Refusal::NotFound { .. })));
}

#[test]
fn a_grant_takes_away_the_limit_of_one_before() {
    let (mut world, caller) = world();
    let until = Some(world.now + 10);
    let limited = grantd_realm::engine::Relationship { until, ..lasting("pulp_uri:/x/#read@user:ann") };
    world.applies(vec![grantd_realm::Change::RelationshipWritten { relationship: limited }]);
    assert!(may(&world.state, &caller, Read, &uri("/x/"), world.now));
    assert!(!may(&world.state, &caller, Read, &uri("/x/"), world.now + 10));
    world.does(grant(ann(), "/x/", &[Read]));
    assert!(may(&world.state, &caller, Read, &uri("/x/"), world.now + 10));
}

#[test]
fn every_user_may_sign_in_and_look_after_themselves() {
    let mut world = World::new();
    let caller = world.user("a@b");
    for on in ["/v2/actions/login/", "/v2/actions/logout/", "/v2/users/a@b/"] {
        assert_eq!(holds(&world.state, &caller, on), [Read, Update], "{on}");
    }
    for on in ["/", "/v2/users/", "/v2/users/other/", "/v2/actions/", "/v2/roles/", "/v2/permissions/"] {
        assert_eq!(holds(&world.state, &caller, on), [], "{on}");
    }
}

#[test]
fn who_makes_a_user_over_the_dialect_looks_after_them() {
    let (mut world, caller) = world();
    let make =
        || CreateUser { login: "new".into(), basis: by("/v2/users/", Create), ..CreateUser::default() };
    let refused = world.tries(&caller, make()).map(|_| ());
    assert_eq!(refused, Err(Refusal::OperationDenied { operation: Create }));
    world.does(grant(ann(), "/v2/users/", &[Create]));
    world.tries(&caller, make()).unwrap();
    assert_eq!(holds(&world.state, &caller, "/v2/users/new/"), Operation::ALL);
    let gone = DeleteUser { login: "new".into(), basis: by("/v2/users/new/", Delete) };
    world.tries(&caller, gone).unwrap();
    assert_eq!(holds(&world.state, &caller, "/v2/users/new/"), [Create], "what was granted above stays");
    // One of the same login owes nothing to who made the first.
    world.user("new");
    assert_eq!(holds(&world.state, &caller, "/v2/users/new/"), [Create]);
}

#[test]
fn nobody_makes_themselves_a_member() {
    let (mut world, caller) = world();
    world.role("ops");
    let join = |role: &str| UpdateUser {
        login: "ann".into(),
        roles: Some(vec!["qa".into(), role.into()]),
        basis: by("/v2/users/ann/", Update),
        ..UpdateUser::default()
    };
    let denied = Err(Refusal::OperationDenied { operation: Update });
    for role in ["ops", SUPER_USERS, "none"] {
        assert_eq!(world.tries(&caller, join(role)).map(|_| ()), denied, "{role}");
    }
    world.does(grant(ann(), "/v2/roles/", &[Update]));
    assert!(world.tries(&caller, join("ops")).is_ok());
    assert!(matches!(world.tries(&caller, join(SUPER_USERS)).map(|_| ()), Err(Refusal::NotHeld(_))));
    // Nor by a role that is worth something on grantd itself.
    world.role("chiefs");
    world.force("grantd:default#operator@role:chiefs#member");
    assert_eq!(world.tries(&caller, join("chiefs")).map(|_| ()), Err(Refusal::NotHeld(Operator)));
    let add = AddMember {
        role: "chiefs".into(),
        member: Member::User("ann".into()),
        basis: by("/v2/roles/chiefs/users/", Update),
    };
    assert_eq!(world.tries(&caller, add), Err(Refusal::NotHeld(Operator)));
}

#[test]
fn where_only_what_is_held_may_be_granted() {
    let (mut world, caller) = world();
    world.user("bob");
    world.does(grant(ann(), "/v2/permissions/actions/", &[Execute]));
    world.does(grant(ann(), "/x/", &[Read]));
    world.does(grant(qa(), "/x/y/", &[Update]));
    let on = uri("/v2/permissions/actions/grant_to_user/");
    let basis = Basis::Pulp { uri: on, operation: Execute, delegation: Delegation::Held };
    let to = |login: &str, on: &str, operations: &[Operation]| GrantOperations {
        basis: basis.clone(),
        ..grant(Grantee::User(login.into()), on, operations)
    };
    let denied = |operation| Err(Refusal::OperationDenied { operation });
    assert!(world.tries(&caller, to("bob", "/x/deeper/", &[Read])).is_ok(), "held above is held here");
    assert!(world.tries(&caller, to("bob", "/x/y/", &[Update, Read])).is_ok(), "by a role as well");
    assert_eq!(world.tries(&caller, to("bob", "/x/", &[Read, Update])), denied(Update), "all or nothing");
    assert_eq!(world.tries(&caller, to("ann", "/", &[Read])), denied(Read));
    // A grant has no end: who holds something for a time must not get, or give, it for ever.
    let until = Some(world.now + 10);
    let limited = lasting("pulp_uri:/z/#read@user:ann");
    let limited = grantd_realm::engine::Relationship { until, ..limited };
    world.applies(vec![grantd_realm::Change::RelationshipWritten { relationship: limited }]);
    for login in ["ann", "bob"] {
        assert_eq!(world.tries(&caller, to(login, "/z/", &[Read])), denied(Read), "{login}");
    }
    // What others hold may be taken from them, as upstream has it.
    let RevokeOperations { from, resource, operations, .. } =
        revoke(Grantee::User("bob".into()), "/x/y/", &[Update]);
    assert!(world.tries(&caller, RevokeOperations { from, resource, operations, basis }).is_ok());
}

#[test]
fn nobody_takes_over_who_holds_more() {
    let (mut world, caller) = world();
    world.super_user("boss");
    world.super_user("other");
    world.does(grant(ann(), "/v2/users/", &Operation::ALL));
    let password = || Some(Secret("$hash$".into()));
    let set = |login: &str| UpdateUser {
        login: login.into(),
        password: password(),
        basis: by(&format!("/v2/users/{login}/"), Update),
        ..UpdateUser::default()
    };
    assert!(matches!(world.tries(&caller, set("boss")), Err(Refusal::NotHeld(_))));
    let gone = DeleteUser { login: "boss".into(), basis: by("/v2/users/boss/", Delete) };
    assert!(matches!(world.tries(&caller, gone), Err(Refusal::NotHeld(_))));
    assert!(world.tries(&caller, set("ann")).is_ok());
    let name = Some(Some("Boss".into()));
    let rename = UpdateUser { name, password: None, ..set("boss") };
    assert!(world.tries(&caller, rename).is_ok(), "a name decides nothing");
}

#[test]
fn a_relationship_about_the_realm_itself_needs_an_operator() {
    let mut world = World::new();
    world.role("qa");
    let writer = with(&[Writer]);
    let refused = Err(Refusal::NotHeld(Operator));
    for on in ["/", "/v2/", "/v2/users/", "/v2/users/ann/", "/v2/roles/qa/users/", "/v2/permissions/actions/"]
    {
        let key = format!("pulp_uri:{on}#update@user:ann");
        assert_eq!(world.tries(&writer, writing(&key)), refused, "{on}");
        assert_eq!(world.tries(&writer, deleting(&key)), refused, "{on}");
        assert_eq!(world.tries(&with(&[Writer, Operator]), writing(&key)), Ok(came_to(1, 0)), "{on}");
    }
    for on in ["/v2/user/", "/v2/usersx/", "/v2/repositories/", "/x/", "/V2/users/", "/v1/"] {
        let key = format!("pulp_uri:{on}#update@user:ann");
        assert_eq!(world.tries(&writer, writing(&key)), Ok(came_to(1, 0)), "{on}");
    }
    // To be in a role is worth what the role holds, and those that it is in.
    assert_eq!(world.tries(&writer, writing("role:qa#member@user:ann")), Ok(came_to(1, 0)));
    world.does(grant(Grantee::Role("qa".into()), "/x/", &[Read]));
    assert_eq!(world.tries(&writer, writing("role:qa#member@user:bob")), Ok(came_to(1, 0)));
    world.does(grant(Grantee::Role("qa".into()), "/v2/roles/", &[Update]));
    assert_eq!(world.tries(&writer, writing("role:qa#member@user:cyd")), refused);
    assert_eq!(world.tries(&writer, deleting("role:qa#member@user:bob")), refused);
    assert_eq!(world.tries(&writer, writing("role:dev#member@user:cyd")), Ok(came_to(1, 0)));
    world.does(writing("role:qa#member@role:dev#member"));
    assert_eq!(world.tries(&writer, writing("role:dev#member@user:dan")), refused);
}

#[test]
fn a_caller_from_outside_the_realm_holds_what_an_admin_holds() {
    use grantd_realm::caller::Authority;
    let world = World::new();
    assert!(may(&world.state, &root(), Delete, &uri("/v2/users/"), world.now));
    let all_but: Vec<Authority> = Authority::ALL.into_iter().filter(|one| *one != Authority::Admin).collect();
    assert!(!may(&world.state, &with(&all_but), Read, &uri("/v2/users/"), world.now));
}

/// Texts that are nearly URIs.
fn nearly() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("/"),
        Just("pulp"),
        Just("api"),
        Just("."),
        Just(".."),
        Just("%2e"),
        Just("%2F"),
        Just("%"),
        Just("a"),
        Just("@"),
        Just("é"),
        Just("%40"),
        Just("\\"),
        Just("?x=y"),
        Just("#"),
        Just(" "),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

    #[test]
    fn a_spelling_is_the_one_or_none(text in prop_oneof![nearly(), any::<String>()]) {
        let Ok(uri) = PulpUri::normalise(&text) else { return Ok(()) };
        let normal = uri.as_str();
        let as_the_engine_spells_it = path::normalise(normal).map(std::borrow::Cow::into_owned);
        prop_assert_eq!(as_the_engine_spells_it.as_deref(), Ok(normal));
        prop_assert_eq!(PulpUri::normalise(normal), Ok(uri.clone()));
        let is_mount = text.trim_matches('/').split("pulp/api").all(|between| ["", "/"].contains(&between));
        prop_assert!(normal != "/" || is_mount);
        prop_assert!(!normal.split('/').any(|segment| segment == "." || segment == ".."));
    }
}
