//! A realm of any size: a tenth as many users as relationships and a fifth as many objects, so that 10 M relationships have
//! 1 M users and 2 M objects. Ids are 16 to 36 hexadecimal digits that do not compress well.
//!
//! Of ten relationships three are memberships (each user in three groups), four give a document to a user and three
//! give a document to a group's members. Everything is computed from numbers, so that the answer to any question is
//! known without a second engine.

use super::{Ask, Dice, Fact, mix};

/// What the types and relations are called: a server has only its built-in model when it starts, so there documents are
/// roles as well.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    group: &'static str,
    document: &'static str,
    viewer: &'static str,
}

/// In process.
pub(crate) const DOCUMENTS: Words = Words { group: "group", document: "document", viewer: "viewer" };
/// Over HTTP.
pub(crate) const ROLES: Words = Words { group: "role", document: "role", viewer: "member" };

/// The model of [`DOCUMENTS`].
pub(crate) const MODEL: &str = "\
type user
type group
  relations
    define member: [user]
type document
  relations
    define viewer: [user, group#member]
";

const GROUPS_OF_A_USER: usize = 3;

/// One size of it.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) relationships: usize,
}

/// 16 to 36 digits, different for each number and kind.
fn id(kind: u64, n: usize) -> String {
    let unique = mix((kind << 56) | n as u64);
    let more = format!("{:016x}{:016x}", mix(unique), mix(unique ^ 1));
    let length = n % 21;
    format!("{unique:016x}{}", more.get(..length).unwrap_or_default())
}

fn user(n: usize) -> String {
    id(1, n)
}

fn group(n: usize) -> String {
    id(2, n)
}

fn document(n: usize) -> String {
    id(3, n)
}

impl Scale {
    pub(crate) fn users(self) -> usize {
        self.relationships / 10
    }

    fn groups(self) -> usize {
        self.relationships / 100
    }

    fn documents(self) -> usize {
        self.relationships * 19 / 100
    }

    fn direct_grants(self) -> usize {
        self.relationships * 4 / 10
    }

    fn shared_grants(self) -> usize {
        self.relationships - GROUPS_OF_A_USER * self.users() - self.direct_grants()
    }

    /// Three different ones.
    fn groups_of(self, user: usize) -> [usize; GROUPS_OF_A_USER] {
        let groups = self.groups();
        let first = mix(user as u64 ^ (4 << 56)) as usize % groups;
        [first, (first + 1 + user % 7) % groups, (first + groups / 2) % groups]
    }

    /// Whom the n-th direct grant is to; it is on document `n % documents`.
    fn user_of_grant(self, n: usize) -> usize {
        mix(n as u64 ^ (5 << 56)) as usize % self.users()
    }

    /// Whose members the n-th shared grant is to; it is on document `n % documents`.
    fn group_of_grant(self, n: usize) -> usize {
        mix(n as u64 ^ (6 << 56)) as usize % self.groups()
    }

    fn may_view(self, who: usize, what: usize) -> bool {
        let documents = self.documents();
        let groups = self.groups_of(who);
        (what..self.direct_grants()).step_by(documents).any(|n| self.user_of_grant(n) == who)
            || (what..self.shared_grants())
                .step_by(documents)
                .any(|n| groups.contains(&self.group_of_grant(n)))
    }

    /// All relationships. A handful of ten million are the same as another one.
    pub(crate) fn facts(self, words: Words) -> impl Iterator<Item = Fact> {
        let Words { group: group_kind, document: kind, viewer } = words;
        let members = (0..self.users()).flat_map(move |who| {
            self.groups_of(who).map(|of| Fact::direct((group_kind, group(of)), "member", ("user", user(who))))
        });
        let documents = self.documents();
        let direct = (0..self.direct_grants()).map(move |n| {
            Fact::direct((kind, document(n % documents)), viewer, ("user", user(self.user_of_grant(n))))
        });
        let shared = (0..self.shared_grants()).map(move |n| {
            let to = (group_kind, group(self.group_of_grant(n)));
            Fact::direct((kind, document(n % documents)), viewer, to).of("member")
        });
        members.chain(direct).chain(shared)
    }

    fn ask(words: Words, who: usize, what: usize, allowed: bool) -> Ask {
        Ask {
            subject_kind: "user",
            subject: user(who),
            action: words.viewer,
            kind: words.document,
            resource: document(what),
            allowed,
        }
    }

    /// So many questions whose answer is yes: every other one through a group.
    pub(crate) fn hits(self, words: Words, count: usize) -> Vec<Ask> {
        let mut dice = Dice::new(7 << 56);
        // To find a member of a group there is no formula: users are drawn, and their groups' documents looked up.
        let mut shared_of = std::collections::HashMap::<usize, usize>::new();
        for _ in 0..self.shared_grants().min(4 * count) {
            let n = dice.roll(self.shared_grants());
            shared_of.insert(self.group_of_grant(n), n % self.documents());
        }
        let mut through_group = || loop {
            let who = dice.roll(self.users());
            if let Some(what) = self.groups_of(who).iter().find_map(|of| shared_of.get(of)) {
                return (who, *what);
            }
        };
        let mut dice = Dice::new(8 << 56);
        (0..count)
            .map(|turn| {
                let (who, what) = if turn % 2 == 0 {
                    let n = dice.roll(self.direct_grants());
                    (self.user_of_grant(n), n % self.documents())
                } else {
                    through_group()
                };
                Self::ask(words, who, what, true)
            })
            .collect()
    }

    /// So many questions whose answer is no, about users and documents that exist.
    pub(crate) fn misses(self, words: Words, count: usize) -> Vec<Ask> {
        let mut dice = Dice::new(9 << 56);
        std::iter::repeat_with(|| (dice.roll(self.users()), dice.roll(self.documents())))
            .filter(|(who, what)| !self.may_view(*who, *what))
            .map(|(who, what)| Self::ask(words, who, what, false))
            .take(count)
            .collect()
    }

    /// Hits and misses in turn.
    pub(crate) fn both(self, words: Words, count: usize) -> Vec<Ask> {
        let (hits, misses) = (self.hits(words, count / 2), self.misses(words, count / 2));
        hits.into_iter().zip(misses).flat_map(|(hit, miss)| [hit, miss]).collect()
    }

    /// "10,000,000 relationships".
    pub(crate) fn title(self) -> String {
        format!("{} relationships", crate::ratio::grouped(self.relationships as f64))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const SCALE: Scale = Scale { relationships: 20_000 };

    #[test]
    fn it_is_as_large_as_it_says() {
        let mut all = HashSet::new();
        let mut objects = HashSet::new();
        for fact in SCALE.facts(DOCUMENTS) {
            assert!((16..=36).contains(&fact.id.len()) && (16..=36).contains(&fact.subject.len()));
            objects.insert(fact.resource());
            all.insert((fact.resource(), fact.subject()));
        }
        assert!(all.len() * 1_000 > SCALE.relationships * 999, "{}", all.len());
        assert_eq!(objects.len(), SCALE.relationships / 5);
    }

    #[test]
    fn the_answers_are_those_of_the_relationships() {
        let pairs: HashSet<_> =
            SCALE.facts(DOCUMENTS).map(|fact| (fact.resource(), fact.subject())).collect();
        let groups: Vec<_> = (0..SCALE.groups()).map(group).collect();
        for ask in SCALE.both(DOCUMENTS, 100) {
            let (who, what) = (format!("user:{}", ask.subject), format!("document:{}", ask.resource));
            let direct = pairs.contains(&(what.clone(), who.clone()));
            let through_group = groups.iter().any(|group| {
                pairs.contains(&(format!("group:{group}"), who.clone()))
                    && pairs.contains(&(what.clone(), format!("group:{group}#member")))
            });
            assert_eq!(direct || through_group, ask.allowed);
        }
    }
}
