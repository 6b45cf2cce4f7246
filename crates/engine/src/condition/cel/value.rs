//! The values of expressions.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::condition::time::Timestamp;
use crate::value::{Properties, Value};

/// A value. Lists and maps that came from outside are read where they lie.
#[derive(Clone, Debug)]
pub(crate) enum Val {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Arc<str>),
    /// Nanoseconds.
    Duration(i64),
    Timestamp(Timestamp),
    Address(IpAddr),
    List(List),
    Map(Map),
}

#[derive(Clone, Debug)]
pub(crate) enum List {
    Made(Arc<[Val]>),
    Given(Arc<[Value]>),
}

#[derive(Clone, Debug)]
pub(crate) enum Map {
    Made(Arc<BTreeMap<Key, Val>>),
    Given(Properties),
}

/// A map's key. Keys are equal as numbers are: `1` and `1u` are one key.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Text(Arc<str>),
}

impl Key {
    fn rank(&self) -> (u8, i128) {
        match self {
            Self::Bool(value) => (0, i128::from(*value)),
            Self::Int(value) => (1, i128::from(*value)),
            Self::Uint(value) => (1, i128::from(*value)),
            Self::Text(_) => (2, 0),
        }
    }

    pub(crate) fn val(&self) -> Val {
        match self {
            Self::Bool(value) => Val::Bool(*value),
            Self::Int(value) => Val::Int(*value),
            Self::Uint(value) => Val::Uint(*value),
            Self::Text(text) => Val::Text(text.clone()),
        }
    }

    /// The key that a value is, if it can be one. A whole `double` is looked for as the integer that it is.
    pub(crate) fn of(value: &Val) -> Option<Self> {
        match value {
            Val::Bool(value) => Some(Self::Bool(*value)),
            Val::Int(value) => Some(Self::Int(*value)),
            Val::Uint(value) => Some(Self::Uint(*value)),
            Val::Text(text) => Some(Self::Text(text.clone())),
            _ => None,
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

impl From<&Value> for Val {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Uint(value) => Self::Uint(*value),
            Value::Double(value) => Self::Double(*value),
            Value::Text(text) => Self::Text(text.clone()),
            Value::List(values) => Self::List(List::Given(values.clone())),
            Value::Map(map) => Self::Map(Map::Given(map.clone())),
        }
    }
}

impl Val {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn list(values: Vec<Self>) -> Self {
        Self::List(List::Made(values.into()))
    }

    /// What messages call its type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Duration(_) => "duration",
            Self::Timestamp(_) => "timestamp",
            Self::Address(_) => "ipaddress",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// How two values are ordered: none if they are not comparable.
    pub(crate) fn order(&self, other: &Self) -> Option<Order> {
        let ordering = match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Duration(a), Self::Duration(b)) => a.cmp(b),
            (Self::Timestamp(a), Self::Timestamp(b)) => a.cmp(b),
            _ => return self.order_numbers(other),
        };
        Some(Order::Is(ordering))
    }

    fn order_numbers(&self, other: &Self) -> Option<Order> {
        let whole = |value: &Self| match value {
            Self::Int(value) => Some(i128::from(*value)),
            Self::Uint(value) => Some(i128::from(*value)),
            _ => None,
        };
        Some(match (self, other) {
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b).map_or(Order::NotANumber, Order::Is),
            (Self::Double(a), _) => order_mixed(*a, whole(other)?),
            (_, Self::Double(b)) => order_mixed(*b, whole(self)?).reverse(),
            _ => Order::Is(whole(self)?.cmp(&whole(other)?)),
        })
    }
}

/// How two comparable values are ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Is(Ordering),
    /// One of them is no number, which is neither less nor equal nor greater.
    NotANumber,
}

impl Order {
    fn reverse(self) -> Self {
        match self {
            Self::Is(ordering) => Self::Is(ordering.reverse()),
            Self::NotANumber => Self::NotANumber,
        }
    }
}

/// Orders a double and a whole number exactly.
fn order_mixed(double: f64, whole: i128) -> Order {
    if double.is_nan() {
        return Order::NotANumber;
    }
    // Beyond 65 bits the double is greater or less than any whole number here.
    const BOUND: f64 = 36_893_488_147_419_103_232.0;
    if double.abs() >= BOUND {
        return Order::Is(if double > 0.0 { Ordering::Greater } else { Ordering::Less });
    }
    let floor = double.floor();
    let order = (floor as i128).cmp(&whole);
    Order::Is(if order.is_eq() && double > floor { Ordering::Greater } else { order })
}

impl List {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Made(values) => values.len(),
            Self::Given(values) => values.len(),
        }
    }

    pub(crate) fn get(&self, at: usize) -> Option<Val> {
        match self {
            Self::Made(values) => values.get(at).cloned(),
            Self::Given(values) => values.get(at).map(Val::from),
        }
    }
}

impl Map {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Made(entries) => entries.len(),
            Self::Given(entries) => entries.len(),
        }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Val> {
        match (self, key) {
            (Self::Made(entries), key) => entries.get(key).cloned(),
            (Self::Given(entries), Key::Text(name)) => entries.get(name).map(Val::from),
            (Self::Given(_), _) => None,
        }
    }

    /// The keys, in order.
    pub(crate) fn keys(&self) -> Vec<Val> {
        match self {
            Self::Made(entries) => entries.keys().map(Key::val).collect(),
            Self::Given(entries) => entries.iter().map(|(name, _)| Val::text(name)).collect(),
        }
    }

    /// The entries, in order of the keys.
    pub(crate) fn entries(&self) -> Vec<(Key, Val)> {
        match self {
            Self::Made(entries) => entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            Self::Given(entries) => {
                entries.iter().map(|(name, value)| (Key::Text(name.into()), value.into())).collect()
            }
        }
    }
}
