//! Git repositories, as records. Public means that every identity may read: a relationship, not a field.

use std::sync::Arc;

use grantd_engine::{Key, ObjectRef, SubjectRef};
use imbl::OrdMap;
use uuid::Uuid;

use crate::caller::Authority;
use crate::change::{Change, Stamp, shared};

use crate::command::{Command, Context, Decision};
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::relationship::key;
use crate::{Micros, State};

/// The type of repositories.
pub const REPOSITORY_TYPE: &str = "fs_repo";

/// A repository.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Its id.
    pub id: Uuid,
    /// Its place in the order of creation.
    pub number: u64,
    /// What people call it.
    pub name: Option<Personal>,
    /// The branch that a clone checks out.
    pub default_branch: Arc<str>,
    /// When it was made.
    pub created_at: Micros,
}

impl Repository {
    /// The repository, or the refusal that says there is none.
    pub fn find(state: &State, id: Uuid) -> Result<&Self, Refusal> {
        state.repositories().get(id).ok_or_else(|| Refusal::not_found(Noun::Repository, id))
    }

    /// Whether anybody may read it.
    pub fn is_public(&self, state: &State) -> bool {
        everybody_reads(self.id).is_ok_and(|key| state.graph().get(&key).is_some())
    }
}

/// The repositories of a realm.
#[derive(Clone, Default)]
pub struct Repositories {
    pub(crate) by_id: OrdMap<Uuid, Repository>,
    pub(crate) by_number: OrdMap<u64, Uuid>,
    pub(crate) next_number: u64,
}

impl Repositories {
    /// One of them.
    pub fn get(&self, id: Uuid) -> Option<&Repository> {
        self.by_id.get(&id)
    }

    /// All, in order of creation.
    pub fn iter(&self) -> impl Iterator<Item = &Repository> {
        self.by_number.values().filter_map(|id| self.by_id.get(id))
    }

    pub(crate) fn create(
        &mut self,
        id: Uuid,
        number: u64,
        name: Option<&Personal>,
        default_branch: &str,
        stamp: Stamp,
    ) -> Result<(), String> {
        let repository = Repository {
            id,
            number,
            name: name.map(Personal::stored),
            default_branch: shared(default_branch),
            created_at: stamp.time,
        };
        if self.by_id.insert(id, repository).is_some() || self.by_number.insert(number, id).is_some() {
            return Err(format!("repository {id} or its number exists already"));
        }
        self.next_number = self.next_number.max(number + 1);
        Ok(())
    }

    pub(crate) fn delete(&mut self, id: Uuid) -> Result<(), String> {
        let repository = self.by_id.remove(&id).ok_or_else(|| format!("there is no repository {id}"))?;
        self.by_number.remove(&repository.number);
        Ok(())
    }

    pub(crate) fn set_default_branch(&mut self, id: Uuid, branch: &str) -> Result<(), String> {
        let repository = self.by_id.get_mut(&id).ok_or_else(|| format!("there is no repository {id}"))?;
        repository.default_branch = shared(branch);
        Ok(())
    }

    pub(crate) fn erase_name(&mut self, id: Uuid) {
        if let Some(repository) = self.by_id.get_mut(&id) {
            repository.name = repository.name.as_ref().map(Personal::erased);
        }
    }
}

/// `fs_repo:<id> # <relation> @ <subject>`.
pub(crate) fn repository_key(id: Uuid, relation: &str, subject: SubjectRef<'_>) -> Result<Key, Refusal> {
    key("repo", ObjectRef { kind: REPOSITORY_TYPE, id: &id.to_string() }, relation, subject)
}

/// The relationship that makes a repository public.
pub(crate) fn everybody_reads(id: Uuid) -> Result<Key, Refusal> {
    repository_key(id, "read", SubjectRef::Wildcard("identity"))
}

/// A branch name that git would take: the part of its rules that keeps it harmless in a path, a header and a
/// command line.
fn check_branch(name: &str) -> Result<(), Refusal> {
    let forbidden = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\\"'<>|&;$`".contains(c);
    let bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    if name.is_empty()
        || name.len() > 200
        || name.starts_with('-')
        || name.ends_with('.')
        || name == "@"
        || name.contains("..")
        || name.contains("@{")
        || name.contains(forbidden)
        || name.split('/').any(bad_part)
    {
        return Err(Refusal::invalid("defaultBranch", "must be a branch name that git accepts"));
    }
    Ok(())
}

fn check_repository_name(name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        return Err(Refusal::invalid("name", "must be 1 to 255 bytes without control characters"));
    }
    Ok(())
}

/// Makes a repository.
pub struct CreateRepository {
    /// What people call it.
    pub name: Option<String>,
    /// Whether anybody may read it.
    pub public: bool,
    /// The branch that a clone checks out.
    pub default_branch: String,
}

impl Command for CreateRepository {
    /// Its id.
    type Answer = Uuid;
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Uuid>, Refusal> {
        self.name.as_deref().map_or(Ok(()), check_repository_name)?;
        check_branch(&self.default_branch)?;
        let id = cx.entropy.uuid();
        let mut changes = vec![Change::RepositoryCreated {
            id,
            number: state.repositories().next_number,
            name: self.name.as_deref().map(|name| cx.personal(name)),
            default_branch: self.default_branch.clone(),
        }];
        if self.public {
            changes.push(Change::grant(everybody_reads(id)?));
        }
        Ok(Decision::all(changes, id))
    }
}

/// Deletes a repository with every grant on it.
pub struct DeleteRepository {
    /// Which.
    pub id: Uuid,
}

impl Command for DeleteRepository {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let repository = Repository::find(state, self.id)?;
        Ok(Decision::one(Change::RepositoryDeleted { id: repository.id }, ()))
    }
}

/// Opens a repository to every reader, or closes it to those without a grant.
pub struct SetVisibility {
    /// Which.
    pub id: Uuid,
    /// Whether anybody may read it.
    pub public: bool,
}

impl Command for SetVisibility {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let repository = Repository::find(state, self.id)?;
        if repository.is_public(state) == self.public {
            return Ok(Decision::unchanged(()));
        }
        let key = everybody_reads(self.id)?;
        let change = if self.public { Change::grant(key) } else { Change::RelationshipDeleted { key } };
        Ok(Decision::one(change, ()))
    }
}

/// Names the branch that a clone checks out.
pub struct SetDefaultBranch {
    /// Which repository.
    pub id: Uuid,
    /// The branch; it need not exist yet.
    pub default_branch: String,
}

impl Command for SetDefaultBranch {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let repository = Repository::find(state, self.id)?;
        check_branch(&self.default_branch)?;
        if *repository.default_branch == *self.default_branch {
            return Ok(Decision::unchanged(()));
        }
        let default_branch = self.default_branch.clone();
        Ok(Decision::one(Change::DefaultBranchSet { id: self.id, default_branch }, ()))
    }
}

impl State {
    /// The repositories on which a subject holds a direct grant now, in order of creation.
    pub fn repositories_granted_to(&self, subject: ObjectRef<'_>, now: Micros) -> Vec<&Repository> {
        let mut found: Vec<&Repository> = self
            .graph
            .resources_of(subject, REPOSITORY_TYPE)
            .filter(|found| found.until.is_none_or(|until| now < until))
            .filter_map(|found| Uuid::parse_str(found.object.id).ok())
            .filter_map(|id| self.repositories.get(id))
            .collect();
        found.sort_unstable_by_key(|repository| repository.number);
        found.dedup_by_key(|repository| repository.number);
        found
    }
}
