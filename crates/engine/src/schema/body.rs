//! Where the body of a condition ends.

/// The offset of the `}` that closes a body, braces, strings and `//` comments inside taken into account; none if it is
/// not closed.
pub(super) fn body_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let first = rest.chars().next()?;
        match first {
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            '{' => depth += 1,
            '/' if rest.starts_with("//") => {
                at += rest.find('\n')?;
                continue;
            }
            '"' | '\'' => {
                let before = text.get(..at).unwrap_or_default();
                at += string_length(rest, is_raw(before))?;
                continue;
            }
            _ => {}
        }
        at += first.len_utf8();
    }
    None
}

/// Whether the quote that follows begins a raw string: the `r` must not be the end of a longer word.
fn is_raw(before: &str) -> bool {
    let mut back = before.chars().rev().take_while(|c| c.is_ascii_alphanumeric() || *c == '_');
    let prefix: String = back.by_ref().take(3).collect();
    matches!(prefix.to_ascii_lowercase().as_str(), "r" | "rb" | "br")
}

/// How many bytes the string takes that the text begins with, quotes included; none if it has no end.
pub(crate) fn string_length(text: &str, raw: bool) -> Option<usize> {
    let quote = text.get(..1)?;
    let triple = quote.repeat(3);
    let (end, multiline) = if text.starts_with(&triple) { (triple.as_str(), true) } else { (quote, false) };
    let mut at = end.len();
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with(end) {
            return Some(at + end.len());
        }
        let first = rest.chars().next()?;
        if first == '\n' && !multiline {
            return None;
        }
        at += first.len_utf8();
        if first == '\\' && !raw {
            at += text.get(at..)?.chars().next()?.len_utf8();
        }
    }
}
