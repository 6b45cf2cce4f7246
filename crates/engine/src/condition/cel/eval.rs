//! Evaluation, three-valued: a value, an error, or what it depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::syntax::{Kind, Node, Operator};
use super::value::{Key, Map, Val};
use super::{Names, Stop};

/// How many steps are left.
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn new(steps: usize) -> Self {
        Self(steps)
    }

    /// Takes so many steps.
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Stop> {
        self.0 = self.0.checked_sub(steps).ok_or(Stop::Exhausted)?;
        Ok(())
    }

    /// Takes the steps for so many bytes or elements.
    pub(crate) fn spend_on(&mut self, size: usize) -> Result<(), Stop> {
        self.spend(size / 16)
    }
}

/// What is known of a parameter.
pub(crate) enum Found {
    Value(Val),
    /// Nothing; this is its name.
    Missing(String),
}

pub(super) struct Evaluation<'a> {
    pub(super) names: &'a mut dyn Names,
    pub(super) budget: &'a mut Budget,
    /// The values of the variables of the macros that are open.
    pub(super) locals: Vec<Val>,
}

pub(super) fn failed<T>(message: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(message.into()))
}

fn missing<T>(name: String) -> Result<T, Stop> {
    Err(Stop::Missing(BTreeSet::from([name])))
}

/// What several parts come to that are all needed: an error is one whatever is not known.
#[derive(Default)]
pub(super) struct Pending {
    failed: Option<String>,
    missing: BTreeSet<String>,
}

impl Pending {
    /// Notes why a part has no value. What has no end ends everything.
    pub(super) fn note(&mut self, stop: Stop) -> Result<(), Stop> {
        match stop {
            Stop::Missing(names) => self.missing.extend(names),
            Stop::Failed(message) => {
                self.failed.get_or_insert(message);
            }
            Stop::Exhausted => return Err(stop),
        }
        Ok(())
    }

    /// For parts that are all needed.
    pub(super) fn strict(self) -> Result<(), Stop> {
        match self.failed {
            Some(message) => Err(Stop::Failed(message)),
            None if self.missing.is_empty() => Ok(()),
            None => Err(Stop::Missing(self.missing)),
        }
    }

    /// For parts of which any could settle it: what is not known may still do so in spite of an error.
    pub(super) fn open(self) -> Result<(), Stop> {
        match self.failed {
            Some(message) if self.missing.is_empty() => Err(Stop::Failed(message)),
            _ if self.missing.is_empty() => Ok(()),
            _ => Err(Stop::Missing(self.missing)),
        }
    }
}

impl Evaluation<'_> {
    pub(super) fn value(&mut self, node: &Node) -> Result<Val, Stop> {
        self.budget.spend(1)?;
        match &node.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Parameter(place) => match self.names.parameter(*place, self.budget)? {
                Found::Value(value) => Ok(value),
                Found::Missing(name) => missing(name),
            },
            Kind::Local(place) => Ok(self.locals.get(*place).cloned().unwrap_or(Val::Null)),
            Kind::Select(of, name) => self.field(of, name),
            Kind::Has(of, name) => self.has(of, name),
            Kind::Index(of, index) => self.index(of, index),
            Kind::Not(of) => Ok(Val::Bool(!self.bool(of)?)),
            Kind::Negate(of) => match self.value(of)? {
                Val::Int(value) => {
                    value.checked_neg().map_or_else(|| failed("integer overflow"), |v| Ok(Val::Int(v)))
                }
                Val::Double(value) => Ok(Val::Double(-value)),
                other => failed(format!("`-` cannot negate a {}", other.type_name())),
            },
            Kind::All(parts) => self.settled_by(false, parts.iter(), Self::bool).map(Val::Bool),
            Kind::Any(parts) => self.settled_by(true, parts.iter(), Self::bool).map(Val::Bool),
            Kind::Choose(condition, yes, no) => {
                let branch = if self.bool(condition)? { yes } else { no };
                self.value(branch)
            }
            Kind::Binary(Operator::In, left, right) => self.contained(left, right),
            Kind::Binary(operator, left, right) => {
                let (left, right) = self.pair(left, right)?;
                self.binary(*operator, &left, &right)
            }
            Kind::List(parts) => self.each(parts).map(Val::list),
            Kind::Map(entries) => self.map(entries),
            Kind::Call(function, arguments) => {
                let arguments = self.each(arguments)?;
                self.call(*function, &arguments)
            }
            Kind::Matches(of, pattern) => match self.value(of)? {
                Val::Text(text) => {
                    self.budget.spend(pattern.cost(text.len()))?;
                    Ok(Val::Bool(pattern.is_match(&text)))
                }
                other => failed(format!("`matches` cannot take a {}", other.type_name())),
            },
            Kind::Fold(fold) => self.fold(fold),
        }
    }

    pub(super) fn bool(&mut self, node: &Node) -> Result<bool, Stop> {
        match self.value(node)? {
            Val::Bool(value) => Ok(value),
            other => failed(format!("a bool is needed, but this is a {}", other.type_name())),
        }
    }

    /// `settling` if any part comes to it, whatever the others do; its opposite if all come to that.
    pub(super) fn settled_by<T>(
        &mut self,
        settling: bool,
        parts: impl Iterator<Item = T>,
        mut value: impl FnMut(&mut Self, T) -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        let mut pending = Pending::default();
        for part in parts {
            match value(self, part) {
                Ok(found) if found == settling => return Ok(settling),
                Ok(_) => {}
                Err(stop) => pending.note(stop)?,
            }
        }
        pending.open()?;
        Ok(!settling)
    }

    fn pair(&mut self, left: &Node, right: &Node) -> Result<(Val, Val), Stop> {
        match (self.value(left), self.value(right)) {
            (Ok(left), Ok(right)) => Ok((left, right)),
            (left, right) => {
                let mut pending = Pending::default();
                for stop in [left.err(), right.err()].into_iter().flatten() {
                    pending.note(stop)?;
                }
                pending.strict()?;
                failed("no value")
            }
        }
    }

    fn each(&mut self, nodes: &[Node]) -> Result<Vec<Val>, Stop> {
        let mut pending = Pending::default();
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            match self.value(node) {
                Ok(value) => values.push(value),
                Err(stop) => pending.note(stop)?,
            }
        }
        pending.strict()?;
        Ok(values)
    }

    /// The place of a layered parameter, if that is what the node is.
    fn layered(&self, node: &Node) -> Option<usize> {
        match node.kind {
            Kind::Parameter(place) if self.names.is_layered(place) => Some(place),
            _ => None,
        }
    }

    fn field(&mut self, of: &Node, name: &str) -> Result<Val, Stop> {
        if let Some(place) = self.layered(of) {
            return self.property(place, name);
        }
        match self.value(of)? {
            Val::Map(map) => {
                let found = map.get(&Key::Text(name.into()));
                found.map_or_else(|| failed(format!("there is no key `{name}`")), Ok)
            }
            other => failed(format!("`.{name}` needs a map, but this is a {}", other.type_name())),
        }
    }

    fn property(&mut self, place: usize, name: &str) -> Result<Val, Stop> {
        match self.names.property(place, name, self.budget)? {
            Some(value) => Ok(value),
            None => {
                self.budget.spend_on(name.len())?;
                missing(self.names.missing(place, name))
            }
        }
    }

    fn has(&mut self, of: &Node, name: &str) -> Result<Val, Stop> {
        if let Some(place) = self.layered(of) {
            return Ok(Val::Bool(self.names.has(place, name)));
        }
        match self.value(of)? {
            Val::Map(map) => Ok(Val::Bool(map.get(&Key::Text(name.into())).is_some())),
            other => failed(format!("`has` needs a map, but this is a {}", other.type_name())),
        }
    }

    fn index(&mut self, of: &Node, index: &Node) -> Result<Val, Stop> {
        if let Some(place) = self.layered(of) {
            return match self.value(index)? {
                Val::Text(name) => self.property(place, &name),
                other => failed(format!("there is no key of type {}", other.type_name())),
            };
        }
        let (of, index) = self.pair(of, index)?;
        match &of {
            Val::List(list) => {
                let found = whole(&index).and_then(|at| usize::try_from(at).ok()).and_then(|at| list.get(at));
                found.map_or_else(|| failed("there is no element of this index"), Ok)
            }
            Val::Map(map) => {
                let found = key(&index).and_then(|key| map.get(&key));
                found.map_or_else(|| failed("there is no such key"), Ok)
            }
            other => failed(format!("`[...]` needs a list or a map, but this is a {}", other.type_name())),
        }
    }

    fn contained(&mut self, left: &Node, right: &Node) -> Result<Val, Stop> {
        if let Some(place) = self.layered(right) {
            return Ok(Val::Bool(match self.value(left)? {
                Val::Text(name) => self.names.has(place, &name),
                _ => false,
            }));
        }
        let (left, right) = self.pair(left, right)?;
        Ok(Val::Bool(match &right {
            Val::List(list) => {
                self.budget.spend_on(list.len())?;
                let mut found = false;
                for at in 0..list.len() {
                    let Some(element) = list.get(at) else { break };
                    if self.equal(&left, &element)? {
                        found = true;
                        break;
                    }
                }
                found
            }
            Val::Map(map) => key(&left).is_some_and(|key| map.get(&key).is_some()),
            other => {
                return failed(format!("`in` needs a list or a map, but this is a {}", other.type_name()));
            }
        }))
    }

    fn map(&mut self, entries: &[(Node, Node)]) -> Result<Val, Stop> {
        let mut pending = Pending::default();
        let mut made = BTreeMap::new();
        for (key_node, value_node) in entries {
            match self.pair(key_node, value_node) {
                Ok((key, value)) => match Key::of(&key) {
                    Some(key) if made.contains_key(&key) => {
                        pending.note(Stop::Failed("a map has the same key twice".to_owned()))?;
                    }
                    Some(key) => {
                        made.insert(key, value);
                    }
                    None => {
                        pending.note(Stop::Failed(format!("a map's key cannot be a {}", key.type_name())))?;
                    }
                },
                Err(stop) => pending.note(stop)?,
            }
        }
        pending.strict()?;
        Ok(Val::Map(Map::Made(Arc::new(made))))
    }
}

/// The key that a value asks for: a whole `double` asks for the integer that it is.
fn key(value: &Val) -> Option<Key> {
    match value {
        Val::Double(_) => {
            let whole = whole(value)?;
            i64::try_from(whole).map(Key::Int).or_else(|_| u64::try_from(whole).map(Key::Uint)).ok()
        }
        other => Key::of(other),
    }
}

/// The whole number that a value is.
fn whole(value: &Val) -> Option<i128> {
    match value {
        Val::Int(value) => Some(i128::from(*value)),
        Val::Uint(value) => Some(i128::from(*value)),
        Val::Double(value) => (value.fract() == 0.0 && value.abs() < 1e30).then_some(*value as i128),
        _ => None,
    }
}
