//! What stands after `condition`.

use std::collections::BTreeMap;

use super::SchemaError;
use super::draft::Place;
use super::line::Line;
use super::parse::{expect, shown};
use super::tokens::Token;
use crate::condition::{ConditionDefinition, ParameterType};

/// How deep `list<...>` and `map<...>` may stand in each other.
const MAX_NESTING: usize = 8;

/// `name(parameter: type, ...) { expression }`, the word `condition` taken already.
pub(super) fn condition(
    line: &mut Line<'_>,
    place: &mut Place<'_>,
) -> Result<ConditionDefinition, SchemaError> {
    let name = word(line, place, "a condition's name")?;
    expect(line, place, '(')?;
    let mut parameters = BTreeMap::new();
    while !line.takes(Token::Mark(')')) {
        let parameter = word(line, place, "a parameter's name")?;
        expect(line, place, ':')?;
        let kind = kind(line, place, 0)?;
        if parameters.insert(parameter.to_owned(), kind).is_some() {
            return Err(place.error(format!("condition `{name}`: parameter `{parameter}` is declared twice")));
        }
        if line.peek() != Some(Token::Mark(')')) {
            expect(line, place, ',')?;
        }
    }
    if let Some(token) = line.peek() {
        return Err(place.error(format!("expected `{{` but found {}", shown(Some(token)))));
    }
    let Some(body) = line.body else {
        return Err(
            place.error(format!("condition `{name}`: expected `{{ expression }}` after the parameters"))
        );
    };
    if !body.closed {
        return Err(place.error(format!("condition `{name}`: the `{{` has no `}}`")));
    }
    let trimmed = body.text.trim();
    ConditionDefinition::new(name, parameters, trimmed).map_err(|problem| {
        let skipped = body.text.len() - body.text.trim_start().len();
        let before = body.text.get(..skipped).unwrap_or_default().matches('\n').count();
        place.line = match problem.line {
            Some(line) => body.line + before + line - 1,
            None => place.line,
        };
        place.error(format!("condition `{name}`: {}", problem.message))
    })
}

fn kind(line: &mut Line<'_>, place: &Place<'_>, nesting: usize) -> Result<ParameterType, SchemaError> {
    let word = word(line, place, "a parameter's type")?;
    if let Some(simple) = ParameterType::simple(word) {
        return Ok(simple);
    }
    let make = match word {
        "list" => ParameterType::List,
        "map" => ParameterType::Map,
        _ => {
            return Err(place.error(format!(
                "there is no parameter type `{word}`: use bool, string, int, uint, double, duration, timestamp, ipaddress, \
                 list<...>, map<...> or any"
            )));
        }
    };
    if nesting == MAX_NESTING {
        return Err(place.error("more than 8 lists and maps stand in each other: use `any` inside"));
    }
    expect(line, place, '<')?;
    let inner = kind(line, place, nesting + 1)?;
    expect(line, place, '>')?;
    Ok(make(Box::new(inner)))
}

fn word<'a>(line: &mut Line<'a>, place: &Place<'_>, wanted: &str) -> Result<&'a str, SchemaError> {
    match line.next() {
        Some(Token::Word(word)) => Ok(word),
        found => Err(place.error(format!("expected {wanted} but found {}", shown(found)))),
    }
}
