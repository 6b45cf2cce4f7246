//! A small OpenID provider of the tests' own, which does wrong whatever it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub(crate) const CLIENT: &str = "grantd";
pub(crate) const SECRET: &str = "the secret of the client at the provider";

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    WrongNonce,
    NoNonce,
    WrongAudience,
    AnotherAudienceToo,
    AnotherParty,
    WrongIssuer,
    Expired,
    FromTheFuture,
    Unsigned,
    SignedByTheSecret,
    SignedByThePublicKey,
    UnknownKey,
    OtherSignature,
    NoIdToken,
    NotJson,
    WrongSubjectAtUserInfo,
    EndlessAnswer,
    /// Codes can be used again and again.
    CodesLast,
}

/// Who is signed in at the provider.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    pub(crate) verified: Value,
    pub(crate) name: Option<String>,
    /// Whether the address is in the ID token, or only at the UserInfo endpoint.
    pub(crate) in_token: bool,
}

impl Account {
    pub(crate) fn of(email: &str) -> Self {
        Self {
            subject: format!("subject of {email}"),
            email: Some(email.into()),
            verified: json!(true),
            name: Some("Ann Ångström".into()),
            in_token: true,
        }
    }
}

#[derive(Clone)]
struct Grant {
    nonce: String,
    challenge: String,
    redirect_uri: String,
    account: Account,
}

struct Inner {
    fault: Fault,
    account: Account,
    key: RsaKeyPair,
    kid: String,
    keys_made: u32,
    grants: BTreeMap<String, Grant>,
    tokens: BTreeMap<String, Account>,
    used: BTreeSet<String>,
    asked: BTreeMap<&'static str, u32>,
    methods: Vec<&'static str>,
    next: u32,
}

/// The provider, at an address of its own.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    inner: Arc<Mutex<Inner>>,
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
    task: Arc<Task>,
}

struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn new_key() -> RsaKeyPair {
    RsaKeyPair::generate(KeySize::Rsa2048).unwrap()
}

/// Modulus of a key of 2,048 bits, out of its DER form.
fn modulus(key: &RsaKeyPair) -> Vec<u8> {
    let der = key.public_key().as_ref();
    der[der.len() - 5 - 256..der.len() - 5].to_vec()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

impl Provider {
    /// `now` gives microseconds.
    pub(crate) async fn start(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let inner = Inner {
            fault: Fault::None,
            account: Account::of("ann@example.com"),
            key: new_key(),
            kid: "key 0".into(),
            keys_made: 1,
            grants: BTreeMap::new(),
            tokens: BTreeMap::new(),
            used: BTreeSet::new(),
            asked: BTreeMap::new(),
            methods: vec!["client_secret_basic", "client_secret_post"],
            next: 0,
        };
        let inner = Arc::new(Mutex::new(inner));
        let (send, receive) = tokio::sync::oneshot::channel::<Self>();
        let task = tokio::spawn(async move {
            let provider = receive.await.unwrap();
            let routes = Router::new()
                .route("/.well-known/openid-configuration", get(document))
                .route("/keys", get(keys))
                .route("/authorize", get(authorize))
                .route("/token", post(token))
                .route("/userinfo", get(userinfo))
                .with_state(Served {
                    issuer: provider.issuer.clone(),
                    inner: provider.inner.clone(),
                    now: provider.now.clone(),
                });
            drop(provider);
            axum::serve(listener, routes).await.unwrap();
        });
        let provider = Self { issuer, inner, now: Arc::new(now), task: Arc::new(Task(task)) };
        assert!(send.send(provider.clone()).is_ok());
        provider
    }

    pub(crate) fn does(&self, fault: Fault) {
        self.inner.lock().unwrap().fault = fault;
    }

    pub(crate) fn signs_in(&self, account: Account) {
        self.inner.lock().unwrap().account = account;
    }

    /// New keys take the place of those before.
    pub(crate) fn changes_its_keys(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.key = new_key();
        inner.kid = format!("key {}", inner.keys_made);
        inner.keys_made += 1;
    }

    pub(crate) fn takes_secrets_by(&self, methods: &[&'static str]) {
        self.inner.lock().unwrap().methods = methods.to_vec();
    }

    /// How often something was asked for.
    pub(crate) fn asked(&self, what: &'static str) -> u32 {
        self.inner.lock().unwrap().asked.get(what).copied().unwrap_or_default()
    }

    /// Nobody is at its address any more.
    pub(crate) fn stops(&self) {
        self.task.0.abort();
    }
}

#[derive(Clone)]
struct Served {
    issuer: String,
    inner: Arc<Mutex<Inner>>,
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl Served {
    fn fault(&self, what: &'static str) -> Fault {
        let mut inner = self.inner.lock().unwrap();
        *inner.asked.entry(what).or_default() += 1;
        inner.fault
    }
}

async fn document(State(served): State<Served>) -> Response {
    let fault = served.fault("document");
    let methods = served.inner.lock().unwrap().methods.clone();
    let issuer = &served.issuer;
    if fault == Fault::EndlessAnswer {
        return "{".repeat(1 << 20).into_response();
    }
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // A provider's word is not enough for these.
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        "token_endpoint_auth_methods_supported": methods,
    }))
    .into_response()
}

async fn keys(State(served): State<Served>) -> Json<Value> {
    served.fault("keys");
    let inner = served.inner.lock().unwrap();
    let modulus = URL_SAFE_NO_PAD.encode(modulus(&inner.key));
    Json(json!({"keys": [
        {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": inner.kid, "n": modulus, "e": "AQAB"},
    ]}))
}

/// Everybody who comes is signed in at once.
async fn authorize(State(served): State<Served>, Query(asked): Query<BTreeMap<String, String>>) -> Response {
    served.fault("authorize");
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    assert_eq!(of("response_type"), "code");
    assert_eq!(of("client_id"), CLIENT);
    assert_eq!(of("code_challenge_method"), "S256");
    assert!(of("scope").split(' ').any(|scope| scope == "openid"), "{}", of("scope"));
    let mut inner = served.inner.lock().unwrap();
    inner.next += 1;
    let code = format!("code-{}", inner.next);
    let grant = Grant {
        nonce: of("nonce"),
        challenge: of("code_challenge"),
        redirect_uri: of("redirect_uri"),
        account: inner.account.clone(),
    };
    inner.grants.insert(code.clone(), grant);
    Redirect::to(&format!("{}?code={code}&state={}", of("redirect_uri"), of("state"))).into_response()
}

fn refused(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response()
}

async fn token(State(served): State<Served>, headers: HeaderMap, body: Bytes) -> Response {
    let fault = served.fault("token");
    let asked: BTreeMap<String, String> = serde_urlencoded::from_bytes(&body).unwrap();
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace(' ', "+"))));
    let by_basic = headers.get("authorization").is_some_and(|given| *given == basic);
    let by_body = of("client_id") == CLIENT && of("client_secret") == SECRET;
    let mut inner = served.inner.lock().unwrap();
    let takes = |method: &&str| inner.methods.contains(method);
    if !(by_basic && takes(&"client_secret_basic") || by_body && takes(&"client_secret_post")) {
        return refused("invalid_client");
    }
    let Some(grant) = inner.grants.remove(&of("code")) else { return refused("invalid_grant") };
    if fault == Fault::CodesLast {
        inner.grants.insert(of("code"), grant.clone());
    }
    inner.used.insert(of("code"));
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, of("code_verifier").as_bytes()));
    if challenge != grant.challenge || of("redirect_uri") != grant.redirect_uri {
        return refused("invalid_grant");
    }
    if fault == Fault::NotJson {
        return "<html>".into_response();
    }
    let access = format!("access-{}", of("code"));
    inner.tokens.insert(access.clone(), grant.account.clone());
    let mut answer = json!({"access_token": access, "token_type": "Bearer", "expires_in": 60});
    if fault != Fault::NoIdToken {
        let now = (served.now)() / 1_000_000;
        answer["id_token"] = json!(id_token(&inner, &served.issuer, &grant, fault, now));
    }
    Json(answer).into_response()
}

fn id_token(inner: &Inner, issuer: &str, grant: &Grant, fault: Fault, now: i64) -> String {
    let mut claims = json!({
        "iss": issuer, "sub": grant.account.subject, "aud": CLIENT, "nonce": grant.nonce,
        "iat": now, "exp": now + 300,
    });
    if grant.account.in_token {
        if let Some(email) = &grant.account.email {
            claims["email"] = json!(email);
            claims["email_verified"] = grant.account.verified.clone();
        }
        claims["name"] = json!(grant.account.name);
    }
    match fault {
        Fault::WrongNonce => claims["nonce"] = json!("another"),
        Fault::NoNonce => drop(claims.as_object_mut().unwrap().remove("nonce")),
        Fault::WrongAudience => claims["aud"] = json!("another client"),
        Fault::AnotherAudienceToo => claims["aud"] = json!([CLIENT, "another client"]),
        Fault::AnotherParty => claims["azp"] = json!("another client"),
        Fault::WrongIssuer => claims["iss"] = json!(format!("{issuer}/")),
        Fault::Expired => claims["exp"] = json!(now - 120),
        Fault::FromTheFuture => claims["iat"] = json!(now + 200),
        _ => {}
    }
    let kid = if fault == Fault::UnknownKey { "another key" } else { &inner.kid };
    let algorithm = match fault {
        Fault::Unsigned => "none",
        Fault::SignedByTheSecret | Fault::SignedByThePublicKey => "HS256",
        _ => "RS256",
    };
    let signed = format!("{}.{}", encoded(&json!({"alg": algorithm, "kid": kid})), encoded(&claims));
    let by_secret = |secret: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
    };
    let signature = match fault {
        Fault::Unsigned => Vec::new(),
        Fault::SignedByTheSecret => by_secret(SECRET.as_bytes()),
        Fault::SignedByThePublicKey => by_secret(inner.key.public_key().as_ref()),
        _ => {
            let mut signature = vec![0; inner.key.public_modulus_len()];
            let random = SystemRandom::new();
            inner.key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
            if fault == Fault::OtherSignature {
                signature[7] ^= 1;
            }
            signature
        }
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn userinfo(State(served): State<Served>, headers: HeaderMap) -> Response {
    let fault = served.fault("userinfo");
    let given = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let inner = served.inner.lock().unwrap();
    let Some(account) = given.strip_prefix("Bearer ").and_then(|token| inner.tokens.get(token)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let subject = if fault == Fault::WrongSubjectAtUserInfo { "somebody else" } else { &account.subject };
    let mut claims = json!({"sub": subject, "name": account.name});
    if let Some(email) = &account.email {
        claims["email"] = json!(email);
        claims["email_verified"] = account.verified.clone();
    }
    Json(claims).into_response()
}
