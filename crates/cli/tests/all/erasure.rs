//! `ledger erase`.

use serde_json::Value;

use crate::support::{Place, holds, ran_with};

#[test]
fn the_bytes_are_gone_and_the_ledger_still_verifies() {
    let place = Place::with_store();
    let data = place.path("grantd-data");
    assert!(holds(&data, "Liddell"));
    let before = place.verified(&[]).1;
    let said = place.run(&["ledger", "erase", "--object", "user:alice"]).good();
    assert_eq!(said, "2 values of `user:alice` erased, at revision 6\n");
    assert!(!holds(&data, "Liddell"));
    assert!(holds(&data, "Bob"), "others keep their names");
    let (code, after) = place.verified(&[]);
    assert_eq!((code, &after["erased"]), (0, &Value::from(2)));
    assert_eq!(after["state_hash"], before["state_hash"]);
    let again = place.run(&["ledger", "erase", "--object", "user:alice"]).good();
    assert!(again.contains("nothing is known"), "{again}");
    assert_eq!(place.verified(&[]).1["revision"], 6);
    let server = place.serve(&[]);
    let alice: Value =
        serde_json::from_str(&server.run(&["user", "show", "alice", "--json"]).good()).unwrap();
    assert_eq!(alice["name"], Value::Null);
}

#[test]
fn a_state_snapshot_does_not_keep_the_value() {
    let place = Place::with_snapshot();
    let data = place.path("grantd-data");
    let snapshots = || {
        let conn = rusqlite::Connection::open(place.path("grantd-data/grantd.db")).unwrap();
        conn.query_row("SELECT count(*) FROM snapshot WHERE realm = 'default'", [], |row| {
            row.get::<_, i64>(0)
        })
        .unwrap()
    };
    assert_eq!(snapshots(), 1);
    assert_eq!(place.verified(&[]).0, 0);
    place.run(&["ledger", "erase", "--object", "user:bob"]).good();
    assert_eq!(snapshots(), 0);
    assert!(!holds(&data, "Cheshire"));
    let (code, after) = place.verified(&[]);
    assert_eq!((code, &after["erased"]), (0, &Value::from(1_001)));
}

#[test]
fn reasons_go_when_asked() {
    let place = Place::new();
    let server = place.serve(&[]);
    let made: Value =
        serde_json::from_str(&server.run(&["key", "create", "ci", "--grant", "operator", "--json"]).good())
            .unwrap();
    let id = made["id"].as_str().unwrap();
    let mut command = server.command(&["user", "create", "alice", "--reason", "private matter"]);
    command.env("GRANTD_API_KEY", made["key"].as_str().unwrap());
    ran_with(command, "").good();
    server.stop();
    let data = place.path("grantd-data");
    let object = format!("api_key:{id}");
    place.run(&["ledger", "erase", "--object", &object]).good();
    assert!(holds(&data, "private matter"));
    place.run(&["ledger", "erase", "--object", &object, "--reasons"]).good();
    assert!(!holds(&data, "private matter"));
    assert_eq!(place.verified(&[]).1["erased"], 2);
    assert!(place.run(&["ledger", "show"]).good().contains("reason: (erased)"));
}

#[test]
fn not_beside_a_server_and_not_of_everything() {
    let place = Place::with_store();
    let server = place.serve(&[]);
    let said = place.run(&["ledger", "erase", "--object", "user:alice"]).error();
    assert!(
        said.contains(&format!("process {}", server.pid())) && said.contains("stop that server"),
        "{said}"
    );
    server.stop();
    let said = place.run(&["ledger", "erase", "--object", "identity:qa"]).error();
    assert!(said.contains("user:<login>"), "{said}");
    let said = place.run(&["ledger", "erase", "--object", "alice"]).error();
    assert!(said.contains("`alice`"), "{said}");
    assert_eq!(place.verified(&[]).1["revision"], 5);
}
