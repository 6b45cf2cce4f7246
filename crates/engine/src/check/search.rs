//! The search for a reason to say yes.
//!
//! A goal is a relation of a resource; it is reached when the subject stands in it. Goals lead to goals, by computed
//! relations and usersets, and are visited breadth first and once each, so that cycles end and the depth at which the
//! search gives up does not depend on the order of anything.
//!
//! All operators so far only add subjects, and so one reached goal is a yes. An operator that takes away (`and`,
//! `but not`) must know a goal's answer, not only whether one was reached: it gets its own rule in
//! [`Search::follow`], which asks for the answers of its parts by searches of their own.

use std::collections::BTreeSet;

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::{CheckError, Decision, MAX_DEPTH, MAX_STEPS, Question};
use crate::Micros;
use crate::graph::{Edge, Form, Graph, Kind, NO_RELATION, NodeId, Relation, Rule, Shape};
use crate::object::ObjectRef;
use crate::path;
use crate::subject::SubjectRef;

/// Above this many goals they are looked up by hash.
const FEW: usize = 16;

pub(super) fn answer(graph: &Graph, question: &Question<'_>, now: Micros) -> Result<Decision, CheckError> {
    let Some((target, first, resource_id)) = begin(graph, question) else { return Ok(Decision::Denied) };
    let mut search = Search::new(graph, target, &resource_id, now);
    // Without conditions first: what holds anyway is a yes, whatever else there is.
    if search.run(first)? {
        return Ok(Decision::Allowed);
    }
    if !search.met_condition {
        return Ok(Decision::Denied);
    }
    let mut search = Search::new(graph, target, &resource_id, now);
    search.assumed = Some(BTreeSet::new());
    if search.run(first)? {
        let missing = search.assumed.unwrap_or_default().into_iter().map(str::to_owned).collect();
        return Ok(Decision::Conditional { missing });
    }
    Ok(Decision::Denied)
}

/// The question by number, with the resource's id in its normal form; none if a name is unknown.
fn begin<'q>(graph: &Graph, question: &Question<'q>) -> Option<(Target, Goal, std::borrow::Cow<'q, str>)> {
    let symbols = graph.symbols();
    let kind = symbols.kind(question.resource.kind)?;
    let relation = symbols.relation(question.action)?;
    graph.plan().rule(kind, relation)?;
    let id = normal(graph, kind, question.resource.id)?;
    let node = graph.nodes().find(kind, &id);
    let target = match question.subject {
        SubjectRef::Object(ObjectRef { kind, id }) => {
            let kind = symbols.kind(kind)?;
            let node = graph.nodes().find(kind, &normal(graph, kind, id)?);
            Target { kind, shape: Shape::Object, node, is_resource: false }
        }
        SubjectRef::Userset(ObjectRef { kind: name, id: subject_id }, relation) => {
            let subject_kind = symbols.kind(name)?;
            let subject_id = normal(graph, subject_kind, subject_id)?;
            let shape = Shape::Userset(symbols.relation(relation)?);
            let node = graph.nodes().find(subject_kind, &subject_id);
            let is_resource = subject_kind == kind && subject_id == id;
            Target { kind: subject_kind, shape, node, is_resource }
        }
        SubjectRef::Wildcard(kind) => {
            let kind = symbols.kind(kind)?;
            Target { kind, shape: Shape::Wildcard, node: symbols.wildcard(kind), is_resource: false }
        }
    };
    Some((target, Goal { node, kind, relation }, id))
}

fn normal<'a>(graph: &Graph, kind: Kind, id: &'a str) -> Option<std::borrow::Cow<'a, str>> {
    if graph.plan().is_path(kind) { path::normalise(id).ok() } else { Some(id.into()) }
}

/// Who is looked for.
#[derive(Clone, Copy)]
struct Target {
    kind: Kind,
    shape: Shape,
    /// None if no relationship names the subject: a wildcard may still mean it.
    node: Option<NodeId>,
    /// Whether it is a userset of the very resource that is asked about.
    is_resource: bool,
}

/// A relation of a resource.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Goal {
    /// None only for the resource of the question, if no relationship names it.
    node: Option<NodeId>,
    kind: Kind,
    relation: Relation,
}

struct Search<'g> {
    graph: &'g Graph,
    target: Target,
    /// The id of the question's resource.
    resource_id: &'g str,
    now: Micros,
    /// Every goal so far, in the order of discovery.
    goals: Vec<Goal>,
    /// The same once there are many.
    seen: HashSet<Goal, RandomState>,
    steps: usize,
    met_condition: bool,
    /// The conditions that were taken for true; none if conditions count as not holding.
    assumed: Option<BTreeSet<&'g str>>,
}

impl<'g> Search<'g> {
    fn new(graph: &'g Graph, target: Target, resource_id: &'g str, now: Micros) -> Self {
        Self {
            graph,
            target,
            resource_id,
            now,
            goals: Vec::new(),
            seen: HashSet::default(),
            steps: 0,
            met_condition: false,
            assumed: None,
        }
    }

    /// Whether the target stands in the goal.
    fn run(&mut self, first: Goal) -> Result<bool, CheckError> {
        self.goals.push(first);
        let mut reached = false;
        let (mut level_end, mut depth) = (1, 0);
        let mut at = 0;
        while let Some(goal) = self.goals.get(at).copied() {
            if at == level_end {
                depth += 1;
                level_end = self.goals.len();
                if depth > MAX_DEPTH {
                    return Err(CheckError::TooDeep);
                }
            }
            at += 1;
            reached |= self.visit(goal)?;
            if self.is_enough(reached) {
                return Ok(true);
            }
        }
        Ok(reached)
    }

    /// Whether the search may stop. Under conditions it goes on, so that their names do not depend on any order.
    fn is_enough(&self, found: bool) -> bool {
        found && self.assumed.is_none()
    }

    fn visit(&mut self, goal: Goal) -> Result<bool, CheckError> {
        let Some(rule) = self.graph.plan().rule(goal.kind, goal.relation) else { return Ok(false) };
        Ok(self.is_target(goal) || self.follow(goal, rule)?)
    }

    /// Whether the goal is the userset that is asked about: everyone in it is in it.
    fn is_target(&self, goal: Goal) -> bool {
        let same = goal.node.map_or(self.target.is_resource, |node| self.target.node == Some(node));
        same && self.target.shape == Shape::Userset(goal.relation)
    }

    fn follow(&mut self, goal: Goal, rule: &'g Rule) -> Result<bool, CheckError> {
        match rule {
            Rule::Direct(forms) => self.direct(goal, forms),
            Rule::Computed(relation) => {
                self.discover(Goal { relation: *relation, ..goal });
                Ok(false)
            }
            Rule::Union(parts) => {
                let mut found = false;
                for part in parts {
                    found |= self.follow(goal, part)?;
                    if self.is_enough(found) {
                        break;
                    }
                }
                Ok(found)
            }
        }
    }

    /// Looks at the relationships of the goal, and of every path above it.
    fn direct(&mut self, goal: Goal, forms: &'g [Form]) -> Result<bool, CheckError> {
        if !self.graph.plan().is_path(goal.kind) {
            return goal.node.map_or(Ok(false), |node| self.stored(node, goal.relation, forms));
        }
        let graph = self.graph;
        let id = match goal.node {
            None => Some(self.resource_id),
            Some(node) => graph.nodes().get(node).and_then(|node| node.id.as_deref()),
        };
        let mut found = false;
        for path in id.into_iter().flat_map(path::upwards) {
            if let Some(node) = graph.nodes().find(goal.kind, path) {
                found |= self.stored(node, goal.relation, forms)?;
            }
            if self.is_enough(found) {
                break;
            }
        }
        Ok(found)
    }

    /// Looks at the relationships that are stored on a node itself.
    fn stored(&mut self, node: NodeId, relation: Relation, forms: &'g [Form]) -> Result<bool, CheckError> {
        let Target { kind, shape, node: subject, .. } = self.target;
        let mut found = false;
        if let Some(subject) = subject
            && forms.contains(&Form { kind, shape })
        {
            found |= self.holds_to(node, Edge::new(relation, shape.relation(), subject))?;
        }
        if shape == Shape::Object
            && forms.contains(&Form { kind, shape: Shape::Wildcard })
            && let Some(everyone) = self.graph.symbols().wildcard(kind)
        {
            found |= self.holds_to(node, Edge::new(relation, NO_RELATION, everyone))?;
        }
        if self.is_enough(found) {
            return Ok(true);
        }
        if forms.iter().any(|form| matches!(form.shape, Shape::Userset(_))) {
            self.usersets(node, relation, forms)?;
        }
        Ok(found)
    }

    fn holds_to(&mut self, node: NodeId, edge: Edge) -> Result<bool, CheckError> {
        self.step()?;
        Ok(self.graph.forward().find(node, edge).is_some_and(|edge| self.holds(node, edge)))
    }

    /// Discovers the usersets that stand in a relation to a node.
    fn usersets(&mut self, node: NodeId, relation: Relation, forms: &[Form]) -> Result<(), CheckError> {
        let graph = self.graph;
        let (low, high) = (Edge::new(relation, 0, 0), Edge::new(relation, NO_RELATION, 0));
        for edge in graph.forward().between(node, low, high) {
            self.step()?;
            let (of, relation) = (edge.node(), edge.subject_relation());
            let Some(kind) = graph.nodes().get(of).map(|node| node.kind) else { continue };
            let admitted = forms.contains(&Form { kind, shape: Shape::Userset(relation) });
            if admitted && graph.nodes().is_alive(of) && self.holds(node, edge) {
                self.discover(Goal { node: Some(of), kind, relation });
            }
        }
        Ok(())
    }

    /// Whether a stored relationship counts now.
    fn holds(&mut self, node: NodeId, edge: Edge) -> bool {
        let Some(terms) = self.graph.terms(node, edge) else { return true };
        if !terms.exist(self.now) {
            return false;
        }
        let Some(condition) = &terms.condition else { return true };
        self.met_condition = true;
        match &mut self.assumed {
            Some(assumed) => {
                assumed.insert(&condition.name);
                true
            }
            None => false,
        }
    }

    fn discover(&mut self, goal: Goal) {
        let known = if self.goals.len() <= FEW {
            self.goals.contains(&goal)
        } else {
            if self.seen.is_empty() {
                self.seen.extend(&self.goals);
            }
            !self.seen.insert(goal)
        };
        if !known {
            self.goals.push(goal);
        }
    }

    fn step(&mut self) -> Result<(), CheckError> {
        self.steps += 1;
        if self.steps > MAX_STEPS { Err(CheckError::TooManySteps) } else { Ok(()) }
    }
}
