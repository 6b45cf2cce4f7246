//! How far a long command is, for a person at a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for so many bytes, or a count where nobody knows how many there will be. Draws on stderr, and only on a terminal.
pub(crate) fn bytes(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{bar:32} {percent:>3} %  {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left  {msg}",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}, {bytes_per_sec}  {msg}"),
    };
    // The templates are ours; should one not be understood, the bar has its own look.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar
}

/// The same for so many entries of a ledger.
pub(crate) fn entries(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template = "{bar:32} {percent:>3} %  {pos} of {len} entries, {per_sec}, {eta} left  {msg}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar
}
