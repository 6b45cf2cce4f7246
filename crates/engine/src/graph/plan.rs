//! A schema in a graph's numbers.

use super::symbols::{Kind, NO_RELATION, Relation, Symbols};
use crate::schema::{DirectType, Expression, Schema, SubjectForm};

/// What [`Schema`] says, by number.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    kinds: Vec<KindPlan>,
}

#[derive(Debug, Default)]
struct KindPlan {
    is_path: bool,
    /// In order of the relations' numbers.
    rules: Vec<(Relation, Rule)>,
}

/// [`Expression`] by number.
#[derive(Debug)]
pub(crate) enum Rule {
    Direct(Vec<Form>),
    Computed(Relation),
    Union(Vec<Rule>),
}

/// A form that a subject may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Form {
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
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
            let mut rules = Vec::new();
            for relation in schema.relations(name.as_str()) {
                let expression = schema.expression(name.as_str(), relation.as_str());
                // Without a number nothing can be stored: the relation stays without a rule and gives nobody anything.
                let number = symbols.add_relation(relation);
                let rule = expression.and_then(|expression| rule(expression, symbols));
                rules.extend(number.zip(rule));
            }
            rules.sort_unstable_by_key(|(relation, _)| *relation);
            let at = usize::from(kind);
            if plan.kinds.len() <= at {
                plan.kinds.resize_with(at + 1, KindPlan::default);
            }
            if let Some(entry) = plan.kinds.get_mut(at) {
                *entry = KindPlan { is_path: schema.is_path(name.as_str()), rules };
            }
        }
        plan
    }

    pub(crate) fn is_path(&self, kind: Kind) -> bool {
        self.kinds.get(usize::from(kind)).is_some_and(|kind| kind.is_path)
    }

    pub(crate) fn rule(&self, kind: Kind, relation: Relation) -> Option<&Rule> {
        let rules = &self.kinds.get(usize::from(kind))?.rules;
        let at = rules.binary_search_by_key(&relation, |(relation, _)| *relation).ok()?;
        rules.get(at).map(|(_, rule)| rule)
    }
}

fn rule(expression: &Expression, symbols: &mut Symbols) -> Option<Rule> {
    Some(match expression {
        Expression::Direct(forms) => {
            Rule::Direct(forms.iter().map(|direct| form(direct, symbols)).collect::<Option<_>>()?)
        }
        Expression::Computed(relation) => Rule::Computed(symbols.add_relation(relation)?),
        Expression::Union(parts) => {
            Rule::Union(parts.iter().map(|part| rule(part, symbols)).collect::<Option<_>>()?)
        }
        // The parser does not let these through yet.
        Expression::From { .. } | Expression::Intersection(_) | Expression::Exclusion(..) => return None,
    })
}

fn form(direct: &DirectType, symbols: &mut Symbols) -> Option<Form> {
    let (kind, shape) = match &direct.form {
        SubjectForm::Object(kind) => (kind, Shape::Object),
        SubjectForm::Userset(kind, relation) => (kind, Shape::Userset(symbols.add_relation(relation)?)),
        SubjectForm::Wildcard(kind) => (kind, Shape::Wildcard),
    };
    Some(Form { kind: symbols.add_kind(kind)?, shape })
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
