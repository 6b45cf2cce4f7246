//! People.

use std::sync::Arc;

use grantd_engine::{Key, ObjectRef, Relationship, SubjectRef};
use imbl::OrdMap;
use uuid::Uuid;

use crate::basis::Basis;
use crate::caller::{Actor, Authority};
use crate::change::{Change, Stamp, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, SealedWrite, Secret};
use crate::managed::require_held;
use crate::personal::Personal;
use crate::pulp::{Operation, PulpUri, grant_key};
use crate::refusal::{Noun, Refusal};
use crate::reserved::require_for_user;
use crate::role::{refuse_last_super_user, roles_of, set_roles};
use crate::{Micros, State};

/// A person.
#[derive(Debug, Clone)]
pub struct User {
    /// Alias, never used again.
    pub uuid: Uuid,
    /// Alias, never used again.
    pub number: u64,
    /// The immutable, case-sensitive name by which everything refers to them.
    pub login: Arc<str>,
    /// What people call them.
    pub name: Option<Personal>,
    /// Version of the sealed secret [`password_secret`]; `None`: no password.
    pub password: Option<u32>,
    /// Whether they may sign in.
    pub active: bool,
    /// When they were made.
    pub created_at: Micros,
    /// How often all their sessions were ended. A session of another generation is over.
    pub sessions: u64,
}

impl User {
    /// The user, or the refusal that says there is none.
    pub fn find<'a>(state: &'a State, login: &str) -> Result<&'a Self, Refusal> {
        state.users().get(login).ok_or_else(|| Refusal::not_found(Noun::User, login))
    }
}

/// The name of the sealed secret that holds a user's password hash. By uuid, so that a login made again does
/// not find the old one.
pub fn password_secret(uuid: Uuid) -> String {
    format!("password/{uuid}")
}

/// The users of a realm.
#[derive(Clone, Default)]
pub struct Users {
    pub(crate) by_login: OrdMap<Arc<str>, User>,
    pub(crate) next_number: u64,
}

impl Users {
    /// One of them.
    pub fn get(&self, login: &str) -> Option<&User> {
        self.by_login.get(login)
    }

    /// All, in order of their logins, from the one behind `after` on.
    pub fn iter_after(&self, after: Option<&str>) -> impl Iterator<Item = &User> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.by_login.range::<_, str>((from, std::ops::Bound::Unbounded)).map(|(_, user)| user)
    }

    fn get_mut(&mut self, login: &str) -> Result<&mut User, String> {
        self.by_login.get_mut(login).ok_or_else(|| format!("there is no user `{login}`"))
    }

    pub(crate) fn create(
        &mut self,
        uuid: Uuid,
        number: u64,
        login: &str,
        name: Option<&Personal>,
        stamp: Stamp,
    ) -> Result<(), String> {
        let user = User {
            uuid,
            number,
            login: shared(login),
            name: name.map(Personal::stored),
            password: None,
            active: true,
            created_at: stamp.time,
            sessions: 0,
        };
        self.next_number = self.next_number.max(number + 1);
        match self.by_login.insert(shared(login), user) {
            None => Ok(()),
            Some(_) => Err(format!("user `{login}` exists already")),
        }
    }

    pub(crate) fn rename(&mut self, login: &str, name: Option<&Personal>) -> Result<(), String> {
        self.get_mut(login)?.name = name.map(Personal::stored);
        Ok(())
    }

    pub(crate) fn set_password(&mut self, login: &str, version: u32) -> Result<(), String> {
        self.get_mut(login)?.password = Some(version);
        Ok(())
    }

    pub(crate) fn activate(&mut self, login: &str, active: bool) -> Result<(), String> {
        self.get_mut(login)?.active = active;
        Ok(())
    }

    pub(crate) fn end_sessions(&mut self, login: &str) -> Result<(), String> {
        self.get_mut(login)?.sessions += 1;
        Ok(())
    }

    pub(crate) fn delete(&mut self, login: &str) -> Result<(), String> {
        self.by_login.remove(login).map(|_| ()).ok_or_else(|| format!("there is no user `{login}`"))
    }

    pub(crate) fn erase_name(&mut self, login: &str) {
        if let Some(user) = self.by_login.get_mut(login) {
            user.name = user.name.as_ref().map(Personal::erased);
        }
    }
}

pub(crate) fn check_login(login: &str) -> Result<(), Refusal> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b".@+_-".contains(&b);
    if (1..=150).contains(&login.len()) && login.bytes().all(fits) {
        Ok(())
    } else {
        Err(Refusal::invalid("login", "must be 1 to 150 of letters, digits and `.@+_-`"))
    }
}

pub(crate) fn check_user_name(name: &str) -> Result<(), Refusal> {
    if name.len() > 255 || name.chars().any(char::is_control) {
        return Err(Refusal::invalid("name", "must be at most 255 bytes without control characters"));
    }
    Ok(())
}

/// A user as every face shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// Alias.
    pub uuid: Uuid,
    /// Alias.
    pub number: u64,
    /// The name by which everything refers to them.
    pub login: String,
    /// What people call them.
    pub name: Option<String>,
    /// Whether a password is set.
    pub has_password: bool,
    /// Whether they may sign in.
    pub active: bool,
    /// When they were made.
    pub created_at: Micros,
    /// Keys of the roles that they are in themselves, in order.
    pub roles: Vec<String>,
}

impl UserView {
    /// A user as they are now.
    pub fn of(state: &State, user: &User, now: Micros) -> Self {
        Self {
            uuid: user.uuid,
            number: user.number,
            login: user.login.to_string(),
            name: user.name.as_ref().and_then(Personal::text).map(Into::into),
            has_password: user.password.is_some(),
            active: user.active,
            created_at: user.created_at,
            roles: roles_of(state, &user.login, now),
        }
    }
}

/// The keys of the roles that a user is in themselves, in order; see [`crate::role::everyone_in`] for the other direction.
pub fn roles(state: &State, login: &str, now: Micros) -> Vec<String> {
    roles_of(state, login, now)
}

impl Answer for UserView {
    /// The name is left out: a remembered answer must not keep what an erasure removes.
    fn encode(&self, w: &mut Writer) {
        w.uuid(self.uuid);
        w.u64(self.number);
        w.text(&self.login);
        w.bool(self.has_password);
        w.bool(self.active);
        w.i64(self.created_at);
        w.u64(self.roles.len() as u64);
        self.roles.iter().for_each(|role| w.text(role));
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            uuid: r.uuid()?,
            number: r.u64()?,
            login: r.text()?.into(),
            name: None,
            has_password: r.bool()?,
            active: r.bool()?,
            created_at: r.i64()?,
            roles: (0..r.u64()?).map(|_| r.text().map(Into::into)).collect::<Result<_, _>>()?,
        })
    }
}

/// Makes a user, who may then sign in and out, and read and change themselves: see [`granted_at_creation`].
#[derive(Default)]
pub struct CreateUser {
    /// The name by which everything will refer to them.
    pub login: String,
    /// What people call them.
    pub name: Option<String>,
    /// The argon2id hash of their password, in its standard text form.
    pub password: Option<Secret>,
    /// Keys of the roles that they are members of from the start.
    pub roles: Vec<String>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for CreateUser {
    type Answer = UserView;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<UserView>, Refusal> {
        check_login(&self.login)?;
        self.name.as_deref().map_or(Ok(()), check_user_name)?;
        if state.users().get(&self.login).is_some() {
            return Err(Refusal::exists(Noun::User, &self.login));
        }
        // Relationships may name a login before there is such a user.
        require_power_over(state, &self.login, cx)?;
        let mut wanted = roles_of(state, &self.login, cx.now);
        wanted.extend(self.roles.iter().cloned());
        let joined = set_roles(state, cx, &self.basis, &self.login, &wanted)?;
        let uuid = cx.entropy.uuid();
        let number = state.users().next_number.max(1);
        let login = self.login.clone();
        let name = self.name.as_deref().map(|name| cx.personal(name));
        let mut changes = vec![Change::UserCreated { uuid, number, login: login.clone(), name }];
        let mut sealed = Vec::new();
        if let Some(password) = &self.password {
            changes.push(Change::UserPasswordSet { login: login.clone(), version: 1 });
            sealed.push(SealedWrite::Put {
                name: password_secret(uuid),
                version: 1,
                value: password.clone(),
            });
        }
        changes.extend(granted_at_creation(state, &login)?);
        if let (Basis::Pulp { .. }, Actor::User(creator), Some(uri)) =
            (&self.basis, &cx.caller.actor, own_uri(&login))
        {
            changes.extend(grants(state, &uri, &Operation::ALL, creator)?);
        }
        changes.extend(joined);
        wanted.sort_unstable();
        wanted.dedup();
        let answer = UserView {
            uuid,
            number,
            login,
            name: self.name.clone(),
            has_password: self.password.is_some(),
            active: true,
            created_at: cx.now,
            roles: wanted,
        };
        Ok(Decision { changes, sealed, rows: Vec::new(), answer })
    }
}

/// What every user holds from the start: READ and UPDATE on where they sign in and out, and on themselves.
pub(crate) fn granted_at_creation(state: &State, login: &str) -> Result<Vec<Change>, Refusal> {
    let [sign_in, sign_out] = PulpUri::of_signing_in();
    let mut changes = Vec::new();
    for uri in [Some(sign_in), Some(sign_out), own_uri(login)].iter().flatten() {
        changes.extend(grants(state, uri, &[Operation::Read, Operation::Update], login)?);
    }
    Ok(changes)
}

/// The URI of a user. That of somebody called `search` is the search among all users, on which they have no more right than others.
fn own_uri(login: &str) -> Option<PulpUri> {
    (login != "search").then(|| PulpUri::of_user(login))
}

/// The changes that give a user these operations, without end.
fn grants(state: &State, uri: &PulpUri, operations: &[Operation], to: &str) -> Result<Vec<Change>, Refusal> {
    let to = SubjectRef::Object(ObjectRef { kind: "user", id: to });
    let keys = operations.iter().map(|operation| grant_key(uri, *operation, to));
    let new = |key: &Key| state.graph().get(key).as_ref() != Some(&Relationship::lasting(key.clone()));
    keys.filter(|key| key.as_ref().map_or(true, new)).map(|key| key.map(Change::grant)).collect()
}

/// Changes a user; what is `None` stays.
#[derive(Default)]
pub struct UpdateUser {
    /// Who.
    pub login: String,
    /// A new name; `Some(None)` removes it.
    pub name: Option<Option<String>>,
    /// The argon2id hash of a new password.
    pub password: Option<Secret>,
    /// Whether they may sign in.
    pub active: Option<bool>,
    /// Keys of the roles that they are members of from now on, in place of those before.
    pub roles: Option<Vec<String>>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for UpdateUser {
    type Answer = UserView;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<UserView>, Refusal> {
        let user = User::find(state, &self.login)?;
        if self.password.is_some() || self.active.is_some() {
            require_power_over(state, &self.login, cx)?;
        }
        let login = self.login.clone();
        let mut answer = UserView::of(state, user, cx.now);
        let mut changes = Vec::new();
        let mut sealed = Vec::new();
        if let Some(roles) = &self.roles {
            changes.extend(set_roles(state, cx, &self.basis, &login, roles)?);
            answer.roles.clone_from(roles);
            answer.roles.sort_unstable();
            answer.roles.dedup();
        }
        if let Some(name) = &self.name
            && *name != answer.name
        {
            name.as_deref().map_or(Ok(()), check_user_name)?;
            answer.name.clone_from(name);
            let name = name.as_deref().map(|name| cx.personal(name));
            changes.push(Change::UserRenamed { login: login.clone(), name });
        }
        if let Some(password) = &self.password {
            let version = user.password.unwrap_or(0) + 1;
            answer.has_password = true;
            changes.push(Change::UserPasswordSet { login: login.clone(), version });
            sealed.push(SealedWrite::Put {
                name: password_secret(user.uuid),
                version,
                value: password.clone(),
            });
        }
        if let Some(active) = self.active
            && active != user.active
        {
            if !active {
                refuse_last_super_user(state, &login, cx.now)?;
            }
            answer.active = active;
            changes.push(Change::UserActivated { login: login.clone(), active });
            if !active {
                // Else they would come back to life with the user.
                changes.push(Change::SessionsEnded { login });
            }
        }
        Ok(Decision { changes, sealed, rows: Vec::new(), answer })
    }
}

/// Whoever makes a user or sets their password could act as them, so they must hold everything that the other holds.
pub(crate) fn require_power_over(state: &State, login: &str, cx: &Context<'_>) -> Result<(), Refusal> {
    require_for_user(state, login, cx)?;
    let target = ObjectRef { kind: "user", id: login };
    let theirs = Authority::ALL.into_iter().filter(|a| state.holds(target, *a, cx.now)).collect();
    require_held(cx.caller, theirs, state, cx.now)
}

/// Deletes a user with everything that names them, and what was granted on their URI: one change. A login made again starts
/// with nothing.
#[derive(Default)]
pub struct DeleteUser {
    /// Who.
    pub login: String,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for DeleteUser {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let user = User::find(state, &self.login)?;
        require_power_over(state, &self.login, cx)?;
        refuse_last_super_user(state, &self.login, cx.now)?;
        let sealed = vec![SealedWrite::Delete { name: password_secret(user.uuid) }];
        let changes = vec![Change::UserDeleted { login: self.login.clone() }];
        Ok(Decision { changes, sealed, rows: Vec::new(), answer: () })
    }
}
