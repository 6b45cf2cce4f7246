//! Reading the ledger over HTTP.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::Rig;

#[tokio::test]
async fn it_is_read_page_by_page() {
    let rig = Rig::new().await;
    for n in 0..5 {
        rig.user(&format!("u{n}")).await;
    }
    let head = rig.revision().await;
    let mut seen = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let page = rig.call("GET", &format!("/api/v1/ledger?limit=2&after={after}")).send().await.is(200);
        let items = page.body["items"].as_array().unwrap().clone();
        seen.extend(items.iter().map(|entry| entry["revision"].as_u64().unwrap()));
        match page.body["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, (1..=head).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_entry_says_who_did_what_through_which_face() {
    let rig = Rig::new().await;
    let before = rig.revision().await;
    rig.user("ann").await;
    rig.call("POST", "/v5/identities").json(json!({})).await.is(200);
    let page = rig.call("GET", &format!("/api/v1/ledger?after={before}")).send().await.is(200);
    let [first, second] = &page.body["items"].as_array().unwrap()[..] else { panic!("{}", page.text) };
    assert_eq!((first["via"].as_str(), second["via"].as_str()), (Some("api"), Some("freestyle")));
    assert!(first["actor"].as_str().unwrap().starts_with("system/api_key:"), "{first}");
    assert_eq!(first["changes"][0]["kind"], "user_created");
    assert_eq!(first["changes"][0]["login"], "ann");
    assert_eq!(second["changes"][0]["kind"], "identity_created");
    assert_ne!(first["hash"], second["hash"]);
}

#[tokio::test]
async fn a_long_poll_returns_when_a_write_comes() {
    let rig = Rig::new().await;
    let head = rig.revision().await;
    let start = Instant::now();
    let path = format!("/api/v1/ledger?after={head}&wait=20");
    let waiting = rig.call("GET", &path).send();
    let writing = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        rig.user("ann").await
    };
    let (page, _) = tokio::join!(waiting, writing);
    let page = page.is(200);
    assert_eq!(page.body["items"][0]["revision"], head + 1);
    assert!((Duration::from_millis(200)..Duration::from_secs(15)).contains(&start.elapsed()));
}

#[tokio::test]
async fn a_long_poll_without_a_write_is_empty() {
    let rig = Rig::new().await;
    let head = rig.revision().await;
    let start = Instant::now();
    let page = rig.call("GET", &format!("/api/v1/ledger?after={head}&wait=1")).send().await.is(200);
    assert_eq!(page.body, json!({"items": [], "next": null}));
    assert!(start.elapsed() >= Duration::from_secs(1));
    let far = "/api/v1/ledger?after=18446744073709551615";
    assert_eq!(rig.call("GET", far).send().await.is(200).body, json!({"items": [], "next": null}));
}

#[tokio::test]
async fn who_lost_the_authority_while_waiting_sees_nothing() {
    let rig = Rig::new().await;
    for realm in ["", "/r/system"] {
        let make = json!({"name": "auditor", "grants": ["auditor"]});
        let made = rig.call("POST", &format!("{realm}/api/v1/keys")).json(make).await.is(201);
        let (id, key) = (made.body["id"].as_str().unwrap(), made.body["key"].as_str().unwrap());
        let path = format!("/api/v1/ledger?after={}&wait=20", rig.revision().await);
        let waiting = rig.with(key, "GET", &path).send();
        let revoking = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            rig.call("DELETE", &format!("{realm}/api/v1/keys/{id}")).send().await.is(200);
            rig.user(&format!("ann{}", realm.len())).await;
        };
        let (page, ()) = tokio::join!(waiting, revoking);
        assert!([401, 403].contains(&page.status), "{realm}: {}", page.text);
    }
}
