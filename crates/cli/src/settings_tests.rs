//! `docs/settings.md` says what clap and the settings file know.

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::config;

const DOCUMENT: &str = include_str!("../../../docs/settings.md");

/// `--data DIR`, or `--bench-route` for a switch.
fn flag(arg: &clap::Arg) -> String {
    let long = arg.get_long().unwrap();
    match arg.get_value_names().filter(|_| arg.get_action().takes_values()) {
        Some(names) => format!("--{long} {}", names.join(" ")),
        None => format!("--{long}"),
    }
}

fn settings(command: &clap::Command) -> Vec<&clap::Arg> {
    let known =
        |arg: &&clap::Arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str());
    command.get_arguments().filter(known).collect()
}

/// The first three columns of the table.
fn documented() -> Vec<[String; 3]> {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `--"));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(|cell| cell.trim().trim_matches('`').to_owned());
        [cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap()]
    })
    .collect()
}

#[test]
fn the_table_is_what_serve_takes() {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    let keys = config::keys();
    let expected: Vec<[String; 3]> = settings(serve)
        .iter()
        .map(|arg| {
            let id = arg.get_id().as_str();
            let key =
                keys.iter().find(|key| key.replace('.', "_") == id).map_or("-", String::as_str).to_owned();
            [flag(arg), arg.get_env().unwrap().to_str().unwrap().to_owned(), key]
        })
        .collect();
    assert_eq!(documented(), expected);
    let in_file: Vec<_> = expected.iter().map(|[_, _, key]| key.clone()).filter(|key| key != "-").collect();
    assert_eq!(in_file, keys, "a key of the file without a flag, or in another order");
}

#[test]
fn every_environment_variable_is_documented() {
    fn walk(command: &clap::Command, found: &mut Vec<String>) {
        found.extend(settings(command).iter().filter_map(|arg| Some(arg.get_env()?.to_str()?.to_owned())));
        command.get_subcommands().for_each(|command| walk(command, found));
    }
    let mut found = Vec::new();
    walk(&Cli::command(), &mut found);
    assert!(found.len() > 20, "{found:?}");
    for name in found {
        assert!(DOCUMENT.contains(&format!("`{name}`")), "{name} is not in docs/settings.md");
    }
}

#[test]
fn clap_finds_no_mistake_in_the_commands() {
    Cli::command().debug_assert();
}
