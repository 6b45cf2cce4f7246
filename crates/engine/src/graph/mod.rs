//! The relationships of one realm, in memory.

//! Inside, objects, types and relations are numbers ([`nodes`], [`symbols`]); a relationship is one edge in the forward
//! [`index`] and one in the reverse, and, if it has an end or a condition, an entry in `terms`.

mod delta;
mod dump;
mod edit;
mod ends;
mod fold;
mod index;
mod layer;
mod listing;
mod marks;
mod names;
mod nodes;
mod order;
mod plan;
mod read;
mod retire;
mod shapes;
mod symbols;
mod table;

use std::sync::Arc;

use foldhash::fast::RandomState;
use imbl::shared_ptr::DefaultSharedPtr;
use imbl::{GenericHashMap, OrdMap, OrdSet, Vector};

pub use dump::NotADump;
pub use edit::Written;
pub use fold::{Fold, Folded};
pub use listing::{Resource, Standing};
pub use read::{Filter, RelationshipRef};
pub use shapes::StoredShape;

pub(crate) use index::{Edge, Index};
pub(crate) use nodes::{NodeId, Nodes};
pub(crate) use plan::{Direct, Form, Plan, RelationPlan, Rule, Shape, Taken};
pub(crate) use symbols::{Kind, NO_RELATION, Relation, Symbols};

use fold::Folding;
use shapes::ShapeId;

use crate::Micros;
use crate::object::{Object, ObjectRef};
use crate::relationship::Condition;
use crate::schema::Schema;
use crate::subject::{Subject, SubjectRef};

/// A persistent map with a seeded hash: ids come from strangers.
type SharedMap<K, V> = GenericHashMap<K, V, RandomState, DefaultSharedPtr>;

/// The relationships of one realm. A clone costs O(1) and is both a snapshot and a fork: neither sees what is later
/// written to the other. Readers never lock.
#[derive(Clone, Debug)]
pub struct Graph {
    schema: Arc<Schema>,
    plan: Arc<Plan>,
    symbols: Arc<Symbols>,
    nodes: Nodes,
    /// From the resource: relation, subject's relation, subject.
    forward: Index,
    /// From the subject: relation, subject's relation, resource.
    reverse: Index,
    /// By resource and forward edge, for the few relationships that have any.
    terms: SharedMap<(NodeId, u64), Terms>,
    /// Retired nodes that relationships may still carry, oldest first.
    debris: Vector<NodeId>,
    /// How many relationships the indexes hold, those of retired nodes included.
    stored: u64,
    /// How many of them there are of each shape.
    shapes: OrdMap<ShapeId, u64>,
    /// The relationships that end, by when: resource and forward edge.
    ends: OrdSet<(Micros, NodeId, u64)>,
    /// What is being folded in elsewhere, if anything is.
    folding: Option<Folding>,
}

/// What limits a relationship.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Terms {
    pub(crate) until: Option<Micros>,
    pub(crate) condition: Option<Arc<Condition>>,
}

/// A subject by number: a node, and the relation if it is a userset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SubjectId {
    pub(crate) node: NodeId,
    pub(crate) relation: Relation,
}

impl Graph {
    /// No relationships under a schema.
    #[must_use]
    pub fn new(schema: Arc<Schema>) -> Self {
        let mut symbols = Symbols::default();
        let plan = Arc::new(Plan::new(&schema, &mut symbols));
        Self {
            schema,
            plan,
            symbols: Arc::new(symbols),
            nodes: Nodes::default(),
            forward: Index::default(),
            reverse: Index::default(),
            terms: SharedMap::default(),
            debris: Vector::new(),
            stored: 0,
            shapes: OrdMap::new(),
            ends: OrdSet::new(),
            folding: None,
        }
    }

    /// The schema that questions are answered by.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Answers by another schema from now on. The relationships stay, also those that the schema would not admit:
    /// these are read, and give nobody anything.
    pub fn set_schema(&mut self, schema: Arc<Schema>) {
        self.plan = Arc::new(Plan::new(&schema, Arc::make_mut(&mut self.symbols)));
        self.schema = schema;
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    pub(crate) fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    pub(crate) fn forward(&self) -> &Index {
        &self.forward
    }

    pub(crate) fn reverse(&self) -> &Index {
        &self.reverse
    }

    /// The living node of an object.
    pub(crate) fn node(&self, object: ObjectRef<'_>) -> Option<NodeId> {
        self.nodes.find(self.symbols.kind(object.kind)?, object.id)
    }

    /// A subject's number, if every name in it has one.
    pub(crate) fn subject_id(&self, subject: SubjectRef<'_>) -> Option<SubjectId> {
        Some(match subject {
            SubjectRef::Object(object) => SubjectId { node: self.node(object)?, relation: NO_RELATION },
            SubjectRef::Userset(object, relation) => {
                SubjectId { node: self.node(object)?, relation: self.symbols.relation(relation)? }
            }
            SubjectRef::Wildcard(kind) => {
                SubjectId { node: self.symbols.wildcard(self.symbols.kind(kind)?)?, relation: NO_RELATION }
            }
        })
    }

    /// The end and the condition of the relationship that `edge` is, seen from its resource.
    pub(crate) fn terms(&self, resource: NodeId, edge: Edge) -> Option<&Terms> {
        if edge.has_terms() { self.terms.get(&(resource, edge.key())) } else { None }
    }

    pub(crate) fn object(&self, node: NodeId) -> Option<Object> {
        let found = self.nodes.get(node)?;
        Some(Object::stored(self.symbols.kind_name(found.kind)?.clone(), Arc::from(found.id?)))
    }

    fn object_ref(&self, node: NodeId) -> Option<ObjectRef<'_>> {
        let found = self.nodes.get(node)?;
        Some(ObjectRef { kind: self.symbols.kind_name(found.kind)?.as_str(), id: found.id? })
    }

    fn subject(&self, subject: SubjectId) -> Option<Subject> {
        let found = self.nodes.get(subject.node)?;
        if found.id.is_none() {
            return Some(Subject::Wildcard(self.symbols.kind_name(found.kind)?.clone()));
        }
        let object = self.object(subject.node)?;
        Some(if subject.relation == NO_RELATION {
            Subject::Object(object)
        } else {
            Subject::Userset(object, self.symbols.relation_name(subject.relation)?.clone())
        })
    }

    fn subject_ref(&self, subject: SubjectId) -> Option<SubjectRef<'_>> {
        let found = self.nodes.get(subject.node)?;
        if found.id.is_none() {
            return Some(SubjectRef::Wildcard(self.symbols.kind_name(found.kind)?.as_str()));
        }
        let object = self.object_ref(subject.node)?;
        Some(if subject.relation == NO_RELATION {
            SubjectRef::Object(object)
        } else {
            SubjectRef::Userset(object, self.symbols.relation_name(subject.relation)?.as_str())
        })
    }
}

impl Terms {
    /// Whether the relationship exists at `now`.
    pub(crate) fn exist(&self, now: Micros) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl SubjectId {
    /// The subject at the end of an edge of the forward index.
    pub(crate) fn of(edge: Edge) -> Self {
        Self { node: edge.node(), relation: edge.subject_relation() }
    }
}
