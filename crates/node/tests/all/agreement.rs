//! The agreement law under concurrent writers: every answer is right for the revision and the time that it names.
//!
//! Writers change relationships, entities and the model while readers ask; each answer is kept with its revision and time. Afterwards the
//! ledger's entries are folded, one revision at a time, into the slow reference, which must say the same. `GRANTD_ROUNDS` sets
//! how many commands each writer submits, `GRANTD_ROUNDS_SEED` where chance begins.

#![allow(clippy::print_stderr, reason = "the seed and what was compared are printed")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use grantd_node::entry::changes;
use grantd_node::question::{Answer, Asking, Said};
use grantd_node::realm::engine::{
    Circumstances, Condition, Decision, Explanation, Object, ObjectRef, Properties, Question, Relationship,
    Schema, Source, Subject, SubjectRef,
};
use grantd_node::realm::entity::{DeleteEntity, PutEntity};
use grantd_node::realm::model::{ModelForm, PutModel};
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::relationship::WriteRelationships;
use grantd_node::realm::{Caller, Change, Micros, builtin};
use grantd_node::{Node, Published, Realm, SubmitError};
use grantd_testkit::clock::Clock;
use grantd_testkit::reference::{Oracle, Reference};
use grantd_testkit::verifier::Verifier;
use grantd_testkit::world::{Stored, key_of};

use crate::support::{Rig, does, request};

/// Every operator, and a condition on the context, one on properties, one that may break.
const SCHEMA: &str = "
type user
type team
  relations
    define member: [user, user with late, user:*, team#member]
    define lead: [user] and member
path type tree
  relations
    define banned: [user, team#member]
    define viewer: [user, user with late, user:*, team#member]
    define reader: viewer but not banned
type doc
  relations
    define folder: [tree]
    define banned: [user, user:*, team#member]
    define owner: [user, team#lead]
    define viewer: [user, user with cleared, team#member] or owner or reader from folder
    define reader: viewer but not banned
    define signer: ([user with shared] or owner) and reader
condition late(hour: int) {
  hour > 17
}
condition cleared(subject: map<int>, resource: map<int>) {
  subject.level >= resource.level
}
condition shared(parts: int) {
  10 / parts > 1
}
";

/// What another model has in place of what.
const MODELS: [(&str, &str); 4] = [
    ("", ""),
    ("reader: viewer but not banned", "reader: viewer"),
    ("or reader from folder", "or viewer from folder"),
    ("[user with shared] or owner", "[user with shared] and owner"),
];

const USERS: [&str; 4] = ["a", "b", "c", "nobody"];
const TEAMS: [&str; 3] = ["g", "h", "i"];
const TREES: [&str; 5] = ["/", "/p/", "/p/q/", "/s/", "/p/q/none/"];
const DOCS: [&str; 3] = ["x", "y", "none"];
/// The last name of each type is asked about and never written.
const NAMES: [(&str, &[&str]); 4] = [("user", &USERS), ("team", &TEAMS), ("tree", &TREES), ("doc", &DOCS)];

/// Type of the resource, relation, form of the subject, condition.
type Shape = (&'static str, &'static str, &'static str, &'static str);

const SHAPES: [Shape; 21] = [
    ("team", "member", "user", ""),
    ("team", "member", "user", "late"),
    ("team", "member", "user:*", ""),
    ("team", "member", "team#member", ""),
    ("team", "lead", "user", ""),
    ("tree", "banned", "user", ""),
    ("tree", "banned", "team#member", ""),
    ("tree", "viewer", "user", ""),
    ("tree", "viewer", "user", "late"),
    ("tree", "viewer", "user:*", ""),
    ("tree", "viewer", "team#member", ""),
    ("doc", "folder", "tree", ""),
    ("doc", "banned", "user", ""),
    ("doc", "banned", "user:*", ""),
    ("doc", "banned", "team#member", ""),
    ("doc", "owner", "user", ""),
    ("doc", "owner", "team#lead", ""),
    ("doc", "viewer", "user", ""),
    ("doc", "viewer", "user", "cleared"),
    ("doc", "viewer", "team#member", ""),
    ("doc", "signer", "user", "shared"),
];

const ACTIONS: [&str; 8] = ["member", "lead", "banned", "viewer", "reader", "folder", "owner", "signer"];

/// What questions say about subject and resource, and besides.
const SAID: [(&str, &str, &str); 5] = [
    ("", "", ""),
    ("", "", r#"{"hour": 18}"#),
    ("", "", r#"{"hour": 3, "parts": 2}"#),
    (r#"{"level": 3}"#, "", r#"{"parts": 0}"#),
    (r#"{"level": 2}"#, r#"{"level": 2}"#, r#"{"hour": 20, "parts": 1}"#),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_right_for_the_revision_and_time_that_it_names() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let rounds = number("GRANTD_ROUNDS").unwrap_or(150);
    let seed = number("GRANTD_ROUNDS_SEED").unwrap_or(1);
    eprintln!("GRANTD_ROUNDS={rounds} GRANTD_ROUNDS_SEED={seed}");
    let rig = Rig::new().await;
    let node = Arc::new(rig.node());
    let realm = node.realm(DEFAULT).await.unwrap();
    let model = ModelForm::Text(SCHEMA.into());
    does(&realm, PutModel { model, dry_run: false }).await;
    let done = Arc::new(AtomicBool::new(false));
    let place = |offset: u64| Place {
        node: node.clone(),
        realm: realm.clone(),
        clock: rig.clock.clone(),
        chance: Chance::new(seed * 100 + offset),
        kept: Vec::new(),
    };
    let writers: Vec<_> = (0..3).map(|n| tokio::spawn(place(n).writes(rounds))).collect();
    let readers: Vec<_> = (10..13).map(|n| tokio::spawn(place(n).reads(done.clone()))).collect();
    let upkeep = tokio::spawn({
        let (node, done) = (node.clone(), done.clone());
        async move {
            while !done.load(Ordering::Relaxed) {
                node.upkeep().await;
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    });
    let mut kept = Vec::new();
    for writer in writers {
        kept.extend(writer.await.unwrap());
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        kept.extend(reader.await.unwrap());
    }
    upkeep.await.unwrap();
    let tally = compare(&rig, kept).await;
    eprintln!("{tally:?}");
    // A law about answers that never differ would be worth nothing.
    let enough = rounds as usize;
    assert!(tally.revisions > enough / 2 && tally.times > enough / 2, "{tally:?}");
    assert!(tally.yes > enough / 2 && tally.no > enough / 2 && tally.conditional > enough / 100, "{tally:?}");
    assert!(tally.witnesses > enough / 5 && tally.found > enough && tally.supposed > enough / 2, "{tally:?}");
    assert!(tally.late_pages > enough / 10 && tally.models > enough / 50, "{tally:?}");
}

/// What was asked, and what was answered.
enum Claim {
    Check {
        subject: Subject,
        action: &'static str,
        resource: Object,
        answer: Answer,
    },
    Explain {
        subject: Subject,
        action: &'static str,
        resource: Object,
        explained: (Answer, Option<Explanation>),
    },
    Subjects {
        kind: &'static str,
        action: &'static str,
        resource: Object,
        found: Vec<String>,
    },
    Resources {
        subject: Subject,
        action: &'static str,
        kind: &'static str,
        found: Vec<String>,
    },
    Actions {
        subject: Subject,
        resource: Object,
        found: Vec<String>,
    },
}

/// An answer with what it names.
struct Kept {
    revision: u64,
    time: Micros,
    said: usize,
    supposed: Vec<Relationship>,
    /// Pages that were asked for when the newest revision was another.
    late_pages: usize,
    claim: Claim,
}

/// A writer or a reader.
struct Place {
    node: Arc<Node>,
    realm: Arc<Realm>,
    clock: Clock,
    chance: Chance,
    kept: Vec<Kept>,
}

impl Place {
    async fn writes(mut self, rounds: u64) -> Vec<Kept> {
        for _ in 0..rounds {
            let now = self.clock.advance(self.chance.below(30) as Micros);
            let revision = match self.chance.below(24) {
                // Another model with the same direct types: whatever is stored fits it.
                2 => {
                    let (from, to) = MODELS[self.chance.below(MODELS.len())];
                    let (model, dry_run) = (ModelForm::Text(SCHEMA.replace(from, to)), false);
                    self.realm.submit(request(PutModel { model, dry_run })).await.map(|done| done.revision)
                }
                3..6 => {
                    let (object, properties) = (self.chance.stored(), self.chance.level());
                    self.realm
                        .submit(request(PutEntity { object, properties }))
                        .await
                        .map(|done| done.revision)
                }
                6..9 => {
                    let object = self.chance.stored();
                    self.realm.submit(request(DeleteEntity { object })).await.map(|done| done.revision)
                }
                _ => {
                    let command = self.chance.write(now);
                    self.realm.submit(request(command)).await.map(|done| done.revision)
                }
            };
            match revision {
                Ok(revision) => {
                    // Who wrote sees what they wrote.
                    let published = self.realm.published();
                    assert!(published.head.revision >= revision, "{} < {revision}", published.head.revision);
                    self.asks(&published).await;
                }
                // No such entity, or an end that has come before the command.
                Err(SubmitError::Refused(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        self.kept
    }

    async fn reads(mut self, done: Arc<AtomicBool>) -> Vec<Kept> {
        while !done.load(Ordering::Relaxed) {
            let published = self.realm.published();
            self.asks(&published).await;
            self.clock.advance(1);
            tokio::time::sleep(std::time::Duration::from_micros(self.chance.below(4_000) as u64)).await;
        }
        self.kept
    }

    /// A few questions, as one call.
    async fn asks(&mut self, published: &Arc<Published>) {
        let (node, realm, caller) = (self.node.clone(), self.realm.clone(), Caller::system("test"));
        let said = self.chance.below(SAID.len());
        let properties = OfCall::of(said);
        let asking = node.asking(published.clone(), &caller).unwrap();
        let supposed: Vec<_> = if self.chance.below(3) == 0 {
            vec![self.chance.relationship(asking.time())]
        } else {
            Vec::new()
        };
        let asking = asking.supposing(supposed.clone()).unwrap();
        let (revision, time) = (asking.revision(), asking.time());
        let mut claims = Vec::new();
        for _ in 0..self.chance.below(3) + 1 {
            // A batch: others write between its questions.
            tokio::task::yield_now().await;
            claims.push((self.claim(&asking, properties.said()), 0));
        }
        if supposed.is_empty() {
            realm.pin(published.clone(), time + 1_000_000);
            let pages = Pages { node: &node, realm: &realm, caller: &caller, revision, time };
            claims.extend(self.paged(&pages, properties.said()).await);
        }
        self.kept.extend(claims.into_iter().map(|(claim, late_pages)| {
            let supposed = supposed.clone();
            Kept { revision, time, said, supposed, late_pages, claim }
        }));
    }

    fn claim(&mut self, asking: &Asking<'_>, said: Said<'_>) -> Claim {
        let (subject, action, resource) = self.chance.question();
        let (of, to) = (subject.as_ref(), resource.as_ref());
        let question = Question { subject: of, action, resource: to };
        let kind = NAMES[self.chance.below(NAMES.len())].0;
        match self.chance.below(6) {
            0 => {
                let found = asking.search_subjects(kind, action, to, said, None, 100).unwrap();
                let found = found.iter().map(ToString::to_string).collect();
                Claim::Subjects { kind, action, resource, found }
            }
            1 => {
                let found = asking.search_resources(of, action, kind, said, None, 100).unwrap();
                let found = found.iter().map(|one| one.object.to_string()).collect();
                Claim::Resources { subject, action, kind, found }
            }
            2 => {
                let found = asking.search_actions(of, to, said, None, 100).unwrap();
                let found = found.iter().map(ToString::to_string).collect();
                Claim::Actions { subject, resource, found }
            }
            3 => Claim::Explain { explained: asking.explain(&question, said), subject, action, resource },
            _ => Claim::Check { answer: asking.check(&question, said), subject, action, resource },
        }
    }

    /// A search over short pages, with time for writers between them, if its state stays pinned.
    async fn paged(&mut self, pages: &Pages<'_>, said: Said<'_>) -> Option<(Claim, usize)> {
        let (subject, action, kind) =
            (self.chance.subject(), self.chance.action(), NAMES[self.chance.below(4)].0);
        let limit = self.chance.below(2) + 1;
        let (mut found, mut late): (Vec<Object>, _) = (Vec::new(), 0);
        loop {
            tokio::time::sleep(std::time::Duration::from_micros(500)).await;
            let asking = pages.next()?;
            late += usize::from(pages.realm.published().head.revision != pages.revision);
            let after = found.last().map(Object::id);
            let page = asking.search_resources(subject.as_ref(), action, kind, said, after, limit).unwrap();
            let is_last = page.len() < limit;
            found.extend(page.into_iter().map(|one| one.object));
            if is_last {
                let found = found.iter().map(ToString::to_string).collect();
                return Some((Claim::Resources { subject, action, kind, found }, late));
            }
        }
    }
}

/// The later pages of a list: of the state and the time of the first.
struct Pages<'p> {
    node: &'p Node,
    realm: &'p Realm,
    caller: &'p Caller,
    revision: u64,
    time: Micros,
}

impl<'p> Pages<'p> {
    fn next(&self) -> Option<Asking<'p>> {
        let asking = self.node.asking(self.realm.published(), self.caller).unwrap();
        Some(asking.at(self.realm.at(self.revision)?, self.time))
    }
}

/// What the questions of a call say.
struct OfCall {
    subject: Properties,
    resource: Properties,
    context: Properties,
}

impl OfCall {
    fn of(said: usize) -> Self {
        let (subject, resource, context) = SAID[said];
        let [subject, resource, context] = [subject, resource, context].map(|text| text.parse().unwrap());
        Self { subject, resource, context }
    }

    fn said(&self) -> Said<'_> {
        let Self { subject, resource, context } = self;
        Said { subject, action: Properties::EMPTY, resource, context }
    }
}

#[derive(Debug, Default)]
struct Tally {
    answers: usize,
    revisions: usize,
    times: usize,
    yes: usize,
    no: usize,
    conditional: usize,
    witnesses: usize,
    found: usize,
    supposed: usize,
    late_pages: usize,
    models: usize,
}

/// Folds the ledger and compares each answer with what the reference says at its revision.
async fn compare(rig: &Rig, kept: Vec<Kept>) -> Tally {
    let mut by_revision: BTreeMap<u64, Vec<Kept>> = BTreeMap::new();
    for one in kept {
        by_revision.entry(one.revision).or_default().push(one);
    }
    let times: BTreeSet<_> = by_revision.values().flatten().map(|one| one.time).collect();
    let mut tally = Tally { revisions: by_revision.len(), times: times.len(), ..Tally::default() };
    let (mut reference, mut stored) = (Reference::new(), Stored::default());
    let builtin = builtin::schema().unwrap();
    let mut schema = Schema::clone(&builtin);
    for entry in rig.ledger().await {
        for change in changes(&entry).unwrap() {
            if let Change::ModelPut { text } = &change {
                schema = builtin.extend(&[Source { name: "test", text }]).unwrap();
                tally.models += 1;
                continue;
            }
            fold(&change, &mut reference, &mut stored);
        }
        for one in by_revision.remove(&entry.entry.revision).unwrap_or_default() {
            tally.count(&one);
            let mut reference = reference.clone();
            one.supposed.iter().for_each(|supposed| reference.write(supposed.clone()));
            let properties = OfCall::of(one.said);
            let Said { subject, action, resource, context } = properties.said();
            let circumstances =
                Circumstances { now: one.time, subject, action, resource, context, entities: &stored };
            let oracle = reference.oracle(&schema, circumstances);
            let right = Right { schema: &schema, reference: &reference, oracle: &oracle, circumstances };
            if let Err(problem) = right.confirms(&one.claim, &mut tally) {
                panic!(
                    "revision {}, time {}, said {:?}, supposed {:?}: {problem}\n{:#?}",
                    one.revision,
                    one.time,
                    SAID[one.said],
                    one.supposed,
                    reference.sorted()
                );
            }
        }
    }
    assert!(by_revision.is_empty(), "answers of revisions that the ledger has not: {:?}", by_revision.keys());
    tally
}

fn fold(change: &Change, reference: &mut Reference, stored: &mut Stored) {
    match change {
        // What every realm is made with.
        Change::RealmCreated { .. }
        | Change::ContentTypeCreated { .. }
        | Change::CataloguePermissionCreated { .. }
        | Change::RoleCreated { .. } => {}
        Change::RelationshipWritten { relationship } => reference.write(relationship.clone()),
        Change::RelationshipDeleted { key } => assert!(reference.delete(key), "{key} was not there"),
        Change::EntityPut { object, properties } => stored.put(object.as_ref(), properties.parse().unwrap()),
        Change::EntityDeleted { object } => {
            let of_kind = stored.0.get_mut(object.kind()).expect("an entity of this type");
            assert!(of_kind.remove(object.id()).is_some(), "{object} was not there");
        }
        other => panic!("nobody here asked for {other:?}"),
    }
}

impl Tally {
    fn count(&mut self, kept: &Kept) {
        self.answers += 1;
        self.supposed += usize::from(!kept.supposed.is_empty());
        self.late_pages += kept.late_pages;
    }
}

/// The reference at one revision, in the circumstances of one answer.
struct Right<'a> {
    schema: &'a Schema,
    reference: &'a Reference,
    oracle: &'a Oracle<'a>,
    circumstances: Circumstances<'a>,
}

impl Right<'_> {
    fn confirms(&self, claim: &Claim, tally: &mut Tally) -> Result<(), String> {
        match claim {
            Claim::Check { subject, action, resource, answer } => {
                let question = Question { subject: subject.as_ref(), action, resource: resource.as_ref() };
                self.decision(&question, answer, tally)
            }
            Claim::Explain { subject, action, resource, explained: (answer, explanation) } => {
                let question = Question { subject: subject.as_ref(), action, resource: resource.as_ref() };
                self.decision(&question, answer, tally)?;
                let witness = explanation.as_ref().and_then(|explanation| explanation.witness.as_ref());
                if witness.is_some() != answer.is_allowed() {
                    return Err(format!("{question:?}: {answer:?} with {witness:?}"));
                }
                let Some(witness) = witness else { return Ok(()) };
                tally.witnesses += 1;
                let Self { schema, reference, oracle, circumstances } = self;
                let verifier = Verifier { schema, reference, oracle, circumstances: *circumstances };
                verifier.confirm(&question, witness).map_err(|problem| format!("{question:?}: {problem}"))
            }
            Claim::Subjects { kind, action, resource, found } => {
                let resource = resource.as_ref();
                let is_in = |subject| self.oracle.check(subject, action, resource).is_allowed();
                let mut right: Vec<_> =
                    self.named(kind).filter(|object| is_in(SubjectRef::Object(*object))).map(text).collect();
                right.extend(is_in(SubjectRef::Wildcard(kind)).then(|| format!("{kind}:*")));
                same(&format!("{kind} that {action} {resource}"), found, &right, tally)
            }
            Claim::Resources { subject, action, kind, found } => {
                let subject = subject.as_ref();
                let is_in = |object: &ObjectRef<'_>| self.oracle.check(subject, action, *object).is_allowed();
                let right: Vec<_> = self.named(kind).filter(is_in).map(text).collect();
                same(&format!("{kind} that {subject} {action}"), found, &right, tally)
            }
            Claim::Actions { subject, resource, found } => {
                let (subject, resource) = (subject.as_ref(), resource.as_ref());
                let mut right: Vec<_> =
                    self.schema.relations(resource.kind).map(ToString::to_string).collect();
                right.retain(|action| self.oracle.check(subject, action, resource).is_allowed());
                same(&format!("actions of {subject} on {resource}"), found, &right, tally)
            }
        }
    }

    fn decision(&self, question: &Question<'_>, answer: &Answer, tally: &mut Tally) -> Result<(), String> {
        let right = self.oracle.check(question.subject, question.action, question.resource);
        match &right {
            Decision::Allowed => tally.yes += 1,
            Decision::Denied => tally.no += 1,
            Decision::Conditional { .. } => tally.conditional += 1,
        }
        if answer.decision == right && answer.denial.is_none() == right.is_allowed() {
            return Ok(());
        }
        let Question { subject, action, resource } = question;
        Err(format!("{subject} {action} {resource}: {answer:?}, the reference says {right:?}"))
    }

    /// The objects of a type that something names, in order.
    fn named(&self, kind: &str) -> impl Iterator<Item = ObjectRef<'static>> {
        let mut objects: Vec<_> = objects().filter(|object| object.kind == kind).collect();
        objects.sort_by_key(|object| object.id);
        objects.into_iter().filter(|object| self.reference.names(*object, &self.circumstances))
    }
}

fn same(what: &str, found: &[String], right: &[String], tally: &mut Tally) -> Result<(), String> {
    tally.found += found.len();
    if found == right { Ok(()) } else { Err(format!("{what}: {found:?}, the reference says {right:?}")) }
}

fn text(object: ObjectRef<'_>) -> String {
    object.to_string()
}

fn objects() -> impl Iterator<Item = ObjectRef<'static>> {
    NAMES.into_iter().flat_map(|(kind, ids)| ids.iter().map(move |id| ObjectRef { kind, id }))
}

/// Xorshift: all that chance needs here.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        // Neighbouring seeds begin far apart.
        Self(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    /// The id of a name that may be written.
    fn id(&mut self, kind: &str) -> &'static str {
        let (_, ids) = NAMES.into_iter().find(|(found, _)| *found == kind).expect("a type with names");
        ids[self.below(ids.len() - 1)]
    }

    fn object(&mut self) -> Object {
        let kind = ["doc", "doc", "doc", "tree", "tree", "team"][self.below(6)];
        let ids = NAMES.into_iter().find(|(found, _)| *found == kind).expect("a type with names").1;
        Object::new(kind, ids[self.below(ids.len())]).unwrap()
    }

    fn subject(&mut self) -> Subject {
        let text = match self.below(8) {
            0 => "user:*".to_owned(),
            1 => format!("team:{}#member", self.id("team")),
            2 => format!("team:{}#lead", self.id("team")),
            _ => format!("user:{}", USERS[self.below(USERS.len())]),
        };
        text.parse().unwrap()
    }

    fn action(&mut self) -> &'static str {
        match self.below(3) {
            0 => ACTIONS[self.below(ACTIONS.len())],
            1 => "viewer",
            _ => "reader",
        }
    }

    /// Half of the questions are about what may be stored under a condition.
    fn question(&mut self) -> (Subject, &'static str, Object) {
        if self.below(2) == 0 {
            return (self.subject(), self.action(), self.object());
        }
        let (kind, relation, form, _) = self.conditional();
        let [subject, resource] = [form, kind].map(|kind| Object::new(kind, self.id(kind)).unwrap());
        (subject.into(), relation, resource)
    }

    fn conditional(&mut self) -> Shape {
        let conditional: Vec<_> =
            SHAPES.into_iter().filter(|(.., condition)| !condition.is_empty()).collect();
        conditional[self.below(conditional.len())]
    }

    /// Whose properties conditions may look at.
    fn stored(&mut self) -> Object {
        let kind = ["user", "doc"][self.below(2)];
        Object::new(kind, self.id(kind)).unwrap()
    }

    fn level(&mut self) -> Properties {
        [r#"{"level": 1}"#, r#"{"level": 2}"#, r#"{"level": 3}"#, r#"{"level": "high"}"#][self.below(4)]
            .parse()
            .unwrap()
    }

    fn write(&mut self, now: Micros) -> WriteRelationships {
        let mut named = BTreeSet::new();
        let mut write = Vec::new();
        for _ in 0..self.below(3) {
            let relationship = self.relationship(now);
            if named.insert(relationship.key.clone()) {
                write.push(relationship);
            }
        }
        let mut delete = Vec::new();
        for _ in 0..self.below(4) {
            let key = self.relationship(now).key;
            if named.insert(key.clone()) {
                delete.push(key);
            }
        }
        WriteRelationships { write, delete, require: Vec::new() }
    }

    fn relationship(&mut self, now: Micros) -> Relationship {
        let (kind, relation, form, condition) =
            if self.below(3) == 0 { self.conditional() } else { SHAPES[self.below(SHAPES.len())] };
        let subject = match form.split_once(['#', ':']) {
            None => format!("{form}:{}", self.id(form)),
            Some((kind, "*")) => format!("{kind}:*"),
            Some((kind, relation)) => format!("{kind}:{}#{relation}", self.id(kind)),
        };
        let key = key_of(&format!("{kind}:{}#{relation}@{subject}", self.id(kind)));
        let until = (self.below(3) == 0).then(|| now + 100 + self.below(2_000) as Micros);
        let known = match (condition, self.below(3)) {
            ("late", 0) => r#"{"hour": 20}"#,
            ("shared", 0) => r#"{"parts": 2}"#,
            _ => "",
        };
        let condition = (!condition.is_empty())
            .then(|| Condition { name: condition.to_owned(), parameters: known.parse().unwrap() });
        Relationship { key, until, condition }
    }
}
