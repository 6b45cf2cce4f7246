//! What stands after `define name:`.

use super::SchemaError;
use super::ast::{DirectType, Expression, SubjectForm};
use super::draft::Place;
use super::line::Line;
use super::parse::{expect, name, shown};
use super::tokens::Token;
use crate::name::TypeName;

/// How deep parentheses may stand in each other.
pub(super) const MAX_NESTING: usize = 32;

/// How many operands and direct types one relation may have.
pub(super) const MAX_PARTS: usize = 1000;

/// An operator between operands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    ButNot,
}

impl Operator {
    fn text(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::ButNot => "but not",
        }
    }
}

pub(super) fn expression(line: &mut Line<'_>, place: &Place<'_>) -> Result<Expression, SchemaError> {
    Parser { line, place, parts: 0 }.operation(0)
}

struct Parser<'a, 'b> {
    line: &'a mut Line<'b>,
    place: &'a Place<'a>,
    parts: usize,
}

impl Parser<'_, '_> {
    /// Operands with one kind of operator between them. The language has no precedence: what is mixed needs parentheses.
    fn operation(&mut self, nesting: usize) -> Result<Expression, SchemaError> {
        let mut operands = vec![self.operand(nesting)?];
        let mut before = None;
        while let Some(operator) = self.operator()? {
            match before {
                Some(Operator::ButNot) => {
                    return Err(self.place.error(format!(
                        "`{}` cannot follow `but not` without parentheses: write `(a but not b) {} c`, or `a but not (b or c)` \
                         to take both away",
                        operator.text(),
                        operator.text()
                    )));
                }
                Some(before) if before != operator => {
                    let (first, then) = (before.text(), operator.text());
                    return Err(self.place.error(format!(
                        "`{then}` cannot follow `{first}` without parentheses: write `(a {first} b) {then} c` or \
                         `a {first} (b {then} c)`"
                    )));
                }
                _ => {}
            }
            before = Some(operator);
            operands.push(self.operand(nesting)?);
        }
        Ok(match before {
            Some(Operator::Or) => Expression::Union(operands),
            Some(Operator::And) => Expression::Intersection(operands),
            Some(Operator::ButNot) | None => {
                let mut operands = operands.into_iter();
                match (operands.next(), operands.next()) {
                    (Some(base), Some(taken)) => Expression::Exclusion(base.into(), taken.into()),
                    (Some(only), None) => only,
                    _ => Expression::Union(Vec::new()),
                }
            }
        })
    }

    fn operator(&mut self) -> Result<Option<Operator>, SchemaError> {
        let operator = match self.line.peek() {
            Some(Token::Word("or")) => Operator::Or,
            Some(Token::Word("and")) => Operator::And,
            Some(Token::Word("but")) => Operator::ButNot,
            _ => return Ok(None),
        };
        self.line.next();
        if operator == Operator::ButNot && !self.line.takes(Token::Word("not")) {
            let found = shown(self.line.peek());
            return Err(self.place.error(format!("expected `not` after `but` but found {found}")));
        }
        Ok(Some(operator))
    }

    fn operand(&mut self, nesting: usize) -> Result<Expression, SchemaError> {
        self.count()?;
        if self.line.takes(Token::Mark('[')) {
            return self.direct();
        }
        if self.line.takes(Token::Mark('(')) {
            if nesting == MAX_NESTING {
                return Err(self
                    .place
                    .error("more than 32 parentheses stand in each other: define a relation for some"));
            }
            let inside = self.operation(nesting + 1)?;
            expect(self.line, self.place, ')')?;
            return Ok(inside);
        }
        let relation = name(self.line, self.place, "`[`, `(` or a relation's name")?;
        if self.line.takes(Token::Word("from")) {
            let through = name(self.line, self.place, "a relation's name after `from`")?;
            return Ok(Expression::From { relation, through });
        }
        Ok(Expression::Computed(relation))
    }

    fn direct(&mut self) -> Result<Expression, SchemaError> {
        let mut forms = Vec::new();
        loop {
            self.count()?;
            let kind: TypeName = name(self.line, self.place, "a type's name")?;
            let form = if self.line.takes(Token::Mark('#')) {
                SubjectForm::Userset(kind, name(self.line, self.place, "a relation's name")?)
            } else if self.line.takes(Token::Mark(':')) {
                expect(self.line, self.place, '*')?;
                SubjectForm::Wildcard(kind)
            } else {
                SubjectForm::Object(kind)
            };
            let condition = if self.line.takes(Token::Word("with")) {
                match self.line.next() {
                    Some(Token::Word(word)) => Some(word.to_owned()),
                    found => {
                        let found = shown(found);
                        return Err(self
                            .place
                            .error(format!("expected a condition's name but found {found}")));
                    }
                }
            } else {
                None
            };
            forms.push(DirectType { form, condition });
            if self.line.takes(Token::Mark(']')) {
                return Ok(Expression::Direct(forms));
            }
            expect(self.line, self.place, ',')?;
        }
    }

    fn count(&mut self) -> Result<(), SchemaError> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(self.place.error("more than 1000 operands and direct types: split the relation"));
        }
        Ok(())
    }
}
