//! Models: `grantd schema`.

use std::path::Path;

use crate::support::Place;

const MODEL: &str = "type plan\n  relations\n    define viewer: [user]\n";

#[test]
fn check_finds_mistakes_without_a_server() {
    let place = Place::new();
    std::fs::write(place.path("good.fga"), MODEL).unwrap();
    std::fs::write(place.path("bad.fga"), "type plan\n  relations\n    define viewer: [nobody]\n").unwrap();
    assert_eq!(
        place.run(&["schema", "check", "good.fga"]).good(),
        "good: 1 types, 1 relations, 0 conditions\n"
    );
    let bad = place.run(&["schema", "check", "bad.fga"]);
    assert_eq!(bad.code, 1);
    assert_eq!(
        bad.out,
        "bad.fga:3: relation `viewer` of type `plan`: there is no type `nobody`: define it with `type nobody`\n"
    );
    let alone = place.run(&["schema", "check", "--alone", "good.fga"]);
    assert!(alone.code == 1 && alone.out.contains("there is no type `user`"), "{alone:?}");
    place.run(&["schema", "check", "nothing.fga"]).error();
}

#[test]
fn a_model_is_loaded_and_shown() {
    let place = Place::new();
    let server = place.serve(&[]);
    std::fs::write(place.path("plan.fga"), MODEL).unwrap();
    let dry = server.run(&["schema", "load", "plan.fga", "--dry-run"]).good();
    assert_eq!(dry, "the model is good; 0 stored relationships would be orphaned\n");
    let loaded = server.run(&["schema", "load", "plan.fga", "--reason", "plans"]).good();
    assert!(loaded.starts_with("the model is loaded (revision "), "{loaded}");
    assert_eq!(server.run(&["schema", "show"]).good(), MODEL);
    let json = server.run(&["schema", "show", "--json"]).good();
    assert!(json.contains("\"schema_version\":\"1.1\""), "{json}");
    std::fs::write(place.path("plan.json"), json).unwrap();
    server.run(&["schema", "load", "plan.json"]).good();
    assert!(server.run(&["schema", "show"]).good().contains("define viewer: [user]"));
}

#[test]
fn the_stores_of_the_repository_pass() {
    let place = Place::new();
    let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases/stores");
    let mut run = 0;
    for file in std::fs::read_dir(stores).unwrap() {
        let file = file.unwrap().path();
        if file.to_string_lossy().ends_with(".fga.yaml") {
            let ran = place.run(&["schema", "test", file.to_str().unwrap()]);
            assert_eq!(ran.code, 0, "{ran:?}");
            run += 1;
        }
    }
    assert!(run > 0);
}

#[test]
fn a_test_that_fails_is_named() {
    let place = Place::new();
    let store = r#"
name: plans
model_file: plan.fga
tuple_file: tuples.json
tests:
  - name: first
    check:
      - user: user:ann
        object: plan:a
        assertions: {viewer: true}
  - name: second
    check:
      - user: user:ann
        object: plan:b
        assertions: {viewer: true, editor: false}
    list_objects:
      - user: user:ann
        type: plan
        assertions: {viewer: ["plan:b"]}
"#;
    std::fs::write(place.path("plan.fga"), format!("type user\n{MODEL}")).unwrap();
    std::fs::write(place.path("plan.fga.yaml"), store).unwrap();
    let tuples = r#"[{"user": "user:ann", "relation": "viewer", "object": "plan:a"}]"#;
    std::fs::write(place.path("tuples.json"), tuples).unwrap();
    let ran = place.run(&["schema", "test", "plan.fga.yaml"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(
        ran.out,
        "(PASSING) first: Checks (1/1 passing)\n\
         (FAILING) second: Checks (0/2 passing) | ListObjects (0/1 passing)\n\
         ⅹ Check(user=user:ann,relation=editor,object=plan:b): expected=false, got=an error (type `plan` has no relation `editor`)\n\
         ⅹ Check(user=user:ann,relation=viewer,object=plan:b): expected=true, got=false\n\
         ⅹ ListObjects(user=user:ann,relation=viewer,type=plan): expected={\"plan:b\"}, got={\"plan:a\"}\n\
         ---\n# Test Summary #\nTests 1/2 passing\nChecks 1/3 passing\nListObjects 0/1 passing\n"
    );
    let bad = r#"[{"user": "group:x", "relation": "viewer", "object": "plan:a"}]"#;
    std::fs::write(place.path("tuples.json"), bad).unwrap();
    let said = place.run(&["schema", "test", "plan.fga.yaml"]).error();
    assert!(said.contains("the tuple `plan:a#viewer@group:x`"), "{said}");
}
