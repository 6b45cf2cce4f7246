//! Why a schema cannot be used.

use std::fmt;

use thiserror::Error;

/// Why a schema cannot be used, and where.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub struct SchemaError {
    /// The source's name.
    pub file: String,
    /// The line, from 1; 0 where there are no lines, as in a JSON model.
    pub line: usize,
    /// The type that was being defined.
    pub type_name: Option<String>,
    /// The relation that was being defined.
    pub relation: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: ", self.file)?,
            line => write!(f, "{}:{line}: ", self.file)?,
        }
        match (&self.type_name, &self.relation) {
            (Some(kind), Some(relation)) => write!(f, "relation `{relation}` of type `{kind}`: ")?,
            (Some(kind), None) => write!(f, "type `{kind}`: ")?,
            _ => {}
        }
        f.write_str(&self.message)
    }
}
