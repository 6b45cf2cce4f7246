//! The search for a reason to say yes.
//!
//! A goal is a relation of a resource; it is reached when the subject stands in it. Goals lead to goals, by computed
//! relations and usersets, and are visited breadth first and once each, so that cycles end and the depth at which the
//! search gives up does not depend on the order of anything.
//!
//! All operators so far only add subjects, and so one reached goal is a yes. An operator that takes away (`and`,
//! `but not`) must know a goal's answer, not only whether one was reached: it gets its own rule in
//! [`Search::follow`], which asks for the answers of its parts by searches of their own.

use std::borrow::Cow;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::trail::Trail;
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
    search.trail = Some(Trail::default());
    if search.run(first)? {
        let missing = search.trail.map(Trail::conditions).unwrap_or_default();
        return Ok(Decision::Conditional {
            missing: missing.into_iter().map(str::to_owned).collect(),
            broken: Vec::new(),
        });
    }
    Ok(Decision::Denied)
}

/// The question by number, with the resource's id in its normal form; none if a name is unknown.
fn begin<'q>(graph: &Graph, question: &Question<'q>) -> Option<(Target, Goal, Cow<'q, str>)> {
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

fn normal<'a>(graph: &Graph, kind: Kind, id: &'a str) -> Option<Cow<'a, str>> {
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
    /// What is stored about the target, if that is little. Every goal asks for the target, so its own relationships,
    /// once fetched, answer faster than those of each goal.
    about_target: Option<Cow<'g, [Edge]>>,
    /// The id of the question's resource.
    resource_id: &'g str,
    now: Micros,
    /// Every goal so far, in the order of discovery.
    goals: Vec<Goal>,
    /// Where each is, once there are many.
    places: HashMap<Goal, usize, RandomState>,
    /// The place of the goal that is being visited.
    at: usize,
    steps: usize,
    met_condition: bool,
    /// What was found when conditions are taken to hold; none if they are taken not to.
    trail: Option<Trail<'g>>,
}

impl<'g> Search<'g> {
    fn new(graph: &'g Graph, target: Target, resource_id: &'g str, now: Micros) -> Self {
        Self {
            graph,
            target,
            about_target: target.node.and_then(|node| graph.reverse().short_row(node)),
            resource_id,
            now,
            goals: Vec::new(),
            places: HashMap::default(),
            at: 0,
            steps: 0,
            met_condition: false,
            trail: None,
        }
    }

    /// Whether the target stands in the goal.
    fn run(&mut self, first: Goal) -> Result<bool, CheckError> {
        self.goals.push(first);
        let mut reached = false;
        let (mut level_end, mut depth) = (1, 0);
        while let Some(goal) = self.goals.get(self.at).copied() {
            if self.at == level_end {
                depth += 1;
                level_end = self.goals.len();
                if depth > MAX_DEPTH {
                    return Err(CheckError::TooDeep);
                }
            }
            reached |= self.visit(goal)?;
            if self.is_enough(reached) {
                return Ok(true);
            }
            self.at += 1;
        }
        Ok(reached)
    }

    /// Whether the search may stop. Under conditions it goes on, so that their names do not depend on any order.
    fn is_enough(&self, found: bool) -> bool {
        found && self.trail.is_none()
    }

    fn visit(&mut self, goal: Goal) -> Result<bool, CheckError> {
        self.step()?;
        let Some(rule) = self.graph.plan().rule(goal.kind, goal.relation) else { return Ok(false) };
        if self.is_target(goal) {
            self.note_reached(None);
            return Ok(true);
        }
        self.follow(goal, rule)
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
                self.discover(Goal { relation: *relation, ..goal }, None);
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
            Some(node) => graph.nodes().get(node).and_then(|node| node.id),
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
            let edge = self.find_target(node, Edge::new(relation, shape.relation(), subject));
            found |= self.holds_to(node, edge)?;
        }
        if shape == Shape::Object
            && forms.contains(&Form { kind, shape: Shape::Wildcard })
            && let Some(everyone) = self.graph.symbols().wildcard(kind)
        {
            let edge = self.graph.forward().find(node, Edge::new(relation, NO_RELATION, everyone));
            found |= self.holds_to(node, edge)?;
        }
        if self.is_enough(found) {
            return Ok(true);
        }
        if forms.iter().any(|form| matches!(form.shape, Shape::Userset(_))) {
            self.usersets(node, relation, forms)?;
        }
        Ok(found)
    }

    /// The stored edge from a node to the target.
    fn find_target(&self, node: NodeId, edge: Edge) -> Option<Edge> {
        match &self.about_target {
            Some(row) => {
                let turned = edge.turned(node).key();
                row.iter().find(|edge| edge.key() == turned).map(|found| edge.with_terms(found.has_terms()))
            }
            None => self.graph.forward().find(node, edge),
        }
    }

    fn holds_to(&mut self, node: NodeId, edge: Option<Edge>) -> Result<bool, CheckError> {
        self.step()?;
        let Some(edge) = edge else { return Ok(false) };
        match self.holds(node, edge) {
            Holds::No => Ok(false),
            Holds::Yes(condition) => {
                self.note_reached(condition);
                Ok(true)
            }
        }
    }

    /// Discovers the usersets that stand in a relation to a node.
    fn usersets(&mut self, node: NodeId, relation: Relation, forms: &[Form]) -> Result<(), CheckError> {
        let graph = self.graph;
        let (low, high) = (Edge::new(relation, 0, 0), Edge::new(relation, NO_RELATION, 0));
        for edge in graph.forward().between(node, low, high) {
            self.step()?;
            let (of, relation) = (edge.node(), edge.subject_relation());
            let Some(kind) = graph.nodes().kind(of) else { continue };
            let admitted = forms.contains(&Form { kind, shape: Shape::Userset(relation) });
            if admitted
                && graph.nodes().is_alive(of)
                && let Holds::Yes(condition) = self.holds(node, edge)
            {
                self.discover(Goal { node: Some(of), kind, relation }, condition);
            }
        }
        Ok(())
    }

    /// Whether a stored relationship counts now.
    fn holds(&mut self, node: NodeId, edge: Edge) -> Holds<'g> {
        let Some(terms) = self.graph.terms(node, edge) else { return Holds::Yes(None) };
        if !terms.exist(self.now) {
            return Holds::No;
        }
        let Some(condition) = &terms.condition else { return Holds::Yes(None) };
        self.met_condition = true;
        if self.trail.is_some() { Holds::Yes(Some(&condition.name)) } else { Holds::No }
    }

    fn note_reached(&mut self, condition: Option<&'g str>) {
        if let Some(trail) = &mut self.trail {
            trail.reached(self.at, condition);
        }
    }

    /// A goal that the one being visited leads to.
    fn discover(&mut self, goal: Goal, condition: Option<&'g str>) {
        let place = self.place(goal);
        if let Some(trail) = &mut self.trail {
            trail.leads(self.at, place, condition);
        }
    }

    /// Where a goal is, at the end if it is new.
    fn place(&mut self, goal: Goal) -> usize {
        let next = self.goals.len();
        let known = if next <= FEW {
            self.goals.iter().position(|known| *known == goal)
        } else {
            if self.places.is_empty() {
                self.places.extend(self.goals.iter().enumerate().map(|(place, goal)| (*goal, place)));
            }
            let place = *self.places.entry(goal).or_insert(next);
            (place < next).then_some(place)
        };
        known.unwrap_or_else(|| {
            self.goals.push(goal);
            next
        })
    }

    fn step(&mut self) -> Result<(), CheckError> {
        self.steps += 1;
        if self.steps > MAX_STEPS { Err(CheckError::TooManySteps) } else { Ok(()) }
    }
}

/// Whether a relationship counts, and under which condition.
enum Holds<'g> {
    No,
    Yes(Option<&'g str>),
}
