//! A graph as bytes, in bulk: what a snapshot of a realm keeps of it.
//!
//! The arrays are written as they are, so that reading them back costs little more than copying. Only the table of names
//! is made anew: its hashes are seeded, and a seed is nothing to keep. The bytes are not trusted: any bytes give a graph
//! whose parts fit together, or an error; whether it is the right one, the hash of the realm's state says.
//!
//! The form: all integers little-endian, lists with their lengths in front. Types and relations by number; of each node
//! its type, the length of its id, and all ids in one text; the named nodes in order; the rows of both directions, the
//! upper and the lower halves of the edges apart, because the upper ones are nearly all alike; what limits relationships;
//! how many there are of each shape.

use std::str::FromStr;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::index::{Edge, Index, Rows};
use super::names::Names;
use super::nodes::{MAX_NODES, NodeId, Nodes};
use super::order::Order;
use super::shapes::ShapeId;
use super::symbols::{Kind, NO_RELATION, Relation, Symbols};
use super::{Graph, Terms};
use crate::name::{MAX_ID, RelationName, TypeName};
use crate::relationship::Condition;
use crate::schema::Schema;
use thiserror::Error;

/// Bytes that no graph has written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("these are not the bytes of a graph: {0}")]
pub struct NotADump(&'static str);

/// Stands for a wildcard that a type does not have.
const NONE: u32 = u32::MAX;

impl Graph {
    /// Appends the graph to `out` as bytes for [`Graph::from_dump`]. What is retired is left out. For a large graph this
    /// takes long and up to as much memory as the graph, beside the bytes.
    pub fn dump(&self, out: &mut Vec<u8>) {
        let mut graph = self.clone();
        // Two retired objects may have relationships with each other, but one sweep removes them all.
        graph.sweep(usize::MAX);
        let Self { symbols, mut nodes, forward, reverse, terms, shapes, .. } = graph;
        nodes.fold();
        let names = nodes.base();
        out.reserve_exact(names.text.len() + 8 * names.len() + 2 * (4 * names.len() + 8 * forward.sizes().0));
        dump_symbols(out, &symbols);
        dump_names(out, names);
        for index in [forward, reverse] {
            dump_rows(out, &index.folded(), nodes.count());
        }
        put_u64(out, terms.len() as u64);
        // The map is in no order, and equal graphs have equal bytes.
        let mut terms: Vec<_> = terms.iter().map(|((node, key), terms)| (*node, *key, terms)).collect();
        terms.sort_unstable_by_key(|(node, key, _)| (*node, *key));
        for (node, key, terms) in terms {
            put_u32(out, node);
            put_u64(out, key);
            put_option(out, terms.until, |out, until| out.extend(until.to_le_bytes()));
            put_option(out, terms.condition.as_ref(), |out, condition| {
                put_text(out, &condition.name);
                put_text(out, &condition.parameters.to_string());
            });
        }
        put_len(out, shapes.len());
        for (shape, count) in &shapes {
            for number in [shape.kind, shape.relation, shape.subject_kind, shape.subject_relation] {
                out.extend(number.to_le_bytes());
            }
            out.push(u8::from(shape.is_wildcard));
            put_option(out, shape.condition.as_deref(), put_text);
            put_u64(out, *count);
        }
    }

    /// The graph that [`Graph::dump`] wrote, under a schema.
    pub fn from_dump(bytes: &[u8], schema: Arc<Schema>) -> Result<Self, NotADump> {
        let mut from = Input { bytes };
        let mut graph = Self::new(schema.clone());
        let symbols = read_symbols(&mut from)?;
        let hasher = RandomState::default();
        let names = read_names(&mut from, &hasher, &symbols)?;
        let nodes = names.len();
        let check = Checker { nodes, relations: symbols.relations().count() };
        let (forward, sum) = read_rows(&mut from, &check, |row, edge| (row, edge.node(), edge))?;
        let (reverse, turned) = read_rows(&mut from, &check, |row, edge| (edge.node(), row, edge))?;
        if sum != turned {
            return Err(NotADump("the two directions differ"));
        }
        graph.stored = forward.edges.len() as u64;
        graph.nodes = Nodes::of(hasher, names);
        graph.forward = Index::of(forward);
        graph.reverse = Index::of(reverse);
        graph.symbols = Arc::new(symbols);
        graph.read_terms(&mut from, sum.limited)?;
        graph.read_shapes(&mut from)?;
        if !from.bytes.is_empty() {
            return Err(NotADump("bytes are left over"));
        }
        // The plan is in the numbers of these symbols, which a new type or relation extends.
        graph.set_schema(schema);
        Ok(graph)
    }

    fn read_terms(&mut self, from: &mut Input<'_>, limited: u64) -> Result<(), NotADump> {
        if from.u64()? != limited {
            return Err(NotADump("the limited relationships are not those with limits"));
        }
        for _ in 0..limited {
            let (node, key) = (from.u32()?, from.u64()?);
            let until = from.option(|from| Ok(i64::from_le_bytes(from.array()?)))?;
            let condition = from.option(|from| {
                let name = from.text()?.to_owned();
                let parameters = from.text()?.parse().map_err(|_| NotADump("parameters are no object"))?;
                Ok(Arc::new(Condition { name, parameters }))
            })?;
            if !self.forward.find(node, Edge::from_key(key)).is_some_and(Edge::has_terms) {
                return Err(NotADump("limits of a relationship that has none"));
            }
            if let Some(until) = until {
                self.ends.insert((until, node, key));
            }
            if self.terms.insert((node, key), Terms { until, condition }).is_some() {
                return Err(NotADump("a relationship is limited twice"));
            }
        }
        Ok(())
    }

    fn read_shapes(&mut self, from: &mut Input<'_>) -> Result<(), NotADump> {
        for _ in 0..from.u32()? {
            let shape = ShapeId {
                kind: from.u16()?,
                relation: from.u16()?,
                subject_kind: from.u16()?,
                subject_relation: from.u16()?,
                is_wildcard: from.flag()?,
                condition: from.option(|from| from.text().map(Arc::from))?,
            };
            self.shapes.insert(shape, from.u64()?);
        }
        if self.shapes.values().try_fold(0_u64, |sum, count| sum.checked_add(*count)) != Some(self.stored) {
            return Err(NotADump("the shapes are not those of the relationships"));
        }
        Ok(())
    }
}

fn dump_symbols(out: &mut Vec<u8>, symbols: &Symbols) {
    put_len(out, symbols.kinds().count());
    for kind in symbols.kinds() {
        put_text(out, symbols.kind_name(kind).map(TypeName::as_str).unwrap_or_default());
        put_u32(out, symbols.wildcard(kind).unwrap_or(NONE));
    }
    put_len(out, symbols.relations().count());
    for relation in symbols.relations() {
        put_text(out, symbols.relation_name(relation).map(RelationName::as_str).unwrap_or_default());
    }
}

fn read_symbols(from: &mut Input<'_>) -> Result<Symbols, NotADump> {
    let mut symbols = Symbols::default();
    for number in 0..from.u32()? {
        let kind = name::<TypeName>(from)?;
        let wildcard = from.u32()?;
        let kind = symbols.add_kind(&kind).filter(|kind| u32::from(*kind) == number);
        let kind = kind.ok_or(NotADump("a type has two numbers"))?;
        if wildcard != NONE {
            symbols.set_wildcard(kind, wildcard);
        }
    }
    for number in 0..from.u32()? {
        let relation = symbols.add_relation(&name(from)?).filter(|relation| u32::from(*relation) == number);
        relation.ok_or(NotADump("a relation has two numbers"))?;
    }
    Ok(symbols)
}

fn name<N: FromStr>(from: &mut Input<'_>) -> Result<N, NotADump> {
    from.text()?.parse().map_err(|_| NotADump("a name is none"))
}

fn dump_names(out: &mut Vec<u8>, names: &Names) {
    put_len(out, names.len());
    names.kinds().iter().for_each(|kind| out.extend(kind.to_le_bytes()));
    names.lengths().for_each(|length| out.extend(length.to_le_bytes()));
    put_len(out, names.text.len());
    out.extend_from_slice(names.text.as_bytes());
    let order = names.order();
    put_len(out, order.iter().count());
    order.iter().for_each(|node| put_u32(out, node));
}

fn read_names(from: &mut Input<'_>, hasher: &RandomState, symbols: &Symbols) -> Result<Names, NotADump> {
    let count = from.u32()? as usize;
    if count > MAX_NODES {
        return Err(NotADump("too many nodes"));
    }
    let kinds: Vec<Kind> = from.u16s(count)?;
    let lengths = from.u16s(count)?;
    let known = symbols.kinds().count();
    if kinds.iter().any(|kind| usize::from(*kind) >= known)
        || lengths.iter().any(|n| usize::from(*n) > MAX_ID)
    {
        return Err(NotADump("a node of an unknown type, or a long id"));
    }
    let of_kind = |node: NodeId, kind| kinds.get(node as usize) == Some(&kind);
    if symbols.kinds().any(|kind| symbols.wildcard(kind).is_some_and(|node| !of_kind(node, kind))) {
        return Err(NotADump("a wildcard of another type"));
    }
    let text = from.text()?.to_owned();
    let names =
        Names::from_parts(hasher, text, &lengths, kinds).ok_or(NotADump("ids that do not fit their text"))?;
    let count = from.u32()? as usize;
    let list = from.u32s(count)?;
    let order = (count == names.named().count()).then(|| Order::from_list(&names, list)).flatten();
    let order = order.ok_or(NotADump("the order is not one of the named nodes"))?;
    // The cell is empty yet.
    drop(names.order.set(order));
    Ok(names)
}

fn dump_rows(out: &mut Vec<u8>, rows: &Rows, nodes: usize) {
    // Rows end with the last node that has edges.
    let mut ends = rows.starts.iter().skip(1).copied();
    let last = rows.starts.last().copied().unwrap_or_default();
    (0..nodes).for_each(|_| put_u32(out, ends.next().unwrap_or(last)));
    rows.edges.iter().for_each(|edge| put_u32(out, (edge.bits() >> 32) as u32));
    rows.edges.iter().for_each(|edge| put_u32(out, edge.bits() as u32));
}

/// What numbers may be.
struct Checker {
    nodes: usize,
    relations: usize,
}

impl Checker {
    fn is_edge(&self, edge: Edge) -> bool {
        let known = |relation: Relation| usize::from(relation) < self.relations;
        let subject = edge.subject_relation();
        (edge.node() as usize) < self.nodes
            && known(edge.relation())
            && (subject == NO_RELATION || known(subject))
    }
}

/// Says whether two directions hold the same: a sum over all relationships, and how many have limits.
#[derive(PartialEq, Eq, Clone, Copy, Default)]
struct Sum {
    sum: u64,
    limited: u64,
}

fn read_rows(
    from: &mut Input<'_>,
    check: &Checker,
    ends: impl Fn(NodeId, Edge) -> (NodeId, NodeId, Edge),
) -> Result<(Rows, Sum), NotADump> {
    let mut starts = Vec::with_capacity(check.nodes + 1);
    starts.push(0);
    starts.extend(from.u32s(check.nodes)?);
    let count = starts.last().copied().unwrap_or_default() as usize;
    let (upper, lower) = (from.numbers::<4>(count)?, from.numbers::<4>(count)?);
    let mut edges = Vec::with_capacity(count);
    let pairs = upper.iter().zip(lower).map(|(upper, lower)| {
        Edge::from_bits(u64::from(u32::from_le_bytes(*upper)) << 32 | u64::from(u32::from_le_bytes(*lower)))
    });
    edges.extend(pairs);
    let mut sum = Sum::default();
    for (node, bounds) in (0..).zip(starts.windows(2)) {
        let [start, end] = bounds else { continue };
        let row = edges.get(*start as usize..*end as usize).ok_or(NotADump("the rows are out of order"))?;
        let mut before = None;
        for edge in row {
            if !check.is_edge(*edge) || before >= Some(edge.key()) {
                return Err(NotADump("an edge that cannot be"));
            }
            before = Some(edge.key());
            let (resource, subject, edge) = ends(node, *edge);
            let relations = edge.bits() & !u64::from(u32::MAX) | u64::from(edge.has_terms());
            sum.sum = sum.sum.wrapping_add(mixed(resource, subject, relations));
            sum.limited += u64::from(edge.has_terms());
        }
    }
    Ok((Rows::new(starts, edges), sum))
}

/// Spreads three numbers over 64 bits, so that sums of them only meet if the numbers do.
fn mixed(resource: NodeId, subject: NodeId, relations: u64) -> u64 {
    let ends = u64::from(resource) << 32 | u64::from(subject);
    let once = (ends ^ relations.rotate_left(17)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let twice = (once ^ once >> 29 ^ relations).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    twice ^ twice >> 32
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_le_bytes());
}

fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend(value.to_le_bytes());
}

fn put_len(out: &mut Vec<u8>, length: usize) {
    put_u32(out, u32::try_from(length).unwrap_or(u32::MAX));
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_len(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_option<T>(out: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(out, value);
    }
}

/// Bytes that are being read. No more memory is asked for than there are bytes.
struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], NotADump> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or(NotADump("they end too early"))?;
        self.bytes = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotADump> {
        self.take(N)?.try_into().map_err(|_| NotADump("they end too early"))
    }

    fn u16(&mut self) -> Result<u16, NotADump> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, NotADump> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, NotADump> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn flag(&mut self) -> Result<bool, NotADump> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(NotADump("a flag is neither yes nor no")),
        }
    }

    fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, NotADump>,
    ) -> Result<Option<T>, NotADump> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    fn text(&mut self) -> Result<&'a str, NotADump> {
        let length = self.u32()? as usize;
        std::str::from_utf8(self.take(length)?).map_err(|_| NotADump("a text is not UTF-8"))
    }

    /// So many numbers of `N` bytes each.
    fn numbers<const N: usize>(&mut self, count: usize) -> Result<&'a [[u8; N]], NotADump> {
        let bytes = self.take(count.checked_mul(N).ok_or(NotADump("they end too early"))?)?;
        Ok(bytes.as_chunks().0)
    }

    fn u16s(&mut self, count: usize) -> Result<Vec<u16>, NotADump> {
        Ok(self.numbers(count)?.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect())
    }

    fn u32s(&mut self, count: usize) -> Result<Vec<u32>, NotADump> {
        Ok(self.numbers(count)?.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }
}
