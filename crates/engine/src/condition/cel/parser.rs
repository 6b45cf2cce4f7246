//! From text to a compiled expression.
//!
//! A recursive descent whose depth is bounded by [`MAX_DEPTH`] whatever the text holds. Names are looked up at once, so
//! that evaluation deals in numbers.

use super::Problem;
use super::lexer::{Token, tokens};
use super::pattern::Pattern;
use super::syntax::{Fold, Function, Kind, MAX_DEPTH, Macro, Node, Operator};
use super::value::Val;

/// The most bytes that an expression may have.
pub(crate) const MAX_TEXT: usize = 16 * 1024;

const RESERVED: [&str; 18] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "in",
];

/// Reads an expression; `parameters` are the names that it may use, by their places.
pub(super) fn parse(text: &str, parameters: &[&str]) -> Result<Node, Problem> {
    if text.len() > MAX_TEXT {
        return Err(Problem::whole(format!("the expression has more than {MAX_TEXT} bytes")));
    }
    let mut parser =
        Parser { text, parameters, tokens: tokens(text)?, next: 0, depth: 0, locals: Vec::new() };
    let node = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(node),
        token => Err(parser.problem(format!("{} was not expected here", token.shown()))),
    }
}

struct Parser<'a> {
    text: &'a str,
    parameters: &'a [&'a str],
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: u16,
    /// The variables of the macros that are open.
    locals: Vec<String>,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |(at, _)| *at)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn takes(&mut self, mark: &'static str) -> bool {
        let found = *self.peek() == Token::Mark(mark);
        if found {
            self.next += 1;
        }
        found
    }

    fn expect(&mut self, mark: &'static str) -> Result<(), Problem> {
        if self.takes(mark) {
            return Ok(());
        }
        Err(self.problem(format!("expected `{mark}` but found {}", self.peek().shown())))
    }

    fn problem(&self, message: String) -> Problem {
        Problem::at(self.text, self.at(), message)
    }

    fn node(&self, at: usize, kind: Kind) -> Result<Node, Problem> {
        Node::new(at, kind).ok_or_else(|| self.too_deep(at))
    }

    fn too_deep(&self, at: usize) -> Problem {
        Problem::at(self.text, at, format!("the expression is nested more than {MAX_DEPTH} levels deep"))
    }

    fn expression(&mut self) -> Result<Node, Problem> {
        if self.depth == MAX_DEPTH {
            return Err(self.too_deep(self.at()));
        }
        self.depth += 1;
        let node = self.choice();
        self.depth -= 1;
        node
    }

    fn choice(&mut self) -> Result<Node, Problem> {
        let condition = self.any()?;
        let at = self.at();
        if !self.takes("?") {
            return Ok(condition);
        }
        let yes = self.any()?;
        self.expect(":")?;
        let no = self.expression()?;
        self.node(at, Kind::Choose(condition.into(), yes.into(), no.into()))
    }

    fn any(&mut self) -> Result<Node, Problem> {
        let at = self.at();
        let mut parts = vec![self.all()?];
        while self.takes("||") {
            parts.push(self.all()?);
        }
        self.only_or(at, parts, Kind::Any)
    }

    fn all(&mut self) -> Result<Node, Problem> {
        let at = self.at();
        let mut parts = vec![self.binary(0)?];
        while self.takes("&&") {
            parts.push(self.binary(0)?);
        }
        self.only_or(at, parts, Kind::All)
    }

    fn only_or(&self, at: usize, mut parts: Vec<Node>, make: fn(Vec<Node>) -> Kind) -> Result<Node, Problem> {
        match parts.pop() {
            Some(only) if parts.is_empty() => Ok(only),
            last => {
                parts.extend(last);
                self.node(at, make(parts))
            }
        }
    }

    /// Relations bind least, then sums, then products; each to the left.
    fn binary(&mut self, level: usize) -> Result<Node, Problem> {
        const LEVELS: usize = 3;
        if level == LEVELS {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        loop {
            let operator = match (level, self.peek()) {
                (0, Token::Mark("==")) => Operator::Equal,
                (0, Token::Mark("!=")) => Operator::NotEqual,
                (0, Token::Mark("<")) => Operator::Less,
                (0, Token::Mark("<=")) => Operator::LessEqual,
                (0, Token::Mark(">")) => Operator::Greater,
                (0, Token::Mark(">=")) => Operator::GreaterEqual,
                (0, Token::Word(word)) if word == "in" => Operator::In,
                (1, Token::Mark("+")) => Operator::Add,
                (1, Token::Mark("-")) => Operator::Subtract,
                (2, Token::Mark("*")) => Operator::Multiply,
                (2, Token::Mark("/")) => Operator::Divide,
                (2, Token::Mark("%")) => Operator::Remainder,
                _ => return Ok(left),
            };
            let at = self.at();
            self.next += 1;
            let right = self.binary(level + 1)?;
            left = self.node(at, Kind::Binary(operator, left.into(), right.into()))?;
        }
    }

    fn unary(&mut self) -> Result<Node, Problem> {
        let at = self.at();
        let mut nots = 0_usize;
        while self.takes("!") {
            nots += 1;
        }
        if nots > 0 {
            let mut node = self.member()?;
            for _ in 0..nots {
                node = self.node(at, Kind::Not(node.into()))?;
            }
            return Ok(node);
        }
        let mut minuses = 0_usize;
        while self.takes("-") {
            minuses += 1;
        }
        if minuses == 0 {
            return self.member();
        }
        // The sign of a number belongs to it, so that the least integer can be written.
        let mut node = match *self.peek() {
            Token::Int(magnitude) => {
                let value = 0_i64.checked_sub_unsigned(magnitude);
                let value = value.ok_or_else(|| self.problem("this number is too small".to_owned()))?;
                let at = self.at();
                self.next += 1;
                let literal = self.node(at, Kind::Literal(Val::Int(value)))?;
                self.members(literal)?
            }
            Token::Double(value) => {
                let at = self.at();
                self.next += 1;
                let literal = self.node(at, Kind::Literal(Val::Double(-value)))?;
                self.members(literal)?
            }
            _ => {
                minuses += 1;
                self.member()?
            }
        };
        for _ in 1..minuses {
            node = self.node(at, Kind::Negate(node.into()))?;
        }
        Ok(node)
    }

    fn member(&mut self) -> Result<Node, Problem> {
        let primary = self.primary()?;
        self.members(primary)
    }

    fn members(&mut self, mut node: Node) -> Result<Node, Problem> {
        loop {
            let at = self.at();
            if self.takes("[") {
                let index = self.expression()?;
                self.expect("]")?;
                node = self.node(at, Kind::Index(node.into(), index.into()))?;
                continue;
            }
            if !self.takes(".") {
                return Ok(node);
            }
            let at = self.at();
            let Token::Word(name) = self.take() else {
                return Err(Problem::at(self.text, at, "expected a name after `.`".to_owned()));
            };
            node = if self.takes("(") {
                self.method(at, node, &name)?
            } else {
                self.node(at, Kind::Select(node.into(), name.into()))?
            };
        }
    }

    fn primary(&mut self) -> Result<Node, Problem> {
        let at = self.at();
        let kind = match self.take() {
            Token::Int(value) => Kind::Literal(Val::Int(
                i64::try_from(value)
                    .map_err(|_| Problem::at(self.text, at, "this number is too great".to_owned()))?,
            )),
            Token::Uint(value) => Kind::Literal(Val::Uint(value)),
            Token::Double(value) => Kind::Literal(Val::Double(value)),
            Token::Text(text) => Kind::Literal(Val::Text(text.into())),
            Token::Mark("(") => {
                let inside = self.expression()?;
                self.expect(")")?;
                return Ok(inside);
            }
            Token::Mark("[") => Kind::List(self.listed("]")?),
            Token::Mark("{") => Kind::Map(self.entries()?),
            Token::Word(word) => return self.word(at, &word),
            token => {
                let message = format!("expected a value but found {}", token.shown());
                return Err(Problem::at(self.text, at, message));
            }
        };
        self.node(at, kind)
    }

    fn word(&mut self, at: usize, word: &str) -> Result<Node, Problem> {
        let literal = match word {
            "true" => Some(Val::Bool(true)),
            "false" => Some(Val::Bool(false)),
            "null" => Some(Val::Null),
            _ => None,
        };
        if let Some(value) = literal {
            return self.node(at, Kind::Literal(value));
        }
        if self.takes("(") {
            return self.function(at, word);
        }
        // The innermost variable of a name hides the others.
        if let Some(place) = self.locals.iter().rposition(|local| local == word) {
            return self.node(at, Kind::Local(place));
        }
        if let Some(place) = self.parameters.iter().position(|parameter| *parameter == word) {
            return self.node(at, Kind::Parameter(place));
        }
        let known: Vec<_> = self.parameters.iter().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let message = if RESERVED.contains(&word) {
            format!("`{word}` is a reserved word")
        } else {
            format!("there is no parameter `{word}`: declared are {known}")
        };
        Err(Problem::at(self.text, at, message))
    }

    /// Expressions up to a closing bracket; a comma may stand after the last.
    fn listed(&mut self, close: &'static str) -> Result<Vec<Node>, Problem> {
        let mut found = Vec::new();
        while !self.takes(close) {
            found.push(self.expression()?);
            if *self.peek() != Token::Mark(close) {
                self.expect(",")?;
            }
        }
        Ok(found)
    }

    fn entries(&mut self) -> Result<Vec<(Node, Node)>, Problem> {
        let mut found = Vec::new();
        while !self.takes("}") {
            let key = self.expression()?;
            self.expect(":")?;
            found.push((key, self.expression()?));
            if *self.peek() != Token::Mark("}") {
                self.expect(",")?;
            }
        }
        Ok(found)
    }

    fn function(&mut self, at: usize, name: &str) -> Result<Node, Problem> {
        let arguments = self.listed(")")?;
        if name == "has" {
            return match arguments.into_iter().next() {
                Some(Node { at, kind: Kind::Select(of, field), .. }) => self.node(at, Kind::Has(of, field)),
                _ => Err(Problem::at(
                    self.text,
                    at,
                    "`has` takes a field, as in `has(resource.owner)`".to_owned(),
                )),
            };
        }
        self.call(at, name, false, arguments)
    }

    fn method(&mut self, at: usize, receiver: Node, name: &str) -> Result<Node, Problem> {
        let macro_ = match name {
            "all" => Macro::All,
            "exists" => Macro::Exists,
            "exists_one" | "existsOne" => Macro::ExistsOne,
            "map" => Macro::Map,
            "filter" => Macro::Filter,
            _ => {
                let mut arguments = vec![receiver];
                arguments.extend(self.listed(")")?);
                return self.call(at, name, true, arguments);
            }
        };
        let variable_at = self.at();
        let Token::Word(variable) = self.take() else {
            let message = format!("`{name}` takes a variable first, as in `list.{name}(x, ...)`");
            return Err(Problem::at(self.text, variable_at, message));
        };
        self.expect(",")?;
        self.locals.push(variable);
        let first = self.expression()?;
        let second = if macro_ == Macro::Map && self.takes(",") { Some(self.expression()?) } else { None };
        self.locals.pop();
        self.takes(",");
        self.expect(")")?;
        let (test, value) = match (macro_, second) {
            (Macro::Map, None) => (None, Some(first)),
            (_, second) => (Some(first), second),
        };
        self.node(at, Kind::Fold(Box::new(Fold { macro_, range: receiver, test, value })))
    }

    /// A call; the receiver of a method is the first argument.
    fn call(&self, at: usize, name: &str, method: bool, arguments: Vec<Node>) -> Result<Node, Problem> {
        let count = arguments.len() - usize::from(method);
        let named = |function: &&Function| {
            function.name() == name || (**function == Function::Address && name == "ipaddress")
        };
        let Some(function) = Function::EACH.iter().find(named) else {
            return Err(Problem::at(self.text, at, format!("there is no function `{name}`")));
        };
        if !function.takes(method, count) {
            let form = if method { "as a method " } else { "" };
            let message = format!("`{name}` cannot be called {form}with {count} arguments");
            return Err(Problem::at(self.text, at, message));
        }
        let mut arguments = arguments;
        // A pattern that is known already is compiled once.
        if *function == Function::Matches
            && let Some(Node { kind: Kind::Literal(Val::Text(pattern)), at: pattern_at, .. }) =
                arguments.get(1)
        {
            let pattern =
                Pattern::new(pattern).map_err(|problem| Problem::at(self.text, *pattern_at, problem))?;
            arguments.truncate(1);
            if let Some(text) = arguments.pop() {
                return self.node(at, Kind::Matches(text.into(), pattern));
            }
        }
        self.node(at, Kind::Call(*function, arguments))
    }
}
