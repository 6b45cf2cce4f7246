//! A question in a graph's numbers, and what all ways of answering it share.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use super::memberships::{FEW, MANY, Memberships};
use super::truth::Unknowns;
use super::{BrokenCondition, CheckError, MAX_STEPS, Question};
use crate::circumstances::Circumstances;
use crate::condition::{Inputs, Outcome};
use crate::graph::{Edge, Form, Graph, Kind, NodeId, Relation, RelationPlan, Shape};
use crate::object::{Object, ObjectRef};
use crate::path;
use crate::subject::SubjectRef;
use crate::value::Properties;

/// A question by number.
pub(crate) struct Asked<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) target: Target,
    /// The relation asked about, on the resource asked about.
    pub(crate) goal: Goal,
    pub(crate) circumstances: &'g Circumstances<'g>,
    /// The names of subject and resource, for what is stored about them.
    subject: Option<Named<'g>>,
    resource: Named<'g>,
    stored: OnceCell<[&'g Properties; 2]>,
    memberships: OnceCell<Option<Memberships>>,
    /// Looked up only when it turns out that asking from the resource's side takes too long.
    many_memberships: OnceCell<Option<Box<Memberships>>>,
    steps: Cell<usize>,
    most_steps: usize,
}

/// A type's name and an id in its normal form.
struct Named<'g> {
    kind: &'g str,
    id: Cow<'g, str>,
}

/// Who is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    /// None if no relationship names the subject: a wildcard may still mean it.
    pub(crate) node: Option<NodeId>,
    /// Whether it is a userset of the very resource that is asked about.
    is_resource: bool,
}

/// A relation of an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Goal {
    /// None only for the resource of the question, if no relationship names it.
    pub(crate) node: Option<NodeId>,
    pub(crate) kind: Kind,
    pub(crate) relation: Relation,
}

/// Whether a stored relationship counts.
pub(crate) enum Holds {
    No,
    Yes,
    /// It depends on its condition.
    Maybe(Unknowns),
}

/// Why a stored relationship does not count, for explanations.
pub(crate) enum Standing {
    /// It counts.
    Counts,
    /// Its end has come.
    Ended,
    /// The schema takes no such relationship here.
    NotTaken,
    /// It has a condition, which comes to this.
    Condition(Outcome),
}

impl<'g> Asked<'g> {
    /// The question by number; none if a name in it is unknown, so that the answer is no.
    pub(crate) fn new(
        graph: &'g Graph,
        question: &Question<'g>,
        circumstances: &'g Circumstances<'g>,
    ) -> Option<Self> {
        let symbols = graph.symbols();
        let kind = symbols.kind(question.resource.kind)?;
        let relation = symbols.relation(question.action)?;
        graph.plan().relation(kind, relation)?;
        let id = normal(graph, kind, question.resource.id)?;
        let node = graph.nodes().find(kind, &id);
        let (target, subject) = match question.subject {
            SubjectRef::Object(ObjectRef { kind: name, id }) => {
                let kind = symbols.kind(name)?;
                let id = normal(graph, kind, id)?;
                let node = graph.nodes().find(kind, &id);
                let target = Target { kind, shape: Shape::Object, node, is_resource: false };
                (target, Some(Named { kind: name, id }))
            }
            SubjectRef::Userset(ObjectRef { kind: name, id: subject_id }, relation) => {
                let subject_kind = symbols.kind(name)?;
                let subject_id = normal(graph, subject_kind, subject_id)?;
                let shape = Shape::Userset(symbols.relation(relation)?);
                let node = graph.nodes().find(subject_kind, &subject_id);
                let is_resource = subject_kind == kind && subject_id == id;
                (Target { kind: subject_kind, shape, node, is_resource }, None)
            }
            SubjectRef::Wildcard(kind) => {
                let kind = symbols.kind(kind)?;
                let node = symbols.wildcard(kind);
                (Target { kind, shape: Shape::Wildcard, node, is_resource: false }, None)
            }
        };
        Some(Self {
            graph,
            target,
            goal: Goal { node, kind, relation },
            circumstances,
            subject,
            resource: Named { kind: question.resource.kind, id },
            stored: OnceCell::new(),
            memberships: OnceCell::new(),
            many_memberships: OnceCell::new(),
            steps: Cell::new(0),
            most_steps: MAX_STEPS,
        })
    }

    pub(crate) fn plan(&self, goal: Goal) -> Option<&'g RelationPlan> {
        self.graph.plan().relation(goal.kind, goal.relation)
    }

    /// The object of a goal: only the question's resource may be one that nothing names.
    pub(crate) fn object(&self, goal: Goal) -> Option<Object> {
        match goal.node {
            Some(node) => self.graph.object(node),
            None => Object::new(self.resource.kind, &self.resource.id).ok(),
        }
    }

    /// Counts a look at a relationship.
    pub(crate) fn step(&self) -> Result<(), CheckError> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > self.most_steps { Err(CheckError::TooManySteps) } else { Ok(()) }
    }

    /// Whether the goal is the userset that is asked about: everyone in it is in it.
    pub(crate) fn is_target(&self, goal: Goal) -> bool {
        let same = goal.node.map_or(self.target.is_resource, |node| self.target.node == Some(node));
        same && self.target.shape == Shape::Userset(goal.relation)
    }

    /// The nodes on which relationships count for a goal: its own, and for a path those above it.
    pub(crate) fn nodes_of(&self, goal: Goal) -> impl Iterator<Item = NodeId> {
        let graph = self.graph;
        let is_path = graph.plan().is_path(goal.kind);
        let itself = if is_path { None } else { goal.node };
        let id = match goal.node {
            _ if !is_path => None,
            None => Some(&*self.resource.id),
            Some(node) => graph.nodes().get(node).and_then(|node| node.id),
        };
        let paths = id.into_iter().flat_map(path::upwards);
        itself.into_iter().chain(paths.filter_map(move |path| graph.nodes().find(goal.kind, path)))
    }

    /// Whether a relationship that is stored on `node`, and is of this form, counts now.
    pub(crate) fn holds(&self, node: NodeId, edge: Edge, form: &Form) -> Holds {
        if !edge.has_terms() {
            return if form.unconditional { Holds::Yes } else { Holds::No };
        }
        match self.standing(node, edge, form) {
            Standing::Counts | Standing::Condition(Outcome::Holds) => Holds::Yes,
            Standing::Ended | Standing::NotTaken | Standing::Condition(Outcome::Fails) => Holds::No,
            Standing::Condition(Outcome::Missing(missing)) => {
                Holds::Maybe(Unknowns { missing, ..Unknowns::default() })
            }
            Standing::Condition(Outcome::Broken(problem)) => {
                let condition = self.condition_name(node, edge).to_owned();
                let broken = [BrokenCondition { condition, problem }].into();
                Holds::Maybe(Unknowns { broken, ..Unknowns::default() })
            }
        }
    }

    /// The same, with the reason.
    pub(crate) fn standing(&self, node: NodeId, edge: Edge, form: &Form) -> Standing {
        let terms = self.graph.terms(node, edge);
        if terms.is_some_and(|terms| !terms.exist(self.circumstances.now)) {
            return Standing::Ended;
        }
        match terms.and_then(|terms| terms.condition.as_deref()) {
            None if form.unconditional => Standing::Counts,
            None => Standing::NotTaken,
            Some(condition) => match form.condition(&condition.name) {
                None => Standing::NotTaken,
                Some(definition) => {
                    Standing::Condition(definition.evaluate(&self.inputs(&condition.parameters)))
                }
            },
        }
    }

    fn condition_name(&self, node: NodeId, edge: Edge) -> &'g str {
        let condition = self.graph.terms(node, edge).and_then(|terms| terms.condition.as_deref());
        condition.map_or("", |condition| &condition.name)
    }

    /// What a condition sees beside the parameters of its relationship.
    pub(crate) fn inputs<'a>(&'a self, parameters: &'a Properties) -> Inputs<'a> {
        let [subject, resource] = *self.stored.get_or_init(|| {
            let of = |named: &Named<'g>| {
                let object = ObjectRef { kind: named.kind, id: &named.id };
                self.circumstances.entities.properties(object).unwrap_or(Properties::EMPTY)
            };
            [self.subject.as_ref().map_or(Properties::EMPTY, of), of(&self.resource)]
        });
        Inputs::new(parameters, self.circumstances, subject, resource)
    }

    /// Whether it has been looked up already what the subject is a member of.
    pub(super) fn knows_memberships(&self) -> bool {
        self.memberships.get().is_some()
    }

    /// What the subject is a member of; none if that is too much to be worth knowing.
    pub(super) fn memberships(&self) -> Option<&Memberships> {
        let few = self.memberships.get_or_init(|| Memberships::of(self, FEW)).as_ref();
        few.or_else(|| self.many_memberships.get()?.as_deref())
    }

    /// Looks up even many memberships, and says whether that is any help.
    pub(super) fn look_up_many_memberships(&self) -> bool {
        if self.memberships().is_some() {
            return false;
        }
        self.steps.set(0);
        self.many_memberships.get_or_init(|| Memberships::of(self, MANY).map(Box::new)).is_some()
    }

    /// The same question with more patience, for an explanation, which follows everything.
    pub(crate) fn patient(self) -> Self {
        Self { most_steps: 20 * MAX_STEPS, ..self }
    }
}

fn normal<'a>(graph: &Graph, kind: Kind, id: &'a str) -> Option<Cow<'a, str>> {
    if graph.plan().is_path(kind) { path::normalise(id).ok() } else { Some(id.into()) }
}
