//! Letting an operator back in who lost the password or the key.

use grantd_ledger::store::StoreError;
use grantd_realm::api_key::CreateApiKey;
use grantd_realm::caller::Authority;
use grantd_realm::command::{Command, Context, Decision, Secret};
use grantd_realm::engine::{Key, NameError, Object, RelationName, Relationship, Subject};
use grantd_realm::managed::SUPER_USERS;
use grantd_realm::realms::{DEFAULT, SYSTEM, held_by_super_users};
use grantd_realm::user::{CreateUser, UpdateUser, UserView};
use grantd_realm::{Caller, Change, Refusal, State};

use crate::load::LoadError;
use crate::node::Node;
use crate::submit::{Request, SubmitError};

const LOGIN: &str = "admin";

/// What a reset made.
#[derive(Debug)]
pub struct Reset {
    /// A new system API key that may do everything; to be shown this once.
    pub api_key: Secret,
    /// Revision of the realm `default` after the reset.
    pub revision: u64,
}

/// Why a reset failed.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// The realms are not there.
    #[error("the first start was not made here; start the server once, it shows a password and a key")]
    NoFirstStart,
    /// A realm cannot be loaded.
    #[error(transparent)]
    Load(LoadError),
    /// A command failed.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl From<LoadError> for ResetError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(StoreError::NoLedger(_)) => Self::NoFirstStart,
            other => Self::Load(other),
        }
    }
}

/// Gives the user `admin` of the realm `default` this password, makes them again if they are gone and a super user if they
/// are none, and makes a new system API key.
pub async fn reset_admin(node: &Node, password_hash: Secret) -> Result<Reset, ResetError> {
    // All that can be wrong is looked at before anything is written.
    node.realm(SYSTEM).await?;
    node.check_master_key().await?;
    let (_, revision) = submit(node, DEFAULT, ResetAdmin { password_hash }).await?;
    let create = CreateApiKey {
        name: "admin reset".into(),
        expires: None,
        grants: vec![Authority::Admin],
        secret: None,
    };
    let (created, _) = submit(node, SYSTEM, create).await?;
    let api_key = created.secret.ok_or(SubmitError::Unavailable)?;
    Ok(Reset { api_key, revision })
}

async fn submit<C: Command>(node: &Node, realm: &str, command: C) -> Result<(C::Answer, u64), ResetError> {
    let request =
        Request { command, caller: Caller::system("cli"), via: "cli", reason: None, idempotency: None };
    let done = node.realm(realm).await?.submit(request).await?;
    Ok((done.answer, done.revision))
}

/// The user `admin` as after the first start. There is no route to it: whoever has the data directory and its key has
/// everything already.
struct ResetAdmin {
    password_hash: Secret,
}

impl Command for ResetAdmin {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let password = Some(self.password_hash.clone());
        let decision: Decision<UserView> = if state.users().get(LOGIN).is_some() {
            let active = Some(true);
            UpdateUser { login: LOGIN.into(), password, active, ..UpdateUser::default() }.decide(state, cx)?
        } else {
            CreateUser { login: LOGIN.into(), password, ..CreateUser::default() }.decide(state, cx)?
        };
        let mut changes = decision.changes;
        for key in std::iter::once(membership()?).chain(held_by_super_users(state.name())?) {
            let lasts = |held: &Relationship| held.until.is_none() && held.condition.is_none();
            if !state.graph().get(&key).is_some_and(|held| lasts(&held)) {
                changes.push(Change::RelationshipWritten { relationship: Relationship::lasting(key) });
            }
        }
        Ok(Decision { changes, sealed: decision.sealed, rows: decision.rows, answer: () })
    }
}

/// `role:super-users # member @ user:admin`.
fn membership() -> Result<Key, Refusal> {
    Ok(Key {
        resource: Object::new("role", SUPER_USERS).map_err(unfit)?,
        relation: RelationName::try_new("member").map_err(unfit)?,
        subject: Subject::Object(Object::new("user", LOGIN).map_err(unfit)?),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unfit(problem: NameError) -> Refusal {
    Refusal::invalid("admin", problem.to_string())
}
