//! A state as a snapshot, and a graph as a dump, told apart by the first byte; the other bytes are the whole, or edits of one
//! that was written: three each, place and byte. Any bytes give one or an error, without more memory than there are bytes; and
//! what was read can be asked, written to, and read again.
#![no_main]

use std::sync::{Arc, OnceLock};

use grantd_engine::{Circumstances, Filter, Graph, ObjectRef, Question, Relationship, Schema, SubjectRef};
use grantd_realm::change::{Change, Stamp};
use grantd_realm::{State, builtin};
use libfuzzer_sys::{Corpus, fuzz_target};

fn schema() -> Arc<Schema> {
    static SCHEMA: OnceLock<Arc<Schema>> = OnceLock::new();
    SCHEMA.get_or_init(|| builtin::schema().expect("the built-in schema")).clone()
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((form, bytes)) = bytes.split_first() else { return Corpus::Reject };
    match form % 4 {
        0 => state(bytes),
        1 => graph(bytes),
        2 => state(&edited(&written().0, bytes)),
        _ => graph(&edited(&written().1, bytes)),
    }
    Corpus::Keep
});

/// A snapshot and a dump of a world with a bit of everything.
fn written() -> &'static (Vec<u8>, Vec<u8>) {
    static WRITTEN: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let mut state = State::empty(schema());
        let stamp = Stamp { revision: 1, time: 1 };
        let mut apply = |change| state.apply(&change, stamp).expect("a change that fits");
        apply(Change::RealmCreated { name: "default".into(), account: uuid::Uuid::from_bytes([1; 16]) });
        for key in [
            "role:qa#member@user:ann",
            "role:qa#member@role:dev#member",
            "role:dev#member@user:bob",
            "grantd:default#writer@role:qa#member",
            "grantd:default#checker@user:ann",
        ] {
            let until = key.ends_with("bob").then_some(1_000);
            let key = key.parse().expect("a key");
            apply(Change::RelationshipWritten { relationship: Relationship { until, ..Relationship::lasting(key) } });
        }
        let object = "user:ann".parse().expect("an object");
        apply(Change::EntityPut { object, properties: r#"{"level":3}"#.into() });
        let mut dump = Vec::new();
        state.graph().dump(&mut dump);
        (state.to_snapshot(), dump)
    })
}

fn edited(written: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = written.to_vec();
    for edit in edits.chunks_exact(3) {
        let at = usize::from(edit[0]) << 8 | usize::from(edit[1]);
        let at = at % bytes.len();
        bytes[at] = edit[2];
    }
    bytes
}

fn state(bytes: &[u8]) {
    let Ok(state) = State::from_snapshot(bytes, schema()) else { return };
    let again = State::from_snapshot(&state.to_snapshot(), schema()).expect("what was written");
    assert_eq!(again.hash(), state.hash());
    use_graph(state.graph().clone());
}

fn graph(bytes: &[u8]) {
    let Ok(graph) = Graph::from_dump(bytes, schema()) else { return };
    let mut dump = Vec::new();
    graph.dump(&mut dump);
    let again = Graph::from_dump(&dump, schema()).expect("what was written");
    assert_eq!(again.len(), graph.len());
    use_graph(graph);
}

/// Lives with what was read: questions, writes, a fold.
fn use_graph(mut graph: Graph) {
    let stored: Vec<Relationship> = graph.read(&Filter::default(), None, 50);
    for relationship in &stored {
        let key = &relationship.key;
        let question = Question {
            subject: key.subject.as_ref(),
            action: key.relation.as_str(),
            resource: key.resource.as_ref(),
        };
        let circumstances = Circumstances::at(relationship.until.unwrap_or_default());
        let _ = graph.check(&question, &circumstances);
        let _ = graph.explain(&question, &circumstances);
        let (kind, action) = (key.resource.kind(), key.relation.as_str());
        let _ = graph.search_resources(key.subject.as_ref(), action, kind, &circumstances, None, 10);
        let _ = graph.search_subjects("user", action, key.resource.as_ref(), &circumstances, None, 10);
    }
    let nobody = SubjectRef::Object(ObjectRef { kind: "user", id: "nobody" });
    for relationship in stored {
        let key = relationship.key.clone();
        graph.delete(&key);
        graph.write(relationship);
        let _ = graph.search_actions(nobody, key.resource.as_ref(), &Circumstances::at(0), None, 10);
        graph.retire(key.resource.as_ref());
    }
    graph.fold();
}
