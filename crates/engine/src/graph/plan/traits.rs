//! What follows from the rules of a schema alone: which relations are plain, and which are memberships.

use std::collections::BTreeSet;

use super::{Direct, Plan, RelationPlan, Rule, Shape};
use crate::graph::symbols::{Kind, Relation};

type Pair = (Kind, Relation);

impl Plan {
    pub(super) fn find_traits(&mut self) {
        let plain = self.greatest(|plan, kind, relation, known| {
            relation.rule.all(&mut |rule| match rule {
                Rule::Intersection(_) | Rule::Exclusion(..) => false,
                Rule::Union(_) => true,
                Rule::Computed(computed) => known.contains(&(kind, *computed)),
                Rule::Direct(direct) => usersets(direct).all(|pair| known.contains(&pair)),
                Rule::From { relation, through } => plan.through(kind, *through).all(|kind| {
                    plan.relation(kind, *relation).is_none() || known.contains(&(kind, *relation))
                }),
            })
        });
        let memberships = self.greatest(|plan, kind, relation, known| {
            !plan.is_path(kind)
                && relation.rule.all(&mut |rule| match rule {
                    Rule::Intersection(_) | Rule::Exclusion(..) | Rule::From { .. } => false,
                    Rule::Union(_) => true,
                    Rule::Computed(computed) => known.contains(&(kind, *computed)),
                    Rule::Direct(direct) => usersets(direct).all(|pair| known.contains(&pair)),
                })
        });
        let feeding = self.feeding(&memberships);
        let mut nested = BTreeSet::new();
        for (kind, relation) in self.pairs().filter(|(kind, plan)| feeding.contains(&(*kind, plan.number))) {
            relation.rule.all(&mut |rule| {
                if let Rule::Direct(direct) = rule {
                    nested.extend(usersets(direct));
                }
                true
            });
            debug_assert!(
                memberships.contains(&(kind, relation.number)),
                "only memberships feed memberships"
            );
        }
        self.membership_relations =
            feeding.iter().map(|(_, relation)| *relation).collect::<BTreeSet<_>>().into_iter().collect();
        for (kind, relations) in self.kinds.iter_mut().enumerate() {
            let Ok(kind) = Kind::try_from(kind) else { continue };
            let included = included(&relations.relations);
            for relation in &mut relations.relations {
                let pair = (kind, relation.number);
                relation.is_plain = plain.contains(&pair);
                relation.is_membership = memberships.contains(&pair);
                relation.feeds_memberships = feeding.contains(&pair);
                relation.is_nested = nested.contains(&pair);
                let users = included.iter().filter(|(of, _)| *of == relation.number);
                relation.included_in = users.map(|(_, user)| *user).collect();
                mark(&mut relation.rule, &memberships, &nested);
            }
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (Kind, &RelationPlan)> {
        let kinds = self.kinds.iter().enumerate();
        kinds
            .filter_map(|(kind, plan)| Some((Kind::try_from(kind).ok()?, plan)))
            .flat_map(|(kind, plan)| plan.relations.iter().map(move |relation| (kind, relation)))
    }

    /// The most relations of which a trait can hold that a relation has only if those it leads to have it.
    fn greatest(&self, has: impl Fn(&Self, Kind, &RelationPlan, &BTreeSet<Pair>) -> bool) -> BTreeSet<Pair> {
        let mut known: BTreeSet<Pair> =
            self.pairs().map(|(kind, relation)| (kind, relation.number)).collect();
        loop {
            let lost: Vec<_> = self
                .pairs()
                .filter(|(kind, relation)| {
                    known.contains(&(*kind, relation.number)) && !has(self, *kind, relation, &known)
                })
                .map(|(kind, relation)| (kind, relation.number))
                .collect();
            if lost.is_empty() {
                return known;
            }
            for pair in lost {
                known.remove(&pair);
            }
        }
    }

    /// The types of the objects that a relation leads to.
    fn through(&self, kind: Kind, through: Relation) -> impl Iterator<Item = Kind> {
        let mut kinds = BTreeSet::new();
        if let Some(relation) = self.relation(kind, through) {
            relation.rule.all(&mut |rule| {
                if let Rule::Direct(direct) = rule {
                    let objects = direct.forms.iter().filter(|form| form.shape == Shape::Object);
                    kinds.extend(objects.map(|form| form.kind));
                }
                true
            });
        }
        kinds.into_iter()
    }

    /// The memberships that are used as usersets, and those that these follow from.
    fn feeding(&self, memberships: &BTreeSet<Pair>) -> BTreeSet<Pair> {
        let mut found = BTreeSet::new();
        let mut next: Vec<Pair> = Vec::new();
        for (_, relation) in self.pairs() {
            relation.rule.all(&mut |rule| {
                if let Rule::Direct(direct) = rule {
                    next.extend(usersets(direct).filter(|pair| memberships.contains(pair)));
                }
                true
            });
        }
        while let Some(pair) = next.pop() {
            if !found.insert(pair) {
                continue;
            }
            let Some(relation) = self.relation(pair.0, pair.1) else { continue };
            relation.rule.all(&mut |rule| {
                match rule {
                    Rule::Direct(direct) => next.extend(usersets(direct)),
                    Rule::Computed(computed) => next.push((pair.0, *computed)),
                    _ => {}
                }
                true
            });
        }
        found
    }
}

fn usersets(direct: &Direct) -> impl Iterator<Item = Pair> {
    direct.forms.iter().filter_map(|form| match form.shape {
        Shape::Userset(relation) => Some((form.kind, relation)),
        Shape::Object | Shape::Wildcard => None,
    })
}

/// Which relations of a type name which: `(named, by)`.
fn included(relations: &[RelationPlan]) -> BTreeSet<(Relation, Relation)> {
    let mut found = BTreeSet::new();
    for relation in relations {
        relation.rule.all(&mut |rule| {
            if let Rule::Computed(computed) = rule {
                found.insert((*computed, relation.number));
            }
            true
        });
    }
    found
}

/// Notes in each direct rule which kinds of usersets it takes.
fn mark(rule: &mut Rule, memberships: &BTreeSet<Pair>, nested: &BTreeSet<Pair>) {
    match rule {
        Rule::Direct(direct) => {
            let (found, open): (Vec<_>, Vec<_>) =
                usersets(direct).partition(|pair| memberships.contains(pair));
            direct.has_memberships = !found.is_empty();
            direct.has_nested_memberships = found.iter().any(|pair| nested.contains(pair));
            direct.has_open_usersets = !open.is_empty();
        }
        Rule::Computed(_) | Rule::From { .. } => {}
        Rule::Union(parts) | Rule::Intersection(parts) => {
            parts.iter_mut().for_each(|part| mark(part, memberships, nested));
        }
        Rule::Exclusion(base, taken) => {
            mark(base, memberships, nested);
            mark(&mut taken.rule, memberships, nested);
        }
    }
}
