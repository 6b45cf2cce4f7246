//! `ledger copy`: a store carried over into another one.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::Place;

#[test]
fn a_store_is_carried_over_and_served_on() {
    let place = Place::with_store();
    let (_, original) = place.verified(&[]);
    let copy = ["ledger", "copy", "--from", "sqlite://grantd-data", "--to", "sqlite://new"];
    let ran = place.run(&copy);
    assert!(ran.err.contains("grantd-data/master.key` opens all of them"), "{ran:?}");
    let said = ran.good();
    assert!(said.contains("the copy is finished") && said.contains("realm system"), "{said}");
    let (code, copied) = place.verified(&["--data", "new"]);
    assert_eq!(code, 0);
    assert_eq!(copied["state_hash"], original["state_hash"]);
    assert_eq!(copied["revision"], 6);
    assert_ne!(copied["ledger_id"], original["ledger_id"]);
    let server = place.serve(&["--data", "new"]);
    assert!(server.run(&["user", "list"]).good().contains("alice"));
    server.stop();
    let said = place.run(&copy).good();
    assert!(said.contains("had been finished before"), "{said}");
    assert_eq!(place.verified(&[]).1, original, "the source is as it was");
}

#[test]
fn beside_a_server_it_is_copied_and_finished_later() {
    let place = Place::with_store();
    let copy = ["ledger", "copy", "--from", "sqlite://grantd-data", "--to", "sqlite://new"];
    let server = place.serve(&[]);
    let said = place.run(&copy).error();
    assert!(said.contains("in use by") && said.contains("--live"), "{said}");
    let live = place.run(&[&copy[..], &["--live"]].concat());
    assert!(live.code == 0 && live.err.contains("is not finished"), "{live:?}");
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["admin", "reset"], &["ledger", "checkpoint"]] {
        let said = place.run(&[args, &["--data", "new"]].concat()).error();
        assert!(said.contains("`new` is not whole") && said.contains("`grantd ledger copy`"), "{said}");
    }
    server.run(&["user", "create", "carol", "--name", "Carol"]).good();
    server.run(&["user", "set", "bob", "--name", "Robert"]).good();
    place.run(&[&copy[..], &["--live"]].concat()).good();
    server.stop();
    place.run(&["ledger", "erase", "--object", "user:bob"]).good();
    let (_, original) = place.verified(&[]);
    place.run(&copy).good();
    let (code, copied) = place.verified(&["--data", "new"]);
    assert_eq!((code, &copied["state_hash"]), (0, &original["state_hash"]));
    assert_eq!(
        copied["erased"], original["erased"],
        "what was erased since it was copied is erased there too"
    );
    assert!(!crate::support::holds(&place.path("new"), "Robert"));
}

#[test]
fn only_into_an_empty_store_and_with_the_right_key() {
    let (place, other) = (Place::with_store(), Place::with_store());
    let target = format!("sqlite://{}", other.path("grantd-data").display());
    let copy = |to: &str, more: &[&str]| {
        place.run(&[&["ledger", "copy", "--from", "sqlite://grantd-data", "--to", to], more].concat()).error()
    };
    assert!(copy(&target, &[]).contains("holds ledgers already"));
    assert!(copy("sqlite://grantd-data", &[]).contains("same store"));
    let said = copy("postgress://me:a-password@there", &[]);
    assert!(said.contains("sqlite://DIR") && !said.contains("a-password"), "{said}");
    let key = other.path("grantd-data/master.key");
    let said = copy("sqlite://new", &["--master-key-file", key.to_str().unwrap()]);
    assert!(said.contains("master key"), "{said}");
    assert!(copy("sqlite://new", &["--realm", "nobody"]).contains("no realm `nobody`"));
    fs::remove_file(place.path("grantd-data/master.key")).unwrap();
    assert!(copy("sqlite://new", &[]).contains("--master-key-file"));
    let said = place.run(&["ledger", "copy", "--from", "sqlite://none", "--to", "sqlite://new"]).error();
    assert!(said.contains("no store in `none`"), "{said}");
}

#[test]
fn a_broken_store_is_not_carried_over() {
    let place = Place::with_store();
    place.tamper(
        "UPDATE disclosure SET value = CAST('Mallory' AS BLOB) WHERE realm = 'default' AND revision = 4",
    );
    let copy = ["ledger", "copy", "--from", "sqlite://grantd-data", "--to", "sqlite://new"];
    let said = place.run(&copy).error();
    assert!(said.contains("`default`") && said.contains("revision 4"), "{said}");
}

/// One realm for a store of its own: the first start makes the two that every store has, and the realm can be listed.
#[test]
fn one_realm_alone() {
    let place = Place::with_store();
    let server = place.serve(&[]);
    server.run(&["realm", "create", "acme"]).good();
    server.run(&["user", "create", "wile", "--realm", "acme"]).good();
    server.stop();
    let copy =
        ["ledger", "copy", "--from", "sqlite://grantd-data", "--to", "sqlite://new", "--realm", "acme"];
    let said = place.run(&copy).good();
    assert!(said.contains("realm acme") && !said.contains("realm default"), "{said}");
    let server = place.serve(&["--data", "new"]);
    server.run(&["realm", "create", "acme"]).good();
    assert!(server.run(&["realm", "list"]).good().contains("acme"));
    assert!(server.run(&["user", "list", "--realm", "acme"]).good().contains("wile"));
    assert!(!server.run(&["user", "list"]).good().contains("alice"));
}

/// Killed at any point it goes on; until it is finished no server starts on it.
#[test]
fn killed_at_any_point_it_goes_on() {
    let place = Place::with_snapshot();
    let (_, original) = place.verified(&[]);
    let copy = |target: &str| {
        let to = format!("sqlite://{target}");
        place.command(&["ledger", "copy", "--from", "sqlite://grantd-data", "--to", &to])
    };
    let run = |target: &str| crate::support::ran(copy(target));
    let begun = Instant::now();
    run("whole").good();
    let whole = begun.elapsed();
    let mut unfinished = 0;
    for round in 0..10 {
        let target = format!("target-{round}");
        let mut child = copy(&target).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let share = f64::from(random_byte()) / 256.0;
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * share));
        // It may have ended already.
        let _ = child.kill();
        child.wait().unwrap();
        if place.path(&target).join("grantd.db").exists() {
            let refused = place.run(&["ledger", "checkpoint", "--data", &target]);
            unfinished += usize::from(refused.err.contains("`grantd ledger copy`"));
        }
        run(&target).good();
        let (code, copied) = place.verified(&["--data", &target]);
        assert_eq!((code, &copied["state_hash"]), (0, &original["state_hash"]), "round {round}");
        assert_eq!(copied["revision"].as_u64(), original["revision"].as_u64().map(|last| last + 1));
    }
    assert!(unfinished > 0, "none of them was killed before it was finished");
}

fn random_byte() -> u8 {
    uuid::Uuid::new_v4().as_bytes()[0]
}
