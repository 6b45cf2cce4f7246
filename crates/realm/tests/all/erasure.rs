//! Erased fields leave no trace but their commitments.

use grantd_realm::caller::Authority;
use grantd_realm::change::encode_all;
use grantd_realm::engine::{Object, ObjectRef};
use grantd_realm::erasure::EraseFields;
use grantd_realm::personal::Personal;
use grantd_realm::repository::CreateRepository;
use grantd_realm::role::CreateRole;
use grantd_realm::user::CreateUser;
use grantd_realm::{Change, Refusal, State, api_key::CreateApiKey};

use crate::support::{World, invalid_field, root, with};

const NAME: &str = "Zdenka Example";

fn world() -> (World, Vec<Object>) {
    let mut world = World::new();
    let name = || Some(NAME.to_owned());
    world.does(CreateUser { login: "zdenka".into(), name: name(), ..CreateUser::default() });
    let key =
        world.does(CreateApiKey { name: NAME.into(), expires: None, grants: Vec::new(), secret: None }).id;
    let repository = CreateRepository { name: name(), public: false, default_branch: "main".into() };
    let repository = world.does(repository);
    let (key_of_role, display_name) = ("qa".into(), name());
    world.does(CreateRole { key: key_of_role, display_name, ..CreateRole::default() });
    let objects = vec![
        Object::new("role", "qa").unwrap(),
        Object::new("user", "zdenka").unwrap(),
        Object::new("api_key", &key.to_string()).unwrap(),
        Object::new("fs_repo", &repository.to_string()).unwrap(),
    ];
    (world, objects)
}

fn holds_the_name(state: &State) -> bool {
    let bytes = state.to_snapshot();
    bytes.windows(NAME.len()).any(|window| window == NAME.as_bytes())
}

#[test]
fn the_state_hash_is_the_same_before_and_after() {
    let (mut world, objects) = world();
    let before = world.state.hash();
    assert!(holds_the_name(&world.state));
    for object in objects {
        world.does(EraseFields { object });
    }
    assert_eq!(world.state.hash(), before);
    assert!(!holds_the_name(&world.state), "an erased name is in no snapshot");
}

#[test]
fn a_ledger_without_the_values_folds_to_the_same_hash() {
    let (world, _) = world();
    let mut state = World::before_the_first_entry().state;
    for (stamp, changes) in &world.entries {
        let (encoded, slots) = encode_all(changes);
        let erased: Vec<Personal> = slots.iter().map(Personal::erased).collect();
        for one in encoded {
            let change = Change::decode(one.kind, one.version, &one.body, &erased).unwrap();
            state.apply(&change, *stamp).unwrap();
        }
    }
    assert_eq!(state.hash(), world.state.hash());
    assert!(!holds_the_name(&state));
}

#[test]
fn the_fields_of_an_object_are_found_in_the_changes_about_it() {
    let (world, objects) = world();
    for object in &objects {
        let about = |changes: &Vec<Change>| {
            changes.iter().flat_map(|change| change.personal_fields_of(object.as_ref())).count()
        };
        assert_eq!(world.entries.iter().map(|(_, changes)| about(changes)).sum::<usize>(), 1, "{object}");
    }
    let other = ObjectRef { kind: "user", id: "someone" };
    let about_other = |changes: &Vec<Change>| changes.iter().any(|c| !c.personal_fields_of(other).is_empty());
    assert!(!world.entries.iter().any(|(_, changes)| about_other(changes)));
}

#[test]
fn only_an_admin_erases_and_only_where_there_are_fields() {
    let (mut world, objects) = world();
    let object = objects[0].clone();
    let all_but_admin: Vec<_> = Authority::ALL.into_iter().filter(|one| *one != Authority::Admin).collect();
    assert_eq!(
        world.tries(&with(&all_but_admin), EraseFields { object }),
        Err(Refusal::NotAllowed(Authority::Admin))
    );
    let object = Object::new("identity", "qa").unwrap();
    assert_eq!(invalid_field(world.tries(&root(), EraseFields { object })), "object");
}
