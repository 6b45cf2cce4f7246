//! The objects that relationships name, and their numbers.
//!
//! A number is one incarnation of an object. Retiring an object takes its name off its number; when the name is written
//! again it gets another one, and what still carries the old number names nobody.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use imbl::shared_ptr::DefaultSharedPtr;
use imbl::{GenericHashMap, Vector};
use std::hash::BuildHasher;

use super::symbols::Kind;
use super::{SharedMap, overlay_is_full};

/// The number of one incarnation of an object.
pub(crate) type NodeId = u32;

/// Numbers end here: an edge has 31 bits for one.
const MAX_NODES: usize = 1 << 31;

/// The text of a base ends below 4 GiB, and what is recent needs at most a sixteenth as much.
const MAX_TEXT: usize = 3 << 30;

/// One incarnation of an object, or every object of a type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) kind: Kind,
    /// None for the wildcard of the type, and for what was swept away.
    pub(crate) id: Option<&'a str>,
}

/// All nodes: a large immutable part that snapshots share, and a small persistent one over it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nodes {
    hasher: RandomState,
    base: Arc<Base>,
    recent: Vector<Recent>,
    /// Open addressing by name hash: a taken key is followed by the next one.
    recent_index: SharedMap<u64, Slot>,
    /// The nodes that have lost their names.
    retired: GenericHashMap<NodeId, Sweep, RandomState, DefaultSharedPtr>,
}

#[derive(Clone, Debug)]
struct Recent {
    kind: Kind,
    id: Option<Arc<str>>,
}

/// All ids stand in one text. The table repeats where, so that a look-up by name goes from the table to the text at once:
/// each further stop would be a cache miss.
#[derive(Clone, Debug, Default)]
struct Base {
    nodes: Vec<Place>,
    text: String,
    table: HashTable<(NodeId, Place)>,
    order: OnceLock<Vec<NodeId>>,
}

/// Where an id stands. Ids are not empty: no length means no id.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u32,
    length: u16,
    kind: Kind,
}

impl Base {
    fn id(&self, place: Place) -> Option<&str> {
        id(&self.text, place)
    }
}

fn id(text: &str, place: Place) -> Option<&str> {
    let start = place.start as usize;
    text.get(start..start + usize::from(place.length)).filter(|id| !id.is_empty())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Node(NodeId),
    Free,
}

/// Whether relationships still carry a retired number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sweep {
    Due,
    Done,
}

impl Nodes {
    pub(crate) fn get(&self, node: NodeId) -> Option<Node<'_>> {
        let at = node as usize;
        match at.checked_sub(self.base.nodes.len()) {
            None => {
                let place = *self.base.nodes.get(at)?;
                Some(Node { kind: place.kind, id: self.base.id(place) })
            }
            Some(at) => self.recent.get(at).map(|node| Node { kind: node.kind, id: node.id.as_deref() }),
        }
    }

    /// The type of a node.
    pub(crate) fn kind(&self, node: NodeId) -> Option<Kind> {
        let at = node as usize;
        match at.checked_sub(self.base.nodes.len()) {
            None => self.base.nodes.get(at).map(|place| place.kind),
            Some(at) => self.recent.get(at).map(|node| node.kind),
        }
    }

    /// How many numbers were given.
    pub(crate) fn count(&self) -> usize {
        self.base.nodes.len() + self.recent.len()
    }

    pub(crate) fn is_alive(&self, node: NodeId) -> bool {
        self.retired.is_empty() || !self.retired.contains_key(&node)
    }

    /// The living node with this name.
    pub(crate) fn find(&self, kind: Kind, id: &str) -> Option<NodeId> {
        let hash = self.hash(kind, id);
        if !self.recent.is_empty()
            && let Some((_, node)) = self.find_recent(hash, kind, id)
        {
            return Some(node);
        }
        let is_it = |(node, place): &(NodeId, Place)| {
            place.kind == kind && self.base.id(*place) == Some(id) && self.is_alive(*node)
        };
        self.base.table.find(hash, is_it).map(|(node, _)| *node)
    }

    /// The living node with this name, made now if there is none.
    pub(crate) fn intern(&mut self, kind: Kind, id: &Arc<str>) -> Option<NodeId> {
        if let Some(node) = self.find(kind, id) {
            return Some(node);
        }
        let node = self.push(Recent { kind, id: Some(Arc::clone(id)) })?;
        let mut key = self.hash(kind, id);
        while matches!(self.recent_index.get(&key), Some(Slot::Node(_))) {
            key = key.wrapping_add(1);
        }
        self.recent_index.insert(key, Slot::Node(node));
        if overlay_is_full(self.recent.len(), self.base.nodes.len()) {
            self.merge();
        }
        Some(node)
    }

    /// The node that is to stand for every object of a type. No name leads to it.
    pub(crate) fn add_wildcard(&mut self, kind: Kind) -> Option<NodeId> {
        self.push(Recent { kind, id: None })
    }

    fn push(&mut self, node: Recent) -> Option<NodeId> {
        let number = NodeId::try_from(self.count()).ok().filter(|n| (*n as usize) < MAX_NODES)?;
        // What is recent is small: the text of the base has room for it.
        if self.base.text.len() > MAX_TEXT {
            return None;
        }
        self.recent.push_back(node);
        Some(number)
    }

    /// Takes the name off its node and gives the node.
    pub(crate) fn retire(&mut self, kind: Kind, id: &str) -> Option<NodeId> {
        let hash = self.hash(kind, id);
        let node = match self.find_recent(hash, kind, id) {
            Some((key, node)) => {
                self.recent_index.insert(key, Slot::Free);
                node
            }
            None => self.find(kind, id)?,
        };
        self.retired.insert(node, Sweep::Due);
        Some(node)
    }

    /// Notes that no relationship carries this retired number any more.
    pub(crate) fn swept(&mut self, node: NodeId) {
        if let Some(sweep) = self.retired.get_mut(&node) {
            *sweep = Sweep::Done;
        }
    }

    /// The living named nodes in order of type name and id, from the first one at or after `from`.
    pub(crate) fn in_order<'a>(
        &'a self,
        compare_kinds: impl Fn(Kind, Kind) -> Ordering + Copy + 'a,
        from: Option<(Kind, &'a str)>,
    ) -> impl Iterator<Item = NodeId> + 'a {
        let compare = move |a: Node<'_>, b: (Kind, Option<&str>)| {
            compare_kinds(a.kind, b.0).then_with(|| a.id.cmp(&b.1))
        };
        let sorted = move |mut numbers: Vec<NodeId>| {
            numbers.sort_unstable_by(|a, b| match (self.get(*a), self.get(*b)) {
                (Some(a), Some(b)) => compare(a, (b.kind, b.id)),
                _ => Ordering::Equal,
            });
            numbers
        };
        let named = |node: &NodeId| self.get(*node).is_some_and(|node| node.id.is_some());
        let base_end = self.base.nodes.len();
        let number = |at: usize| NodeId::try_from(at).ok();
        let base =
            self.base.order.get_or_init(|| sorted((0..base_end).filter_map(number).filter(named).collect()));
        let recent = sorted((base_end..self.count()).filter_map(number).filter(named).collect());
        let before = move |node: &NodeId| match (from, self.get(*node)) {
            (Some((kind, id)), Some(node)) => compare(node, (kind, Some(id))).is_lt(),
            _ => false,
        };
        let base = base.get(base.partition_point(before)..).unwrap_or_default().iter().copied();
        let start = recent.partition_point(before);
        let mut base = base.peekable();
        let mut recent = recent.into_iter().skip(start).peekable();
        std::iter::from_fn(move || {
            let recent_first = match (base.peek(), recent.peek()) {
                (Some(a), Some(b)) => match (self.get(*a), self.get(*b)) {
                    (Some(a), Some(b)) => compare(a, (b.kind, b.id)).is_gt(),
                    _ => false,
                },
                (None, _) => true,
                (_, None) => false,
            };
            if recent_first { recent.next() } else { base.next() }
        })
        .filter(|node| self.is_alive(*node))
    }

    fn hash(&self, kind: Kind, id: &str) -> u64 {
        self.hasher.hash_one((kind, id))
    }

    fn is_named(&self, node: NodeId, kind: Kind, id: &str) -> bool {
        self.get(node).is_some_and(|node| node.kind == kind && node.id == Some(id))
    }

    fn find_recent(&self, hash: u64, kind: Kind, id: &str) -> Option<(u64, NodeId)> {
        let mut key = hash;
        loop {
            match self.recent_index.get(&key)? {
                Slot::Node(node) if self.is_named(*node, kind, id) => return Some((key, *node)),
                Slot::Node(_) | Slot::Free => key = key.wrapping_add(1),
            }
        }
    }

    /// Folds the recent part into the base. The base is copied if a snapshot shares it.
    pub(crate) fn merge(&mut self) {
        let hasher = self.hasher.clone();
        let base = Arc::make_mut(&mut self.base);
        base.order = OnceLock::new();
        let old = base.nodes.len();
        let hash_of =
            |text: &str, place: Place| hasher.hash_one((place.kind, id(text, place).unwrap_or_default()));
        for (node, sweep) in &self.retired {
            let Some(place) = base.nodes.get_mut(*node as usize) else { continue };
            if let Ok(entry) = base.table.find_entry(hash_of(&base.text, *place), |(other, _)| other == node)
            {
                entry.remove();
            }
            if *sweep == Sweep::Done {
                place.length = 0;
            }
        }
        let Base { nodes, text, table, .. } = base;
        for Recent { kind, id } in std::mem::take(&mut self.recent) {
            let id = id.as_deref().unwrap_or_default();
            let start = u32::try_from(text.len()).unwrap_or(u32::MAX);
            nodes.push(Place { start, length: u16::try_from(id.len()).unwrap_or(u16::MAX), kind });
            text.push_str(id);
        }
        table.reserve(nodes.len() - old, |(_, place)| hash_of(text, *place));
        for slot in std::mem::take(&mut self.recent_index).values() {
            if let Slot::Node(node) = *slot
                && let Some(place) = nodes.get(node as usize)
            {
                table
                    .insert_unique(hash_of(text, *place), (node, *place), |(_, place)| hash_of(text, *place));
            }
        }
        self.retired.retain(|node, sweep| *sweep == Sweep::Due || *node as usize >= old);
    }
}
