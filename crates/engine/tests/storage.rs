//! Random worlds: the graph stores what was written, as one list would.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use grantd_engine::{Filter, Graph, Relationship};
use grantd_testkit::random::{Step, histories, schemas};
use grantd_testkit::world::World;
use proptest::prelude::*;

fn all(graph: &Graph) -> Vec<Relationship> {
    let mut found = Vec::new();
    graph.for_each(|relationship| found.push(relationship));
    found
}

fn lived(schema: &str, history: &[Step]) -> World {
    let mut world = World::of(schema);
    for step in history {
        world.takes(step);
    }
    world
}

proptest! {
    #[test]
    fn reads_are_the_list_in_key_order(schema in schemas(), history in histories()) {
        let world = lived(&schema, &history);
        let list = world.reference.sorted();
        prop_assert_eq!(all(&world.graph), list.clone());
        prop_assert_eq!(world.graph.len(), list.len() as u64);
        for relationship in &list {
            prop_assert_eq!(world.graph.get(&relationship.key), Some(relationship.clone()));
        }
    }

    #[test]
    fn forward_and_reverse_reads_agree(schema in schemas(), history in histories(), limit in 1..4_usize) {
        let world = lived(&schema, &history);
        let list = world.reference.sorted();
        for Relationship { key, .. } in &list {
            let by_resource = Filter { resource: Some(key.resource.clone()), ..Filter::default() };
            let by_subject = Filter { subject: Some(key.subject.clone()), ..Filter::default() };
            let by_types = Filter {
                resource_type: Some(key.resource.type_name().clone()),
                subject_type: Some(key.subject.kind().parse().unwrap()),
                relation: Some(key.relation.clone()),
                ..Filter::default()
            };
            for filter in [by_resource, by_subject, by_types] {
                let wanted: Vec<_> = list.iter().filter(|found| matches(&filter, found)).cloned().collect();
                prop_assert_eq!(paged(&world.graph, &filter, limit), wanted);
            }
            let listed = world.graph.subjects_of(key.resource.as_ref(), key.relation.as_str());
            prop_assert!(listed.into_iter().any(|found| found.subject == key.subject.as_ref()));
            let listed: Vec<_> = world.graph.resources_of(&key.subject, key.resource.kind()).collect();
            let wanted = list.iter().filter(|found| found.key.subject == key.subject);
            let wanted = wanted.filter(|found| found.key.resource.kind() == key.resource.kind()).count();
            prop_assert_eq!(listed.len(), wanted);
        }
    }

    #[test]
    fn an_edited_graph_is_the_rebuilt_one(schema in schemas(), history in histories()) {
        let mut world = lived(&schema, &history);
        let mut rebuilt = Graph::new(world.graph.schema().clone());
        for relationship in world.reference.sorted() {
            rebuilt.write(relationship);
        }
        prop_assert_eq!(all(&world.graph), all(&rebuilt));
        world.graph.sweep(usize::MAX);
        prop_assert_eq!(all(&world.graph), all(&rebuilt));
        prop_assert_eq!(world.graph.len(), rebuilt.len());
    }

    #[test]
    fn a_fork_is_not_changed_by_later_edits(schema in schemas(), first in histories(), second in histories()) {
        let mut world = lived(&schema, &first);
        let fork = world.graph.clone();
        let before = all(&fork);
        for step in &second {
            world.takes(step);
        }
        prop_assert_eq!(all(&fork), before);
        prop_assert_eq!(all(&world.graph), world.reference.sorted());
    }
}

fn matches(filter: &Filter, found: &Relationship) -> bool {
    let key = &found.key;
    filter.resource.as_ref().is_none_or(|resource| *resource == key.resource)
        && filter.relation.as_ref().is_none_or(|relation| *relation == key.relation)
        && filter.subject.as_ref().is_none_or(|subject| *subject == key.subject)
        && filter.resource_type.as_ref().is_none_or(|kind| kind == key.resource.type_name())
        && filter.subject_type.as_ref().is_none_or(|kind| kind.as_str() == key.subject.kind())
}

fn paged(graph: &Graph, filter: &Filter, limit: usize) -> Vec<Relationship> {
    let mut found: Vec<Relationship> = Vec::new();
    loop {
        let page = graph.read(filter, found.last().map(|last| &last.key), limit);
        assert!(page.len() <= limit);
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}
