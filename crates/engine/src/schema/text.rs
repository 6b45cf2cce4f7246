//! A schema as text.

use std::fmt;

use super::Schema;
use super::ast::Expression;

impl Schema {
    /// The schema in the modelling language, in order of the names. [`Schema::parse`] reads the same schema from it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = "model\n  schema 1.1\n".to_owned();
        for (kind, definition) in &self.types {
            let word = if definition.is_path { "path type" } else { "type" };
            text.push_str(&format!("\n{word} {kind}\n"));
            if !definition.relations.is_empty() {
                text.push_str("  relations\n");
            }
            for (relation, expression) in &definition.relations {
                text.push_str(&format!("    define {relation}: {expression}\n"));
            }
        }
        for condition in self.conditions.values() {
            text.push_str(&format!("\n{condition}\n"));
        }
        text
    }
}

/// As in a schema.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(types) => {
                f.write_str("[")?;
                for (at, direct) in types.iter().enumerate() {
                    write!(f, "{}{direct}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Computed(relation) => write!(f, "{relation}"),
            Self::From { relation, through } => write!(f, "{relation} from {through}"),
            Self::Union(parts) => joined(f, parts, "or"),
            Self::Intersection(parts) => joined(f, parts, "and"),
            Self::Exclusion(base, taken) => {
                operand(f, base)?;
                f.write_str(" but not ")?;
                operand(f, taken)
            }
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Expression], operator: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            write!(f, " {operator} ")?;
        }
        operand(f, part)?;
    }
    Ok(())
}

/// Operators in each other stand in parentheses: the language has no precedence.
fn operand(f: &mut fmt::Formatter<'_>, part: &Expression) -> fmt::Result {
    match part {
        Expression::Union(_) | Expression::Intersection(_) | Expression::Exclusion(..) => {
            write!(f, "({part})")
        }
        _ => write!(f, "{part}"),
    }
}
