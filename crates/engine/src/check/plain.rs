//! The search for one way to the subject, where any way is a yes.
//!
//! Goals lead to goals, by computed relations, parents and usersets, and are visited breadth first and once each, so that
//! cycles end and the depth at which the search gives up does not depend on the order of anything.

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use smallvec::SmallVec;

use super::asked::{Asked, Goal, Holds};
use super::{CheckError, MAX_DEPTH};
use crate::graph::{Direct, Edge, NO_RELATION, NodeId, Relation, Rule, Shape};

/// Above this many goals they are looked up by hash.
const FEW: usize = 16;

/// Up to so many usersets on one object are followed before it is asked what the subject is a member of.
const FEW_USERSETS: usize = 4;

/// What a search comes to.
pub(super) enum Plain {
    /// There is a way.
    Reached,
    /// There is none.
    NotReached,
    /// There is none without a condition that depends on what nobody has said.
    Unclear,
}

/// Looks for a way to the subject from a goal at a depth.
pub(super) fn search(asked: &Asked<'_>, first: Goal, depth: usize) -> Result<Plain, CheckError> {
    match search_once(asked, first, depth) {
        // A resource with very many usersets: the subject may be in fewer.
        Err(CheckError::TooManySteps) if asked.look_up_many_memberships() => search_once(asked, first, depth),
        found => found,
    }
}

fn search_once(asked: &Asked<'_>, first: Goal, mut depth: usize) -> Result<Plain, CheckError> {
    let mut search = Search { asked, goals: SmallVec::new(), known: None, unclear: false, too_deep: false };
    search.goals.push(first);
    let (mut at, mut level_end) = (0, 1);
    while let Some(goal) = search.goals.get(at).copied() {
        if at == level_end {
            depth += 1;
            level_end = search.goals.len();
            if depth > MAX_DEPTH {
                search.too_deep = true;
                break;
            }
        }
        if search.visit(goal, depth)? {
            return Ok(Plain::Reached);
        }
        at += 1;
    }
    if search.too_deep {
        return Err(CheckError::TooDeep);
    }
    Ok(if search.unclear { Plain::Unclear } else { Plain::NotReached })
}

struct Search<'a, 'g> {
    asked: &'a Asked<'g>,
    /// Every goal so far, in the order of discovery.
    goals: SmallVec<[Goal; 8]>,
    /// The same, once there are many.
    known: Option<HashSet<Goal, RandomState>>,
    unclear: bool,
    /// Something lies too deep to be looked at.
    too_deep: bool,
}

impl<'g> Search<'_, 'g> {
    /// Whether the subject stands in the goal by what is stored there.
    fn visit(&mut self, goal: Goal, depth: usize) -> Result<bool, CheckError> {
        self.asked.step()?;
        let Some(plan) = self.asked.plan(goal) else { return Ok(false) };
        if self.asked.is_target(goal) {
            return Ok(true);
        }
        self.follow(goal, &plan.rule, depth)
    }

    fn follow(&mut self, goal: Goal, rule: &'g Rule, depth: usize) -> Result<bool, CheckError> {
        match rule {
            Rule::Direct(direct) => self.direct(goal, direct, depth),
            Rule::Computed(relation) => {
                self.discover(Goal { relation: *relation, ..goal });
                Ok(false)
            }
            Rule::From { relation, through } => {
                self.parents(goal, *relation, *through)?;
                Ok(false)
            }
            Rule::Union(parts) => {
                for part in parts {
                    if self.follow(goal, part, depth)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            // A plain relation leads to none of these.
            Rule::Intersection(_) | Rule::Exclusion(..) => {
                self.unclear = true;
                Ok(false)
            }
        }
    }

    /// Looks at the relationships of the goal, and of every path above it.
    fn direct(&mut self, goal: Goal, direct: &'g Direct, depth: usize) -> Result<bool, CheckError> {
        if !self.asked.graph.plan().is_path(goal.kind) {
            return goal.node.map_or(Ok(false), |node| self.stored(node, goal.relation, direct, depth));
        }
        for node in self.asked.nodes_of(goal) {
            if self.stored(node, goal.relation, direct, depth)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks at the relationships that are stored on a node itself.
    fn stored(
        &mut self,
        node: NodeId,
        relation: Relation,
        direct: &Direct,
        depth: usize,
    ) -> Result<bool, CheckError> {
        let target = self.asked.target;
        if let Some(subject) = target.node
            && self.names(node, relation, direct, target.shape, subject)?
        {
            return Ok(true);
        }
        if target.shape == Shape::Object
            && let Some(everyone) = self.asked.graph.symbols().wildcard(target.kind)
            && self.names(node, relation, direct, Shape::Wildcard, everyone)?
        {
            return Ok(true);
        }
        if direct.has_memberships && !self.few_usersets(node, relation, direct) {
            match self.asked.memberships() {
                Some(memberships) => {
                    self.unclear |= memberships.unclear;
                    for held in &memberships.held {
                        if depth + held.level as usize >= MAX_DEPTH {
                            self.too_deep = true;
                            break;
                        }
                        let shape = Shape::Userset(held.relation);
                        if let Some(form) = direct.form(held.kind, shape)
                            && self.holds_to(node, Edge::new(relation, held.relation, held.node), form)?
                        {
                            return Ok(true);
                        }
                    }
                }
                None => self.usersets(node, relation, direct, false)?,
            }
        }
        if direct.has_open_usersets {
            self.usersets(node, relation, direct, true)?;
        }
        Ok(false)
    }

    /// Whether a relationship names the target itself, in this shape.
    fn names(
        &mut self,
        node: NodeId,
        relation: Relation,
        direct: &Direct,
        shape: Shape,
        subject: NodeId,
    ) -> Result<bool, CheckError> {
        let Some(form) = direct.form(self.asked.target.kind, shape) else { return Ok(false) };
        self.holds_to(node, Edge::new(relation, shape.relation(), subject), form)
    }

    fn holds_to(&mut self, node: NodeId, edge: Edge, form: &crate::graph::Form) -> Result<bool, CheckError> {
        self.asked.step()?;
        let Some(edge) = self.asked.graph.forward().find(node, edge) else { return Ok(false) };
        Ok(match self.asked.holds(node, edge, form) {
            Holds::Yes => true,
            Holds::No => false,
            Holds::Maybe(_) => {
                self.unclear = true;
                false
            }
        })
    }

    /// Discovers the memberships that stand in a relation to a node, if they can be nested and are few here: the subject
    /// may be in very many. Whether they were few.
    fn few_usersets(&mut self, node: NodeId, relation: Relation, direct: &Direct) -> bool {
        if !direct.has_nested_memberships || self.goals.len() > FEW || self.asked.knows_memberships() {
            return false;
        }
        let (low, high) = (Edge::new(relation, 0, 0), Edge::new(relation, NO_RELATION, 0));
        let few: SmallVec<[Edge; FEW_USERSETS + 1]> =
            self.asked.graph.forward().between(node, low, high).take(FEW_USERSETS + 1).collect();
        if few.len() > FEW_USERSETS {
            return false;
        }
        for edge in few {
            self.userset(node, edge, direct, false);
        }
        true
    }

    /// Discovers the usersets that stand in a relation to a node: only those that are no memberships, or only the
    /// memberships.
    fn usersets(
        &mut self,
        node: NodeId,
        relation: Relation,
        direct: &Direct,
        open: bool,
    ) -> Result<(), CheckError> {
        let graph = self.asked.graph;
        let (low, high) = (Edge::new(relation, 0, 0), Edge::new(relation, NO_RELATION, 0));
        for edge in graph.forward().between(node, low, high) {
            self.asked.step()?;
            self.userset(node, edge, direct, open);
        }
        Ok(())
    }

    fn userset(&mut self, node: NodeId, edge: Edge, direct: &Direct, open: bool) {
        let (graph, of, relation) = (self.asked.graph, edge.node(), edge.subject_relation());
        let Some(kind) = graph.nodes().kind(of) else { return };
        let goal = Goal { node: Some(of), kind, relation };
        if let Some(form) = direct.form(kind, Shape::Userset(relation))
            && self.asked.plan(goal).is_some_and(|plan| plan.is_membership != open)
            && graph.nodes().is_alive(of)
        {
            self.lead(node, edge, form, goal);
        }
    }

    /// Discovers a relation of the objects that another relation of the goal's object leads to.
    fn parents(&mut self, goal: Goal, relation: Relation, through: Relation) -> Result<(), CheckError> {
        let graph = self.asked.graph;
        let Some(plan) = graph.plan().relation(goal.kind, through) else { return Ok(()) };
        for node in self.asked.nodes_of(goal) {
            for edge in graph.forward().group(node, through, NO_RELATION) {
                self.asked.step()?;
                let Some(kind) = graph.nodes().kind(edge.node()) else { continue };
                let parent = Goal { node: Some(edge.node()), kind, relation };
                if let Some(form) = plan.rule.form(kind, Shape::Object)
                    && graph.nodes().get(edge.node()).is_some_and(|node| node.id.is_some())
                    && graph.nodes().is_alive(edge.node())
                    && self.asked.plan(parent).is_some()
                {
                    self.lead(node, edge, form, parent);
                }
            }
        }
        Ok(())
    }

    /// Discovers a goal that a relationship leads to, if that counts.
    fn lead(&mut self, node: NodeId, edge: Edge, form: &crate::graph::Form, goal: Goal) {
        match self.asked.holds(node, edge, form) {
            Holds::Yes => self.discover(goal),
            Holds::No => {}
            Holds::Maybe(_) => self.unclear = true,
        }
    }

    fn discover(&mut self, goal: Goal) {
        if self.goals.len() <= FEW {
            if !self.goals.contains(&goal) {
                self.goals.push(goal);
            }
            return;
        }
        let goals_so_far = || self.goals.iter().copied().collect();
        if self.known.get_or_insert_with(goals_so_far).insert(goal) {
            self.goals.push(goal);
        }
    }
}
