//! Passwords: which are right, how often one may be wrong, and what is told of it.

use serde_json::json;

use crate::browser::{Browser, PASSWORD};
use crate::support::{Answer, Rig, Setup};

/// Tries a wrong password until that is too often; how often it was not. One is forgiven now and then meanwhile.
async fn until_limited(browser: &mut Browser, login: impl Fn(u32) -> String) -> (u32, Answer) {
    browser.get("/login").await.is(200);
    for n in 0..200 {
        let answer = browser.post("/login", &[("login", &login(n)), ("password", "wrong")]).await;
        if answer.status == 429 {
            return (n, answer);
        }
        answer.is(403);
    }
    panic!("never limited");
}

/// What a page says, without what is another one each time.
fn said(answer: &Answer, login: &str) -> String {
    let (before, rest) = answer.text.split_once("name=\"csrf\" value=\"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    format!("{before}{after}").replace(login, "LOGIN")
}

#[tokio::test]
async fn nothing_tells_which_accounts_there_are() {
    let rig = Rig::new().await;
    rig.person("ann-right").await;
    rig.person("ann-asleep").await;
    rig.call("PATCH", "/api/v1/users/ann-asleep").json(json!({"active": false})).await.is(200);
    rig.user("ann-without").await;
    let mut seen = Vec::new();
    for login in ["ann-right", "ann-asleep", "ann-without", "ann-nobody", "no login at all é"] {
        let password = if login == "ann-right" { "a wrong password" } else { PASSWORD };
        let answer = Browser::new(&rig).tries(login, password).await.is(403);
        assert!(answer.text.contains("The login or the password is wrong."));
        let headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        seen.push((said(&answer, login), headers));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
}

#[tokio::test]
async fn ten_wrong_passwords_a_minute_for_an_account() {
    let rig = Rig::new().await;
    rig.person("ann").await;
    rig.person("ben").await;
    let mut one = Browser::new(&rig);
    let (wrong, limited) = until_limited(&mut one, |_| "ann".into()).await;
    assert!((10..15).contains(&wrong), "{wrong}");
    assert!(limited.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert!(limited.text.contains("Too many wrong attempts"), "{}", limited.text);
    one.tries("ann", PASSWORD).await.is(429);
    let mut elsewhere = Browser::elsewhere(&rig, 2);
    elsewhere.tries("ann", "wrong").await.is(429);
    elsewhere.tries("ann", PASSWORD).await.is(303);
    let mut ben = Browser::new(&rig);
    ben.tries("ben", PASSWORD).await.is(303);
}

#[tokio::test]
async fn guesses_that_are_sent_together_are_counted_before_they_are_all_looked_at() {
    let rig = Rig::new().await;
    rig.person("ann").await;
    let mut one = Browser::new(&rig);
    one.get("/login").await.is(200);
    let guess = |n: u32| {
        let (call, csrf) = (one.call("POST", "/login"), one.csrf.clone());
        async move { call.form(&[("login", "ann"), ("password", &format!("guess {n}"))], &csrf).await.status }
    };
    let statuses = futures::future::join_all((0..60).map(guess)).await;
    let looked_at = statuses.iter().filter(|status| **status == 403).count();
    assert!((10..15).contains(&looked_at), "{statuses:?}");
    assert!(statuses.iter().all(|status| [403, 429].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn right_passwords_that_are_sent_together_are_all_right() {
    let rig = Rig::new().await;
    rig.person("ann").await;
    let mut one = Browser::new(&rig);
    one.get("/login").await.is(200);
    let sign_in = |_| {
        let (call, csrf) = (one.call("POST", "/login"), one.csrf.clone());
        async move { call.form(&[("login", "ann"), ("password", PASSWORD)], &csrf).await.status }
    };
    let statuses = futures::future::join_all((0..40).map(sign_in)).await;
    assert!(statuses.iter().all(|status| *status == 303), "{statuses:?}");
}

#[tokio::test]
async fn an_account_that_is_not_there_is_limited_like_any_other() {
    let rig = Rig::new().await;
    let (wrong, _) = until_limited(&mut Browser::new(&rig), |_| "nobody".into()).await;
    assert!((10..15).contains(&wrong), "{wrong}");
}

#[tokio::test]
async fn sixty_wrong_passwords_a_minute_for_a_source() {
    let rig = Rig::new().await;
    rig.person("ann").await;
    let mut one = Browser::new(&rig);
    let (wrong, _) = until_limited(&mut one, |n| format!("nobody-{n}")).await;
    assert!(wrong >= 60, "{wrong}");
    one.tries("ann", PASSWORD).await.is(303);
}

#[tokio::test]
async fn realms_count_on_their_own() {
    let rig = Rig::new().await;
    rig.create_realm("acme").await;
    rig.person_at("/r/acme", "ann").await;
    let mut here = Browser::new(&rig);
    until_limited(&mut here, |_| "ann".into()).await;
    let mut there = Browser::at(&rig, "/r/acme");
    there.signs_in("ann").await;
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing_and_counts() {
    let (rig, mut ann, other) = Rig::with_ann().await;
    let new = "quite another password";
    for _ in 0..10 {
        let form = [("current", "wrong"), ("new", new), ("repeated", new)];
        let answer = ann.post("/account/password", &form).await.is(403);
        assert!(answer.text.contains("The current password is wrong."));
    }
    let form = [("current", PASSWORD), ("new", new), ("repeated", new)];
    ann.post("/account/password", &form).await.is(429);
    assert!(other.is_signed_in().await);
    Browser::elsewhere(&rig, 2).tries("ann", PASSWORD).await.is(303);
}

#[tokio::test]
async fn a_new_password_has_to_fit() {
    let (_rig, mut ann, _) = Rig::with_ann().await;
    let long = "x".repeat(1_025);
    let table = [
        ("", "long enough 1", "long enough 1", "Enter your current password."),
        (PASSWORD, "short", "short", "must have 8 to 1024"),
        (PASSWORD, &long, &long, "must have 8 to 1024"),
        (PASSWORD, "long enough 1", "long enough 2", "are not the same"),
        (PASSWORD, PASSWORD, PASSWORD, "must be another one"),
    ];
    for (current, new, repeated, text) in table {
        let form = [("current", current), ("new", new), ("repeated", repeated)];
        let answer = ann.post("/account/password", &form).await.is(422);
        assert!(answer.text.contains(text), "{}", answer.text);
        assert!(answer.text.contains("role=\"alert\""));
    }
    assert!(ann.is_signed_in().await);
}

#[tokio::test]
async fn a_sign_in_makes_no_entry() {
    let rig = Rig::new().await;
    rig.person("ann").await;
    let before = rig.revision().await;
    let mut ann = Browser::new(&rig);
    ann.signs_in("ann").await;
    ann.post("/logout", &[]).await.is(303);
    assert_eq!(rig.revision().await, before);
}

#[tokio::test]
async fn a_password_changed_on_another_node_counts_here_at_once() {
    let rig = Rig::set_up(Setup { shared: true, ..Setup::default() }).await;
    rig.person("ann").await;
    let there = rig.another().await;
    let new = json!({"password": "set on the other node"});
    there.call("PATCH", "/api/v1/users/ann").json(new).await.is(200);
    there.person("new").await;
    let mut here = Browser::new(&rig);
    here.tries("ann", PASSWORD).await.is(403);
    here.tries("ann", "set on the other node").await.is(303);
    Browser::new(&rig).tries("new", PASSWORD).await.is(303);
}

#[tokio::test]
async fn no_answer_and_no_entry_holds_a_password_or_a_session() {
    let (rig, ann, _) = Rig::with_ann().await;
    Browser::new(&rig).tries("ann", "a wrong password").await.is(403);
    let session = ann.session().to_owned();
    let mut texts = Vec::new();
    for path in ["/api/v1/ledger", "/api/v1/users/ann", "/metrics"] {
        texts.push(rig.call("GET", path).send().await.is(200).text);
    }
    for path in ["/account", "/api/v1/session"] {
        texts.push(ann.call("GET", path).send().await.is(200).text);
    }
    texts.push(Browser::new(&rig).tries("ann", "a wrong password").await.text);
    for text in texts {
        for secret in [session.as_str(), PASSWORD, "a wrong password", "argon2"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
