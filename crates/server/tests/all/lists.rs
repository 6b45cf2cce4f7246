//! Lists: pages, and the cursors between them.

use serde_json::{Value, json};

use crate::support::Rig;

const FIVE_MINUTES: i64 = 5 * 60 * 1_000_000;

async fn with_users(count: usize) -> Rig {
    let rig = Rig::new().await;
    for n in 0..count {
        rig.user(&format!("u{n}")).await;
    }
    rig
}

/// All pages of a list, item by item.
async fn walked(rig: &Rig, list: &str, limit: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let and = if list.contains('?') { "&" } else { "?" };
        let page = rig.call("GET", &format!("{list}{and}limit={limit}{cursor}")).send().await.is(200);
        let got = page.body["items"].as_array().unwrap().clone();
        assert!(got.len() <= limit);
        items.extend(got);
        match page.body["next"].as_str() {
            None => return items,
            Some(next) => cursor = format!("&cursor={next}"),
        }
    }
}

#[tokio::test]
async fn pages_put_together_are_the_list() {
    let rig = with_users(6).await;
    for n in 0..6 {
        let write = json!({"write": [{"resource": "role:qa", "relation": "member", "subject": format!("user:u{n}")}]});
        rig.call("POST", "/api/v1/relationships").json(write).await.is(200);
        rig.key(&["checker"]).await;
    }
    for list in
        ["/api/v1/users", "/api/v1/keys", "/api/v1/relationships", "/api/v1/relationships?resource=role:qa"]
    {
        let whole = walked(&rig, list, 1_000).await;
        assert!(whole.len() >= 6, "{list}");
        for limit in [1, 2, 3, whole.len()] {
            assert_eq!(walked(&rig, list, limit).await, whole, "{list} by {limit}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_one_caller_and_one_query_only() {
    let rig = with_users(3).await;
    rig.create_realm("acme").await;
    let next = |page: crate::support::Answer| page.is(200).body["next"].as_str().unwrap().to_owned();
    let users = next(rig.call("GET", "/api/v1/users?limit=1").send().await);
    let bad = |call: crate::support::Call| async {
        let answer = call.send().await.is_problem(400, "invalid_request");
        assert_eq!(answer.body["field"], "cursor");
    };
    rig.call("GET", &format!("/api/v1/users?cursor={users}")).send().await.is(200);
    let other = rig.key(&["admin"]).await;
    bad(rig.with(&other, "GET", &format!("/api/v1/users?cursor={users}"))).await;
    bad(rig.call("GET", &format!("/api/v1/keys?cursor={users}"))).await;
    bad(rig.call("GET", &format!("/api/v1/relationships?cursor={users}"))).await;
    bad(rig.call("GET", &format!("/r/acme/api/v1/users?cursor={users}"))).await;
    for n in ["u0", "u1"] {
        let write = json!({"write": [
            {"resource": "role:qa", "relation": "member", "subject": format!("user:{n}")},
            {"resource": "role:ops", "relation": "member", "subject": format!("user:{n}")},
        ]});
        rig.call("POST", "/api/v1/relationships").json(write).await.is(200);
    }
    let qa = next(rig.call("GET", "/api/v1/relationships?resource=role:qa&limit=1").send().await);
    bad(rig.call("GET", &format!("/api/v1/relationships?resource=role:ops&cursor={qa}"))).await;
}

#[tokio::test]
async fn a_cursor_that_was_tampered_with_is_refused() {
    let rig = with_users(3).await;
    let page = rig.call("GET", "/api/v1/users?limit=1").send().await;
    let cursor = page.body["next"].as_str().unwrap().to_owned();
    for at in 0..cursor.len() {
        let mut letters: Vec<char> = cursor.chars().collect();
        letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
        let forged: String = letters.into_iter().collect();
        let answer = rig.call("GET", &format!("/api/v1/users?cursor={forged}")).send().await;
        assert_eq!(answer.status, 400, "letter {at}: {}", answer.text);
    }
    for forged in ["", "x", "AAAA", &cursor[..cursor.len() - 2], "%20", &format!("{cursor}AAAA")] {
        let path = format!("/api/v1/users?cursor={forged}");
        rig.call("GET", &path).send().await.is_problem(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_cursor_lives_five_minutes() {
    let rig = with_users(3).await;
    let page = rig.call("GET", "/api/v1/users?limit=1").send().await;
    let path = format!("/api/v1/users?cursor={}", page.body["next"].as_str().unwrap());
    rig.clock.advance(FIVE_MINUTES - 1);
    rig.call("GET", &path).send().await.is(200);
    rig.clock.advance(1);
    rig.call("GET", &path).send().await.is_problem(400, "invalid_request");
}

#[tokio::test]
async fn a_limit_is_at_least_one_and_at_most_a_thousand() {
    let rig = with_users(2).await;
    for list in ["users", "keys", "relationships", "ledger"] {
        rig.call("GET", &format!("/api/v1/{list}?limit=0")).send().await.is_problem(400, "invalid_request");
        rig.call("GET", &format!("/api/v1/{list}?limit=100000")).send().await.is(200);
        for bad in ["-1", "x", "1.5", "99999999999999999999"] {
            rig.call("GET", &format!("/api/v1/{list}?limit={bad}")).send().await.is(400);
        }
    }
}
