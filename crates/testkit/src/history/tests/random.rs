//! A cluster that does everything right: nodes that follow one ledger, and clients that call them.

use std::collections::BTreeMap;

use crate::history::{Change, Kind, Operation, Outcome};

/// Half a second, so that the staleness bound of the rules is ten ticks.
const TICK: u64 = 500_000_000;
const STALE_AFTER: u64 = 10;
const KEYS: u64 = 3;
const NODES: usize = 3;
const CLIENTS: usize = 4;

/// What happened in a run.
pub(super) struct Past {
    pub(super) ledger: Vec<Change>,
    pub(super) history: Vec<Operation>,
}

/// A random run.
pub(super) fn cluster(lot: u64) -> Past {
    let mut run = Run { lot: Lot(lot), nodes: vec![Node::default(); NODES], ..Run::default() };
    let ticks = 20 + run.lot.below(180);
    while run.now < ticks {
        run.now += 1;
        run.tick();
    }
    Past { ledger: run.ledger, history: run.history }
}

/// A small repeatable generator (splitmix64).
#[derive(Default)]
pub(super) struct Lot(pub(super) u64);

impl Lot {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

#[derive(Clone, Default)]
struct Node {
    revision: u64,
    /// The tick at which it last knew that there is nothing newer.
    level: u64,
}

#[derive(Default)]
struct Run {
    lot: Lot,
    now: u64,
    head: u64,
    ledger: Vec<Change>,
    nodes: Vec<Node>,
    history: Vec<Operation>,
    /// For each client the operation it waits for, and whether that has had its effect.
    waiting: BTreeMap<usize, (usize, bool)>,
    /// Writes of unknown outcome that may still arrive.
    adrift: Vec<usize>,
    /// The latest revision that anybody saw.
    shown: u64,
}

impl Run {
    fn tick(&mut self) {
        for _ in 0..=self.lot.below(3) {
            let client = self.lot.below(CLIENTS as u64) as usize;
            match self.waiting.get(&client).copied() {
                None => self.begin(client),
                Some((at, false)) => {
                    self.take_effect(at);
                    self.waiting.insert(client, (at, true));
                }
                Some((at, true)) => self.end(client, at),
            }
        }
        if self.lot.one_in(6) {
            // A command from elsewhere, about nothing that is looked at here.
            self.head += 1;
        }
        if let Some(at) = self.adrift.pop().filter(|_| self.lot.one_in(2)) {
            self.append(at);
        }
        let follower = self.lot.below(NODES as u64) as usize;
        // The last one is often cut off.
        if follower < NODES - 1 || self.lot.one_in(12) {
            self.catch_up(follower);
        }
    }

    fn catch_up(&mut self, node: usize) {
        self.nodes[node] = Node { revision: self.head, level: self.now };
    }

    fn begin(&mut self, client: usize) {
        let kind = if self.lot.one_in(2) { Kind::Write } else { Kind::Read };
        let reads = kind == Kind::Read;
        let operation = Operation {
            id: format!("op-{}", self.history.len()),
            node: self.lot.below(NODES as u64).to_string(),
            process: client as u64,
            kind,
            key: self.lot.below(KEYS).to_string(),
            value: (!reads).then(|| self.lot.one_in(2)),
            at_least: (reads && self.lot.one_in(3)).then(|| self.lot.below(self.shown + 1)),
            full: reads && self.lot.one_in(3),
            invoked: self.now * TICK,
            returned: None,
            outcome: Outcome::Unknown,
            revision: None,
            stale: None,
            changed: None,
        };
        self.waiting.insert(client, (self.history.len(), false));
        self.history.push(operation);
    }

    fn take_effect(&mut self, at: usize) {
        let node: usize = self.history[at].node.parse().unwrap();
        if self.history[at].kind == Kind::Write {
            match self.lot.below(8) {
                0 => self.history[at].outcome = Outcome::Failed,
                1 => self.adrift.push(at),
                2 => {
                    self.append(at);
                }
                _ => {
                    let changed = self.append(at);
                    self.catch_up(node);
                    let operation = &mut self.history[at];
                    operation.outcome = Outcome::Ok;
                    operation.revision = Some(self.head);
                    operation.changed = Some(changed);
                }
            }
            return;
        }
        let asks_for = self.history[at].at_least.unwrap_or_default();
        if self.history[at].full || self.nodes[node].revision < asks_for {
            self.catch_up(node);
        }
        let Node { revision, level } = self.nodes[node].clone();
        let value = self.value(&self.history[at].key, revision);
        let operation = &mut self.history[at];
        operation.outcome = Outcome::Ok;
        operation.revision = Some(revision);
        operation.value = Some(value);
        let age = self.now - level;
        operation.stale = (age > STALE_AFTER).then_some((age / 2) as f64);
    }

    /// Whether there was anything to change.
    fn append(&mut self, at: usize) -> bool {
        let Operation { id, key, value, .. } = self.history[at].clone();
        let value = value.unwrap();
        if self.value(&key, self.head) == value {
            return false;
        }
        self.head += 1;
        self.ledger.push(Change { revision: self.head, reason: Some(id), key, value });
        true
    }

    fn value(&self, key: &str, revision: u64) -> bool {
        let mut before = self.ledger.iter().rev().filter(|change| change.revision <= revision);
        before.find(|change| change.key == key).is_some_and(|change| change.value)
    }

    fn end(&mut self, client: usize, at: usize) {
        self.waiting.remove(&client);
        let answered = self.history[at].outcome != Outcome::Unknown || self.lot.one_in(2);
        let operation = &mut self.history[at];
        operation.returned = answered.then_some(self.now * TICK + TICK / 2);
        if operation.outcome == Outcome::Ok {
            self.shown = self.shown.max(operation.revision.unwrap());
        }
    }
}
