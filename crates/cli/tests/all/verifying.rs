//! `ledger verify`, `show` and `checkpoint`.

use std::fs;

use serde_json::Value;

use crate::support::Place;

#[test]
fn a_good_store_is_good() {
    let place = Place::with_store();
    let (code, default) = place.verified(&[]);
    assert_eq!(code, 0);
    assert_eq!(default["ok"], true);
    assert_eq!(default["revision"], 5);
    assert_eq!(default["erased"], 0);
    assert_eq!(default["problem"], Value::Null);
    for member in ["ledger_id", "head_hash", "state_hash"] {
        assert!(default[member].as_str().is_some_and(|text| text.len() >= 32), "{default}");
    }
    let said = place.run(&["ledger", "verify"]).good();
    assert!(said.contains("realm default: good") && said.contains("realm system: good"), "{said}");
}

#[test]
fn beside_a_running_server() {
    let place = Place::with_store();
    let server = place.serve(&[]);
    server.run(&["user", "create", "carol"]).good();
    let (code, default) = place.verified(&[]);
    assert_eq!((code, &default["revision"]), (0, &Value::from(6)));
    let shown = place.run(&["ledger", "show", "--after", "5"]).good();
    assert!(shown.contains("user created: login carol"), "{shown}");
    server.run(&["user", "create", "dave"]).good();
    server.stop();
    assert_eq!(place.verified(&[]).1["revision"], 7);
}

/// Tampers, and expects the first wrong revision.
#[track_caller]
fn broken_by(sql: &str, revision: u64) {
    let place = Place::with_store();
    place.tamper(sql);
    let (code, default) = place.verified(&[]);
    assert_eq!(code, 1, "{sql}: {default}");
    assert_eq!(default["ok"], false);
    assert_eq!(default["problem_revision"], revision, "{sql}: {default}");
    let named = default["problem"].as_str().unwrap().contains(&format!("revision {revision}"));
    assert!(named, "{sql}: {default}");
    let said = place.run(&["ledger", "verify"]);
    assert!(said.code == 1 && said.out.contains("realm default: BROKEN"), "{said:?}");
}

#[test]
fn a_changed_entry() {
    broken_by(
        "UPDATE entry SET bytes = CAST(bytes || x'00' AS BLOB) WHERE realm = 'default' AND revision = 3",
        3,
    );
}

#[test]
fn a_changed_hash() {
    broken_by("UPDATE entry SET hash = zeroblob(32) WHERE realm = 'default' AND revision = 2", 2);
}

#[test]
fn a_missing_entry() {
    broken_by("DELETE FROM entry WHERE realm = 'default' AND revision = 4", 4);
}

#[test]
fn a_missing_last_entry() {
    broken_by("DELETE FROM entry WHERE realm = 'default' AND revision = 5", 5);
}

#[test]
fn an_entry_of_another_place() {
    broken_by(
        "DELETE FROM entry WHERE realm = 'default' AND revision = 2;
         INSERT INTO entry SELECT realm, 2, command_id, hash, bytes FROM entry
         WHERE realm = 'default' AND revision = 3",
        2,
    );
}

#[test]
fn a_head_that_was_put_back() {
    let place = Place::with_store();
    put_head_back(&place);
    let (code, default) = place.verified(&[]);
    assert_eq!((code, &default["problem_revision"]), (1, &Value::from(5)), "{default}");
}

/// Makes the head that of revision 4, in every respect.
fn put_head_back(place: &Place) {
    let shown = place.run(&["ledger", "show", "--after", "3", "--json"]).good();
    let fourth: Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
    let time = micros(fourth["time"].as_str().unwrap());
    place.tamper(&format!(
        "UPDATE ledger SET revision = 4, time = {time},
         hash = (SELECT hash FROM entry WHERE realm = 'default' AND revision = 4) WHERE realm = 'default'"
    ));
}

/// Microseconds since 1970; SQLite knows only three digits behind the point.
fn micros(rfc3339: &str) -> i64 {
    let (seconds, fraction) = rfc3339.trim_end_matches('Z').split_once('.').unwrap_or((rfc3339, "0"));
    let conn = rusqlite::Connection::open_in_memory().unwrap();
    let since = conn.query_row("SELECT unixepoch(?1)", [seconds], |row| row.get::<_, i64>(0)).unwrap();
    since * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().unwrap()
}

#[test]
fn a_changed_value() {
    broken_by(
        "UPDATE disclosure SET value = CAST('Mallory' AS BLOB) WHERE realm = 'default' AND revision = 4",
        4,
    );
}

#[test]
fn a_state_snapshot_that_the_entries_do_not_make() {
    let place = Place::with_snapshot();
    assert_eq!(place.verified(&[]).0, 0);
    // It is whole and belongs to an entry, so that a server would start from it.
    place.tamper(
        "UPDATE snapshot SET revision = 500,
         head_hash = (SELECT hash FROM entry WHERE realm = 'default' AND revision = 500)",
    );
    let (code, default) = place.verified(&[]);
    assert_eq!((code, &default["problem_revision"]), (1, &Value::from(500)), "{default}");
    assert!(default["problem"].as_str().unwrap().contains("state snapshot"), "{default}");
}

#[test]
fn what_cannot_be_read_is_2() {
    let place = Place::new();
    let said = place.run(&["ledger", "verify"]).error();
    assert!(said.contains("there is no store in `grantd-data`"), "{said}");
    assert!(!place.path("grantd-data").exists(), "looking makes nothing");
    fs::create_dir(place.path("grantd-data")).unwrap();
    fs::write(place.path("grantd-data/grantd.db"), "this is no database, however long it may be").unwrap();
    let said = place.run(&["ledger", "verify"]).error();
    assert!(said.contains("grantd-data"), "{said}");
    let place = Place::with_store();
    let said = place.run(&["ledger", "verify", "--realm", "nowhere"]).error();
    assert!(said.contains("`nowhere`"), "{said}");
}

#[test]
fn a_store_of_a_newer_version_is_2() {
    let place = Place::with_store();
    place.tamper(
        "INSERT INTO refinery_schema_history SELECT version + 1000, name, applied_on, checksum
         FROM refinery_schema_history ORDER BY version DESC LIMIT 1",
    );
    let said = place.run(&["ledger", "verify"]).error();
    assert!(said.contains("use a newer grantd"), "{said}");
}

#[test]
fn a_kept_checkpoint_shows_that_the_ledger_was_cut() {
    let place = Place::with_store();
    place.run(&["ledger", "checkpoint", "--to", "kept.json"]).good();
    place.run(&["ledger", "verify", "--checkpoint", "kept.json"]).good();
    // Somebody cuts the ledger so that it fits in itself, and the copy in the store goes too.
    put_head_back(&place);
    place.tamper(
        "DELETE FROM checkpoint;
         DELETE FROM disclosure WHERE realm = 'default' AND revision = 5;
         DELETE FROM entry WHERE realm = 'default' AND revision = 5",
    );
    assert_eq!(place.verified(&[]).0, 0, "by itself it cannot be seen");
    let (code, default) = place.verified(&["--checkpoint", "kept.json"]);
    assert_eq!(code, 1);
    let problem = default["problem"].as_str().unwrap();
    assert!(problem.contains("revision 5") && problem.contains("end at revision 4"), "{problem}");
}

#[test]
fn a_checkpoint_of_something_else_is_found() {
    let place = Place::with_store();
    place.run(&["ledger", "checkpoint", "--to", "kept.json"]).good();
    let kept: Value = serde_json::from_str(&fs::read_to_string(place.path("kept.json")).unwrap()).unwrap();
    for (member, value) in [
        ("state_hash", Value::from("00".repeat(32))),
        ("head_hash", Value::from("00".repeat(32))),
        ("revision", Value::from(4)),
        ("signature", Value::from("00".repeat(64))),
        ("time", Value::from("2020-01-01T00:00:00Z")),
    ] {
        let mut forged = kept.clone();
        forged[member] = value;
        fs::write(place.path("forged.json"), forged.to_string()).unwrap();
        let (code, default) = place.verified(&["--checkpoint", "forged.json"]);
        assert_eq!(code, 1, "{member}");
        assert!(default["problem"].as_str().unwrap().contains("signature"), "{member}: {default}");
    }
    let mut unfit = kept;
    unfit["public_key"] = "none".into();
    fs::write(place.path("forged.json"), unfit.to_string()).unwrap();
    let said = place.run(&["ledger", "verify", "--checkpoint", "forged.json"]).error();
    assert!(said.contains("`public_key`"), "{said}");
}

#[test]
fn a_rewritten_ledger_is_not_the_one_of_the_checkpoint() {
    let (place, other) = (Place::with_store(), Place::with_store());
    place.run(&["ledger", "checkpoint", "--to", "kept.json"]).good();
    fs::copy(place.path("kept.json"), other.path("kept.json")).unwrap();
    assert_eq!(other.verified(&[]).0, 0);
    let (code, default) = other.verified(&["--checkpoint", "kept.json"]);
    assert_eq!(code, 1);
    assert!(default["problem"].as_str().unwrap().contains("checkpoint"), "{default}");
}

#[test]
fn a_whole_ledger_that_is_gone_is_missed() {
    let place = Place::with_store();
    place.run(&["ledger", "checkpoint", "--to", "kept.json"]).good();
    place.tamper("DELETE FROM ledger WHERE realm = 'default'; DELETE FROM entry WHERE realm = 'default'");
    assert_eq!(place.run(&["ledger", "verify"]).code, 0);
    let (code, default) = place.verified(&["--checkpoint", "kept.json"]);
    assert_eq!((code, &default["ok"]), (1, &Value::Bool(false)));
    let said = place.run(&["ledger", "verify", "--realm", "system", "--checkpoint", "kept.json"]).error();
    assert!(said.contains("of realm `default`"), "{said}");
}

#[test]
fn a_checkpoint_in_the_store_is_compared_too() {
    let place = Place::with_store();
    place.run(&["ledger", "checkpoint"]).good();
    assert_eq!(place.verified(&[]).1["checkpoints"], 1);
    place.tamper("UPDATE checkpoint SET state_hash = zeroblob(32)");
    let (code, default) = place.verified(&[]);
    assert_eq!((code, &default["problem_revision"]), (1, &Value::from(5)), "{default}");
}

#[test]
fn a_checkpoint_beside_a_server_is_not_stored() {
    let place = Place::with_store();
    let server = place.serve(&[]);
    let made = place.run(&["ledger", "checkpoint"]);
    assert!(made.err.contains("keeps no copy"), "{made:?}");
    fs::write(place.path("kept.json"), made.good()).unwrap();
    server.stop();
    let (code, default) = place.verified(&["--checkpoint", "kept.json"]);
    assert_eq!((code, &default["checkpoints"]), (0, &Value::from(1)));
}

#[test]
fn nothing_broken_is_signed() {
    let place = Place::with_store();
    place.tamper(
        "UPDATE disclosure SET value = CAST('Mallory' AS BLOB) WHERE realm = 'default' AND revision = 4",
    );
    let said = place.run(&["ledger", "checkpoint", "--to", "kept.json"]).error();
    assert!(said.contains("nothing was signed") && said.contains("revision 4"), "{said}");
    assert!(!place.path("kept.json").exists());
}

#[test]
fn show_tells_who_did_what_and_why() {
    let place = Place::with_store();
    let shown = place.run(&["ledger", "show"]).good();
    for told in [
        "system:bootstrap via bootstrap",
        "user created: login alice, name Alice Liddell",
        "reason: fell down a hole",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let page = place.run(&["ledger", "show", "--after", "1", "--limit", "2"]);
    assert!(page.err.contains("--after 3"), "{page:?}");
    let lines = place.run(&["ledger", "show", "--after", "1", "--limit", "2", "--json"]).good();
    let revisions: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["revision"].clone()).collect();
    assert_eq!(revisions, [2, 3]);
}
