//! What rules match: tools, paths, shell commands.
//!
//! Every text is a pattern, so that one that was stored can be read for ever; what makes little sense is refused when a rule is
//! made.

use std::sync::Arc;

use super::wild::{Part, fits};
use crate::refusal::Refusal;
use crate::request::{MAX_PATH, MAX_TOOL, Simple, Word};

/// A tool's name, in which `*` stands for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolPattern {
    text: Arc<str>,
    parts: Vec<Part<char>>,
}

fn parts(text: &str) -> Vec<Part<char>> {
    text.chars().map(|c| if c == '*' { Part::Any } else { Part::Is(c) }).collect()
}

impl ToolPattern {
    /// The pattern of this text.
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), parts: parts(text) }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it means this tool. What refuses is generous about capitals.
    pub(super) fn fits(&self, tool: &str, generous: bool) -> bool {
        let tool: Vec<char> = tool.chars().collect();
        let is =
            |wanted: &char, found: &char| wanted == found || generous && wanted.eq_ignore_ascii_case(found);
        fits(&self.parts, &tool, is, |_| true)
    }

    pub(super) fn check(text: &str) -> Result<(), Refusal> {
        if (1..=MAX_TOOL).contains(&text.len()) && !text.chars().any(char::is_control) {
            return Ok(());
        }
        Err(Refusal::invalid("tool", format!("must be 1 to {MAX_TOOL} bytes without control characters")))
    }
}

/// A path: `*` stands for anything within one segment, `**` as a segment for any number of segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: Arc<str>,
    segments: Vec<Part<Vec<Part<char>>>>,
}

/// The segments of a path; a slash at the end says nothing.
fn segments(path: &str) -> Vec<&str> {
    let path = path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path);
    path.split('/').collect()
}

/// The path without `.` and `..`, as far as its text says.
fn resolved(path: &str) -> Vec<&str> {
    let mut resolved: Vec<&str> = Vec::new();
    for segment in segments(path) {
        match segment {
            "." => {}
            // Doubled slashes; the first is the root.
            "" if !resolved.is_empty() => {}
            ".." if resolved.len() > 1 || resolved.first().is_some_and(|first| !first.is_empty()) => {
                resolved.pop();
            }
            ".." => {}
            other => resolved.push(other),
        }
    }
    resolved
}

impl PathPattern {
    /// The pattern of this text.
    pub fn new(text: &str) -> Self {
        let segment = |one: &str| if one == "**" { Part::Any } else { Part::Is(parts(one)) };
        Self { text: text.into(), segments: segments(text).into_iter().map(segment).collect() }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn fits(&self, path: &[&str]) -> bool {
        let is = |wanted: &Vec<Part<char>>, found: &&str| {
            let found: Vec<char> = found.chars().collect();
            fits(wanted, &found, |wanted, found| wanted == found, |_| true)
        };
        fits(&self.segments, path, is, |_| true)
    }

    /// Whether it surely means this path: one that leads back up (`..`) may lead anywhere.
    pub(super) fn covers(&self, path: &str) -> bool {
        let path = segments(path);
        !path.contains(&"..") && self.fits(&path)
    }

    /// Whether it may mean this path.
    pub(super) fn touches(&self, path: &str) -> bool {
        self.fits(&segments(path)) || self.fits(&resolved(path))
    }

    pub(super) fn check(text: &str) -> Result<(), Refusal> {
        if (1..=MAX_PATH).contains(&text.len()) && !text.chars().any(char::is_control) {
            return Ok(());
        }
        Err(Refusal::invalid("path", format!("must be 1 to {MAX_PATH} bytes without control characters")))
    }
}

/// The most bytes of a pattern of commands.
const MAX_COMMAND: usize = 4 << 10;

/// A shell command: words, in which an unquoted `*` stands for anything but a slash, `**` for anything. `*` as the last word stands for any
/// further words, none included. Quotes and backslashes are as in the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandPattern {
    text: Arc<str>,
    words: Vec<WordPattern>,
    /// Whether any further words may follow.
    rest: bool,
}

/// One word of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WordPattern(Vec<Glyph>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glyph {
    Is(char),
    /// `*`
    Any,
    /// `**`
    Across,
}

impl WordPattern {
    /// The word, if it has no wildcard.
    fn literal(&self) -> Option<String> {
        self.0.iter().map(|glyph| if let Glyph::Is(c) = glyph { Some(*c) } else { None }).collect()
    }

    fn is_any(&self) -> bool {
        matches!(self.0.as_slice(), [Glyph::Any | Glyph::Across])
    }

    fn parts(&self) -> Vec<Part<char>> {
        let part = |glyph: &Glyph| if let Glyph::Is(c) = glyph { Part::Is(*c) } else { Part::Any };
        self.0.iter().map(part).collect()
    }

    /// Whether it surely means this word, and the wildcard takes nothing that a person would not think of.
    fn covers(&self, word: &Word) -> bool {
        let Some(text) = word.text() else { return self.is_any() };
        if let Some(literal) = self.literal() {
            return literal == text;
        }
        if self.is_any() {
            return true;
        }
        if text.split('/').any(|segment| segment == "..") {
            return false;
        }
        let crosses = self.0.contains(&Glyph::Across);
        let text: Vec<char> = text.chars().collect();
        fits(&self.parts(), &text, |wanted, found| wanted == found, |c| crosses || *c != '/')
    }

    /// Whether it may mean this word.
    fn touches(&self, word: &Word) -> Likely {
        let Some(text) = word.text() else {
            return if self.is_any() { Likely::Yes } else { Likely::Maybe };
        };
        let text: Vec<char> = text.chars().collect();
        Likely::from(fits(&self.parts(), &text, |wanted, found| wanted == found, |_| true))
    }
}

/// Whether something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likely {
    No,
    /// It depends on what only the shell will know.
    Maybe,
    Yes,
}

impl From<bool> for Likely {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// Reads a pattern's words. Whether every quote ends.
fn words(text: &str) -> (Vec<WordPattern>, bool) {
    let mut words = Vec::new();
    let mut word: Option<Vec<Glyph>> = None;
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('"'), '\\') if matches!(chars.peek(), Some('"' | '\\' | '$' | '`')) => {
                word.get_or_insert_default().extend(chars.next().map(Glyph::Is));
            }
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(Glyph::Is(c)),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next().map(Glyph::Is)),
            (None, c) if c.is_ascii_whitespace() => words.extend(word.take()),
            (None, '*') => {
                let word = word.get_or_insert_default();
                // Two or more stars are one that crosses slashes.
                let doubled = word.pop_if(|last| matches!(last, Glyph::Any | Glyph::Across)).is_some();
                word.push(if doubled { Glyph::Across } else { Glyph::Any });
            }
            (None, c) => word.get_or_insert_default().push(Glyph::Is(c)),
        }
    }
    words.extend(word);
    (words.into_iter().map(WordPattern).collect(), quote.is_none())
}

/// A word so written that a pattern of it means this word alone.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,^".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

impl CommandPattern {
    /// The pattern of this text.
    pub fn new(text: &str) -> Self {
        let (mut words, _) = words(text);
        let rest = words.len() > 1 && words.last().is_some_and(WordPattern::is_any);
        if rest {
            words.pop();
        }
        Self { text: text.into(), words, rest }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn check(text: &str) -> Result<(), Refusal> {
        let refuse = |problem: &str| Err(Refusal::invalid("command", problem));
        if !(1..=MAX_COMMAND).contains(&text.len())
            || text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
        {
            return refuse("must be 1 to 4096 bytes without control characters");
        }
        let (words, closed) = words(text);
        if !closed {
            return refuse("a quote does not end");
        }
        match words.first().and_then(WordPattern::literal) {
            Some(name) if !name.is_empty() => Ok(()),
            _ => refuse(
                "must begin with the name of a command, without `*`; leave it out to mean every command",
            ),
        }
    }

    fn has_wildcard(&self) -> bool {
        self.rest || self.words.iter().any(|word| word.literal().is_none())
    }

    /// Whether an allow of this covers a command: never more than somebody would think who reads the pattern.
    pub(super) fn covers(&self, command: &Simple) -> bool {
        command.is_plain && covers(&self.words, self.rest, self.has_wildcard(), &command.words)
    }

    /// Whether this is, or may be, a command or one that it starts in turn.
    pub(super) fn touches(&self, command: &Simple) -> Likely {
        let starts = if command.words.first().is_some_and(starter) { command.words.len() } else { 1 };
        let tails = (0..starts).filter_map(|from| command.words.get(from..));
        tails.map(|tail| touches(&self.words, self.rest, tail)).max().unwrap_or(Likely::No)
    }
}

fn covers(pattern: &[WordPattern], rest: bool, wildcard: bool, words: &[Word]) -> bool {
    let long_enough = if rest { words.len() >= pattern.len() } else { words.len() == pattern.len() };
    if !long_enough || !pattern.iter().zip(words).all(|(pattern, word)| pattern.covers(word)) {
        return false;
    }
    let Some(name) = words.first().and_then(Word::text) else { return false };
    // Word for word there is nothing to think of.
    if !wildcard {
        return words.iter().all(Word::is_fixed);
    }
    let second = pattern.get(1).and_then(WordPattern::literal);
    let names_second = second.is_some_and(|word| !word.starts_with('-') && !word.contains('='));
    match kind(name) {
        Kind::Opaque => return false,
        // The command that it starts must be named, and is looked at like any other.
        Kind::Wrapper => {
            let (Some(pattern), Some(words)) = (pattern.get(1..), words.get(1..)) else { return false };
            return names_second && covers(pattern, rest, wildcard, words);
        }
        // What follows the name of a program is that program's own.
        Kind::Interpreter if !names_second => return false,
        _ => {}
    }
    let taken =
        words.iter().enumerate().filter(|(at, _)| pattern.get(*at).is_none_or(|p| p.literal().is_none()));
    taken.map(|(_, word)| word).all(|word| is_harmless(name, word))
}

fn touches(pattern: &[WordPattern], rest: bool, words: &[Word]) -> Likely {
    let long_enough = if rest { words.len() >= pattern.len() } else { words.len() == pattern.len() };
    // Words that only the shell knows may become none, or many.
    let open = words.iter().any(|word| word.text().is_none());
    if !long_enough && !open {
        return Likely::No;
    }
    let name = match (pattern.first().and_then(WordPattern::literal), words.first().map(Word::text)) {
        (Some(wanted), Some(Some(found))) => Likely::from(base(&wanted) == base(found)),
        (_, Some(None)) => Likely::Maybe,
        _ => Likely::No,
    };
    let pairs = pattern.iter().zip(words).skip(1);
    let known_end = words.iter().position(|word| word.text().is_none()).unwrap_or(words.len());
    let likely = pairs.enumerate().map(|(at, (pattern, word))| match pattern.touches(word) {
        // Behind a word that only the shell knows, the others may have moved.
        Likely::No if at + 1 > known_end => Likely::Maybe,
        likely => likely,
    });
    let likely = likely.min().unwrap_or(Likely::Yes).min(name);
    if long_enough && !(open && likely == Likely::Maybe) { likely } else { likely.min(Likely::Maybe) }
}

/// The name of a program without the directory that it is in.
fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// How a command treats its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As data.
    Plain,
    /// As a command to run.
    Wrapper,
    /// As a program to interpret, and words for that.
    Interpreter,
    /// In a way that no wildcard can be trusted with.
    Opaque,
}

const WRAPPERS: [&str; 18] = [
    "sudo",
    "doas",
    "nohup",
    "setsid",
    "exec",
    "command",
    "builtin",
    "time",
    "xargs",
    "stdbuf",
    "unbuffer",
    "ionice",
    "busybox",
    "chronic",
    "caffeinate",
    "npx",
    "bunx",
    "uvx",
];

const INTERPRETERS: [&str; 29] = [
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "mksh",
    "fish",
    "ash",
    "rbash",
    "csh",
    "tcsh",
    "pwsh",
    "python",
    "python2",
    "python3",
    "pypy3",
    "perl",
    "ruby",
    "node",
    "nodejs",
    "deno",
    "bun",
    "php",
    "lua",
    "luajit",
    "tclsh",
    "expect",
    "osascript",
    "Rscript",
];

const OPAQUE: [&str; 50] = [
    "eval", "source", ".", "env", "timeout", "nice", "taskset", "chrt", "ssh", "watch", "parallel", "entr",
    "awk", "gawk", "mawk", "nawk", "sed", "gsed", "ed", "ex", "vi", "vim", "nvim", "emacs", "su", "runuser",
    "chroot", "unshare", "nsenter", "script", "flock", "at", "batch", "crontab", "trap", "alias", "export",
    "declare", "typeset", "local", "readonly", "enable", "hash", "set", "shopt", "bind", "complete",
    "coproc", "strace", "gdb",
];

fn kind(name: &str) -> Kind {
    let name = base(name);
    if WRAPPERS.contains(&name) {
        Kind::Wrapper
    } else if INTERPRETERS.contains(&name) || name.starts_with("python3.") {
        Kind::Interpreter
    } else if OPAQUE.contains(&name) {
        Kind::Opaque
    } else {
        Kind::Plain
    }
}

/// Words of some commands that make them run others, or write files, beginning so.
const DANGEROUS: [(&str, &[&str]); 14] = [
    ("find", &["-exec", "-ok", "-delete", "-fprint", "-fls"]),
    ("fd", &["-x", "-X", "--exec"]),
    ("fdfind", &["-x", "-X", "--exec"]),
    (
        "git",
        &[
            "-c",
            "--config-env",
            "--exec",
            "--upload-pack",
            "--receive-pack",
            "-u",
            "--ext-diff",
            "--open-files",
            "-O",
        ],
    ),
    (
        "tar",
        &[
            "--to-command",
            "--checkpoint-action",
            "-I",
            "--use-compress-program",
            "--rsh-command",
            "-F",
            "--info-script",
            "--new-volume-script",
        ],
    ),
    ("bsdtar", &["--use-compress-program", "-I"]),
    ("rg", &["--pre", "--hostname-bin"]),
    ("sort", &["--compress-program", "-o", "--output"]),
    ("rsync", &["-e", "--rsh", "--rsync-path"]),
    ("scp", &["-S", "-o", "-D"]),
    ("man", &["-P", "--pager", "-H", "--html"]),
    ("zip", &["-T", "-TT", "--unzip-command"]),
    ("make", &["SHELL=", "--eval", "-E"]),
    ("less", &["-o", "-O", "--log-file"]),
];

fn dangers(name: &str) -> &'static [&'static str] {
    let name = base(name);
    DANGEROUS.iter().find(|(of, _)| *of == name).map_or(&[], |(_, words)| words)
}

/// Whether a wildcard may take this word of that command.
fn is_harmless(name: &str, word: &Word) -> bool {
    let dangers = dangers(name);
    match word.text() {
        _ if dangers.is_empty() => true,
        Some(text) => !dangers.iter().any(|danger| text.starts_with(danger)),
        // It might be any of them.
        None => false,
    }
}

/// Programs that are told shell commands in a word.
const SHELLS: [&str; 22] = [
    "sh", "bash", "dash", "zsh", "ksh", "mksh", "fish", "ash", "rbash", "csh", "tcsh", "pwsh", "eval", "su",
    "ssh", "watch", "parallel", "trap", "script", "flock", "runuser", "env",
];

/// Whether a command hands words of its own to a shell.
pub(crate) fn runs_shell(words: &[Word]) -> bool {
    words.iter().filter_map(Word::text).any(|word| SHELLS.contains(&base(word)))
        && words.first().is_some_and(starter)
}

/// Whether a command starts others that its words name.
fn starter(name: &Word) -> bool {
    match name.text() {
        Some(name) => kind(name) != Kind::Plain || matches!(base(name), "find" | "fd" | "fdfind"),
        None => false,
    }
}
