//! Which user an account is: by its link; else by its e-mail address, with care; else a new one, where that is wanted.

use super::AccountId;
use crate::caller::{Actor, Authority, Caller};
use crate::reserved::keeps_catalogue;
use crate::user::check_login;
use crate::{Micros, State};

/// An account, as its provider has proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenAccount {
    /// The provider.
    pub issuer: String,
    /// The account's `sub`.
    pub subject: String,
    /// The account's e-mail address, if the provider says that it has verified it.
    pub email: Option<String>,
    /// What the provider says that people call them.
    pub name: Option<String>,
}

impl ProvenAccount {
    /// Its name here.
    pub fn id(&self) -> AccountId {
        AccountId::of(&self.issuer, &self.subject)
    }
}

/// What is done with an account that is linked to nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether users are made.
    pub create_users: bool,
    /// The domains of e-mail addresses that are looked at; empty: any.
    pub email_domains: Vec<String>,
}

impl Policy {
    fn takes(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.email_domains.is_empty()
            || self.email_domains.iter().any(|taken| taken.eq_ignore_ascii_case(domain))
    }
}

/// Which user somebody signs in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// The one that their account is linked to.
    Linked(String),
    /// The one whose login is their e-mail address; the account is linked to them now.
    ByEmail(String),
    /// One that is made now, with their e-mail address as its login.
    New(String),
}

impl Whose {
    /// The login.
    pub fn login(&self) -> &str {
        match self {
            Self::Linked(login) | Self::ByEmail(login) | Self::New(login) => login,
        }
    }
}

/// Why somebody who has proved who they are does not get in. The texts are for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSignedIn {
    /// The user may not sign in.
    #[error("your user is not active here. Ask an administrator")]
    Inactive,
    /// There is no verified address to go by.
    #[error(
        "the provider does not say that your e-mail address is verified. Verify it there, or ask an administrator to link your account"
    )]
    UnverifiedEmail,
    /// An address of another domain than those that are taken.
    #[error("e-mail addresses of your domain are not taken here. Ask an administrator to link your account")]
    Domain,
    /// The address is no user's, and none is made.
    #[error("nobody has your e-mail address as a login here. Ask an administrator to make a user for you")]
    Unknown,
    /// The address cannot be a login.
    #[error(
        "your e-mail address cannot be a login here: that has letters, digits and `.@+_-` only. Ask an administrator to link your account"
    )]
    NotALogin,
    /// An address alone is not enough to act as somebody who runs the realm.
    #[error(
        "your e-mail address is the login of somebody who runs this server, whom an address alone does not prove. Ask an administrator to link your account"
    )]
    Privileged,
    /// The user signs in by another account of the same provider.
    #[error(
        "your e-mail address is the login of somebody who signs in by another account of this provider. Ask an administrator to link yours"
    )]
    OtherAccount,
}

/// Which user an account is, or why it is none.
pub fn whose(
    state: &State,
    proven: &ProvenAccount,
    policy: &Policy,
    now: Micros,
) -> Result<Whose, NotSignedIn> {
    if let Some(account) = state.linked_accounts().get(proven.id()) {
        let login = account.login.to_string();
        return active(state, &login).map(|()| Whose::Linked(login));
    }
    let email = proven.email.as_deref().filter(|email| is_address(email));
    let email = email.ok_or(NotSignedIn::UnverifiedEmail)?;
    if !policy.takes(email) {
        return Err(NotSignedIn::Domain);
    }
    let is_user = state.users().get(email).is_some();
    if !is_user && !policy.create_users {
        return Err(NotSignedIn::Unknown);
    }
    check_login(email).map_err(|_| NotSignedIn::NotALogin)?;
    // Whoever can have mail sent to an address at the provider would run everything. Relationships may name a login before there
    // is such a user, so that this is asked of both.
    if runs_the_realm(state, email, now) {
        return Err(NotSignedIn::Privileged);
    }
    if !is_user {
        return Ok(Whose::New(email.to_owned()));
    }
    active(state, email)?;
    // Providers give addresses to somebody else when one has left.
    if state.linked_accounts().of_user(email).any(|account| *account.issuer == *proven.issuer) {
        return Err(NotSignedIn::OtherAccount);
    }
    Ok(Whose::ByEmail(email.to_owned()))
}

/// Whether it is an address at all: else somebody who may call theirs what they like could be any login.
fn is_address(email: &str) -> bool {
    email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

fn active(state: &State, login: &str) -> Result<(), NotSignedIn> {
    let active = state.users().get(login).is_some_and(|user| user.active);
    if active { Ok(()) } else { Err(NotSignedIn::Inactive) }
}

/// Whether somebody may do everything, or set the passwords of others, or keeps the catalogue.
fn runs_the_realm(state: &State, login: &str, now: Micros) -> bool {
    let they = Caller::local(Actor::User(login.to_owned()));
    they.holds(Authority::Operator, state, now) || keeps_catalogue(state, &they, now)
}
