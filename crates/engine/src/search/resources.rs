//! What could be a resource: everything that relationships lead to from the subject.

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::Budget;
use crate::graph::{Edge, Graph, Kind, NO_RELATION, NodeId, Relation, Rule, Shape};
use crate::object::ObjectRef;
use crate::subject::SubjectRef;
use crate::{CheckError, Circumstances, path};

/// The ids of what could be an answer; none if a name in the question is unknown.
pub(super) fn candidates<'g>(
    graph: &'g Graph,
    subject: SubjectRef<'g>,
    action: &str,
    kind: &str,
    circumstances: &'g Circumstances<'_>,
) -> Result<Option<Vec<&'g str>>, CheckError> {
    let symbols = graph.symbols();
    let (Some(number), Some(relation)) = (symbols.kind(kind), symbols.relation(action)) else {
        return Ok(None);
    };
    let Some(name) = symbols.kind_name(number) else { return Ok(None) };
    let mut search = Search {
        graph,
        circumstances,
        wanted: (number, relation),
        next: Vec::new(),
        known: HashSet::default(),
        found: Vec::new(),
        budget: Budget(0),
    };
    search.begin(subject)?;
    while let Some((node, relation)) = search.next.pop() {
        search.follow(node, relation)?;
    }
    let mut found = search.found;
    // Everyone in a userset is in it, whatever is stored.
    if let SubjectRef::Userset(object, _) = subject
        && object.kind == kind
    {
        found.push(object.id);
    }
    found.retain(|id| {
        let object = ObjectRef { kind: name.as_str(), id };
        graph.nodes().find(number, id).map_or(circumstances.entities.properties(object).is_some(), |node| {
            graph.is_named(node, object, circumstances)
        })
    });
    Ok(Some(found))
}

struct Search<'g> {
    graph: &'g Graph,
    circumstances: &'g Circumstances<'g>,
    wanted: (Kind, Relation),
    /// Where the subject may stand, to be followed.
    next: Vec<(NodeId, Relation)>,
    known: HashSet<(NodeId, Relation), RandomState>,
    found: Vec<&'g str>,
    budget: Budget,
}

impl<'g> Search<'g> {
    fn begin(&mut self, subject: SubjectRef<'_>) -> Result<(), CheckError> {
        let symbols = self.graph.symbols();
        match subject {
            SubjectRef::Object(object) => {
                let Some(kind) = symbols.kind(object.kind) else { return Ok(()) };
                if let Some(node) = self.node(kind, object.id) {
                    self.taken(node, kind, Shape::Object)?;
                }
                self.everyone(kind)
            }
            SubjectRef::Wildcard(kind) => symbols.kind(kind).map_or(Ok(()), |kind| self.everyone(kind)),
            SubjectRef::Userset(object, relation) => {
                let (Some(kind), Some(relation)) = (symbols.kind(object.kind), symbols.relation(relation))
                else {
                    return Ok(());
                };
                self.node(kind, object.id).map_or(Ok(()), |node| self.stands(node, relation))
            }
        }
    }

    fn node(&self, kind: Kind, id: &str) -> Option<NodeId> {
        if self.graph.plan().is_path(kind) {
            return self.graph.nodes().find(kind, &path::normalise(id).ok()?);
        }
        self.graph.nodes().find(kind, id)
    }

    fn everyone(&mut self, kind: Kind) -> Result<(), CheckError> {
        let node = self.graph.symbols().wildcard(kind);
        node.map_or(Ok(()), |node| self.taken(node, kind, Shape::Wildcard))
    }

    /// Follows the relationships whose subject this is.
    fn taken(&mut self, subject: NodeId, kind: Kind, shape: Shape) -> Result<(), CheckError> {
        let graph = self.graph;
        let relation = shape.relation();
        for edge in graph.reverse().row(subject).filter(|edge| edge.subject_relation() == relation) {
            self.budget.step()?;
            let node = edge.node();
            if let Some(of) = graph.nodes().kind(node)
                && let Some(plan) = graph.plan().relation(of, edge.relation())
                && self.is_there(subject, edge)
                && gives(&plan.rule, &|rule| rule.form(kind, shape).is_some())
            {
                self.reaches(node, of, edge.relation())?;
            }
        }
        Ok(())
    }

    fn is_there(&self, subject: NodeId, edge: Edge) -> bool {
        self.graph.is_there(edge.node(), edge.turned(subject), self.circumstances)
    }

    /// The subject may stand in a relation of an object by what is stored there, and so in that of all paths below.
    fn reaches(&mut self, node: NodeId, kind: Kind, relation: Relation) -> Result<(), CheckError> {
        self.stands(node, relation)?;
        if !self.graph.plan().is_path(kind) {
            return Ok(());
        }
        let (graph, circumstances) = (self.graph, self.circumstances);
        let Some(top) = graph.nodes().get(node).and_then(|node| node.id) else { return Ok(()) };
        for below in graph.of_kind(kind, top) {
            let Some(id) = graph.nodes().get(below).and_then(|node| node.id) else { continue };
            if !id.starts_with(top) {
                break;
            }
            self.budget.step()?;
            self.stands(below, relation)?;
        }
        if kind == self.wanted.0
            && let Some(name) = graph.symbols().kind_name(kind)
        {
            let ids = circumstances.entities.ids(name.as_str());
            self.found.extend(ids.filter(|id| id.starts_with(top)));
        }
        Ok(())
    }

    fn stands(&mut self, node: NodeId, relation: Relation) -> Result<(), CheckError> {
        self.budget.step()?;
        if self.known.insert((node, relation)) {
            self.next.push((node, relation));
        }
        Ok(())
    }

    /// Everything that follows from standing in a relation of an object.
    fn follow(&mut self, node: NodeId, relation: Relation) -> Result<(), CheckError> {
        let graph = self.graph;
        let Some(kind) = graph.nodes().kind(node) else { return Ok(()) };
        if (kind, relation) == self.wanted {
            self.found.extend(graph.nodes().get(node).and_then(|node| node.id));
        }
        for plan in graph.plan().relations(kind) {
            let names = |rule: &Rule| matches!(rule, Rule::Computed(computed) if *computed == relation);
            if gives(&plan.rule, &names) {
                self.stands(node, plan.number)?;
            }
        }
        self.taken(node, kind, Shape::Userset(relation))?;
        self.children(node, relation)
    }

    /// The objects that have this one as a parent.
    fn children(&mut self, node: NodeId, relation: Relation) -> Result<(), CheckError> {
        let graph = self.graph;
        for edge in graph.reverse().row(node).filter(|edge| edge.subject_relation() == NO_RELATION) {
            self.budget.step()?;
            let child = edge.node();
            let Some(kind) = graph.nodes().kind(child) else { continue };
            let by = edge.relation();
            let follows = |rule: &Rule| matches!(rule, Rule::From { relation: of, through } if *of == relation && *through == by);
            for plan in graph.plan().relations(kind) {
                if gives(&plan.rule, &follows) && self.is_there(node, edge) {
                    self.reaches(child, kind, plan.number)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a rule may say yes because one of its terms does. Of an `and` one part is enough to know.
fn gives(rule: &Rule, term: &impl Fn(&Rule) -> bool) -> bool {
    match rule {
        Rule::Direct(_) | Rule::Computed(_) | Rule::From { .. } => term(rule),
        Rule::Union(parts) => parts.iter().any(|part| gives(part, term)),
        Rule::Intersection(parts) => parts.first().is_some_and(|part| gives(part, term)),
        Rule::Exclusion(base, _) => gives(base, term),
    }
}
