//! Signing in by an account: what is kept while somebody is at the provider, and the session at the end.

use super::commands::linked;
use super::{Policy, ProvenAccount, Whose, whose};
use crate::caller::Authority;
use crate::change::{Change, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Command, Context, Decision, RowWrite};
use crate::refusal::Refusal;
use crate::session::{Device, Entrance, Limits, Session, SignedIn, end, require_self};
use crate::user::{User, check_user_name, granted_at_creation};
use crate::{Micros, State};

/// The family of rows that sign-ins on their way are.
pub const PENDING_ROWS: &str = "oidc_sign_in";

/// How long somebody may be at the provider: ten minutes.
const PENDING_FOR: Micros = 600 * 1_000_000;

const FORM: u8 = 1;

/// The key of a sign-in on its way: a hash of its `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingKey([u8; 32]);

impl PendingKey {
    /// Of a `state` (RFC 6749, section 4.1.1).
    pub fn of(state: &str) -> Self {
        Self(blake3::derive_key("grantd oidc state 1", state.as_bytes()))
    }

    /// The key of its row.
    pub fn row(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// A sign-in on its way. It holds nothing by which another could finish it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    browser: [u8; 32],
    /// Where the provider sends the browser back to.
    pub redirect_uri: String,
    /// The path that the visitor wanted to go to.
    pub next: Option<String>,
}

impl Pending {
    /// For the browser that holds this secret in a cookie.
    pub fn new(browser: &str, redirect_uri: String, next: Option<String>) -> Self {
        Self { browser: hash(browser), redirect_uri, next }
    }

    /// Whether a browser that holds this secret began it.
    pub fn is_of(&self, browser: &str) -> bool {
        // In constant time, as BLAKE3 compares its hashes.
        blake3::Hash::from(hash(browser)) == blake3::Hash::from(self.browser)
    }

    /// Reads a row.
    pub fn read(value: &[u8]) -> Result<Self, CodecError> {
        let mut r = Reader::new(value);
        match r.u8()? {
            FORM => {}
            other => {
                return Err(CodecError::Unknown {
                    what: "a pending sign-in's form",
                    found: other.to_string(),
                });
            }
        }
        let pending = Self {
            browser: r.array()?,
            redirect_uri: r.text()?.into(),
            next: r.option(|r| r.text().map(Into::into))?,
        };
        r.finish()?;
        Ok(pending)
    }

    fn value(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(FORM);
        w.fixed(&self.browser);
        w.text(&self.redirect_uri);
        w.option(self.next.as_deref(), Writer::text);
        w.finish().0
    }
}

fn hash(browser: &str) -> [u8; 32] {
    blake3::derive_key("grantd oidc browser 1", browser.as_bytes())
}

/// Notes that somebody is on the way to the provider. No entry: nobody is anybody yet.
pub struct BeginSignIn {
    /// By which they are found again.
    pub key: PendingKey,
    /// What is known of them.
    pub pending: Pending,
}

impl Command for BeginSignIn {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, _: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let put = RowWrite::Put {
            kind: PENDING_ROWS,
            key: self.key.row(),
            value: self.pending.value(),
            expires: cx.now.saturating_add(PENDING_FOR),
        };
        Ok(Decision { rows: vec![put], ..Decision::unchanged(()) })
    }
}

/// Takes the sign-in of somebody who is back: of all who try, on whatever node, one does, and the others are refused as
/// [`Refusal::Taken`].
pub struct EndPending {
    /// Whose sign-in it is.
    pub key: PendingKey,
    /// As it was found.
    pub pending: Pending,
}

impl Command for EndPending {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, _: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let (key, value) = (self.key.row(), self.pending.value());
        let take = RowWrite::Take { kind: PENDING_ROWS, key, value };
        // A row of its own, by which a command of unknown fate knows that it took the other; longer than any `state` makes.
        let mark = RowWrite::Put {
            kind: PENDING_ROWS,
            key: [b"taken ".as_slice(), &cx.entropy.bytes::<32>()].concat(),
            value: Vec::new(),
            expires: cx.now.saturating_add(PENDING_FOR),
        };
        Ok(Decision { rows: vec![take, mark], ..Decision::unchanged(()) })
    }
}

/// Signs in somebody whose account its provider has just proved: a new session under a new secret, whatever the client had
/// before.
pub struct SignInByAccount {
    /// As whom, by [`whose`] a moment ago. If that is somebody else by now, nobody is signed in and no secret is given.
    pub login: String,
    /// By which account.
    pub proven: ProvenAccount,
    /// What is done with one that is linked to nobody.
    pub policy: Policy,
    /// The key of the row of the session that the client had before: it ends.
    pub instead_of: Option<Vec<u8>>,
    /// From where.
    pub device: Device,
    /// Through what.
    pub entrance: Entrance,
    /// How long the session lives.
    pub limits: Limits,
}

impl Command for SignInByAccount {
    type Answer = SignedIn;
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, _: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_self(&self.login, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<SignedIn>, Refusal> {
        let whose = match whose(state, &self.proven, &self.policy, cx.now) {
            Ok(whose) if whose.login() == self.login => whose,
            Ok(_) | Err(_) => return Ok(Decision::unchanged(SignedIn { secret: None })),
        };
        let link = || linked(&self.login, &self.proven.issuer, self.proven.id());
        let (user, changes) = match &whose {
            Whose::Linked(login) => (User::find(state, login)?.clone(), Vec::new()),
            Whose::ByEmail(login) => (User::find(state, login)?.clone(), vec![link()]),
            Whose::New(login) => {
                let (user, mut changes) = self.make_user(state, login, cx)?;
                changes.push(link());
                (user, changes)
            }
        };
        let (put, secret) =
            Session::issue(&user, user.password, (&self.device, self.entrance), self.limits, cx);
        let mut rows: Vec<_> = self.instead_of.clone().map(end).into_iter().collect();
        rows.push(put);
        let answer = SignedIn { secret: Some(secret) };
        Ok(Decision { rows, ..Decision::all(changes, answer) })
    }
}

impl SignInByAccount {
    /// A user as an operator would make one, without a password.
    fn make_user(
        &self,
        state: &State,
        login: &str,
        cx: &mut Context<'_>,
    ) -> Result<(User, Vec<Change>), Refusal> {
        let uuid = cx.entropy.uuid();
        let number = state.users().next_number.max(1);
        let name = self.proven.name.as_deref().filter(|name| check_user_name(name).is_ok());
        let name = name.map(|name| cx.personal(name));
        let user = User {
            uuid,
            number,
            login: shared(login),
            name: name.clone(),
            password: None,
            active: true,
            created_at: cx.now,
            sessions: 0,
        };
        let mut changes = vec![Change::UserCreated { uuid, number, login: login.to_owned(), name }];
        changes.extend(granted_at_creation(state, login)?);
        Ok((user, changes))
    }
}
