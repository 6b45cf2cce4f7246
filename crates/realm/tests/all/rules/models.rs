//! A realm's own model.

use std::sync::Arc;

use grantd_realm::caller::Authority;
use grantd_realm::engine::{Condition, Properties, Relationship, Schema};
use grantd_realm::model::{ModelForm, Orphans, PutModel};
use grantd_realm::{Refusal, State, builtin};

use crate::support::{World, deleting, lasting, root, writing};

const MODEL: &str = "
type plan
  relations
    # Whoever may read it.
    define viewer: [user, role#member, user with late]
condition late(hour: int) { hour > 17 }
";

fn put(text: &str) -> PutModel {
    PutModel { model: ModelForm::Text(text.into()), dry_run: false }
}

fn dry_run(text: &str) -> PutModel {
    PutModel { dry_run: true, ..put(text) }
}

fn orphans(first: &[&str]) -> Orphans {
    Orphans { count: first.len() as u64, first: first.iter().map(ToString::to_string).collect() }
}

#[test]
fn a_model_stands_beside_the_built_in_ones() {
    let mut world = World::new();
    let user = world.user("ann");
    assert!(matches!(world.tries(&user, put(MODEL)), Err(Refusal::NotAllowed(Authority::Operator))));
    let operator = world.user_with("olga", &[Authority::Operator]);
    assert!(world.tries(&root(), writing("plan:a#viewer@user:ann")).is_err());
    assert_eq!(world.tries(&operator, put(MODEL)), Ok(Orphans::default()));
    assert_eq!(world.state.model(), MODEL, "kept as it was given");
    world.does(writing("plan:a#viewer@user:ann"));
    world.does(writing("role:qa#member@user:bob"));
    world.does(writing("plan:a#viewer@role:qa#member"));
    assert!(world.allows("user:bob", "viewer", "plan:a"));
    let entries = world.entries.len();
    world.does(put(MODEL));
    assert_eq!(world.entries.len(), entries, "the same again changes nothing");
    let own = world.state.own_schema();
    assert_eq!(own.types().map(ToString::to_string).collect::<Vec<_>>(), ["plan", "role", "user"]);
    // The state comes back from its bytes, and from the entries.
    let restored = State::from_snapshot(&world.state.to_snapshot(), builtin::schema().unwrap()).unwrap();
    assert_eq!(restored.hash(), world.state.hash());
    assert_eq!(restored.model(), MODEL);
    assert_eq!(restored.graph().schema(), world.state.graph().schema());
}

#[test]
fn the_model_is_in_the_hash_of_the_state() {
    let mut world = World::new();
    let before = world.state.hash();
    world.does(put(MODEL));
    let with_model = world.state.hash();
    assert_ne!(before, with_model);
    world.does(put(&MODEL.replace("# Whoever", "# Who")));
    assert_ne!(world.state.hash(), with_model);
    world.does(put(""));
    assert_eq!(world.state.hash(), before);
    assert!(!world.state.graph().schema().types().any(|kind| kind.as_str() == "plan"));
}

#[test]
fn what_is_built_in_is_not_changed() {
    let mut world = World::new();
    for (text, said) in [
        (
            "type user\n relations\n define friend: [user]",
            "schema:3: relation `friend` of type `user`: the type is built in: it can be named, but not changed",
        ),
        ("type fs_vm", "schema:1: `fs_vm` is built in: name it `path type fs_vm`"),
        (
            "type a\n relations\n define b: [c]",
            "schema:3: relation `b` of type `a`: there is no type `c`: define it with `type c`",
        ),
    ] {
        let problem = said.to_owned();
        assert_eq!(world.tries(&root(), put(text)), Err(Refusal::Invalid { field: "schema", problem }));
    }
}

#[test]
fn a_model_that_would_orphan_relationships_is_refused() {
    let mut world = World::new();
    world.does(put(MODEL));
    world.does(writing("plan:a#viewer@user:ann"));
    world.does(writing("plan:b#viewer@role:qa#member"));
    let late =
        Condition { name: "late".into(), parameters: r#"{"hour": 18}"#.parse::<Properties>().unwrap() };
    let conditional = Relationship { condition: Some(late), ..lasting("plan:c#viewer@user:ann") };
    let write = grantd_realm::relationship::WriteRelationships {
        write: vec![conditional],
        delete: Vec::new(),
        require: Vec::new(),
    };
    world.does(write);
    let all = ["plan:a#viewer@user:ann", "plan:b#viewer@role:qa#member", "plan:c#viewer@user:ann"];
    for (model, expected) in [
        (String::new(), &all[..]),
        (MODEL.replace("viewer:", "reader:"), &all[..]),
        (MODEL.replace("role#member, ", ""), &all[1..2]),
        (MODEL.replace("[user, ", "["), &all[..1]),
        (MODEL.replace("hour: int", "hour: string").replace("hour > 17", "hour > '17'"), &all[2..]),
        (MODEL.replace("type plan", "path type plan"), &all[..]),
        (MODEL.replace("define viewer: ", "define editor: [user]\n    define viewer: "), &[]),
        (MODEL.replace("hour > 17", "hour > 18"), &[]),
    ] {
        let mut found = world.does(dry_run(&model));
        found.first.sort_unstable();
        assert_eq!(found, orphans(expected), "{model}");
        let mut world = world.clone();
        match world.tries(&root(), put(&model)) {
            Ok(found) => assert_eq!(found, orphans(&[])),
            Err(Refusal::Orphans(found)) => assert_eq!(found.count, expected.len() as u64),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(world.state.model(), MODEL, "a dry run changes nothing");
    // What is gone is no orphan.
    world.does(deleting(all[1]));
    world.does(put(&MODEL.replace("role#member, ", "")));
}

#[test]
fn the_json_form_is_a_model_too() {
    let mut world = World::new();
    let base = builtin::schema().unwrap();
    let own: Schema =
        base.extend(&[grantd_realm::engine::Source { name: "m", text: MODEL }]).unwrap().without(&base);
    let json = ModelForm::Json(own.to_json().to_string());
    world.does(PutModel { model: json, dry_run: false });
    assert_eq!(world.state.own_schema(), own);
    let shared: Arc<Schema> = world.state.graph().schema().clone();
    world.does(put(MODEL));
    assert_eq!(*world.state.graph().schema(), shared);
}
