//! From text to [`Schema`].
//!
//! Reading is in two steps: each source becomes definitions that remember their line; then, when all names are known,
//! [`super::resolve`] looks at every mention.

use std::collections::BTreeMap;

use super::ast::{DirectType, Expression, SubjectForm};
use super::line::{Line, lines};
use super::resolve::resolve;
use super::tokens::Token;
use super::{Schema, SchemaError, Source};
use crate::name::{NameError, RelationName, TypeName};

/// How deep parentheses may stand in each other.
const MAX_NESTING: usize = 32;

/// A type with the place of each part, for messages.
pub(super) struct Draft {
    /// The source that names the type first, and its line.
    file: String,
    line: usize,
    pub(super) is_path: bool,
    pub(super) relations: BTreeMap<RelationName, Define>,
}

/// One `define`.
pub(super) struct Define {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) expression: Expression,
}

/// Where the parser is.
struct Place<'a> {
    file: &'a str,
    line: usize,
    kind: Option<TypeName>,
    relation: Option<RelationName>,
}

impl Place<'_> {
    fn error(&self, message: impl Into<String>) -> SchemaError {
        SchemaError {
            file: self.file.to_owned(),
            line: self.line,
            type_name: self.kind.as_ref().map(ToString::to_string),
            relation: self.relation.as_ref().map(ToString::to_string),
            message: message.into(),
        }
    }

    fn unsupported(&self, what: &str) -> SchemaError {
        self.error(format!("`{what}` is not supported yet: use `[...]`, `or` and names of relations"))
    }
}

pub(super) fn parse(sources: &[Source<'_>]) -> Result<Schema, SchemaError> {
    let mut drafts = BTreeMap::new();
    for source in sources {
        parse_source(source, &mut drafts)?;
    }
    resolve(drafts)
}

fn parse_source(source: &Source<'_>, drafts: &mut BTreeMap<TypeName, Draft>) -> Result<(), SchemaError> {
    let mut place = Place { file: source.name, line: 0, kind: None, relation: None };
    for mut line in lines(source.text) {
        place.line = line.number;
        place.relation = None;
        match line.next() {
            Some(Token::Word("model")) => {}
            Some(Token::Word("schema")) => version(&mut line, &place)?,
            Some(Token::Word("type")) => {
                place.kind = None;
                place.kind = Some(begin_type(&mut line, &place, false, drafts)?);
            }
            Some(Token::Word("path")) => {
                place.kind = None;
                if !line.takes(Token::Word("type")) {
                    return Err(place.error("`path` stands before `type`: write `path type name`"));
                }
                place.kind = Some(begin_type(&mut line, &place, true, drafts)?);
            }
            Some(Token::Word("relations")) if place.kind.is_some() => {}
            Some(Token::Word("relations")) => {
                return Err(place.error("`relations` without a type: write `type name` before it"));
            }
            Some(Token::Word("define")) => define(&mut line, &mut place, drafts)?,
            Some(Token::Word(word @ ("condition" | "extend" | "module"))) => {
                return Err(place.unsupported(word));
            }
            Some(token) => {
                return Err(place.error(format!(
                    "`{}` begins no statement: expected `type`, `path type`, `relations` or `define`",
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
    place: &Place<'_>,
    is_path: bool,
    drafts: &mut BTreeMap<TypeName, Draft>,
) -> Result<TypeName, SchemaError> {
    let kind: TypeName = name(line, place, "a type's name")?;
    let draft = drafts.entry(kind.clone()).or_insert_with(|| Draft {
        file: place.file.to_owned(),
        line: place.line,
        is_path,
        relations: BTreeMap::new(),
    });
    let (file, line) = (&draft.file, draft.line);
    if file == place.file && line != place.line {
        return Err(
            place.error(format!("type `{kind}` is defined before, at {file}:{line}: keep one of the two"))
        );
    }
    if draft.is_path != is_path {
        let word = if draft.is_path { "a path type" } else { "no path type" };
        return Err(place.error(format!("type `{kind}` is {word} at {file}:{line}: name it in the same way")));
    }
    Ok(kind)
}

fn define(
    line: &mut Line<'_>,
    place: &mut Place<'_>,
    drafts: &mut BTreeMap<TypeName, Draft>,
) -> Result<(), SchemaError> {
    let Some(kind) = place.kind.clone() else {
        return Err(place.error("`define` without a type: write `type name` before it"));
    };
    let relation: RelationName = name(line, place, "a relation's name")?;
    place.relation = Some(relation.clone());
    expect(line, place, ':')?;
    let expression = union(line, place, 0)?;
    let Some(draft) = drafts.get_mut(&kind) else { return Ok(()) };
    if let Some(first) = draft.relations.get(&relation) {
        let (file, line) = (&first.file, first.line);
        return Err(place.error(format!("defined before, at {file}:{line}: keep one of the two")));
    }
    // A type that another source defines can be mentioned, not extended: who reads its source sees all of it.
    if let Some(other) = draft.relations.values().find(|other| other.file != place.file) {
        let (file, line) = (&other.file, other.line);
        return Err(
            place.error(format!("the type has its relations at {file}:{line}: define them all there"))
        );
    }
    let file = place.file.to_owned();
    draft.relations.insert(relation, Define { file, line: place.line, expression });
    Ok(())
}

fn union(line: &mut Line<'_>, place: &Place<'_>, nesting: usize) -> Result<Expression, SchemaError> {
    let mut parts = vec![term(line, place, nesting)?];
    loop {
        match line.peek() {
            Some(Token::Word("or")) => {
                line.next();
                parts.push(term(line, place, nesting)?);
            }
            Some(Token::Word("and")) => return Err(place.unsupported("and")),
            Some(Token::Word("but")) => return Err(place.unsupported("but not")),
            Some(Token::Word("from")) => return Err(place.unsupported("from")),
            _ => break,
        }
    }
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(only),
        last => Ok(Expression::Union(parts.into_iter().chain(last).collect())),
    }
}

fn term(line: &mut Line<'_>, place: &Place<'_>, nesting: usize) -> Result<Expression, SchemaError> {
    if line.takes(Token::Mark('[')) {
        return direct(line, place);
    }
    if line.takes(Token::Mark('(')) {
        if nesting == MAX_NESTING {
            return Err(
                place.error("more than 32 parentheses stand in each other: define a relation for some")
            );
        }
        let inside = union(line, place, nesting + 1)?;
        expect(line, place, ')')?;
        return Ok(inside);
    }
    name(line, place, "`[`, `(` or a relation's name").map(Expression::Computed)
}

fn direct(line: &mut Line<'_>, place: &Place<'_>) -> Result<Expression, SchemaError> {
    let mut forms = Vec::new();
    loop {
        let kind: TypeName = name(line, place, "a type's name")?;
        let form = if line.takes(Token::Mark('#')) {
            SubjectForm::Userset(kind, name(line, place, "a relation's name")?)
        } else if line.takes(Token::Mark(':')) {
            expect(line, place, '*')?;
            SubjectForm::Wildcard(kind)
        } else {
            SubjectForm::Object(kind)
        };
        forms.push(DirectType { form, condition: None });
        if line.peek() == Some(Token::Word("with")) {
            return Err(place.unsupported("with"));
        }
        if line.takes(Token::Mark(']')) {
            return Ok(Expression::Direct(forms));
        }
        expect(line, place, ',')?;
    }
}

fn expect(line: &mut Line<'_>, place: &Place<'_>, mark: char) -> Result<(), SchemaError> {
    match line.next() {
        Some(Token::Mark(found)) if found == mark => Ok(()),
        found => Err(place.error(format!("expected `{mark}` but found {}", shown(found)))),
    }
}

fn name<N: std::str::FromStr<Err = NameError>>(
    line: &mut Line<'_>,
    place: &Place<'_>,
    wanted: &str,
) -> Result<N, SchemaError> {
    match line.next() {
        Some(Token::Word(word)) => word.parse().map_err(|error: NameError| place.error(error.to_string())),
        found => Err(place.error(format!("expected {wanted} but found {}", shown(found)))),
    }
}

fn shown(token: Option<Token<'_>>) -> String {
    token.map_or("the end of the line".to_owned(), |token| format!("`{}`", token.text()))
}
