//! Nobody raises their own rights over grantd's own API: every write route is walked with bodies that would.

use grantd_node::realm::Caller;
use grantd_node::realm::caller::{Actor, Authority};
use grantd_node::realm::managed::SUPER_USERS;
use grantd_node::realm::pulp::{Operation, PulpUri, may};
use grantd_node::realm::role::everyone_in;
use serde_json::{Value, json};

use crate::browser::{Browser, COOKIE};
use crate::route_table::{api, filled};
use crate::support::{Call, Rig, related};

/// For each write route something that would be a way up if it were carried out; `me` is who tries.
fn attempts(method: &str, path: &str, me: &str, login: &str) -> Vec<(String, Value)> {
    let at = |from: &str, to: &str| path.replace(from, to);
    let role_of_me = at("{key}", "ops").replace("{member}", me);
    match (method, path) {
        ("POST", "/api/v1/users") => vec![
            (path.into(), json!({"login": "other", "password": "a long password"})),
            (path.into(), json!({"login": "other", "roles": ["ops"]})),
            (path.into(), json!({"login": "other", "roles": [SUPER_USERS]})),
        ],
        ("PATCH", "/api/v1/users/{login}") => ["admin", "ann", login]
            .into_iter()
            .flat_map(|login| {
                let path = at("{login}", login);
                [
                    json!({"password": "a long password"}),
                    json!({"roles": ["ops"]}),
                    json!({"roles": [SUPER_USERS]}),
                ]
                .map(|body| (path.clone(), body))
            })
            .collect(),
        ("DELETE", "/api/v1/users/{login}") => vec![(at("{login}", "admin"), json!({}))],
        ("POST", "/api/v1/roles") => vec![(path.into(), json!({"key": "mine"}))],
        ("PATCH" | "DELETE", "/api/v1/roles/{key}") => {
            vec![(at("{key}", "ops"), json!({"display_name": "x"}))]
        }
        ("PUT" | "DELETE", "/api/v1/roles/{key}/members/{member}") => {
            vec![(role_of_me.clone(), json!({})), (role_of_me.replace("ops", SUPER_USERS), json!({}))]
        }
        ("POST", "/api/v1/keys") => vec![
            (path.into(), json!({"name": "k"})),
            (path.into(), json!({"name": "k", "grants": ["admin"]})),
            (path.into(), json!({"name": "k", "grants": ["writer"]})),
        ],
        ("POST", "/api/v1/relationships") => [
            format!("grantd:default#admin@{me}"),
            format!("grantd:default#operator@{me}"),
            format!("grantd:default#checker@{me}"),
            format!("role:ops#member@{me}"),
            format!("role:super-users#member@{me}"),
            format!("pulp_uri:/#update@{me}"),
            format!("pulp_uri:/v2/users/#create@{me}"),
            format!("pulp_uri:/v2/roles/ops/users/#update@{me}"),
            format!("pulp_uri:/elsewhere/#read@{me}"),
            format!("mix_session:s#approver@{me}"),
            "mix_session:s#parent@mix_session:t".to_owned(),
        ]
        .iter()
        .map(|key| (path.into(), json!({"write": [related(key)]})))
        .collect(),
        ("POST", "/api/v1/relationships/import") => {
            vec![(path.into(), related(&format!("role:ops#member@{me}")))]
        }
        ("PUT", "/api/v1/schema") => vec![(path.into(), json!({"schema": "type plan\n"}))],
        ("POST", "/api/v1/realms") => vec![(path.into(), json!({"name": "mine", "admin_key": true}))],
        _ => vec![(filled(path), json!({}))],
    }
}

fn is_write(method: &str, path: &str) -> bool {
    // Asking for a permission is what requesters are for, and deciding what approvers are.
    let asks =
        ["/api/v1/check", "/api/v1/search", "/api/v1/requests", "/api/v1/approval-sessions", "/api/v1/rules"];
    let asks = asks.iter().any(|asks| path.starts_with(asks));
    method != "GET" && !asks
}

type Held = (Vec<Authority>, Vec<(&'static str, Operation)>, usize);

/// What the caller holds, and how many super users there are.
async fn held(rig: &Rig, caller: &Caller) -> Held {
    const URIS: [&str; 8] = [
        "/",
        "/v2/users/",
        "/v2/users/ann/",
        "/v2/users/eve/",
        "/v2/roles/ops/",
        "/v2/roles/ops/users/",
        "/v2/permissions/actions/",
        "/elsewhere/",
    ];
    let published = rig.node.realm("default").await.unwrap().published();
    let (state, now) = (&published.state, rig.clock.now());
    let authorities = Authority::ALL.into_iter().filter(|one| caller.holds(*one, state, now)).collect();
    let all = URIS.into_iter().flat_map(|uri| Operation::ALL.map(|operation| (uri, operation)));
    let on = |uri| PulpUri::normalise(uri).unwrap();
    let operations = all.filter(|(uri, operation)| may(state, caller, *operation, &on(uri), now)).collect();
    (authorities, operations, everyone_in(state, SUPER_USERS, now).len())
}

/// Walks every write route; gives how many attempts were made and how many were carried out.
async fn walk(rig: &Rig, who: &Who, before: &Held) -> (usize, usize) {
    let caller = &who.caller;
    let (me, login) = match &caller.actor {
        Actor::User(login) => (format!("user:{login}"), login.clone()),
        actor => (actor.to_string(), "eve".to_owned()),
    };
    let (mut tried, mut done) = (0, 0);
    for (method, path) in api().into_iter().filter(|(method, path)| is_write(method, path)) {
        for (path, body) in attempts(&method, &path, &me, &login) {
            let call = who.signs(rig.bare(&method, &path));
            let answer = if path.ends_with("/import") {
                call.text("application/x-ndjson", &body.to_string()).await
            } else {
                call.json(body.clone()).await
            };
            tried += 1;
            done += usize::from(answer.status < 300);
            assert!(answer.status < 500, "{method} {path}: {}", answer.text);
            assert_eq!(&held(rig, caller).await, before, "{method} {path} {body}");
        }
    }
    (tried, done)
}

async fn rig() -> Rig {
    let rig = Rig::new().await;
    rig.user("ann").await;
    rig.person("eve").await;
    rig.call("POST", "/api/v1/roles").json(json!({"key": "ops"})).await.is(201);
    rig.relate(&["grantd:default#operator@role:ops#member", "pulp_uri:/v2/roles/#update@role:ops#member"])
        .await;
    rig
}

/// Somebody who calls.
struct Who {
    caller: Caller,
    /// What every call of theirs carries.
    headers: Vec<(&'static str, String)>,
}

impl Who {
    /// A key of the realm.
    async fn key(rig: &Rig, grants: &[&str]) -> Self {
        let made =
            rig.call("POST", "/api/v1/keys").json(json!({"name": "k", "grants": grants})).await.is(201).body;
        let id = made["id"].as_str().unwrap().parse().unwrap();
        let bearer = format!("Bearer {}", made["key"].as_str().unwrap());
        Self { caller: Caller::local(Actor::ApiKey(id)), headers: vec![("authorization", bearer)] }
    }

    /// A user who is signed in.
    async fn user(rig: &Rig, login: &str) -> Self {
        let mut browser = Browser::new(rig);
        browser.signs_in(login).await;
        let session = browser.call("GET", "/api/v1/session").send().await.is(200);
        let csrf = session.body["csrf"].as_str().unwrap().to_owned();
        let cookie = format!("{COOKIE}={}", browser.session());
        Self {
            caller: Caller::local(Actor::User(login.into())),
            headers: vec![("cookie", cookie), ("grantd-csrf", csrf)],
        }
    }

    fn signs(&self, call: Call) -> Call {
        self.headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    }
}

#[tokio::test]
async fn a_user_with_nothing_but_the_automatic_grants_gets_nothing_done() {
    let rig = rig().await;
    let eve = Who::user(&rig, "eve").await;
    let before = held(&rig, &eve.caller).await;
    assert_eq!(before.1, [("/v2/users/eve/", Operation::Read), ("/v2/users/eve/", Operation::Update)]);
    let revision = rig.revision().await;
    let (tried, done) = walk(&rig, &eve, &before).await;
    assert!(tried > 30 && done == 0, "{done} of {tried}");
    assert_eq!(rig.revision().await, revision, "nothing was written");
    // The walk says something only if its calls are heard.
    rig.call("PUT", "/api/v1/roles/super-users/members/user:eve").send().await.is(200);
    eve.signs(rig.bare("POST", "/api/v1/roles")).json(json!({"key": "mine"})).await.is(201);
}

#[tokio::test]
async fn with_little_nothing_is_carried_out() {
    let rig = rig().await;
    for grants in [&["requester"][..], &["checker"], &["auditor", "approver"]] {
        let key = Who::key(&rig, grants).await;
        let before = held(&rig, &key.caller).await;
        let (tried, done) = walk(&rig, &key, &before).await;
        assert!(tried > 30 && done == 0, "{grants:?}: {done} of {tried}");
    }
}

#[tokio::test]
async fn who_may_do_much_does_not_rise_either() {
    for grants in ["writer", "operator"] {
        let rig = rig().await;
        let key = Who::key(&rig, &[grants]).await;
        let mut before = held(&rig, &key.caller).await;
        // Who writes relationships may do so about what is not of grantd itself.
        if grants == "writer" {
            before.1.push(("/elsewhere/", Operation::Read));
            rig.relate(&[&format!("pulp_uri:/elsewhere/#read@{}", key.caller.actor)]).await;
        }
        let (_, done) = walk(&rig, &key, &before).await;
        assert!(done > 0, "{grants}: some of it is carried out");
    }
}
