//! What a request wants to do, as rules see it.

use grantd_engine::{Properties, Value};

use crate::refusal::Refusal;
use crate::rule::quoted;

/// What a request wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    tool: String,
    path: Option<String>,
    script: Option<Script>,
}

/// A shell command, with everything that it runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Every simple command in it, those in substitutions included.
    pub commands: Vec<Simple>,
    /// Whether it was understood to its end.
    pub is_read: bool,
    /// Whether there is nothing in it that no allow covers.
    pub is_plain: bool,
}

/// A simple command: a program and its words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Simple {
    /// The words after the shell's quotes are taken away.
    pub words: Vec<Word>,
    /// Whether it has neither assignments in front of it nor redirections other than to nowhere.
    pub is_plain: bool,
    /// Whether it stands in a word of another one, which may run it (`sh -c '...'`).
    pub is_quoted: bool,
}

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Just this.
    Fixed(String),
    /// Names of files that look like this, which only the shell knows.
    Files(String),
    /// What only the shell knows.
    Open,
}

impl Word {
    /// What it says, as far as it can be known.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Fixed(text) | Self::Files(text) => Some(text),
            Self::Open => None,
        }
    }

    /// Whether it means the same each time.
    pub fn is_fixed(&self) -> bool {
        self.text().is_some()
    }
}

/// Parameters that hold a shell command.
const COMMAND: [&str; 2] = ["command", "cmd"];

/// The parameters, which must be a JSON object.
pub(super) fn check_params(field: &'static str, params: &str) -> Result<Properties, Refusal> {
    if params.is_empty() {
        return Err(Refusal::invalid(field, "must be a JSON object"));
    }
    params.parse().map_err(|_| Refusal::invalid(field, "must be a JSON object"))
}

impl Act {
    /// What a request for this tool with these parameters wants to do.
    pub fn read(tool: &str, path: Option<&str>, params: &str) -> Result<Self, Refusal> {
        let params = check_params("params", params)?;
        let script = command_of(&params);
        Ok(Self { tool: tool.into(), path: path.map(Into::into), script })
    }

    /// Which tool.
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// Where.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The shell command, if it has one.
    pub fn script(&self) -> Option<&Script> {
        self.script.as_ref()
    }
}

/// The shell command in the parameters. Of two at once nobody knows which is run.
fn command_of(params: &Properties) -> Option<Script> {
    let mut found = COMMAND.into_iter().filter_map(|name| params.get(name));
    match (found.next(), found.next()) {
        (Some(command), None) => Some(script(command)),
        (Some(_), Some(_)) => Some(Script::default()),
        (None, _) => None,
    }
}

/// A text is for the shell; a list is one command, whose words no shell looks at.
fn script(command: &Value) -> Script {
    match command {
        Value::Text(text) => Script::parse(text),
        Value::List(words) => {
            let word = |word: &Value| match word {
                Value::Text(text) => Some(Word::Fixed(text.to_string())),
                _ => None,
            };
            let words: Option<Vec<Word>> = words.iter().map(word).collect();
            words.map_or_else(Script::default, Script::of_words)
        }
        _ => Script::default(),
    }
}

/// A pattern that means the very command that these parameters hold, if that is a single one that can be known.
pub(super) fn command_pattern(params: &str) -> Option<String> {
    let params: Properties = params.parse().ok()?;
    let script = command_of(&params)?;
    let [command] = script.commands.iter().filter(|command| !command.is_quoted).collect::<Vec<_>>()[..]
    else {
        return None;
    };
    if !script.is_plain || !command.is_plain {
        return None;
    }
    let words: Option<Vec<String>> = command.words.iter().map(|word| word.text().map(quoted)).collect();
    words.map(|words| words.join(" "))
}
