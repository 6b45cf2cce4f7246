//! Conditions: under which circumstances a relationship counts.

mod cel;
mod names;
mod parameter;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

pub use parameter::ParameterType;

pub(crate) use cel::Problem;

use crate::circumstances::Circumstances;
use crate::explain::PropertyUse;
use crate::value::Properties;
use cel::{Budget, Program, Stop};
use names::Resolver;

/// The most bytes that the name of a condition or of a parameter may have.
const MAX_NAME: usize = 64;

/// The most parameters that a condition may have.
const MAX_PARAMETERS: usize = 64;

/// The steps that it may take to look at one stored parameter.
const MAX_STORED: usize = cel::MAX_STEPS / 2;

/// A condition of the schema: `condition name(parameter: type, ...) { expression }`. A clone is cheap but for the names.
#[derive(Clone)]
pub struct ConditionDefinition {
    name: String,
    parameters: BTreeMap<String, ParameterType>,
    expression: String,
    program: Arc<Program>,
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

    /// A condition with the expression compiled.
    pub(crate) fn new(
        name: &str,
        parameters: BTreeMap<String, ParameterType>,
        expression: &str,
    ) -> Result<Self, Problem> {
        let is_name = |text: &str| {
            (1..=MAX_NAME).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        let is_identifier = |text: &str| {
            is_name(text) && !text.contains('-') && !text.starts_with(|c: char| c.is_ascii_digit())
        };
        if !is_name(name) {
            return Err(Problem::whole(
                "its name must be 1 to 64 of the characters A-Z a-z 0-9 _ -".to_owned(),
            ));
        }
        if parameters.is_empty() {
            return Err(Problem::whole("a condition has at least one parameter".to_owned()));
        }
        if parameters.len() > MAX_PARAMETERS {
            return Err(Problem::whole(format!("a condition has at most {MAX_PARAMETERS} parameters")));
        }
        if let Some(parameter) = parameters.keys().find(|parameter| !is_identifier(parameter)) {
            return Err(Problem::whole(format!(
                "`{parameter}` is no name of a parameter: use 1 to 64 of the characters A-Z a-z 0-9 _, a letter first"
            )));
        }
        let types: Vec<_> =
            parameters.iter().map(|(name, kind)| (name.as_str(), kind.expression_type())).collect();
        let program = Arc::new(Program::compile(expression, &types)?);
        Ok(Self { name: name.to_owned(), expression: expression.to_owned(), parameters, program })
    }

    /// Whether a relationship may have these parameters: each is declared and has its type. The error says which is not.
    pub fn admits(&self, parameters: &Properties) -> Result<(), String> {
        for (name, value) in parameters.iter() {
            let Some(kind) = self.parameters.get(name) else {
                let known: Vec<_> = self.parameters.keys().map(|name| format!("`{name}`")).collect();
                return Err(format!("it has no parameter `{name}`: declared are {}", known.join(", ")));
            };
            match kind.convert(value, &mut Budget::new(MAX_STORED)) {
                Ok(_) => {}
                Err(Stop::Failed(problem)) => return Err(format!("parameter `{name}` {problem}")),
                Err(_) => return Err(format!("parameter `{name}` is too large")),
            }
        }
        Ok(())
    }

    /// What it comes to with what is known. Never takes more than a bounded number of steps.
    #[must_use]
    pub fn evaluate(&self, inputs: &Inputs<'_>) -> Outcome {
        self.run(&mut Resolver::new(self, inputs))
    }

    /// Where each value that it reads comes from, in order of the names; what nobody has said is left out.
    #[must_use]
    pub fn uses(&self, inputs: &Inputs<'_>) -> Vec<PropertyUse> {
        let mut resolver = Resolver::new(self, inputs);
        resolver.uses = Some(Vec::new());
        let _ = self.run(&mut resolver);
        let mut uses = resolver.uses.unwrap_or_default();
        uses.sort_unstable();
        uses.dedup();
        uses
    }

    fn run(&self, names: &mut Resolver<'_>) -> Outcome {
        match self.program.holds(names) {
            Ok(true) => Outcome::Holds,
            Ok(false) => Outcome::Fails,
            Err(Stop::Missing(names)) => Outcome::Missing(names),
            Err(Stop::Failed(problem)) => Outcome::Broken(problem),
            Err(Stop::Exhausted) => Outcome::Broken(format!("it takes more than {} steps", cel::MAX_STEPS)),
        }
    }
}

impl PartialEq for ConditionDefinition {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.parameters, &self.expression)
            == (&other.name, &other.parameters, &other.expression)
    }
}

impl Eq for ConditionDefinition {}

/// As in a schema.
impl fmt::Display for ConditionDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "condition {}(", self.name)?;
        for (at, (name, kind)) in self.parameters.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name}: {kind}")?;
        }
        write!(f, ") {{\n  {}\n}}", self.expression)
    }
}

impl fmt::Debug for ConditionDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
