//! Text that somebody else wrote, shown so that what is read is what is there.
//!
//! A request's text comes from an agent, and an agent repeats what it has read anywhere. Markup is escaped as everywhere;
//! here, characters that nobody sees, or that change where others stand, are named instead (the style sheet also keeps
//! letters in the order in which they are stored).

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;

/// A text as HTML, for between tags and not for an attribute: escaped, unseen characters named. What is longer than its limits is cut, and says so.
pub(super) struct Shown {
    text: String,
    hidden: usize,
}

/// How much of a text is shown: bytes and lines.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) bytes: usize,
    pub(super) lines: usize,
}

impl Limits {
    /// What a person takes in at a glance, in a list.
    pub(super) const GLANCE: Self = Self { bytes: 2_000, lines: 24 };
    /// A title, in a line or two.
    pub(super) const TITLE: Self = Self { bytes: 200, lines: 1 };
    /// All of it.
    pub(super) const NONE: Self = Self { bytes: usize::MAX, lines: usize::MAX };
}

impl Shown {
    pub(super) fn new(text: &str, limits: Limits) -> Self {
        let end = end(text, limits);
        let shown = text.get(..end).unwrap_or_default();
        Self { text: shown.to_owned(), hidden: text.len() - shown.len() }
    }

    /// How many bytes are not shown.
    pub(super) fn hidden(&self) -> usize {
        self.hidden
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether something in it cannot be seen as it is.
    pub(super) fn has_unseen(&self) -> bool {
        self.text.chars().any(is_unseen)
    }
}

/// Where a text is cut: at a character's end.
fn end(text: &str, limits: Limits) -> usize {
    let by_bytes = text.floor_char_boundary(limits.bytes);
    let lines = text.match_indices('\n').nth(limits.lines.saturating_sub(1));
    lines.map_or(by_bytes, |(at, _)| by_bytes.min(at))
}

impl HtmlSafe for Shown {}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&#34;")?,
                '\'' => f.write_str("&#39;")?,
                unseen if is_unseen(unseen) => {
                    let mut times = 1;
                    while letters.next_if_eq(&unseen).is_some() {
                        times += 1;
                    }
                    write!(f, "<b class=\"unseen\">U+{:04X}", u32::from(unseen))?;
                    if times > 1 {
                        write!(f, " ×{times}")?;
                    }
                    f.write_str("</b>")?;
                }
                plain => f.write_char(plain)?,
            }
        }
        Ok(())
    }
}

/// The text for a field, which can mark nothing: with names instead of what cannot be seen.
pub(in crate::pages) fn in_field(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unseen(letter) || matches!(letter, '\n' | '\t') {
            // A string takes whatever is written to it.
            let _ = write!(out, "<U+{:04X}>", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    out
}

/// Whether a character leaves no mark of its own, or moves others: controls, formats, separators, fillers, and spaces that
/// are not the space. Line feeds and tabs are shown as what they are.
pub(super) fn is_unseen(letter: char) -> bool {
    let code = u32::from(letter);
    if code < 0xa0 {
        return letter.is_control() && !matches!(letter, '\n' | '\t');
    }
    matches!(code,
        0xa0 | 0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x1680 | 0x17b4..=0x17b5 | 0x180b..=0x180f
        | 0x2000..=0x200f | 0x2028..=0x202f | 0x205f..=0x206f | 0x2800 | 0x3000 | 0x3164
        | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x110bd | 0x110cd | 0x13430..=0x13455
        | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe000..=0xf8ff | 0xe0000..=0x10ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> String {
        Shown::new(text, Limits::NONE).to_string()
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(all("<b a=\"'&\">"), "&lt;b a=&#34;&#39;&amp;&#34;&gt;");
        assert_eq!(all("rm -r \"$HOME\"\n\tls"), "rm -r &#34;$HOME&#34;\n\tls");
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        assert_eq!(all("a\u{202e}b"), "a<b class=\"unseen\">U+202E</b>b");
        assert_eq!(all("\u{1b}[2K\r"), "<b class=\"unseen\">U+001B</b>[2K<b class=\"unseen\">U+000D</b>");
        assert_eq!(all("a\u{200b}\u{200b}\u{200b}b"), "a<b class=\"unseen\">U+200B ×3</b>b");
        for unseen in ['\0', '\u{7f}', '\u{85}', '\u{a0}', '\u{2066}', '\u{2800}', '\u{feff}', '\u{e0041}'] {
            assert!(Shown::new(&unseen.to_string(), Limits::NONE).has_unseen(), "{unseen:?}");
        }
        for seen in ['a', ' ', '\n', '\t', 'é', 'ש', '漢', '🙂'] {
            assert!(!is_unseen(seen), "{seen:?}");
        }
    }

    #[test]
    fn a_field_names_them_too() {
        assert_eq!(in_field("ls \u{202e}a\nb"), "ls <U+202E>a<U+000A>b");
        assert_eq!(in_field("ls -la"), "ls -la");
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let cut = Shown::new("aé漢b", Limits { bytes: 5, lines: 9 });
        assert_eq!((cut.to_string(), cut.hidden()), ("aé".into(), 4));
        let lines = Shown::new("1\n2\n3\n", Limits { bytes: 99, lines: 2 });
        assert_eq!((lines.to_string(), lines.hidden()), ("1\n2".into(), 3));
        let whole = Shown::new("1\n2", Limits { bytes: 3, lines: 2 });
        assert_eq!(whole.hidden(), 0);
        assert_eq!(Shown::new("12", Limits { bytes: 9, lines: 1 }).hidden(), 0);
    }
}
