//! Every question passes one point, which can write it down.

use grantd_node::decision_log::DecisionLog;
use grantd_node::question::Said;
use grantd_node::realm::Caller;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::engine::{ObjectRef, Question, SubjectRef};
use grantd_node::realm::realms::DEFAULT;
use serde_json::Value;

use crate::support::{Rig, does, user};

fn may(login: &str) -> Question<'_> {
    let subject = SubjectRef::Object(ObjectRef { kind: "user", id: login });
    Question { subject, action: "member", resource: ObjectRef { kind: "role", id: "qa" } }
}

/// Asks so many questions of a node that writes one in `every`; gives the lines.
async fn lines(every: u64, questions: usize) -> Vec<Value> {
    let rig = Rig::new().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("decisions.jsonl");
    let log = DecisionLog::to_file(&path, every).await.unwrap();
    let node = rig.node_with(Some(log));
    let realm = node.realm(DEFAULT).await.unwrap();
    does(&realm, user("ann")).await;
    let published = realm.published();
    for _ in 0..questions {
        let caller = Caller::system("test");
        node.asking(published.clone(), &caller).unwrap().check(&may("ann"), Said::NOTHING);
    }
    node.stop().await.unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn all_that_was_asked_is_written_down_before_the_node_stops() {
    let lines = lines(1, 500).await;
    assert_eq!(lines.len(), 500);
    let line = &lines[499];
    assert_eq!(
        (&line["caller"], &line["subject"], &line["action"], &line["resource"], &line["allowed"]),
        (&"system:test".into(), &"user:ann".into(), &"member".into(), &"role:qa".into(), &false.into())
    );
    assert_eq!((&line["realm"], &line["revision"]), (&DEFAULT.into(), &2.into()));
}

#[tokio::test]
async fn a_sample_is_one_in_so_many() {
    assert_eq!(lines(10, 95).await.len(), 10);
}

#[tokio::test]
async fn who_may_not_ask_gets_no_answer() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let stranger = Caller::local(Actor::User("ann".into()));
    let refused = rig.node().asking(realm.published(), &stranger).err().unwrap();
    assert_eq!(refused.code(), "forbidden");
}
