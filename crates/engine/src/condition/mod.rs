//! Conditions: under which circumstances a relationship counts.

use std::collections::{BTreeMap, BTreeSet};

use crate::circumstances::Circumstances;
use crate::explain::PropertyUse;
use crate::value::Properties;

/// A condition of the schema: `condition name(parameter: type, ...) { expression }`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConditionDefinition {
    name: String,
    parameters: BTreeMap<String, ParameterType>,
    expression: String,
}

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

/// What is known when a condition is evaluated. For each name the relationship wins over the request, and the request
/// over what is stored.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The parameters stored with the relationship.
    pub relationship: &'a Properties,
    /// The question's subject.
    pub subject: Layers<'a>,
    /// The question's action.
    pub action: Layers<'a>,
    /// The question's resource.
    pub resource: Layers<'a>,
    /// The request's context.
    pub context: &'a Properties,
}

/// What is known about one thing.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    /// What the request says.
    pub request: &'a Properties,
    /// What the realm has stored.
    pub stored: &'a Properties,
}

/// What a condition comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// It depends on these, which nobody has said: a parameter's name, or `resource.status`.
    Missing(BTreeSet<String>),
    /// It cannot be evaluated: a value has the wrong type, an expression failed or took too many steps.
    Broken(String),
}

impl ConditionDefinition {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its parameters, in order of their names.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &ParameterType)> {
        self.parameters.iter().map(|(name, kind)| (name.as_str(), kind))
    }

    /// The expression's text.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// What it comes to with what is known. Never takes more than a bounded number of steps.
    #[must_use]
    pub fn evaluate(&self, inputs: &Inputs<'_>) -> Outcome {
        let _ = inputs;
        Outcome::Broken("conditions cannot be evaluated yet".to_owned())
    }

    /// Where each value that it reads comes from, in order of the names; what nobody has said is left out.
    #[must_use]
    pub fn uses(&self, inputs: &Inputs<'_>) -> Vec<PropertyUse> {
        let _ = inputs;
        Vec::new()
    }
}

impl<'a> Inputs<'a> {
    /// What a relationship's condition sees in these circumstances, with the stored properties of subject and resource.
    #[must_use]
    pub fn new(
        relationship: &'a Properties,
        circumstances: &Circumstances<'a>,
        stored_subject: &'a Properties,
        stored_resource: &'a Properties,
    ) -> Self {
        Self {
            relationship,
            subject: Layers { request: circumstances.subject, stored: stored_subject },
            action: Layers { request: circumstances.action, stored: Properties::EMPTY },
            resource: Layers { request: circumstances.resource, stored: stored_resource },
            context: circumstances.context,
        }
    }
}
