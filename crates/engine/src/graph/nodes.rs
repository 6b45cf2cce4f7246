//! The objects that relationships name, and their numbers.
//!
//! A number is one incarnation of an object. Retiring an object takes its name off its number; when the name is written
//! again it gets another one, and what still carries the old number names nobody.

use std::sync::Arc;

use foldhash::fast::RandomState;
use imbl::GenericHashMap;
use imbl::shared_ptr::DefaultSharedPtr;

use super::layer::{Layer, New};
use super::names::{Added, Names, hash};
use super::symbols::Kind;

/// The number of one incarnation of an object.
pub(crate) type NodeId = u32;

/// Numbers end before this one: an edge has 31 bits for one.
pub(super) const MAX_NODES: usize = (1 << 31) - 1;

/// The text of a base ends below 4 GiB, and what is recent needs at most an eighth as much.
const MAX_TEXT: usize = 3 << 30;

/// One incarnation of an object, or every object of a type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) kind: Kind,
    /// None for the wildcard of the type, and for what was swept away.
    pub(crate) id: Option<&'a str>,
}

/// All nodes: a large immutable part that snapshots share, and two small persistent ones over it: what is being folded
/// into the next base, and what was written since that began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nodes {
    hasher: RandomState,
    base: Arc<Names>,
    folding: Layer,
    recent: Layer,
    /// The nodes that have lost their names.
    retired: GenericHashMap<NodeId, Sweep, RandomState, DefaultSharedPtr>,
}

/// Whether relationships still carry a retired number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sweep {
    Due,
    Done,
}

/// The next base of some nodes.
#[derive(Debug)]
pub(super) struct FoldedNodes {
    base: Arc<Names>,
    /// Retired numbers that mean nothing any more.
    settled: Vec<NodeId>,
}

impl FoldedNodes {
    /// Brings the names in order now, so that no reader has to.
    pub(super) fn sort(&self) {
        self.base.order();
    }
}

/// Where a node is.
enum Place<'a> {
    Base,
    Over(&'a New),
}

impl Nodes {
    /// Nodes that are nothing but a base.
    pub(super) fn of(hasher: RandomState, base: Names) -> Self {
        Self { hasher, base: Arc::new(base), ..Self::default() }
    }

    fn place(&self, node: NodeId) -> Option<Place<'_>> {
        let Some(at) = (node as usize).checked_sub(self.base.len()) else { return Some(Place::Base) };
        let new = match at.checked_sub(self.folding.len()) {
            None => self.folding.get(at),
            Some(at) => self.recent.get(at),
        };
        new.map(Place::Over)
    }

    pub(crate) fn get(&self, node: NodeId) -> Option<Node<'_>> {
        Some(match self.place(node)? {
            Place::Base => Node { kind: self.base.kind(node)?, id: self.base.id(node) },
            Place::Over(new) => Node { kind: new.kind, id: new.id.as_deref() },
        })
    }

    /// The type of a node.
    pub(crate) fn kind(&self, node: NodeId) -> Option<Kind> {
        match self.place(node)? {
            Place::Base => self.base.kind(node),
            Place::Over(new) => Some(new.kind),
        }
    }

    /// How many numbers were given.
    pub(crate) fn count(&self) -> usize {
        self.base.len() + self.folding.len() + self.recent.len()
    }

    pub(crate) fn is_alive(&self, node: NodeId) -> bool {
        self.retired.is_empty() || !self.base.retired.has(node) || !self.retired.contains_key(&node)
    }

    /// The living node with this name.
    pub(crate) fn find(&self, kind: Kind, id: &str) -> Option<NodeId> {
        let hash = hash(&self.hasher, kind, id);
        // A name leads to at most one living node, and it is rarely a new one.
        if let Some(node) = self.base.find(hash, kind, id, |node| self.is_alive(node)) {
            return Some(node);
        }
        let is_it = |node| self.is_named(node, kind, id);
        self.recent.find(hash, is_it).or_else(|| self.folding.find(hash, is_it))
    }

    /// The living node with this name, made now if there is none.
    pub(crate) fn intern(&mut self, kind: Kind, id: &Arc<str>) -> Option<NodeId> {
        if let Some(node) = self.find(kind, id) {
            return Some(node);
        }
        self.push(New { kind, id: Some(Arc::clone(id)) })
    }

    /// The node that is to stand for every object of a type. No name leads to it.
    pub(crate) fn add_wildcard(&mut self, kind: Kind) -> Option<NodeId> {
        self.push(New { kind, id: None })
    }

    fn push(&mut self, node: New) -> Option<NodeId> {
        let number = NodeId::try_from(self.count()).ok().filter(|n| (*n as usize) < MAX_NODES)?;
        // What is recent is small: the text of the base has room for it.
        if self.base.text.len() > MAX_TEXT {
            return None;
        }
        let hash = hash(&self.hasher, node.kind, node.id.as_deref().unwrap_or_default());
        self.recent.push(number, hash, node);
        Some(number)
    }

    /// Takes the name off its node and gives the node.
    pub(crate) fn retire(&mut self, kind: Kind, id: &str) -> Option<NodeId> {
        let node = self.find(kind, id)?;
        self.recent.free(hash(&self.hasher, kind, id), |other| other == node);
        self.retired.insert(node, Sweep::Due);
        self.base.retired.set(node);
        Some(node)
    }

    /// Notes that no relationship carries this retired number any more.
    pub(crate) fn swept(&mut self, node: NodeId) {
        if let Some(sweep) = self.retired.get_mut(&node) {
            *sweep = Sweep::Done;
        }
    }

    /// The living named nodes of a type in order of their ids, from the first one at or after `from`.
    pub(crate) fn in_order<'a>(&'a self, kind: Kind, from: &str) -> impl Iterator<Item = NodeId> + use<'a> {
        let base = self.base.order().of_kind(kind);
        let start = base.partition_point(|node| self.base.id(*node) < Some(from));
        let base = base.get(start..).unwrap_or_default().iter().copied();
        let new = self.merged(self.folding.in_order(kind, from), self.recent.in_order(kind, from));
        self.merged(base, new).filter(|node| self.is_alive(*node))
    }

    /// Two lists in order of the ids as one.
    fn merged<'a>(
        &'a self,
        a: impl Iterator<Item = NodeId> + 'a,
        b: impl Iterator<Item = NodeId> + 'a,
    ) -> impl Iterator<Item = NodeId> + 'a {
        let id = |node: NodeId| self.get(node).and_then(|node| node.id);
        let (mut a, mut b) = (a.peekable(), b.peekable());
        std::iter::from_fn(move || match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if id(*y) < id(*x) => b.next(),
            (Some(_), _) => a.next(),
            (None, _) => b.next(),
        })
    }

    fn is_named(&self, node: NodeId, kind: Kind, id: &str) -> bool {
        self.get(node).is_some_and(|node| node.kind == kind && node.id == Some(id)) && self.is_alive(node)
    }

    /// The compact part, once everything is folded in.
    pub(super) fn base(&self) -> &Arc<Names> {
        &self.base
    }

    /// How many nodes the base has, and how many there are over it.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.base.len(), self.folding.len() + self.recent.len())
    }

    /// Sets aside what is recent, to be folded in elsewhere.
    pub(super) fn begin_fold(&mut self) {
        self.folding = std::mem::take(&mut self.recent);
    }

    /// The base with everything that is over it.
    pub(super) fn folded(&self) -> FoldedNodes {
        let done = |sweep: &Sweep| *sweep == Sweep::Done;
        let settled = self.retired.iter().filter(|(_, sweep)| done(sweep)).map(|(node, _)| *node).collect();
        if self.folding.is_empty() && self.recent.is_empty() && self.retired.is_empty() {
            return FoldedNodes { base: Arc::clone(&self.base), settled };
        }
        let new = self.folding.iter().chain(self.recent.iter());
        let added: Vec<_> =
            new.map(|new| Added { kind: new.kind, id: new.id.as_deref().unwrap_or_default() }).collect();
        let is_swept = |node| self.retired.get(&node).is_some_and(done);
        let is_named = |node| !self.retired.contains_key(&node);
        let base = self.base.with(&self.hasher, &added, is_named, is_swept);
        FoldedNodes { base: Arc::new(base), settled }
    }

    /// Takes a base into which what was set aside is folded.
    pub(super) fn adopt(&mut self, folded: FoldedNodes) {
        self.base = folded.base;
        self.folding = Layer::default();
        for node in folded.settled {
            self.retired.remove(&node);
        }
        self.retired.keys().for_each(|node| self.base.retired.set(*node));
    }

    /// Folds everything into the base.
    pub(super) fn fold(&mut self) {
        let folded = self.folded();
        self.recent = Layer::default();
        self.adopt(folded);
    }
}
