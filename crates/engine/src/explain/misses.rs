//! What came nearest to a yes, and what was missing there.

use super::{Miss, Reason};
use crate::check::asked::{Asked, Goal, Standing};
use crate::check::solve::{Closed, Solver};
use crate::condition::Outcome;
use crate::graph::{Direct, Edge, NO_RELATION, NodeId, Rule, Shape};
use crate::relationship::Relationship;

/// How many misses are told.
const MOST: usize = 20;

/// How many relationships with others are looked at.
const MOST_LOOKED_AT: usize = 10_000;

/// What was tried and what was missing: first what only one thing keeps from being a yes, then what has no relationship
/// at all; among equals the nearer to the resource first.
pub(super) fn nearest(asked: &Asked<'_>, solver: &Solver<'_, '_>) -> Vec<Miss> {
    let mut misses = Vec::new();
    let mut left = MOST_LOOKED_AT;
    for closed in solver.closed() {
        let (goal, reasons) = match closed {
            Closed::Taken(goal, taken) => (goal, vec![Reason::Excluded(taken.expression.clone())]),
            Closed::Part(goal) => (goal, vec![Reason::PartMissing]),
            Closed::Goal(goal) => (goal, stored(asked, goal, &mut left)),
        };
        let Some(resource) = asked.object(goal) else { continue };
        let Some(relation) = asked.graph.symbols().relation_name(goal.relation) else { continue };
        let miss = |reason| Miss { resource: resource.clone(), relation: relation.clone(), reason };
        misses.extend(reasons.into_iter().map(miss));
    }
    misses.sort_by_key(|miss| distance(&miss.reason));
    misses.dedup();
    misses.truncate(MOST);
    misses
}

fn distance(reason: &Reason) -> u8 {
    match reason {
        Reason::Excluded(_) => 0,
        Reason::ConditionMissing(..) => 1,
        Reason::ConditionFailed(_) | Reason::ConditionBroken(..) => 2,
        Reason::Ended(_) => 3,
        Reason::PartMissing => 4,
        Reason::NoRelationship => 5,
    }
}

/// Why what is stored at a goal does not count; that nothing is stored there if so.
fn stored(asked: &Asked<'_>, goal: Goal, left: &mut usize) -> Vec<Reason> {
    let Some(plan) = asked.plan(goal) else { return Vec::new() };
    let mut reasons = Vec::new();
    let mut takes_any = false;
    plan.rule.all(&mut |rule| {
        if let Rule::Direct(direct) = rule {
            takes_any = true;
            for node in asked.nodes_of(goal) {
                named(asked, node, goal, direct, &mut reasons);
                usersets(asked, node, goal, direct, left, &mut reasons);
            }
        }
        true
    });
    if reasons.is_empty() && takes_any {
        reasons.push(Reason::NoRelationship);
    }
    reasons
}

/// Relationships that name the subject itself, or everyone of its type.
fn named(asked: &Asked<'_>, node: NodeId, goal: Goal, direct: &Direct, reasons: &mut Vec<Reason>) {
    let target = asked.target;
    let itself = target.node.map(|subject| (target.shape, subject));
    let everyone = asked.graph.symbols().wildcard(target.kind).filter(|_| target.shape == Shape::Object);
    for (shape, subject) in itself.into_iter().chain(everyone.map(|node| (Shape::Wildcard, node))) {
        let Some(form) = direct.form(target.kind, shape) else { continue };
        let edge = Edge::new(goal.relation, shape.relation(), subject);
        if let Some(edge) = asked.graph.forward().find(node, edge)
            && let Some(relationship) = asked.graph.shown(node, edge)
        {
            reasons.extend(reason(asked.standing(node, edge, form), relationship));
        }
    }
}

/// Relationships with usersets that do not count.
fn usersets(
    asked: &Asked<'_>,
    node: NodeId,
    goal: Goal,
    direct: &Direct,
    left: &mut usize,
    reasons: &mut Vec<Reason>,
) {
    let (low, high) = (Edge::new(goal.relation, 0, 0), Edge::new(goal.relation, NO_RELATION, 0));
    for edge in asked.graph.forward().between(node, low, high).take(*left) {
        *left -= 1;
        let Some(kind) = asked.graph.nodes().kind(edge.node()) else { continue };
        let Some(form) = direct.form(kind, Shape::Userset(edge.subject_relation())) else { continue };
        if edge.has_terms()
            && asked.graph.nodes().is_alive(edge.node())
            && let Some(relationship) = asked.graph.shown(node, edge)
        {
            reasons.extend(reason(asked.standing(node, edge, form), relationship));
        }
    }
}

fn reason(standing: Standing, relationship: Relationship) -> Option<Reason> {
    match standing {
        Standing::Counts | Standing::NotTaken | Standing::Condition(Outcome::Holds) => None,
        Standing::Ended => Some(Reason::Ended(relationship)),
        Standing::Condition(Outcome::Fails) => Some(Reason::ConditionFailed(relationship)),
        Standing::Condition(Outcome::Missing(names)) => {
            Some(Reason::ConditionMissing(relationship, names.into_iter().collect()))
        }
        Standing::Condition(Outcome::Broken(problem)) => Some(Reason::ConditionBroken(relationship, problem)),
    }
}
