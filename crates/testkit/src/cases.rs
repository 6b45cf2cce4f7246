//! The decision cases of `cases/decisions`, read from their files.
//!
//! The form is told in `cases/decisions/README.md`.

#![expect(clippy::expect_used, clippy::panic, reason = "a broken case file fails the test that reads it")]

use std::path::Path;

use grantd_engine::{Condition, Key, Micros, Properties, Relationship, Value};

use crate::world::{Said, key_of};

/// One file: a model and what happens under it.
#[derive(Clone, Debug)]
pub struct Story {
    /// The file's name without its ending.
    pub name: String,
    /// The schema.
    pub model: String,
    /// What happens, in order.
    pub events: Vec<Event>,
}

/// What happens in a story.
#[derive(Clone, Debug)]
pub enum Event {
    /// Another model takes the place of the first.
    Remodelled(String),
    /// A relationship is written.
    Given(Relationship),
    /// A relationship is deleted.
    Deleted(Key),
    /// An object, in text form, is retired.
    Retired(String),
    /// Properties are stored about an object, in text form.
    Stored(String, Properties),
    /// Questions follow at a time, which say something besides.
    Moment(Micros, Said),
    /// A question is asked.
    Asked(Asked),
    /// A search is made.
    Searched(Searched),
}

/// A question with its right answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The line in the file.
    pub line: usize,
    /// The subject's text form.
    pub subject: String,
    /// The relation asked about.
    pub action: String,
    /// The resource's text form; a path may be in any spelling.
    pub resource: String,
    /// The right answer.
    pub answer: Answer,
}

/// A right answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It depends on these.
    If(Vec<String>),
    /// It depends on conditions of these names, which cannot be evaluated.
    Broken(Vec<String>),
}

/// A search with everything that it finds, in order.
#[derive(Clone, Debug)]
pub struct Searched {
    /// The line in the file.
    pub line: usize,
    /// `subjects TYPE ACTION RESOURCE`, `resources SUBJECT ACTION TYPE` or `actions SUBJECT RESOURCE`.
    pub words: Vec<String>,
    /// The text forms of what is found.
    pub found: Vec<String>,
}

/// Every story of a folder, in order of the file names.
#[must_use]
pub fn stories(folder: &Path) -> Vec<Story> {
    let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("a readable folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    paths.sort();
    paths.iter().map(|path| story(path)).collect()
}

fn story(path: &Path) -> Story {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut story = Story { name, model: String::new(), events: Vec::new() };
    let mut section = "";
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            section = line.strip_suffix(':').unwrap_or_else(|| panic!("{}: no section: {line}", story.name));
            story.events.extend(moment(section));
            if section == "model from now on" {
                story.events.push(Event::Remodelled(String::new()));
            }
        } else if section == "model" {
            story.model.push_str(line);
            story.model.push('\n');
        } else if let ("model from now on", Some(Event::Remodelled(model))) =
            (section, story.events.last_mut())
        {
            model.push_str(line);
            model.push('\n');
        } else {
            story.events.push(event(section, at + 1, line.trim()));
        }
    }
    story
}

/// The beginning of `ask at 0:` or `ask at 0 knowing {...}:`.
fn moment(section: &str) -> Option<Event> {
    let rest = section.strip_prefix("ask at ")?;
    let (now, said) = match rest.split_once(" knowing ") {
        None => (rest, Said::default()),
        Some((now, said)) => {
            let said: Properties = said.parse().unwrap_or_else(|error| panic!("{section}: {error}"));
            let map = |name| match said.get(name) {
                Some(Value::Map(map)) => map.clone(),
                _ => Properties::default(),
            };
            let (subject, action) = (map("subject"), map("action"));
            (now, Said { subject, action, resource: map("resource"), context: map("context") })
        }
    };
    let now = now.parse().unwrap_or_else(|_| panic!("there is no section `{section}`"));
    Some(Event::Moment(now, said))
}

fn event(section: &str, line: usize, text: &str) -> Event {
    match section {
        "given" => Event::Given(relationship(text)),
        "deleted" => Event::Deleted(key_of(text)),
        "retired" => Event::Retired(text.to_owned()),
        "stored" => {
            let (object, properties) = text.split_once(' ').expect("an object and its properties");
            Event::Stored(object.to_owned(), properties.parse().expect("a JSON object"))
        }
        _ if section.starts_with("ask at ") => question(line, text),
        _ => panic!("there is no section `{section}`"),
    }
}

/// `KEY [until TIME] [if CONDITION [PARAMETERS]]`
fn relationship(text: &str) -> Relationship {
    let (key, mut rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut relationship = Relationship::lasting(key_of(key));
    if let Some(after) = rest.strip_prefix("until ") {
        let (until, after) = after.split_once(' ').unwrap_or((after, ""));
        relationship.until = Some(until.parse().expect("microseconds"));
        rest = after;
    }
    if let Some(after) = rest.strip_prefix("if ") {
        let (name, parameters) = after.split_once(' ').unwrap_or((after, ""));
        let parameters = parameters.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        relationship.condition = Some(Condition { name: name.to_owned(), parameters });
        rest = "";
    }
    assert!(rest.is_empty(), "no relationship: {text}");
    relationship
}

fn question(line: usize, text: &str) -> Event {
    let words: Vec<_> = text.split_whitespace().collect();
    let names = |names: &str| names.split(',').map(str::to_owned).collect();
    let (answer, [subject, action, resource]) = match words[..] {
        ["yes", a, b, c] => (Answer::Yes, [a, b, c]),
        ["no", a, b, c] => (Answer::No, [a, b, c]),
        ["if", missing, a, b, c] => (Answer::If(names(missing)), [a, b, c]),
        ["broken", conditions, a, b, c] => (Answer::Broken(names(conditions)), [a, b, c]),
        ["subjects" | "resources" | "actions", ..] => {
            let (words, found) =
                text.split_once('=').unwrap_or_else(|| panic!("line {line}: no `=`: {text}"));
            let all = |text: &str| text.split_whitespace().map(str::to_owned).collect();
            return Event::Searched(Searched { line, words: all(words), found: all(found) });
        }
        _ => panic!("line {line}: no question: {text}"),
    };
    let (subject, action, resource) = (subject.to_owned(), action.to_owned(), resource.to_owned());
    Event::Asked(Asked { line, subject, action, resource, answer })
}
