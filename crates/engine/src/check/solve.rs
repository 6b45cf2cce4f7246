//! The value of a relation under all operators.
//!
//! The relations that a question leads to are a system of equations over three truth values. Apart from what a `but not`
//! takes away, all operators are monotone; so every value starts at no and only rises, and where nothing rises any more
//! the values are the least solution, whatever cycles there are. What is taken away belongs to a lower stratum (the schema
//! is refused otherwise): it is solved to its end, on its own, when its base has risen.
//!
//! A value is a [`Cell`]. A [`Link`] says that one cell raises another, up to what its relationship's condition allows.
//! Goals are expanded breadth first and once each; the second part of an `and` only when the first has risen.

mod reasons;

use std::collections::VecDeque;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::asked::{Asked, Goal, Holds};
use super::plain::{self, Plain};
use super::truth::{Truth, Unknowns};
use super::{CheckError, MAX_DEPTH};
use crate::graph::{Direct, Edge, Form, NO_RELATION, NodeId, Relation, Rule, Shape, Taken};

pub(crate) use reasons::Closed;

type CellId = usize;
type LinkId = usize;

/// A value that may rise.
struct Cell<'g> {
    value: Truth,
    operator: Operator<'g>,
    /// How many goals lead here.
    depth: usize,
    /// The links that this cell raises others by.
    out: Vec<LinkId>,
    /// The link that raised it last.
    raised_by: Option<LinkId>,
}

/// How a cell follows from those that are linked to it.
enum Operator<'g> {
    /// The greatest of them: a goal, or one side of another operator.
    Any(Option<Goal>),
    /// The smallest of its parts.
    All { goal: Goal, rules: &'g [Rule], parts: Vec<CellId> },
    /// The base without what is taken away.
    Without { goal: Goal, taken: &'g Taken, base: Option<CellId>, result: Option<(Truth, Unknowns)> },
}

/// One cell raises another.
struct Link {
    /// None: the subject itself, which stands where a relationship names it.
    from: Option<CellId>,
    to: CellId,
    /// How far at most: less than yes if a condition is open.
    cap: Truth,
    /// What the condition depends on.
    unknowns: Unknowns,
    /// The relationship that it rests on, if any, by resource.
    by: Option<(NodeId, Edge)>,
}

/// Solves for one goal.
pub(crate) struct Solver<'a, 'g> {
    asked: &'a Asked<'g>,
    cells: Vec<Cell<'g>>,
    links: Vec<Link>,
    goals: HashMap<Goal, CellId, RandomState>,
    queue: VecDeque<CellId>,
    /// Links whose source has risen, or that are new.
    pending: Vec<LinkId>,
    /// Every value is followed back to relationships, for explanations; else plain relations are only searched.
    in_full: bool,
    /// Something lies too deep to be looked at.
    too_deep: bool,
    /// How many `but not` are being solved around this one.
    nesting: usize,
    /// Says in this solver's place what a `but not` comes to: for a part of the data, in which more is absent.
    judge: Option<&'a Judge<'a, 'g>>,
}

/// What is taken away at a goal.
pub(crate) type Judge<'a, 'g> = dyn Fn(Goal, &'g Taken) -> Result<Truth, CheckError> + 'a;

impl<'a, 'g> Solver<'a, 'g> {
    pub(crate) fn new(asked: &'a Asked<'g>) -> Self {
        Self {
            asked,
            cells: Vec::new(),
            links: Vec::new(),
            goals: HashMap::default(),
            queue: VecDeque::new(),
            pending: Vec::new(),
            in_full: false,
            too_deep: false,
            nesting: 0,
            judge: None,
        }
    }

    /// A solver that can say why.
    pub(crate) fn in_full(asked: &'a Asked<'g>) -> Self {
        Self { in_full: true, ..Self::new(asked) }
    }

    /// The same for a part of the data: what is absent there counts only if the judge says so.
    pub(crate) fn of_a_part(asked: &'a Asked<'g>, judge: &'a Judge<'a, 'g>) -> Self {
        Self { judge: Some(judge), ..Self::in_full(asked) }
    }

    /// The value of a goal. Stops as soon as it is a yes.
    pub(crate) fn solve(&mut self, goal: Goal) -> Result<Truth, CheckError> {
        // The goal that was asked about is expanded even if it is plain: a search has left it open.
        let root = self.cell(Operator::Any(Some(goal)), 0);
        self.goals.insert(goal, root);
        self.queue.push_back(root);
        self.run(root)
    }

    /// The value of a rule at a goal.
    pub(crate) fn solve_rule(
        &mut self,
        goal: Goal,
        rule: &'g Rule,
        depth: usize,
    ) -> Result<Truth, CheckError> {
        let root = self.cell(Operator::Any(None), depth);
        self.expand(goal, rule, root, depth)?;
        self.run(root)
    }

    fn run(&mut self, root: CellId) -> Result<Truth, CheckError> {
        loop {
            self.raise_all()?;
            let value = self.value(root);
            if value == Truth::Yes {
                return Ok(value);
            }
            let Some(next) = self.queue.pop_front() else {
                return if self.too_deep { Err(CheckError::TooDeep) } else { Ok(value) };
            };
            self.visit(next)?;
        }
    }

    fn value(&self, cell: CellId) -> Truth {
        self.cells.get(cell).map_or(Truth::No, |cell| cell.value)
    }

    fn depth(&self, cell: CellId) -> usize {
        self.cells.get(cell).map_or(0, |cell| cell.depth)
    }

    fn cell(&mut self, operator: Operator<'g>, depth: usize) -> CellId {
        self.cells.push(Cell { value: Truth::No, operator, depth, out: Vec::new(), raised_by: None });
        self.cells.len() - 1
    }

    fn link(&mut self, link: Link) {
        let id = self.links.len();
        if let Some(from) = link.from.and_then(|from| self.cells.get_mut(from)) {
            from.out.push(id);
        }
        self.links.push(link);
        self.pending.push(id);
    }

    fn visit(&mut self, cell: CellId) -> Result<(), CheckError> {
        self.asked.step()?;
        let depth = self.depth(cell);
        if depth > MAX_DEPTH {
            self.too_deep = true;
            return Ok(());
        }
        let Some(Operator::Any(Some(goal))) = self.cells.get(cell).map(|cell| &cell.operator) else {
            return Ok(());
        };
        let goal = *goal;
        let Some(plan) = self.asked.plan(goal) else { return Ok(()) };
        if self.asked.is_target(goal) {
            self.link(Link::sure(None, cell));
            return Ok(());
        }
        self.expand(goal, &plan.rule, cell, depth)
    }

    /// Lets a rule at a goal raise a cell.
    fn expand(&mut self, goal: Goal, rule: &'g Rule, sink: CellId, depth: usize) -> Result<(), CheckError> {
        match rule {
            Rule::Direct(direct) => self.direct(goal, direct, sink, depth),
            Rule::Computed(relation) => {
                self.lead(Goal { relation: *relation, ..goal }, Link::sure(None, sink), depth)
            }
            Rule::From { relation, through } => self.parents(goal, *relation, *through, sink, depth),
            Rule::Union(parts) => parts.iter().try_for_each(|part| self.expand(goal, part, sink, depth)),
            Rule::Intersection(rules) => {
                let all = self.cell(Operator::All { goal, rules, parts: Vec::new() }, depth);
                self.link(Link::sure(Some(all), sink));
                self.next_part(all)
            }
            Rule::Exclusion(base, taken) => {
                let without = self.cell(Operator::Without { goal, taken, base: None, result: None }, depth);
                self.link(Link::sure(Some(without), sink));
                let part = self.cell(Operator::Any(None), depth);
                if let Some(Operator::Without { base, .. }) =
                    self.cells.get_mut(without).map(|cell| &mut cell.operator)
                {
                    *base = Some(part);
                }
                self.link(Link::sure(Some(part), without));
                self.expand(goal, base, part, depth)
            }
        }
    }

    /// Begins the next part of an `and`.
    fn next_part(&mut self, all: CellId) -> Result<(), CheckError> {
        let depth = self.depth(all);
        let part = self.cells.len();
        let Some(Operator::All { goal, rules, parts }) =
            self.cells.get_mut(all).map(|cell| &mut cell.operator)
        else {
            return Ok(());
        };
        let (goal, rules) = (*goal, *rules);
        let Some(rule) = rules.get(parts.len()) else { return Ok(()) };
        parts.push(part);
        self.cell(Operator::Any(None), depth);
        self.link(Link::sure(Some(part), all));
        self.expand(goal, rule, part, depth)
    }

    /// Lets every value rise as far as it does by what is known.
    fn raise_all(&mut self) -> Result<(), CheckError> {
        while let Some(id) = self.pending.pop() {
            let Some(link) = self.links.get(id) else { continue };
            let (to, cap) = (link.to, link.cap);
            let value = link.from.map_or(Truth::Yes, |from| self.value(from)).min(cap);
            if value == Truth::No {
                continue;
            }
            let value = match self.cells.get(to).map(|cell| &cell.operator) {
                None | Some(Operator::Any(_)) => value,
                Some(Operator::All { .. }) => self.all(to)?,
                Some(Operator::Without { .. }) => self.without(to, value)?,
            };
            let Some(cell) = self.cells.get_mut(to) else { continue };
            if value > cell.value {
                cell.value = value;
                cell.raised_by = Some(id);
                self.pending.extend(&cell.out);
            }
        }
        Ok(())
    }

    /// The smallest of the parts, once all have risen.
    fn all(&mut self, all: CellId) -> Result<Truth, CheckError> {
        let Some(Operator::All { rules, parts, .. }) = self.cells.get(all).map(|cell| &cell.operator) else {
            return Ok(Truth::No);
        };
        let value = parts.iter().map(|part| self.value(*part)).min().unwrap_or_default();
        if parts.len() == rules.len() || value == Truth::No {
            return Ok(if parts.len() == rules.len() { value } else { Truth::No });
        }
        self.next_part(all)?;
        Ok(Truth::No)
    }

    /// The base, which has risen to `base`, without what is taken away.
    fn without(&mut self, without: CellId, base: Truth) -> Result<Truth, CheckError> {
        let Some(Operator::Without { goal, taken, result, .. }) =
            self.cells.get(without).map(|cell| &cell.operator)
        else {
            return Ok(Truth::No);
        };
        if let Some((value, _)) = result {
            return Ok(base.min(value.not()));
        }
        let depth = self.depth(without);
        if self.nesting == MAX_DEPTH {
            return Err(CheckError::TooDeep);
        }
        if let Some(judge) = self.judge {
            return Ok(base.min(judge(*goal, taken)?.not()));
        }
        let mut below = Solver { nesting: self.nesting + 1, ..Solver::new(self.asked) };
        let value = below.solve_rule(*goal, &taken.rule, depth)?;
        let unknowns = if value == Truth::Maybe { below.unknowns() } else { Unknowns::default() };
        if let Some(Operator::Without { result, .. }) =
            self.cells.get_mut(without).map(|cell| &mut cell.operator)
        {
            *result = Some((value, unknowns));
        }
        Ok(base.min(value.not()))
    }

    /// Lets a goal raise a cell by a link.
    fn lead(&mut self, goal: Goal, link: Link, depth: usize) -> Result<(), CheckError> {
        let Some(plan) = self.asked.plan(goal) else { return Ok(()) };
        let known = self.goals.get(&goal).copied();
        let from = match known {
            Some(cell) => cell,
            None => {
                let cell = self.cell(Operator::Any(Some(goal)), depth + 1);
                self.goals.insert(goal, cell);
                let found = if plan.is_plain && !self.in_full && depth < MAX_DEPTH {
                    plain::search(self.asked, goal, depth + 1)
                } else {
                    Ok(Plain::Unclear)
                };
                match found {
                    Ok(Plain::Reached) => self.link(Link::sure(None, cell)),
                    Ok(Plain::NotReached) => {}
                    Ok(Plain::Unclear) => self.queue.push_back(cell),
                    Err(CheckError::TooDeep) => self.too_deep = true,
                    Err(error) => return Err(error),
                }
                cell
            }
        };
        self.link(Link { from: Some(from), ..link });
        Ok(())
    }

    /// Lets the relationships of a goal, and of every path above it, raise a cell.
    fn direct(
        &mut self,
        goal: Goal,
        direct: &'g Direct,
        sink: CellId,
        depth: usize,
    ) -> Result<(), CheckError> {
        let asked = self.asked;
        let target = asked.target;
        for node in asked.nodes_of(goal) {
            if let Some(subject) = target.node
                && let Some(form) = direct.form(target.kind, target.shape)
            {
                self.names(node, Edge::new(goal.relation, target.shape.relation(), subject), form, sink)?;
            }
            if target.shape == Shape::Object
                && let Some(everyone) = asked.graph.symbols().wildcard(target.kind)
                && let Some(form) = direct.form(target.kind, Shape::Wildcard)
            {
                self.names(node, Edge::new(goal.relation, NO_RELATION, everyone), form, sink)?;
            }
            if direct.has_memberships || direct.has_open_usersets {
                self.usersets(node, goal.relation, direct, sink, depth)?;
            }
        }
        Ok(())
    }

    /// Lets a relationship with the subject raise a cell, if there is one.
    fn names(&mut self, node: NodeId, edge: Edge, form: &Form, sink: CellId) -> Result<(), CheckError> {
        self.asked.step()?;
        if let Some(edge) = self.asked.graph.forward().find(node, edge)
            && let Some(link) = self.counted(node, edge, form, sink)
        {
            self.link(link);
        }
        Ok(())
    }

    fn usersets(
        &mut self,
        node: NodeId,
        relation: Relation,
        direct: &'g Direct,
        sink: CellId,
        depth: usize,
    ) -> Result<(), CheckError> {
        let graph = self.asked.graph;
        let (low, high) = (Edge::new(relation, 0, 0), Edge::new(relation, NO_RELATION, 0));
        for edge in graph.forward().between(node, low, high) {
            self.asked.step()?;
            let (of, relation) = (edge.node(), edge.subject_relation());
            let Some(kind) = graph.nodes().kind(of) else { continue };
            if let Some(form) = direct.form(kind, Shape::Userset(relation))
                && graph.nodes().is_alive(of)
                && let Some(link) = self.counted(node, edge, form, sink)
            {
                self.lead(Goal { node: Some(of), kind, relation }, link, depth)?;
            }
        }
        Ok(())
    }

    fn parents(
        &mut self,
        goal: Goal,
        relation: Relation,
        through: Relation,
        sink: CellId,
        depth: usize,
    ) -> Result<(), CheckError> {
        let graph = self.asked.graph;
        let Some(plan) = graph.plan().relation(goal.kind, through) else { return Ok(()) };
        for node in self.asked.nodes_of(goal) {
            for edge in graph.forward().group(node, through, NO_RELATION) {
                self.asked.step()?;
                let of = edge.node();
                let Some(kind) = graph.nodes().kind(of) else { continue };
                if let Some(form) = plan.rule.form(kind, Shape::Object)
                    && graph.nodes().get(of).is_some_and(|node| node.id.is_some())
                    && graph.nodes().is_alive(of)
                    && let Some(link) = self.counted(node, edge, form, sink)
                {
                    self.lead(Goal { node: Some(of), kind, relation }, link, depth)?;
                }
            }
        }
        Ok(())
    }

    /// A link by a relationship, if that counts at all.
    fn counted(&self, node: NodeId, edge: Edge, form: &Form, to: CellId) -> Option<Link> {
        let (cap, unknowns) = match self.asked.holds(node, edge, form) {
            Holds::No => return None,
            Holds::Yes => (Truth::Yes, Unknowns::default()),
            Holds::Maybe(unknowns) => (Truth::Maybe, unknowns),
        };
        Some(Link { from: None, to, cap, unknowns, by: Some((node, edge)) })
    }

    /// What an open value depends on: all that is open on any way that contributes to it.
    pub(crate) fn unknowns(&self) -> Unknowns {
        let mut found = Unknowns::default();
        let mut incoming: Vec<Vec<LinkId>> = Vec::new();
        incoming.resize_with(self.cells.len(), Vec::new);
        for (id, link) in self.links.iter().enumerate() {
            if let Some(of) = incoming.get_mut(link.to) {
                of.push(id);
            }
        }
        let mut seen = vec![false; self.cells.len()];
        let mut next = vec![0];
        while let Some(cell) = next.pop() {
            if std::mem::replace(seen.get_mut(cell).unwrap_or(&mut true), true)
                || self.value(cell) != Truth::Maybe
            {
                continue;
            }
            if let Some(Operator::Without { result: Some((_, unknowns)), .. }) =
                self.cells.get(cell).map(|cell| &cell.operator)
            {
                found.add(unknowns);
            }
            for link in incoming.get(cell).into_iter().flatten().filter_map(|id| self.links.get(*id)) {
                let source = link.from.map_or(Truth::Yes, |from| self.value(from));
                if source.min(link.cap) == Truth::No {
                    continue;
                }
                found.add(&link.unknowns);
                next.extend(link.from);
            }
        }
        found
    }
}

impl Link {
    /// A link that no relationship limits.
    fn sure(from: Option<CellId>, to: CellId) -> Self {
        Self { from, to, cap: Truth::Yes, unknowns: Unknowns::default(), by: None }
    }
}
