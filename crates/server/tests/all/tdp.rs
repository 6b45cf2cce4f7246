//! The catalogue dialect on several nodes and over time; row by row it is in `clients/tdp`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::PASSWORD;
use crate::support::{Answer, Rig, Setup};

const PERMISSIONS: &str = "/v1/permissions/";
const SECOND: i64 = 1_000_000;

/// The cookies of who is signed in, and the token that belongs to them.
struct Session {
    cookie: String,
    token: String,
}

impl Session {
    async fn of(rig: &Rig, login: &str) -> Self {
        let body = json!({"username": login, "password": PASSWORD});
        let answer = rig.bare("POST", "/v1/login").json(body).await.is(200);
        let cookies = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
        let cookies: Vec<&str> = cookies.map(|line| line.split(';').next().unwrap()).collect();
        Self { cookie: cookies.join("; "), token: answer.body["csrf"].as_str().unwrap().into() }
    }

    async fn call(&self, rig: &Rig, method: &str, path: &str, body: Value) -> Answer {
        let call = rig.bare(method, path).header("cookie", &self.cookie).header("x-csrftoken", &self.token);
        call.json(body).await
    }
}

async fn make_admin(rig: &Rig, login: &str) {
    rig.call("PUT", &format!("/api/v1/roles/admin/members/user:{login}")).send().await.is(200);
}

fn permission(codename: &str) -> Value {
    json!({"codename": codename, "name": "Can", "content_type": null})
}

#[tokio::test]
async fn what_was_done_on_one_node_counts_on_another_at_once() {
    let rig = Rig::set_up(Setup { shared: true, ..Setup::default() }).await;
    rig.person("ann").await;
    let there = rig.another().await;
    let ann = Session::of(&rig, "ann").await;
    ann.call(&there, "GET", PERMISSIONS, json!({})).await.is(403);
    make_admin(&rig, "ann").await;
    ann.call(&there, "GET", PERMISSIONS, json!({})).await.is(200);
    let made = ann.call(&rig, "POST", PERMISSIONS, permission("one")).await.is(201).body;
    let path = format!("{PERMISSIONS}{}/", made["id"]);
    assert_eq!(ann.call(&there, "GET", &path, json!({})).await.is(200).body, made);
    rig.call("DELETE", "/api/v1/roles/admin/members/user:ann").send().await.is(200);
    ann.call(&there, "PATCH", &path, json!({"name": "x"})).await.is(403);
    ann.call(&rig, "POST", "/v1/logout", json!({})).await.is(302);
    ann.call(&there, "GET", "/v1/auth_check", json!({})).await.is(403);
}

#[tokio::test]
async fn two_nodes_make_no_two_of_a_pair() {
    let rig = Rig::set_up(Setup { shared: true, ..Setup::default() }).await;
    rig.person("ann").await;
    make_admin(&rig, "ann").await;
    let there = rig.another().await;
    let ann = Session::of(&rig, "ann").await;
    for round in 0..8 {
        let body = permission(&format!("c{round}"));
        let (one, other) = tokio::join!(
            ann.call(&rig, "POST", PERMISSIONS, body.clone()),
            ann.call(&there, "POST", PERMISSIONS, body)
        );
        let mut answers = [one, other];
        answers.sort_by_key(|answer| answer.status);
        let [made, refused] = answers;
        made.is(201);
        let texts = ["The fields content_type, codename must make a unique set."];
        assert_eq!(refused.is(400).body, json!({"non_field_errors": texts}));
    }
}

#[tokio::test]
async fn a_session_is_over_when_its_time_is() {
    let rig = Rig::new().await;
    rig.person("ann").await;
    let ann = Session::of(&rig, "ann").await;
    let check = || ann.call(&rig, "GET", "/v1/auth_check", json!({}));
    // Longer than it may be idle, but not at one go.
    for n in 0..4 {
        let appends = rig.store.appends();
        rig.clock.advance(20 * 60 * SECOND);
        check().await.is(200);
        // No answer waits until the use is noted.
        for _ in 0..400 {
            if rig.store.appends() > appends {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // What is written after it is durable after it.
        rig.user(&format!("after-{n}")).await;
    }
    rig.clock.advance(31 * 60 * SECOND);
    check().await.is(403);
}

#[tokio::test]
async fn a_session_and_a_catalogue_survive_a_restart() {
    let rig = Rig::new().await;
    rig.person("ann").await;
    make_admin(&rig, "ann").await;
    let ann = Session::of(&rig, "ann").await;
    ann.call(&rig, "POST", PERMISSIONS, permission("kept")).await.is(201);
    let before = ann.call(&rig, "GET", PERMISSIONS, json!({})).await.is(200).body;
    let again = rig.another().await;
    assert_eq!(ann.call(&again, "GET", PERMISSIONS, json!({})).await.is(200).body, before);
}

#[tokio::test]
async fn the_cookies_are_safe_on_tls() {
    let rig = Rig::set_up(Setup { public_url: Some("https://grantd.example"), ..Setup::default() }).await;
    rig.person("ann").await;
    let body = json!({"username": "ann", "password": PASSWORD});
    let answer = rig.bare("POST", "/v1/login").json(body.clone()).await.is(200);
    for cookie in answer.headers.get_all("set-cookie") {
        assert!(cookie.to_str().unwrap().ends_with("; Secure"), "{cookie:?}");
    }
    let from = |origin: &'static str| rig.bare("POST", "/v1/login").header("origin", origin);
    from("https://grantd.example").json(body.clone()).await.is(200);
    from("http://grantd.example").json(body).await.is(403);
}
