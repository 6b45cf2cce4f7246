//! Filters: a bounded part of the language of upstream's database.
//!
//! Equality, `$in`, `$regex`, `$gt`, `$gte`, `$lt`, `$lte`, `$not` and `$and`. Any other operator is refused, so that nobody gets an
//! answer to another question. A condition on a list holds if it holds for the list or for one of its items. Regular
//! expressions are searched for in linear time.

use std::cmp::Ordering;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::{field, order};

/// How many conditions there may be in all: each is looked at for each record.
const MAX_CONDITIONS: usize = 256;

/// The longest regular expression, and how large a compiled one may be, in bytes.
const MAX_PATTERN: usize = 1_000;
const MAX_COMPILED: usize = 1 << 20;

/// What is wrong with a filter is not said: the dialect only names `filters`.
#[derive(Debug)]
pub(super) struct NoFilter;

/// Conditions that all hold.
pub(super) struct Filter {
    conditions: Vec<(String, Condition)>,
    all: Vec<Filter>,
}

enum Condition {
    Equals(Value),
    In(Vec<Value>),
    Matches(Regex),
    Compares(fn(Ordering) -> bool, Value),
    Not(Vec<Condition>),
}

impl Filter {
    /// No condition.
    pub(super) fn everything() -> Self {
        Self { conditions: Vec::new(), all: Vec::new() }
    }

    /// Reads a filter, of bounded size.
    pub(super) fn read(filters: &Value) -> Result<Self, NoFilter> {
        let mut left = MAX_CONDITIONS;
        read(filters.as_object().ok_or(NoFilter)?, &mut left)
    }

    /// Whether every condition holds for a record.
    pub(super) fn matches(&self, record: &Value) -> bool {
        self.conditions.iter().all(|(name, condition)| condition.holds(field(record, name)))
            && self.all.iter().all(|filter| filter.matches(record))
    }
}

fn read(filters: &Map<String, Value>, left: &mut usize) -> Result<Filter, NoFilter> {
    let mut filter = Filter::everything();
    for (name, value) in filters {
        match name.as_str() {
            "$and" => {
                let filters = value.as_array().filter(|filters| !filters.is_empty()).ok_or(NoFilter)?;
                for one in filters {
                    count(left)?;
                    filter.all.push(read(one.as_object().ok_or(NoFilter)?, left)?);
                }
            }
            operator if operator.starts_with('$') => return Err(NoFilter),
            name => {
                for condition in conditions(value, left)? {
                    filter.conditions.push((name.to_owned(), condition));
                }
            }
        }
    }
    Ok(filter)
}

fn count(left: &mut usize) -> Result<(), NoFilter> {
    *left = left.checked_sub(1).ok_or(NoFilter)?;
    Ok(())
}

/// What is asked of one field: a value, or an object of operators.
fn conditions(value: &Value, left: &mut usize) -> Result<Vec<Condition>, NoFilter> {
    match value {
        Value::Object(operators) if operators.keys().any(|key| key.starts_with('$')) => {
            operators.iter().map(|(operator, operand)| condition(operator, operand, left)).collect()
        }
        value => {
            count(left)?;
            Ok(vec![Condition::Equals(value.clone())])
        }
    }
}

fn condition(operator: &str, operand: &Value, left: &mut usize) -> Result<Condition, NoFilter> {
    count(left)?;
    let compares = |holds| Ok(Condition::Compares(holds, operand.clone()));
    match operator {
        "$in" => Ok(Condition::In(operand.as_array().ok_or(NoFilter)?.clone())),
        "$regex" => Ok(Condition::Matches(regex(operand)?)),
        "$gt" => compares(Ordering::is_gt),
        "$gte" => compares(Ordering::is_ge),
        "$lt" => compares(Ordering::is_lt),
        "$lte" => compares(Ordering::is_le),
        // A text is a regular expression here, as in upstream.
        "$not" => match operand {
            Value::String(_) => Ok(Condition::Not(vec![Condition::Matches(regex(operand)?)])),
            Value::Object(operators)
                if operators.keys().all(|key| key.starts_with('$')) && !operators.is_empty() =>
            {
                Ok(Condition::Not(conditions(operand, left)?))
            }
            _ => Err(NoFilter),
        },
        _ => Err(NoFilter),
    }
}

fn regex(pattern: &Value) -> Result<Regex, NoFilter> {
    let pattern = pattern.as_str().filter(|pattern| pattern.len() <= MAX_PATTERN).ok_or(NoFilter)?;
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .build()
        .map_err(|_| NoFilter)
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        // `$not` is about the field as a whole: none of its items may fit.
        if let Self::Not(conditions) = self {
            return !conditions.iter().all(|condition| condition.holds(value));
        }
        let items = value.as_array().into_iter().flatten();
        std::iter::once(value).chain(items).any(|value| self.holds_for(value))
    }

    fn holds_for(&self, value: &Value) -> bool {
        match self {
            Self::Equals(wanted) => wanted == value,
            Self::In(wanted) => wanted.contains(value),
            Self::Matches(regex) => value.as_str().is_some_and(|text| regex.is_match(text)),
            Self::Compares(holds, with) => order::comparable(value, with).is_some_and(holds),
            Self::Not(_) => false,
        }
    }
}
