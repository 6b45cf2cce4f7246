//! The types of parameters, and how the values of a question become values of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::cel::{Budget, Key, List, Map, Stop, Type, Val};
use super::time::{Timestamp, parse_duration};
use crate::value::{Properties, Value};

/// The type of a parameter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ParameterType {
    /// `bool`
    Bool,
    /// `string`
    Text,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `duration`, given as text such as `1h30m`
    Duration,
    /// `timestamp`, given as text in RFC 3339
    Timestamp,
    /// `ipaddress`, given as text
    Address,
    /// `list<T>`
    List(Box<ParameterType>),
    /// `map<T>`, by text keys
    Map(Box<ParameterType>),
    /// `any`
    Any,
}

const SIMPLE: [(&str, ParameterType); 9] = [
    ("bool", ParameterType::Bool),
    ("string", ParameterType::Text),
    ("int", ParameterType::Int),
    ("uint", ParameterType::Uint),
    ("double", ParameterType::Double),
    ("duration", ParameterType::Duration),
    ("timestamp", ParameterType::Timestamp),
    ("ipaddress", ParameterType::Address),
    ("any", ParameterType::Any),
];

impl ParameterType {
    /// The type with this name, if it is one that holds no other type.
    pub(crate) fn simple(name: &str) -> Option<Self> {
        SIMPLE.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind.clone())
    }

    /// Its name without the type that it holds.
    pub(crate) fn base(&self) -> &'static str {
        match self {
            Self::List(_) => "list",
            Self::Map(_) => "map",
            simple => SIMPLE.iter().find(|(_, kind)| kind == simple).map_or("any", |(name, _)| name),
        }
    }

    /// The type that a list or a map holds.
    pub(crate) fn inner(&self) -> Option<&Self> {
        match self {
            Self::List(inner) | Self::Map(inner) => Some(inner),
            _ => None,
        }
    }

    pub(super) fn expression_type(&self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Text => Type::Text,
            Self::Int => Type::Int,
            Self::Uint => Type::Uint,
            Self::Double => Type::Double,
            Self::Duration => Type::Duration,
            Self::Timestamp => Type::Timestamp,
            Self::Address => Type::Address,
            Self::List(inner) => Type::List(inner.expression_type().into()),
            Self::Map(inner) => Type::Map(Type::Text.into(), inner.expression_type().into()),
            Self::Any => Type::Any,
        }
    }

    /// A given value as one of this type: times and addresses from text, numbers also from text.
    pub(super) fn convert(&self, value: &Value, budget: &mut Budget) -> Result<Val, Stop> {
        let converted = match (self, value) {
            (Self::Any, value) => Some(value.into()),
            (Self::Bool, Value::Bool(value)) => Some(Val::Bool(*value)),
            (Self::Text, Value::Text(text)) => Some(Val::Text(text.clone())),
            (Self::Int | Self::Uint | Self::Double, value) => self.number(value),
            (Self::Duration, Value::Text(text)) => parse_duration(text).map(Val::Duration),
            (Self::Timestamp, Value::Text(text)) => Timestamp::parse(text).map(Val::Timestamp),
            (Self::Address, Value::Text(text)) => text.parse().map(Val::Address).ok(),
            (Self::List(inner), Value::List(values)) => return inner.convert_list(values, budget),
            (Self::Map(inner), Value::Map(map)) => return inner.convert_map(map, budget),
            _ => None,
        };
        converted.ok_or_else(|| {
            Stop::Failed(format!("must be {}, but it is {}", self.expression_type().named(), kind_of(value)))
        })
    }

    fn number(&self, value: &Value) -> Option<Val> {
        if let Value::Text(text) = value {
            let text = text.trim();
            let parsed = match (text.parse::<i64>(), text.parse::<u64>(), text.parse::<f64>()) {
                (Ok(int), _, _) => Value::Int(int),
                (_, Ok(uint), _) => Value::Uint(uint),
                (_, _, Ok(double)) if double.is_finite() => Value::Double(double),
                _ => return None,
            };
            return self.number(&parsed);
        }
        let whole = match value {
            Value::Int(int) => Some(i128::from(*int)),
            Value::Uint(uint) => Some(i128::from(*uint)),
            Value::Double(double) => {
                (double.fract() == 0.0 && double.abs() < 1e30).then_some(*double as i128)
            }
            _ => None,
        };
        match self {
            Self::Int => i64::try_from(whole?).map(Val::Int).ok(),
            Self::Uint => u64::try_from(whole?).map(Val::Uint).ok(),
            _ => Some(Val::Double(match value {
                Value::Double(double) => *double,
                _ => whole? as f64,
            })),
        }
    }

    fn convert_list(&self, values: &Arc<[Value]>, budget: &mut Budget) -> Result<Val, Stop> {
        if *self == Self::Any {
            return Ok(Val::List(List::Given(values.clone())));
        }
        budget.spend_on(values.len())?;
        let converted = values.iter().map(|value| self.convert(value, budget)).collect::<Result<Vec<_>, _>>();
        converted.map(Val::list).map_err(|stop| prefix(stop, "an element "))
    }

    fn convert_map(&self, map: &Properties, budget: &mut Budget) -> Result<Val, Stop> {
        if *self == Self::Any {
            return Ok(Val::Map(Map::Given(map.clone())));
        }
        budget.spend(map.len())?;
        let mut made = BTreeMap::new();
        for (name, value) in map.iter() {
            budget.spend_on(name.len())?;
            let value = self.convert(value, budget).map_err(|stop| prefix(stop, &format!("`{name}` ")))?;
            made.insert(Key::Text(name.into()), value);
        }
        Ok(Val::Map(Map::Made(Arc::new(made))))
    }
}

/// Says first what an error is about.
pub(super) fn prefix(stop: Stop, about: &str) -> Stop {
    match stop {
        Stop::Failed(message) => Stop::Failed(format!("{about}{message}")),
        other => other,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Int(_) | Value::Uint(_) | Value::Double(_) => "a number that does not fit",
        Value::Text(_) => "a text that does not fit",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

/// As in a schema: `list<string>`.
impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base())?;
        self.inner().map_or(Ok(()), |inner| write!(f, "<{inner}>"))
    }
}
