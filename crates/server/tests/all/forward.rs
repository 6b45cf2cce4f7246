//! What a proxy is told.

use grantd_server::forward::Rules;
use serde_json::json;

use crate::browser::Browser;
use crate::support::{Answer, Call, Rig, Setup};

/// A question as nginx asks it.
fn asked(call: Call, method: &str, host: &str, uri: &str) -> Call {
    call.header("x-original-method", method).header("x-original-uri", uri).header("x-forwarded-host", host)
}

async fn rig() -> Rig {
    let rules =
        ["* shop.example/admin admin".parse().unwrap(), "POST shop.example/search read".parse().unwrap()];
    let rig = Rig::set_up(Setup { forward: Rules(rules.into()), ..Setup::default() }).await;
    rig.person("ann").await;
    rig.relate(&[
        "url:/shop.example/orders/#read@user:ann",
        "url:/shop.example/search/#read@user:*",
        "url:/shop.example/admin/#write@user:ann",
        "url:/shop.example/public/#read@visitor:*",
        "url:/shop.example/hooks/#write@identity:*",
    ])
    .await;
    rig
}

/// The answer to who shows this bearer secret; to nobody, if it is empty.
async fn answer(rig: &Rig, secret: &str, method: &str, uri: &str) -> Answer {
    let call = match secret {
        "" => rig.bare("GET", "/authz/forward"),
        secret => rig.with(secret, "GET", "/authz/forward"),
    };
    asked(call, method, "shop.example", uri).send().await
}

#[tokio::test]
async fn methods_and_paths_are_judged() {
    let rig = rig().await;
    let made = json!({"name": "k", "grants": ["checker"]});
    let made = rig.call("POST", "/api/v1/keys").json(made).await.is(201);
    let (id, key) = (made.body["id"].as_str().unwrap(), made.body["key"].as_str().unwrap());
    for (method, uri, status) in [
        ("GET", "/orders/7?x=1", 403),
        ("GET", "/public/", 200),
        ("POST", "/public/", 403),
        ("GET", "/other", 403),
    ] {
        assert_eq!(answer(&rig, key, method, uri).await.status, status, "{method} {uri}");
    }
    rig.relate(&[&format!("url:/shop.example/orders/#read@api_key:{id}")]).await;
    let read = answer(&rig, key, "GET", "/orders/7?x=1").await.is(200);
    assert_eq!(read.header("remote-subject"), format!("api_key:{id}"));
    assert_eq!(read.headers.get("remote-user").unwrap(), "", "there, so that it overwrites the client's");
    assert!(!read.header("grantd-revision").is_empty());
    answer(&rig, key, "POST", "/orders/7").await.is(403);
    // A rule says that these are another action.
    answer(&rig, key, "POST", "/search/").await.is(403);
    answer(&rig, key, "GET", "/admin/").await.is(403);
    rig.relate(&[&format!("url:/shop.example/admin/#admin@api_key:{id}")]).await;
    answer(&rig, key, "GET", "/admin/x").await.is(200);
    answer(&rig, key, "DELETE", "/admin/x").await.is(200);
}

#[tokio::test]
async fn a_person_is_named_and_a_visitor_is_asked_to_sign_in() {
    let rig = rig().await;
    let visitor = answer(&rig, "", "GET", "/orders/").await.is(401);
    assert!(visitor.header("www-authenticate").starts_with("Basic "), "{visitor:?}");
    let open = answer(&rig, "", "GET", "/public/x").await.is(200);
    assert_eq!(open.header("remote-subject"), "visitor:*");
    assert_eq!(open.headers.get("remote-user").unwrap(), "");
    answer(&rig, "wrong", "GET", "/public/").await.is(401);
    let identity = rig.identity().await;
    let token = rig.token(&identity).await;
    let hook = answer(&rig, &token, "POST", "/hooks/a").await.is(200);
    assert_eq!(hook.header("remote-subject"), format!("identity:{identity}"));
    let old = rig.bare("GET", "/authz/forward").header("cookie", "grantd_session=nobodys");
    asked(old, "GET", "shop.example", "/public/").send().await.is(200);
    let old = rig.bare("GET", "/authz/forward").header("cookie", "grantd_session=nobodys");
    asked(old, "GET", "shop.example", "/orders/").send().await.is(401);
}

#[tokio::test]
async fn who_signed_in_to_the_pages_is_known_by_their_cookie() {
    let rig = rig().await;
    let mut browser = Browser::new(&rig);
    browser.signs_in("ann").await;
    let read =
        asked(browser.call("GET", "/authz/forward"), "GET", "shop.example", "/orders/").send().await.is(200);
    assert_eq!((read.header("remote-user"), read.header("remote-subject")), ("ann", "user:ann"));
    // The method is that of what is asked about, not of the question: no page of ours has to prove itself.
    asked(browser.call("POST", "/authz/forward"), "GET", "shop.example", "/orders/").send().await.is(200);
    asked(browser.call("GET", "/authz/forward"), "GET", "shop.example", "/other/").send().await.is(403);
    browser.get("/account").await.is(200);
    rig.call("DELETE", "/api/v1/users/ann").send().await.is(200);
    asked(browser.call("GET", "/authz/forward"), "GET", "shop.example", "/orders/").send().await.is(401);
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    let rig = rig().await;
    for uri in [
        "/public/%2e%2e/orders",
        "/public/../orders",
        "/public//x",
        "/public/..;/x",
        "/public/a;b",
        "/public%2fx",
    ] {
        answer(&rig, "", "GET", uri).await.is(403);
    }
    for (name, value, status) in [
        ("x-forwarded-uri", "/public/", 200),
        ("x-forwarded-uri", "/public/other", 403),
        ("x-original-url", "https://shop.example/public/", 200),
        ("x-original-url", "https://other.example/public/", 403),
        ("x-original-url", "ftp://shop.example/public/", 403),
        ("x-forwarded-method", "POST", 403),
        ("x-original-uri", "/public/", 403),
        ("x-original-host", "other.example", 403),
    ] {
        let call = asked(rig.bare("GET", "/authz/forward"), "GET", "shop.example", "/public/");
        assert_eq!(call.header(name, value).send().await.status, status, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_proxy_that_says_too_little_is_told_what_is_missing() {
    let rig = rig().await;
    let said = rig.bare("GET", "/authz/forward").send().await.is(400);
    assert!(said.text.contains("X-Original-Method"), "{}", said.text);
    let call = rig.bare("GET", "/authz/forward").header("x-original-uri", "/public/");
    call.header("x-forwarded-host", "shop.example").send().await.is(400);
}

#[tokio::test]
async fn envoy_asks_with_the_request_itself() {
    let rig = rig().await;
    let envoy = |method: &str, path: &str| {
        rig.bare(method, &format!("/authz/forward{path}")).header("host", "shop.example")
    };
    envoy("GET", "/public/a?x=1").send().await.is(200);
    envoy("POST", "/public/a").send().await.is(401);
    envoy("GET", "/").send().await.is(401);
    envoy("GET", "/public/a;/orders").send().await.is(403);
    envoy("GET", "/public/a").header("x-forwarded-uri", "/other").send().await.is(403);
    envoy("GET", "/public/a").header("content-length", "0").send().await.is(200);
}

#[tokio::test]
async fn another_realm_has_its_own() {
    let rig = rig().await;
    rig.create_realm("acme").await;
    let call = rig.bare("GET", "/r/acme/authz/forward");
    asked(call, "GET", "shop.example", "/public/").send().await.is(401);
    let write = json!({"write": [crate::support::related("url:/shop.example/public/#read@visitor:*")]});
    rig.call("POST", "/r/acme/api/v1/relationships").json(write).await.is(200);
    let call = rig.bare("GET", "/r/acme/authz/forward");
    asked(call, "GET", "shop.example", "/public/").send().await.is(200);
    let call = rig.bare("GET", "/r/nowhere/authz/forward");
    asked(call, "GET", "shop.example", "/public/").send().await.is(404);
}
