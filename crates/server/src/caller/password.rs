//! Callers by login and password.
//!
//! Whatever is wrong, the answer is the same and takes the same work: a secret is looked for and a hash computed whether
//! or not there is such an account.

use grantd_node::Realm;
use grantd_node::realm::State;
use grantd_node::realm::command::Secret;
use grantd_node::realm::user::password_secret;
use uuid::Uuid;

use super::or_limited;
use crate::app::App;
use crate::edge::Source;
use crate::face::{CallError, Unauthorized};
use crate::password;

/// Which password of whom it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    /// The user.
    pub(crate) uuid: Uuid,
    /// The version of their password.
    pub(crate) version: u32,
}

impl Account {
    /// The account of a login that may sign in by password.
    fn of(state: &State, login: &str) -> Option<Self> {
        let user = state.users().get(login).filter(|user| user.active)?;
        Some(Self { uuid: user.uuid, version: user.password? })
    }
}

/// Verifies a password. A wrong one counts against its account and its source; a source that has been wrong too often about
/// an account is refused before its next password is looked at.
pub(crate) async fn verify(
    app: &App,
    realm: &Realm,
    login: &str,
    password: Secret,
    source: Source,
) -> Result<Account, CallError> {
    let attempt = app.failures.attempt(&account_name(realm, login), source).await;
    let attempt = attempt.map_err(|limited| CallError::Edge(limited.into()))?;
    let known = Account::of(&realm.published().state, login);
    if let Some(account) = proven(realm, known, password.clone(), source).await? {
        return Ok(account);
    }
    realm.catch_up().await?;
    let newest = Account::of(&realm.published().state, login);
    if newest != known
        && let Some(account) = proven(realm, newest, password, source).await?
    {
        return Ok(account);
    }
    Err(or_limited(attempt.wrong(), Unauthorized::WrongPassword { login: login.into() }))
}

/// What wrong passwords are counted by: logins are names of one realm.
fn account_name(realm: &Realm, login: &str) -> String {
    format!("{}/{login}", realm.name())
}

async fn proven(
    realm: &Realm,
    account: Option<Account>,
    password: Secret,
    source: Source,
) -> Result<Option<Account>, CallError> {
    let uuid = account.map_or(Uuid::nil(), |account| account.uuid);
    let hash = realm.secret(&password_secret(uuid)).await?;
    let hash = hash.filter(|_| account.is_some()).map(Secret);
    Ok(if password::verify(password, hash, source).await? { account } else { None })
}
