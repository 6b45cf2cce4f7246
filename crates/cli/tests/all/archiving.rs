//! `ledger archive` and `unarchive`.

use std::fs;

use serde_json::Value;

use crate::support::{Http, Place, holds};

#[test]
fn entries_go_into_a_file_and_come_back() {
    let place = Place::with_store();
    let before = place.verified(&[]).1;
    let shown = place.run(&["ledger", "show", "--json"]).good();
    let said = place.run(&["ledger", "archive", "--before", "4", "--to", "first.archive"]).good();
    assert!(said.starts_with("entries 1 to 3 of realm default are in `first.archive`"), "{said}");
    let (code, after) = place.verified(&[]);
    assert_eq!(
        (code, &after["archived"], &after["archived_looked_at"]),
        (0, &Value::from(3), &Value::from(0))
    );
    assert_eq!((&after["state_hash"], &after["revision"]), (&before["state_hash"], &before["revision"]));
    let said = place.run(&["ledger", "verify"]).good();
    assert!(said.contains("the first 3 entries are in archives (3 of them not looked at"), "{said}");
    let (code, whole) = place.verified(&["--archive", "first.archive"]);
    assert_eq!((code, &whole["archived_looked_at"]), (0, &Value::from(3)));

    let said = place.run(&["ledger", "show"]).error();
    assert!(said.contains("before revision 4 are in an archive"), "{said}");
    let rest = place.run(&["ledger", "show", "--after", "3", "--json"]).good();
    assert!(shown.ends_with(&rest) && rest.lines().count() == 2, "{rest}");

    // A server starts on it, and says what it does not have.
    let server = place.serve(&[]);
    server.run(&["user", "create", "carol"]).good();
    assert!(server.run(&["user", "show", "alice"]).good().contains("Alice P. Liddell"));
    let mut http = Http::connect(&server.url);
    assert_eq!(http.send("GET", "/api/v1/ledger?after=2", ""), 410);
    assert_eq!(http.send("GET", "/api/v1/ledger?after=3", ""), 200);
    server.stop();

    let again = place.run(&["ledger", "archive", "--before", "4", "--to", "first.archive"]).good();
    assert!(again.contains("in an archive already"), "{again}");
    let said = place.run(&["ledger", "unarchive", "first.archive"]).good();
    assert!(said.starts_with("entries 1 to 3 of realm default are in the store again"), "{said}");
    let back = place.run(&["ledger", "show", "--json", "--limit", "5"]).good();
    assert_eq!(back, shown);
    assert_eq!(place.verified(&[]).0, 0);
}

#[test]
fn an_archived_name_is_erased() {
    let place = Place::with_store();
    place.run(&["ledger", "archive", "--before", "6"]).good();
    assert!(place.path("default-until-5.archive").exists());
    assert!(
        !fs::read(place.path("default-until-5.archive")).unwrap().windows(7).any(|bytes| bytes == b"Liddell")
    );
    let data = place.path("grantd-data");
    assert!(holds(&data, "Liddell"));
    let said = place.run(&["ledger", "erase", "--object", "user:alice"]).good();
    assert_eq!(said, "2 values of `user:alice` erased, at revision 6\n");
    assert!(!holds(&data, "Liddell"));
    assert!(holds(&data, "Bob"));
    let (code, after) = place.verified(&["--archive", "default-until-5.archive"]);
    assert_eq!((code, &after["erased"]), (0, &Value::from(2)));
    let server = place.serve(&[]);
    assert!(!server.run(&["user", "show", "alice"]).good().contains("Liddell"));
    assert!(server.run(&["user", "show", "bob"]).good().contains("Bob"));
}

#[test]
fn what_is_wrong_is_said() {
    let place = Place::with_store();
    let archive = |before: &str| place.run(&["ledger", "archive", "--before", before, "--to", "a"]);
    let said = archive("1").error();
    assert!(said.contains("no entry before revision 1"), "{said}");
    let said = archive("7").error();
    assert!(said.contains("at most everything before revision 6"), "{said}");
    let said = place.run(&["ledger", "unarchive", "nowhere"]).error();
    assert!(said.contains("`nowhere`"), "{said}");
    fs::write(place.path("a"), "a letter").unwrap();
    assert!(archive("3").error().contains("choose another name"));
    let said = place.run(&["ledger", "unarchive", "a"]).error();
    assert!(said.contains("no archive that this program knows"), "{said}");
    let server = place.serve(&[]);
    let said = archive("3").error();
    assert!(said.contains("stop that server"), "{said}");
    server.stop();
    // Without its key nothing can be signed.
    fs::rename(place.path("grantd-data/master.key"), place.path("elsewhere.key")).unwrap();
    let said = place.run(&["ledger", "archive", "--before", "3", "--to", "b"]).error();
    assert!(said.contains("master.key"), "{said}");
    assert_eq!(place.verified(&[]).1["archived"], 0);
}

#[test]
fn a_changed_base_or_archive_is_broken() {
    let place = Place::with_store();
    place.run(&["ledger", "archive", "--before", "4", "--to", "a"]).good();
    let mut file = fs::read(place.path("a")).unwrap();
    let middle = file.len() / 2;
    file[middle] ^= 1;
    fs::write(place.path("changed"), file).unwrap();
    assert_eq!(place.verified(&["--archive", "changed"]).0, 1);
    assert_eq!(place.verified(&["--archive", "a"]).0, 0);
    place.tamper("UPDATE base SET state_hash = hash");
    let (code, default) = place.verified(&[]);
    assert_eq!((code, &default["problem_revision"]), (1, &Value::from(3)));
}

/// A backup holds the base, and goes on from it.
#[test]
fn a_backup_of_a_ledger_with_an_archive() {
    let place = Place::with_store();
    place.run(&["ledger", "archive", "--before", "5", "--to", "a"]).good();
    let before = place.verified(&[]).1;
    place.run(&["ledger", "backup", "--to", "copy.db"]).good();
    let key = "grantd-data/master.key";
    let restore = ["ledger", "restore", "--from", "copy.db", "--data", "again", "--master-key-file", key];
    place.run(&restore).good();
    let (code, after) = place.verified(&["--data", "again", "--archive", "a"]);
    assert_eq!((code, &after["state_hash"], &after["archived"]), (0, &before["state_hash"], &Value::from(4)));
    assert_ne!(after["ledger_id"], before["ledger_id"]);
    place.run(&["ledger", "unarchive", "--data", "again", "a"]).good();
    assert_eq!(place.verified(&["--data", "again"]).0, 0);
}

/// A copy begins with the base, too, and the archive goes with it.
#[test]
fn a_copy_of_a_ledger_with_an_archive() {
    let place = Place::with_store();
    place.run(&["ledger", "archive", "--before", "5", "--to", "a"]).good();
    let before = place.verified(&[]).1;
    let copy = ["ledger", "copy", "--from", "sqlite://grantd-data", "--to", "sqlite://new"];
    place.run(&copy).good();
    let (code, after) = place.verified(&["--data", "new", "--archive", "a"]);
    assert_eq!((code, &after["state_hash"]), (0, &before["state_hash"]));
    assert_eq!((&after["archived"], &after["archived_looked_at"]), (&Value::from(4), &Value::from(4)));
    let server = place.serve(&["--data", "new"]);
    assert!(server.run(&["user", "show", "alice"]).good().contains("Alice P. Liddell"));
    server.stop();
    let said = place.run(&["ledger", "erase", "--data", "new", "--object", "user:alice"]).good();
    assert!(said.starts_with("2 values"), "{said}");
    assert!(!holds(&place.path("new"), "Liddell"));
    assert_eq!(place.verified(&["--data", "new", "--archive", "a"]).1["erased"], 2);
    place.run(&["ledger", "unarchive", "--data", "new", "a"]).good();
    assert_eq!(place.verified(&["--data", "new"]).0, 0);

    place.run(&["ledger", "backup", "--to", "copy.db"]).good();
    let restore = |until: &str| {
        let key = "grantd-data/master.key";
        let args = ["ledger", "restore", "--from", "copy.db", "--data", "cut", "--master-key-file", key];
        place.run(&[&args[..], &["--until", until]].concat())
    };
    let said = restore("default=3").error();
    assert!(said.contains("cannot be cut at 3") && said.contains("grantd ledger unarchive"), "{said}");
    restore("default=4").good();
    let (code, cut) = place.verified(&["--data", "cut", "--archive", "a"]);
    assert_eq!((code, &cut["revision"], &cut["archived"]), (0, &Value::from(5), &Value::from(4)));
}
