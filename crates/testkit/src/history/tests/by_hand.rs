//! The smallest history for each violation.

use super::names;
use crate::history::{Change, Operation, Rules, check, ledger, operations};

const SECOND: u64 = 1_000_000_000;

/// A history: each line is what differs from an ordinary operation.
fn history(lines: &[&str]) -> Vec<Operation> {
    let whole = |line: &&str| {
        let defaults =
            r#"{"node": "a", "process": 1, "key": "k", "outcome": "ok", "returned": null, "revision": null}"#;
        let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(defaults).unwrap();
        fields.extend(serde_json::from_str::<serde_json::Map<_, _>>(&format!("{{{line}}}")).unwrap());
        serde_json::to_string(&fields).unwrap() + "\n"
    };
    operations(lines.iter().map(whole).collect::<String>().as_bytes()).unwrap()
}

fn write(id: &str, value: bool, times: [u64; 2], revision: u64) -> String {
    let [invoked, returned] = times;
    format!(
        r#""id": "{id}", "kind": "write", "value": {value}, "invoked": {invoked}, "returned": {returned}, "revision": {revision}"#
    )
}

fn read(id: &str, value: bool, times: [u64; 2], revision: u64) -> String {
    write(id, value, times, revision).replace("write", "read")
}

fn entries(lines: &[(u64, &str, bool)]) -> Vec<Change> {
    let change = |(revision, reason, value): &(u64, &str, bool)| Change {
        revision: *revision,
        reason: Some((*reason).to_owned()),
        key: "k".to_owned(),
        value: *value,
    };
    lines.iter().map(change).collect()
}

fn found(ledger: &[(u64, &str, bool)], lines: &[&str]) -> Vec<&'static str> {
    names(&check(&entries(ledger), &history(lines), Rules::default()))
}

#[test]
fn what_is_right_is_not_accused() {
    let ledger = [(3, "w1", true), (4, "w2", false)];
    let lines = [
        &write("w1", true, [0, 10], 3),
        &read("before", false, [5, 12], 2),
        &read("after", true, [20, 21], 3),
        &write("w2", false, [15, 30], 4),
        &read("full", false, [31, 33], 4).replace(r#""id""#, r#""full": true, "id""#),
    ];
    assert_eq!(found(&ledger, &lines.map(String::as_str)), Vec::<&str>::new());
}

#[test]
fn an_acknowledged_write_that_is_not_there() {
    assert_eq!(found(&[], &[&write("w1", true, [0, 10], 3)]), ["lost"]);
}

#[test]
fn a_write_that_had_nothing_to_do_is_not_lost() {
    let ledger = [(3, "w1", true)];
    let idle = write("w2", true, [11, 20], 3) + r#", "changed": false"#;
    assert_eq!(found(&ledger, &[&write("w1", true, [0, 10], 3), &idle]), Vec::<&str>::new());
    let wrong = idle.replace("true", "false");
    assert_eq!(found(&ledger, &[&write("w1", true, [0, 10], 3), &wrong]), ["untrue"]);
    let late = write("w2", false, [11, 20], 2) + r#", "changed": false"#;
    assert_eq!(found(&ledger, &[&write("w1", true, [0, 10], 3), &late]), ["behind"]);
}

#[test]
fn a_write_that_is_there_twice() {
    let ledger = [(3, "w1", true), (4, "w2", false), (5, "w1", true)];
    let lines = [&write("w1", true, [0, 10], 3), &write("w2", false, [2, 10], 4)];
    assert_eq!(found(&ledger, &lines.map(String::as_str)), ["twice"]);
}

#[test]
fn a_write_that_was_denied_and_is_there() {
    for outcome in ["failed", "refused"] {
        let line = write("w1", true, [0, 10], 3) + &format!(r#", "outcome": "{outcome}""#);
        assert_eq!(found(&[(3, "w1", true)], &[&line]), ["denied"]);
        assert_eq!(found(&[], &[&line]), Vec::<&str>::new());
    }
    let nothing = write("w1", true, [0, 10], 3) + r#", "changed": false"#;
    assert_eq!(found(&[(3, "w1", true)], &[&nothing]), ["denied"]);
}

#[test]
fn an_unknown_write_may_be_there_or_not() {
    let line = r#""id": "w1", "kind": "write", "value": true, "invoked": 5, "outcome": "unknown""#;
    assert_eq!(found(&[(3, "w1", true)], &[line]), Vec::<&str>::new());
    assert_eq!(found(&[], &[line]), Vec::<&str>::new());
}

#[test]
fn a_write_at_another_place_or_with_another_content() {
    assert_eq!(found(&[(4, "w1", true)], &[&write("w1", true, [0, 10], 3)]), ["misplaced"]);
    assert_eq!(found(&[(3, "w1", false)], &[&write("w1", true, [0, 10], 3)]), ["altered"]);
}

#[test]
fn an_entry_of_nobody() {
    assert_eq!(found(&[(3, "who", true)], &[]), ["stranger"]);
    let outside = Change { revision: 3, reason: None, key: "k".to_owned(), value: true };
    assert!(check(&[outside], &[], Rules::default()).is_empty());
}

#[test]
fn writes_in_another_order_than_they_were_made() {
    let ledger = [(3, "w2", false), (4, "w1", true)];
    let together = [&write("w1", true, [0, 10], 4), &write("w2", false, [10, 20], 3)];
    assert_eq!(found(&ledger, &together.map(String::as_str)), Vec::<&str>::new());
    let apart = [&write("w1", true, [0, 10], 4), &write("w2", false, [11, 20], 3)];
    assert_eq!(found(&ledger, &apart.map(String::as_str)), ["unordered"]);
}

#[test]
fn a_write_that_was_seen_before_it_began() {
    let ledger = [(3, "w1", true)];
    let lines = [&read("r1", true, [0, 10], 3), &write("w1", true, [11, 20], 3)];
    assert_eq!(found(&ledger, &lines.map(String::as_str)), ["unordered"]);
}

#[test]
fn an_answer_that_is_not_so() {
    let ledger = [(3, "w1", true)];
    let lines = [&write("w1", true, [0, 10], 3), &read("r1", false, [2, 20], 3)];
    assert_eq!(found(&ledger, &lines.map(String::as_str)), ["untrue"]);
}

#[test]
fn an_answer_without_a_revision() {
    assert_eq!(found(&[], &[r#""id": "r1", "kind": "read", "value": false, "invoked": 1"#]), ["untold"]);
}

#[test]
fn an_answer_from_before_what_was_asked_for() {
    let line = read("r1", false, [0, 10], 2) + r#", "at_least": 3"#;
    assert_eq!(found(&[], &[&line]), ["below"]);
}

#[test]
fn a_full_read_that_is_behind() {
    let ledger = [(3, "w1", true)];
    let plain = read("r1", false, [11, 20], 2).replace(r#""id""#, r#""node": "b", "id""#);
    let lines = [&write("w1", true, [0, 10], 3), &plain];
    assert_eq!(found(&ledger, &lines.map(String::as_str)), Vec::<&str>::new());
    let full = plain + r#", "full": true"#;
    assert_eq!(found(&ledger, &[&write("w1", true, [0, 10], 3), &full]), ["behind"]);
}

#[test]
fn a_node_that_goes_back() {
    let back = read("r1", false, [11, 20], 2);
    let lines = [&read("r0", false, [0, 10], 3), &back];
    assert_eq!(found(&[], &lines.map(String::as_str)), ["backwards"]);
    let elsewhere = back.clone() + r#", "node": "b""#;
    assert_eq!(found(&[], &[&read("r0", false, [0, 10], 3), &elsewhere]), Vec::<&str>::new());
    let by_another = back + r#", "process": 2"#;
    assert_eq!(found(&[], &[&read("r0", false, [0, 10], 3), &by_another]), Vec::<&str>::new());
}

#[test]
fn an_old_answer_without_a_mark() {
    let ledger = [(3, "w1", true)];
    let at = |seconds: u64| {
        read("r1", false, [10 + seconds * SECOND, 20 + seconds * SECOND], 2) + r#", "node": "b""#
    };
    let found = |read: &str| found(&ledger, &[&write("w1", true, [0, 10], 3), read]);
    assert_eq!(found(&at(5)), Vec::<&str>::new());
    assert_eq!(found(&at(6)), ["unmarked"]);
    assert_eq!(found(&(at(6) + r#", "stale": 6"#)), Vec::<&str>::new());
    assert_eq!(found(&(at(9) + r#", "stale": 6"#)), ["unmarked"]);
}

#[test]
fn what_cannot_be_read_says_where() {
    let line = r#"{"id": "r1", "node": "a", "process": 1, "kind": "read", "key": "k", "value": null, "invoked": 1, "returned": 2, "outcome": "failed", "revision": null}"#;
    let twice = operations(format!("{line}\n\n{line}\n").as_bytes()).unwrap_err();
    assert!(twice.to_string().starts_with("line 3: there is an operation `r1` already"), "{twice}");
    let cut = operations(&line.as_bytes()[..40]).unwrap_err();
    assert!(cut.to_string().starts_with("line 1: "), "{cut}");
    let first = r#"{"revision": 4, "reason": null, "key": "k", "value": true}"#;
    let falls = ledger(format!("{first}\n{}", first.replace('4', "3")).as_bytes()).unwrap_err();
    assert!(falls.to_string().starts_with("line 2: revision 3"), "{falls}");
}
