//! The realm's authority over client certificates: made when it is first needed, and anew before it ends.

use base64::Engine as _;
use serde_json::json;

use crate::support::{Answer, Rig};

const LOGIN: &str = "/pulp/api/v2/actions/login/";

/// A user's header of login and password.
async fn basic(rig: &Rig, login: &str) -> String {
    let body = json!({"login": login, "password": "correct horse"});
    rig.call("POST", "/api/v1/users").json(body).await.is(201);
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{login}:correct horse"));
    format!("Basic {pair}")
}

async fn sign_in(rig: &Rig, basic: &str) -> Answer {
    rig.bare("POST", LOGIN).header("authorization", basic).send().await.is(200)
}

/// The versions of the authorities that were made, by the ledger.
async fn made(rig: &Rig) -> Vec<u64> {
    let ledger = rig.call("GET", "/api/v1/ledger?limit=1000").send().await.is(200);
    let entries = ledger.body["items"].as_array().unwrap();
    let changes = entries.iter().flat_map(|entry| entry["changes"].as_array().unwrap());
    let made = changes.filter(|change| change["kind"] == "client_ca_made");
    made.map(|change| change["version"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn there_is_one_from_the_first_sign_in_on() {
    let rig = Rig::new().await;
    let (ann, bob) = (basic(&rig, "ann").await, basic(&rig, "bob").await);
    assert_eq!(made(&rig).await, [0_u64; 0]);
    let before = rig.revision().await;
    let (one, two) = tokio::join!(sign_in(&rig, &ann), sign_in(&rig, &bob));
    assert_ne!(one.body["certificate"], two.body["certificate"]);
    assert_ne!(one.body["key"], two.body["key"]);
    assert_eq!(made(&rig).await, [1]);
    assert_eq!(rig.revision().await, before + 1, "a sign-in is no entry");
}

#[tokio::test]
async fn another_takes_its_place_before_it_would_end_too_early() {
    let rig = Rig::new().await;
    let ann = basic(&rig, "ann").await;
    let day = 24 * 3_600 * 1_000_000;
    sign_in(&rig, &ann).await;
    rig.clock.advance(3_600 * day);
    sign_in(&rig, &ann).await;
    assert_eq!(made(&rig).await, [1]);
    rig.clock.advance(44 * day);
    sign_in(&rig, &ann).await;
    sign_in(&rig, &ann).await;
    assert_eq!(made(&rig).await, [1, 2]);
}
