//! Who could be a subject: everybody that relationships lead to from the resource.

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::Budget;
use crate::check::asked::{Asked, Goal};
use crate::graph::{Graph, Kind, NO_RELATION, Relation, Rule, Shape};
use crate::object::ObjectRef;
use crate::subject::SubjectRef;
use crate::{CheckError, Circumstances, Question};

/// Who could be an answer.
pub(super) struct Candidates<'g> {
    pub(super) ids: Vec<&'g str>,
    /// Whether everyone of the type could.
    pub(super) everyone: bool,
}

/// None if a name in the question is unknown.
pub(super) fn candidates<'g>(
    graph: &'g Graph,
    kind: &'g str,
    action: &'g str,
    resource: ObjectRef<'g>,
    circumstances: &'g Circumstances<'_>,
) -> Result<Option<Candidates<'g>>, CheckError> {
    let question = Question { subject: SubjectRef::Wildcard(kind), action, resource };
    let Some(asked) = Asked::new(graph, &question, circumstances) else { return Ok(None) };
    let mut search = Search {
        asked: &asked,
        kind: asked.target.kind,
        goals: Vec::new(),
        known: HashSet::default(),
        found: Candidates { ids: Vec::new(), everyone: false },
        budget: Budget(0),
    };
    search.discover(asked.goal);
    while let Some(goal) = search.goals.pop() {
        if let Some(plan) = asked.plan(goal) {
            search.follow(goal, &plan.rule)?;
        }
    }
    let mut found = search.found;
    if found.everyone {
        found.ids = everyone(graph, kind, circumstances);
    }
    Ok(Some(found))
}

/// Every object of a type that relationships or entities name.
fn everyone<'g>(graph: &'g Graph, kind: &str, circumstances: &'g Circumstances<'_>) -> Vec<&'g str> {
    let Some(number) = graph.symbols().kind(kind) else { return Vec::new() };
    let named = graph.of_kind(number, "").filter_map(|node| {
        let id = graph.nodes().get(node)?.id?;
        let name = graph.symbols().kind_name(number)?.as_str();
        graph.is_named(node, ObjectRef { kind: name, id }, circumstances).then_some(id)
    });
    named.chain(circumstances.entities.ids(kind)).collect()
}

struct Search<'a, 'g> {
    asked: &'a Asked<'g>,
    kind: Kind,
    goals: Vec<Goal>,
    known: HashSet<Goal, RandomState>,
    found: Candidates<'g>,
    budget: Budget,
}

impl<'g> Search<'_, 'g> {
    fn discover(&mut self, goal: Goal) {
        if self.known.insert(goal) {
            self.goals.push(goal);
        }
    }

    fn follow(&mut self, goal: Goal, rule: &Rule) -> Result<(), CheckError> {
        match rule {
            Rule::Direct(_) => self.stored(goal, rule),
            Rule::Computed(relation) => {
                self.discover(Goal { relation: *relation, ..goal });
                Ok(())
            }
            Rule::From { relation, through } => self.parents(goal, *relation, *through),
            Rule::Union(parts) => parts.iter().try_for_each(|part| self.follow(goal, part)),
            // Whoever is in all parts is in the first.
            Rule::Intersection(parts) => parts.first().map_or(Ok(()), |part| self.follow(goal, part)),
            Rule::Exclusion(base, _) => self.follow(goal, base),
        }
    }

    fn stored(&mut self, goal: Goal, rule: &Rule) -> Result<(), CheckError> {
        let graph = self.asked.graph;
        let asked = self.asked;
        for node in asked.nodes_of(goal) {
            for edge in graph.forward().row(node).filter(|edge| edge.relation() == goal.relation) {
                self.budget.step()?;
                let Some(subject) = graph.nodes().get(edge.node()) else { continue };
                let shape = match (edge.subject_relation(), subject.id) {
                    (NO_RELATION, None) => Shape::Wildcard,
                    (NO_RELATION, Some(_)) => Shape::Object,
                    (relation, _) => Shape::Userset(relation),
                };
                if rule.form(subject.kind, shape).is_none()
                    || !graph.is_there(node, edge, asked.circumstances)
                {
                    continue;
                }
                match shape {
                    Shape::Userset(relation) => {
                        self.discover(Goal { node: Some(edge.node()), kind: subject.kind, relation });
                    }
                    Shape::Wildcard => self.found.everyone |= subject.kind == self.kind,
                    Shape::Object if subject.kind == self.kind => self.found.ids.extend(subject.id),
                    Shape::Object => {}
                }
            }
        }
        Ok(())
    }

    fn parents(&mut self, goal: Goal, relation: Relation, through: Relation) -> Result<(), CheckError> {
        let graph = self.asked.graph;
        let asked = self.asked;
        for node in asked.nodes_of(goal) {
            for edge in graph.forward().group(node, through, NO_RELATION) {
                self.budget.step()?;
                let Some(kind) = graph.nodes().kind(edge.node()) else { continue };
                if graph.is_there(node, edge, asked.circumstances) {
                    self.discover(Goal { node: Some(edge.node()), kind, relation });
                }
            }
        }
        Ok(())
    }
}
