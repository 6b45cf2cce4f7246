//! Passwords come from the terminal, unseen, or from stdin; never from the command line, where others can see them.

use std::io::IsTerminal as _;

use anyhow::{Context as _, bail};

/// Asks twice at a terminal; else reads the first line of stdin.
pub(crate) fn read() -> anyhow::Result<String> {
    let password = if std::io::stdin().is_terminal() { ask()? } else { first_line()? };
    if password.is_empty() {
        bail!("the password is empty; type one, or write it to stdin as one line");
    }
    Ok(password)
}

fn ask() -> anyhow::Result<String> {
    let unreadable = "the password cannot be read from the terminal; write it to stdin as one line";
    let password = rpassword::prompt_password("New password: ").context(unreadable)?;
    if rpassword::prompt_password("Again: ").context(unreadable)? != password {
        bail!("the two passwords differ; nothing was changed");
    }
    Ok(password)
}

fn first_line() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("the password cannot be read from stdin")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
