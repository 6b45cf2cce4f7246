//! The compact part of the names: immutable, shared by all snapshots.

use std::hash::BuildHasher;
use std::sync::OnceLock;

use foldhash::fast::RandomState;

use super::marks::Marks;
use super::nodes::NodeId;
use super::order::Order;
use super::symbols::Kind;
use super::table::{Slot, Table, tag};

/// All ids stand in one text, one behind the other in order of the nodes' numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) text: String,
    /// Where the id of each node begins, and at the end where the last one ends. Ids are not empty: one of no length is
    /// none.
    starts: Vec<u32>,
    kinds: Vec<Kind>,
    table: Table,
    pub(super) order: OnceLock<Order>,
    /// The nodes that have lost their names since.
    pub(super) retired: Marks,
}

/// What is put behind the nodes of a base: the kind and the id of each, in order of their numbers.
pub(super) struct Added<'a> {
    pub(super) kind: Kind,
    pub(super) id: &'a str,
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(super) fn kind(&self, node: NodeId) -> Option<Kind> {
        self.kinds.get(node as usize).copied()
    }

    pub(super) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Where a node's id stands.
    fn place(&self, node: NodeId) -> Option<(usize, usize)> {
        let at = node as usize;
        let (start, end) = self.starts.get(at).zip(self.starts.get(at + 1))?;
        Some((*start as usize, *end as usize))
    }

    pub(super) fn id(&self, node: NodeId) -> Option<&str> {
        let (start, end) = self.place(node)?;
        self.text.get(start..end).filter(|id| !id.is_empty())
    }

    /// How many bytes the id of each node has, in order of their numbers.
    pub(super) fn lengths(&self) -> impl Iterator<Item = u16> {
        let ends = self.starts.iter().skip(1);
        self.starts.iter().zip(ends).map(|(start, end)| u16::try_from(end - start).unwrap_or(u16::MAX))
    }

    /// The living node with this name.
    pub(super) fn find(
        &self,
        hash: u64,
        kind: Kind,
        id: &str,
        is_alive: impl Fn(NodeId) -> bool,
    ) -> Option<NodeId> {
        let text = self.text.as_bytes();
        let is_it = |slot: &Slot| {
            let start = slot.start as usize;
            slot.kind == kind
                && usize::from(slot.length) == id.len()
                && text.get(start..start + id.len()) == Some(id.as_bytes())
                && is_alive(slot.node)
        };
        self.table.find(tag(hash), is_it).map(|slot| slot.node)
    }

    /// These names and further ones. `is_named` says to which nodes their names still lead, `is_swept` which of the others
    /// nothing names any more: they lose their ids.
    pub(super) fn with<'a>(
        &self,
        hasher: &RandomState,
        added: &[Added<'a>],
        is_named: impl Fn(NodeId) -> bool,
        is_swept: impl Fn(NodeId) -> bool,
    ) -> Self {
        let old = self.len();
        let number = |at: usize| NodeId::try_from(at).unwrap_or(NodeId::MAX);
        let count = old + added.len();
        let bytes = self.text.len() + added.iter().map(|node| node.id.len()).sum::<usize>();
        let mut text = String::with_capacity(bytes);
        let mut starts = Vec::with_capacity(count + 1);
        let mut kinds = Vec::with_capacity(count);
        kinds.extend_from_slice(&self.kinds);
        let position = |text: &String| u32::try_from(text.len()).unwrap_or(u32::MAX);
        for node in (0..old).map(number) {
            starts.push(position(&text));
            if !is_swept(node) {
                text.push_str(self.id(node).unwrap_or_default());
            }
        }
        let mut fresh = Vec::new();
        for (node, Added { kind, id }) in
            added.iter().enumerate().map(|(at, added)| (number(old + at), added))
        {
            starts.push(position(&text));
            kinds.push(*kind);
            if is_swept(node) {
                continue;
            }
            if !id.is_empty() && is_named(node) {
                fresh.push(slot(hasher, node, *kind, position(&text), id));
            }
            text.push_str(id);
        }
        starts.push(position(&text));
        text.shrink_to_fit();
        fresh.sort_unstable_by_key(|slot| slot.tag);
        let moved =
            |slot: Slot| Slot { start: starts.get(slot.node as usize).copied().unwrap_or_default(), ..slot };
        let kept = self.table.taken().filter(|slot| is_named(slot.node)).map(moved);
        let kept_count = self.table.taken().filter(|slot| is_named(slot.node)).count();
        let table = Table::new(kept_count + fresh.len(), merged(kept, fresh.iter().copied()));
        let order = OnceLock::new();
        let names = Self { text, starts, kinds, table, order: OnceLock::new(), retired: Marks::none(count) };
        if let Some(known) = self.order.get() {
            let fresh = fresh.iter().map(|slot| slot.node).collect();
            // Nobody else has the cell yet.
            drop(order.set(known.with(&names, fresh, is_named)));
        }
        Self { order, ..names }
    }

    /// The names of nodes given by kinds and the lengths of their ids; none if these do not fit together.
    pub(super) fn from_parts(
        hasher: &RandomState,
        text: String,
        lengths: &[u16],
        kinds: Vec<Kind>,
    ) -> Option<Self> {
        let mut starts = Vec::with_capacity(lengths.len() + 1);
        let mut end = 0_u32;
        for length in lengths {
            starts.push(end);
            end = end.checked_add(u32::from(*length))?;
            if !text.is_char_boundary(end as usize) {
                return None;
            }
        }
        starts.push(end);
        if kinds.len() != lengths.len() || text.len() != end as usize {
            return None;
        }
        let retired = Marks::none(kinds.len());
        let mut names =
            Self { text, starts, kinds, table: Table::default(), order: OnceLock::new(), retired };
        names.table = names.fresh_table(hasher);
        Some(names)
    }

    /// The table of all nodes that have an id.
    fn fresh_table(&self, hasher: &RandomState) -> Table {
        let numbers = (0..self.len()).filter_map(|at| NodeId::try_from(at).ok());
        let named = numbers.filter_map(|node| Some((node, self.kind(node)?, self.id(node)?)));
        let mut places: Vec<u64> = Vec::with_capacity(self.len());
        places.extend(
            named.map(|(node, kind, id)| u64::from(tag(hash(hasher, kind, id))) << 32 | u64::from(node)),
        );
        places.sort_unstable();
        let slots = places.iter().filter_map(|place| {
            let node = *place as NodeId;
            let (start, end) = self.place(node)?;
            Some(Slot {
                tag: tag(*place),
                node,
                start: u32::try_from(start).ok()?,
                length: u16::try_from(end - start).ok()?,
                kind: self.kind(node)?,
            })
        });
        Table::new(places.len(), slots)
    }

    /// The living named nodes in order.
    pub(super) fn order(&self) -> &Order {
        self.order.get_or_init(|| Order::new(self))
    }

    /// The nodes that a name leads to.
    pub(super) fn named(&self) -> impl Iterator<Item = NodeId> {
        self.table.taken().map(|slot| slot.node)
    }
}

pub(super) fn hash(hasher: &RandomState, kind: Kind, id: &str) -> u64 {
    hasher.hash_one((kind, id))
}

fn slot(hasher: &RandomState, node: NodeId, kind: Kind, start: u32, id: &str) -> Slot {
    let length = u16::try_from(id.len()).unwrap_or(u16::MAX);
    Slot { tag: tag(hash(hasher, kind, id)), node, start, length, kind }
}

/// Two lists in order of the tags as one.
fn merged(a: impl Iterator<Item = Slot>, b: impl Iterator<Item = Slot>) -> impl Iterator<Item = Slot> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(x), Some(y)) if y.tag < x.tag => b.next(),
        (Some(_), _) => a.next(),
        (None, _) => b.next(),
    })
}
