//! The help of every command, as reviewed.

use crate::support::Place;

/// The help of a command and of those below it.
fn help(place: &Place, command: &[&str], all: &mut String) {
    let text = place.run(&[command, &["--help"]].concat()).good();
    all.push_str(&format!("$ grantd {}\n\n{text}\n", [command, &["--help"]].concat().join(" ")));
    let listed = text.split_once("\nCommands:\n").map_or("", |(_, listed)| listed);
    for line in listed.lines().take_while(|line| !line.is_empty()) {
        // A longer line is continued below, further in.
        let Some(name) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) else { continue };
        let name = name.split_whitespace().next().unwrap();
        if name != "help" {
            help(place, &[command, &[name]].concat(), all);
        }
    }
}

#[test]
fn of_every_command() {
    let mut all = String::new();
    help(&Place::new(), &[], &mut all);
    insta::assert_snapshot!(all);
}

#[test]
fn the_version() {
    let version = Place::new().run(&["--version"]).good();
    assert_eq!(version, concat!("grantd ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn completions_name_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.run(&["completions", shell]).good();
        assert!(script.contains("checkpoint"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let shell = format!("'{}' completions bash | head -c 10", env!("CARGO_BIN_EXE_grantd"));
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &format!("set -o pipefail; {shell}")]).current_dir(place.path(""));
    let ran = crate::support::ran(command);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
}
