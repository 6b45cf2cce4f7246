//! The numbers of types and relations inside one graph.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::nodes::NodeId;
use crate::name::{RelationName, TypeName};

/// A type's number.
pub(crate) type Kind = u16;

/// A relation's number.
pub(crate) type Relation = u16;

/// Stands where a subject is an object or a wildcard and so has no relation. As the greatest number it sorts the
/// usersets of a relation before everything else.
pub(crate) const NO_RELATION: Relation = Relation::MAX;

/// Numbers are given once and never taken back: snapshots share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Symbols {
    kinds: Vec<KindEntry>,
    kind_numbers: HashMap<TypeName, Kind, RandomState>,
    relations: Vec<RelationName>,
    relation_numbers: HashMap<RelationName, Relation, RandomState>,
}

#[derive(Clone, Debug)]
struct KindEntry {
    name: TypeName,
    /// The node that stands for every object of the type, once a relationship named it.
    wildcard: Option<NodeId>,
}

impl Symbols {
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        self.kind_numbers.get(name).copied()
    }

    pub(crate) fn kind_name(&self, kind: Kind) -> Option<&TypeName> {
        self.kinds.get(usize::from(kind)).map(|entry| &entry.name)
    }

    /// Every type that has a number.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        0..Kind::try_from(self.kinds.len()).unwrap_or(Kind::MAX)
    }

    /// Every relation that has a number.
    pub(super) fn relations(&self) -> impl Iterator<Item = Relation> + use<> {
        0..Relation::try_from(self.relations.len()).unwrap_or(Relation::MAX)
    }

    pub(crate) fn wildcard(&self, kind: Kind) -> Option<NodeId> {
        self.kinds.get(usize::from(kind))?.wildcard
    }

    pub(crate) fn set_wildcard(&mut self, kind: Kind, node: NodeId) {
        if let Some(entry) = self.kinds.get_mut(usize::from(kind)) {
            entry.wildcard = Some(node);
        }
    }

    pub(crate) fn relation(&self, name: &str) -> Option<Relation> {
        self.relation_numbers.get(name).copied()
    }

    pub(crate) fn relation_name(&self, relation: Relation) -> Option<&RelationName> {
        self.relations.get(usize::from(relation))
    }

    /// The type's number, given now if it has none; none if the numbers are used up.
    pub(crate) fn add_kind(&mut self, name: &TypeName) -> Option<Kind> {
        if let Some(kind) = self.kind(name.as_str()) {
            return Some(kind);
        }
        let kind = Kind::try_from(self.kinds.len()).ok().filter(|n| *n != Kind::MAX)?;
        self.kinds.push(KindEntry { name: name.clone(), wildcard: None });
        self.kind_numbers.insert(name.clone(), kind);
        Some(kind)
    }

    /// The relation's number, given now if it has none; none if the numbers are used up.
    pub(crate) fn add_relation(&mut self, name: &RelationName) -> Option<Relation> {
        if let Some(relation) = self.relation(name.as_str()) {
            return Some(relation);
        }
        let relation = Relation::try_from(self.relations.len()).ok().filter(|n| *n != NO_RELATION)?;
        self.relations.push(name.clone());
        self.relation_numbers.insert(name.clone(), relation);
        Some(relation)
    }
}
