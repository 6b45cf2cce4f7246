//! What a yes rests on, and no more than that.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Absence, PropertyUse, Witness};
use crate::check::asked::{Asked, Goal};
use crate::check::solve::Solver;
use crate::check::truth::Truth;
use crate::graph::{Edge, Graph, NodeId, Taken};
use crate::object::Object;
use crate::relationship::{Key, Relationship};
use crate::subject::{Subject, SubjectRef};
use crate::{CheckError, Question};

/// Beyond this many relationships a witness is given as it was found: to look at each part of it takes too long.
const LARGEST: usize = 128;

/// The witness of a solved yes, from which no relationship can be left out.
pub(super) fn minimal(
    asked: &Asked<'_>,
    solver: &Solver<'_, '_>,
    question: &Question<'_>,
) -> Result<Witness, CheckError> {
    let mut witness = found(asked, solver, question);
    let mut kept = 0;
    while witness.relationships.len() <= LARGEST
        && let Some(without) = witness.relationships.get(kept).map(|relationship| relationship.key.clone())
    {
        match smaller(asked, &witness, &without, question)? {
            Some(smaller) => {
                witness = smaller;
                kept = 0;
            }
            None => kept += 1,
        }
    }
    witness.properties = uses(asked, &witness);
    Ok(witness)
}

/// What a solver's yes rests on.
fn found(asked: &Asked<'_>, solver: &Solver<'_, '_>, question: &Question<'_>) -> Witness {
    let reached = solver.reached();
    let relationships = relationships(asked.graph, &reached.edges);
    let absences = reached.absences.iter();
    let absences = absences.filter_map(|(goal, taken)| absence(asked, *goal, taken, question)).collect();
    Witness { relationships, absences, properties: Vec::new() }
}

fn relationships(graph: &Graph, edges: &[(NodeId, Edge)]) -> Vec<Relationship> {
    let mut found: Vec<_> = edges.iter().filter_map(|(node, edge)| graph.shown(*node, *edge)).collect();
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found.dedup_by(|a, b| a.key == b.key);
    found
}

fn absence(asked: &Asked<'_>, goal: Goal, taken: &Taken, question: &Question<'_>) -> Option<Absence> {
    Some(Absence {
        resource: asked.object(goal)?,
        relation: asked.graph.symbols().relation_name(goal.relation)?.clone(),
        taken: taken.expression.clone(),
        subject: subject(question)?,
    })
}

fn subject(question: &Question<'_>) -> Option<Subject> {
    Some(match question.subject {
        SubjectRef::Object(object) => Subject::Object(Object::new(object.kind, object.id).ok()?),
        SubjectRef::Userset(object, relation) => {
            Subject::Userset(Object::new(object.kind, object.id).ok()?, relation.parse().ok()?)
        }
        SubjectRef::Wildcard(kind) => Subject::Wildcard(kind.parse().ok()?),
    })
}

/// A witness without one relationship, if there is one within this one.
fn smaller(
    asked: &Asked<'_>,
    witness: &Witness,
    without: &Key,
    question: &Question<'_>,
) -> Result<Option<Witness>, CheckError> {
    let mut graph = Graph::new(Arc::clone(asked.graph.schema()));
    for relationship in witness.relationships.iter().filter(|relationship| relationship.key != *without) {
        graph.write(relationship.clone());
    }
    let Some(less) = Asked::new(&graph, question, asked.circumstances) else { return Ok(None) };
    // What is absent among a few relationships need not be absent among all.
    let judge = |goal: Goal, taken: &Taken| taken_in_whole(asked, &less, goal, taken);
    let mut solver = Solver::of_a_part(&less, &judge);
    if solver.solve(less.goal)? != Truth::Yes {
        return Ok(None);
    }
    Ok(Some(found(&less, &solver, question)))
}

/// What is taken away in the whole graph at a goal of a smaller one; for sure if that cannot be said.
fn taken_in_whole(
    asked: &Asked<'_>,
    less: &Asked<'_>,
    goal: Goal,
    taken: &Taken,
) -> Result<Truth, CheckError> {
    let Some(object) = less.object(goal) else { return Ok(Truth::Yes) };
    let relation = less.graph.symbols().relation_name(goal.relation);
    let Some(relation) = relation.and_then(|name| asked.graph.symbols().relation(name.as_str())) else {
        return Ok(Truth::Yes);
    };
    let Some(kind) = asked.graph.symbols().kind(object.kind()) else { return Ok(Truth::Yes) };
    let goal = Goal { node: asked.graph.nodes().find(kind, object.id()), kind, relation };
    let Some(taken) = asked.plan(goal).and_then(|plan| plan.rule.taken(&taken.expression)) else {
        return Ok(Truth::Yes);
    };
    Solver::new(asked).solve_rule(goal, &taken.rule, 0)
}

/// Where the values came from that the witness's conditions read.
fn uses(asked: &Asked<'_>, witness: &Witness) -> Vec<PropertyUse> {
    let mut uses = BTreeSet::new();
    for condition in witness.relationships.iter().filter_map(|relationship| relationship.condition.as_ref()) {
        if let Some(definition) = asked.graph.schema().condition(&condition.name) {
            uses.extend(definition.uses(&asked.inputs(&condition.parameters)));
        }
    }
    uses.into_iter().collect()
}
