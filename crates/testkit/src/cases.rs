//! The decision cases of `cases/decisions`, read from their files.
//!
//! The form is told in `cases/decisions/README.md`.

#![expect(clippy::expect_used, clippy::panic, reason = "a broken case file fails the test that reads it")]

use std::path::Path;

use grantd_engine::{Condition, Decision, Key, Micros, Properties, Relationship};

use crate::world::key_of;

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
    /// A relationship is written.
    Given(Relationship),
    /// A relationship is deleted.
    Deleted(Key),
    /// An object, in text form, is retired.
    Retired(String),
    /// A question is asked.
    Asked {
        /// The line in the file.
        line: usize,
        /// When.
        now: Micros,
        /// The subject's text form.
        subject: String,
        /// The relation asked about.
        action: String,
        /// The resource's text form; a path may be in any spelling.
        resource: String,
        /// The right answer.
        answer: Decision,
    },
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
        } else if section == "model" {
            story.model.push_str(line);
            story.model.push('\n');
        } else {
            story.events.push(event(section, at + 1, line.trim()));
        }
    }
    story
}

fn event(section: &str, line: usize, text: &str) -> Event {
    match section {
        "given" => Event::Given(relationship(text)),
        "deleted" => Event::Deleted(key_of(text)),
        "retired" => Event::Retired(text.to_owned()),
        _ => {
            let now = section.strip_prefix("ask at ").and_then(|now| now.parse().ok());
            question(line, now.unwrap_or_else(|| panic!("there is no section `{section}`")), text)
        }
    }
}

fn relationship(text: &str) -> Relationship {
    let words: Vec<_> = text.split_whitespace().collect();
    let (until, condition) = match words[..] {
        [_] => (None, None),
        [_, "until", until] => (Some(until.parse().expect("microseconds")), None),
        [_, "if", name] => {
            (None, Some(Condition { name: name.to_owned(), parameters: Properties::default() }))
        }
        _ => panic!("no relationship: {text}"),
    };
    Relationship { key: key_of(words.first().expect("a key")), until, condition }
}

fn question(line: usize, now: Micros, text: &str) -> Event {
    let words: Vec<_> = text.split_whitespace().collect();
    let (answer, [subject, action, resource]) = match words[..] {
        ["yes", a, b, c] => (Decision::Allowed, [a, b, c]),
        ["no", a, b, c] => (Decision::Denied, [a, b, c]),
        ["if", names, a, b, c] => {
            let missing = names.split(',').map(str::to_owned).collect();
            (Decision::Conditional { missing, broken: Vec::new() }, [a, b, c])
        }
        _ => panic!("line {line}: no question: {text}"),
    };
    Event::Asked {
        line,
        now,
        subject: subject.to_owned(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        answer,
    }
}
