//! What goes to stdout. Errors of writing are errors like others: a reader that goes away (`| head`) must end a command,
//! not make it panic.

use std::fmt::Display;
use std::io::Write as _;

use comfy_table::{Table, presets};
use serde::Serialize;

/// Writes a line.
pub(crate) fn line(text: impl Display) -> anyhow::Result<()> {
    Ok(writeln!(anstream::stdout(), "{text}")?)
}

/// Writes a note for the person at the terminal, where it does not mix with what a program reads.
pub(crate) fn note(text: impl Display) -> anyhow::Result<()> {
    Ok(writeln!(anstream::stderr(), "{text}")?)
}

/// Writes a value as one line of JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string(value)?)
}

/// Writes a table: columns in line, no frame, so that it can be read by people and cut by programs.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec()).add_rows(rows);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    line(table.trim_fmt())
}
