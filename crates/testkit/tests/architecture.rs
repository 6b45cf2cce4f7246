//! The rooms, and who may know whom: the arrows between the crates are exactly these.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate, and the ones of ours that it may use.
const ARROWS: [(&str, &[&str]); 8] = [
    ("engine", &[]),
    ("realm", &["engine"]),
    ("ledger", &[]),
    ("node", &["engine", "realm", "ledger"]),
    ("server", &["engine", "realm", "node"]),
    ("cli", &["engine", "realm", "node", "server"]),
    // For tests and measurements only, and so free to know everybody.
    ("testkit", &["engine", "realm", "ledger"]),
    ("benches", &["engine", "realm", "ledger", "node", "server", "testkit"]),
];

/// What the pure crates must not know: a runtime, a store, a wire, a clock.
const IMPURE: [&str; 13] = [
    "tokio",
    "futures",
    "async-trait",
    "rusqlite",
    "tokio-postgres",
    "axum",
    "hyper",
    "http",
    "reqwest",
    "serde",
    "getrandom",
    "jiff",
    "tracing",
];

/// Crates whose manifests are ahead of their code.
const GROWING: [&str; 1] = ["cli"];

struct Crate {
    uses: BTreeSet<String>,
    tests_use: BTreeSet<String>,
}

fn crates() -> BTreeMap<String, Crate> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path", manifest])
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    metadata["packages"].as_array().unwrap().iter().map(read).collect()
}

fn read(package: &Value) -> (String, Crate) {
    let mut read = Crate { uses: BTreeSet::new(), tests_use: BTreeSet::new() };
    for dependency in package["dependencies"].as_array().unwrap() {
        // Some crates call themselves otherwise than their package; the manifest then says how.
        let name = dependency["rename"].as_str().or(dependency["name"].as_str());
        let name = short(name.unwrap());
        match dependency["kind"].as_str() {
            Some("dev") => read.tests_use.insert(name),
            _ => read.uses.insert(name),
        };
    }
    (short(package["name"].as_str().unwrap()), read)
}

fn short(name: &str) -> String {
    name.strip_prefix("grantd-").unwrap_or(name).to_owned()
}

#[test]
fn the_arrows_are_those_of_the_design() {
    let crates = crates();
    let named: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let found: BTreeSet<&str> = crates.keys().map(String::as_str).collect();
    assert_eq!(found, named, "a crate without a place in this table");
    for (name, allowed) in ARROWS {
        let ours: BTreeSet<&str> =
            crates[name].uses.iter().map(String::as_str).filter(|used| named.contains(used)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let forbidden: Vec<_> = ours.difference(&allowed).collect();
        assert!(forbidden.is_empty(), "{name} must not use {forbidden:?}");
    }
}

#[test]
fn only_tests_use_the_testkit() {
    for (name, one) in crates() {
        assert!(name == "benches" || !one.uses.contains("testkit"), "{name} ships the testkit");
    }
}

#[test]
fn tests_use_no_more_of_ours_than_their_crate_and_the_testkit() {
    let crates = crates();
    for (name, allowed) in ARROWS {
        for used in crates[name].tests_use.iter().filter(|used| crates.contains_key(*used)) {
            assert!(
                used == "testkit" || allowed.contains(&used.as_str()),
                "the tests of {name} must not use {used}: what they need of it goes through the testkit"
            );
        }
    }
}

#[test]
fn engine_and_realm_are_pure() {
    let crates = crates();
    for name in ["engine", "realm"] {
        let impure: Vec<_> = IMPURE.iter().filter(|impure| crates[name].uses.contains(**impure)).collect();
        assert!(impure.is_empty(), "{name} is pure and must not use {impure:?}");
    }
}

/// The engine reads JSON where models and values come in, never where a question is answered.
#[test]
fn no_json_on_the_way_of_a_check() {
    let engine = concat!(env!("CARGO_MANIFEST_DIR"), "/../engine/src");
    for room in ["check", "graph"] {
        let mut text = String::new();
        sources(&std::path::Path::new(engine).join(room), &mut text);
        assert!(!text.is_empty() && !names(&text, "serde_json"), "{room} must not use JSON");
    }
}

#[test]
fn the_ledger_knows_nothing_of_http_and_json() {
    let crates = crates();
    for wire in ["axum", "hyper", "http", "serde_json", "serde"] {
        assert!(!crates["ledger"].uses.contains(wire), "the ledger must not use {wire}");
    }
    for wire in ["axum", "hyper", "http"] {
        assert!(!crates["node"].uses.contains(wire), "the node must not use {wire}");
    }
}

/// A dependency that no source file names is only built.
#[test]
fn every_dependency_is_used() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    for (name, one) in crates().into_iter().filter(|(name, _)| !GROWING.contains(&name.as_str())) {
        let directory = if name == "benches" { "benches".to_owned() } else { format!("crates/{name}") };
        let directory = std::path::Path::new(root).join(directory);
        let (mut shipped, mut tests) = (String::new(), String::new());
        sources(&directory.join("src"), &mut shipped);
        sources(&directory.join("tests"), &mut tests);
        sources(&directory.join("benches"), &mut tests);
        for used in &one.uses {
            assert!(names(&shipped, used), "{name} does not use `{used}`: take it out of its manifest");
        }
        tests.push_str(&shipped);
        for used in &one.tests_use {
            assert!(names(&tests, used), "no test of {name} uses `{used}`: take it out of its manifest");
        }
    }
}

fn names(source: &str, dependency: &str) -> bool {
    let ours = ARROWS.iter().any(|(name, _)| *name == dependency);
    let word = dependency.replace('-', "_");
    let word = if ours { format!("grantd_{word}") } else { word };
    source.match_indices(&word).any(|(at, _)| {
        let before = source[..at].chars().next_back();
        let after = source[at + word.len()..].chars().next();
        let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !joined(before) && !joined(after)
    })
}

fn sources(directory: &std::path::Path, text: &mut String) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            // A comment may name what the code does not use.
            let file = std::fs::read_to_string(&path).unwrap();
            file.lines().filter(|line| !line.trim_start().starts_with("//")).for_each(|line| {
                text.push_str(line);
                text.push('\n');
            });
        }
    }
}
