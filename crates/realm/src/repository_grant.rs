//! What an identity may do on a repository: one level, read or write, as one relationship.

use grantd_engine::{Key, ObjectRef, Relationship, SubjectRef};
use uuid::Uuid;

use crate::caller::Authority;
use crate::change::Change;
use crate::command::{Command, Context, Decision};
use crate::identity::Identity;
use crate::refusal::{Noun, Refusal};
use crate::relationship::exists;
use crate::repository::{Repository, repository_key};
use crate::{Micros, State};

/// How far a grant goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessLevel {
    /// Clone and fetch.
    Read,
    /// Also push.
    Write,
}

impl AccessLevel {
    /// The relation that it is.
    pub fn relation(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    fn key(self, identity: Uuid, repository: Uuid) -> Result<Key, Refusal> {
        let identity = identity.to_string();
        let subject = SubjectRef::Object(ObjectRef { kind: "identity", id: &identity });
        repository_key(repository, self.relation(), subject)
    }
}

/// The level that an identity was granted on a repository itself, now; a public repository adds nothing here.
pub fn granted(state: &State, identity: Uuid, repository: Uuid, now: Micros) -> Option<AccessLevel> {
    [AccessLevel::Write, AccessLevel::Read]
        .into_iter()
        .find(|level| level.key(identity, repository).is_ok_and(|key| exists(state, &key, now)))
}

fn set(
    state: &State,
    identity: Uuid,
    repository: Uuid,
    level: Option<AccessLevel>,
) -> Result<Vec<Change>, Refusal> {
    let mut changes = Vec::new();
    for one in [AccessLevel::Read, AccessLevel::Write] {
        let key = one.key(identity, repository)?;
        let held = state.graph().get(&key);
        let plain = Relationship::lasting(key.clone());
        if level != Some(one) {
            if held.is_some() {
                changes.push(Change::RelationshipDeleted { key });
            }
        } else if held.as_ref() != Some(&plain) {
            changes.push(Change::RelationshipWritten { relationship: plain });
        }
    }
    Ok(changes)
}

fn check_exist(state: &State, identity: Uuid, repository: Uuid) -> Result<(), Refusal> {
    Identity::changeable(state, identity)?;
    Repository::find(state, repository)?;
    Ok(())
}

/// Gives a grant that is there another level, or none.
fn change(
    state: &State,
    now: Micros,
    identity: Uuid,
    repository: Uuid,
    level: Option<AccessLevel>,
) -> Result<Decision<()>, Refusal> {
    check_exist(state, identity, repository)?;
    if granted(state, identity, repository, now).is_none() {
        return Err(Refusal::not_found(Noun::RepositoryGrant, identity));
    }
    Ok(Decision::all(set(state, identity, repository, level)?, ()))
}

/// Grants a level on a repository.
pub struct GrantRepository {
    /// To whom.
    pub identity: Uuid,
    /// On what.
    pub repository: Uuid,
    /// How far.
    pub level: AccessLevel,
}

impl Command for GrantRepository {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        check_exist(state, self.identity, self.repository)?;
        if granted(state, self.identity, self.repository, cx.now).is_some() {
            return Err(Refusal::exists(Noun::RepositoryGrant, self.identity));
        }
        Ok(Decision::all(set(state, self.identity, self.repository, Some(self.level))?, ()))
    }
}

/// Changes the level of a grant.
pub struct UpdateRepositoryGrant {
    /// Whose.
    pub identity: Uuid,
    /// On what.
    pub repository: Uuid,
    /// How far from now on.
    pub level: AccessLevel,
}

impl Command for UpdateRepositoryGrant {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        change(state, cx.now, self.identity, self.repository, Some(self.level))
    }
}

/// Withdraws a grant.
pub struct RevokeRepositoryGrant {
    /// Whose.
    pub identity: Uuid,
    /// On what.
    pub repository: Uuid,
}

impl Command for RevokeRepositoryGrant {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        change(state, cx.now, self.identity, self.repository, None)
    }
}
