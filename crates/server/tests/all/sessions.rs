//! How long a session stands for somebody, and what ends it.

use std::time::Duration;

use grantd_server::time::rfc3339;
use serde_json::json;

use crate::browser::{Browser, COOKIE, PASSWORD};
use crate::support::{Rig, Setup};

const HOUR: i64 = 3_600 * 1_000_000;
const ANN: &str = "/api/v1/users/ann";

#[tokio::test]
async fn each_sign_in_has_a_secret_of_its_own_and_ends_the_one_before() {
    let rig = Rig::new().await;
    rig.person("ann").await;
    let planted = format!("gds_{}{}", "0".repeat(32), "x".repeat(43));
    let mut ann = Browser::new(&rig);
    ann.cookies.insert(COOKIE.into(), planted.clone());
    ann.signs_in("ann").await;
    let first = ann.clone();
    assert_ne!(first.session(), planted, "a secret that the browser brought along is never taken over");
    let mut again = ann.clone();
    // The sign-in form is only shown to who is not signed in, but may be sent from an older tab.
    again.post("/login", &[("login", "ann"), ("password", PASSWORD)]).await.is(303);
    assert_ne!(again.session(), first.session());
    assert!(again.is_signed_in().await);
    assert!(!first.is_signed_in().await, "the session before is over");
}

#[tokio::test]
async fn an_idle_session_ends() {
    let (rig, ann, _) = Rig::with_ann().await;
    rig.clock.advance(12 * HOUR - 1);
    assert!(ann.is_signed_in().await);
    settle(&ann, &rig).await;
    rig.clock.advance(12 * HOUR - 1);
    assert!(ann.is_signed_in().await, "a use is noted");
    settle(&ann, &rig).await;
    rig.clock.advance(12 * HOUR);
    assert!(!ann.is_signed_in().await);
}

#[tokio::test]
async fn a_session_in_use_ends_after_a_week() {
    let (rig, ann, _) = Rig::with_ann().await;
    for _ in 0..27 {
        rig.clock.advance(6 * HOUR);
        assert!(ann.is_signed_in().await);
        settle(&ann, &rig).await;
    }
    rig.clock.advance(6 * HOUR - 1);
    assert!(ann.is_signed_in().await);
    rig.clock.advance(1);
    assert!(!ann.is_signed_in().await);
}

/// Waits until the use is noted, which no answer waits for.
async fn settle(browser: &Browser, rig: &Rig) {
    let now = rfc3339(rig.clock.now());
    for _ in 0..400 {
        let session = browser.call("GET", "/api/v1/session").send().await.is(200);
        if session.body["last_used_at"] == now {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the use was never noted");
}

#[tokio::test]
async fn a_use_is_noted_at_most_once_a_minute_and_makes_no_entry() {
    let (rig, ann, _) = Rig::with_ann().await;
    let (revision, appends) = (rig.revision().await, rig.store.appends());
    for _ in 0..5 {
        assert!(ann.is_signed_in().await);
    }
    assert_eq!(rig.store.appends(), appends);
    rig.clock.advance(60 * 1_000_000);
    assert!(ann.is_signed_in().await);
    settle(&ann, &rig).await;
    assert!(ann.is_signed_in().await);
    assert!(rig.store.appends() > appends);
    assert_eq!(rig.revision().await, revision);
}

#[tokio::test]
async fn signing_out_ends_this_session_alone() {
    let (_rig, mut one, other) = Rig::with_ann().await;
    let copy = one.clone();
    let answer = one.post("/logout", &[]).await.is(303);
    assert_eq!(answer.header("location"), "/login?signed_out");
    assert!(!one.cookies.contains_key(COOKIE), "the browser forgets it");
    assert!(!copy.is_signed_in().await, "and a copy of the cookie is worth nothing");
    assert!(other.is_signed_in().await);
}

#[tokio::test]
async fn one_session_is_ended_from_another() {
    let (rig, mut one, other) = Rig::with_ann().await;
    rig.person("ben").await;
    let mut ben = Browser::new(&rig);
    ben.signs_in("ben").await;
    let id = |session: crate::support::Answer| session.body["id"].as_str().unwrap().to_owned();
    let others = id(other.call("GET", "/api/v1/session").send().await.is(200));
    let bens = id(ben.call("GET", "/api/v1/session").send().await.is(200));
    one.post(&format!("/account/sessions/{bens}/end"), &[]).await.is(303);
    assert!(ben.is_signed_in().await, "nobody ends somebody else's");
    one.post(&format!("/account/sessions/{others}/end"), &[]).await.is(303);
    assert!(!other.is_signed_in().await);
    assert!(one.is_signed_in().await);
    one.post("/account/sessions/nonsense/end", &[]).await.is(404);
}

#[tokio::test]
async fn signing_out_everywhere_reaches_every_node_at_once() {
    let rig = Rig::set_up(Setup { shared: true, ..Setup::default() }).await;
    rig.person("ann").await;
    let there = rig.another().await;
    let (mut one, mut other) = (Browser::new(&rig), Browser::new(&there));
    one.signs_in("ann").await;
    other.signs_in("ann").await;
    assert!(one.on(&there).is_signed_in().await && other.on(&rig).is_signed_in().await);
    let (before, revision) = (one.clone(), rig.revision().await);
    let answer = one.post("/account/sessions/end", &[]).await.is(303);
    assert_eq!(answer.header("location"), "/login?signed_out=everywhere");
    for browser in [&before, &other] {
        assert!(!browser.on(&there).is_signed_in().await, "on the other node");
        assert!(!browser.on(&rig).is_signed_in().await);
    }
    assert_eq!(rig.revision().await, revision + 1, "one entry, however many sessions");
    let started_again = rig.another().await;
    assert!(!before.on(&started_again).is_signed_in().await);
    one.signs_in("ann").await;
    assert!(one.on(&there).is_signed_in().await, "a new one counts");
}

#[tokio::test]
async fn sessions_survive_a_restart_and_signing_out_does_too() {
    let (rig, one, mut other) = Rig::with_ann().await;
    let again = rig.another().await;
    assert!(one.on(&again).is_signed_in().await);
    let copy = other.clone();
    other.post("/logout", &[]).await.is(303);
    assert!(!copy.on(&rig.another().await).is_signed_in().await);
}

#[tokio::test]
async fn a_new_password_ends_every_session_but_gives_this_browser_a_new_one() {
    let (rig, mut one, other) = Rig::with_ann().await;
    let before = one.clone();
    let new = "quite another password";
    let form = [("current", PASSWORD), ("new", new), ("repeated", new)];
    one.post("/account/password", &form).await.is(303);
    assert!(one.is_signed_in().await);
    assert_ne!(one.session(), before.session());
    assert!(!before.is_signed_in().await && !other.is_signed_in().await);
    let mut late = Browser::new(&rig);
    late.tries("ann", PASSWORD).await.is(403);
    late.tries("ann", new).await.is(303);
}

#[tokio::test]
async fn a_password_set_by_an_operator_ends_every_session() {
    let (rig, one, other) = Rig::with_ann().await;
    rig.call("PATCH", ANN).json(json!({"password": "set by an operator"})).await.is(200);
    assert!(!one.is_signed_in().await && !other.is_signed_in().await);
}

#[tokio::test]
async fn a_deactivated_users_sessions_do_not_come_back() {
    let (rig, one, _) = Rig::with_ann().await;
    rig.call("PATCH", ANN).json(json!({"active": false})).await.is(200);
    assert!(!one.is_signed_in().await);
    let mut late = Browser::new(&rig);
    late.tries("ann", PASSWORD).await.is(403);
    rig.call("PATCH", ANN).json(json!({"active": true})).await.is(200);
    assert!(!one.is_signed_in().await);
    late.tries("ann", PASSWORD).await.is(303);
}

#[tokio::test]
async fn a_login_made_again_does_not_get_the_sessions_of_before() {
    let (rig, one, _) = Rig::with_ann().await;
    rig.call("DELETE", ANN).send().await.is(200);
    assert!(!one.is_signed_in().await);
    rig.person("ann").await;
    assert!(!one.is_signed_in().await);
}

#[tokio::test]
async fn a_session_of_one_realm_is_nothing_in_another() {
    let rig = Rig::new().await;
    rig.create_realm("acme").await;
    rig.person("ann").await;
    rig.person_at("/r/acme", "ann").await;
    let mut here = Browser::new(&rig);
    here.signs_in("ann").await;
    let mut there = Browser::at(&rig, "/r/acme");
    there.cookies.insert("grantd_session.acme".into(), here.session().into());
    assert!(!there.is_signed_in().await);
    there.cookies.extend(here.cookies.clone());
    assert!(!there.is_signed_in().await, "not under its own name either");
    there.signs_in("ann").await;
    let both: Vec<_> = there.cookies.keys().filter(|name| name.starts_with(COOKIE)).collect();
    assert_eq!(both, [COOKIE, "grantd_session.acme"], "one browser can be signed in to both");
    assert!(here.is_signed_in().await);
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
    let set = async |setup: Setup| {
        let rig = Rig::set_up(setup).await;
        rig.person("ann").await;
        let answer = Browser::new(&rig).tries("ann", PASSWORD).await.is(303);
        let cookie = answer.headers.get_all("set-cookie").iter().next().unwrap().to_str().unwrap().to_owned();
        let (name, rest) = cookie.split_once('=').unwrap();
        let (value, flags) = rest.split_once("; ").unwrap();
        assert!(value.starts_with("gds_") && value.len() == 79, "{value}");
        (name.to_owned(), flags.to_owned())
    };
    let (name, flags) = set(Setup::default()).await;
    assert_eq!((name.as_str(), flags.as_str()), ("grantd_session", "Path=/; HttpOnly; SameSite=Lax"));
    let tls = Setup { public_url: Some("https://permissions.example"), ..Setup::default() };
    let (name, flags) = set(tls).await;
    assert_eq!(name, "__Host-grantd_session");
    assert_eq!(flags, "Path=/; HttpOnly; SameSite=Lax; Secure");
}

#[tokio::test]
async fn what_is_no_session_is_none() {
    let (rig, ann, _) = Rig::with_ann().await;
    let good = ann.session().to_owned();
    let altered = format!("{}{}", &good[..78], if good.ends_with('x') { "y" } else { "x" });
    let upper = good.to_ascii_uppercase();
    for cookie in
        ["", "gds_", "x", &good[..78], &format!("{good}x"), &altered, &upper, &good.replace("gds_", "gdk_")]
    {
        let mut browser = Browser::new(&rig);
        browser.cookies.insert(COOKIE.into(), cookie.to_owned());
        assert_eq!(browser.get("/account").await.status, 303, "{cookie}");
    }
    let twice = format!("{COOKIE}={good}; {COOKIE}={good}");
    rig.bare("GET", "/account").header("cookie", &twice).send().await.is(303);
}

#[tokio::test]
async fn no_page_works_while_the_store_is_down_and_all_do_afterwards() {
    let (rig, ann, _) = Rig::with_ann().await;
    rig.store.fail_reads(1);
    let answer = ann.call("GET", "/account").send().await.is(503);
    assert_eq!(answer.header("retry-after"), "1");
    assert!(ann.is_signed_in().await);
}
