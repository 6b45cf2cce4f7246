//! A schema in a graph's numbers, with what can be known of a relation before any question.

mod traits;

use std::sync::Arc;

use super::symbols::{Kind, NO_RELATION, Relation, Symbols};
use crate::condition::ConditionDefinition;
use crate::schema::{DirectType, Expression, Schema, SubjectForm};

/// What [`Schema`] says, by number.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    kinds: Vec<KindPlan>,
    /// The relations under which memberships are stored, in order: see [`RelationPlan::feeds_memberships`].
    membership_relations: Vec<Relation>,
}

#[derive(Debug, Default)]
struct KindPlan {
    is_path: bool,
    /// In order of the relations' numbers.
    relations: Vec<RelationPlan>,
}

/// A relation of a type.
#[derive(Debug)]
pub(crate) struct RelationPlan {
    pub(crate) number: Relation,
    pub(crate) rule: Rule,
    /// Only `or` is used here and in everything that this relation leads to: one way to the subject is a yes.
    pub(crate) is_plain: bool,
    /// Who is in it follows from direct types and computed relations alone, here and in every userset that it takes: all
    /// that a subject is a member of can be found from the subject's side.
    pub(crate) is_membership: bool,
    /// It is a membership that is used as a userset somewhere, or that such a one follows from.
    pub(crate) feeds_memberships: bool,
    /// Some relation that feeds memberships takes it as a userset: then whoever is in it may be in more.
    pub(crate) is_nested: bool,
    /// The relations of the type that take everyone from this one by name.
    pub(crate) included_in: Vec<Relation>,
}

/// [`Expression`] by number.
#[derive(Debug)]
pub(crate) enum Rule {
    Direct(Direct),
    Computed(Relation),
    From { relation: Relation, through: Relation },
    Union(Vec<Rule>),
    Intersection(Vec<Rule>),
    Exclusion(Box<Rule>, Box<Taken>),
}

/// What a `but not` takes away.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) rule: Rule,
    /// The same as it stands in the schema.
    pub(crate) expression: Expression,
}

/// The direct types of a relation.
#[derive(Debug, Default)]
pub(crate) struct Direct {
    pub(crate) forms: Vec<Form>,
    /// Some form is a userset that [`RelationPlan::is_membership`] holds of.
    pub(crate) has_memberships: bool,
    /// Some such form is one that [`RelationPlan::is_nested`] holds of.
    pub(crate) has_nested_memberships: bool,
    /// Some form is another userset.
    pub(crate) has_open_usersets: bool,
}

/// A form that a subject may have, with the conditions under which it may.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    /// Whether a relationship may be without a condition.
    pub(crate) unconditional: bool,
    pub(crate) conditions: Vec<Arc<ConditionDefinition>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Object,
    Userset(Relation),
    Wildcard,
}

impl Plan {
    /// The plan of a schema; names without a number get one.
    pub(crate) fn new(schema: &Schema, symbols: &mut Symbols) -> Self {
        let mut plan = Self::default();
        for name in schema.types() {
            let Some(kind) = symbols.add_kind(name) else { continue };
            let mut relations = Vec::new();
            for relation in schema.relations(name.as_str()) {
                let expression = schema.expression(name.as_str(), relation.as_str());
                // Without a number nothing can be stored: the relation stays without a rule and gives nobody anything.
                let number = symbols.add_relation(relation);
                let rule = expression.and_then(|expression| rule(expression, schema, symbols));
                relations.extend(number.zip(rule).map(|(number, rule)| RelationPlan::new(number, rule)));
            }
            relations.sort_unstable_by_key(|relation| relation.number);
            let at = usize::from(kind);
            if plan.kinds.len() <= at {
                plan.kinds.resize_with(at + 1, KindPlan::default);
            }
            if let Some(entry) = plan.kinds.get_mut(at) {
                *entry = KindPlan { is_path: schema.is_path(name.as_str()), relations };
            }
        }
        plan.find_traits();
        plan
    }

    pub(crate) fn is_path(&self, kind: Kind) -> bool {
        self.kinds.get(usize::from(kind)).is_some_and(|kind| kind.is_path)
    }

    pub(crate) fn relation(&self, kind: Kind, relation: Relation) -> Option<&RelationPlan> {
        let relations = &self.kinds.get(usize::from(kind))?.relations;
        let at = relations.binary_search_by_key(&relation, |plan| plan.number).ok()?;
        relations.get(at)
    }

    /// The relations of a type, in order of their numbers.
    pub(crate) fn relations(&self, kind: Kind) -> &[RelationPlan] {
        self.kinds.get(usize::from(kind)).map_or(&[], |kind| &kind.relations)
    }

    pub(crate) fn membership_relations(&self) -> &[Relation] {
        &self.membership_relations
    }
}

impl RelationPlan {
    fn new(number: Relation, rule: Rule) -> Self {
        Self {
            number,
            rule,
            is_plain: false,
            is_membership: false,
            feeds_memberships: false,
            is_nested: false,
            included_in: Vec::new(),
        }
    }
}

impl Rule {
    /// Calls `each` with this rule and every rule inside, until one says no. Gives whether none did.
    pub(crate) fn all(&self, each: &mut impl FnMut(&Self) -> bool) -> bool {
        each(self)
            && match self {
                Self::Direct(_) | Self::Computed(_) | Self::From { .. } => true,
                Self::Union(parts) | Self::Intersection(parts) => parts.iter().all(|part| part.all(each)),
                Self::Exclusion(base, taken) => base.all(each) && taken.rule.all(each),
            }
    }

    /// What a `but not` in this rule takes away, by how it stands in the schema.
    pub(crate) fn taken(&self, expression: &Expression) -> Option<&Taken> {
        match self {
            Self::Direct(_) | Self::Computed(_) | Self::From { .. } => None,
            Self::Union(parts) | Self::Intersection(parts) => {
                parts.iter().find_map(|part| part.taken(expression))
            }
            Self::Exclusion(_, taken) if taken.expression == *expression => Some(taken),
            Self::Exclusion(base, taken) => base.taken(expression).or_else(|| taken.rule.taken(expression)),
        }
    }

    /// The form anywhere in the rule that takes such a subject.
    pub(crate) fn form(&self, kind: Kind, shape: Shape) -> Option<&Form> {
        match self {
            Self::Direct(direct) => direct.form(kind, shape),
            Self::Computed(_) | Self::From { .. } => None,
            Self::Union(parts) | Self::Intersection(parts) => {
                parts.iter().find_map(|part| part.form(kind, shape))
            }
            Self::Exclusion(base, taken) => base.form(kind, shape).or_else(|| taken.rule.form(kind, shape)),
        }
    }
}

impl Direct {
    fn add(&mut self, form: Form) {
        let known = self.forms.iter_mut().find(|known| known.kind == form.kind && known.shape == form.shape);
        match known {
            None => self.forms.push(form),
            Some(known) => {
                known.unconditional |= form.unconditional;
                known.conditions.extend(form.conditions);
            }
        }
    }

    pub(crate) fn form(&self, kind: Kind, shape: Shape) -> Option<&Form> {
        self.forms.iter().find(|form| form.kind == kind && form.shape == shape)
    }
}

impl Form {
    pub(crate) fn condition(&self, name: &str) -> Option<&ConditionDefinition> {
        self.conditions.iter().find(|condition| condition.name() == name).map(AsRef::as_ref)
    }
}

fn rule(expression: &Expression, schema: &Schema, symbols: &mut Symbols) -> Option<Rule> {
    Some(match expression {
        Expression::Direct(types) => Rule::Direct(direct(types, schema, symbols)?),
        Expression::Computed(relation) => Rule::Computed(symbols.add_relation(relation)?),
        Expression::From { relation, through } => {
            Rule::From { relation: symbols.add_relation(relation)?, through: symbols.add_relation(through)? }
        }
        Expression::Union(parts) => union(rules(parts, schema, symbols)?),
        Expression::Intersection(parts) => Rule::Intersection(rules(parts, schema, symbols)?),
        Expression::Exclusion(base, taken) => Rule::Exclusion(
            Box::new(rule(base, schema, symbols)?),
            Box::new(Taken { rule: rule(taken, schema, symbols)?, expression: Expression::clone(taken) }),
        ),
    })
}

/// One list of parts, in which all direct types stand together: a relationship is looked at once.
fn union(parts: Vec<Rule>) -> Rule {
    let mut direct: Option<Direct> = None;
    let mut others = Vec::new();
    let mut next: Vec<_> = parts.into_iter().rev().collect();
    while let Some(part) = next.pop() {
        match (part, &mut direct) {
            (Rule::Union(parts), _) => next.extend(parts.into_iter().rev()),
            (Rule::Direct(one), None) => direct = Some(one),
            (Rule::Direct(one), Some(direct)) => one.forms.into_iter().for_each(|form| direct.add(form)),
            (other, _) => others.push(other),
        }
    }
    let mut parts: Vec<_> = direct.map(Rule::Direct).into_iter().chain(others).collect();
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => Rule::Union(parts.into_iter().chain(last).collect()),
    }
}

fn rules(parts: &[Expression], schema: &Schema, symbols: &mut Symbols) -> Option<Vec<Rule>> {
    parts.iter().map(|part| rule(part, schema, symbols)).collect()
}

fn direct(types: &[DirectType], schema: &Schema, symbols: &mut Symbols) -> Option<Direct> {
    let mut direct = Direct::default();
    for one in types {
        let (kind, shape) = match &one.form {
            SubjectForm::Object(kind) => (kind, Shape::Object),
            SubjectForm::Userset(kind, relation) => (kind, Shape::Userset(symbols.add_relation(relation)?)),
            SubjectForm::Wildcard(kind) => (kind, Shape::Wildcard),
        };
        let kind = symbols.add_kind(kind)?;
        let conditions = one.condition.iter().filter_map(|name| schema.condition(name).cloned()).collect();
        direct.add(Form { kind, shape, unconditional: one.condition.is_none(), conditions });
    }
    Some(direct)
}

impl Shape {
    /// What an edge to such a subject has as its relation.
    pub(crate) fn relation(self) -> Relation {
        match self {
            Self::Userset(relation) => relation,
            Self::Object | Self::Wildcard => NO_RELATION,
        }
    }
}
