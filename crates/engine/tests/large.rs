//! Rows that are long enough for trees, and overlays that are large enough to be folded in.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use grantd_engine::{Filter, Graph, Key, ObjectRef, Relationship, Schema, Source};

const MODEL: &str = "type user\ntype role\n relations\n  define member: [user]\n";

/// Numbers that are the same in every run.
fn dice() -> impl FnMut(u64) -> u64 {
    let mut state = 1_u64;
    move |sides| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    }
}

fn all(graph: &Graph) -> Vec<Relationship> {
    let mut found = Vec::new();
    graph.for_each(|relationship| found.push(relationship));
    found
}

#[test]
fn thirty_thousand_edits_of_three_roles() {
    let schema = Schema::parse(&[Source { name: "test", text: MODEL }]).unwrap();
    let mut graph = Graph::new(Arc::new(schema));
    let mut list: BTreeMap<Key, Relationship> = BTreeMap::new();
    let mut roll = dice();
    let mut snapshots = Vec::new();
    let mut fold = None;
    for step in 0..30_000 {
        // Folds that take a while; some come too late, because the graph has folded in place meanwhile.
        match step % 3_000 {
            1_000 => fold = Some(graph.begin_fold()),
            2_500 => drop(graph.adopt(fold.take().unwrap().run())),
            _ => {}
        }
        let key: Key = format!("role:{}#member@user:{}", roll(3), roll(6000)).parse().unwrap();
        match roll(10) {
            0 | 1 => assert_eq!(graph.delete(&key), list.remove(&key).is_some(), "{key}"),
            n => {
                let until = (n == 2).then_some(7);
                let relationship = Relationship { until, ..Relationship::lasting(key.clone()) };
                graph.write(relationship.clone());
                list.insert(key, relationship);
            }
        }
        if step % 4999 == 0 {
            snapshots.push((graph.clone(), list.clone()));
        }
        if step % 10_000 == 9_999 {
            let user = format!("user:{}", roll(6000));
            graph.retire(ObjectRef { kind: "user", id: user.strip_prefix("user:").unwrap() });
            list.retain(|key, _| key.subject.to_string() != user);
        }
    }
    snapshots.push((graph.clone(), list.clone()));
    while graph.sweep(3) > 0 {}
    graph.fold();
    snapshots.push((graph, list));
    for (graph, list) in &snapshots {
        assert_eq!(all(graph), list.values().cloned().collect::<Vec<_>>());
        assert_eq!(graph.len(), list.len() as u64);
    }
    let (graph, list) = snapshots.last().unwrap();
    let first = list.keys().next().unwrap();
    let filter = Filter { resource: Some(first.resource.clone()), ..Filter::default() };
    let wanted: Vec<_> =
        list.values().filter(|found| found.key.resource == first.resource).cloned().collect();
    assert_eq!(graph.read(&filter, None, usize::MAX), wanted);
    assert_eq!(graph.read(&filter, Some(&wanted.get(9).unwrap().key), 5), wanted.get(10..15).unwrap());
}

#[test]
fn a_fold_elsewhere_comes_to_the_same_as_one_in_place() {
    let schema = Schema::parse(&[Source { name: "test", text: MODEL }]).unwrap();
    let mut elsewhere = Graph::new(Arc::new(schema));
    let mut roll = dice();
    let mut step = |graph: &mut Graph, other: &mut Graph| {
        let (role, user) = (roll(5), roll(3000));
        let key: Key = format!("role:{role}#member@user:{user}").parse().unwrap();
        match roll(8) {
            0 => assert_eq!(graph.delete(&key), other.delete(&key)),
            1 if role == 0 => {
                let object = key.subject.object().unwrap();
                assert_eq!(graph.retire(object.as_ref()), other.retire(object.as_ref()));
                assert_eq!(graph.sweep(2), other.sweep(2));
            }
            n => {
                let until = (n == 2).then_some(7);
                let relationship = Relationship { until, ..Relationship::lasting(key) };
                assert_eq!(graph.write(relationship.clone()), other.write(relationship));
            }
        }
    };
    let mut in_place = elsewhere.clone();
    for _ in 0..6 {
        (0..700).for_each(|_| step(&mut elsewhere, &mut in_place));
        let begun = elsewhere.clone();
        let fold = elsewhere.begin_fold();
        assert!(!elsewhere.needs_fold());
        (0..700).for_each(|_| step(&mut elsewhere, &mut in_place));
        let during = (elsewhere.clone(), all(&elsewhere));
        assert_eq!(during.1, all(&in_place));
        let folded = fold.clone().run();
        assert!(elsewhere.adopt(folded));
        assert!(!elsewhere.adopt(fold.run()), "only once");
        in_place.fold();
        assert_eq!(all(&elsewhere), all(&in_place));
        assert_eq!(elsewhere.len(), in_place.len());
        assert_eq!(all(&during.0), during.1, "a snapshot held meanwhile");
        let mut late = begun;
        let stale = late.begin_fold();
        assert!(!elsewhere.adopt(stale.run()), "the fold of another graph");
    }
}
