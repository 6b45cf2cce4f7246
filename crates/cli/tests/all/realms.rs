//! Realms from the command line, and the commands that work on a store with several of them.

use serde_json::Value;

use crate::support::Place;

#[test]
fn realms_come_and_go() {
    let place = Place::new();
    let server = place.serve(&[]);
    let key = server.run(&["realm", "create", "acme", "--admin-key", "--reason", "a customer"]).good();
    assert!(key.starts_with("gdk_") && key.lines().count() == 1, "{key}");
    std::fs::write(place.path("key"), key).unwrap();
    let own = ["--url", &server.url, "--key-file", "key", "--realm", "acme"];
    place.run(&[&["user", "create", "ann"][..], &own].concat()).good();
    assert_eq!(server.run(&["realm", "create", "beta"]).good(), "realm beta is made\n");
    let list = server.run(&["realm", "list"]).good();
    let names: Vec<_> = list.lines().skip(1).map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["acme", "beta", "default"]);
    let said = server.run(&["realm", "delete", "acme", "--confirm", "beta"]).error();
    assert!(said.contains("`confirm`"), "{said}");
    assert_eq!(
        server.run(&["realm", "delete", "acme", "--confirm", "acme"]).good(),
        "realm acme is deleted\n"
    );
    let said = place.run(&[&["user", "list"][..], &own].concat()).error();
    assert!(said.contains("(unknown_realm)"), "{said}");
    server.run(&["realm", "create", "acme"]).good();
    let users = server.run(&["user", "list", "--json", "--realm", "acme"]).good();
    assert_eq!(users, "[]\n");
}

#[test]
fn the_ledgers_of_deleted_realms_stay_readable() {
    let place = Place::new();
    let server = place.serve(&["--realm-idle", "0"]);
    server.run(&["realm", "create", "gone"]).good();
    server.run(&["user", "create", "ann", "--realm", "gone"]).good();
    server.run(&["realm", "delete", "gone", "--confirm", "gone", "--reason", "they left"]).good();
    server.run(&["realm", "create", "again"]).good();
    server.run(&["realm", "delete", "again", "--confirm", "again"]).good();
    server.run(&["realm", "create", "again"]).good();
    server.stop();
    let verified = place.run(&["ledger", "verify", "--json"]).good();
    let realms: Vec<Value> = verified.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = realms.iter().map(|realm| realm["realm"].as_str().unwrap()).collect();
    assert_eq!(names, ["again", "default", "gone", "system"]);
    let shown = place.run(&["ledger", "show", "--realm", "gone"]).good();
    assert!(
        shown.contains("realm deleted") && shown.contains("they left") && shown.contains("ann"),
        "{shown}"
    );
    let erased = place.run(&["ledger", "verify", "--realm", "again"]).good();
    assert!(erased.contains("again"), "{erased}");
    place.run(&["admin", "reset"]).good();
    let server = place.serve(&[]);
    let said = server.run(&["user", "list", "--realm", "gone"]).error();
    assert!(said.contains("(unknown_realm)"), "{said}");
    server.run(&["user", "list", "--realm", "again"]).good();
}
