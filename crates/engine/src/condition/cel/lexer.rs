//! The tokens of an expression.

use super::Problem;
use crate::schema::string_length;

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    /// A whole number, without its sign.
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(String),
    Word(String),
    /// An operator or a bracket.
    Mark(&'static str),
    End,
}

impl Token {
    /// How a message shows it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Int(value) => format!("`{value}`"),
            Self::Uint(value) => format!("`{value}u`"),
            Self::Double(value) => format!("`{value}`"),
            Self::Text(_) => "a string".to_owned(),
            Self::Word(word) => format!("`{word}`"),
            Self::Mark(mark) => format!("`{mark}`"),
            Self::End => "the end of the expression".to_owned(),
        }
    }
}

/// The longer ones first.
const MARKS: [&str; 23] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", ".", ",", "+", "-", "*", "/", "%", "(", ")",
    "[", "]", "{",
];

/// The tokens with their offsets; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Problem> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (token, length) = token(text, at, rest, first)?;
        found.push((at, token));
        at += length;
    }
    found.push((text.len(), Token::End));
    Ok(found)
}

fn token(text: &str, at: usize, rest: &str, first: char) -> Result<(Token, usize), Problem> {
    let problem = |message: String| Problem::at(text, at, message);
    let follows_digit = rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if first.is_ascii_digit() || (first == '.' && follows_digit) {
        return number(rest).ok_or_else(|| problem("this number is malformed or too great".to_owned()));
    }
    let word = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let name = rest.get(..word).unwrap_or_default();
    let quoted = rest.get(word..).is_some_and(|after| after.starts_with(['"', '\'']));
    if quoted {
        let raw = match name.to_ascii_lowercase().as_str() {
            "" => false,
            "r" => true,
            "b" | "rb" | "br" => return Err(problem("bytes are not supported: use a string".to_owned())),
            _ => return Err(problem(format!("`{name}` before a string has no meaning"))),
        };
        let length = string_length(rest.get(word..).unwrap_or_default(), raw)
            .ok_or_else(|| problem("the string has no end".to_owned()))?;
        let quoted = rest.get(word..word + length).unwrap_or_default();
        let value =
            string(quoted, raw).map_err(|escape| problem(format!("`{escape}` is no escape of a string")))?;
        return Ok((Token::Text(value), word + length));
    }
    if word > 0 {
        return Ok((Token::Word(name.to_owned()), word));
    }
    if first == '}' {
        return Ok((Token::Mark("}"), 1));
    }
    MARKS
        .iter()
        .find(|mark| rest.starts_with(**mark))
        .map(|mark| (Token::Mark(mark), mark.len()))
        .ok_or_else(|| problem(format!("`{first}` has no meaning here")))
}

fn number(rest: &str) -> Option<(Token, usize)> {
    let digits = |from: usize| rest.bytes().skip(from).take_while(u8::is_ascii_digit).count();
    let byte = |at: usize| rest.as_bytes().get(at).map(u8::to_ascii_lowercase);
    if rest.starts_with("0x") || rest.starts_with("0X") {
        let length = rest.bytes().skip(2).take_while(u8::is_ascii_hexdigit).count() + 2;
        let value = u64::from_str_radix(rest.get(2..length)?, 16).ok()?;
        return whole(value, rest, length);
    }
    let mut length = digits(0);
    let mut is_double = false;
    if byte(length) == Some(b'.') && byte(length + 1).is_some_and(|b| b.is_ascii_digit()) {
        is_double = true;
        length += 1 + digits(length + 1);
    }
    if byte(length) == Some(b'e') {
        let sign = usize::from(matches!(byte(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            is_double = true;
            length += 1 + sign + exponent;
        }
    }
    let text = rest.get(..length)?;
    if is_double {
        let value: f64 = text.parse().ok()?;
        return (value.is_finite() && !in_word(rest, length)).then_some((Token::Double(value), length));
    }
    whole(text.parse().ok()?, rest, length)
}

fn whole(value: u64, rest: &str, length: usize) -> Option<(Token, usize)> {
    if rest.as_bytes().get(length).is_some_and(|b| matches!(b, b'u' | b'U')) {
        return (!in_word(rest, length + 1)).then_some((Token::Uint(value), length + 1));
    }
    (!in_word(rest, length)).then_some((Token::Int(value), length))
}

fn in_word(rest: &str, at: usize) -> bool {
    rest.as_bytes().get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// What a string with its quotes says; the error is the escape that has no meaning.
fn string(quoted: &str, raw: bool) -> Result<String, String> {
    let quote = quoted.get(..1).unwrap_or_default();
    let width = if quoted.len() >= 6 && quoted.starts_with(&quote.repeat(3)) { 3 } else { 1 };
    let inner = quoted.get(width..quoted.len() - width).unwrap_or_default();
    if raw {
        return Ok(inner.to_owned());
    }
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        value.push_str(before);
        let (c, length) =
            escape(after).ok_or_else(|| format!("\\{}", after.chars().take(1).collect::<String>()))?;
        value.push(c);
        rest = after.get(length..).unwrap_or_default();
    }
    value.push_str(rest);
    Ok(value)
}

/// The character that an escape stands for, and its length after the `\`.
fn escape(after: &str) -> Option<(char, usize)> {
    let coded = |from: usize, length: usize, radix: u32| -> Option<(char, usize)> {
        let digits = after.get(from..from + length)?;
        let plain = digits.bytes().all(|b| char::from(b).is_digit(radix));
        let code = plain.then(|| u32::from_str_radix(digits, radix).ok())??;
        Some((char::from_u32(code)?, from + length))
    };
    Some(match after.chars().next()? {
        'a' => ('\u{7}', 1),
        'b' => ('\u{8}', 1),
        'f' => ('\u{c}', 1),
        'n' => ('\n', 1),
        'r' => ('\r', 1),
        't' => ('\t', 1),
        'v' => ('\u{b}', 1),
        c @ ('\\' | '\'' | '"' | '`' | '?') => (c, 1),
        'x' | 'X' => coded(1, 2, 16)?,
        'u' => coded(1, 4, 16)?,
        'U' => coded(1, 8, 16)?,
        '0'..='3' => coded(0, 3, 8)?,
        _ => return None,
    })
}
