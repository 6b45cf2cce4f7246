//! What a property, a parameter or a context holds: the values of JSON.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// A JSON value. An integer that fits is never a `Double`, so that equal values have equal texts.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above the greatest [`Value::Int`].
    Uint(u64),
    /// Any other number.
    Double(f64),
    /// A string.
    Text(Arc<str>),
    /// A list.
    List(Arc<[Value]>),
    /// An object.
    Map(Properties),
}

/// Values by name, in order of the names. A clone is cheap; nothing is allocated for none.
#[derive(Clone, Debug, Default)]
pub struct Properties(Option<Arc<BTreeMap<String, Value>>>);

/// Why a text is no JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a JSON object: {0}")]
pub struct NotProperties(String);

impl Properties {
    /// No values.
    pub const EMPTY: &'static Self = &Self(None);

    /// The value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Every name with its value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().flat_map(|values| values.iter()).map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |values| values.len())
    }
}

impl FromIterator<(String, Value)> for Properties {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        let values: BTreeMap<_, _> = values.into_iter().collect();
        Self((!values.is_empty()).then(|| Arc::new(values)))
    }
}

impl FromStr for Properties {
    type Err = NotProperties;

    /// Reads a JSON object; the empty text is the empty object.
    fn from_str(text: &str) -> Result<Self, NotProperties> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text)
            .map(Self::from)
            .map_err(|error| NotProperties(error.to_string()))
    }
}

impl From<serde_json::Map<String, serde_json::Value>> for Properties {
    fn from(map: serde_json::Map<String, serde_json::Value>) -> Self {
        map.into_iter().map(|(name, value)| (name, value.into())).collect()
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(int), _) => Self::Int(int),
                (None, Some(uint)) => Self::Uint(uint),
                (None, None) => Self::Double(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Self::Text(text.into()),
            Json::Array(values) => Self::List(values.into_iter().map(Self::from).collect()),
            Json::Object(map) => Self::Map(map.into()),
        }
    }
}

impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(int) => Self::from(*int),
            Value::Uint(uint) => Self::from(*uint),
            Value::Double(double) => Self::from(*double),
            Value::Text(text) => Self::String(text.to_string()),
            Value::List(values) => Self::Array(values.iter().map(Self::from).collect()),
            Value::Map(map) => Self::Object(map.into()),
        }
    }
}

impl From<&Properties> for serde_json::Map<String, serde_json::Value> {
    fn from(properties: &Properties) -> Self {
        properties.iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }
}

/// JSON, with the names in order.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        serde_json::Value::from(self).fmt(f)
    }
}

/// A JSON object, with the names in order.
impl fmt::Display for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        serde_json::Value::Object(self.into()).fmt(f)
    }
}

impl Value {
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::Uint(_) => 3,
            Self::Double(_) => 4,
            Self::Text(_) => 5,
            Self::List(_) => 6,
            Self::Map(_) => 7,
        }
    }
}

/// A total order, for sorting and look-up; not the one of conditions.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Uint(a), Self::Uint(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => a.cmp(b),
            (Self::Map(a), Self::Map(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Null => {}
            Self::Bool(value) => value.hash(state),
            Self::Int(int) => int.hash(state),
            Self::Uint(uint) => uint.hash(state),
            Self::Double(double) => double.to_bits().hash(state),
            Self::Text(text) => text.hash(state),
            Self::List(values) => values.hash(state),
            Self::Map(map) => map.hash(state),
        }
    }
}

impl Ord for Properties {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Properties {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Properties {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Properties {}

impl Hash for Properties {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.iter().for_each(|entry| entry.hash(state));
    }
}
