//! What is kept about relationships beside them, and their form as bytes: as a plain list says, whatever happened.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use grantd_engine::schema::SubjectForm;
use grantd_engine::{Filter, Graph, Key, Relationship, Subject};
use grantd_testkit::random::{Step, histories, schemas};
use grantd_testkit::world::World;
use proptest::prelude::*;

fn lived(schema: &str, history: &[Step]) -> World {
    let mut world = World::of(schema);
    history.iter().for_each(|step| world.takes(step));
    world
}

fn all(graph: &Graph) -> Vec<Relationship> {
    let mut found = Vec::new();
    graph.for_each(|relationship| found.push(relationship));
    found
}

type Shape = (String, String, SubjectForm, Option<String>);

fn shape(relationship: &Relationship) -> Shape {
    let Key { resource, relation, subject } = &relationship.key;
    let form = match subject {
        Subject::Object(object) => SubjectForm::Object(object.type_name().clone()),
        Subject::Userset(object, relation) => {
            SubjectForm::Userset(object.type_name().clone(), relation.clone())
        }
        Subject::Wildcard(kind) => SubjectForm::Wildcard(kind.clone()),
    };
    let condition = relationship.condition.as_ref().map(|condition| condition.name.clone());
    (resource.kind().to_owned(), relation.to_string(), form, condition)
}

fn shapes(graph: &Graph) -> BTreeMap<Shape, u64> {
    let shown = graph.shapes().map(|found| {
        let shape = (
            found.resource_type.to_string(),
            found.relation.to_string(),
            found.subject.clone(),
            found.condition.as_deref().map(str::to_owned),
        );
        (shape, found.count)
    });
    shown.collect()
}

fn dump(graph: &Graph) -> Vec<u8> {
    let mut bytes = Vec::new();
    graph.dump(&mut bytes);
    bytes
}

proptest! {
    #[test]
    fn shapes_are_those_of_the_list(schema in schemas(), history in histories()) {
        let mut world = lived(&schema, &history);
        let list = world.reference.sorted();
        let mut wanted: BTreeMap<Shape, Vec<Relationship>> = BTreeMap::new();
        for relationship in &list {
            wanted.entry(shape(relationship)).or_default().push(relationship.clone());
        }
        let held = shapes(&world.graph);
        for (shape, relationships) in &wanted {
            prop_assert!(held.get(shape).is_some_and(|count| *count >= relationships.len() as u64), "{shape:?}");
        }
        for found in world.graph.shapes() {
            let listed = world.graph.of_shape(&found, usize::MAX);
            let mut listed: Vec<_> = listed.into_iter().collect();
            listed.sort_by(|a, b| a.key.cmp(&b.key));
            let condition = found.condition.as_deref().map(str::to_owned);
            let key = (found.resource_type.to_string(), found.relation.to_string(), found.subject.clone(), condition);
            prop_assert_eq!(&listed, wanted.get(&key).map_or(&[][..], Vec::as_slice));
            prop_assert_eq!(world.graph.of_shape(&found, 1).len(), listed.len().min(1));
        }
        world.graph.sweep(usize::MAX);
        let counts: BTreeMap<_, _> =
            wanted.into_iter().map(|(shape, relationships)| (shape, relationships.len() as u64)).collect();
        prop_assert_eq!(shapes(&world.graph), counts, "once everything is swept");
    }

    #[test]
    fn what_ended_is_what_the_list_says(schema in schemas(), history in histories(), now in 0..5_i64) {
        let world = lived(&schema, &history);
        let list = world.reference.sorted();
        let over = list.iter().filter(|found| found.until.is_some_and(|until| until <= now));
        let wanted: BTreeSet<_> = over.map(|found| found.key.clone()).collect();
        let found = world.graph.ended(now, usize::MAX);
        prop_assert_eq!(found.len(), wanted.len());
        let untils: Vec<_> = found.iter().map(|key| world.graph.get(key).unwrap().until).collect();
        prop_assert!(untils.is_sorted());
        prop_assert_eq!(world.graph.ended(now, 1), found[..found.len().min(1)].to_vec());
        prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), wanted);
    }

    #[test]
    fn counts_and_unsorted_keys_are_those_of_the_list(schema in schemas(), history in histories()) {
        let world = lived(&schema, &history);
        let list = world.reference.sorted();
        let mut filters = vec![Filter::default()];
        for Relationship { key, .. } in &list {
            let resource = Some(key.resource.clone());
            let subject_type = Some(key.subject.kind().parse().unwrap());
            let relation = Some(key.relation.clone());
            filters.push(Filter { resource, ..Filter::default() });
            filters.push(Filter { subject: Some(key.subject.clone()), relation, ..Filter::default() });
            filters.push(Filter { subject_type, ..Filter::default() });
        }
        for filter in filters {
            let wanted = world.graph.read(&filter, None, usize::MAX);
            prop_assert_eq!(world.graph.count(&filter), wanted.len() as u64);
            let found = world.graph.matching(&filter, usize::MAX).into_iter().collect::<BTreeSet<_>>();
            prop_assert_eq!(found, wanted.into_iter().map(|found| found.key).collect());
            prop_assert!(world.graph.matching(&filter, 2).len() <= 2);
        }
    }

    #[test]
    fn named_objects_are_those_of_the_list(schema in schemas(), history in histories()) {
        let world = lived(&schema, &history);
        let list = world.reference.sorted();
        for kind in ["user", "group", "doc", "tree", "unheard-of"] {
            let ends = list.iter().flat_map(|found| [Some(&found.key.resource), found.key.subject.object()]);
            let objects = ends.flatten().filter(|object| object.kind() == kind);
            let wanted: BTreeSet<_> = objects.map(|object| object.id().to_owned()).collect();
            let found: Vec<_> = world.graph.named(kind, "").collect();
            prop_assert_eq!(&found, &wanted.iter().map(String::as_str).collect::<Vec<_>>());
            if let Some(middle) = found.get(found.len() / 2) {
                let rest: Vec<_> = world.graph.named(kind, middle).collect();
                prop_assert_eq!(rest, &found[found.len() / 2..]);
                let beyond = format!("{middle}\u{1}");
                prop_assert_eq!(world.graph.named(kind, &beyond).next(), found.get(found.len() / 2 + 1).copied());
            }
        }
    }

    #[test]
    fn bytes_give_back_the_graph(schema in schemas(), history in histories()) {
        let world = lived(&schema, &history);
        let bytes = dump(&world.graph);
        let again = Graph::from_dump(&bytes, world.graph.schema().clone()).unwrap();
        prop_assert_eq!(all(&again), world.reference.sorted());
        prop_assert_eq!(again.len(), world.graph.len());
        prop_assert_eq!(again.ended(9, usize::MAX).len(), world.graph.ended(9, usize::MAX).len());
        prop_assert_eq!(dump(&again).len(), bytes.len());
    }

    #[test]
    fn damaged_bytes_are_an_error_or_another_graph(
        schema in schemas(),
        history in histories(),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
        cut in any::<prop::sample::Index>(),
    ) {
        let world = lived(&schema, &history);
        let bytes = dump(&world.graph);
        let schema = world.graph.schema();
        prop_assert!(Graph::from_dump(&bytes[..cut.index(bytes.len())], schema.clone()).is_err());
        let longer = [&bytes[..], &[0]].concat();
        prop_assert!(Graph::from_dump(&longer, schema.clone()).is_err());
        let mut damaged = bytes;
        let at = at.index(damaged.len());
        damaged[at] ^= flip;
        if let Ok(mut graph) = Graph::from_dump(&damaged, schema.clone()) {
            // Whatever it is, it can be read and written.
            all(&graph);
            for relationship in world.reference.sorted() {
                all(&graph);
                graph.write(relationship.clone());
                prop_assert_eq!(graph.get(&relationship.key), Some(relationship));
            }
            graph.fold();
            all(&graph);
        }
    }
}
