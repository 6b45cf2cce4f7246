//! `ledger backup` and `ledger restore`.

use std::fs;

use crate::support::Place;

#[test]
fn a_restored_copy_has_the_state_and_another_ledger_id() {
    let place = Place::with_store();
    let server = place.serve(&[]);
    let made = place.run(&["ledger", "backup", "--to", "copy.db"]);
    assert!(made.err.contains("master.key"), "{made:?}");
    made.good();
    server.stop();
    let restore = ["ledger", "restore", "--from", "copy.db", "--data", "new"];
    place.run(&[&restore[..], &["--master-key-file", "grantd-data/master.key"]].concat()).good();
    let (_, original) = place.verified(&[]);
    let (code, restored) = place.verified(&["--data", "new"]);
    assert_eq!(code, 0);
    assert_eq!(restored["state_hash"], original["state_hash"]);
    assert_eq!(restored["revision"], 6);
    assert_ne!(restored["ledger_id"], original["ledger_id"]);
    let mut names: Vec<_> =
        fs::read_dir(place.path("new")).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.retain(|name| {
        !name.to_string_lossy().ends_with("-shm") && !name.to_string_lossy().ends_with("-wal")
    });
    names.sort();
    assert_eq!(names, ["grantd.db", "master.key"]);
    let server = place.serve(&["--data", "new"]);
    assert!(server.run(&["user", "list"]).good().contains("alice"));
}

#[test]
fn without_its_key_it_is_said_what_is_missing() {
    let place = Place::with_store();
    place.run(&["ledger", "backup", "--to", "copy.db"]).good();
    let restored = place.run(&["ledger", "restore", "--from", "copy.db", "--data", "new"]);
    assert!(restored.code == 0 && restored.err.contains("new/master.key"), "{restored:?}");
    let said = place.run(&["serve", "--data", "new", "--listen", "127.0.0.1:0"]).error();
    assert!(said.contains("new/master.key"), "{said}");
}

#[test]
fn another_key_is_refused_before_anything_is_there() {
    let (place, other) = (Place::with_store(), Place::with_store());
    place.run(&["ledger", "backup", "--to", "copy.db"]).good();
    let key = other.path("grantd-data/master.key");
    let restore = ["ledger", "restore", "--from", "copy.db", "--data", "new", "--master-key-file"];
    let said = place.run(&[&restore[..], &[key.to_str().unwrap()]].concat()).error();
    assert!(said.contains("master key"), "{said}");
    assert_eq!(fs::read_dir(place.path("new")).unwrap().count(), 0);
}

#[test]
fn only_into_an_empty_directory_and_never_over_a_file() {
    let place = Place::with_store();
    place.run(&["ledger", "backup", "--to", "copy.db"]).good();
    let said = place.run(&["ledger", "backup", "--to", "copy.db"]).error();
    assert!(said.contains("exists already"), "{said}");
    let said = place.run(&["ledger", "restore", "--from", "copy.db", "--data", "grantd-data"]).error();
    assert!(said.contains("`grantd-data` is not empty"), "{said}");
    assert_eq!(place.verified(&[]).1["revision"], 5);
}

#[test]
fn a_broken_copy_is_not_restored() {
    let place = Place::with_store();
    place.tamper(
        "UPDATE disclosure SET value = CAST('Mallory' AS BLOB) WHERE realm = 'default' AND revision = 4",
    );
    place.run(&["ledger", "backup", "--to", "copy.db"]).good();
    let said = place.run(&["ledger", "restore", "--from", "copy.db", "--data", "new"]).error();
    assert!(said.contains("`default`") && said.contains("revision 4"), "{said}");
    assert!(!place.path("new/grantd.db").exists());
    fs::write(place.path("cut.db"), &fs::read(place.path("copy.db")).unwrap()[..8_192]).unwrap();
    place.run(&["ledger", "restore", "--from", "cut.db", "--data", "new"]).error();
    let said = place.run(&["ledger", "restore", "--from", "none.db", "--data", "new"]).error();
    assert!(said.contains("there is no backup `none.db`"), "{said}");
    assert!(!place.path("new/grantd.db").exists());
}

/// A password set after the revision, a session and a user made after it: none of them lives on.
#[test]
fn cut_at_a_revision_nothing_newer_comes_along() {
    let place = Place::with_store();
    let server = place.serve(&[]);
    let password =
        |text: &str| crate::support::ran_with(server.command(&["user", "set", "alice", "--password"]), text);
    password("a first password of alice").good();
    let cut = place.verified(&[]).1;
    let revision = cut["revision"].as_u64().unwrap();
    password("a second password of alice").good();
    server.run(&["user", "create", "mallory"]).good();
    server.stop();
    place.tamper("INSERT INTO ephemeral_row VALUES ('default', 'session', x'01', x'02', 9000000000000000)");
    place.run(&["ledger", "backup", "--to", "copy.db"]).good();
    let restore = |data: &str, until: &str| {
        let restore = ["ledger", "restore", "--from", "copy.db", "--data", data, "--until", until];
        place.run(&[&restore[..], &["--master-key-file", "grantd-data/master.key"]].concat())
    };
    let ran = restore("new", &revision.to_string());
    assert!(ran.err.contains("left behind"), "{ran:?}");
    ran.good();
    let (code, restored) = place.verified(&["--data", "new"]);
    assert_eq!((code, &restored["state_hash"]), (0, &cut["state_hash"]));
    assert_eq!(restored["revision"], revision + 1, "the entry that gives it a new id");
    assert!(!crate::support::holds(&place.path("new"), "mallory"));
    let beside = |data: &str| {
        let conn = rusqlite::Connection::open(place.path(data).join("grantd.db")).unwrap();
        ["secret", "ephemeral_row"].map(|table| {
            let sql = format!("SELECT count(*) FROM {table} WHERE realm = 'default'");
            conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
        })
    };
    assert_eq!(beside("grantd-data"), [2, 1], "the passwords of admin and alice, and a session");
    assert_eq!(beside("new"), [1, 0], "the password of admin alone");
    let server = place.serve(&["--data", "new"]);
    assert!(!server.run(&["user", "list"]).good().contains("mallory"));
    assert!(restore("beyond", "999").error().contains("ends at revision"));
    assert!(restore("nowhere", "nobody=1").error().contains("no realm `nobody`"));
    assert!(restore("nowhere", "default=x").error().contains("is no revision"));
    for dir in ["beyond", "nowhere"] {
        assert!(!place.path(dir).join("grantd.db").exists());
    }
}
