//! Every route asks who calls.

use serde_json::json;

use crate::route_table::{api, authzen, filled, freestyle, mix, mollie, pulp, tdp};
use crate::support::Rig;

/// Where a dialect's paths are reached.
const MOUNTS: [&str; 3] = ["", "/freestyle", "/r/default/freestyle"];

#[tokio::test]
async fn no_credential_is_401_in_the_faces_own_form() {
    let rig = Rig::new().await;
    for (method, path) in api() {
        let answer = rig.bare(&method, &filled(&path)).json(json!({})).await;
        let answer = answer.is_problem(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"grantd\"", "{method} {path}");
    }
    for (method, path) in authzen().into_iter().filter(|(method, _)| method == "POST") {
        for mount in ["", "/r/default"] {
            let answer = rig.bare(&method, &format!("{mount}{path}")).json(json!({})).await.is(401);
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"grantd\"", "{mount}{path}");
            assert!(answer.body.is_string(), "{}", answer.text);
        }
    }
    for (method, path) in freestyle() {
        for mount in MOUNTS {
            let answer = rig.bare(&method, &format!("{mount}{}", filled(&path))).json(json!({})).await;
            let answer = answer.is_freestyle(401, "UNAUTHORIZED");
            assert!(!answer.header("www-authenticate").is_empty(), "{method} {mount}{path}");
        }
    }
    for (method, path) in mix().into_iter().filter(|(_, path)| path != "/health") {
        for mount in ["", "/mix", "/r/default/mix"] {
            let answer =
                rig.bare(&method, &format!("{mount}{}", filled(&path))).json(json!({})).await.is(401);
            assert_eq!(answer.body["error"]["type"], "unauthorized", "{method} {mount}{path}");
            assert_eq!(answer.body["message"], answer.body["error"]["message"]);
        }
    }
    for (method, path) in mollie() {
        for mount in ["", "/mollie", "/r/default/mollie"] {
            let answer = rig.bare(&method, &format!("{mount}{}", filled(&path))).send().await.is(401);
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer realm=\"grantd\"",
                "{method} {mount}{path}"
            );
            let text = if path.starts_with("/v1") {
                &answer.body["error"]["message"]
            } else {
                &answer.body["title"]
            };
            assert!(text.as_str().unwrap().starts_with("Unauthorized"), "{}", answer.text);
        }
    }
    for (method, path) in pulp() {
        for mount in ["", "/pulp/api", "/r/default/pulp/api"] {
            let answer =
                rig.bare(&method, &format!("{mount}{}", filled(&path))).json(json!({})).await.is(401);
            assert_eq!(answer.body["error"]["code"], "PLP0025", "{method} {mount}{path}");
            assert_eq!(answer.header("www-authenticate"), "", "{method} {mount}{path}");
        }
    }
    for (method, path) in tdp().into_iter().filter(|(_, path)| path != "/v1/login" && !path.ends_with("oidc"))
    {
        for mount in ["/tdp", "/r/default/tdp"] {
            let answer =
                rig.bare(&method, &format!("{mount}{}", filled(&path))).json(json!({})).await.is(403);
            let detail = "Authentication credentials were not provided.";
            assert_eq!(answer.body, json!({ "detail": detail }), "{method} {mount}{path}");
        }
    }
}

#[tokio::test]
async fn nobody_without_an_authority_gets_anywhere() {
    let rig = Rig::new().await;
    let key = rig.key(&["approver"]).await;
    let token = rig.token(&rig.identity().await).await;
    let before = rig.revision().await;
    for (method, path) in api() {
        for key in [&key, &token] {
            // What there is to decide, and in which session, is for approvers.
            let is_theirs = path == "/api/v1/approval-sessions"
                || method == "GET" && ["/api/v1/requests", "/api/v1/rules"].contains(&path.as_str());
            if is_theirs && key.starts_with("gdk_") {
                continue;
            }
            let answer = rig.with(key, &method, &filled(&path)).json(json!({})).await;
            assert!((400..500).contains(&answer.status), "{method} {path}: {}", answer.text);
        }
    }
    for (method, path) in authzen().into_iter().filter(|(method, _)| method == "POST") {
        let named = json!({"type": "user", "id": "x"});
        let body = json!({"subject": named, "action": {"name": "member"}, "resource": named});
        for key in [&key, &token] {
            assert!(rig.with(key, &method, &path).json(body.clone()).await.is(403).body.is_string());
        }
    }
    for (method, path) in freestyle().into_iter().filter(|(_, path)| path != "/auth/v1/whoami") {
        let path = filled(&path);
        let by_key = rig.with(&key, &method, &path).json(json!({"permission": "read"})).await;
        let by_token = rig.bare(&method, &path).header("x-freestyle-identity-access-token", &token);
        let by_token = by_token.json(json!({"permission": "read"})).await;
        for answer in [by_key, by_token] {
            assert!((400..500).contains(&answer.status), "{method} {path}: {}", answer.text);
        }
    }
    assert_eq!(rig.revision().await, before, "nothing was written");
}

#[tokio::test]
async fn who_may_not_is_told_so_also_about_what_is_not_there() {
    let rig = Rig::new().await;
    let token = rig.token(&rig.identity().await).await;
    for (method, path) in freestyle() {
        if path == "/auth/v1/whoami" || !["GET", "DELETE"].contains(&method.as_str()) {
            continue;
        }
        let call = rig.bare(&method, &filled(&path)).header("x-freestyle-identity-access-token", &token);
        call.send().await.is_freestyle(403, "FORBIDDEN");
    }
}

#[tokio::test]
async fn an_identity_learns_who_it_is() {
    let rig = Rig::new().await;
    let identity = rig.identity().await;
    let token = rig.token(&identity).await;
    let call = rig.bare("GET", "/auth/v1/whoami").header("x-freestyle-identity-access-token", &token);
    assert_eq!(call.send().await.is(200).body["identityId"], identity);
    let by_key = rig.call("GET", "/auth/v1/whoami").send().await.is(200);
    assert!(by_key.body["identityId"].is_null() && by_key.body["accountId"].is_string());
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_faces_own_form() {
    let rig = Rig::new().await;
    rig.call("GET", "/api/v1/nothing").send().await.is_problem(404, "not_found");
    rig.call("DELETE", "/api/v1/check").send().await.is_problem(405, "method_not_allowed");
    assert!(rig.call("GET", "/access/v1/nothing").send().await.is(404).body.is_string());
    assert!(rig.call("GET", "/access/v1/evaluation").send().await.is(405).body.is_string());
    rig.call("GET", "/freestyle/nothing").send().await.is_freestyle(404, "INVALID_REQUEST");
    let answer = rig.call("PATCH", "/v5/identities").send().await.is_freestyle(405, "INVALID_REQUEST");
    assert!(!answer.header("allow").is_empty());
    rig.call("GET", "/nothing").send().await.is_problem(404, "not_found");
}

#[tokio::test]
async fn operations_need_no_credential() {
    let rig = Rig::new().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        rig.bare("GET", path).send().await.is(200);
    }
    rig.store.fail_reads(100);
    let answer = rig.bare("GET", "/readyz").send().await.is(503);
    assert_eq!(answer.header("retry-after"), "1");
    rig.bare("GET", "/healthz").send().await.is(200);
}
