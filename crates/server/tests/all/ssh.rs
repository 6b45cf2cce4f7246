//! What a VM's own sshd asks, and the certificates that it is shown.

use serde_json::{Value, json};
use ssh_key::{Certificate, Fingerprint, HashAlg, PublicKey};

use crate::support::{Answer, Rig, Setup};

/// Made by `ssh-keygen`.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAY6aTWiBWhR/7iEfoSCoHrjB5HqA6CLYwzYLh0mV3V1";

struct Door {
    rig: Rig,
    identity: String,
    token: String,
    /// An API key that may ask and nothing else.
    asker: String,
}

impl Door {
    async fn new() -> Self {
        Self::set_up(Setup::default()).await
    }

    async fn set_up(setup: Setup) -> Self {
        let rig = Rig::set_up(setup).await;
        let identity = rig.identity().await;
        let tokens = format!("/identity/v1/identities/{identity}/tokens");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let token = text(&rig.call("POST", &tokens).send().await.is(200).body["token"]);
        let key = json!({"name": "sshd", "grants": ["checker"]});
        let asker = text(&rig.call("POST", "/api/v1/keys").json(key).await.is(201).body["key"]);
        Self { rig, identity, token, asker }
    }

    async fn grants(&self, method: &str, vm: &str, users: Value) {
        let path = format!("/identity/v1/identities/{}/permissions/vm/{vm}", self.identity);
        self.rig.call(method, &path).json(json!({"allowedUsers": users})).await.is(200);
    }

    async fn asks(&self, body: Value) -> Answer {
        self.rig.with(&self.asker, "POST", "/api/v1/ssh/authorize").json(body).await
    }

    async fn allows(&self, body: Value) -> bool {
        let answer = self.asks(body).await.is(200).body;
        let identity = if answer["allowed"] == true { json!(self.identity) } else { json!(null) };
        assert_eq!(answer["identity"], identity);
        answer["allowed"] == true
    }

    async fn certificate(&self, vm: &str, body: Value) -> Answer {
        self.rig.with(&self.token, "POST", &format!("/api/v1/vms/{vm}/certificates")).json(body).await
    }
}

#[tokio::test]
async fn a_key_opens_what_its_identity_may_enter() {
    let door = Door::new().await;
    let by_key = |vm: &str, user: &str| json!({"vm": vm, "user": user, "public_key": format!("{KEY} me")});
    door.grants("POST", "build", json!(["dev"])).await;
    assert!(!door.allows(by_key("build", "dev")).await, "nobody's key");
    let key = json!({"identity": door.identity, "public_key": KEY, "name": "laptop"});
    let added = door.rig.call("POST", "/api/v1/ssh-keys").json(key.clone()).await.is(201).body;
    door.rig.call("POST", "/api/v1/ssh-keys").json(key).await.is_problem(409, "already_exists");
    assert!(door.allows(by_key("build", "dev")).await);
    for (vm, user) in
        [("build", "root"), ("deploy", "dev"), ("build/dev", "dev"), ("build", ""), ("build", "../dev")]
    {
        assert!(!door.allows(by_key(vm, user)).await, "{vm} {user}");
    }
    door.grants("PUT", "build", json!([])).await;
    assert!(!door.allows(by_key("build", "dev")).await);
    door.grants("PUT", "build", json!(null)).await;
    assert!(door.allows(by_key("build", "root")).await);
    let listed = format!("/api/v1/ssh-keys?identity={}", door.identity);
    let listed = door.rig.call("GET", &listed).send().await.is(200).body;
    assert_eq!((&listed["items"], &added["name"]), (&json!([added]), &json!("laptop")));
    let path = format!("/api/v1/ssh-keys/{}", added["id"].as_str().unwrap());
    door.rig.call("DELETE", &path).send().await.is(200);
    assert!(!door.allows(by_key("build", "root")).await);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let door = Door::new().await;
    for body in [
        json!({"vm": "build", "user": "dev"}),
        json!({"vm": "build", "user": "dev", "public_key": KEY, "key_id": "x", "ca_key": "x"}),
        json!({"vm": "build", "user": "dev", "key_id": "x"}),
        json!({"vm": "build", "user": "dev", "public_key": "ssh-dss AAAA"}),
        json!({"vm": "build", "user": "dev", "public_key": KEY, "connection": "x".repeat(256)}),
    ] {
        door.asks(body).await.is_problem(400, "invalid_request");
    }
    let question = || json!({"vm": "build", "user": "dev", "public_key": KEY});
    door.rig
        .with(&door.token, "POST", "/api/v1/ssh/authorize")
        .json(question())
        .await
        .is_problem(403, "forbidden");
}

#[tokio::test]
async fn a_certificate_is_worth_what_its_holder_may_right_now() {
    let door = Door::new().await;
    let ask = || json!({"public_key": KEY});
    door.certificate("build", ask()).await.is_problem(404, "not_found");
    door.grants("POST", "build", json!(["dev", "ops"])).await;
    let issued = door.certificate("build", ask()).await.is(201).body;
    let certificate = Certificate::from_openssh(issued["certificate"].as_str().unwrap()).unwrap();
    let ca = door.rig.with(&door.asker, "GET", "/api/v1/ssh/ca").send().await.is(200).body;
    let trusted: Fingerprint =
        PublicKey::from_openssh(ca["public_key"].as_str().unwrap()).unwrap().fingerprint(HashAlg::Sha256);
    let now = u64::try_from(door.rig.clock.now() / 1_000_000).unwrap();
    certificate.validate_at(now, [&trusted]).unwrap();
    certificate.validate_at(now + 299, [&trusted]).unwrap();
    assert!(certificate.validate_at(now + 300, [&trusted]).is_err());
    assert_eq!(certificate.valid_principals(), ["dev@build", "ops@build"]);
    assert_eq!(certificate.extensions().keys().collect::<Vec<_>>(), ["permit-pty"]);
    assert!(certificate.critical_options().is_empty());
    assert_eq!(certificate.public_key(), PublicKey::from_openssh(KEY).unwrap().key_data());
    assert_eq!(json!(certificate.key_id()), issued["key_id"]);
    assert_eq!(json!(certificate.serial().to_string()), issued["serial"]);

    let ca_key = ca["public_key"].as_str().unwrap().split(' ').nth(1).unwrap();
    let shown =
        |vm: &str, user: &str| json!({"vm": vm, "user": user, "key_id": issued["key_id"], "ca_key": ca_key});
    let told = door.asks(shown("build", "dev")).await.is(200).body;
    assert_eq!((&told["allowed"], &told["principal"]), (&json!(true), &json!("dev@build")));
    assert!(!door.allows(shown("build", "root")).await);
    door.grants("POST", "deploy", json!(null)).await;
    assert!(!door.allows(shown("deploy", "dev")).await, "it is for another VM");
    door.grants("PUT", "build", json!(["ops"])).await;
    assert!(!door.allows(shown("build", "dev")).await && door.allows(shown("build", "ops")).await);
    let other = |key_id: &Value, ca_key: &str| json!({"vm": "build", "user": "ops", "key_id": key_id, "ca_key": ca_key});
    assert!(!door.allows(other(&json!("anna"), ca_key)).await, "not written by us");
    let foreign = KEY.split(' ').nth(1).unwrap();
    assert!(!door.allows(other(&issued["key_id"], foreign)).await, "signed by somebody else");
    let tokens = format!("/identity/v1/identities/{}/tokens", door.identity);
    let id = door.rig.call("GET", &tokens).send().await.is(200).body["tokens"][0]["id"].clone();
    door.rig.call("DELETE", &format!("{tokens}/{}", id.as_str().unwrap())).send().await.is(200);
    assert!(!door.allows(shown("build", "ops")).await, "the token is gone");
}

#[tokio::test]
async fn the_authority_stays_until_it_is_replaced_and_is_each_realms_own() {
    let door = Door::new().await;
    let of = async |path: &str| door.rig.call("GET", path).send().await.is(200).body["fingerprint"].clone();
    let before = door.rig.revision().await;
    let first = of("/api/v1/ssh/ca").await;
    assert_eq!(door.rig.revision().await, before + 1);
    assert_eq!(of("/api/v1/ssh/ca").await, first);
    assert_eq!(door.rig.revision().await, before + 1);
    assert_eq!(
        door.rig.another().await.call("GET", "/api/v1/ssh/ca").send().await.body["fingerprint"],
        first
    );
    door.rig.call("POST", "/api/v1/realms").json(json!({"name": "acme"})).await.is(201);
    assert_ne!(of("/r/acme/api/v1/ssh/ca").await, first);
    door.rig.with(&door.asker, "POST", "/api/v1/ssh/ca").send().await.is_problem(403, "forbidden");
    let second = door.rig.call("POST", "/api/v1/ssh/ca").send().await.is(200).body["fingerprint"].clone();
    assert_ne!(second, first);
    assert_eq!(of("/api/v1/ssh/ca").await, second);
}

#[tokio::test]
async fn the_operator_says_how_long_a_certificate_counts_at_most() {
    let door = Door::set_up(Setup { ssh_certificate_ttl: Some(120), ..Setup::default() }).await;
    door.grants("POST", "build", json!(["dev"])).await;
    let life = |answer: Answer| {
        let certificate = Certificate::from_openssh(answer.is(201).body["certificate"].as_str().unwrap());
        let now = u64::try_from(door.rig.clock.now() / 1_000_000).unwrap();
        certificate.unwrap().valid_before() - now
    };
    let ask = |ttl: u64| json!({"public_key": KEY, "ttl_seconds": ttl});
    assert_eq!(life(door.certificate("build", json!({"public_key": KEY})).await), 120);
    assert_eq!(life(door.certificate("build", ask(30)).await), 30);
    for ttl in [29, 121] {
        let refused = door.certificate("build", ask(ttl)).await.is_problem(400, "invalid_request");
        assert_eq!(refused.body["field"], "ttl_seconds");
    }
}
