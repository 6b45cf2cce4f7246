//! `admin reset`, `admin reseal`.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use crate::support::{Http, Place, ran_with};

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

/// A master key file with these keys, which are 32 times the same byte.
fn keys(place: &Place, name: &str, keys: &[&[u8]]) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = place.path(name);
    std::fs::write(&path, keys.concat()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Whether `admin` gets in with a password, at a server with that key file.
fn signs_in(place: &Place, key_file: &str, password: &str) -> bool {
    let server = place.serve(&["--master-key-file", key_file]);
    let login = format!("Basic {}", BASE64_STANDARD.encode(format!("admin:{password}")));
    Http::connect(&server.url).send_as(&login, "GET", "/pulp/api/v2/users/admin/", "") == 200
}

#[test]
fn one_master_key_takes_the_place_of_another() {
    let place = Place::with_store();
    let password = reset(&place)["password"].as_str().unwrap().to_owned();
    let old = std::fs::read(place.path("grantd-data/master.key")).unwrap();
    keys(&place, "new.key", &[&[7; 32]]);
    keys(&place, "both.key", &[&[7; 32], &old]);
    assert!(signs_in(&place, "both.key", &password));
    let said = place.run(&["serve", "--listen", "127.0.0.1:0", "--master-key-file", "new.key"]).error();
    assert!(said.contains("name the right key file"), "{said}");
    let reseal = ["admin", "reseal", "--json", "--master-key-file", "both.key"];
    let done: Value = serde_json::from_str(&place.run(&reseal).good()).unwrap();
    assert_eq!((&done["already"], done["unopened"].as_object().unwrap().len()), (&0.into(), 0));
    let count = done["resealed"].clone();
    assert!(count.as_u64().unwrap() > 0, "{done}");
    assert!(signs_in(&place, "new.key", &password));
    let again: Value = serde_json::from_str(&place.run(&reseal).good()).unwrap();
    assert_eq!((&again["already"], &again["resealed"]), (&count, &0.into()));
    assert_eq!(place.verified(&["--master-key-file", "new.key"]).0, 0);
}

#[test]
fn who_lost_the_master_key_goes_on_without_its_secrets() {
    let place = Place::with_store();
    let password = reset(&place)["password"].as_str().unwrap().to_owned();
    let before = place.verified(&[]).1;
    keys(&place, "new.key", &[&[7; 32]]);
    let reseal = ["admin", "reseal", "--master-key-file", "new.key"];
    let kept = place.run(&reseal);
    assert_eq!(kept.code, 1);
    assert!(kept.out.contains("not opened       1 of kind `password` in realm `default`"), "{kept:?}");
    assert!(kept.err.contains("--forget-lost"), "{kept:?}");
    // Nothing was taken by that.
    assert!(signs_in(&place, "grantd-data/master.key", &password));
    let gone = place.run(&[&reseal[..], &["--forget-lost"]].concat()).good();
    assert!(gone.contains("forgotten        1 of kind `password` in realm `default`"), "{gone}");
    assert!(!signs_in(&place, "new.key", &password));
    assert_eq!(place.verified(&[]).1["state_hash"], before["state_hash"]);
    let made = place.run(&["admin", "reset", "--json", "--master-key-file", "new.key"]).good();
    let made: Value = serde_json::from_str(&made).unwrap();
    assert!(signs_in(&place, "new.key", made["password"].as_str().unwrap()));
}
