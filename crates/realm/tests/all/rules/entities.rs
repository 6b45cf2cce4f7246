//! Stored properties.

use grantd_realm::State;
use grantd_realm::builtin;
use grantd_realm::engine::{Entities as _, Object, Value};
use grantd_realm::entity::{DeleteEntity, MAX_PROPERTIES, PutEntity};

use crate::support::{World, invalid_field, root};

fn put(text: &str, properties: &str) -> PutEntity {
    PutEntity { object: text.parse().unwrap(), properties: properties.parse().unwrap() }
}

#[test]
fn questions_see_what_was_stored() {
    let mut world = World::new();
    for id in ["user:zoe", "user:ann", "role:qa", "user:Ann", "user:a%3Ab"] {
        world.does(put(id, r#"{"b":[1,{"c":null}],"a":0.1}"#));
    }
    let entities = world.state.entities();
    assert_eq!(entities.ids("user").collect::<Vec<_>>(), ["Ann", "a:b", "ann", "zoe"]);
    assert_eq!(entities.ids("role").count(), 1);
    assert_eq!(entities.ids("nothing").count(), 0);
    let ann: Object = "user:ann".parse().unwrap();
    assert_eq!(entities.properties(ann.as_ref()).unwrap().get("a"), Some(&Value::Double(0.1)));
    assert_eq!(entities.text(ann.as_ref()), Some(r#"{"a":0.1,"b":[1,{"c":null}]}"#));
    world.does(DeleteEntity { object: ann.clone() });
    assert!(world.state.entities().properties(ann.as_ref()).is_none());
    assert_eq!(world.state.entities().ids("user").collect::<Vec<_>>(), ["Ann", "a:b", "zoe"]);
    world.does(DeleteEntity { object: "role:qa".parse().unwrap() });
    assert_eq!(world.state.entities().ids("role").count(), 0);
}

#[test]
fn a_snapshot_holds_them_as_they_were() {
    let mut world = World::new();
    // A number whose shortest text is not read back as the same number by every reader.
    world.does(put("user:ann", r#"{"a":1.7976931348623157e308,"b":5e-324,"c":0.30000000000000004}"#));
    world.does(put("role:qa", "{}"));
    let bytes = world.state.to_snapshot();
    let again = State::from_snapshot(&bytes, builtin::schema().unwrap()).unwrap();
    assert_eq!(again.hash(), world.state.hash());
    assert_eq!(again.to_snapshot(), bytes);
}

#[test]
fn they_have_a_limit_and_storing_them_again_changes_nothing() {
    let mut world = World::new();
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_PROPERTIES - 8));
    world.does(put("user:ann", &long));
    let entries = world.entries.len();
    world.does(put("user:ann", &long));
    assert_eq!(world.entries.len(), entries);
    let longer = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_PROPERTIES - 7));
    assert_eq!(invalid_field(world.tries(&root(), put("user:ann", &longer))), "properties");
}
