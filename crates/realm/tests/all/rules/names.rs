//! Which names are taken.

use grantd_realm::Refusal;
use grantd_realm::api_key::CreateApiKey;
use grantd_realm::command::Command;
use grantd_realm::realms::ListRealm;
use grantd_realm::repository::CreateRepository;
use grantd_realm::role::CreateRole;
use grantd_realm::user::CreateUser;

use crate::support::{World, root};

/// Each name must be taken or refused under this field; the long ones are shown shortened.
fn table<C: Command>(field: &str, good: &[&str], bad: &[&str], command: impl Fn(String) -> C) {
    for name in good {
        let outcome = World::new().tries(&root(), command((*name).into())).map(|_| ());
        assert_eq!(outcome, Ok(()), "{name:.20}");
    }
    for name in bad {
        match World::new().tries(&root(), command((*name).into())).map(|_| ()) {
            Err(Refusal::Invalid { field: named, .. }) => assert_eq!(named, field, "{name:.20}"),
            other => panic!("{name:.20}: {other:?}"),
        }
    }
}

#[test]
fn logins() {
    let (longest, too_long) = ("a".repeat(150), "a".repeat(151));
    let good = ["a", "A.b@c+d_e-9", "..", "@", &longest];
    let bad = ["", "a b", "a/b", "å", "a\n", "a#b", "a:b", "a*", "%41", &too_long];
    let make = |login| CreateUser { login, ..CreateUser::default() };
    table("login", &good, &bad, make);
}

#[test]
fn logins_differ_in_case() {
    let mut world = World::new();
    world.user("ann");
    world.user("Ann");
    assert_eq!(world.state.users().iter_after(None).count(), 2);
}

#[test]
fn names_of_users() {
    let (longest, too_long) = ("å".repeat(127), "å".repeat(128));
    let make = |name| CreateUser { login: "ann".into(), name: Some(name), ..CreateUser::default() };
    table(
        "name",
        &["", "Ann B. Ångström", &longest],
        &["a\u{0}", "a\nb", "\u{7f}", "\u{9b}", &too_long],
        make,
    );
}

#[test]
fn keys_of_roles() {
    let (longest, too_long) = ("r".repeat(255), "r".repeat(256));
    let good = ["qa", "Q-a_1", "-", &longest];
    let bad = ["", "a b", "a.b", "a/b", "a#b", "ä", &too_long];
    let make = |key| CreateRole { key, ..CreateRole::default() };
    table("key", &good, &bad, make);
}

#[test]
fn names_of_keys() {
    let (longest, too_long) = ("k".repeat(255), "k".repeat(256));
    let make = |name| CreateApiKey { name, expires: None, grants: Vec::new(), secret: None };
    table("name", &["ci", "ci of ann", &longest], &["", "a\tb", &too_long], make);
}

#[test]
fn names_of_realms() {
    let (longest, too_long) = ("r".repeat(64), "r".repeat(65));
    let bad = ["", "-a", "A", "a_b", "a.b", "a/b", "ä", "..", &too_long];
    table("realm", &["a", "9", "a-b-", &longest], &bad, |name| ListRealm { name });
}

#[test]
fn names_of_repositories() {
    let (longest, too_long) = ("r".repeat(255), "r".repeat(256));
    let make = |name| CreateRepository { name: Some(name), public: false, default_branch: "main".into() };
    table("name", &["site", "a/b c", &longest], &["", "a\rb", &too_long], make);
}

#[test]
fn branches() {
    let (longest, too_long) = ("b".repeat(200), "b".repeat(201));
    let good = ["main", "release/1.0", "a-b_c", "übung", "a.b", &longest];
    let bad = [
        "", "-x", "@", "a..b", "a.", ".a", "a/.b", "/a", "a/", "a//b", "a.lock", "a.lock/b", "a@{b", "a b",
        "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "a\tb", "a\u{7f}", "$(x)", "`x`", "a;b", "a|b",
        "a>b", &too_long,
    ];
    let make = |default_branch| CreateRepository { name: None, public: false, default_branch };
    table("defaultBranch", &good, &bad, make);
}
