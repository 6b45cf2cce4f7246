//! What Python's reader says of a text that is no JSON: the portal's clients are shown its words.
//!
//! Only a body that could not be read comes here, and it is nested no deeper than a body may be.

/// Says what is wrong.
pub(super) fn of(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let (place, byte) =
                (error.valid_up_to(), bytes.get(error.valid_up_to()).copied().unwrap_or_default());
            return match error.error_len() {
                None => format!(
                    "'utf-8' codec can't decode bytes in position {place}-{}: unexpected end of data",
                    bytes.len() - 1
                ),
                Some(_) if (0xc2..=0xf4).contains(&byte) => {
                    format!(
                        "'utf-8' codec can't decode byte 0x{byte:02x} in position {place}: invalid continuation byte"
                    )
                }
                Some(_) => format!(
                    "'utf-8' codec can't decode byte 0x{byte:02x} in position {place}: invalid start byte"
                ),
            };
        }
    };
    let letters: Vec<char> = text.chars().collect();
    if letters.first() == Some(&'\u{feff}') {
        return at(&letters, "Unexpected UTF-8 BOM (decode using utf-8-sig)", 0);
    }
    let mut reader = Reader { letters: &letters, at: 0 };
    match reader.document() {
        Err(Wrong::At(what, place)) => at(&letters, what, place),
        Err(Wrong::Constant(name)) => out_of_range(name),
        // Python takes what we do not: a number that no float holds, half a surrogate pair.
        Ok(()) => out_of_range("inf"),
    }
}

fn out_of_range(what: &str) -> String {
    format!("Out of range float values are not JSON compliant: '{what}'")
}

fn at(letters: &[char], what: &str, place: usize) -> String {
    let before = letters.get(..place).unwrap_or(letters);
    let line = before.iter().filter(|c| **c == '\n').count() + 1;
    let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
    format!("{what}: line {line} column {column} (char {place})")
}

enum Wrong {
    At(&'static str, usize),
    Constant(&'static str),
}

struct Reader<'a> {
    letters: &'a [char],
    at: usize,
}

type Read = Result<(), Wrong>;

impl Reader<'_> {
    fn document(&mut self) -> Read {
        self.blanks();
        self.value()?;
        self.blanks();
        if self.at < self.letters.len() { Err(Wrong::At("Extra data", self.at)) } else { Ok(()) }
    }

    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|c| " \t\n\r".contains(c)) {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let is_there = self.letters.get(self.at..).is_some_and(|rest| {
            rest.len() >= word.chars().count() && word.chars().zip(rest).all(|(a, b)| a == *b)
        });
        if is_there {
            self.at += word.chars().count();
        }
        is_there
    }

    fn value(&mut self) -> Read {
        match self.peek() {
            Some('"') => self.text(),
            Some('{') => self.object(),
            Some('[') => self.array(),
            _ if self.take("null") || self.take("true") || self.take("false") => Ok(()),
            _ if self.take("NaN") => Err(Wrong::Constant("NaN")),
            _ if self.take("Infinity") => Err(Wrong::Constant("Infinity")),
            _ if self.take("-Infinity") => Err(Wrong::Constant("-Infinity")),
            _ => self.number(),
        }
    }

    fn object(&mut self) -> Read {
        self.at += 1;
        self.blanks();
        if self.take("}") {
            return Ok(());
        }
        loop {
            if self.peek() != Some('"') {
                return Err(Wrong::At("Expecting property name enclosed in double quotes", self.at));
            }
            self.text()?;
            self.blanks();
            if !self.take(":") {
                return Err(Wrong::At("Expecting ':' delimiter", self.at));
            }
            self.blanks();
            self.value()?;
            if self.ends('}', "Illegal trailing comma before end of object")? {
                return Ok(());
            }
        }
    }

    fn array(&mut self) -> Read {
        self.at += 1;
        self.blanks();
        if self.take("]") {
            return Ok(());
        }
        loop {
            self.value()?;
            if self.ends(']', "Illegal trailing comma before end of array")? {
                return Ok(());
            }
        }
    }

    /// Whether the list ends here; if not, another item follows.
    fn ends(&mut self, close: char, trailing: &'static str) -> Result<bool, Wrong> {
        self.blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(true);
        }
        let comma = self.at;
        if !self.take(",") {
            return Err(Wrong::At("Expecting ',' delimiter", comma));
        }
        self.blanks();
        if self.peek() == Some(close) { Err(Wrong::At(trailing, comma)) } else { Ok(false) }
    }

    fn text(&mut self) -> Read {
        let begin = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(Wrong::At("Unterminated string starting at", begin)),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => self.escape(begin)?,
                Some(c) if u32::from(c) < 0x20 => {
                    return Err(Wrong::At("Invalid control character at", self.at));
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self, begin: usize) -> Read {
        let place = self.at;
        self.at += 1;
        match self.peek() {
            None => Err(Wrong::At("Unterminated string starting at", begin)),
            Some('u') => {
                let digits = self.letters.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|digits| digits.iter().all(char::is_ascii_hexdigit)) {
                    return Err(Wrong::At("Invalid \\uXXXX escape", place + 1));
                }
                self.at += 5;
                Ok(())
            }
            Some(c) if "\"\\/bfnrt".contains(c) => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(Wrong::At("Invalid \\escape", place)),
        }
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`
    fn number(&mut self) -> Read {
        let begin = self.at;
        let _negative = self.take("-");
        if !self.take("0") && self.digits() == 0 {
            return Err(Wrong::At("Expecting value", begin));
        }
        let whole = self.at;
        if self.take(".") && self.digits() == 0 {
            self.at = whole;
            return Ok(());
        }
        let mantissa = self.at;
        if self.take("e") || self.take("E") {
            let _signed = self.take("+") || self.take("-");
            if self.digits() == 0 {
                self.at = mantissa;
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let begin = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - begin
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a failed test panics")]
    use super::of;

    #[test]
    fn it_says_what_python_says() {
        for (text, said) in [
            (r#"{"codename": }"#, "Expecting value: line 1 column 14 (char 13)"),
            ("", "Expecting value: line 1 column 1 (char 0)"),
            ("not json", "Expecting value: line 1 column 1 (char 0)"),
            (r#"{"a":1,}"#, "Illegal trailing comma before end of object: line 1 column 7 (char 6)"),
            ("[1,]", "Illegal trailing comma before end of array: line 1 column 3 (char 2)"),
            ("{a:1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
            (r#"{"a" 1}"#, "Expecting ':' delimiter: line 1 column 6 (char 5)"),
            (r#"{"a":1 "b":2}"#, "Expecting ',' delimiter: line 1 column 8 (char 7)"),
            ("{}\n {}", "Extra data: line 2 column 2 (char 4)"),
            (r#"{"a":"x"#, "Unterminated string starting at: line 1 column 6 (char 5)"),
            ("{\"a\":\"\u{1}\"}", "Invalid control character at: line 1 column 7 (char 6)"),
            (r#""\x""#, "Invalid \\escape: line 1 column 2 (char 1)"),
            ("\u{feff}{}", "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)"),
            ("{\"a\":NaN}", "Out of range float values are not JSON compliant: 'NaN'"),
            ("{\"å\":\n-}", "Expecting value: line 2 column 1 (char 6)"),
        ] {
            assert_eq!(of(text.as_bytes()), said, "{text}");
        }
        let bad = of(b"{\"a\":\"\xff\"}");
        assert_eq!(bad, "'utf-8' codec can't decode byte 0xff in position 6: invalid start byte");
    }

    #[test]
    fn whatever_is_cut_or_broken_something_is_said() {
        let whole = "{\"å\": [1, -2.5e+3, true, null, \"\\u00e9\\n\"], \"b\": {\"c\": 0.5}}".as_bytes();
        for place in 0..whole.len() {
            assert!(!of(&whole[..place]).is_empty());
            for byte in [0, b'"', b'\\', b'{', b']', b',', b'-', 0xc3, 0xff] {
                let mut broken = whole.to_vec();
                broken[place] = byte;
                assert!(!of(&broken).is_empty());
            }
        }
    }
}
