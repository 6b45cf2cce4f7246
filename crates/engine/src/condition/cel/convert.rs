//! Conversions: `int(...)`, `string(...)` and the like.

use super::Stop;
use super::eval::failed;
use super::syntax::Function;
use super::value::Val;
use crate::condition::time::{Timestamp, duration_text, parse_duration};

/// What a function of one argument comes to.
pub(super) fn call(function: Function, value: &Val) -> Result<Val, Stop> {
    let converted = match function {
        Function::Dyn => Some(value.clone()),
        Function::Bool => to_bool(value),
        Function::Int => to_int(value),
        Function::Uint => to_uint(value),
        Function::Double => to_double(value),
        Function::Text => to_text(value),
        Function::Duration => match value {
            Val::Duration(_) => Some(value.clone()),
            Val::Text(text) => parse_duration(text).map(Val::Duration),
            _ => None,
        },
        Function::Timestamp => match value {
            Val::Timestamp(_) => Some(value.clone()),
            Val::Text(text) => Timestamp::parse(text).map(Val::Timestamp),
            Val::Int(seconds) => Timestamp::of_seconds(*seconds).map(Val::Timestamp),
            _ => None,
        },
        Function::Address => match value {
            Val::Address(_) => Some(value.clone()),
            Val::Text(text) => text.parse().map(Val::Address).ok(),
            _ => None,
        },
        _ => None,
    };
    converted
        .map_or_else(|| failed(format!("`{}` cannot take this {}", function.name(), value.type_name())), Ok)
}

fn to_bool(value: &Val) -> Option<Val> {
    match value {
        Val::Bool(value) => Some(Val::Bool(*value)),
        Val::Text(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(Val::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(Val::Bool(false)),
            _ => None,
        },
        _ => None,
    }
}

fn to_int(value: &Val) -> Option<Val> {
    match value {
        Val::Int(value) => Some(*value),
        Val::Uint(value) => i64::try_from(*value).ok(),
        // The bounds themselves are no doubles that fit, or are not told apart from ones that do not.
        Val::Double(value) => (value.abs() < 9_223_372_036_854_775_808.0).then_some(*value as i64),
        Val::Text(text) => text.parse().ok(),
        Val::Timestamp(at) => Some(at.seconds()),
        _ => None,
    }
    .map(Val::Int)
}

fn to_uint(value: &Val) -> Option<Val> {
    match value {
        Val::Uint(value) => Some(*value),
        Val::Int(value) => u64::try_from(*value).ok(),
        Val::Double(value) => {
            (*value >= 0.0 && *value < 18_446_744_073_709_551_616.0).then_some(*value as u64)
        }
        Val::Text(text) => text.parse().ok(),
        _ => None,
    }
    .map(Val::Uint)
}

fn to_double(value: &Val) -> Option<Val> {
    match value {
        Val::Double(value) => Some(*value),
        Val::Int(value) => Some(*value as f64),
        Val::Uint(value) => Some(*value as f64),
        Val::Text(text) => text.parse().ok(),
        _ => None,
    }
    .map(Val::Double)
}

fn to_text(value: &Val) -> Option<Val> {
    Some(match value {
        Val::Text(_) => value.clone(),
        Val::Bool(value) => Val::text(if *value { "true" } else { "false" }),
        Val::Int(value) => Val::text(&value.to_string()),
        Val::Uint(value) => Val::text(&value.to_string()),
        Val::Double(value) => Val::text(&value.to_string()),
        Val::Duration(nanos) => Val::text(&duration_text(*nanos)),
        Val::Timestamp(at) => Val::text(&at.text()),
        Val::Address(address) => Val::text(&address.to_string()),
        Val::Null | Val::List(_) | Val::Map(_) => return None,
    })
}
