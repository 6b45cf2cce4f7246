//! What a request asks for, as blocks to read: a command as it would run, a difference by its lines, every other parameter
//! by its name.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::text::{Limits, Shown, is_unseen};

/// The longest parameters that can be changed in a page's form.
pub(super) const EDITABLE: usize = 32 << 10;

/// A parameter.
pub(super) struct Block {
    pub(super) name: Shown,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// What would run: shown first, without its name.
    Command(Shown),
    /// Lines, each with how it begins.
    Difference(Vec<Line>, usize),
    /// Anything else.
    Text(Shown),
}

/// A line of a difference.
pub(super) struct Line {
    /// The class of the style sheet: `add`, `del`, `at` or nothing.
    pub(super) class: &'static str,
    pub(super) text: Shown,
}

impl Block {
    /// How many bytes of it are left out.
    pub(super) fn hidden(&self) -> usize {
        self.name.hidden()
            + match &self.kind {
                Kind::Command(text) | Kind::Text(text) => text.hidden(),
                Kind::Difference(_, hidden) => *hidden,
            }
    }

    /// Whether something in it cannot be seen as it is.
    pub(super) fn has_unseen(&self) -> bool {
        self.name.has_unseen()
            || match &self.kind {
                Kind::Command(text) | Kind::Text(text) => text.has_unseen(),
                Kind::Difference(lines, _) => lines.iter().any(|line| line.text.has_unseen()),
            }
    }
}

/// The blocks of an object's members: the command first, then by name.
pub(super) fn blocks(params: &str, limits: Limits) -> Vec<Block> {
    // Numbers stay as they were written: a float would not be.
    let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(params) else {
        let kind = Kind::Text(Shown::new(params, limits));
        return vec![Block { name: Shown::new("parameters", limits), kind }];
    };
    let mut blocks: Vec<Block> =
        members.iter().map(|(name, value)| block(name, value.get(), limits)).collect();
    blocks.sort_by_key(|block| !matches!(block.kind, Kind::Command(_)));
    blocks
}

fn block(name: &str, value: &str, limits: Limits) -> Block {
    let kind = match (name, serde_json::from_str::<Value>(value)) {
        ("command" | "cmd", Ok(Value::String(command))) => Kind::Command(Shown::new(&command, limits)),
        ("diff" | "patch", Ok(Value::String(text))) => difference(&text, limits),
        (_, Ok(Value::String(text))) => Kind::Text(Shown::new(&text, limits)),
        (_, Ok(other)) => Kind::Text(Shown::new(&spread(value, &other), limits)),
        (_, Err(_)) => Kind::Text(Shown::new(value, limits)),
    };
    Block { name: Shown::new(name, Limits { bytes: 200, lines: 1 }), kind }
}

/// A value over several lines, if that leaves it the same.
fn spread(raw: &str, value: &Value) -> String {
    let written = value.to_string();
    let spread = (written == raw).then(|| serde_json::to_string_pretty(value).ok()).flatten();
    spread.unwrap_or_else(|| raw.to_owned())
}

fn difference(text: &str, limits: Limits) -> Kind {
    let whole = Shown::new(text, limits);
    let kept = text.get(..text.len() - whole.hidden()).unwrap_or_default();
    let line = |text: &str| {
        let class = match text.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] | [b'@', b'@', ..] => "at",
            [b'+', ..] => "add",
            [b'-', ..] => "del",
            _ => "",
        };
        Line { class, text: Shown::new(text, Limits::NONE) }
    };
    Kind::Difference(kept.split('\n').map(line).collect(), whole.hidden())
}

/// The parameters as a person changes them: JSON over several lines, in which nothing is unseen.
pub(super) fn editable(params: &str) -> Option<String> {
    if params.len() > EDITABLE {
        return None;
    }
    let value: Value = serde_json::from_str(params).ok()?;
    let text = spread(params, &value);
    let mut seen = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unseen(letter) {
            // Unseen characters stand inside strings only, where JSON may name them.
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                seen.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            seen.push(letter);
        }
    }
    (seen.len() <= EDITABLE * 2).then_some(seen)
}

/// What was sent back, if it is another value than what was shown. Browsers send line ends as CR LF.
pub(super) fn edited(params: &str, sent: &str) -> Result<Option<String>, String> {
    let sent = sent.replace("\r\n", "\n");
    if editable(params).is_some_and(|shown| shown.trim() == sent.trim()) {
        return Ok(None);
    }
    let object: BTreeMap<String, &RawValue> = serde_json::from_str(&sent)
        .map_err(|error| format!("The parameters must be a JSON object: {error}."))?;
    let text = serde_json::to_string(&object).map_err(|error| error.to_string())?;
    Ok(Some(text).filter(|text| text != params))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn read(params: &str) -> Vec<(String, String)> {
        let text = |block: Block| match block.kind {
            Kind::Command(text) => ("$".to_owned(), text.to_string()),
            Kind::Text(text) => (block.name.to_string(), text.to_string()),
            Kind::Difference(lines, _) => {
                let lines: Vec<_> =
                    lines.iter().map(|line| format!("{}|{}", line.class, line.text)).collect();
                (block.name.to_string(), lines.join("\n"))
            }
        };
        blocks(params, Limits::NONE).into_iter().map(text).collect()
    }

    #[test]
    fn a_command_comes_first_and_every_parameter_is_shown() {
        let params = r#"{"cwd":"/srv","command":"echo \"<b>\"","n":12345678901234567890123,"l":[1,{"a":2}]}"#;
        let read = read(params);
        assert_eq!(read[0], ("$".into(), "echo &#34;&lt;b&gt;&#34;".into()));
        assert_eq!(read[1], ("cwd".into(), "/srv".into()));
        assert_eq!(read[2].0, "l");
        assert!(read[2].1.contains("&#34;a&#34;: 2"), "{}", read[2].1);
        assert_eq!(read[3], ("n".into(), "12345678901234567890123".into()), "as it was written");
    }

    #[test]
    fn a_difference_is_shown_by_its_lines() {
        let read = read(r#"{"diff":"--- a\n+++ b\n@@ -1 +1 @@\n-x<\n+y\n z"}"#);
        assert_eq!(read[0].1, "at|--- a\nat|+++ b\nat|@@ -1 +1 @@\ndel|-x&lt;\nadd|+y\n| z");
    }

    #[test]
    fn what_is_too_long_is_no_whole_block() {
        let params = format!(r#"{{"command":"{}"}}"#, "x".repeat(3_000));
        assert_eq!(blocks(&params, Limits::GLANCE)[0].hidden(), 1_000);
        assert_eq!(blocks(&params, Limits::NONE)[0].hidden(), 0);
    }

    #[test]
    fn parameters_come_back_as_they_were_or_changed() {
        let params = "{\"command\":\"ls \u{202e}\",\"n\":1.50}";
        let shown = editable(params).unwrap();
        assert!(shown.contains("\\u202e") && shown.contains("1.50"), "{shown}");
        assert_eq!(edited(params, &shown.replace('\n', "\r\n")), Ok(None));
        assert_eq!(edited(params, params), Ok(None));
        let changed =
            edited(params, r#"{ "command": "ls", "n": 12345678901234567890123 }"#).unwrap().unwrap();
        assert_eq!(changed, r#"{"command":"ls","n":12345678901234567890123}"#);
        assert!(edited(params, "[1]").is_err());
        assert!(edited(params, "{").is_err());
        assert_eq!(editable(&format!("{{\"a\":\"{}\"}}", "x".repeat(EDITABLE))), None);
    }
}
