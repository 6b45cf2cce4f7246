//! A node on a SQLite store in a directory of its own, behind a store that fails on demand.

use std::sync::{Arc, Mutex};

use grantd_ledger::entry::{Disclosed, LedgerId};
use grantd_ledger::seal::MasterKey;
use grantd_ledger::source::Source;
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use grantd_ledger::store::Store;
use grantd_node::decision_log::DecisionLog;
use grantd_node::realm::command::Command;
use grantd_node::realm::realms::{CreateRealm, DEFAULT};
use grantd_node::realm::user::CreateUser;
use grantd_node::realm::{Caller, Micros, builtin};
use grantd_node::{Clock, Done, Follow, Idempotency, Node, Realm, Request, Settings, SubmitError};
use grantd_testkit::clock::Clock as HandClock;
use grantd_testkit::faulty_store::FaultyStore;
use tempfile::TempDir;
use uuid::Uuid;

/// 25 hours: longer than an answer is remembered.
pub(crate) const A_DAY_AND_AN_HOUR: Micros = 25 * 3_600 * 1_000_000;

struct Hand(HandClock);

impl Clock for Hand {
    fn now(&self) -> Micros {
        self.0.now()
    }

    fn steady(&self) -> std::time::Duration {
        std::time::Duration::from_micros(self.0.now().unsigned_abs())
    }
}

/// A store in a directory of its own, with a clock that moves on by a microsecond whenever it is read.
pub(crate) struct Rig {
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) clock: HandClock,
    dirs: Mutex<Vec<TempDir>>,
}

impl Rig {
    /// Without any ledger.
    pub(crate) async fn bare() -> Self {
        Self::made(false).await
    }

    /// As if other nodes appended to the same ledgers; with the realm `default`.
    pub(crate) async fn shared() -> Self {
        Self::made(true).await.with_default().await
    }

    /// With the realm `default`.
    pub(crate) async fn new() -> Self {
        Self::made(false).await.with_default().await
    }

    async fn made(shared: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = HandClock::default();
        let store = FaultyStore::new(Arc::new(open(&dir, &clock).await)).announcing();
        let store = Arc::new(if shared { store.shared() } else { store });
        Self { store, clock, dirs: Mutex::new(vec![dir]) }
    }

    /// A copy of what the store holds now.
    pub(crate) async fn copy(&self) -> Arc<dyn Store> {
        let copy = tempfile::tempdir().unwrap();
        {
            let dirs = self.dirs.lock().unwrap();
            for suffix in ["", "-wal"] {
                let file = format!("{}{suffix}", SqliteStore::FILE);
                std::fs::copy(dirs[0].path().join(&file), copy.path().join(&file)).unwrap();
            }
        }
        let store = open(&copy, &self.clock).await;
        self.dirs.lock().unwrap().push(copy);
        Arc::new(store)
    }

    async fn with_default(self) -> Self {
        self.create(DEFAULT).await;
        self
    }

    /// Makes a realm.
    pub(crate) async fn create(&self, name: &str) {
        self.store.create(name, LedgerId(Uuid::new_v4())).await.unwrap();
        let realm = self.node().realm(name).await.unwrap();
        realm.submit(request(CreateRealm { name: name.into() })).await.unwrap();
    }

    /// Changes tables behind the store's back.
    pub(crate) fn tamper(&self, sql: &str) {
        let file = self.dirs.lock().unwrap()[0].path().join(SqliteStore::FILE);
        rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
    }

    /// Another node on the same store.
    pub(crate) fn node(&self) -> Node {
        self.node_with(None)
    }

    /// Another node, which writes down what it is asked.
    pub(crate) fn node_with(&self, decision_log: Option<DecisionLog>) -> Node {
        Node::new(Settings { decision_log, ..self.settings() })
    }

    /// Another node, which follows the store.
    pub(crate) async fn following(&self, follow: Follow) -> Arc<Node> {
        self.following_by(follow, Arc::new(Hand(self.clock.clone()))).await
    }

    /// The same, on a machine with a clock of its own.
    pub(crate) async fn following_by(&self, follow: Follow, clock: Arc<dyn Clock>) -> Arc<Node> {
        let node = Arc::new(Node::new(Settings { follow: Some(follow), clock, ..self.settings() }));
        node.follow().await;
        node
    }

    fn settings(&self) -> Settings {
        Settings {
            store: self.store.clone(),
            master_key: MasterKey::from_bytes([7; 32]),
            schema: builtin::schema().unwrap(),
            clock: Arc::new(Hand(self.clock.clone())),
            decision_log: None,
            observer: Arc::new(()),
            follow: None,
        }
    }

    /// The realm `default` on a node of its own.
    pub(crate) async fn realm(&self) -> Arc<Realm> {
        self.node().realm(DEFAULT).await.unwrap()
    }

    /// The whole ledger of the realm `default`.
    pub(crate) async fn ledger(&self) -> Vec<Disclosed> {
        self.store.entries(DEFAULT, 0, 10_000).await.unwrap()
    }

    /// How many entries of the ledger make this login.
    pub(crate) async fn times_made(&self, login: &str) -> usize {
        let made = |disclosed: &Disclosed| {
            grantd_node::entry::changes(disclosed).unwrap().iter().any(|change| {
                matches!(change, grantd_node::realm::Change::UserCreated { login: found, .. } if found == login)
            })
        };
        self.ledger().await.iter().filter(|entry| made(entry)).count()
    }
}

async fn open(dir: &TempDir, clock: &HandClock) -> SqliteStore {
    let ticking = clock.clone();
    let options = SqliteOptions {
        // No power fails here, and the disk is everybody's.
        synchronous: Synchronous::Off,
        clock: Arc::new(move || ticking.advance(1)),
        ..SqliteOptions::default()
    };
    SqliteStore::open(dir.path(), options).await.unwrap()
}

/// A command by grantd itself.
pub(crate) fn request<C>(command: C) -> Request<C> {
    Request { command, caller: Caller::system("test"), via: "test", reason: None, idempotency: None }
}

/// As [`request`], with an idempotency key and the body that it came with.
pub(crate) fn keyed<C>(command: C, key: &str, body: &str) -> Request<C> {
    let caller = Caller::system("test");
    let idempotency = Some(Idempotency::new(&caller, "POST /test", key, body.as_bytes()));
    Request { idempotency, ..request(command) }
}

pub(crate) fn user(login: &str) -> CreateUser {
    let name = Some(format!("the name of {login}"));
    CreateUser { login: login.into(), name, ..CreateUser::default() }
}

/// Carries out a command that must not fail.
pub(crate) async fn does<C: Command>(realm: &Realm, command: C) -> Done<C::Answer> {
    realm.submit(request(command)).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The refusal's code, or what else it came to.
pub(crate) fn code<T>(outcome: Result<T, SubmitError>) -> String {
    match outcome {
        Ok(_) => "done".into(),
        Err(SubmitError::Refused(refusal)) => refusal.code().into(),
        Err(SubmitError::Unavailable) => "unavailable".into(),
        Err(SubmitError::OutcomeUnknown) => "outcome unknown".into(),
        Err(SubmitError::Broken(_)) => "broken".into(),
        Err(SubmitError::Contradicted) => "contradicted".into(),
        Err(other) => format!("{other:?}"),
    }
}
