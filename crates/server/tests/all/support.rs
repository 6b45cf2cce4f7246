//! A server in this process, on a free port, and a client of it.

use std::sync::Arc;

use grantd_node::bootstrap::{First, bootstrap};
use grantd_node::realm::basis::Delegation;
use grantd_node::realm::command::Secret;
use grantd_node::realm::engine::{Schema, Source};
use grantd_node::realm::realms::CreateRealm;
use grantd_node::realm::session::Limits;
use grantd_node::realm::{Caller, builtin};
use grantd_node::{Follow, Node, Request, Settings};
use grantd_server::edge::{EdgeSettings, Listen, Server};
use grantd_server::forward::Rules;
use grantd_server::git::GitSettings;
use grantd_server::mix::Cors;
use grantd_server::oidc::OidcSettings;
use grantd_server::serve::{CatalogueSettings, FaceSettings, faces};
use grantd_server::telemetry::Metrics;
use grantd_server::webhook::WebhookSettings;
use grantd_testkit::clock::Clock as HandClock;
use grantd_testkit::faulty_store::FaultyStore;
use grantd_testkit::ledger::entry::LedgerId;
use grantd_testkit::ledger::seal::MasterKey;
use grantd_testkit::ledger::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use grantd_testkit::ledger::store::Store;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The system API key of every test server.
pub(crate) const SYSTEM_KEY: &str = "gdk_the_system_key_of_the_tests_0123456789";

struct Hand(HandClock);

impl grantd_node::Clock for Hand {
    fn now(&self) -> i64 {
        self.0.now()
    }

    fn steady(&self) -> std::time::Duration {
        std::time::Duration::from_micros(self.0.now().unsigned_abs())
    }
}

/// A server whose clocks stand still until a test moves them.
pub(crate) struct Rig {
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) node: Arc<Node>,
    pub(crate) clock: HandClock,
    base: String,
    http: reqwest::Client,
    task: JoinHandle<usize>,
    dir: Arc<TempDir>,
    setup: Setup,
}

/// What a test may want to be otherwise.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    /// A model beside the built-in ones.
    pub(crate) model: &'static str,
    /// As if other nodes appended to the same ledgers.
    pub(crate) shared: bool,
    /// Where the world reaches the server, if not at its own address.
    pub(crate) public_url: Option<&'static str>,
    /// Whether the approvals dialect takes callers without a credential.
    pub(crate) mix_open: bool,
    /// Whose pages may call it.
    pub(crate) mix_cors: Cors,
    /// Which actions the methods are that proxies ask about.
    pub(crate) forward: Rules,
    /// What is sent to webhooks, and where to.
    pub(crate) webhooks: WebhookSettings,
    /// The provider by which people sign in.
    pub(crate) oidc: Option<OidcSettings>,
    /// The catalogue dialect.
    pub(crate) catalogue: CatalogueSettings,
    /// How long an SSH certificate counts at most.
    pub(crate) ssh_certificate_ttl: Option<u64>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::set_up(Setup::default()).await
    }

    /// A server whose realms have this model beside the built-in ones.
    pub(crate) async fn with_model(model: &'static str) -> Self {
        Self::set_up(Setup { model, ..Setup::default() }).await
    }

    /// A server on a store of its own.
    pub(crate) async fn set_up(setup: Setup) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let clock = HandClock::default();
        let stores = clock.clone();
        let options = SqliteOptions {
            synchronous: Synchronous::Off,
            clock: Arc::new(move || stores.now()),
            ..SqliteOptions::default()
        };
        let sqlite = SqliteStore::open(dir.path(), options).await.unwrap();
        let store = FaultyStore::new(Arc::new(sqlite));
        let store = Arc::new(if setup.shared { store.shared() } else { store });
        Self::on(store, clock, dir, setup).await
    }

    /// Another server on the same store: another node of a shared one, or the same one started again.
    pub(crate) async fn another(&self) -> Self {
        Self::on(self.store.clone(), self.clock.clone(), self.dir.clone(), self.setup.clone()).await
    }

    async fn on(store: Arc<FaultyStore>, clock: HandClock, dir: Arc<TempDir>, setup: Setup) -> Self {
        let mut sources = builtin::SOURCES.to_vec();
        sources.push(Source { name: "test.fga", text: setup.model });
        let node = Arc::new(Node::new(Settings {
            store: store.clone(),
            master_key: MasterKey::from_bytes([7; 32]),
            schema: Arc::new(Schema::parse(&sources).unwrap()),
            clock: Arc::new(Hand(clock.clone())),
            decision_log: None,
            observer: Arc::new(()),
            // Nothing follows by itself: what is new is what a request asks for.
            follow: Some(Follow::default()),
        }));
        let api_key = Some(Secret(SYSTEM_KEY.into()));
        let first = First { api_key, password_hash: Secret("$hash$".into()), password: None };
        bootstrap(&node, first).await.unwrap();
        let listen = Listen { addr: ([127, 0, 0, 1], 0).into(), tag: "main".into(), tls: None };
        let server = Server::bind(vec![listen], EdgeSettings::default()).await.unwrap();
        let base = format!("http://{}", server.local_addrs()[0]);
        let settings = FaceSettings {
            public_url: setup.public_url.map_or_else(|| base.clone(), Into::into),
            root_paths: true,
            bench_route: true,
            trusted_hops: 0,
            sessions: Limits::default(),
            pulp_delegation: Delegation::default(),
            mix_open: setup.mix_open,
            mollie_docs: None,
            forward: setup.forward.clone(),
            mix_cors: setup.mix_cors.clone(),
            git: GitSettings { directory: dir.path().join("git"), ..GitSettings::default() },
            ssh_certificate_ttl: setup.ssh_certificate_ttl.unwrap_or(3_600),
            ssh: None,
            webhooks: setup.webhooks.clone(),
            oidc: setup.oidc.clone(),
            catalogue: setup.catalogue,
            drain: server.drain(),
        };
        let faces = faces(node.clone(), settings, Metrics::new()).await.unwrap();
        let task = tokio::spawn(server.serve(faces, std::future::pending()));
        let http = client().build().unwrap();
        Self { store, node, clock, base, http, task, dir, setup }
    }

    /// Where it is reached.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Makes a realm beside `default`.
    pub(crate) async fn create_realm(&self, name: &str) {
        self.store.create(name, LedgerId(Uuid::new_v4())).await.unwrap();
        let realm = self.node.realm(name).await.unwrap();
        let (command, caller) = (CreateRealm { name: name.into() }, Caller::system("test"));
        let request = Request { command, caller, via: "test", reason: None, idempotency: None };
        realm.submit(request).await.unwrap();
    }

    /// A request without any credential; the path goes out as it is written here.
    pub(crate) fn bare(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Call(self.http.request(method, format!("{}{path}", self.base)))
    }

    /// A request with this bearer key.
    pub(crate) fn with(&self, key: &str, method: &str, path: &str) -> Call {
        self.bare(method, path).header("authorization", &format!("Bearer {key}"))
    }

    /// A request with the system key.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        self.with(SYSTEM_KEY, method, path)
    }

    /// A new API key with these grants.
    pub(crate) async fn key(&self, grants: &[&str]) -> String {
        let made = self.call("POST", "/api/v1/keys").json(json!({"name": "k", "grants": grants})).await;
        made.is(201).body["key"].as_str().unwrap().to_owned()
    }

    /// A new user.
    pub(crate) async fn user(&self, login: &str) -> Answer {
        self.call("POST", "/api/v1/users").json(json!({"login": login})).await.is(201)
    }

    /// A new identity.
    pub(crate) async fn identity(&self) -> String {
        let made = self.call("POST", "/freestyle/identity/v1/identities").send().await.is(200);
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// A new token of an identity.
    pub(crate) async fn token(&self, identity: &str) -> String {
        let path = format!("/freestyle/identity/v1/identities/{identity}/tokens");
        self.call("POST", &path).send().await.is(200).body["token"].as_str().unwrap().to_owned()
    }

    /// Writes relationships, given as `resource#relation@subject`.
    pub(crate) async fn relate(&self, keys: &[&str]) {
        let write: Vec<_> = keys.iter().map(|key| related(key)).collect();
        self.call("POST", "/api/v1/relationships").json(json!({"write": write})).await.is(200);
    }

    /// The revision of the realm `default`.
    pub(crate) async fn revision(&self) -> u64 {
        self.node.realm("default").await.unwrap().published().head.revision
    }
}

/// A client that does what it is told and nothing else.
pub(crate) fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none())
}

/// A relationship as the native API takes it, from `resource#relation@subject`.
pub(crate) fn related(key: &str) -> Value {
    let (resource, rest) = key.split_once('#').unwrap();
    let (relation, subject) = rest.split_once('@').unwrap();
    json!({"resource": resource, "relation": relation, "subject": subject})
}

/// A request being made.
pub(crate) struct Call(pub(crate) reqwest::RequestBuilder);

impl Call {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) async fn json(self, body: Value) -> Answer {
        self.text("application/json", &body.to_string()).await
    }

    pub(crate) async fn text(self, content_type: &str, body: &str) -> Answer {
        Self(self.0.header("content-type", content_type).body(body.to_owned())).send().await
    }

    pub(crate) async fn send(self) -> Answer {
        let response = self.0.send().await.expect("an answer");
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.expect("a text");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, body, text }
    }
}

/// An answer, read to its end. Its checks take it and give it back, so that they can be put one behind the other.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    /// Null when it is no JSON.
    pub(crate) body: Value,
    pub(crate) text: String,
}

#[allow(clippy::wrong_self_convention, reason = "`is` reads as what it checks")]
impl Answer {
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `Grantd-Revision`, taken apart.
    pub(crate) fn revision(&self) -> (String, u64) {
        let (ledger, revision) = self.header("grantd-revision").split_once('.').expect("a revision");
        (ledger.to_owned(), revision.parse().unwrap())
    }

    /// The problem that the native API names.
    pub(crate) fn is_problem(self, status: u16, code: &str) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text);
        assert_eq!(answer.body["code"], code, "{}", answer.text);
        assert_eq!(answer.body["status"], status);
        answer
    }

    /// The error that the identities dialect names.
    pub(crate) fn is_freestyle(self, status: u16, code: &str) -> Self {
        let answer = self.is(status);
        assert!(answer.header("content-type").starts_with("application/json"), "{}", answer.text);
        assert_eq!(answer.body["code"], code, "{}", answer.text);
        assert_eq!(answer.body["error"], code);
        assert!(answer.body["message"].is_string(), "{}", answer.text);
        answer
    }
}
