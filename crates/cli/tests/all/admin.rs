//! `admin reset`.

use serde_json::Value;

use crate::support::{Place, ran_with};

fn reset(place: &Place) -> Value {
    serde_json::from_str(&place.run(&["admin", "reset", "--json"]).good()).unwrap()
}

/// What a key may see of the user `admin`.
fn admin(place: &Place, key: &Value) -> Value {
    let server = place.serve(&[]);
    let mut command = server.command(&["user", "show", "admin", "--json"]);
    command.env("GRANTD_API_KEY", key.as_str().unwrap());
    let shown = crate::support::ran(command).good();
    server.run(&["check", "user:admin", "admin", "grantd:default"]).good();
    serde_json::from_str(&shown).unwrap()
}

#[test]
fn makes_a_new_password_and_a_new_key() {
    let place = Place::with_store();
    let made = reset(&place);
    assert!(made["password"].as_str().unwrap().len() >= 20);
    assert_eq!(admin(&place, &made["api_key"])["has_password"], true);
    let shown = place.run(&["ledger", "show"]).good();
    assert!(shown.contains("user password set: login admin, version 2"), "{shown}");
    assert_ne!(reset(&place), made);
}

#[test]
fn makes_the_user_again_who_was_deleted() {
    let place = Place::with_store();
    let server = place.serve(&[]);
    let another = ["user", "create", "other", "--role", "super-users"];
    server.run(&another).good();
    server.run(&["user", "delete", "admin"]).good();
    assert_eq!(server.run(&["check", "user:admin", "admin", "grantd:default"]).code, 1);
    server.stop();
    let made = reset(&place);
    assert_eq!(admin(&place, &made["api_key"])["active"], true);
}

#[test]
fn lets_in_again_who_was_shut_out() {
    let place = Place::with_store();
    let server = place.serve(&[]);
    server.run(&["user", "create", "other", "--role", "super-users"]).good();
    server.run(&["user", "set", "admin", "--active", "false"]).good();
    server.stop();
    let made = reset(&place);
    assert_eq!(admin(&place, &made["api_key"])["active"], true);
}

#[test]
fn a_chosen_password_is_not_printed() {
    let place = Place::with_store();
    let said = ran_with(place.command(&["admin", "reset", "--password"]), "correct horse battery\n").good();
    assert!(!said.contains("correct horse") && said.contains("gdk_"), "{said}");
    let short = ran_with(place.command(&["admin", "reset", "--password"]), "short\n").error();
    assert!(short.contains("8 to 1024 bytes"), "{short}");
}

#[test]
fn needs_a_store_that_nobody_holds() {
    let place = Place::new();
    let said = place.run(&["admin", "reset"]).error();
    assert!(said.contains("there is no store"), "{said}");
    assert!(!place.path("grantd-data").exists());
    let server = place.serve(&[]);
    let said = place.run(&["admin", "reset"]).error();
    assert!(said.contains(&format!("process {}", server.pid())), "{said}");
}
