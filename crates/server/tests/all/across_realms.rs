//! Every route of every face, walked across two realms: nothing of one shows in the other.

use serde_json::{Value, json};

use crate::route_table::{api, freestyle};
use crate::support::{Answer, Rig};

/// A realm full of things that are told apart from all others.
struct Marked {
    name: &'static str,
    key: String,
    /// Ids and names: none of them may be in an answer for another realm.
    marks: Vec<String>,
    user: String,
    role: String,
    member: String,
    key_id: String,
    identity: String,
    token: String,
    repository: String,
    trigger: String,
    vm: String,
    ssh_key: String,
    organization: String,
    app: String,
    authorization: String,
    scope: String,
}

impl Marked {
    async fn new(rig: &Rig, name: &'static str) -> Self {
        let made =
            rig.call("POST", "/api/v1/realms").json(json!({"name": name, "admin_key": true})).await.is(201);
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
        let key = text(&made.body["admin_key"]["key"]);
        let key_id = text(&made.body["admin_key"]["id"]);
        let at = |path: &str| format!("/r/{name}{path}");
        let call = |method: &'static str, path: &str| rig.with(&key, method, &at(path));
        let mark = |what: &str| format!("{what}-only-in-{name}");
        let (user, vm, role) = (mark("user"), mark("vm"), mark("role"));
        call("POST", "/api/v1/roles").json(json!({"key": role})).await.is(201);
        let body = json!({"login": user, "name": mark("person"), "roles": [role]});
        call("POST", "/api/v1/users").json(body).await.is(201);
        let write = json!({"write": [
            {"resource": format!("role:{}", mark("group")), "relation": "member", "subject": format!("user:{user}")},
        ]});
        call("POST", "/api/v1/relationships").json(write).await.is(200);
        let entity = format!("/api/v1/entities/user/{user}");
        call("PUT", &entity).json(json!({"property": mark("property")})).await.is(200);
        let identity =
            text(&call("POST", "/freestyle/identity/v1/identities").send().await.is(200).body["id"]);
        let tokens = format!("/freestyle/identity/v1/identities/{identity}/tokens");
        let made = call("POST", &tokens).send().await.is(200);
        let (token, secret) = (text(&made.body["id"]), text(&made.body["token"]));
        let repository =
            call("POST", "/freestyle/git/v1/repo").json(json!({"name": mark("repository")})).await;
        let repository = text(&repository.is(200).body["repoId"]);
        let endpoint = format!("https://{name}.example/only-in-{name}");
        let trigger =
            json!({"trigger": {"event": "push"}, "action": {"action": "webhook", "endpoint": endpoint}});
        let made = call("POST", &format!("/freestyle/git/v1/repo/{repository}/trigger")).json(trigger).await;
        let trigger = text(&made.is(200).body["triggerId"]);
        let grants = format!("/freestyle/identity/v1/identities/{identity}/permissions");
        let read = || json!({"permission": "read"});
        call("POST", &format!("{grants}/git/{repository}")).json(read()).await.is(200);
        let users = json!({"allowedUsers": [mark("account")]});
        call("POST", &format!("{grants}/vm/{vm}")).json(users).await.is(200);
        let host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let machine = json!({"address": format!("only-in-{name}.example"), "host_key": host_key});
        call("PUT", &format!("/api/v1/vms/{vm}")).json(machine).await.is(201);
        let ssh_key = json!({"identity": identity, "public_key": host_key, "name": mark("laptop")});
        let made = call("POST", "/api/v1/ssh-keys").json(ssh_key).await.is(201);
        let ssh_key = text(&made.body["id"]);
        let whoami = call("GET", "/freestyle/auth/v1/whoami").send().await.is(200);
        let scope = format!("only-in-{name}.read");
        let texts = json!({"texts": {"en": {"description": mark("description")}}});
        call("PUT", &format!("/api/v1/scopes/{scope}")).json(texts).await.is(200);
        let made = call("POST", "/api/v1/organizations").json(json!({"name": mark("organization")})).await;
        let organization = text(&made.is(201).body["id"]);
        let app = json!({"name": mark("app"), "redirect_uris": ["https://shop.example/"]});
        let app = text(&call("POST", "/api/v1/apps").json(app).await.is(201).body["client_id"]);
        let given = json!({"app": app, "organization": organization, "scopes": [scope]});
        let given = call("POST", "/api/v1/authorizations").json(given).await.is(201);
        let (authorization, access) = (text(&given.body["id"]), text(&given.body["access_token"]));
        let mut marks = vec![access, format!("only-in-{name}"), text(&whoami.body["accountId"]), secret];
        marks.extend([&key, &key_id, &identity, &token, &repository].map(String::clone));
        marks.extend([&organization, &app, &authorization, &trigger, &ssh_key].map(String::clone));
        let member = format!("user:{user}");
        Self {
            name,
            key,
            marks,
            member,
            role,
            user,
            key_id,
            identity,
            token,
            repository,
            trigger,
            vm,
            ssh_key,
            organization,
            app,
            authorization,
            scope,
        }
    }

    /// A path with its parameters filled in with what there is in this realm.
    fn filled(&self, path: &str) -> String {
        let segments = path.split('/').map(|segment| match segment {
            "{type}" => "user",
            "{login}" => &self.user,
            "{name}" => self.name,
            "{key}" => &self.role,
            "{member}" => &self.member,
            "{identity}" => &self.identity,
            "{token}" => &self.token,
            "{repo}" | "{repo_id}" | "{repository}" => &self.repository,
            "{trigger}" => &self.trigger,
            "{vm}" | "{vm_id}" => &self.vm,
            "{id}" if path.contains("/entities/") => &self.user,
            "{app}" | "{client_id}" => &self.app,
            "{scope}" => &self.scope,
            "{id}" if path.contains("/organizations/") => &self.organization,
            "{id}" if path.contains("/authorizations/") => &self.authorization,
            "{id}" if path.contains("/scopes/") => &self.scope,
            "{id}" if path.contains("/vms/") => &self.vm,
            "{id}" if path.contains("/ssh-keys/") => &self.ssh_key,
            "{id}" => &self.key_id,
            parameter if parameter.starts_with('{') => panic!("fill in {parameter} of {path}"),
            plain => plain,
        });
        segments.collect::<Vec<_>>().join("/")
    }

    /// Those of its marks that an answer holds; what the request itself named may come back.
    fn marks_in<'a>(&'a self, answer: &Answer, request: &str) -> Vec<&'a String> {
        let said = |mark: &&String| answer.text.contains(mark.as_str()) && !request.contains(mark.as_str());
        self.marks.iter().filter(said).collect()
    }
}

/// Bodies that would do something where they are allowed.
fn body(path: &str) -> Value {
    if path.ends_with("/check") {
        return json!({"subject": "user:x", "action": "member", "resource": "role:x"});
    }
    json!({"permission": "write", "login": "intruder", "name": "intruder", "allowedUsers": null})
}

fn routes() -> Vec<(String, String)> {
    let below = |(method, path): (String, String)| (method, format!("/freestyle{path}"));
    api().into_iter().chain(freestyle().into_iter().map(below)).collect()
}

async fn hash(rig: &Rig, realm: &Marked) -> [u8; 32] {
    rig.node.realm(realm.name).await.unwrap().published().state.hash()
}

#[tokio::test]
async fn a_key_of_one_realm_opens_nothing_of_another() {
    let rig = Rig::new().await;
    let (a, b) = (Marked::new(&rig, "aaa").await, Marked::new(&rig, "bbb").await);
    let before = hash(&rig, &b).await;
    for (method, path) in routes() {
        let path = format!("/r/bbb{}", b.filled(&path));
        let answer = rig.with(&a.key, &method, &path).json(body(&path)).await;
        assert!([401, 429].contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
        assert_eq!(b.marks_in(&answer, &path), [""; 0], "{method} {path}: {}", answer.text);
        rig.clock.advance(60_000_000);
    }
    assert_eq!(hash(&rig, &b).await, before);
}

#[tokio::test]
async fn what_a_realm_answers_is_its_own() {
    let rig = Rig::new().await;
    let (a, b) = (Marked::new(&rig, "aaa").await, Marked::new(&rig, "bbb").await);
    let before = hash(&rig, &b).await;
    let mut own = 0;
    // Reads first: the walk with other methods takes away what they read.
    let (reads, writes): (Vec<_>, Vec<_>) = routes().into_iter().partition(|(method, _)| method == "GET");
    for (method, path) in reads.iter().chain(&writes) {
        let path = format!("/r/aaa{}", a.filled(path));
        let answer = rig.with(&a.key, method, &path).json(body(&path)).await;
        assert!(answer.status < 500, "{method} {path}: {}", answer.text);
        own += usize::from(!a.marks_in(&answer, "").is_empty());
        assert_eq!(b.marks_in(&answer, &path), [""; 0], "{method} {path}: {}", answer.text);
    }
    assert!(own > 15, "the marks are where they belong: {own}");
    assert_eq!(hash(&rig, &b).await, before);
}

#[tokio::test]
async fn anothers_ids_are_not_there() {
    let rig = Rig::new().await;
    let (a, b) = (Marked::new(&rig, "aaa").await, Marked::new(&rig, "bbb").await);
    let before = hash(&rig, &b).await;
    for (method, route) in routes().into_iter().filter(|(_, path)| path.contains('{')) {
        let path = format!("/r/aaa{}", b.filled(&route));
        let answer = rig.with(&a.key, &method, &path).json(body(&path)).await;
        // Properties may be stored for whoever has no record.
        let put = method == "PUT" && route.contains("/entities/");
        let undone = method == "DELETE" && route.contains("/entities/");
        assert!(put || undone || (400..500).contains(&answer.status), "{method} {path}: {}", answer.text);
        assert_eq!(b.marks_in(&answer, &path), [""; 0], "{method} {path}: {}", answer.text);
    }
    assert_eq!(hash(&rig, &b).await, before);
}

#[tokio::test]
async fn a_cursor_and_a_revision_of_one_realm_are_nothing_in_another() {
    let rig = Rig::new().await;
    let (_a, b) = (Marked::new(&rig, "aaa").await, Marked::new(&rig, "bbb").await);
    for login in ["one", "two"] {
        rig.with(&b.key, "POST", "/r/bbb/api/v1/users").json(json!({"login": login})).await.is(201);
    }
    for path in ["/api/v1/users", "/api/v1/relationships"] {
        let page = rig.call("GET", &format!("/r/bbb{path}?limit=1")).send().await.is(200);
        let cursor = page.body["next"].as_str().unwrap();
        let there = format!("/r/aaa{path}?limit=1&cursor={cursor}");
        rig.call("GET", &there).send().await.is_problem(400, "invalid_request");
        let revision = page.header("grantd-revision").to_owned();
        let call = rig.call("GET", &format!("/r/aaa{path}")).header("grantd-at-least", &revision);
        call.send().await.is_problem(409, "other_ledger");
    }
}
