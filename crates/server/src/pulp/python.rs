//! Texts as Python writes them, which stand in some of the dialect's messages.

use std::fmt::Write as _;

/// `['login', 'name']`.
pub(super) fn list_repr(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| repr(name)).collect();
    format!("[{}]", names.join(", "))
}

fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut written = String::with_capacity(text.len() + 2);
    written.push(quote);
    for c in text.chars() {
        match c {
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            c if c == quote => {
                written.push('\\');
                written.push(c);
            }
            // Writing to a String cannot fail.
            c if c.is_ascii_control() => drop(write!(written, "\\x{:02x}", u32::from(c))),
            c => written.push(c),
        }
    }
    written.push(quote);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_written_as_python_writes_it() {
        assert_eq!(list_repr(&[]), "[]");
        assert_eq!(list_repr(&["login", "role_id"]), "['login', 'role_id']");
        assert_eq!(list_repr(&["it's"]), "[\"it's\"]");
        assert_eq!(list_repr(&["'\""]), "['\\'\"']");
        assert_eq!(list_repr(&["a\\\n\u{1}"]), "['a\\\\\\n\\x01']");
    }
}
