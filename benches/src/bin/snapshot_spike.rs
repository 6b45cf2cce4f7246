//! Which form should a snapshot of a million relationships have?
//!
//! Compares (a) persistent maps only, as little code as that takes, with (b) the engine's graph: an immutable base under
//! a small persistent overlay. The floor is what any index must do for a direct hit: two string look-ups and one probe of
//! a tuple set, in mutable hash maps.
//!
//!     cargo run --release -p grantd-benches --bin snapshot_spike            # times, interleaved
//!     cargo run --release -p grantd-benches --bin snapshot_spike memory a   # or b: memory of one of them
//!     cargo run --release -p grantd-benches --bin snapshot_spike profile    # checks of (b) only
//!
//! The figures are in `docs/decisions/0001-snapshot-interface.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a bench may stop")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use foldhash::fast::RandomState;
use grantd_engine::{
    Circumstances, Graph, Key, Object, ObjectRef, Question, Relationship, Schema, Source, Subject, SubjectRef,
};
use hashbrown::{HashMap, HashSet};
use imbl::GenericHashMap;
use imbl::shared_ptr::DefaultSharedPtr;

const USERS: usize = 200_000;
const ROLES: usize = 10_000;
const DOCS: usize = 200_000;
const RUNS: usize = 15;
const QUESTIONS: usize = 50_000;
const WRITES: usize = 20_000;

const MODEL: &str = "\
type user
type role
  relations
    define member: [user]
type doc
  relations
    define viewer: [user, role#member]
";

/// A relationship as two numbers: what is on the left, and who is on the right.
#[derive(Clone, Copy)]
enum Fact {
    Member(usize, usize),
    Viewer(usize, usize),
}

fn user(n: usize) -> String {
    format!("user-{n:08}@example.com")
}

fn role(n: usize) -> String {
    format!("role-{n:08}-of-the-company")
}

fn doc(n: usize) -> String {
    format!("document-{n:08}")
}

/// A generator that is the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// 600,000 memberships and 400,000 grants to roles.
fn facts() -> Vec<Fact> {
    let mut dice = Dice(1);
    let mut facts: Vec<_> = (0..USERS * 3).map(|n| Fact::Member(dice.roll(ROLES), n % USERS)).collect();
    facts.extend((0..DOCS * 2).map(|n| Fact::Viewer(n % DOCS, dice.roll(ROLES))));
    for at in (1..facts.len()).rev() {
        facts.swap(at, dice.roll(at + 1));
    }
    facts
}

type Map<K, V> = GenericHashMap<K, V, RandomState, DefaultSharedPtr>;

/// Design (a).
#[derive(Clone, Default)]
struct Persistent {
    names: [Map<Arc<str>, u32>; 3],
    count: u32,
    tuples: Map<(u32, u32), ()>,
    usersets: Map<u32, imbl::OrdSet<u32>>,
    reverse: Map<u32, imbl::OrdSet<u32>>,
}

impl Persistent {
    fn number(&mut self, kind: usize, name: &str) -> u32 {
        if let Some(number) = self.names[kind].get(name) {
            return *number;
        }
        self.count += 1;
        self.names[kind].insert(name.into(), self.count);
        self.count
    }

    fn write(&mut self, fact: Fact) {
        let (left, right) = match fact {
            Fact::Member(left, right) => (self.number(1, &role(left)), self.number(0, &user(right))),
            Fact::Viewer(left, right) => (self.number(2, &doc(left)), self.number(1, &role(right))),
        };
        self.tuples.insert((left, right), ());
        if matches!(fact, Fact::Viewer(..)) {
            self.usersets.entry(left).or_default().insert(right);
        }
        self.reverse.entry(right).or_default().insert(left);
    }

    fn check(&self, user: &str, doc: &str) -> bool {
        let (Some(user), Some(doc)) = (self.names[0].get(user), self.names[2].get(doc)) else { return false };
        self.tuples.contains_key(&(*doc, *user))
            || self
                .usersets
                .get(doc)
                .is_some_and(|roles| roles.iter().any(|role| self.tuples.contains_key(&(*role, *user))))
    }
}

fn relationship(fact: Fact) -> Relationship {
    let object = |kind: &str, id: &str| Object::new(kind, id).expect("a valid object");
    let name = |relation: &str| relation.parse().expect("a valid name");
    Relationship::lasting(match fact {
        Fact::Member(left, right) => Key {
            resource: object("role", &role(left)),
            relation: name("member"),
            subject: Subject::Object(object("user", &user(right))),
        },
        Fact::Viewer(left, right) => Key {
            resource: object("doc", &doc(left)),
            relation: name("viewer"),
            subject: Subject::Userset(object("role", &role(right)), name("member")),
        },
    })
}

fn ask(graph: &Graph, user: &str, doc: &str) -> bool {
    let subject = SubjectRef::Object(ObjectRef { kind: "user", id: user });
    let resource = ObjectRef { kind: "doc", id: doc };
    graph
        .check(&Question { subject, action: "viewer", resource }, &Circumstances::at(0))
        .expect("within the limits")
        .is_allowed()
}

fn persistent(facts: &[Fact]) -> Persistent {
    let mut built = Persistent::default();
    facts.iter().for_each(|fact| built.write(*fact));
    built
}

fn graph(facts: &[Fact]) -> Graph {
    let schema = Schema::parse(&[Source { name: "spike", text: MODEL }]).expect("a valid model");
    let mut built = Graph::new(Arc::new(schema));
    for fact in facts {
        built.write(relationship(*fact));
    }
    built
}

/// Questions whose answer is yes through a role, and whose answer is no.
fn questions(facts: &[Fact], hit: bool) -> Vec<(String, String)> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); ROLES];
    let mut grants: Vec<(usize, usize)> = Vec::new();
    for fact in facts {
        match *fact {
            Fact::Member(role, user) => members[role].push(user),
            Fact::Viewer(doc, role) => grants.push((doc, role)),
        }
    }
    let mut dice = Dice(2);
    (0..QUESTIONS)
        .map(|_| {
            let (document, role) = grants[dice.roll(grants.len())];
            let of_role = &members[role];
            let someone =
                if hit && !of_role.is_empty() { of_role[dice.roll(of_role.len())] } else { dice.roll(USERS) };
            (user(someone), doc(document))
        })
        .collect()
}

fn per_item(items: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64 / items as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn report(what: &str, columns: &[(&str, Vec<f64>)]) {
    let shown: Vec<_> =
        columns.iter().map(|(name, figures)| format!("{name} {:.0}", median(figures.clone()))).collect();
    println!("{what:<28} {} ns", shown.join("   "));
}

fn times() {
    let facts = facts();
    let a = persistent(&facts);
    let mut b = graph(&facts);
    b.fold();
    // As full as the overlay gets before it is folded in.
    let mut overlaid = graph(&facts[..facts.len() * 19 / 20]);
    overlaid.fold();
    for fact in &facts[facts.len() * 19 / 20..] {
        overlaid.write(relationship(*fact));
    }
    let floor_names: HashMap<String, u32, RandomState> =
        (0..USERS).map(user).chain((0..DOCS).map(doc)).zip(0..).collect();
    let floor_tuples: HashSet<(u32, u32), RandomState> =
        (0..facts.len()).map(|n| (n as u32 % 400_000, (n * 7) as u32 % 200_000)).collect();

    for (what, hit) in [("check, yes through a role", true), ("check, no", false)] {
        let questions = questions(&facts, hit);
        let mut columns = [("floor", vec![]), ("a", vec![]), ("b", vec![]), ("b overlaid", vec![])];
        for _ in 0..RUNS {
            columns[0].1.push(per_item(QUESTIONS, || {
                for (user, doc) in &questions {
                    let pair = floor_names.get(user).zip(floor_names.get(doc));
                    black_box(pair.is_some_and(|(user, doc)| floor_tuples.contains(&(*doc, *user))));
                }
            }));
            columns[1].1.push(per_item(QUESTIONS, || {
                questions.iter().for_each(|(user, doc)| {
                    black_box(a.check(user, doc));
                });
            }));
            columns[2].1.push(per_item(QUESTIONS, || {
                questions.iter().for_each(|(user, doc)| {
                    black_box(ask(&b, user, doc));
                });
            }));
            columns[3].1.push(per_item(QUESTIONS, || {
                questions.iter().for_each(|(user, doc)| {
                    black_box(ask(&overlaid, user, doc));
                });
            }));
        }
        report(what, &columns);
    }

    let mut columns = [("a", vec![]), ("b", vec![])];
    for _ in 0..RUNS {
        columns[0].1.push(per_item(1000, || (0..1000).for_each(|_| drop(black_box(a.clone())))));
        columns[1].1.push(per_item(1000, || (0..1000).for_each(|_| drop(black_box(overlaid.clone())))));
    }
    report("fork and drop", &columns);

    let fresh: Vec<_> = (0..WRITES).map(|n| Fact::Member(n % ROLES, USERS + n)).collect();
    let relationships: Vec<_> = fresh.iter().map(|fact| relationship(*fact)).collect();
    let mut columns = [("a", vec![]), ("b", vec![])];
    let mut slowest: f64 = 0.0;
    for _ in 0..RUNS {
        let mut forked = a.clone();
        columns[0].1.push(per_item(WRITES, || {
            for fact in &fresh {
                let published = forked.clone();
                forked.write(*fact);
                drop(published);
            }
        }));
        let mut forked = b.clone();
        columns[1].1.push(per_item(WRITES, || {
            for relationship in &relationships {
                let published = forked.clone();
                let start = Instant::now();
                forked.write(relationship.clone());
                slowest = slowest.max(start.elapsed().as_nanos() as f64);
                drop(published);
            }
        }));
    }
    report("write, each one published", &columns);
    let mut columns = [("b", vec![])];
    for _ in 0..RUNS {
        let mut forked = overlaid.clone();
        columns[0].1.push(per_item(1, || forked.fold()));
    }
    report("folding 50,000 in", &columns);
    println!("slowest write of b           {slowest:.0} ns");
}

/// Resident bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: f64 = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096.0
}

fn memory(which: &str) {
    let facts = facts();
    let before = resident();
    let start = Instant::now();
    if which == "a" {
        let built = persistent(&facts);
        println!("{:.0} bytes a relationship", (resident() - before) / facts.len() as f64);
        drop(black_box(built));
    } else {
        let mut built = graph(&facts);
        built.fold();
        println!("{:.0} bytes a relationship", (resident() - before) / built.len() as f64);
        drop(black_box(built));
    }
    println!("{:.1} s to build", start.elapsed().as_secs_f64());
}

/// Nothing but checks of (b), for a profiler.
fn profile() {
    let facts = facts();
    let mut built = graph(&facts);
    built.fold();
    let questions = questions(&facts, true);
    for _ in 0..100 {
        questions.iter().for_each(|(user, doc)| {
            black_box(ask(&built, user, doc));
        });
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["memory", which] => memory(which),
        ["profile"] => profile(),
        _ => times(),
    }
}
