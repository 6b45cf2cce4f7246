//! Shell commands taken apart into the simple commands that they run, by the parser of a shell.
//!
//! It errs on one side only: what is not surely understood is not plain, so that no allow covers it, and not read, so that any
//! deny or ask may speak of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use brush_parser::ast::{
    AndOr, Command, CommandPrefixOrSuffixItem, CompoundCommand, CompoundList, IoFileRedirectTarget,
    IoRedirect, Pipeline, RedirectList, SimpleCommand,
};
use brush_parser::word::{Parameter, ParameterExpr, WordPiece, WordPieceWithSource};
use brush_parser::{Parser, ParserOptions, SourceInfo, ast, word};

use super::act::{Script, Simple, Word};
use crate::rule::runs_shell;

/// What is longer is not read.
const LONGEST: usize = 16 << 10;

/// How deep commands can stand in commands.
const DEEPEST: usize = 4;

/// How deep, and how often, brackets and the words that begin a compound command can stand in a command that is read: the
/// parser goes down a level for each.
const NESTED: usize = 8;
const COMPOUNDS: usize = 24;

impl Script {
    /// What the shell would run.
    pub(super) fn parse(text: &str) -> Self {
        let mut reading = Reading::default();
        reading.program(text, Place::default());
        reading.end()
    }

    /// A program with its words, which no shell looks at.
    pub(super) fn of_words(words: Vec<Word>) -> Self {
        let mut reading = Reading::default();
        reading.add(Simple { words, is_plain: true, is_quoted: false }, Place::default());
        reading.end()
    }
}

/// Where a command stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    depth: usize,
    quoted: bool,
}

#[derive(Default)]
struct Reading {
    commands: Vec<Simple>,
    unread: bool,
    not_plain: bool,
}

/// What a word comes to.
#[derive(Default)]
struct Spelled {
    text: String,
    files: bool,
    open: bool,
}

fn options() -> ParserOptions {
    ParserOptions::default()
}

/// Whether the parser can be trusted with a text.
fn is_readable(text: &str) -> bool {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t' || c.is_whitespace() && !c.is_ascii();
    if text.len() > LONGEST || text.chars().any(odd) {
        return false;
    }
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let begins = ["if", "while", "until", "for", "case", "select", "function", "coproc", "time", "!", "[["];
    let words = text.split(|c: char| c.is_ascii_whitespace() || ";&|(){}`".contains(c));
    let compounds = words.filter(|word| begins.contains(word)).count();
    deepest <= NESTED && compounds + text.matches('`').count() <= COMPOUNDS
}

impl Reading {
    fn end(self) -> Script {
        let Self { commands, unread, not_plain } = self;
        Script { is_read: !unread, is_plain: !unread && !not_plain && !commands.is_empty(), commands }
    }

    fn program(&mut self, text: &str, place: Place) {
        if place.depth > DEEPEST || !is_readable(text) {
            self.unread = true;
            return;
        }
        // The parser is somebody else's, and the text anybody's.
        let parse = || Parser::new(text.as_bytes(), &options(), &SourceInfo::default()).parse_program();
        let parsed = catch_unwind(AssertUnwindSafe(parse));
        match parsed {
            Ok(Ok(program)) => program.complete_commands.iter().for_each(|list| self.list(list, place)),
            _ => self.unread = true,
        }
    }

    fn list(&mut self, list: &CompoundList, place: Place) {
        for item in &list.0 {
            self.pipeline(&item.0.first, place);
            for next in &item.0.additional {
                let (AndOr::And(pipeline) | AndOr::Or(pipeline)) = next;
                self.pipeline(pipeline, place);
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, place: Place) {
        pipeline.seq.iter().for_each(|command| self.command(command, place));
    }

    fn command(&mut self, command: &Command, place: Place) {
        match command {
            Command::Simple(simple) => self.simple(simple, place),
            Command::Compound(compound, redirects) => {
                self.compound(compound, place);
                self.redirects(redirects.as_ref(), place);
            }
            Command::Function(function) => {
                // From then on its name means something else.
                self.not_plain = true;
                self.compound(&function.body.0, place);
                self.redirects(function.body.1.as_ref(), place);
            }
            // Tests evaluate arithmetic, and that evaluates indexes.
            Command::ExtendedTest(..) => self.unread = true,
        }
    }

    fn redirects(&mut self, redirects: Option<&RedirectList>, place: Place) {
        for redirect in redirects.into_iter().flat_map(|list| &list.0) {
            self.not_plain |= !self.redirect(redirect, place);
        }
    }

    fn compound(&mut self, compound: &CompoundCommand, place: Place) {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list, place),
            CompoundCommand::Subshell(subshell) => self.list(&subshell.list, place),
            CompoundCommand::ForClause(clause) => {
                // It sets a variable, whatever that means to the commands in it.
                self.not_plain = true;
                for value in clause.values.iter().flatten() {
                    self.word(value, place);
                }
                self.list(&clause.body.list, place);
            }
            CompoundCommand::CaseClause(clause) => {
                self.word(&clause.value, place);
                for case in &clause.cases {
                    for pattern in &case.patterns {
                        self.word(pattern, place);
                    }
                    case.cmd.iter().for_each(|list| self.list(list, place));
                }
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition, place);
                self.list(&clause.then, place);
                for otherwise in clause.elses.iter().flatten() {
                    otherwise.condition.iter().for_each(|list| self.list(list, place));
                    self.list(&otherwise.body, place);
                }
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0, place);
                self.list(&clause.1.list, place);
            }
            _ => self.unread = true,
        }
    }

    fn simple(&mut self, simple: &SimpleCommand, place: Place) {
        let mut command = Simple { words: Vec::new(), is_plain: true, is_quoted: place.quoted };
        for item in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => {
                    command.is_plain &= self.redirect(redirect, place);
                }
                other => {
                    command.is_plain = false;
                    self.item(other, place);
                }
            }
        }
        if let Some(name) = &simple.word_or_name {
            command.words.push(self.word(name, place));
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => {
                    command.is_plain &= self.redirect(redirect, place);
                }
                other => {
                    let word = self.item(other, place);
                    command.words.push(word);
                }
            }
        }
        if command.words.is_empty() {
            // Assignments that stay, or a file made empty.
            self.not_plain = true;
        } else {
            self.add(command, place);
        }
    }

    /// Takes a command, and what it tells a shell to run.
    fn add(&mut self, command: Simple, place: Place) {
        if runs_shell(&command.words) {
            let inside = Place { depth: place.depth + 1, quoted: true };
            for word in command.words.iter().skip(1) {
                match word.text() {
                    Some(text)
                        if text.contains(|c: char| c.is_ascii_whitespace() || ";&|<>$`()".contains(c)) =>
                    {
                        self.program(text, inside);
                    }
                    Some(_) => {}
                    None => self.unread = true,
                }
            }
        }
        self.commands.push(command);
    }

    fn item(&mut self, item: &CommandPrefixOrSuffixItem, place: Place) -> Word {
        match item {
            CommandPrefixOrSuffixItem::Word(word) => self.word(word, place),
            CommandPrefixOrSuffixItem::AssignmentWord(_, word) => self.word(word, place),
            CommandPrefixOrSuffixItem::ProcessSubstitution(_, subshell) => {
                self.list(&subshell.list, place);
                Word::Open
            }
            CommandPrefixOrSuffixItem::IoRedirect(_) => Word::Open,
        }
    }

    /// Whether a redirection touches no file.
    fn redirect(&mut self, redirect: &IoRedirect, place: Place) -> bool {
        let nowhere = Word::Fixed("/dev/null".into());
        match redirect {
            IoRedirect::File(_, _, target) => match target {
                IoFileRedirectTarget::Fd(_) => true,
                IoFileRedirectTarget::Filename(word) => self.word(word, place) == nowhere,
                IoFileRedirectTarget::Duplicate(word) => match self.word(word, place) {
                    Word::Fixed(fd) => fd == "-" || !fd.is_empty() && fd.bytes().all(|b| b.is_ascii_digit()),
                    _ => false,
                },
                IoFileRedirectTarget::ProcessSubstitution(_, subshell) => {
                    self.list(&subshell.list, place);
                    false
                }
            },
            IoRedirect::OutputAndError(word, _) => self.word(word, place) == nowhere,
            IoRedirect::HereString(_, word) => {
                self.word(word, place);
                false
            }
            IoRedirect::HereDocument(_, document) => {
                let text = &document.doc.value;
                self.unread |= document.requires_expansion && (text.contains('$') || text.contains('`'));
                false
            }
        }
    }

    fn word(&mut self, word: &ast::Word, place: Place) -> Word {
        let parsed = catch_unwind(AssertUnwindSafe(|| word::parse(&word.value, &options())));
        let Ok(Ok(pieces)) = parsed else {
            self.unread = true;
            return Word::Open;
        };
        let mut spelled = Spelled::default();
        pieces.iter().for_each(|piece| self.piece(piece, false, &mut spelled, place));
        match spelled {
            Spelled { open: true, .. } => Word::Open,
            Spelled { files: true, text, .. } => Word::Files(text),
            Spelled { text, .. } => Word::Fixed(text),
        }
    }

    fn piece(&mut self, piece: &WordPieceWithSource, in_quotes: bool, spelled: &mut Spelled, place: Place) {
        match &piece.piece {
            WordPiece::Text(text) => {
                if !in_quotes {
                    spelled.files |= text.contains(['*', '?', '[']);
                    // Braces may become several words.
                    spelled.open |= text.contains('{') || text.contains('(');
                    // Patterns in brackets run commands in other shells than the parser's.
                    self.not_plain |= text.contains('(');
                }
                spelled.text.push_str(text);
            }
            WordPiece::SingleQuotedText(text) => spelled.text.push_str(text),
            WordPiece::AnsiCQuotedText(text) => {
                spelled.open |= text.contains('\\');
                spelled.text.push_str(text);
            }
            WordPiece::DoubleQuotedSequence(pieces) => {
                pieces.iter().for_each(|piece| self.piece(piece, true, spelled, place));
            }
            WordPiece::GettextDoubleQuotedSequence(pieces) => {
                spelled.open = true;
                pieces.iter().for_each(|piece| self.piece(piece, true, spelled, place));
            }
            WordPiece::EscapeSequence(text) => {
                let escaped = text.strip_prefix('\\').unwrap_or(text);
                if escaped != "\n" {
                    spelled.text.push_str(escaped);
                }
            }
            WordPiece::TildePrefix(whose) if whose.is_empty() => {
                spelled.files = true;
                spelled.text.push('~');
            }
            WordPiece::TildePrefix(_) => spelled.open = true,
            WordPiece::ParameterExpansion(expansion) => {
                spelled.open = true;
                self.unread |= !is_simple(expansion);
            }
            WordPiece::CommandSubstitution(text) => {
                spelled.open = true;
                self.program(text, Place { depth: place.depth + 1, ..place });
            }
            WordPiece::BackquotedCommandSubstitution(text) => {
                spelled.open = true;
                if text.contains('\\') {
                    self.unread = true;
                } else {
                    self.program(text, Place { depth: place.depth + 1, ..place });
                }
            }
            WordPiece::ArithmeticExpression(_) => {
                spelled.open = true;
                self.unread = true;
            }
        }
    }
}

/// Whether an expansion is the value of a variable and nothing else: the others evaluate words, patterns and indexes.
fn is_simple(expansion: &ParameterExpr) -> bool {
    match expansion {
        ParameterExpr::Parameter { parameter, indirect } => {
            !indirect
                && matches!(parameter, Parameter::Named(_) | Parameter::Positional(_) | Parameter::Special(_))
        }
        _ => false,
    }
}
