//! The table: one row for each thing measured, in one form.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write as _;

use crate::ratio::{Ratio, short};

/// What a row must reach.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Nothing: it is only written down.
    Recorded,
}

/// What a row came to.
pub(crate) enum Figure {
    /// Of pairs.
    Ratio(Ratio),
    /// Taken once, with its unit.
    Once(f64, &'static str),
    /// This version of grantd, or this build of the program, cannot do it.
    NotAvailable(String),
}

/// One row.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) against: String,
    pub(crate) figure: Figure,
    /// The figures behind the ratio.
    pub(crate) medians: String,
    pub(crate) target: Target,
}

impl Row {
    /// A row that cannot be measured.
    pub(crate) fn not_available(
        what: impl Into<String>,
        against: impl Into<String>,
        why: impl fmt::Display,
    ) -> Self {
        Self {
            what: what.into(),
            against: against.into(),
            figure: Figure::NotAvailable(why.to_string()),
            medians: String::new(),
            target: Target::Recorded,
        }
    }
}

impl Target {
    /// A target counts as reached when the interval reaches it.
    fn is_reached_by(self, figure: &Figure) -> &'static str {
        let (low, high) = match figure {
            Figure::Ratio(ratio) => (ratio.low, ratio.high),
            Figure::Once(figure, _) => (*figure, *figure),
            Figure::NotAvailable(_) => return "",
        };
        let reached = match self {
            Self::AtLeast(wanted) => high >= wanted,
            Self::AtMost(wanted) => low <= wanted,
            Self::Recorded => return "",
        };
        if reached { "yes" } else { "**no**" }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(wanted) => write!(f, ">= {}", short(*wanted)),
            Self::AtMost(wanted) => write!(f, "<= {}", short(*wanted)),
            Self::Recorded => f.write_str("recorded"),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio(ratio) => ratio.fmt(f),
            Self::Once(figure, unit) => write!(f, "{} {unit}", short(*figure)),
            Self::NotAvailable(why) => write!(f, "not available: {why}"),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, against, figure, medians, target } = self;
        let reached = target.is_reached_by(figure);
        write!(f, "| {what} | {against} | {figure} | {medians} | {target} | {reached} |")
    }
}

/// Prints rows as they come, and the notes when all are there.
#[derive(Default)]
pub(crate) struct Table {
    begun: bool,
    notes: BTreeSet<&'static str>,
}

impl Table {
    pub(crate) fn row(&mut self, row: &Row) {
        if !self.begun {
            println!("| what | against | ratio: median [95 % interval] | medians | target | reached |");
            println!("|---|---|---|---|---|---|");
            self.begun = true;
        }
        println!("{row}");
        // Somebody may be watching through a pipe; a reader that is gone is noticed at the next line.
        let _ = std::io::stdout().flush();
    }

    /// What a reader must know to be fair to both sides of a row.
    pub(crate) fn note(&mut self, note: &'static str) {
        self.notes.insert(note);
    }

    /// Prints the notes.
    pub(crate) fn end(self) {
        if !self.notes.is_empty() {
            println!("\nWhat the two sides of a row do differently, to be fair:\n");
        }
        for note in self.notes {
            println!("- {note}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(target: Target, values: Vec<f64>) -> &'static str {
        target.is_reached_by(&Figure::Ratio(Ratio::of(values)))
    }

    #[test]
    fn a_target_is_reached_when_the_interval_reaches_it() {
        assert_eq!(reached(Target::AtLeast(0.85), vec![0.8, 0.82, 0.86]), "yes");
        assert_eq!(reached(Target::AtLeast(0.85), vec![0.8, 0.82, 0.84]), "**no**");
        assert_eq!(reached(Target::AtMost(3.0), vec![2.9, 3.5, 4.0]), "yes");
        assert_eq!(reached(Target::AtMost(3.0), vec![3.1, 3.5, 4.0]), "**no**");
    }
}
