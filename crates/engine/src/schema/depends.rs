//! What relations depend on: that each can be had by somebody, and that none depends on its own absence.

use std::collections::{BTreeMap, VecDeque};

use super::SchemaError;
use super::ast::{Expression, SubjectForm};
use super::draft::{Define, Drafts};
use super::resolve::error;
use crate::name::{RelationName, TypeName};

/// A relation of a type, and how it is defined.
struct Node<'a> {
    kind: &'a TypeName,
    relation: &'a RelationName,
    define: &'a Define,
    edges: Vec<Edge>,
}

/// That one relation depends on another.
#[derive(Clone, Copy)]
struct Edge {
    to: usize,
    /// On the right side of a `but not`.
    taken: bool,
}

/// All relations as a graph, numbered in order of type and name.
struct Relations<'a> {
    drafts: &'a Drafts,
    nodes: Vec<Node<'a>>,
    numbers: BTreeMap<(&'a str, &'a str), usize>,
}

/// The first relation that nobody can ever have, or that depends on its own absence.
pub(super) fn check(drafts: &Drafts) -> Result<(), SchemaError> {
    let mut relations = Relations { drafts, nodes: Vec::new(), numbers: BTreeMap::new() };
    for (kind, draft) in &drafts.types {
        for (relation, define) in &draft.relations {
            relations.numbers.insert((kind.as_str(), relation.as_str()), relations.nodes.len());
            relations.nodes.push(Node { kind, relation, define, edges: Vec::new() });
        }
    }
    for at in 0..relations.nodes.len() {
        let edges = relations.edges(at);
        if let Some(node) = relations.nodes.get_mut(at) {
            node.edges = edges;
        }
    }
    relations.somebody_can_have_each()?;
    relations.none_depends_on_its_absence()
}

impl<'a> Relations<'a> {
    fn number(&self, kind: &TypeName, relation: &RelationName) -> Option<usize> {
        self.numbers.get(&(kind.as_str(), relation.as_str())).copied()
    }

    /// The relations that `relation from through` of a type leads to.
    fn beyond(&self, kind: &TypeName, relation: &RelationName, through: &RelationName) -> Vec<usize> {
        let define = self.drafts.types.get(kind).and_then(|draft| draft.relations.get(through));
        let forms = define.map(|define| define.expression.direct_types()).unwrap_or_default();
        forms
            .into_iter()
            .filter_map(|form| match &form.form {
                SubjectForm::Object(kind) => self.number(kind, relation),
                _ => None,
            })
            .collect()
    }

    fn edges(&self, at: usize) -> Vec<Edge> {
        let mut found = Vec::new();
        if let Some(node) = self.nodes.get(at) {
            self.collect(node.kind, &node.define.expression, false, &mut found);
        }
        found
    }

    fn collect(&self, kind: &TypeName, expression: &Expression, taken: bool, found: &mut Vec<Edge>) {
        let mut add = |to: Option<usize>| found.extend(to.map(|to| Edge { to, taken }));
        match expression {
            Expression::Direct(forms) => forms.iter().for_each(|form| {
                if let SubjectForm::Userset(kind, relation) = &form.form {
                    add(self.number(kind, relation));
                }
            }),
            Expression::Computed(relation) => add(self.number(kind, relation)),
            Expression::From { relation, through } => {
                self.beyond(kind, relation, through).into_iter().for_each(|to| add(Some(to)));
            }
            Expression::Union(parts) | Expression::Intersection(parts) => {
                parts.iter().for_each(|part| self.collect(kind, part, taken, found));
            }
            Expression::Exclusion(base, right) => {
                self.collect(kind, base, taken, found);
                self.collect(kind, right, true, found);
            }
        }
    }

    /// Whether somebody can have it, if somebody can have those marked.
    fn possible(&self, kind: &TypeName, expression: &Expression, marked: &[bool]) -> bool {
        let is_marked = |at: Option<usize>| at.and_then(|at| marked.get(at)).copied().unwrap_or(false);
        match expression {
            Expression::Direct(forms) => forms.iter().any(|form| match &form.form {
                SubjectForm::Object(_) | SubjectForm::Wildcard(_) => true,
                SubjectForm::Userset(kind, relation) => is_marked(self.number(kind, relation)),
            }),
            Expression::Computed(relation) => is_marked(self.number(kind, relation)),
            Expression::From { relation, through } => {
                self.beyond(kind, relation, through).into_iter().any(|at| is_marked(Some(at)))
            }
            Expression::Union(parts) => parts.iter().any(|part| self.possible(kind, part, marked)),
            Expression::Intersection(parts) => parts.iter().all(|part| self.possible(kind, part, marked)),
            Expression::Exclusion(base, _) => self.possible(kind, base, marked),
        }
    }

    fn somebody_can_have_each(&self) -> Result<(), SchemaError> {
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            for edge in &node.edges {
                if let Some(list) = dependents.get_mut(edge.to) {
                    list.push(at);
                }
            }
        }
        let mut marked = vec![false; self.nodes.len()];
        let mut waiting: VecDeque<usize> = (0..self.nodes.len()).collect();
        while let Some(at) = waiting.pop_front() {
            let (Some(node), Some(false)) = (self.nodes.get(at), marked.get(at)) else { continue };
            if self.possible(node.kind, &node.define.expression, &marked)
                && let Some(mark) = marked.get_mut(at)
            {
                *mark = true;
                waiting.extend(dependents.get(at).into_iter().flatten());
            }
        }
        let never = self.nodes.iter().zip(&marked).find(|(_, marked)| !**marked);
        never.map_or(Ok(()), |(node, _)| {
            let message = "nobody can ever have it: it follows only from itself or from relations that nobody can have; \
                           add a direct type, as in `[user]`";
            Err(error(node.kind, node.relation, node.define, message.to_owned()))
        })
    }

    fn none_depends_on_its_absence(&self) -> Result<(), SchemaError> {
        let components = self.components();
        let same = |a: usize, b: usize| components.get(a) == components.get(b);
        for (at, node) in self.nodes.iter().enumerate() {
            let around = node.edges.iter().find(|edge| edge.taken && same(at, edge.to));
            if let Some(edge) = around {
                let way: Vec<_> = std::iter::once(at)
                    .chain(self.way(edge.to, at, &components))
                    .filter_map(|at| self.nodes.get(at))
                    .map(|node| format!("`{}#{}`", node.kind, node.relation))
                    .collect();
                let message = format!(
                    "it depends on its own absence, through `but not`: {}; take one of these mentions out",
                    way.join(" -> ")
                );
                return Err(error(node.kind, node.relation, node.define, message));
            }
        }
        Ok(())
    }

    /// A shortest way from one relation to another of the same component, both named.
    fn way(&self, from: usize, to: usize, components: &[usize]) -> Vec<usize> {
        let mut before: BTreeMap<usize, usize> = BTreeMap::new();
        let mut waiting = VecDeque::from([from]);
        while let Some(at) = waiting.pop_front() {
            if at == to {
                break;
            }
            for edge in self.nodes.get(at).into_iter().flat_map(|node| &node.edges) {
                let inside = components.get(edge.to) == components.get(from);
                if inside && edge.to != from && !before.contains_key(&edge.to) {
                    before.insert(edge.to, at);
                    waiting.push_back(edge.to);
                }
            }
        }
        let mut way = vec![to];
        let mut at = to;
        while at != from
            && let Some(previous) = before.get(&at)
        {
            way.push(*previous);
            at = *previous;
        }
        way.reverse();
        way
    }

    /// The strongly connected component of each relation (Tarjan's algorithm, with a stack of its own instead of
    /// recursion: a chain of relations may be long).
    fn components(&self) -> Vec<usize> {
        const NEW: usize = usize::MAX;
        let count = self.nodes.len();
        let (mut index, mut low) = (vec![NEW; count], vec![NEW; count]);
        let mut component = vec![NEW; count];
        let mut open: Vec<usize> = Vec::new();
        let mut next = 0;
        for start in 0..count {
            if get(&index, start) != NEW {
                continue;
            }
            let mut frames = vec![(start, 0_usize)];
            while let Some((at, edge)) = frames.pop() {
                if edge == 0 {
                    set(&mut index, at, next);
                    set(&mut low, at, next);
                    next += 1;
                    open.push(at);
                }
                let edges = self.nodes.get(at).map(|node| node.edges.as_slice()).unwrap_or_default();
                if let Some(to) = edges.get(edge).map(|edge| edge.to) {
                    frames.push((at, edge + 1));
                    if get(&index, to) == NEW {
                        frames.push((to, 0));
                    } else if get(&component, to) == NEW {
                        let lowest = get(&low, at).min(get(&index, to));
                        set(&mut low, at, lowest);
                    }
                    continue;
                }
                if get(&low, at) == get(&index, at) {
                    while let Some(member) = open.pop() {
                        set(&mut component, member, at);
                        if member == at {
                            break;
                        }
                    }
                }
                if let Some((parent, _)) = frames.last() {
                    let lowest = get(&low, *parent).min(get(&low, at));
                    set(&mut low, *parent, lowest);
                }
            }
        }
        component
    }
}

fn get(values: &[usize], at: usize) -> usize {
    values.get(at).copied().unwrap_or(usize::MAX)
}

fn set(values: &mut [usize], at: usize, value: usize) {
    if let Some(slot) = values.get_mut(at) {
        *slot = value;
    }
}
