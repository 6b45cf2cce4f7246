//! Relationships into a file and out of one, also when the client or the server is killed on the way.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Place, Server, ran, ran_with};

/// More than one request holds.
const LINES: usize = 60_000;

fn line(n: usize) -> String {
    let (role, user) = (n % 1_000, n);
    format!(
        "{{\"resource\":\"role:r{role:04}\",\"relation\":\"member\",\"subject\":\"user:somebody-{user:08}\"}}\n"
    )
}

fn write_lines(place: &Place, name: &str, lines: usize) {
    std::fs::write(place.path(name), (0..lines).map(line).collect::<String>()).unwrap();
}

/// What is in the realm, as lines in key order.
fn exported(place: &Place, server: &Server<'_>) -> String {
    server.run(&["export", "out.jsonl", "--without-managed", "--resource-type", "role"]).good();
    std::fs::read_to_string(place.path("out.jsonl")).unwrap()
}

fn expected(lines: usize) -> String {
    let mut all: Vec<String> = (0..lines).map(line).collect();
    all.sort_unstable();
    all.concat()
}

fn told(ran: &str) -> Value {
    serde_json::from_str(ran).unwrap()
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_round_trip_in_both_forms() {
    let place = Place::new();
    let server = place.serve(&[]);
    server.run(&["realm", "create", "copy"]).good();
    let lines = [line(1), line(2), "\n".into(), line(3)].concat();
    std::fs::write(place.path("in.jsonl"), lines).unwrap();
    let said = server.run(&["import", "in.jsonl"]).good();
    assert_eq!(said, "4 lines: 3 written, 0 unchanged, 0 refused\n");
    let said = server.run(&["import", "in.jsonl"]).good();
    assert_eq!(said, "4 lines: 0 written, 3 unchanged, 0 refused\n");
    server.run(&["export", "out.csv", "--without-managed"]).good();
    let csv = std::fs::read_to_string(place.path("out.csv")).unwrap();
    assert!(csv.starts_with("resource,relation,subject,until,condition,parameters\n"), "{csv}");
    assert!(csv.contains("\nrole:r0001,member,"), "{csv}");
    server.run(&["import", "out.csv", "--realm", "copy"]).good();
    let out = server.run(&["export", "--format", "csv", "--without-managed", "--realm", "copy"]).good();
    assert_eq!(out, csv);
    let stdin = ran_with(server.command(&["import", "-"]), &line(9));
    assert_eq!(stdin.good(), "1 lines: 1 written, 0 unchanged, 0 refused\n");
    assert!(!place.path("in.jsonl.grantd-import").exists());
}

#[test]
fn refused_lines_are_named_and_the_others_written() {
    let place = Place::new();
    let server = place.serve(&[]);
    let csv =
        "resource,relation,subject\nrole:a,member,user:x\nrole:b,nothing,user:x\nnonsense,member,user:x\n";
    std::fs::write(place.path("in.csv"), csv).unwrap();
    let dry = server.run(&["import", "in.csv", "--dry-run"]);
    assert_eq!(
        (dry.code, &*dry.out),
        (1, "4 lines: 1 would be written, 0 unchanged, 2 refused\n"),
        "{dry:?}"
    );
    let ran = server.run(&["import", "in.csv"]);
    assert_eq!((ran.code, &*ran.out), (1, "4 lines: 1 written, 0 unchanged, 2 refused\n"), "{ran:?}");
    assert!(ran.err.contains("line 3: ") && ran.err.contains("line 4: "), "{}", ran.err);
    let json = server.run(&["import", "in.csv", "--json", "--from-line", "4"]);
    assert_eq!(told(&json.out)["errors"][0]["line"], 4, "{json:?}");
    assert_eq!(told(&json.out)["refused"], 1, "{json:?}");
    let said = server.run(&["import", "nowhere.csv"]).error();
    assert!(said.contains("`nowhere.csv`"), "{said}");
}

#[test]
fn a_killed_client_goes_on_with_resume() {
    let place = Place::new();
    let server = place.serve(&[]);
    write_lines(&place, "in.jsonl", LINES);
    let mut command = server.command(&["import", "in.jsonl"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the mark", || place.path("in.jsonl.grantd-import").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let said = told(&server.run(&["import", "in.jsonl", "--resume", "--json"]).good());
    assert_eq!(said["lines"], LINES);
    // What the killed client had sent and not heard of is there already.
    assert_eq!(said["written"].as_u64().unwrap() + said["unchanged"].as_u64().unwrap(), LINES as u64);
    assert!(!place.path("in.jsonl.grantd-import").exists());
    assert!(exported(&place, &server) == expected(LINES), "all of it, and nothing else");
}

#[test]
fn a_killed_server_is_told_of_and_the_import_goes_on_with_resume() {
    let place = Place::new();
    let server = place.serve(&["--listen", "127.0.0.1:0"]);
    write_lines(&place, "in.jsonl", LINES);
    let mut command = server.command(&["import", "in.jsonl"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the mark", || place.path("in.jsonl.grantd-import").exists());
    drop(server);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("go on with --resume"), "{said}");
    let server = place.serve(&[]);
    // It has another port now, and the mark is of the other one.
    let said = server.run(&["import", "in.jsonl", "--resume"]).error();
    assert!(said.contains("that import was into http://127.0.0.1:"), "{said}");
    let mark = std::fs::read_to_string(place.path("in.jsonl.grantd-import")).unwrap();
    let mut mark: Value = serde_json::from_str(&mark).unwrap();
    assert!(mark["done"]["lines"].as_u64().unwrap() > 0, "{mark}");
    mark["of"]["server"] = server.url.clone().into();
    std::fs::write(place.path("in.jsonl.grantd-import"), mark.to_string()).unwrap();
    let said = told(&server.run(&["import", "in.jsonl", "--resume", "--json"]).good());
    assert_eq!(said["lines"], LINES);
    assert!(exported(&place, &server) == expected(LINES), "all of it, and nothing else");
}

#[test]
fn a_file_that_was_changed_is_not_resumed() {
    let place = Place::new();
    let server = place.serve(&[]);
    write_lines(&place, "in.jsonl", 3);
    std::fs::write(
        place.path("in.jsonl.grantd-import"),
        format!(
            "{{\"of\":{{\"server\":\"{}\",\"size\":1,\"modified\":1}},\
             \"done\":{{\"lines\":2,\"written\":2,\"unchanged\":0,\"refused\":0}}}}",
            server.url
        ),
    )
    .unwrap();
    let said = server.run(&["import", "in.jsonl", "--resume"]).error();
    assert!(said.contains("the file was changed since"), "{said}");
    server.run(&["import", "in.jsonl"]).good();
}

#[test]
fn an_export_of_a_server_that_is_gone_leaves_no_file() {
    let place = Place::new();
    let mut command = place.command(&["export", "out.jsonl", "--url", "http://127.0.0.1:1"]);
    command.env("GRANTD_API_KEY", crate::support::KEY);
    ran(command).error();
    assert!(!place.path("out.jsonl").exists());
}
