//! Which value a name of a condition has.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::cel::{Budget, Found, Key, Map, Names, Stop, Val};
use super::parameter::prefix;
use super::{ConditionDefinition, Inputs, ParameterType};
use crate::explain::{PropertySource, PropertyUse};
use crate::value::{Properties, Value};

/// The names of one evaluation.
pub(super) struct Resolver<'a> {
    inputs: &'a Inputs<'a>,
    parameters: Vec<Parameter<'a>>,
    /// Where each value that was read came from, if somebody wants to know.
    pub(super) uses: Option<Vec<PropertyUse>>,
}

struct Parameter<'a> {
    name: &'a str,
    kind: &'a ParameterType,
    /// Of one that is a map of named properties.
    layered: Option<Layered<'a>>,
    /// The value, once it was asked for.
    known: Option<Val>,
}

/// The values by name, the strongest first.
#[derive(Clone, Copy)]
struct Layered<'a> {
    layers: [(&'a Properties, PropertySource); 3],
    /// The type of each.
    kind: &'a ParameterType,
}

impl<'a> Layered<'a> {
    fn get(&self, name: &str) -> Option<(&'a Value, PropertySource)> {
        self.layers.iter().find_map(|(layer, source)| layer.get(name).map(|value| (value, *source)))
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn new(definition: &'a ConditionDefinition, inputs: &'a Inputs<'a>) -> Self {
        let parameters = definition
            .parameters()
            .map(|(name, kind)| Parameter { name, kind, layered: layered(inputs, name, kind), known: None })
            .collect();
        Self { inputs, parameters, uses: None }
    }

    fn note(&mut self, name: String, source: PropertySource) {
        if let Some(uses) = &mut self.uses {
            uses.push(PropertyUse { name, source });
        }
    }

    /// A layered parameter as one map.
    fn merged(&mut self, name: &str, layered: Layered<'a>, budget: &mut Budget) -> Result<Val, Stop> {
        let mut merged = BTreeMap::new();
        for (layer, source) in layered.layers {
            for (key, value) in layer.iter() {
                budget.spend(1)?;
                budget.spend_on(key.len())?;
                if let Entry::Vacant(place) = merged.entry(Key::Text(key.into())) {
                    let value = layered.kind.convert(value, budget);
                    place.insert(value.map_err(|stop| prefix(stop, &format!("`{name}.{key}` ")))?);
                    self.note(format!("{name}.{key}"), source);
                }
            }
        }
        Ok(Val::Map(Map::Made(Arc::new(merged))))
    }
}

/// The layers of the maps that every question has; other parameters have none.
fn layered<'a>(inputs: &Inputs<'a>, name: &str, kind: &'a ParameterType) -> Option<Layered<'a>> {
    let ParameterType::Map(kind) = kind else { return None };
    let none = Properties::EMPTY;
    let (request, stored) = match name {
        "subject" => (inputs.subject.request, inputs.subject.stored),
        "action" => (inputs.action.request, inputs.action.stored),
        "resource" => (inputs.resource.request, inputs.resource.stored),
        "context" => (inputs.context, none),
        _ => return None,
    };
    let own = match inputs.relationship.get(name) {
        Some(Value::Map(map)) => map,
        _ => none,
    };
    use PropertySource as Source;
    let layers = [(own, Source::Relationship), (request, Source::Request), (stored, Source::Stored)];
    Some(Layered { layers, kind })
}

impl Names for Resolver<'_> {
    fn is_layered(&self, parameter: usize) -> bool {
        self.parameters.get(parameter).is_some_and(|parameter| parameter.layered.is_some())
    }

    fn parameter(&mut self, place: usize, budget: &mut Budget) -> Result<Found, Stop> {
        let Some(Parameter { name, kind, layered, known }) = self.parameters.get(place) else {
            return Ok(Found::Missing(String::new()));
        };
        if let Some(value) = known {
            return Ok(Found::Value(value.clone()));
        }
        let (name, kind) = (*name, *kind);
        let value = if let Some(layered) = *layered {
            self.merged(name, layered, budget)?
        } else {
            let own = self.inputs.relationship.get(name).map(|value| (value, PropertySource::Relationship));
            let asked = || self.inputs.context.get(name).map(|value| (value, PropertySource::Request));
            let Some((value, source)) = own.or_else(asked) else {
                return Ok(Found::Missing(name.to_owned()));
            };
            self.note(name.to_owned(), source);
            kind.convert(value, budget).map_err(|stop| prefix(stop, &format!("`{name}` ")))?
        };
        if let Some(parameter) = self.parameters.get_mut(place) {
            parameter.known = Some(value.clone());
        }
        Ok(Found::Value(value))
    }

    fn property(&mut self, place: usize, name: &str, budget: &mut Budget) -> Result<Option<Val>, Stop> {
        let Some((of, layered)) = self.parameters.get(place).and_then(|p| Some((p.name, p.layered?))) else {
            return Ok(None);
        };
        let Some((value, source)) = layered.get(name) else { return Ok(None) };
        self.note(format!("{of}.{name}"), source);
        let value = layered.kind.convert(value, budget);
        value.map(Some).map_err(|stop| prefix(stop, &format!("`{of}.{name}` ")))
    }

    fn has(&mut self, place: usize, name: &str) -> bool {
        let Some((of, layered)) = self.parameters.get(place).and_then(|p| Some((p.name, p.layered?))) else {
            return false;
        };
        let found = layered.get(name);
        if let Some((_, source)) = found {
            self.note(format!("{of}.{name}"), source);
        }
        found.is_some()
    }

    fn missing(&self, place: usize, name: &str) -> String {
        let of = self.parameters.get(place).map_or("", |parameter| parameter.name);
        format!("{of}.{name}")
    }
}
