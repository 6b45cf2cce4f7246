//! Expressions in the Common Expression Language (CEL), compiled once and evaluated within bounds.
//!
//! What is not known stays unknown: an expression that depends on it says on what. The rest of the engine sees
//! [`Program`] and [`Names`] and nothing of the language.

mod arithmetic;
mod convert;
mod eval;
mod fold;
mod function;
mod lexer;
mod parser;
mod pattern;
mod syntax;
mod types;
mod value;

use std::collections::BTreeSet;

pub(super) use eval::{Budget, Found};
pub(super) use types::Type;
pub(super) use value::{Key, List, Map, Val};

/// How many steps an evaluation may take: parts of the expression looked at, elements visited, 16 bytes of text or 16
/// elements made or compared.
pub(super) const MAX_STEPS: usize = 10_000;

/// Why an expression cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    /// The line of the expression, from 1; none if it is about the whole.
    pub(crate) line: Option<usize>,
    /// What is wrong.
    pub(crate) message: String,
}

impl Problem {
    fn at(text: &str, at: usize, message: String) -> Self {
        let before = text.get(..at).unwrap_or_default();
        Self { line: Some(before.matches('\n').count() + 1), message }
    }

    pub(super) fn whole(message: String) -> Self {
        Self { line: None, message }
    }
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Program(syntax::Node);

/// What a parameter stands for in one evaluation.
pub(super) trait Names {
    /// Whether the parameter is a map of named properties: what is absent there is not known.
    fn is_layered(&self, parameter: usize) -> bool;

    /// The value of a parameter, or its name if it is not known. The error is a value of the wrong type.
    fn parameter(&mut self, parameter: usize, budget: &mut Budget) -> Result<Found, Stop>;

    /// The property of a layered parameter, if it is known.
    fn property(&mut self, parameter: usize, name: &str, budget: &mut Budget) -> Result<Option<Val>, Stop>;

    /// Whether a layered parameter has a property.
    fn has(&mut self, parameter: usize, name: &str) -> bool;

    /// What the missing property of a layered parameter is called.
    fn missing(&self, parameter: usize, name: &str) -> String;
}

/// Why an expression has no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// It depends on these names.
    Missing(BTreeSet<String>),
    /// It makes no sense with these values.
    Failed(String),
    /// It takes too many steps.
    Exhausted,
}

impl Program {
    /// Compiles an expression that comes to a `bool`. Each parameter has its name and its type.
    pub(super) fn compile(text: &str, parameters: &[(&str, Type)]) -> Result<Self, Problem> {
        let names: Vec<_> = parameters.iter().map(|(name, _)| *name).collect();
        let node = parser::parse(text, &names)?;
        let found = types::of(text, &node, parameters)?;
        if matches!(found, Type::Bool | Type::Any) {
            return Ok(Self(node));
        }
        Err(Problem::whole(format!("the expression must come to a bool, but it comes to {}", found.named())))
    }

    /// Whether the expression holds.
    pub(super) fn holds(&self, names: &mut dyn Names) -> Result<bool, Stop> {
        let mut budget = Budget::new(MAX_STEPS);
        let mut evaluation = eval::Evaluation { names, budget: &mut budget, locals: Vec::new() };
        match evaluation.value(&self.0)? {
            Val::Bool(holds) => Ok(holds),
            other => Err(Stop::Failed(format!(
                "the expression comes to a {} instead of a bool",
                other.type_name()
            ))),
        }
    }
}
