//! Asking for a permission, and rules.

use serde_json::Value;

use crate::support::Place;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_rule_is_tried_made_listed_and_removed() {
    let place = Place::new();
    let server = place.serve(&[]);
    let rule = ["allow", "--tool", "Bash", "--command", "ls *"];
    let tried = server.run(&[&["rule", "test"], &rule[..]].concat()).good();
    assert!(tried.contains("NOW"), "{tried}");
    let made = server.run(&[&["rule", "add"], &rule[..], &["--json"]].concat()).good();
    let id = json(&made)["id"].as_str().unwrap().to_owned();
    let listed = server.run(&["rule", "list"]).good();
    assert!(listed.contains(&id) && listed.contains("ls *"), "{listed}");
    assert_eq!(server.run(&["rule", "remove", &id]).good(), format!("rule {id} is deleted\n"));
    let said = server.run(&["rule", "remove", &id]).error();
    assert!(said.contains("(not_found)"), "{said}");
    let said = server.run(&["rule", "add", "allow", "--tool", "Bash", "--command", "* x"]).error();
    assert!(said.contains("(invalid_request)"), "{said}");
}

#[test]
fn asking_ends_as_it_was_decided() {
    let place = Place::new();
    let server = place.serve(&[]);
    let key =
        json(&server.run(&["key", "create", "agent", "--json"]).good())["key"].as_str().unwrap().to_owned();
    std::fs::write(place.path("agent.key"), key).unwrap();
    let ask = |more: &[&str]| {
        let ask = ["ask", "--tool", "Bash", "--action", "List", "--key-file", "agent.key"];
        server.run(&[&ask[..], more].concat())
    };
    let nobody = ask(&["--wait", "1s"]);
    assert_eq!((nobody.code, nobody.out.as_str()), (3, "expired by timeout\n"), "{nobody:?}");
    server.run(&["rule", "add", "allow", "--tool", "Bash", "--command", "ls *"]).good();
    server.run(&["rule", "add", "deny", "--tool", "Bash", "--command", "rm *"]).good();
    let yes = ask(&["--param", "command=ls -l", "--json"]).good();
    assert_eq!(json(&yes)["status"], "approved");
    let no = ask(&["--param", "command=ls; rm x"]);
    assert_eq!(no.code, 1, "{no:?}");
    assert!(no.out.starts_with("denied by rule:"), "{no:?}");
    assert!(ask(&["--params", "[]"]).error().contains("no JSON object"));
    assert!(ask(&["--param", "x"]).error().contains("NAME=VALUE"));
}
