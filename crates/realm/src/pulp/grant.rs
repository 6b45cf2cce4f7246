//! Granting operations on a URI, and taking them back.

use std::collections::BTreeSet;

use grantd_engine::{Key, ObjectRef, Relationship, SubjectRef};

use super::{Operation, PulpUri, grant_key};
use crate::State;
use crate::basis::Basis;
use crate::caller::Authority;
use crate::change::Change;
use crate::command::{Command, Context, Decision};
use crate::managed::SUPER_USERS;
use crate::refusal::Refusal;
use crate::relationship::exists;
use crate::reserved::require_for_role;
use crate::role::{Role, members_of};
use crate::user::User;

/// Who operations are granted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grantee {
    /// A user, by login.
    User(String),
    /// Whoever is in a role, by its key.
    Role(String),
}

impl Grantee {
    /// Refuses who is not there, and a role whose grants are fixed or not the caller's to change.
    fn find(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        match self {
            Self::User(login) => User::find(state, login).map(|_| ()),
            Self::Role(key) if key == SUPER_USERS => Err(Refusal::SuperUsersFixed),
            Self::Role(key) => {
                Role::find(state, key)?;
                require_for_role(state, key, cx)
            }
        }
    }

    fn subject(&self) -> SubjectRef<'_> {
        match self {
            Self::User(login) => SubjectRef::Object(ObjectRef { kind: "user", id: login }),
            Self::Role(key) => members_of(key),
        }
    }

    fn keys(&self, resource: &PulpUri, operations: &[Operation]) -> Result<Vec<Key>, Refusal> {
        if operations.is_empty() {
            return Err(Refusal::invalid("operations", "must name at least one operation"));
        }
        let operations: BTreeSet<Operation> = operations.iter().copied().collect();
        operations.into_iter().map(|one| grant_key(resource, one, self.subject())).collect()
    }
}

/// Grants operations on a URI, which need not exist. One entry, however many are in the role.
pub struct GrantOperations {
    /// To whom.
    pub to: Grantee,
    /// On what, and on everything below it.
    pub resource: PulpUri,
    /// What. Those that are held already stay.
    pub operations: Vec<Operation>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for GrantOperations {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        self.to.find(state, cx)?;
        let keys = self.to.keys(&self.resource, &self.operations)?;
        for operation in &self.operations {
            self.basis.require_to_grant(*operation, &self.resource, state, cx)?;
        }
        // A grant is without end and condition, also where there was a limited one.
        let grants = keys.into_iter().map(Relationship::lasting);
        let new = grants.filter(|grant| state.graph().get(&grant.key).as_ref() != Some(grant));
        let changes = new.map(|relationship| Change::RelationshipWritten { relationship }).collect();
        Ok(Decision::all(changes, ()))
    }
}

/// Takes operations on a URI back: of a user only what they were granted themselves, of a role only what the role was.
pub struct RevokeOperations {
    /// From whom.
    pub from: Grantee,
    /// On exactly this.
    pub resource: PulpUri,
    /// What. Those that are not held are no error.
    pub operations: Vec<Operation>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for RevokeOperations {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        self.from.find(state, cx)?;
        let keys = self.from.keys(&self.resource, &self.operations)?;
        let held = keys.into_iter().filter(|key| exists(state, key, cx.now));
        Ok(Decision::all(held.map(|key| Change::RelationshipDeleted { key }).collect(), ()))
    }
}
