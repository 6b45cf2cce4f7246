//! From text to [`Schema`].
//!
//! Reading is in two steps: each source becomes definitions that remember their line; then, when all names are known,
//! [`super::resolve`] looks at every mention.

use super::draft::{Drafts, Place};
use super::line::{Line, lines};
use super::resolve::resolve;
use super::tokens::Token;
use super::{Schema, SchemaError, Source, parse_condition, parse_relation};
use crate::name::{NameError, RelationName, TypeName};

/// The most bytes that all sources of a schema may have together.
pub const MAX_TEXT: usize = 1 << 20;

/// Words that stand for something else where a name is expected.
const RESERVED: [&str; 8] = ["self", "this", "or", "and", "but", "not", "from", "with"];

/// Reads sources on top of what is there.
pub(super) fn parse(mut drafts: Drafts, sources: &[Source<'_>]) -> Result<Schema, SchemaError> {
    let mut bytes = 0;
    for source in sources {
        bytes += source.text.len();
        if bytes > MAX_TEXT {
            let place = Place { file: source.name, line: 1, kind: None, relation: None };
            return Err(place.error(format!("the schema has more than {MAX_TEXT} bytes")));
        }
        parse_source(source, &mut drafts)?;
    }
    resolve(drafts)
}

fn parse_source(source: &Source<'_>, drafts: &mut Drafts) -> Result<(), SchemaError> {
    let mut place = Place { file: source.name, line: 0, kind: None, relation: None };
    for mut line in lines(source.text) {
        place.line = line.number;
        place.relation = None;
        match line.next() {
            Some(Token::Word("model")) => {}
            Some(Token::Word("schema")) => version(&mut line, &place)?,
            Some(Token::Word("type")) => begin_type(&mut line, &mut place, false, drafts)?,
            Some(Token::Word("path")) => {
                place.kind = None;
                if !line.takes(Token::Word("type")) {
                    return Err(place.error("`path` stands before `type`: write `path type name`"));
                }
                begin_type(&mut line, &mut place, true, drafts)?;
            }
            Some(Token::Word("relations")) if place.kind.is_some() => {}
            Some(Token::Word("relations")) => {
                return Err(place.error("`relations` without a type: write `type name` before it"));
            }
            Some(Token::Word("define")) => define(&mut line, &mut place, drafts)?,
            Some(Token::Word("condition")) => {
                place.kind = None;
                let definition = parse_condition::condition(&mut line, &mut place)?;
                drafts.condition(&place, definition)?;
            }
            Some(Token::Word("extend")) => {
                return Err(
                    place.error("`extend` is not supported: define all relations of a type in one place")
                );
            }
            Some(Token::Word("module")) => {
                return Err(
                    place.error("`module` is not supported: leave the line out, all sources make one schema")
                );
            }
            Some(token) => {
                return Err(place.error(format!(
                    "`{}` begins no statement: expected `type`, `path type`, `relations`, `define` or `condition`",
                    token.text()
                )));
            }
            None => {}
        }
        if let Some(token) = line.next() {
            return Err(place.error(format!("`{}` was not expected here", token.text())));
        }
    }
    Ok(())
}

fn version(line: &mut Line<'_>, place: &Place<'_>) -> Result<(), SchemaError> {
    match line.next() {
        Some(Token::Word("1.1")) => Ok(()),
        _ => Err(place.error("the version of the modelling language must be `schema 1.1`")),
    }
}

fn begin_type(
    line: &mut Line<'_>,
    place: &mut Place<'_>,
    is_path: bool,
    drafts: &mut Drafts,
) -> Result<(), SchemaError> {
    place.kind = None;
    let kind: TypeName = name(line, place, "a type's name")?;
    drafts.begin_type(&kind, place, is_path)?;
    place.kind = Some(kind);
    Ok(())
}

fn define(line: &mut Line<'_>, place: &mut Place<'_>, drafts: &mut Drafts) -> Result<(), SchemaError> {
    if place.kind.is_none() {
        return Err(place.error("`define` without a type: write `type name` before it"));
    }
    let relation: RelationName = name(line, place, "a relation's name")?;
    place.relation = Some(relation.clone());
    expect(line, place, ':')?;
    let expression = parse_relation::expression(line, place)?;
    drafts.define(relation, place, expression)
}

pub(super) fn expect(line: &mut Line<'_>, place: &Place<'_>, mark: char) -> Result<(), SchemaError> {
    match line.next() {
        Some(Token::Mark(found)) if found == mark => Ok(()),
        found => Err(place.error(format!("expected `{mark}` but found {}", shown(found)))),
    }
}

pub(super) fn name<N: std::str::FromStr<Err = NameError>>(
    line: &mut Line<'_>,
    place: &Place<'_>,
    wanted: &str,
) -> Result<N, SchemaError> {
    match line.next() {
        Some(Token::Word(word)) if RESERVED.contains(&word) => {
            Err(place.error(format!("expected {wanted} but found `{word}`, which is a word of the language")))
        }
        Some(Token::Word(word)) => word.parse().map_err(|error: NameError| place.error(error.to_string())),
        found => Err(place.error(format!("expected {wanted} but found {}", shown(found)))),
    }
}

pub(super) fn shown(token: Option<Token<'_>>) -> String {
    token.map_or("the end of the line".to_owned(), |token| format!("`{}`", token.text()))
}
