//! The pages: what they let a browser do, and that nothing is done that no page of ours asked for.

use serde_json::json;

use crate::browser::{Browser, COOKIE, PASSWORD};
use crate::support::{Answer, Rig, SYSTEM_KEY, Setup};

#[tokio::test]
async fn every_page_has_a_strict_policy() {
    let (rig, ann, _) = Rig::with_ann().await;
    let nobody = Browser::new(&rig);
    for (browser, path, status) in [
        (&nobody, "/login", 200),
        (&ann, "/account", 200),
        (&nobody, "/account", 303),
        (&nobody, "/account/nothing", 404),
        (&nobody, "/logout", 405),
        (&nobody, "/assets/pages.css", 200),
        (&nobody, "/r/nowhere/login", 404),
    ] {
        let answer = browser.call("GET", path).send().await.is(status);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{path}: {policy}");
        for part in ["form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        if status != 303 && !path.starts_with("/assets") {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            assert!(answer.header("content-type").starts_with("text/html"), "{path}");
            for forbidden in ["<script", "style=", " onclick", "<style"] {
                assert!(!answer.text.contains(forbidden), "{path} has {forbidden}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_needs_a_sign_in_leads_there_and_back() {
    let rig = Rig::new().await;
    rig.create_realm("acme").await;
    rig.person_at("/r/acme", "ann").await;
    let nobody = rig.bare("GET", "/r/acme/account").send().await.is(303);
    assert_eq!(nobody.header("location"), "/r/acme/login");
    assert_eq!(rig.bare("GET", "/r/acme/").send().await.is(303).header("location"), "/r/acme/account");
    assert_eq!(rig.bare("GET", "/").send().await.is(303).header("location"), "/account");
    let mut ann = Browser::at(&rig, "/r/acme");
    let page = ann.get("/login?next=/r/acme/account%3Fx%3D1").await.is(200);
    assert!(page.text.contains("name=\"next\" value=\"/r/acme/account?x=1\""), "{}", page.text);
    assert!(page.text.contains("action=\"/r/acme/login\""));
    let form = [("login", "ann"), ("password", PASSWORD), ("next", "/r/acme/account?x=1")];
    let answer = ann.post("/login", &form).await.is(303);
    assert_eq!(answer.header("location"), "/r/acme/account?x=1");
    assert_eq!(ann.get("/login").await.is(303).header("location"), "/r/acme/account");
}

#[tokio::test]
async fn nobody_is_led_elsewhere() {
    let rig = Rig::new().await;
    rig.person("ann").await;
    for next in [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "evil",
        "",
        "/\tx",
        "/é",
        "javascript:alert(1)",
    ] {
        let mut ann = Browser::new(&rig);
        ann.get("/login").await.is(200);
        let answer =
            ann.post("/login", &[("login", "ann"), ("password", PASSWORD), ("next", next)]).await.is(303);
        assert_eq!(answer.header("location"), "/account", "{next}");
    }
}

/// What must not be done without the proof, and whether it was.
async fn is_untouched(ann: &Browser) -> bool {
    ann.is_signed_in().await
}

#[tokio::test]
async fn a_form_without_its_token_does_nothing() {
    let (rig, ann, other) = Rig::with_ann().await;
    let mut stranger = Browser::new(&rig);
    stranger.get("/login").await.is(200);
    let flipped: String = ann.csrf.chars().rev().collect();
    for path in ["/logout", "/account/sessions/end", "/account/password", "/login"] {
        for token in ["", "x", &flipped, &other.csrf, &stranger.csrf] {
            let form = [("current", PASSWORD), ("new", "quite another"), ("repeated", "quite another")];
            let answer = ann.call("POST", path).form(&form, token).await.is(403);
            assert!(answer.header("content-type").starts_with("text/html"));
            assert!(answer.headers.get("set-cookie").is_none());
        }
        let json = ann.call("POST", path).json(json!({"csrf": ann.csrf})).await;
        json.is(403);
    }
    assert!(is_untouched(&ann).await);
}

#[tokio::test]
async fn a_form_from_another_site_does_nothing() {
    let (_rig, ann, _) = Rig::with_ann().await;
    let send = |name: &'static str, value: String| {
        let call = ann.call("POST", "/account/sessions/end").header(name, &value);
        let csrf = ann.csrf.clone();
        async move { call.form(&[], &csrf).await }
    };
    for origin in ["http://evil.example", "null", "", "http://127.0.0.1", "https://127.0.0.1:1"] {
        send("origin", origin.into()).await.is(403);
    }
    for site in ["cross-site", "same-site", "nonsense"] {
        send("sec-fetch-site", site.into()).await.is(403);
    }
    assert!(is_untouched(&ann).await);
    send("sec-fetch-site", "same-origin".into()).await.is(303);
    assert!(!is_untouched(&ann).await);
}

#[tokio::test]
async fn the_own_origin_is_the_public_one_or_the_one_asked() {
    let public = Setup { public_url: Some("https://permissions.example/here"), ..Setup::default() };
    let rig = Rig::set_up(public).await;
    rig.person("ann").await;
    for (origin, status) in [
        ("https://permissions.example".to_owned(), 303),
        (rig.base().to_owned(), 303),
        ("https://permissions.example.evil".to_owned(), 403),
        ("http://permissions.example".to_owned(), 403),
    ] {
        let mut ann = Browser::new(&rig);
        let page = ann.get("/login").await.is(200);
        assert!(page.text.contains("action=\"/here/login\""), "links begin with the public path");
        let call = ann.call("POST", "/login").header("origin", &origin);
        call.form(&[("login", "ann"), ("password", PASSWORD)], &ann.csrf).await.is(status);
    }
}

#[tokio::test]
async fn a_page_of_before_the_sign_in_leads_on() {
    let (_rig, ann, _) = Rig::with_ann().await;
    let mut fresh = ann.clone();
    fresh.cookies.remove(COOKIE);
    fresh.get("/login").await.is(200);
    let answer =
        ann.call("POST", "/login").form(&[("login", "ann"), ("password", PASSWORD)], &fresh.csrf).await;
    assert_eq!(answer.is(303).header("location"), "/login");
    let mut ended = ann.clone();
    ended.post("/account/sessions/end", &[]).await.is(303);
    let answer = ann.call("POST", "/logout").form(&[], &ann.csrf).await;
    assert_eq!(answer.is(303).header("location"), "/login", "a page whose session has ended");
}

#[tokio::test]
async fn the_api_takes_a_session_and_asks_for_its_token() {
    let (rig, ann, other) = Rig::with_ann().await;
    rig.relate(&["grantd:default#writer@user:ann"]).await;
    let session = ann.call("GET", "/api/v1/session").send().await.is(200);
    assert_eq!(session.body["login"], "ann");
    let csrf = session.body["csrf"].as_str().unwrap().to_owned();
    let others = other.call("GET", "/api/v1/session").send().await.body["csrf"].as_str().unwrap().to_owned();
    let write = || json!({"write": [{"resource": "role:qa", "relation": "member", "subject": "user:x"}]});
    let call = || ann.call("POST", "/api/v1/relationships");
    let before = rig.revision().await;
    call().json(write()).await.is_problem(403, "forgery");
    call().header("grantd-csrf", &others).json(write()).await.is_problem(403, "forgery");
    for (name, value) in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
        let call = call().header("grantd-csrf", &csrf).header(name, value);
        call.json(write()).await.is_problem(403, "forgery");
    }
    assert_eq!(rig.revision().await, before);
    call().header("grantd-csrf", &csrf).json(write()).await.is(200);
    let entries = rig.call("GET", &format!("/api/v1/ledger?after={before}")).send().await.is(200);
    assert_eq!(entries.body["items"][0]["actor"], "user:ann");
    // Reading changes nothing, so it needs none. A key needs none either, and counts before a session.
    ann.call("GET", "/api/v1/relationships").send().await;
    ann.call("GET", "/api/v1/users").send().await.is_problem(403, "forbidden");
    let with_key = ann.call("GET", "/api/v1/users").header("authorization", &format!("Bearer {SYSTEM_KEY}"));
    with_key.send().await.is(200);
    rig.call("GET", "/api/v1/session").send().await.is_problem(401, "unauthorized");
}

#[tokio::test]
async fn other_faces_take_no_session() {
    let (_rig, ann, _) = Rig::with_ann().await;
    ann.call("GET", "/v5/identities").send().await.is_freestyle(401, "UNAUTHORIZED");
    ann.call("POST", "/access/v1/evaluation").json(json!({})).await.is(401);
}

#[tokio::test]
async fn the_account_page_shows_ones_own_sessions() {
    let (rig, ann, _) = Rig::with_ann().await;
    rig.person("ben").await;
    let mut ben = Browser::elsewhere(&rig, 9);
    ben.signs_in("ben").await;
    rig.clock.advance(5 * 60 * 1_000_000);
    let page = ann.call("GET", "/account").send().await.is(200);
    assert_eq!(page.text.matches("<p class=\"client\">Firefox on Linux").count(), 2);
    assert_eq!(page.text.matches("This session").count(), 1);
    assert!(page.text.contains("The name of ann") && page.text.contains("127.0.0.1"));
    assert!(page.text.contains("5 minutes ago"), "{}", page.text);
    assert!(!page.text.contains("127.0.0.9") && !page.text.contains("ben"));
}

#[tokio::test]
async fn what_people_write_is_text_and_no_markup() {
    let rig = Rig::new().await;
    let marked = "<b>&\"'</b>";
    let user = json!({"login": "ann", "name": marked, "password": PASSWORD});
    rig.call("POST", "/api/v1/users").json(user).await.is(201);
    let refused = Browser::new(&rig).tries(marked, "wrong").await.is(403);
    let mut ann = Browser::new(&rig);
    ann.get("/login").await.is(200);
    let call = ann.call("POST", "/login").header("user-agent", "<script>alert(1)</script>");
    let signed_in = call.form(&[("login", "ann"), ("password", PASSWORD)], &ann.csrf).await.is(303);
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let page: Answer = rig.bare("GET", "/account").header("cookie", &cookie).send().await.is(200);
    for text in [&refused.text, &page.text] {
        assert!(!text.contains("<b>") && !text.contains("<script"), "{text}");
    }
    assert!(page.text.contains("&#60;b&#62;") || page.text.contains("&lt;b&gt;"), "{}", page.text);
}

#[tokio::test]
async fn bad_requests_are_pages_too() {
    let (_rig, ann, _) = Rig::with_ann().await;
    let long = "x".repeat(20_000);
    let answer = ann.call("POST", "/login").form(&[("login", &long), ("password", "x")], "").await.is(413);
    assert!(answer.header("content-type").starts_with("text/html"));
    let answer = ann.call("PUT", "/login").send().await.is(405);
    assert!(!answer.header("allow").is_empty());
    let broken =
        ann.call("POST", "/account/password").text("application/x-www-form-urlencoded", "%FF=%FE&&&=").await;
    broken.is(403);
    let login = ann.call("POST", "/login").form(&[], &ann.csrf).await.is(422);
    assert!(login.text.contains("There are 2 problems"), "{}", login.text);
}
