//! The document store of Cedar's published benchmarks ("gdrive"), at n = 200.
//!
//! n users, groups, folders and documents. With a probability of 0.05 each, and independently: a user is in a group, a
//! user owns a document or a folder, a document is in a folder, a folder is in one that was made before it, a
//! user or a group may view a document or a folder. Half of the documents are public. So a document is in about ten folders and nearly
//! all folders made before these are above it.
//!
//! In the published generator the names under which documents list their viewers and those of the users differ by a
//! prefix, so that no view is ever found there; here they are the same.

use super::{Ask, Dice, Fact};

/// How many of each kind.
pub(crate) const N: usize = 200;
const ONE_IN: usize = 20;

/// The same in grantd's language.
pub(crate) const MODEL: &str = "\
type user
type group
  relations
    define member: [user]
type folder
  relations
    define owner: [user]
    define parent: [folder]
    define viewer: [user, group#member] or owner or viewer from parent
    define can_write: owner or can_write from parent
type document
  relations
    define owner: [user]
    define parent: [folder]
    define viewer: [user, user:*, group#member]
    define read: viewer or owner or viewer from parent
    define write: owner or can_write from parent
    define share: owner or can_write from parent
    define change_owner: owner
";

/// What may be done to a document.
pub(crate) const ACTIONS: [&str; 4] = ["read", "write", "share", "change_owner"];

/// Pairs of numbers: `[a]` holds the `b`s that go with it.
type Links = Vec<Vec<usize>>;

/// The world by numbers.
pub(crate) struct Drive {
    /// Of a user.
    pub(crate) groups: Links,
    /// Of a user.
    pub(crate) owned_documents: Links,
    /// Of a user.
    pub(crate) owned_folders: Links,
    /// Of a document.
    pub(crate) folders: Links,
    /// Of a folder.
    pub(crate) parents: Links,
    /// Of a document: users, groups.
    pub(crate) document_viewers: [Links; 2],
    /// Of a folder: users, groups.
    pub(crate) folder_viewers: [Links; 2],
    /// Of a document.
    pub(crate) public: Vec<bool>,
}

pub(crate) fn user(n: usize) -> String {
    format!("user_{n}")
}

pub(crate) fn group(n: usize) -> String {
    format!("group_{n}")
}

pub(crate) fn folder(n: usize) -> String {
    format!("folder_{n}")
}

pub(crate) fn document(n: usize) -> String {
    format!("doc_{n}")
}

impl Drive {
    pub(crate) fn new() -> Self {
        let mut dice = Dice::new(10 << 56);
        let mut links = |of: &dyn Fn(usize) -> usize| -> Links {
            (0..N).map(|a| (0..of(a)).filter(|_| dice.one_in(ONE_IN)).collect()).collect()
        };
        let all = |_| N;
        Self {
            groups: links(&all),
            owned_documents: links(&all),
            owned_folders: links(&all),
            folders: links(&all),
            parents: links(&|a| a),
            document_viewers: [links(&all), links(&all)],
            folder_viewers: [links(&all), links(&all)],
            public: (0..N).map(|n| super::mix(n as u64).is_multiple_of(2)).collect(),
        }
    }

    pub(crate) fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut add = |links: &Links, fact: &dyn Fn(usize, usize) -> Fact| {
            for (a, linked) in links.iter().enumerate() {
                facts.extend(linked.iter().map(|b| fact(a, *b)));
            }
        };
        add(&self.groups, &|a, b| Fact::direct(("group", group(b)), "member", ("user", user(a))));
        add(&self.owned_documents, &|a, b| {
            Fact::direct(("document", document(b)), "owner", ("user", user(a)))
        });
        add(&self.owned_folders, &|a, b| Fact::direct(("folder", folder(b)), "owner", ("user", user(a))));
        add(&self.folders, &|a, b| Fact::direct(("document", document(a)), "parent", ("folder", folder(b))));
        add(&self.parents, &|a, b| Fact::direct(("folder", folder(a)), "parent", ("folder", folder(b))));
        let [users, groups] = &self.document_viewers;
        add(users, &|a, b| Fact::direct(("document", document(a)), "viewer", ("user", user(b))));
        add(groups, &|a, b| {
            Fact::direct(("document", document(a)), "viewer", ("group", group(b))).of("member")
        });
        let [users, groups] = &self.folder_viewers;
        add(users, &|a, b| Fact::direct(("folder", folder(a)), "viewer", ("user", user(b))));
        add(groups, &|a, b| Fact::direct(("folder", folder(a)), "viewer", ("group", group(b))).of("member"));
        let public = self.public.iter().enumerate().filter(|(_, public)| **public);
        facts.extend(
            public.map(|(n, _)| Fact::direct(("document", document(n)), "viewer", ("user", "*".to_owned()))),
        );
        facts
    }

    /// The folders that a document is in, and those above.
    fn above(&self, document: usize) -> Vec<usize> {
        let mut found = [false; N];
        let mut left = self.folders[document].clone();
        while let Some(folder) = left.pop() {
            if !std::mem::replace(&mut found[folder], true) {
                left.extend(&self.parents[folder]);
            }
        }
        (0..N).filter(|folder| found[*folder]).collect()
    }

    fn allows(&self, who: usize, action: &str, what: usize, above: &[usize]) -> bool {
        let owns = self.owned_documents[who].contains(&what);
        let owns_above = above.iter().any(|folder| self.owned_folders[who].contains(folder));
        let views = |[users, groups]: &[Links; 2], n: usize| {
            users[n].contains(&who) || groups[n].iter().any(|group| self.groups[who].contains(group))
        };
        match action {
            "read" => {
                self.public[what]
                    || owns
                    || owns_above
                    || views(&self.document_viewers, what)
                    || above.iter().any(|folder| views(&self.folder_viewers, *folder))
            }
            "change_owner" => owns,
            _ => owns || owns_above,
        }
    }

    /// So many questions, all with the same answer: users, documents and those of `actions` are drawn alike until there
    /// are enough.
    pub(crate) fn asks(&self, actions: &[&'static str], count: usize, allowed: bool) -> Vec<Ask> {
        let mut dice = Dice::new(11 << 56);
        let above: Vec<_> = (0..N).map(|document| self.above(document)).collect();
        std::iter::repeat_with(|| (dice.roll(N), actions[dice.roll(actions.len())], dice.roll(N)))
            .filter(|(who, action, what)| self.allows(*who, action, *what, &above[*what]) == allowed)
            .map(|(who, action, what)| Ask {
                subject_kind: "user",
                subject: user(who),
                action,
                kind: "document",
                resource: document(what),
                allowed,
            })
            .take(count)
            .collect()
    }
}
