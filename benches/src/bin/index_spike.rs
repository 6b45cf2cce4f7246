//! Which index for ten million relationships?
//!
//! Every command prints medians of interleaved runs, in time of the processor, on one set of data: 1,000,000 users and 2,000,000 objects (100,000
//! roles, the rest documents), ids of 16 to 36 bytes, 4,000,000 memberships, 6,000,000 grants on documents, a third of them
//! to single users. `rbac` is casbin's large benchmark: 100,000 users each in one of 10,000 roles, 1,000 resources with ten
//! roles each. The floor is what any index must do for a direct hit: two string look-ups and one probe of a tuple set, in
//! mutable hash maps with the engine's hasher.
//!
//!     cargo run --release -p grantd-benches --bin index_spike check      # questions at ten million
//!     cargo run --release -p grantd-benches --bin index_spike rbac       # questions at RBAC large
//!     cargo run --release -p grantd-benches --bin index_spike names      # look-ups of a name: layouts of the table
//!     cargo run --release -p grantd-benches --bin index_spike persistent # questions: persistent maps only
//!     cargo run --release -p grantd-benches --bin index_spike write      # writing, folding, forking
//!     cargo run --release -p grantd-benches --bin index_spike memory     # steady and peak, while importing and folding
//!     cargo run --release -p grantd-benches --bin index_spike open       # snapshot: making, opening, hashing
//!
//! `SPIKE_MILLIONS=1` makes it smaller. The figures are in `docs/decisions/0002-index-at-ten-million.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a bench may stop")]

use std::hash::BuildHasher as _;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use foldhash::fast::RandomState;
use grantd_engine::{
    Circumstances, Filter, Graph, Key, Object, ObjectRef, Question, Relationship, Schema, Source, Subject,
    SubjectRef,
};
use grantd_realm::State;
use hashbrown::{HashMap, HashSet, HashTable};
use imbl::GenericHashMap;
use imbl::shared_ptr::DefaultSharedPtr;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 15;
const QUESTIONS: usize = 100_000;

const MODEL: &str = "\
type user
type role
  relations
    define member: [user]
type doc
  relations
    define viewer: [user, role#member]
";

/// A generator that is the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// A relationship by number.
#[derive(Clone, Copy)]
enum Fact {
    /// A role has a user.
    Member(u32, u32),
    /// A document is given to a role.
    ToRole(u32, u32),
    /// A document is given to a user.
    ToUser(u32, u32),
}

struct Data {
    users: usize,
    roles: usize,
    docs: usize,
    facts: Vec<Fact>,
}

/// Numbers as if they were scattered: ids in the order of the alphabet would be kinder than those of the world.
/// Takes a result, so that what made it is not optimised away.
fn seen<T>(result: T) {
    let _ = black_box(result);
}

fn scattered(n: usize) -> u64 {
    let mut x = (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 31;
    x.wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

/// 16 to 28 bytes.
fn user(n: usize) -> String {
    let domain = ["", "@x.io", "@example.com"][n % 3];
    format!("{:06x}-{n:09}{domain}", scattered(n) >> 40)
}

/// 16 bytes.
fn role(n: usize) -> String {
    format!("role-{n:011}")
}

/// 36 bytes.
fn doc(n: usize) -> String {
    let (a, b) = (scattered(n), scattered(n + 77_777_777));
    let (c, d) = (b >> 48, b & 0xFFFF_FFFF_FFFF);
    format!("{:08x}-{:04x}-{:04x}-{c:04x}-{d:012x}", a >> 32, (a >> 16) & 0xFFFF, a & 0xFFFF)
}

impl Data {
    fn ten_million() -> Self {
        let millions =
            std::env::var("SPIKE_MILLIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(10.0);
        let of = |n: f64| (n * millions / 10.0) as usize;
        let (users, roles, docs) = (of(1e6), of(1e5), of(1.9e6));
        let mut dice = Dice(1);
        let number = |n: usize| u32::try_from(n).expect("small");
        let mut facts: Vec<_> =
            (0..users * 4).map(|n| Fact::Member(number(dice.roll(roles)), number(n % users))).collect();
        for n in 0..of(6e6) {
            let document = number(n % docs);
            facts.push(match n % 3 {
                0 => Fact::ToUser(document, number(dice.roll(users))),
                _ => Fact::ToRole(document, number(dice.roll(roles))),
            });
        }
        for at in (1..facts.len()).rev() {
            facts.swap(at, dice.roll(at + 1));
        }
        Self { users, roles, docs, facts }
    }

    fn rbac_large() -> Self {
        let (users, roles, docs) = (100_000, 10_000, 1_000);
        let mut facts: Vec<_> = (0..users as u32).map(|n| Fact::Member(n / 10, n)).collect();
        facts.extend((0..roles as u32).map(|n| Fact::ToRole(n / 10, n)));
        Self { users, roles, docs, facts }
    }

    /// Questions spread over users and documents: whose answer is yes through a role, and whose answer is no.
    fn questions(&self, hit: bool) -> Vec<(String, String)> {
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); self.roles];
        let mut grants = Vec::new();
        for fact in &self.facts {
            match *fact {
                Fact::Member(role, user) => members[role as usize].push(user),
                Fact::ToRole(doc, role) => grants.push((doc, role)),
                Fact::ToUser(..) => {}
            }
        }
        let mut dice = Dice(2);
        let mut questions = Vec::with_capacity(QUESTIONS);
        while questions.len() < QUESTIONS {
            let (document, role) = grants[dice.roll(grants.len())];
            let of_role = &members[role as usize];
            let someone = match (hit, of_role.len()) {
                (true, 0) => continue,
                (true, many) => of_role[dice.roll(many)] as usize,
                (false, _) => dice.roll(self.users),
            };
            questions.push((user(someone), doc(document as usize)));
        }
        questions
    }

    /// Built by single writes, or read from the file that `SPIKE_CACHE` names, which is made if it is not there.
    fn graph(&self) -> Graph {
        let Ok(cache) = std::env::var("SPIKE_CACHE") else { return self.built() };
        let cache = format!("{cache}.{}", self.facts.len());
        if let Ok(bytes) = std::fs::read(&cache) {
            return Graph::from_dump(&bytes, schema()).expect("what was written");
        }
        let (graph, mut bytes) = (self.built(), Vec::new());
        graph.dump(&mut bytes);
        std::fs::write(&cache, bytes).expect("a file");
        graph
    }

    fn built(&self) -> Graph {
        let mut graph = Graph::new(schema());
        self.facts.iter().for_each(|fact| seen(graph.write(relationship(*fact))));
        graph.fold();
        graph
    }

    fn floor(&self) -> Floor {
        let names = (0..self.users).map(user).chain((0..self.docs).map(doc)).chain((0..self.roles).map(role));
        let names: HashMap<String, u32, RandomState> = names.zip(0..).collect();
        let (docs, roles) = (self.users as u32, (self.users + self.docs) as u32);
        let tuples = self.facts.iter().map(|fact| match *fact {
            Fact::Member(role, user) => (roles + role, 0, user),
            Fact::ToRole(doc, role) => (docs + doc, 1, roles + role),
            Fact::ToUser(doc, user) => (docs + doc, 1, user),
        });
        Floor { names, tuples: tuples.collect() }
    }
}

struct Floor {
    names: HashMap<String, u32, RandomState>,
    tuples: HashSet<(u32, u32, u32), RandomState>,
}

impl Floor {
    fn ask(&self, user: &str, doc: &str) -> bool {
        let pair = self.names.get(user).zip(self.names.get(doc));
        pair.is_some_and(|(user, doc)| self.tuples.contains(&(*doc, 1, *user)))
    }
}

fn schema() -> Arc<Schema> {
    Arc::new(Schema::parse(&[Source { name: "spike", text: MODEL }]).expect("a valid model"))
}

fn relationship(fact: Fact) -> Relationship {
    let object = |kind: &str, id: String| Object::new(kind, &id).expect("a valid object");
    let name = |relation: &str| relation.parse().expect("a valid name");
    Relationship::lasting(match fact {
        Fact::Member(left, right) => Key {
            resource: object("role", role(left as usize)),
            relation: name("member"),
            subject: Subject::Object(object("user", user(right as usize))),
        },
        Fact::ToRole(left, right) => Key {
            resource: object("doc", doc(left as usize)),
            relation: name("viewer"),
            subject: Subject::Userset(object("role", role(right as usize)), name("member")),
        },
        Fact::ToUser(left, right) => Key {
            resource: object("doc", doc(left as usize)),
            relation: name("viewer"),
            subject: Subject::Object(object("user", user(right as usize))),
        },
    })
}

fn ask(graph: &Graph, user: &str, doc: &str) -> bool {
    let subject = SubjectRef::Object(ObjectRef { kind: "user", id: user });
    let resource = ObjectRef { kind: "doc", id: doc };
    let question = Question { subject, action: "viewer", resource };
    graph.check(&question, &Circumstances::at(0)).expect("within the limits").is_allowed()
}

type Map<K, V> = GenericHashMap<K, V, RandomState, DefaultSharedPtr>;

/// Persistent maps only, in as little code as that takes.
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
            Fact::Member(left, right) => {
                (self.number(1, &role(left as usize)), self.number(0, &user(right as usize)))
            }
            Fact::ToRole(left, right) => {
                (self.number(2, &doc(left as usize)), self.number(1, &role(right as usize)))
            }
            Fact::ToUser(left, right) => {
                (self.number(2, &doc(left as usize)), self.number(0, &user(right as usize)))
            }
        };
        self.tuples.insert((left, right), ());
        if matches!(fact, Fact::ToRole(..)) {
            self.usersets.entry(left).or_default().insert(right);
        }
        self.reverse.entry(right).or_default().insert(left);
    }

    fn ask(&self, user: &str, doc: &str) -> bool {
        let (Some(user), Some(doc)) = (self.names[0].get(user), self.names[2].get(doc)) else { return false };
        self.tuples.contains_key(&(*doc, *user))
            || self
                .usersets
                .get(doc)
                .is_some_and(|roles| roles.iter().any(|role| self.tuples.contains_key(&(*role, *user))))
    }
}

/// Seconds of the processor that this thread had: what others on the machine do is not in it, but for the caches.
fn own_time() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split(' ').next().and_then(|text| text.parse::<f64>().ok());
    nanoseconds.expect("a number") / 1e9
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = own_time();
    let value = work();
    (own_time() - start, value)
}

/// Seconds by the clock: for what is too short for [`own_time`], which the system only brings up to date now and then.
fn clocked<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = std::time::Instant::now();
    let value = work();
    (start.elapsed().as_secs_f64(), value)
}

fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Runs each in turn, `RUNS` times, and prints the medians, and how many times the first one they are.
fn compare(what: &str, items: usize, unit: (f64, &str), works: &mut [(&str, &mut dyn FnMut())]) {
    let mut figures = vec![Vec::new(); works.len()];
    for _ in 0..RUNS {
        for (figures, (_, work)) in figures.iter_mut().zip(works.iter_mut()) {
            figures.push(timed(work).0 * unit.0 / items as f64);
        }
    }
    println!("{what}");
    for (mine, (name, _)) in figures.iter().zip(works.iter()) {
        let mut ratios: Vec<_> = mine.iter().zip(&figures[0]).map(|(mine, first)| mine / first).collect();
        ratios.sort_by(f64::total_cmp);
        println!(
            "  {name:<24} {:>8.0} {}   {:.2} times ({:.2} to {:.2})",
            median(mine),
            unit.1,
            ratios[RUNS / 2],
            ratios[RUNS / 8],
            ratios[RUNS - 1 - RUNS / 8]
        );
    }
}

const NANOSECONDS: (f64, &str) = (1e9, "ns");
const MILLISECONDS: (f64, &str) = (1e3, "ms");

fn check(data: &Data) {
    let floor = data.floor();
    let graph = data.graph();
    // As full as the overlay gets before it is folded in.
    let mut overlaid = graph.clone();
    for n in 0..data.facts.len() / 16 {
        let new = Fact::Member((n % data.roles) as u32, ((n * 7) % data.users) as u32);
        overlaid.write(relationship(new));
        if overlaid.needs_fold() {
            break;
        }
    }
    for (what, hit) in [("check, yes through a role", true), ("check, no", false)] {
        let questions = data.questions(hit);
        let right = questions.iter().filter(|(user, doc)| ask(&graph, user, doc)).count();
        println!("{right} of {} answers are yes", questions.len());
        assert!(if hit { right == questions.len() } else { right < questions.len() / 50 });
        compare(
            what,
            questions.len(),
            NANOSECONDS,
            &mut [
                ("floor", &mut || {
                    questions.iter().for_each(|(user, doc)| seen(floor.ask(user, doc)));
                }),
                ("graph", &mut || {
                    questions.iter().for_each(|(user, doc)| seen(ask(&graph, user, doc)));
                }),
                ("graph, overlay full", &mut || {
                    questions.iter().for_each(|(user, doc)| seen(ask(&overlaid, user, doc)));
                }),
            ],
        );
    }
}

fn persistent(data: &Data) {
    let floor = data.floor();
    let before = resident();
    let (seconds, built) = timed(|| {
        let mut built = Persistent::default();
        data.facts.iter().for_each(|fact| built.write(*fact));
        built
    });
    println!("persistent maps: {seconds:.1} s to build, {:.0} bytes a relationship", per_fact(data, before));
    for (what, hit) in [("check, yes through a role", true), ("check, no", false)] {
        let questions = data.questions(hit);
        compare(
            what,
            questions.len(),
            NANOSECONDS,
            &mut [
                ("floor", &mut || {
                    questions.iter().for_each(|(user, doc)| seen(floor.ask(user, doc)));
                }),
                ("persistent maps", &mut || {
                    questions.iter().for_each(|(user, doc)| seen(built.ask(user, doc)));
                }),
            ],
        );
    }
}

/// A slot of a table in order of the hashes.
type Slot = (u32, u32, u32, u16, u16);

/// The layouts that were tried for the table of names, over one text.
fn names(data: &Data) {
    let ids: Vec<String> = (0..data.users).map(user).chain((0..data.docs).map(doc)).collect();
    let hasher = RandomState::default();
    let hash = |id: &str| hasher.hash_one((1_u16, id));
    let floor: HashMap<String, u32, RandomState> = ids.iter().cloned().zip(0..).collect();
    let mut text = String::new();
    let mut places = Vec::new();
    for id in &ids {
        places.push((text.len() as u32, id.len() as u16));
        text.push_str(id);
    }
    let id_at =
        |(start, length): (u32, u16)| &text.as_bytes()[start as usize..start as usize + length as usize];
    let mut with_tags: HashTable<(u32, u32, u16)> = HashTable::with_capacity(ids.len());
    for (n, (place, id)) in (0..).zip(places.iter().zip(&ids)) {
        with_tags.insert_unique(hash(id), (n, place.0, place.1), |(_, start, length)| {
            hasher.hash_one((1_u16, std::str::from_utf8(id_at((*start, *length))).expect("text")))
        });
    }
    let ordered = |load: f64| {
        let homes = (ids.len() as f64 / load) as u64;
        let mut all: Vec<Slot> = (0..)
            .zip(places.iter().zip(&ids))
            .map(|(n, (place, id))| ((hash(id) >> 32) as u32, n, place.0, place.1, 1))
            .collect();
        all.sort_unstable_by_key(|slot| slot.0);
        let mut slots: Vec<Slot> = Vec::with_capacity(homes as usize + 200);
        for slot in all {
            let home = ((u64::from(slot.0) * homes) >> 32) as usize;
            slots.resize(slots.len().max(home), (0, 0, 0, 0, 0));
            slots.push(slot);
        }
        slots.resize(slots.len().max(homes as usize) + 1, (0, 0, 0, 0, 0));
        (slots, homes)
    };
    let find = |(slots, homes): &(Vec<Slot>, u64), id: &str| {
        let tag = (hash(id) >> 32) as u32;
        for slot in &slots[((u64::from(tag) * homes) >> 32) as usize..] {
            if slot.3 == 0 || slot.0 > tag {
                break;
            }
            if slot.0 == tag && slot.3 as usize == id.len() && id_at((slot.2, slot.3)) == id.as_bytes() {
                return Some(slot.1);
            }
        }
        None
    };
    let (loose, medium, tight) = (ordered(0.5), ordered(0.625), ordered(0.8));
    let mut dice = Dice(3);
    let known: Vec<String> = (0..QUESTIONS).map(|_| ids[dice.roll(ids.len())].clone()).collect();
    let unknown: Vec<String> = known.iter().map(|id| id.replace('-', "+")).collect();
    for (what, questions) in [("a name that is there", known), ("a name that is not", unknown)] {
        compare(
            what,
            questions.len(),
            NANOSECONDS,
            &mut [
                ("map of strings", &mut || questions.iter().for_each(|id| seen(floor.get(id)))),
                ("tags, then slots", &mut || {
                    questions.iter().for_each(|id| {
                        let is_it =
                            |(_, start, length): &(u32, u32, u16)| id_at((*start, *length)) == id.as_bytes();
                        black_box(with_tags.find(hash(id), is_it));
                    });
                }),
                ("in order, half full", &mut || {
                    questions.iter().for_each(|id| seen(find(&loose, id)));
                }),
                ("in order, 5/8 full", &mut || {
                    questions.iter().for_each(|id| seen(find(&medium, id)));
                }),
                ("in order, 4/5 full", &mut || {
                    questions.iter().for_each(|id| seen(find(&tight, id)));
                }),
            ],
        );
    }
}

fn write(data: &Data) {
    const WRITES: usize = 20_000;
    let graph = data.graph();
    let fresh: Vec<_> = (0..WRITES)
        .map(|n| relationship(Fact::Member((n % data.roles) as u32, (data.users + n) as u32)))
        .collect();
    let mut figures = Vec::new();
    for _ in 0..RUNS {
        let mut forked = graph.clone();
        let start = own_time();
        for relationship in &fresh {
            let published = forked.clone();
            forked.write(relationship.clone());
            drop(published);
        }
        figures.push((own_time() - start) / WRITES as f64);
    }
    println!("write, each one published: {:.1} µs", median(&figures) * 1e6);
    let mut full = graph.clone();
    let mut dice = Dice(5);
    while !full.needs_fold() {
        let fact = Fact::ToRole(dice.roll(data.docs) as u32, dice.roll(data.roles) as u32);
        full.write(relationship(fact));
    }
    println!("{} relationships in the overlay", full.len() - graph.len());
    let (mut begin, mut run, mut adopt) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        let mut forked = full.clone();
        let (seconds, fold) = clocked(|| forked.begin_fold());
        begin.push(seconds);
        let (seconds, folded) = timed(|| fold.run());
        run.push(seconds);
        for relationship in fresh.iter().take(5_000) {
            forked.write(relationship.clone());
        }
        let (seconds, adopted) = clocked(|| forked.adopt(folded));
        adopt.push(seconds);
        assert!(adopted);
    }
    println!(
        "fold: {:.1} µs to begin, {:.0} ms elsewhere, {:.2} ms to adopt with 5,000 writes meanwhile",
        median(&begin) * 1e6,
        median(&run) * 1e3,
        median(&adopt) * 1e3
    );
    let page = |graph: &Graph, after: Option<&Key>| clocked(|| graph.read(&Filter::default(), after, 100));
    let (first, found) = page(&full, None);
    let (second, _) = page(&full, found.last().map(|found| &found.key));
    println!("a page of 100: {:.2} ms, the next {:.2} ms", first * 1e3, second * 1e3);
    let (seconds, count) =
        timed(|| full.count(&Filter { relation: "viewer".parse().ok(), ..Filter::default() }));
    println!("counting {count}: {:.0} ms", seconds * 1e3);
}

/// A line of `/proc/self/status`, in bytes.
fn status(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let found = status.lines().find_map(|text| text.strip_prefix(line)).expect("a line");
    found.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<f64>().expect("a number") * 1024.0
}

fn resident() -> f64 {
    status("VmRSS")
}

fn per_fact(data: &Data, before: f64) -> f64 {
    (resident() - before) / data.facts.len() as f64
}

fn memory(data: &Data) {
    let before = resident();
    let peak_since = |before: f64, count: u64| (status("VmHWM") - before) / count as f64;
    let mut graph = Graph::new(schema());
    // As a node does it: folds elsewhere, while writing goes on.
    let mut fold: Option<std::thread::JoinHandle<_>> = None;
    let (seconds, ()) = timed(|| {
        for fact in &data.facts {
            graph.write(relationship(*fact));
            if graph.needs_fold() && fold.is_none() {
                let begun = graph.begin_fold();
                fold = Some(std::thread::spawn(move || begun.run()));
            }
            if fold.as_ref().is_some_and(std::thread::JoinHandle::is_finished) {
                let folded = fold.take().expect("there").join().expect("no panic");
                graph.adopt(folded);
            }
        }
    });
    if let Some(folded) = fold {
        graph.adopt(folded.join().expect("no panic"));
    }
    let count = graph.len();
    println!(
        "{count} relationships imported in {seconds:.1} s; peak {:.1} bytes each",
        peak_since(before, count)
    );
    graph.fold();
    println!("steady: {:.1} bytes each", (resident() - before) / count as f64);
    seen(graph);
}

/// Writes bytes as a store keeps them: in pieces with checksums, compressed.
fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for piece in bytes.chunks(4 << 20) {
        let packed = zstd::bulk::compress(piece, 3).expect("compresses");
        file.extend((packed.len() as u32).to_le_bytes());
        file.extend(blake3::hash(&packed).as_bytes());
        file.extend(packed);
    }
    file
}

fn unpack(path: &std::path::Path) -> Vec<u8> {
    let mut file = Vec::new();
    std::fs::File::open(path).and_then(|mut opened| opened.read_to_end(&mut file)).expect("a file");
    let (mut bytes, mut rest) = (Vec::new(), &file[..]);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (checksum, after) = after.split_at(32);
        let (packed, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        assert_eq!(blake3::hash(packed).as_bytes(), checksum);
        bytes.extend(zstd::bulk::decompress(packed, 4 << 20).expect("decompresses"));
        rest = after;
    }
    bytes
}

fn open(data: &Data) {
    // A state with nothing but relationships: its bytes end with those of the graph.
    let (mut bytes, mut nothing) = (State::empty(schema()).to_snapshot(), Vec::new());
    Graph::new(schema()).dump(&mut nothing);
    bytes.truncate(bytes.len() - nothing.len());
    data.graph().dump(&mut bytes);
    let state = State::from_snapshot(&bytes, schema()).expect("what was written");
    drop(bytes);
    state.prepare();
    let (seconds, hash) = timed(|| state.hash());
    println!("state hash: {seconds:.2} s");
    let (seconds, bytes) = timed(|| state.to_snapshot());
    println!("to bytes: {seconds:.2} s, {} MB", bytes.len() / 1_000_000);
    let (seconds, packed) = timed(|| pack(&bytes));
    println!("compressing: {seconds:.2} s, {} MB", packed.len() / 1_000_000);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("snapshot");
    std::fs::File::create(&path).and_then(|mut file| file.write_all(&packed)).expect("a file");
    let restored = State::from_snapshot(&bytes, schema()).expect("what was written");
    assert_eq!(restored.hash(), hash);
    drop((restored, state, bytes, packed));
    compare(
        "opening",
        1,
        MILLISECONDS,
        &mut [
            ("reading, decompressing", &mut || seen(unpack(&path))),
            ("and the state", &mut || {
                seen(State::from_snapshot(&unpack(&path), schema()).expect("what was written"));
            }),
        ],
    );
    let before = resident();
    let opened = State::from_snapshot(&unpack(&path), schema()).expect("what was written");
    println!("opened: {:.1} bytes a relationship", (resident() - before) / opened.graph().len() as f64);
}

/// Nothing but checks, for a profiler.
fn profile(data: &Data) {
    let graph = data.graph();
    let questions = data.questions(true);
    for _ in 0..50 {
        questions.iter().for_each(|(user, doc)| seen(ask(&graph, user, doc)));
    }
}

fn main() {
    let command = std::env::args().nth(1).unwrap_or_default();
    match command.as_str() {
        "rbac" => check(&Data::rbac_large()),
        "check" => check(&Data::ten_million()),
        "names" => names(&Data::ten_million()),
        "persistent" => persistent(&Data::ten_million()),
        "write" => write(&Data::ten_million()),
        "memory" => memory(&Data::ten_million()),
        "open" => open(&Data::ten_million()),
        "profile" => profile(&Data::ten_million()),
        "profile-rbac" => profile(&Data::rbac_large()),
        _ => panic!("say which: check, rbac, names, persistent, write, memory, open"),
    }
}
