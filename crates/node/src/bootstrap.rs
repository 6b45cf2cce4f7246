//! The first start: the realm `system` with one key, the realm `default` with one super user.

use grantd_ledger::entry::LedgerId;
use grantd_ledger::store::StoreError;
use grantd_realm::Caller;
use grantd_realm::api_key::CreateApiKey;
use grantd_realm::caller::Authority;
use grantd_realm::command::{Command, Secret};
use grantd_realm::managed::SUPER_USERS;
use grantd_realm::realms::{CreateRealm, DEFAULT, ListRealm, SYSTEM};
use grantd_realm::user::CreateUser;
use uuid::Uuid;

use crate::load::LoadError;
use crate::node::Node;
use crate::submit::{Request, SubmitError};

/// What the first start makes.
pub struct First {
    /// The system API key; `None`: a random one.
    pub api_key: Option<Secret>,
    /// Argon2id hash of the password of `admin`.
    pub password_hash: Secret,
    /// The password itself, if it is a random one that has to be shown.
    pub password: Option<Secret>,
}

/// What was made, to be shown this once.
#[derive(Debug)]
pub struct Made {
    /// The system API key, if it was made now and is a random one.
    pub api_key: Option<Secret>,
    /// The password of `admin`, if it was made now and is a random one.
    pub password: Option<Secret>,
}

/// Why the first start failed.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A realm cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A command failed.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

const VIA: &str = "bootstrap";

/// Whether the first start was made, and to its end.
pub async fn is_done(node: &Node) -> Result<bool, BootstrapError> {
    if !node.store().realms().await?.iter().any(|realm| realm == SYSTEM) {
        return Ok(false);
    }
    Ok(node.realm(SYSTEM).await?.published().state.realms().contains(DEFAULT))
}

/// Makes whatever of the first start is not there yet; after an interrupted first start it goes on.
pub async fn bootstrap(node: &Node, first: First) -> Result<Made, BootstrapError> {
    create_realm(node, SYSTEM).await?;
    create_realm(node, DEFAULT).await?;
    let mut made = Made { api_key: None, password: None };
    if node.realm(SYSTEM).await?.published().state.api_keys().iter_after(None).next().is_none() {
        let create = CreateApiKey {
            name: "first".into(),
            expires: None,
            grants: vec![Authority::Admin],
            secret: first.api_key,
        };
        let given = create.secret.is_some();
        made.api_key = submit(node, SYSTEM, create).await?.secret.filter(|_| !given);
    }
    if node.realm(DEFAULT).await?.published().state.users().get("admin").is_none() {
        let create = CreateUser {
            login: "admin".into(),
            password: Some(first.password_hash),
            roles: vec![SUPER_USERS.into()],
            ..CreateUser::default()
        };
        submit(node, DEFAULT, create).await?;
        made.password = first.password;
    }
    // Listed last: its absence says that the first start was interrupted.
    submit(node, SYSTEM, ListRealm { name: DEFAULT.into() }).await?;
    Ok(made)
}

async fn create_realm(node: &Node, name: &str) -> Result<(), BootstrapError> {
    match node.store().create(name, LedgerId(Uuid::new_v4())).await {
        Ok(_) | Err(StoreError::LedgerExists(_)) => {}
        Err(error) => return Err(error.into()),
    }
    if node.realm(name).await?.published().state.name().is_empty() {
        submit(node, name, CreateRealm { name: name.into() }).await?;
    }
    Ok(())
}

async fn submit<C: Command>(node: &Node, realm: &str, command: C) -> Result<C::Answer, BootstrapError> {
    let request =
        Request { command, caller: Caller::system("bootstrap"), via: VIA, reason: None, idempotency: None };
    Ok(node.realm(realm).await?.submit(request).await?.answer)
}
