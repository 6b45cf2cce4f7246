//! Shapes that SpiceDB's benchmarks check: groups in groups, a chain of parents, and an arrow with many ends. The denials are
//! ours: somebody who is known elsewhere asks for the same.

use super::{Ask, Dice, Fact};

/// One of them.
pub(crate) struct Shape {
    pub(crate) title: &'static str,
    pub(crate) model: &'static str,
    pub(crate) facts: Vec<Fact>,
    pub(crate) hits: Vec<Ask>,
    pub(crate) misses: Vec<Ask>,
}

fn ask(subject: &str, action: &'static str, kind: &'static str, resource: &str, allowed: bool) -> Ask {
    Ask { subject_kind: "user", subject: subject.into(), action, kind, resource: resource.into(), allowed }
}

fn text(of: &str) -> String {
    of.to_owned()
}

/// A group of 9 x 9 groups, each of which has one group as a member; one user at the end of the last.
pub(crate) fn wide_groups() -> Shape {
    let group = |id: &str| ("group", text(id));
    let member =
        |of: &str, inner: &str| Fact::direct(group(of), "member", ("group", text(inner))).of("member");
    let mut facts =
        vec![Fact::direct(("resource", text("some")), "viewer", ("group", text("eng"))).of("member")];
    for (x, y) in (1..=9).flat_map(|x| (1..=9).map(move |y| (x, y))) {
        let (outer, inner) = (format!("eng-{x}{y}"), format!("eng-{x}{y}-1"));
        facts.push(member("eng", &outer));
        facts.push(member(&outer, &inner));
    }
    facts.push(Fact::direct(group("eng-99-1"), "member", ("user", text("tom"))));
    facts.push(Fact::direct(group("sales"), "member", ("user", text("fred"))));
    Shape {
        title: "wide groups (9 x 9 lattice)",
        model: "\
type user
type group
  relations
    define member: [user, group#member]
type resource
  relations
    define viewer: [user, group#member]
    define view: viewer
",
        facts,
        hits: vec![ask("tom", "view", "resource", "some", true)],
        misses: vec![ask("fred", "view", "resource", "some", false)],
    }
}

/// A document with a chain of 30 parents; one user who may view the last but one.
pub(crate) fn deep_chain() -> Shape {
    let document = |n: usize| ("document", if n == 0 { text("target") } else { n.to_string() });
    let mut facts: Vec<_> = (0..=30).map(|n| Fact::direct(document(n), "parent", document(n + 1))).collect();
    facts.push(Fact::direct(document(29), "view", ("user", text("slow"))));
    facts.push(Fact::direct(("document", text("elsewhere")), "view", ("user", text("fred"))));
    Shape {
        title: "folder chain, 30 deep",
        model: "\
type user
type document
  relations
    define parent: [document]
    define view: [user]
    define viewer: view or viewer from parent
",
        facts,
        hits: vec![ask("slow", "viewer", "document", "target", true)],
        misses: vec![ask("fred", "viewer", "document", "target", false)],
    }
}

/// 10 files in 30 of 97 groups each, 20 of 997 users in each group: file `f` is in the groups 0, f+1, 2(f+1), ..., group `g`
/// has the users 0, g+1, 2(g+1), ..., each modulo their number.
pub(crate) fn wide_arrow() -> Shape {
    const FILES: usize = 10;
    const GROUPS: usize = 97;
    const USERS: usize = 997;
    let groups_of = |file: usize| (0..30).map(move |n| n * (file + 1) % GROUPS);
    let users_of = |group: usize| (0..20).map(move |n| n * (group + 1) % USERS);
    let mut facts = Vec::new();
    for file in 0..FILES {
        facts.extend(groups_of(file).map(|group| {
            Fact::direct(("file", format!("file{file}")), "group", ("group", format!("group{group}")))
        }));
    }
    for group in 0..GROUPS {
        facts.extend(users_of(group).map(|user| {
            Fact::direct(("group", format!("group{group}")), "member", ("user", format!("user{user}")))
        }));
    }
    let mut dice = Dice::new(12 << 56);
    let mut asks = |allowed: bool| -> Vec<Ask> {
        std::iter::repeat_with(|| (dice.roll(FILES), dice.roll(GROUPS), dice.roll(20)))
            // Somebody of some group, so that everybody is known.
            .map(|(file, group, n)| (file, n * (group + 1) % USERS))
            .filter(|(file, user)| {
                groups_of(*file).any(|group| users_of(group).any(|member| member == *user)) == allowed
            })
            .map(|(file, user)| ask(&format!("user{user}"), "viewer", "file", &format!("file{file}"), allowed))
            .take(1_000)
            .collect()
    };
    Shape {
        title: "wide arrow (10 files x 30 of 97 groups x 20 of 997 users)",
        model: "\
type user
type group
  relations
    define member: [user]
type file
  relations
    define group: [group]
    define view: [user]
    define viewer: view or member from group
",
        hits: asks(true),
        misses: asks(false),
        facts,
    }
}
