//! What has ended is taken away, and no answer depends on when.

use grantd_realm::engine::{Filter, Relationship};
use grantd_realm::expiry::RemoveEnded;
use grantd_realm::relationship::WriteRelationships;

use crate::support::{World, came_to, deleting, key_of, lasting, writing};

const ENDS: &str = "role:qa#member@user:ann";
const STAYS: &str = "role:qa#member@user:bob";

/// One that ends in a microsecond, one that ends much later, one that stays.
fn world() -> World {
    let mut world = World::new();
    let (soon, late) = (world.now + 1, world.now + 1_000);
    let until = |text: &str, until| Relationship { until: Some(until), ..lasting(text) };
    let write = vec![until(ENDS, soon), until("role:qa#member@user:cyd", late), lasting(STAYS)];
    world.does(WriteRelationships { write, delete: Vec::new(), require: Vec::new() });
    world
}

#[test]
fn only_what_has_ended_is_found_and_taken_away() {
    let mut world = world();
    let before = world.state.graph().len();
    assert!(world.state.graph().ended(world.now, 10).is_empty());
    world.now += 1;
    let keys = world.state.graph().ended(world.now, 10);
    assert_eq!(keys, [key_of(ENDS)]);
    let all =
        vec![key_of(ENDS), key_of(STAYS), key_of("role:qa#member@user:cyd"), key_of("role:x#member@user:x")];
    assert_eq!(world.does(RemoveEnded { keys: all }), 1);
    assert_eq!(world.state.graph().len(), before - 1);
    assert_eq!(world.does(RemoveEnded { keys }), 0, "it is gone");
    world.now += 999;
    assert_eq!(world.state.graph().ended(world.now, 0), []);
    assert_eq!(world.state.graph().ended(world.now, 1).len(), 1);
}

#[test]
fn one_with_a_new_end_stays() {
    let mut world = world();
    world.now += 1;
    let keys = world.state.graph().ended(world.now, 10);
    world.does(writing(ENDS));
    assert_eq!(world.does(RemoveEnded { keys }), 0);
    assert!(world.allows("user:ann", "member", "role:qa"));
}

/// The same with and without the clean-up.
#[test]
fn no_answer_depends_on_it() {
    let mut dirty = world();
    dirty.now += 1;
    let mut clean = dirty.clone();
    let keys = clean.state.graph().ended(clean.now, 10);
    assert_eq!(clean.does(RemoveEnded { keys }), 1);
    let of_role = Filter { resource: Some(key_of(ENDS).resource), ..Filter::default() };
    for filter in [Filter::default(), of_role] {
        for limit in [1, 2, 100] {
            let page = |world: &World, after| world.state.relationships(&filter, after, limit, world.now);
            let first = page(&dirty, None);
            assert_eq!(first, page(&clean, None));
            assert_eq!(first.len(), limit.min(first.len().max(1)));
            let last = first.last().map(|one| one.key.clone());
            assert_eq!(page(&dirty, last.as_ref()), page(&clean, last.as_ref()));
        }
        let count = |world: &World| world.state.count_relationships(&filter, world.now);
        assert_eq!(count(&dirty), count(&clean));
        for limit in [1, 2, 100] {
            let matching = |world: &World| {
                let mut keys = world.state.matching_relationships(&filter, limit, world.now);
                keys.sort_unstable();
                keys
            };
            assert!(!matching(&dirty).contains(&key_of(ENDS)));
            assert_eq!(matching(&dirty).len(), matching(&clean).len());
            assert_eq!(matching(&dirty).len(), limit.min(usize::try_from(count(&dirty)).expect("few")));
        }
    }
    for world in [&mut dirty, &mut clean] {
        assert_eq!(world.does(deleting(ENDS)), came_to(0, 0), "it was gone already");
        assert_eq!(world.does(writing(ENDS)), came_to(1, 0));
        assert_eq!(world.does(deleting(ENDS)), came_to(0, 1));
    }
}
