//! Casbin's RBAC benchmark: ten users in each role, and each resource readable by ten roles.
//!
//! User `i` is in role `i / 10`, and role `i` may read resource `i / 10`; so user `i` may read resource `i / 100`. Casbin asks
//! one question; here the questions are spread over all users and resources.

use super::{Ask, Dice, Fact};

/// One size of it.
#[derive(Clone, Copy)]
pub(crate) struct Rbac {
    pub(crate) name: &'static str,
    pub(crate) users: usize,
}

/// Casbin's three sizes.
pub(crate) const SIZES: [Rbac; 3] = [
    Rbac { name: "small", users: 1_000 },
    Rbac { name: "medium", users: 10_000 },
    Rbac { name: "large", users: 100_000 },
];

/// The same in grantd's language.
pub(crate) const MODEL: &str = "\
type user
type role
  relations
    define member: [user]
type resource
  relations
    define read: [role#member]
";

pub(crate) fn user(n: usize) -> String {
    format!("user{n}")
}

pub(crate) fn role(n: usize) -> String {
    format!("group{n}")
}

pub(crate) fn resource(n: usize) -> String {
    format!("data{n}")
}

impl Rbac {
    pub(crate) fn roles(self) -> usize {
        self.users / 10
    }

    pub(crate) fn resources(self) -> usize {
        self.users / 100
    }

    /// "RBAC large (100,000 users, 10,000 roles, 1,000 resources)".
    pub(crate) fn title(self) -> String {
        let [users, roles, resources] =
            [self.users, self.roles(), self.resources()].map(|n| crate::ratio::grouped(n as f64));
        format!("RBAC {} ({users} users, {roles} roles, {resources} resources)", self.name)
    }

    pub(crate) fn facts(self) -> impl Iterator<Item = Fact> {
        let members =
            (0..self.users).map(|n| Fact::direct(("role", role(n / 10)), "member", ("user", user(n))));
        let readers = (0..self.roles())
            .map(|n| Fact::direct(("resource", resource(n / 10)), "read", ("role", role(n))).of("member"));
        members.chain(readers)
    }

    /// So many questions, all with the same answer, about users and resources that exist.
    pub(crate) fn asks(self, count: usize, allowed: bool) -> Vec<Ask> {
        let mut dice = Dice::new(if allowed { 1 << 32 } else { 2 << 32 });
        (0..count)
            .map(|_| {
                let who = dice.roll(self.users);
                let theirs = who / 100;
                let other = (theirs + 1 + dice.roll(self.resources() - 1)) % self.resources();
                let what = if allowed { theirs } else { other };
                Ask {
                    subject_kind: "user",
                    subject: user(who),
                    action: "read",
                    kind: "resource",
                    resource: resource(what),
                    allowed,
                }
            })
            .collect()
    }
}
