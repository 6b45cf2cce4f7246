//! Organizations, apps and authorizations over grantd's own API.

use grantd_node::realm::oauth_token::ShownAccess;
use serde_json::{Value, json};

use crate::support::{Answer, Rig};

struct Cast {
    rig: Rig,
    operator: String,
    organization: String,
    app: String,
}

impl Cast {
    async fn new() -> Self {
        let rig = Rig::new().await;
        let operator = rig.key(&["operator"]).await;
        let by = |method: &str, path: &str| rig.with(&operator, method, path);
        let organization = by("POST", "/api/v1/organizations").json(json!({"name": "Acme"})).await.is(201);
        let organization = organization.body["id"].as_str().unwrap().to_owned();
        let body = json!({"name": "Shop", "redirect_uris": ["https://shop.example/cb"]});
        let app = by("POST", "/api/v1/apps").json(body).await.is(201);
        let app = app.body["client_id"].as_str().unwrap().to_owned();
        Self { operator, organization, app, rig }
    }

    async fn does(&self, method: &str, path: &str, body: Value) -> Answer {
        self.rig.with(&self.operator, method, path).json(body).await
    }

    async fn reads(&self, path: &str) -> Answer {
        self.rig.with(&self.operator, "GET", path).send().await
    }

    async fn authorize(&self, more: Value) -> Answer {
        let mut body = json!({
            "app": self.app, "organization": self.organization, "scopes": ["payments.read", "orders.read"],
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.does("POST", "/api/v1/authorizations", body).await
    }

    async fn granted(&self, token: &str, scope: &str) -> Option<bool> {
        let realm = self.rig.node.realm("default").await.unwrap();
        let found = realm.access_token(&ShownAccess::parse(token).unwrap()).await.unwrap()?;
        let (published, now) = (realm.published(), self.rig.clock.now());
        found.is_live(&published.state, now).then(|| found.granted(&published.state, scope, now))
    }
}

fn text(answer: &Answer, name: &str) -> String {
    answer.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", answer.text)).to_owned()
}

#[tokio::test]
async fn an_operator_lets_an_app_do_something_and_takes_it_back() {
    let cast = Cast::new().await;
    let given = cast.authorize(json!({})).await.is(201);
    assert_eq!(
        (given.body["expires_in"].clone(), given.body["token_type"].clone()),
        (json!(3600), json!("bearer"))
    );
    assert_eq!(given.body["scope"], "orders.read payments.read");
    let (id, access) = (text(&given, "id"), text(&given, "access_token"));
    assert!(access.starts_with("access_") && text(&given, "refresh_token").starts_with("refresh_"));
    assert_eq!(cast.granted(&access, "payments.read").await, Some(true));
    // Everybody sees it: it is a relationship.
    let question = json!({
        "subject": format!("app:{}", cast.app), "action": "granted",
        "resource": format!("mollie_scope:/{}/payments.read/", cast.organization),
    });
    let asked = cast.rig.call("POST", "/api/v1/check").json(question.clone()).await.is(200);
    assert_eq!(asked.body["allowed"], true);

    let read = cast.reads(&format!("/api/v1/authorizations/{id}")).await.is(200);
    assert!(read.body["last_used_at"].is_string(), "{}", read.text);
    assert_eq!(read.body["scopes"], json!(["orders.read", "payments.read"]));
    assert_eq!((&read.body["status"], &read.body["consent"]), (&json!("active"), &Value::Null));
    let gone = format!("/api/v1/authorizations/{id}/scopes/payments.read");
    cast.does("DELETE", &gone, json!({})).await.is(200);
    cast.does("DELETE", &gone, json!({})).await.is(200);
    assert_eq!(cast.granted(&access, "payments.read").await, Some(false));
    assert_eq!(cast.granted(&access, "orders.read").await, Some(true));
    cast.does("DELETE", &format!("/api/v1/authorizations/{id}"), json!({})).await.is(200);
    assert_eq!(cast.granted(&access, "orders.read").await, None);
    cast.does("DELETE", &format!("/api/v1/authorizations/{id}"), json!({}))
        .await
        .is_problem(404, "not_found");
    let asked = cast.rig.call("POST", "/api/v1/check").json(question).await.is(200);
    assert_eq!(asked.body["allowed"], false);
}

#[tokio::test]
async fn a_repeated_request_does_not_show_tokens_again() {
    let cast = Cast::new().await;
    let body = json!({"app": cast.app, "organization": cast.organization, "scopes": ["payments.read"]});
    let again =
        || cast.rig.with(&cast.operator, "POST", "/api/v1/authorizations").header("idempotency-key", "k");
    let (first, second) = (again().json(body.clone()).await.is(201), again().json(body).await.is(201));
    assert_eq!((&first.body["id"], &first.body["scope"]), (&second.body["id"], &second.body["scope"]));
    assert!(first.body["access_token"].is_string());
    assert!(second.body["access_token"].is_null() && second.body["refresh_token"].is_null());
}

#[tokio::test]
async fn what_does_not_fit_is_said_of_its_field() {
    let cast = Cast::new().await;
    let before = cast.rig.revision().await;
    for (more, field) in [
        (json!({"scopes": []}), "scopes"),
        (json!({"scopes": ["nothing.read"]}), "scopes"),
        (json!({"expires": "tomorrow"}), "expires"),
        (json!({"expires": "2001-01-01T00:00:00Z"}), "expires"),
    ] {
        let answer = cast.authorize(more).await.is_problem(400, "invalid_request");
        assert_eq!(answer.body["field"], field, "{}", answer.text);
    }
    cast.authorize(json!({"app": "app_nobody"})).await.is_problem(404, "not_found");
    cast.authorize(json!({"organization": "org_1"})).await.is_problem(404, "not_found");
    for (uri, why) in [
        ("http://shop.example/cb", "https"),
        ("https://shop.example/cb#x", "fragment"),
        ("https://user@shop.example/", "user name"),
        ("javascript:alert(1)", "scheme"),
    ] {
        let body = json!({"name": "Shop", "redirect_uris": [uri]});
        let answer = cast.does("POST", "/api/v1/apps", body).await.is_problem(400, "invalid_request");
        assert!(text(&answer, "detail").contains(why), "{}", answer.text);
    }
    let both = json!({"name": "x", "policy": null});
    let path = format!("/api/v1/organizations/{}", cast.organization);
    cast.does("PATCH", &path, both).await.is_problem(400, "invalid_request");
    cast.does("PATCH", &path, json!({})).await.is_problem(400, "invalid_request");
    assert_eq!(cast.rig.revision().await, before);
}

#[tokio::test]
async fn apps_are_registered_changed_and_deleted() {
    let cast = Cast::new().await;
    let public = json!({"name": "Phone", "redirect_uris": ["com.example.phone:/cb"], "public": true});
    let made = cast.does("POST", "/api/v1/apps", public).await.is(201);
    assert!(made.body["client_secret"].is_null(), "a public app has no secret");
    let path = format!("/api/v1/apps/{}", text(&made, "client_id"));
    assert_eq!(cast.reads(&path).await.is(200).body["pkce_required"], true);
    cast.does("POST", &format!("{path}/secret"), json!({})).await.is_problem(400, "invalid_request");
    cast.does("PATCH", &path, json!({"pkce_required": false})).await.is_problem(400, "invalid_request");

    let path = format!("/api/v1/apps/{}", cast.app);
    let changed =
        json!({"name": "Webshop", "optional_scopes": ["orders.read"], "website": "https://shop.example"});
    let changed = cast.does("PATCH", &path, changed).await.is(200);
    assert_eq!(
        (&changed.body["name"], &changed.body["redirect_uris"][0]),
        (&json!("Webshop"), &json!("https://shop.example/cb"))
    );
    let website = cast.does("PATCH", &path, json!({"website": null})).await.is(200);
    assert!(website.body["website"].is_null() && website.body["optional_scopes"] == json!(["orders.read"]));
    let secret = cast.does("POST", &format!("{path}/secret"), json!({})).await.is(201);
    assert!(text(&secret, "client_secret").starts_with("gdc_"));

    let listed = cast.reads("/api/v1/apps?limit=1").await.is(200);
    let next = cast.reads(&format!("/api/v1/apps?limit=1&cursor={}", text(&listed, "next"))).await.is(200);
    assert_eq!(
        (&listed.body["items"][0]["name"], &next.body["items"][0]["name"]),
        (&json!("Webshop"), &json!("Phone"))
    );

    let access = text(&cast.authorize(json!({})).await.is(201), "access_token");
    cast.does("DELETE", &path, json!({})).await.is(200);
    assert_eq!(cast.granted(&access, "orders.read").await, None);
    cast.reads(&path).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn organizations_have_members_terms_and_tokens() {
    let cast = Cast::new().await;
    cast.rig.user("ann").await;
    let path = format!("/api/v1/organizations/{}", cast.organization);
    let seat = format!("{path}/members/user:ann");
    cast.does("PUT", &seat, json!({"seat": "boss"})).await.is_problem(400, "invalid_request");
    cast.does("PUT", &format!("{path}/members/user:nobody"), json!({"seat": "admin"}))
        .await
        .is_problem(404, "not_found");
    cast.does("PUT", &seat, json!({"seat": "admin"})).await.is(200);
    let members = cast.reads(&format!("{path}/members")).await.is(200);
    assert_eq!(members.body["items"], json!([{"member": "user:ann", "seat": "admin"}]));
    let policy = json!({"policy": {"longest_life_seconds": 3600, "approval": true}});
    let changed = cast.does("PATCH", &path, policy.clone()).await.is(200);
    assert_eq!(changed.body["policy"], policy["policy"]);
    let approvals = format!("{path}/approvals/{}", cast.app);
    cast.does("PUT", &approvals, json!({"scopes": ["orders.read"]})).await.is(200);
    let listed = cast.reads(&format!("{path}/approvals")).await.is(200);
    assert_eq!(listed.body["items"][0]["scopes"], json!(["orders.read"]));
    cast.does("DELETE", &approvals, json!({})).await.is(200);
    cast.does("DELETE", &approvals, json!({})).await.is_problem(404, "not_found");

    let issued =
        cast.does("POST", &format!("{path}/tokens"), json!({"scopes": ["payments.read"]})).await.is(201);
    let (id, token) = (text(&issued, "id"), text(&issued, "access_token"));
    assert_eq!(cast.granted(&token, "payments.read").await, Some(true));
    assert_eq!(cast.granted(&token, "orders.read").await, Some(false));
    let listed = cast.reads(&format!("{path}/tokens")).await.is(200);
    assert!(listed.body["items"][0]["id"] == *id && !listed.text.contains(&token), "{}", listed.text);
    // It is a credential of the app-permissions dialect alone.
    cast.rig.with(&token, "GET", "/api/v1/scopes").send().await.is_problem(403, "forbidden");
    cast.does("DELETE", &format!("{path}/tokens/{id}"), json!({})).await.is(200);
    assert_eq!(cast.granted(&token, "payments.read").await, None);
    cast.does("DELETE", &seat, json!({})).await.is(200);
    cast.does("DELETE", &path, json!({})).await.is(200);
    cast.reads(&path).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn authorizations_are_listed_by_app_and_organization() {
    let cast = Cast::new().await;
    let other = cast.does("POST", "/api/v1/organizations", json!({"name": "Other"})).await.is(201);
    let other = text(&other, "id");
    let phone = json!({"name": "Phone", "redirect_uris": ["https://phone.example/"]});
    let phone = text(&cast.does("POST", "/api/v1/apps", phone).await.is(201), "client_id");
    for app in [&cast.app, &phone] {
        for organization in [&cast.organization, &other] {
            cast.authorize(json!({"app": app, "organization": organization, "tokens": false})).await.is(201);
        }
    }
    let pairs = |answer: &Answer| -> Vec<(String, String)> {
        let items = answer.body["items"].as_array().unwrap();
        let part = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
        items.iter().map(|item| (part(item, "app"), part(item, "organization"))).collect()
    };
    let pair = |app: &str, organization: &str| (app.to_owned(), organization.to_owned());
    let all = [
        pair(&cast.app, &cast.organization),
        pair(&cast.app, &other),
        pair(&phone, &cast.organization),
        pair(&phone, &other),
    ];
    let listed = async |query: &str| {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = cast.reads(&format!("/api/v1/authorizations?limit=1{query}{cursor}")).await.is(200);
            found.extend(pairs(&page));
            match page.body["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    };
    assert_eq!(listed("").await, all);
    assert_eq!(listed(&format!("&app={phone}")).await, all[2..]);
    assert_eq!(listed(&format!("&organization={other}")).await, [all[1].clone(), all[3].clone()]);
    assert_eq!(listed(&format!("&organization={other}&app={phone}")).await, [all[3].clone()]);
    assert_eq!(listed("&organization=org_1").await, []);
}

#[tokio::test]
async fn scopes_are_data() {
    let cast = Cast::new().await;
    let listed = cast.reads("/api/v1/scopes?limit=1000").await.is(200);
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 63);
    let scope = json!({"texts": {"en": {"description": "See reports", "warning": "Think"}}});
    let path = "/api/v1/scopes/reports.read";
    cast.rig.with(&cast.operator, "GET", path).send().await.is_problem(404, "not_found");
    let defined = cast.does("PUT", path, scope.clone()).await.is(200);
    assert_eq!(
        (&defined.body["in_v1"], &defined.body["in_v2"], &defined.body["builtin"]),
        (&json!(false), &json!(true), &json!(false))
    );
    assert_eq!(cast.reads(path).await.is(200).body["texts"]["en"]["warning"], "Think");
    let only_dutch = json!({"texts": {"nl": {"description": "Rapporten"}}});
    cast.does("PUT", path, only_dutch).await.is_problem(400, "invalid_request");
    cast.does("PUT", "/api/v1/scopes/reports", scope.clone()).await.is_problem(400, "invalid_request");
    cast.does("DELETE", path, json!({})).await.is(200);
    cast.does("PUT", path, scope).await.is_problem(400, "invalid_request");
    cast.does("DELETE", "/api/v1/scopes/payments.read", json!({})).await.is_problem(400, "invalid_request");
}

#[tokio::test]
async fn only_who_runs_the_realm_gives_without_a_consent() {
    let cast = Cast::new().await;
    for grants in [&["writer"][..], &["checker", "requester"], &["auditor"], &["approver"]] {
        let key = cast.rig.key(grants).await;
        let by = |method: &str, path: &str| cast.rig.with(&key, method, path);
        let body = json!({"app": cast.app, "organization": cast.organization, "scopes": ["payments.read"]});
        by("POST", "/api/v1/authorizations").json(body).await.is_problem(403, "forbidden");
        by("POST", "/api/v1/organizations").json(json!({"name": "x"})).await.is_problem(403, "forbidden");
        let app = json!({"name": "x", "redirect_uris": []});
        by("POST", "/api/v1/apps").json(app).await.is_problem(403, "forbidden");
        let tokens = format!("/api/v1/organizations/{}/tokens", cast.organization);
        by("POST", &tokens).json(json!({"scopes": ["payments.read"]})).await.is_problem(403, "forbidden");
    }
    // Not by way of a relationship either.
    let key = format!("mollie_scope:/{}/payments.read/#granted@app:{}", cast.organization, cast.app);
    let write = json!({"write": [crate::support::related(&key)]});
    let answer = cast.rig.call("POST", "/api/v1/relationships").json(write).await;
    let answer = answer.is_problem(409, "managed_relation");
    assert!(text(&answer, "instead").contains("/api/v1/authorizations"));
}
