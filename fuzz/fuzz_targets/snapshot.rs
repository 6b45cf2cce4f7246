//! A state as a snapshot, and a graph as a dump, told apart by the first byte: any bytes give one or an error, without more
//! memory than there are bytes; and what was read can be asked, written to, and read again.
#![no_main]

use std::sync::{Arc, OnceLock};

use grantd_engine::{Circumstances, Filter, Graph, ObjectRef, Question, Relationship, Schema, SubjectRef};
use grantd_realm::{State, builtin};
use libfuzzer_sys::{Corpus, fuzz_target};

fn schema() -> Arc<Schema> {
    static SCHEMA: OnceLock<Arc<Schema>> = OnceLock::new();
    SCHEMA.get_or_init(|| builtin::schema().expect("the built-in schema")).clone()
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((form, bytes)) = bytes.split_first() else { return Corpus::Reject };
    if form % 2 == 0 { state(bytes) } else { graph(bytes) }
    Corpus::Keep
});

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
