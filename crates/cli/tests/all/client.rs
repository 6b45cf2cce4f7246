//! The commands that ask a server.

use serde_json::Value;

use crate::support::{Http, KEY, Place, ran, ran_with};

#[test]
fn check_says_yes_and_no_and_neither() {
    let place = Place::new();
    let server = place.serve(&[]);
    server.run(&["user", "create", "alice"]).good();
    let yes = server.run(&["check", "user:admin", "admin", "grantd:default"]);
    assert_eq!(yes.code, 0);
    assert!(yes.out.starts_with("allowed (revision "), "{yes:?}");
    let no = server.run(&["check", "user:alice", "admin", "grantd:default"]);
    assert_eq!(no.code, 1);
    assert!(no.out.starts_with("denied (revision "), "{no:?}");
    let said = server.run(&["check", "user:alice", "admin", "nonsense"]).error();
    assert!(said.contains("`nonsense`") && said.contains("(invalid_request)"), "{said}");
}

#[test]
fn check_says_why_when_asked() {
    let place = Place::new();
    let server = place.serve(&[]);
    let yes = server.run(&["check", "user:admin", "writer", "grantd:default", "--explain"]).good();
    assert!(yes.contains("  because grantd:default#admin@role:super-users#member\n"), "{yes}");
    assert!(yes.contains("  because role:super-users#member@user:admin\n"), "{yes}");
    let question = ["check", "user:bob", "writer", "grantd:default", "--context", "{\"ip\": \"::1\"}"];
    let no = server.run(&[&question[..], &["--explain"]].concat());
    assert_eq!(no.code, 1);
    assert!(no.out.contains("  grantd:default#") && no.out.contains(": no relationship\n"), "{no:?}");
    let json = server.run(&[&question[..], &["--explain", "--json"]].concat());
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["reason"], "not_granted");
    assert!(json["misses"].is_array());
    let said = server.run(&["check", "user:bob", "writer", "grantd:default", "--context", "[1]"]).error();
    assert!(said.contains("--context is no JSON object"), "{said}");
}

#[test]
fn check_waits_for_a_revision_of_this_ledger_only() {
    let place = Place::new();
    let server = place.serve(&[]);
    let question = ["check", "user:admin", "admin", "grantd:default"];
    let json: Value =
        serde_json::from_str(&server.run(&[&question[..], &["--json"]].concat()).good()).unwrap();
    assert_eq!(json["allowed"], true);
    let token = json["revision"].as_str().unwrap();
    server.run(&[&question[..], &["--at-least", token]].concat()).good();
    let other = "00000000-0000-4000-8000-000000000000.1";
    let said = server.run(&[&question[..], &["--at-least", other]].concat()).error();
    assert!(said.contains("(other_ledger)"), "{said}");
}

#[test]
fn users_come_and_go() {
    let place = Place::new();
    let server = place.serve(&[]);
    let made = server.command(&["user", "create", "alice", "--name", "Alice", "--password"]);
    assert_eq!(ran_with(made, "a good password\n").good(), "user alice is made\n");
    let list: Value = serde_json::from_str(&server.run(&["user", "list", "--json"]).good()).unwrap();
    assert_eq!(list[1]["login"], "alice");
    assert_eq!(list[1]["has_password"], true);
    let table = server.run(&["user", "list"]).good();
    assert!(table.starts_with("LOGIN") && table.contains("Alice"), "{table}");
    server.run(&["user", "set", "alice", "--no-name", "--active", "false"]).good();
    let alice: Value =
        serde_json::from_str(&server.run(&["user", "show", "alice", "--json"]).good()).unwrap();
    assert_eq!((&alice["name"], &alice["active"]), (&Value::Null, &Value::Bool(false)));
    server.run(&["user", "delete", "alice"]).good();
    let said = server.run(&["user", "show", "alice"]).error();
    assert_eq!(said, "error: there is no user `alice` (not_found)\n");
}

#[test]
fn accounts_are_linked_and_unlinked() {
    let place = Place::new();
    let server = place.serve(&[]);
    server.run(&["user", "create", "alice"]).good();
    let said = server.run(&["user", "link", "alice", "--subject", "248289761001"]).error();
    assert!(said.contains("nobody signs in by a provider here"), "{said}");
    let issuer = ["--issuer", "https://id.example"];
    let link = ["user", "link", "alice", "--subject", "248289761001", issuer[0], issuer[1]];
    assert_eq!(server.run(&link).good(), "alice signs in by that account of https://id.example\n");
    let links: Value =
        serde_json::from_str(&server.run(&["user", "links", "alice", "--json"]).good()).unwrap();
    let id = links["items"][0]["id"].as_str().unwrap();
    assert!(server.run(&["user", "links", "alice"]).good().contains(id));
    server.run(&["user", "unlink", "alice", id]).good();
    let said = server.run(&["user", "unlink", "alice", id]).error();
    assert!(said.contains("(not_found)"), "{said}");
}

#[test]
fn a_provider_that_anybody_could_be_is_refused_at_start() {
    let place = Place::new();
    for (args, text) in [
        (&["--oidc-issuer", "http://id.example", "--oidc-client-id", "grantd"][..], "must be an https URL"),
        (&["--oidc-issuer", "https://id.example"][..], "needs --oidc-client-id"),
        (&["--oidc-client-id", "grantd"][..], "needs --oidc-issuer"),
    ] {
        let said = place.run(&[&["serve"], args].concat()).error();
        assert!(said.contains(text), "{said}");
    }
}

#[test]
fn a_list_goes_over_all_pages() {
    let place = Place::new();
    let server = place.serve(&[]);
    // More than one page holds.
    let mut http = Http::connect(&server.url);
    for number in 0..1_005 {
        assert_eq!(http.send("POST", "/api/v1/users", &format!("{{\"login\":\"u{number:04}\"}}")), 201);
    }
    let list: Value = serde_json::from_str(&server.run(&["user", "list", "--json"]).good()).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1_006);
}

#[test]
fn keys_are_shown_once_and_revoked() {
    let place = Place::new();
    let server = place.serve(&[]);
    let made: Value =
        serde_json::from_str(&server.run(&["key", "create", "ci", "--grant", "auditor", "--json"]).good())
            .unwrap();
    let (id, secret) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    std::fs::write(place.path("key"), format!("{secret}\n")).unwrap();
    let with_file = ["user", "list", "--url", &server.url, "--key-file", "key"];
    place.run(&with_file).good();
    let listed = server.run(&["key", "list"]).good();
    assert!(listed.contains(id) && listed.contains("auditor") && !listed.contains(secret), "{listed}");
    let said = place.run(&["user", "create", "eve", "--url", &server.url, "--key-file", "key"]).error();
    assert!(said.contains("(forbidden)"), "{said}");
    server.run(&["key", "revoke", id]).good();
    let said = place.run(&with_file).error();
    assert!(said.contains("(unauthorized)") && !said.contains(secret), "{said}");
}

#[test]
fn the_secret_of_a_key_is_alone_on_stdout() {
    let place = Place::new();
    let server = place.serve(&[]);
    let out = server.run(&["key", "create", "ci"]).good();
    assert!(out.starts_with("gdk_") && out.lines().count() == 1, "{out}");
}

#[test]
fn a_server_that_is_not_there_says_what_to_do() {
    let place = Place::new();
    let mut command = place.command(&["user", "list", "--url", "http://127.0.0.1:1"]);
    command.env("GRANTD_API_KEY", KEY);
    let said = ran(command).error();
    assert!(said.contains("is the server running? start it with `grantd serve`"), "{said}");
    let said = place.run(&["user", "list"]).error();
    assert!(said.contains("GRANTD_API_KEY") && said.contains("--key-file"), "{said}");
}

#[test]
fn a_key_that_is_none_is_not_shown() {
    let place = Place::new();
    for wrong in ["two words", "", "a\nb"] {
        let mut command = place.command(&["user", "list"]);
        command.env("GRANTD_API_KEY", wrong);
        let said = ran(command).error();
        assert!(said.contains("GRANTD_API_KEY does not hold an API key"), "{said}");
        assert!(wrong.is_empty() || !said.contains(wrong), "{said}");
    }
}

#[test]
fn another_realm_is_named() {
    let place = Place::new();
    let server = place.serve(&[]);
    let keys = server.run(&["key", "list", "--realm", "system"]).good();
    assert!(keys.contains("first"), "{keys}");
    let said = server.run(&["key", "list", "--realm", "nowhere"]).error();
    assert!(said.contains("(unknown_realm)"), "{said}");
}

#[test]
fn a_self_signed_certificate_is_trusted_when_named() {
    let place = Place::with_store();
    let server = place.serve(&["--tls-self-signed"]);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let said = server.run(&["user", "list"]).error();
    assert!(said.contains("--ca-file"), "{said}");
    server.run(&["user", "list", "--ca-file", "grantd-data/tls-self-signed.crt"]).good();
}
