//! grantd's engine in this process.

use std::sync::Arc;

use grantd_engine::{
    Circumstances, Graph, Key, Object, ObjectRef, Question, Relationship, Schema, SchemaError, Source,
    Subject, SubjectRef,
};

use crate::data::{Ask, Fact};

/// Why there is no graph.
pub(crate) enum NoGraph {
    /// This version's language has not everything that the model uses.
    Refused(SchemaError),
    Failed(anyhow::Error),
}

/// The facts under a model, all in the base that most of a long-running server's data is in.
pub(crate) fn build(model: &str, facts: impl IntoIterator<Item = Fact>) -> Result<Graph, NoGraph> {
    let schema = Schema::parse(&[Source { name: "model", text: model }]).map_err(NoGraph::Refused)?;
    let mut graph = Graph::new(Arc::new(schema));
    let mut folded_at = 0;
    for fact in facts {
        graph.write(relationship(&fact).map_err(NoGraph::Failed)?);
        // As a server does: what is written is folded in when it has grown to a sixteenth of the rest.
        if graph.len() - folded_at > (folded_at / 16).max(4_096) {
            graph.fold();
            folded_at = graph.len();
        }
    }
    graph.fold();
    Ok(graph)
}

impl From<NoGraph> for anyhow::Error {
    fn from(none: NoGraph) -> Self {
        match none {
            NoGraph::Refused(error) => error.into(),
            NoGraph::Failed(error) => error,
        }
    }
}

fn relationship(fact: &Fact) -> anyhow::Result<Relationship> {
    let subject = match fact.subject_relation {
        _ if fact.subject == "*" => Subject::Wildcard(fact.subject_kind.parse()?),
        None => Subject::Object(Object::new(fact.subject_kind, &fact.subject)?),
        Some(relation) => Subject::Userset(Object::new(fact.subject_kind, &fact.subject)?, relation.parse()?),
    };
    let resource = Object::new(fact.kind, &fact.id)?;
    Ok(Relationship::lasting(Key { resource, relation: fact.relation.parse()?, subject }))
}

/// One question, from its texts.
pub(crate) fn check(graph: &Graph, ask: &Ask) -> anyhow::Result<bool> {
    let subject = SubjectRef::Object(ObjectRef { kind: ask.subject_kind, id: &ask.subject });
    let resource = ObjectRef { kind: ask.kind, id: &ask.resource };
    let question = Question { subject, action: ask.action, resource };
    Ok(graph.check(&question, &Circumstances::at(0))?.is_allowed())
}
