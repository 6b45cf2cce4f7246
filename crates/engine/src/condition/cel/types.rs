//! The types of expressions, as far as they are known before any value is.

use super::Problem;
use super::syntax::{Fold, Function, Kind, Macro, Node, Operator};
use super::value::Val;

/// A type. `Any` is whatever is not known before the evaluation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Type {
    Any,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Duration,
    Timestamp,
    Address,
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
}

impl Type {
    /// With its article, for messages.
    pub(crate) fn named(&self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Null => "null",
            Self::Bool => "a bool",
            Self::Int => "an int",
            Self::Uint => "a uint",
            Self::Double => "a double",
            Self::Text => "a string",
            Self::Duration => "a duration",
            Self::Timestamp => "a timestamp",
            Self::Address => "an ipaddress",
            Self::List(_) => "a list",
            Self::Map(..) => "a map",
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    fn is(&self, wanted: &Self) -> bool {
        *self == Self::Any || self == wanted
    }

    /// Whether a value of one could equal a value of the other.
    fn comparable(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any | Self::Null, _) | (_, Self::Any | Self::Null) => true,
            (Self::List(a), Self::List(b)) => a.comparable(b),
            (Self::Map(a, b), Self::Map(c, d)) => a.comparable(c) && b.comparable(d),
            _ => self == other || (self.is_number() && other.is_number()),
        }
    }

    fn join(types: impl Iterator<Item = Self>) -> Self {
        types.reduce(|a, b| if a == b { a } else { Self::Any }).unwrap_or(Self::Any)
    }
}

/// The type of an expression, if its parts fit each other.
pub(super) fn of(text: &str, node: &Node, parameters: &[(&str, Type)]) -> Result<Type, Problem> {
    Checker { text, parameters, locals: Vec::new() }.of(node)
}

struct Checker<'a> {
    text: &'a str,
    parameters: &'a [(&'a str, Type)],
    locals: Vec<Type>,
}

impl Checker<'_> {
    fn problem(&self, node: &Node, message: String) -> Problem {
        Problem::at(self.text, node.at, message)
    }

    fn of(&mut self, node: &Node) -> Result<Type, Problem> {
        Ok(match &node.kind {
            Kind::Literal(value) => literal(value),
            Kind::Parameter(place) => self.parameters.get(*place).map_or(Type::Any, |(_, kind)| kind.clone()),
            Kind::Local(place) => self.locals.get(*place).cloned().unwrap_or(Type::Any),
            Kind::Select(of, name) => self.select(node, of, name)?,
            Kind::Has(of, name) => {
                self.select(node, of, name)?;
                Type::Bool
            }
            Kind::Index(of, index) => self.index(node, of, index)?,
            Kind::Not(of) => {
                self.bool(of, "!")?;
                Type::Bool
            }
            Kind::Negate(of) => match self.of(of)? {
                found @ (Type::Any | Type::Int | Type::Double) => found,
                found => return Err(self.problem(node, format!("`-` cannot negate {}", found.named()))),
            },
            Kind::All(parts) => self.bools(parts, "&&")?,
            Kind::Any(parts) => self.bools(parts, "||")?,
            Kind::Choose(condition, yes, no) => {
                self.bool(condition, "?")?;
                Type::join([self.of(yes)?, self.of(no)?].into_iter())
            }
            Kind::Binary(operator, left, right) => {
                let (left, right) = (self.of(left)?, self.of(right)?);
                self.binary(node, *operator, &left, &right)?
            }
            Kind::List(parts) => {
                let types = parts.iter().map(|part| self.of(part)).collect::<Result<Vec<_>, _>>()?;
                Type::List(Type::join(types.into_iter()).into())
            }
            Kind::Map(entries) => self.map(entries)?,
            Kind::Call(function, arguments) => {
                let types = arguments.iter().map(|part| self.of(part)).collect::<Result<Vec<_>, _>>()?;
                self.call(node, *function, &types)?
            }
            Kind::Matches(of, _) => {
                let found = self.of(of)?;
                self.call(node, Function::Matches, &[found, Type::Text])?
            }
            Kind::Fold(fold) => self.fold(fold)?,
        })
    }

    fn bools(&mut self, parts: &[Node], operator: &str) -> Result<Type, Problem> {
        parts.iter().try_for_each(|part| self.bool(part, operator))?;
        Ok(Type::Bool)
    }

    fn bool(&mut self, node: &Node, operator: &str) -> Result<(), Problem> {
        let found = self.of(node)?;
        if found.is(&Type::Bool) {
            return Ok(());
        }
        Err(self.problem(node, format!("`{operator}` needs a bool, but this is {}", found.named())))
    }

    fn select(&mut self, node: &Node, of: &Node, name: &str) -> Result<Type, Problem> {
        match self.of(of)? {
            Type::Any => Ok(Type::Any),
            Type::Map(key, value) if key.is(&Type::Text) => Ok(*value),
            found => Err(self.problem(node, format!("`.{name}` needs a map, but this is {}", found.named()))),
        }
    }

    fn index(&mut self, node: &Node, of: &Node, index: &Node) -> Result<Type, Problem> {
        let (of, index) = (self.of(of)?, self.of(index)?);
        match of {
            Type::Any => Ok(Type::Any),
            Type::List(element) if index == Type::Any || index.is_number() => Ok(*element),
            Type::Map(key, value) if index.comparable(&key) => Ok(*value),
            Type::List(_) => {
                Err(self.problem(node, format!("a list's index is an int, not {}", index.named())))
            }
            Type::Map(key, _) => {
                let message = format!("this map's keys are {}, not {}", key.named(), index.named());
                Err(self.problem(node, message))
            }
            found => {
                Err(self
                    .problem(node, format!("`[...]` needs a list or a map, but this is {}", found.named())))
            }
        }
    }

    fn map(&mut self, entries: &[(Node, Node)]) -> Result<Type, Problem> {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            let found = self.of(key)?;
            if !matches!(found, Type::Any | Type::Bool | Type::Int | Type::Uint | Type::Text) {
                return Err(self.problem(key, format!("a map's key cannot be {}", found.named())));
            }
            keys.push(found);
            values.push(self.of(value)?);
        }
        Ok(Type::Map(Type::join(keys.into_iter()).into(), Type::join(values.into_iter()).into()))
    }

    fn fold(&mut self, fold: &Fold) -> Result<Type, Problem> {
        let element = match self.of(&fold.range)? {
            Type::Any => Type::Any,
            Type::List(element) => *element,
            Type::Map(key, _) => *key,
            found => {
                let message = format!("a macro runs over a list or a map, but this is {}", found.named());
                return Err(self.problem(&fold.range, message));
            }
        };
        self.locals.push(element.clone());
        let inside = self.fold_inside(fold);
        self.locals.pop();
        let value = inside?;
        Ok(match fold.macro_ {
            Macro::All | Macro::Exists | Macro::ExistsOne => Type::Bool,
            Macro::Filter => Type::List(element.into()),
            Macro::Map => Type::List(value.into()),
        })
    }

    fn fold_inside(&mut self, fold: &Fold) -> Result<Type, Problem> {
        if let Some(test) = &fold.test {
            let found = self.of(test)?;
            if !found.is(&Type::Bool) {
                let message = format!("the test of a macro must be a bool, but this is {}", found.named());
                return Err(self.problem(test, message));
            }
        }
        fold.value.as_ref().map_or(Ok(Type::Any), |value| self.of(value))
    }

    fn binary(&self, node: &Node, operator: Operator, left: &Type, right: &Type) -> Result<Type, Problem> {
        use Operator as Op;
        let found = match operator {
            Op::Equal | Op::NotEqual => left.comparable(right).then_some(Type::Bool),
            Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual => {
                ordered(left, right).then_some(Type::Bool)
            }
            Op::In => contained(left, right).then_some(Type::Bool),
            Op::Add => sum(left, right),
            Op::Subtract => difference(left, right),
            Op::Multiply | Op::Divide => same(left, right, &[Type::Int, Type::Uint, Type::Double]),
            Op::Remainder => same(left, right, &[Type::Int, Type::Uint]),
        };
        found.ok_or_else(|| {
            let operator = operator.text();
            let message = format!("`{operator}` cannot take {} and {}", left.named(), right.named());
            self.problem(node, message)
        })
    }

    fn call(&self, node: &Node, function: Function, arguments: &[Type]) -> Result<Type, Problem> {
        let first = arguments.first().unwrap_or(&Type::Any);
        let second = arguments.get(1).unwrap_or(&Type::Any);
        let known = |types: &[Type]| *first == Type::Any || types.contains(first);
        let text = known(&[Type::Text]) && second.is(&Type::Text);
        let zoned = second.is(&Type::Text);
        use Function as F;
        let found = match function {
            F::Size => {
                matches!(first, Type::Any | Type::Text | Type::List(_) | Type::Map(..)).then_some(Type::Int)
            }
            F::Contains | F::StartsWith | F::EndsWith | F::Matches => text.then_some(Type::Bool),
            F::InCidr => (known(&[Type::Address]) && second.is(&Type::Text)).then_some(Type::Bool),
            F::Bool => known(&[Type::Bool, Type::Text]).then_some(Type::Bool),
            F::Int => known(&[Type::Int, Type::Uint, Type::Double, Type::Text, Type::Timestamp])
                .then_some(Type::Int),
            F::Uint => known(&[Type::Int, Type::Uint, Type::Double, Type::Text]).then_some(Type::Uint),
            F::Double => known(&[Type::Int, Type::Uint, Type::Double, Type::Text]).then_some(Type::Double),
            F::Text => (!matches!(first, Type::Null | Type::List(_) | Type::Map(..))).then_some(Type::Text),
            F::Duration => known(&[Type::Text, Type::Duration]).then_some(Type::Duration),
            F::Timestamp => known(&[Type::Text, Type::Timestamp, Type::Int]).then_some(Type::Timestamp),
            F::Address => known(&[Type::Text, Type::Address]).then_some(Type::Address),
            F::Dyn => Some(Type::Any),
            F::Hours | F::Minutes | F::Seconds | F::Milliseconds => {
                let plain = *first == Type::Duration && arguments.len() == 1;
                (plain || (known(&[Type::Timestamp]) && zoned)).then_some(Type::Int)
            }
            F::FullYear | F::Month | F::DayOfYear | F::DayOfMonth | F::Date | F::DayOfWeek => {
                (known(&[Type::Timestamp]) && zoned).then_some(Type::Int)
            }
        };
        found.ok_or_else(|| {
            let types: Vec<_> = arguments.iter().map(Type::named).collect();
            self.problem(node, format!("`{}` cannot take {}", function.name(), types.join(" and ")))
        })
    }
}

fn literal(value: &Val) -> Type {
    match value {
        Val::Null => Type::Null,
        Val::Bool(_) => Type::Bool,
        Val::Int(_) => Type::Int,
        Val::Uint(_) => Type::Uint,
        Val::Double(_) => Type::Double,
        Val::Text(_) => Type::Text,
        _ => Type::Any,
    }
}

fn ordered(left: &Type, right: &Type) -> bool {
    let has_order = |kind: &Type| {
        kind.is_number()
            || matches!(kind, Type::Any | Type::Bool | Type::Text | Type::Duration | Type::Timestamp)
    };
    has_order(left) && has_order(right) && left.comparable(right)
}

fn contained(left: &Type, right: &Type) -> bool {
    match right {
        Type::Any => true,
        Type::List(element) => left.comparable(element),
        Type::Map(key, _) => left.comparable(key),
        _ => false,
    }
}

/// The type that both are, if it is one of these.
fn same(left: &Type, right: &Type, types: &[Type]) -> Option<Type> {
    match (left, right) {
        (Type::Any, Type::Any) => Some(Type::Any),
        (Type::Any, known) | (known, Type::Any) => types.contains(known).then(|| known.clone()),
        _ => (left == right && types.contains(left)).then(|| left.clone()),
    }
}

fn sum(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (Type::List(a), Type::List(b)) => {
            Some(Type::List(Type::join([(**a).clone(), (**b).clone()].into_iter()).into()))
        }
        (Type::List(_), Type::Any) | (Type::Any, Type::List(_)) => Some(Type::List(Type::Any.into())),
        (Type::Timestamp, Type::Duration | Type::Any) | (Type::Duration | Type::Any, Type::Timestamp) => {
            Some(Type::Timestamp)
        }
        (Type::Duration, Type::Any) | (Type::Any, Type::Duration) => Some(Type::Any),
        _ => same(left, right, &[Type::Int, Type::Uint, Type::Double, Type::Text, Type::Duration]),
    }
}

fn difference(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (Type::Timestamp, Type::Timestamp) => Some(Type::Duration),
        (Type::Timestamp, Type::Duration) => Some(Type::Timestamp),
        (Type::Timestamp, Type::Any) | (Type::Any, Type::Duration) => Some(Type::Any),
        (Type::Any, Type::Timestamp) => Some(Type::Duration),
        _ => same(left, right, &[Type::Int, Type::Uint, Type::Double, Type::Duration]),
    }
}
