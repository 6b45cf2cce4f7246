//! Questions and reads are answered while a writer is busy.

use std::time::Duration;

use serde_json::json;

use crate::support::{Rig, related};

#[tokio::test]
async fn checks_and_reads_do_not_wait_for_a_write_that_hangs_in_the_store() {
    let rig = Rig::new().await;
    rig.relate(&["role:qa#member@user:ann"]).await;
    let (before, appends) = (rig.revision().await, rig.store.appends());
    rig.store.delay_appends(Duration::from_hours(1));
    let write = |subject: &str| {
        let body = json!({"write": [related(&format!("role:qa#member@user:{subject}"))]});
        rig.call("POST", "/api/v1/relationships").json(body)
    };
    let asked = async {
        while rig.store.appends() == appends {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for (subject, allowed) in [("ann", true), ("bob", false)] {
            let question =
                json!({"subject": format!("user:{subject}"), "action": "member", "resource": "role:qa"});
            let answer = rig.call("POST", "/api/v1/check").json(question.clone()).await.is(200);
            assert_eq!((&answer.body["allowed"], answer.revision().1), (&json!(allowed), before));
            let batch = json!({"checks": [question]});
            let answer = rig.call("POST", "/api/v1/check/batch").json(batch).await.is(200);
            assert_eq!(answer.revision().1, before);
            let evaluation = json!({
                "subject": {"type": "user", "id": subject},
                "action": {"name": "member"},
                "resource": {"type": "role", "id": "qa"},
            });
            let answer = rig.call("POST", "/access/v1/evaluation").json(evaluation).await.is(200);
            assert_eq!(answer.body["decision"], allowed);
        }
        let search = json!({"subject_type": "user", "action": "member", "resource": "role:qa"});
        rig.call("POST", "/api/v1/search/subjects").json(search).await.is(200);
        let listed = rig.call("GET", "/api/v1/relationships?resource=role:qa").send().await.is(200);
        assert_eq!(listed.body["items"].as_array().map(Vec::len), Some(1), "{}", listed.text);
        rig.call("GET", "/api/v1/users").send().await.is(200);
    };
    // The first write is in the store's hands, the others wait behind it.
    tokio::select! {
        _ = futures::future::join3(write("bob"), write("cid"), write("dan")) => panic!("the store answered"),
        asked = tokio::time::timeout(Duration::from_secs(60), asked) => asked.expect("answers without the writer"),
    }
    assert_eq!(rig.revision().await, before);
}
